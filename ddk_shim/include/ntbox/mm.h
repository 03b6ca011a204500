/* SPDX-License-Identifier: MIT
 * Memory manager names that came after the mingw-w64 headers. */
#pragma once

/* [WDK MmGetSystemAddressForMdlSafe] or-ed into the page priority, Windows 8 and later. */
#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite 0x80000000
#endif
#ifndef MdlMappingNoExecute
#define MdlMappingNoExecute 0x40000000
#endif
#ifndef MdlMappingWithGuardPtes
#define MdlMappingWithGuardPtes 0x20000000
#endif

NTKERNELAPI PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect);

/* [WDK MmCopyMemory] Windows 8.1 and later. */
#ifndef MM_COPY_MEMORY_PHYSICAL
#define MM_COPY_MEMORY_PHYSICAL 0x1
#define MM_COPY_MEMORY_VIRTUAL 0x2
typedef struct _MM_COPY_ADDRESS {
    union {
        PVOID VirtualAddress;
        PHYSICAL_ADDRESS PhysicalAddress;
    };
} MM_COPY_ADDRESS, *PMM_COPY_ADDRESS;
#endif
NTKERNELAPI NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress,
                                        SIZE_T NumberOfBytes, ULONG Flags, PSIZE_T NumberOfBytesTransferred);

/* [WDK MmProbeAndLockSelectedPages, MmAllocateContiguousNodeMemory] */
union _FILE_SEGMENT_ELEMENT;
NTKERNELAPI VOID NTAPI MmProbeAndLockSelectedPages(PMDL MemoryDescriptorList,
                                                   union _FILE_SEGMENT_ELEMENT *SegmentArray,
                                                   KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation);
NTKERNELAPI PVOID NTAPI MmAllocateContiguousNodeMemory(SIZE_T NumberOfBytes,
                                                       PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                       PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                       PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                       ULONG Protect, ULONG PreferredNode);

/* [WDK MmAllocateNodePagesForMdlEx] */
NTKERNELAPI PMDL NTAPI MmAllocateNodePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                                   PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
                                                   MEMORY_CACHING_TYPE CacheType, ULONG IdealNode,
                                                   ULONG Flags);

/* [WDK MmGetPhysicalMemoryRangesEx2] flags as in ntddk.h */
#define MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_FILE_ONLY 0x00000001
#define MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_ALL_PARTITIONS 0x00000002
struct _PHYSICAL_MEMORY_RANGE;
NTKERNELAPI struct _PHYSICAL_MEMORY_RANGE *NTAPI MmGetPhysicalMemoryRangesEx(PVOID PartitionObject);
NTKERNELAPI struct _PHYSICAL_MEMORY_RANGE *NTAPI MmGetPhysicalMemoryRangesEx2(PVOID PartitionObject,
                                                                              ULONG Flags);

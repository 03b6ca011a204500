/* SPDX-License-Identifier: MIT
 * Tier 2, vm: virtual memory and sections as objects, handles and services: the ZwXxxVirtualMemory and ZwXxxSection names and
 * those MmXxx names that take a section object or a process. */
#pragma once
#include "nt.h"

/* PASSIVE_LEVEL, once, after ObInitSystem and PsInitSystem: the type Section, \Device\PhysicalMemory. */
VOID VmInitSystem(VOID);

/* How vm looks at files, set once by init. PASSIVE_LEVEL. */
typedef struct _VM_UPCALLS {
    NTSTATUS (*FileSize)(PFILE_OBJECT File, PULONG64 Size);
    NTSTATUS (*SetFileSize)(PFILE_OBJECT File, ULONG64 Size);
} VM_UPCALLS;
extern const VM_UPCALLS *VmUpcalls;

/* --- services of user-mode callers, PASSIVE_LEVEL ----------------------------------------------------------------------
 * As the ZwXxx of the same name, in the mode that ExGetPreviousMode says: for UserMode handles must be the caller's, and pointers lead to
 * his memory, which is read once. Those that drivers can call too are declared by the DDK headers. */
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                      ULONG NewProtect, PULONG OldProtect);
NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
                                    MEMORY_INFORMATION_CLASS MemoryInformationClass, PVOID MemoryInformation,
                                    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength);
NTSTATUS NTAPI NtLockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                   ULONG MapType);
NTSTATUS NTAPI NtUnlockVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                     ULONG MapType);
NTSTATUS NTAPI NtFlushVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                    PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
                             POBJECT_ATTRIBUTES ObjectAttributes);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress);
NTSTATUS NTAPI NtQuerySection(HANDLE SectionHandle, SECTION_INFORMATION_CLASS SectionInformationClass,
                              PVOID SectionInformation, SIZE_T SectionInformationLength,
                              PSIZE_T ReturnLength);

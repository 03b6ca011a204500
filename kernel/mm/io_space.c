/* SPDX-License-Identifier: MIT
 * Device memory in system space. */
#include "mi.h"

#define MI_PHYSICAL_END (1ull << 52)

static PVOID MiMapPhysical(PHYSICAL_ADDRESS Address, SIZE_T NumberOfBytes, MM_PROTECTION Protection,
                           MEMORY_CACHING_TYPE Cache, const void *Owner)
{
    ULONG64 Physical = (ULONG64)Address.QuadPart;
    MI_PTE Template = MiTemplate(Protection, Cache, MiUseIoSpace);
    if (Template == 0 || NumberOfBytes == 0 || Physical >= MI_PHYSICAL_END ||
        NumberOfBytes > MI_PHYSICAL_END - Physical)
        return NULL;
    ULONG64 Offset = Physical & PAGE_MASK;
    SIZE_T PageCount = BYTES_TO_PAGES(Offset + NumberOfBytes);
    ULONG_PTR Base = MiReserveOwned(PageCount, Owner);
    if (Base == 0)
        return NULL;
    MiMapRun(Base, PageCount, Template, Physical >> PAGE_SHIFT);
    return (PVOID)(Base + Offset);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmMapIoSpace] NULL when there is no space; the caller unmaps with the same
 * size. The mapping is never executable (deviation D-032). */
PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
                         MEMORY_CACHING_TYPE CacheEnable)
{
    return MiMapPhysical(PhysicalAddress, NumberOfBytes, MmReadWrite, CacheEnable,
                         __builtin_return_address(0));
}

/* [WDK MmMapIoSpaceEx] Protect: one of PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE, PAGE_EXECUTE_READ, with
 * PAGE_NOCACHE or PAGE_WRITECOMBINE or neither. PAGE_EXECUTE_READWRITE gives NULL (deviation D-032). */
PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect)
{
    MEMORY_CACHING_TYPE Cache = Protect & PAGE_NOCACHE        ? MmNonCached
                                : Protect & PAGE_WRITECOMBINE ? MmWriteCombined
                                                              : MmCached;
    if ((Protect & PAGE_NOCACHE) && (Protect & PAGE_WRITECOMBINE))
        return NULL;
    switch (Protect & ~(ULONG)(PAGE_NOCACHE | PAGE_WRITECOMBINE)) {
    case PAGE_READONLY:
        return MiMapPhysical(PhysicalAddress, NumberOfBytes, MmReadOnly, Cache, __builtin_return_address(0));
    case PAGE_READWRITE:
        return MiMapPhysical(PhysicalAddress, NumberOfBytes, MmReadWrite, Cache, __builtin_return_address(0));
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
        return MiMapPhysical(PhysicalAddress, NumberOfBytes, MmExecuteRead, Cache,
                             __builtin_return_address(0));
    default:
        return NULL;
    }
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmUnmapIoSpace] both arguments are those of the mapping; others stop with
 * SYSTEM_PTE_MISUSE. */
VOID NTAPI MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    ULONG_PTR Offset = (ULONG_PTR)BaseAddress & PAGE_MASK;
    MiFreeOwnedMapping((ULONG_PTR)BaseAddress - Offset, BYTES_TO_PAGES(Offset + NumberOfBytes), MiUseIoSpace);
}

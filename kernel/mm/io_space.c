/* SPDX-License-Identifier: MIT
 * Device memory in system space. */
#include "pfn.h"
#include "ke.h"

/* [Intel SDM volume 2, CPUID] leaf 0x80000008: bits of a physical address; 36 without it */
ULONG64 MiPhysicalEnd(VOID)
{
    BOOLEAN Says = ArchCpuid(0x80000000, 0).Eax >= 0x80000008;
    ULONG Bits = Says ? ArchCpuid(0x80000008, 0).Eax & 0xff : 36;
    return min(1ull << Bits, (ULONG64)MI_PFN_MOST << PAGE_SHIFT);
}

/* Each page with the cache type that it has. */
static VOID MiMapIoPages(ULONG_PTR Base, SIZE_T PageCount, MI_PTE Template, PFN_NUMBER First, MI_CACHE Wanted)
{
    MI_PTE *Pte = MiPteOf(Base);
    BOOLEAN Ram;
    for (SIZE_T Done = 0, Run; Done < PageCount; Done += Run) {
        Run = MiRunOfKind(First + Done, PageCount - Done, &Ram);
        for (SIZE_T I = Done; I < Done + Run; I++) {
            MI_PTE Bits = Ram ? MiCacheBitsOfFrame(First + I, Wanted) : MiCacheBitsOfDevice(First + I);
            MiWritePte(&Pte[I], MiEntry(Template | Bits, First + I, I, PageCount));
        }
    }
}

static PVOID MiMapPhysical(PHYSICAL_ADDRESS Address, SIZE_T NumberOfBytes, MM_PROTECTION Protection,
                           MEMORY_CACHING_TYPE Cache, const void *Owner)
{
    ULONG64 Physical = (ULONG64)Address.QuadPart, End = MiPhysicalEnd();
    MI_CACHE Wanted;
    if (!MiCacheOf(Cache, &Wanted) || NumberOfBytes == 0 || Physical >= End || NumberOfBytes > End - Physical)
        return NULL;
    ULONG64 Offset = Physical & PAGE_MASK;
    PFN_NUMBER First = Physical >> PAGE_SHIFT;
    SIZE_T PageCount = BYTES_TO_PAGES(Offset + NumberOfBytes);
    ULONG_PTR Base = MiReserveOwned(PageCount, Owner);
    if (Base == 0)
        return NULL;
    if (!MiShareDevice(First, PageCount, Wanted)) {
        MiReleaseOwned(Base, PageCount);
        return NULL;
    }
    MiMapIoPages(Base, PageCount, MiTemplate(Protection, MmCached, MiUseIoSpace), First, Wanted);
    return (PVOID)(Base + Offset);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmMapIoSpace] NULL when there is no space; the caller unmaps with the same
 * size. The mapping is never executable (deviation D-032). */
DECLSPEC_NOINLINE PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
                                           MEMORY_CACHING_TYPE CacheEnable)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(MI_IS_CACHE_TYPE(CacheEnable), CacheEnable);

    return MiMapPhysical(PhysicalAddress, NumberOfBytes, MmReadWrite, CacheEnable,
                         __builtin_return_address(0));
}

/* [WDK MmMapIoSpaceEx] Protect: one of PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE, PAGE_EXECUTE_READ, with
 * PAGE_NOCACHE or PAGE_WRITECOMBINE or neither. PAGE_EXECUTE_READWRITE gives NULL (deviation D-032). */
DECLSPEC_NOINLINE PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
                                             ULONG Protect)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

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
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    ULONG_PTR Offset = (ULONG_PTR)BaseAddress & PAGE_MASK, Base = (ULONG_PTR)BaseAddress - Offset;
    SIZE_T PageCount = BYTES_TO_PAGES(Offset + NumberOfBytes);
    ULONG64 Physical = 0;
    (void)MmTranslate((PVOID)Base, &Physical);
    MiFreeOwnedMapping(Base, PageCount, MiUseIoSpace);
    MiReleaseDevice(Physical >> PAGE_SHIFT, PageCount);
}

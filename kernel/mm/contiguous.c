/* SPDX-License-Identifier: MIT
 * Memory whose physical pages are consecutive, within limits that a device sets. */
#include "pfn.h"
#include "ke.h"

/* The last page that ends at or below an address; MM_NO_PAGE when not even page 0 does. */
static PFN_NUMBER MiLastPageBelow(ULONG64 HighestAddress)
{
    if (HighestAddress == MAXULONG64)
        return MM_ANY_PAGE;
    return ((HighestAddress + 1) >> PAGE_SHIFT) - 1;
}

static PVOID MiAllocateContiguous(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS LowestAcceptableAddress,
                                  PHYSICAL_ADDRESS HighestAcceptableAddress,
                                  PHYSICAL_ADDRESS BoundaryAddressMultiple, MEMORY_CACHING_TYPE CacheType,
                                  const void *Owner)
{
    SIZE_T PageCount = BYTES_TO_PAGES(NumberOfBytes);
    MI_PTE Template = MiTemplate(MmReadWrite, CacheType, MiUseContiguous);
    MI_CACHE Cache = MiCacheBack;
    ULONG64 Boundary = (ULONG64)BoundaryAddressMultiple.QuadPart;
    PFN_NUMBER Lowest = BYTES_TO_PAGES((ULONG64)LowestAcceptableAddress.QuadPart);
    PFN_NUMBER Highest = MiLastPageBelow((ULONG64)HighestAcceptableAddress.QuadPart);
    if (PageCount == 0 || !MiCacheOf(CacheType, &Cache) || Highest == MM_NO_PAGE ||
        (Boundary != 0 && Boundary < PAGE_SIZE))
        return NULL;

    PFN_NUMBER First = MmAllocatePhysicalPages(PageCount, Lowest, Highest, Boundary >> PAGE_SHIFT);
    if (First == MM_NO_PAGE)
        return NULL;
    ULONG_PTR Base = MiSetCacheOfRun(First, PageCount, Cache) ? MiReserveOwned(PageCount, Owner) : 0;
    if (Base == 0) {
        MmFreePhysicalPages(First, PageCount);
        return NULL;
    }
    MiMapRun(Base, PageCount, Template | MI_PTE_OWNS, First);
    return (PVOID)Base;
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmAllocateContiguousMemorySpecifyCache] page-aligned, uninitialised; NULL when
 * no run of pages satisfies the limits. A BoundaryAddressMultiple of 0 is none. */
DECLSPEC_NOINLINE PVOID NTAPI MmAllocateContiguousMemorySpecifyCache(
    SIZE_T NumberOfBytes, PHYSICAL_ADDRESS LowestAcceptableAddress, PHYSICAL_ADDRESS HighestAcceptableAddress,
    PHYSICAL_ADDRESS BoundaryAddressMultiple, MEMORY_CACHING_TYPE CacheType)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(MI_IS_CACHE_TYPE(CacheType), CacheType);

    return MiAllocateContiguous(NumberOfBytes, LowestAcceptableAddress, HighestAcceptableAddress,
                                BoundaryAddressMultiple, CacheType, __builtin_return_address(0));
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmAllocateContiguousMemory] */
DECLSPEC_NOINLINE PVOID NTAPI MmAllocateContiguousMemory(SIZE_T NumberOfBytes,
                                                         PHYSICAL_ADDRESS HighestAcceptableAddress)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    PHYSICAL_ADDRESS None = {0};
    return MiAllocateContiguous(NumberOfBytes, None, HighestAcceptableAddress, None, MmCached,
                                __builtin_return_address(0));
}

/* There is one node, number 0. */
static BOOLEAN MiNodeIsThere(NODE_REQUIREMENT Node)
{
    return Node == 0 || (Node & MM_ANY_NODE_OK);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmAllocateContiguousMemorySpecifyCacheNode] as without a node; another node than the machine's is NULL, but with
 * MM_ANY_NODE_OK. */
DECLSPEC_NOINLINE PVOID NTAPI MmAllocateContiguousMemorySpecifyCacheNode(
    SIZE_T NumberOfBytes, PHYSICAL_ADDRESS LowestAcceptableAddress, PHYSICAL_ADDRESS HighestAcceptableAddress,
    PHYSICAL_ADDRESS BoundaryAddressMultiple, MEMORY_CACHING_TYPE CacheType, NODE_REQUIREMENT PreferredNode)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(MI_IS_CACHE_TYPE(CacheType), CacheType);

    if (!MiNodeIsThere(PreferredNode))
        return NULL;
    return MiAllocateContiguous(NumberOfBytes, LowestAcceptableAddress, HighestAcceptableAddress,
                                BoundaryAddressMultiple, CacheType, __builtin_return_address(0));
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmAllocateContiguousNodeMemory] Protect: PAGE_READWRITE, with PAGE_NOCACHE or PAGE_WRITECOMBINE or neither.
 * PAGE_EXECUTE_READWRITE gives NULL (deviation D-032). */
DECLSPEC_NOINLINE PVOID NTAPI MmAllocateContiguousNodeMemory(SIZE_T NumberOfBytes,
                                                             PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                             PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                             PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                             ULONG Protect, NODE_REQUIREMENT PreferredNode)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    MEMORY_CACHING_TYPE Cache;
    switch (Protect) {
    case PAGE_READWRITE:
        Cache = MmCached;
        break;
    case PAGE_READWRITE | PAGE_NOCACHE:
        Cache = MmNonCached;
        break;
    case PAGE_READWRITE | PAGE_WRITECOMBINE:
        Cache = MmWriteCombined;
        break;
    default:
        return NULL;
    }
    if (!MiNodeIsThere(PreferredNode))
        return NULL;
    return MiAllocateContiguous(NumberOfBytes, LowestAcceptableAddress, HighestAcceptableAddress,
                                BoundaryAddressMultiple, Cache, __builtin_return_address(0));
}

/* IRQL <= DISPATCH_LEVEL. [WDK Bug Check 0xC2] 0x60: not an address that MmAllocateContiguousMemory returned
 */
static VOID MiFreeContiguous(PVOID BaseAddress, const void *Freer)
{
    SIZE_T PageCount = MiMeasure(&MiSystemPteSpace, (ULONG_PTR)BaseAddress, MiUseContiguous);
    if (PageCount == 0)
        KeBugCheckEx(BAD_POOL_CALLER, 0x60, (ULONG_PTR)BaseAddress, 0, 0);
    KeCheckFreedMemory(BaseAddress, PageCount * PAGE_SIZE, Freer);
    MiFreeOwnedMapping((ULONG_PTR)BaseAddress, PageCount, MiUseContiguous);
}

DECLSPEC_NOINLINE VOID NTAPI MmFreeContiguousMemory(PVOID BaseAddress)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    MiFreeContiguous(BaseAddress, __builtin_return_address(0));
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmFreeContiguousMemorySpecifyCache] size and cache type are those of the
 * allocation. */
DECLSPEC_NOINLINE VOID NTAPI MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T NumberOfBytes,
                                                                MEMORY_CACHING_TYPE CacheType)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(MI_IS_CACHE_TYPE(CacheType), CacheType);

    if (MiMeasure(&MiSystemPteSpace, (ULONG_PTR)BaseAddress, MiUseContiguous) !=
        BYTES_TO_PAGES(NumberOfBytes))
        KeBugCheckEx(BAD_POOL_CALLER, 0x60, (ULONG_PTR)BaseAddress, 0, 0);
    MiFreeContiguous(BaseAddress, __builtin_return_address(0));
}

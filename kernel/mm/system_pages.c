/* SPDX-License-Identifier: MIT
 * Pages and stacks of system space: memory of the kernel's own that is not pool. */
#include "pfn.h"
#include "ke.h"

static PVOID MiAllocate(SIZE_T PageCount, MI_PTE Template)
{
    if (PageCount == 0)
        return NULL;
    ULONG_PTR Base = MiReserve(&MiSystemPteSpace, PageCount);
    if (Base != 0 && !MiMapNewPages(Base, PageCount, Template, TRUE)) {
        MiRelease(&MiSystemPteSpace, Base, PageCount);
        Base = 0;
    }
    return (PVOID)Base;
}

PVOID MmAllocateSystemPages(SIZE_T PageCount, MM_PROTECTION Protection)
{
    NT_CHECK(Protection != MmNoAccess);
    return MiAllocate(PageCount, MiTemplate(Protection, MmCached, MiUsePages));
}

VOID MmFreeSystemPages(PVOID Base, SIZE_T PageCount)
{
    MiFreeMapping(&MiSystemPteSpace, (ULONG_PTR)Base, PageCount, MiUsePages, MiAbsentFreedMapping);
}

/* New pages, mapped by nobody else, and by this mapping alone in a moment. */
static BOOLEAN MiMapNonCachedPages(ULONG_PTR Base, SIZE_T PageCount)
{
    MI_PTE *Pte = MiPteOf(Base);
    if (!MiMapNewPages(Base, PageCount, MiTemplate(MmReadWrite, MmCached, MiUseNonCached), FALSE))
        return FALSE;
    for (SIZE_T I = 0; I < PageCount; I++) {
        MI_PTE Entry = MiReadPte(&Pte[I]);
        if (!MiSetCacheOfRun(MiFrameOf(Entry), 1, MiCacheOff)) {
            MiUnmap(Base, PageCount, MiAbsentNever);
            return FALSE;
        }
        MiWritePte(&Pte[I], Entry | MiCacheBits(MiCacheOff));
    }
    MiFlushTlbRange(Base, PageCount);
    return TRUE;
}

/* [WDK MmAllocateNonCachedMemory] page-aligned, IRQL < DISPATCH_LEVEL; NULL when memory is short. */
DECLSPEC_NOINLINE PVOID NTAPI MmAllocateNonCachedMemory(SIZE_T NumberOfBytes)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    SIZE_T PageCount = BYTES_TO_PAGES(NumberOfBytes);
    ULONG_PTR Base = PageCount != 0 ? MiReserveOwned(PageCount, __builtin_return_address(0)) : 0;
    if (Base != 0 && !MiMapNonCachedPages(Base, PageCount)) {
        MiReleaseOwned(Base, PageCount);
        Base = 0;
    }
    return (PVOID)Base;
}

/* [WDK MmFreeNonCachedMemory] NumberOfBytes is that of the allocation. */
VOID NTAPI MmFreeNonCachedMemory(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    MiFreeOwnedMapping((ULONG_PTR)BaseAddress, BYTES_TO_PAGES(NumberOfBytes), MiUseNonCached);
}

#define MI_STACK_GUARDS 2 /* a page on each side that is never mapped */

BOOLEAN MmAllocateKernelStack(SIZE_T Size, PVOID *Base, PVOID *Limit)
{
    SIZE_T PageCount = Size / PAGE_SIZE;
    ULONG_PTR Guard = MiReserve(&MiSystemPteSpace, PageCount + MI_STACK_GUARDS);
    if (Guard == 0)
        return FALSE;
    if (!MiMapNewPages(Guard + PAGE_SIZE, PageCount, MiTemplate(MmReadWrite, MmCached, MiUseStack), FALSE)) {
        MiRelease(&MiSystemPteSpace, Guard, PageCount + MI_STACK_GUARDS);
        return FALSE;
    }
    MiWritePte(MiPteOf(Guard), MI_ABSENT_PTE(MiAbsentStackGuard, PageCount));
    *Limit = (PVOID)(Guard + PAGE_SIZE);
    *Base = (PVOID)(Guard + PAGE_SIZE + Size);
    return TRUE;
}

VOID MmFreeKernelStack(PVOID Base, PVOID Limit)
{
    ULONG_PTR Lowest = (ULONG_PTR)Limit;
    SIZE_T PageCount = ((ULONG_PTR)Base - Lowest) / PAGE_SIZE;
    if (MiMeasure(&MiSystemPteSpace, Lowest, MiUseStack) != PageCount)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x303, Lowest, PageCount, 0);
    MiUnmap(Lowest, PageCount, MiAbsentFreedMapping);
    MiWritePte(MiPteOf(Lowest - PAGE_SIZE), MI_ABSENT_PTE(MiAbsentFreedMapping, 0));
    MiRelease(&MiSystemPteSpace, Lowest - PAGE_SIZE, PageCount + MI_STACK_GUARDS);
}

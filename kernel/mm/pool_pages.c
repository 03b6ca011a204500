/* SPDX-License-Identifier: MIT
 * Pages for ex's pools: each pool has a region of addresses, so that an address tells its pool. */
#include "mi.h"

static MI_PTE MiPoolTemplate(BOOLEAN Paged)
{
    return MiTemplate(MmReadWrite, MmCached, MiUsePool) | (Paged ? MI_PTE_KEY_PAGED : 0);
}

PVOID MmAllocatePoolPages(MM_POOL_REGION Region, SIZE_T PageCount)
{
    MI_SPACE *Space = &MiPoolSpace[Region];
    ULONG_PTR Base = MiReserve(Space, PageCount);
    if (Base != 0 && !MiMapNewPages(Base, PageCount, MiPoolTemplate(Region == MmPagedPoolRegion), FALSE)) {
        MiRelease(Space, Base, PageCount);
        Base = 0;
    }
    return (PVOID)Base;
}

VOID MmFreePoolPages(MM_POOL_REGION Region, PVOID Base, SIZE_T PageCount)
{
    MiFreeMapping(&MiPoolSpace[Region], (ULONG_PTR)Base, PageCount, MiUsePool, MiAbsentFreedPool);
}

/* --- special pool: the page behind each block stays unmapped; it is also the one before the next ----------------- */

/* Where the next search starts: a hint, so that addresses are used again late. */
static volatile SIZE_T MiSpecialNext;

static ULONG_PTR MiReserveSpecial(SIZE_T PageCount)
{
    MI_SPACE *Space = &MiPoolSpace[MmSpecialPoolRegion];
    ULONG_PTR Base = MiReserveFrom(Space, PageCount, MiSpecialNext);
    if (Base != 0)
        MiSpecialNext = (Base - Space->Base) / PAGE_SIZE + PageCount;
    return Base;
}

PVOID MmAllocateSpecialPages(SIZE_T PageCount, BOOLEAN Paged)
{
    ULONG_PTR Base = MiReserveSpecial(PageCount + 1);
    if (Base != 0 && !MiMapNewPages(Base, PageCount, MiPoolTemplate(Paged), FALSE)) {
        MiRelease(&MiPoolSpace[MmSpecialPoolRegion], Base, PageCount + 1);
        return NULL;
    }
    if (Base != 0) /* may be the last page of a block that was freed */
        MiWritePte(MiPteOf(Base + PageCount * PAGE_SIZE), 0);
    return (PVOID)Base;
}

VOID MmFreeSpecialPages(PVOID Base, SIZE_T PageCount)
{
    MI_SPACE *Space = &MiPoolSpace[MmSpecialPoolRegion];
    MiUnmapWhole(Space, (ULONG_PTR)Base, PageCount, MiUsePool, MiAbsentFreedPool);
    MiRelease(Space, (ULONG_PTR)Base, PageCount + 1);
}

SIZE_T MmPoolRegionPages(MM_POOL_REGION Region)
{
    return MiPoolSpace[Region].PageCount;
}

SIZE_T MmFreePoolRegionPages(MM_POOL_REGION Region)
{
    return MiPoolSpace[Region].Map.Free;
}

/* Two processors may need the same page of records: decided under the lock. */
static BOOLEAN MiCommitPage(ULONG_PTR Address)
{
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    BOOLEAN Done = MiEnsureTablesLocked(Address, 1);
    if (Done && !(MiReadPte(MiPteOf(Address)) & MI_PTE_PRESENT))
        Done = MiMapNewPages(Address, 1, MiTemplate(MmReadWrite, MmCached, MiUsePages), TRUE);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    return Done;
}

BOOLEAN MmCommitPoolRecords(PVOID Base, SIZE_T Size)
{
    ULONG_PTR First = (ULONG_PTR)Base & ~(ULONG_PTR)PAGE_MASK,
              Last = ((ULONG_PTR)Base + Size - 1) & ~(ULONG_PTR)PAGE_MASK;
    NT_CHECK(First >= MM_POOL_RECORDS_BASE && Last < MM_POOL_RECORDS_BASE + MM_REGION_SIZE);
    for (ULONG_PTR At = First; At <= Last; At += PAGE_SIZE)
        if (!(MiReadPte(MiTopOf(At)) & MiReadPte(MiDirectoryPointerOf(At)) & MI_PTE_PRESENT) ||
            !(MiReadPte(MiDirectoryOf(At)) & MI_PTE_PRESENT) || !(MiReadPte(MiPteOf(At)) & MI_PTE_PRESENT))
            if (!MiCommitPage(At))
                return FALSE;
    return TRUE;
}

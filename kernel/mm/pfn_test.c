/* SPDX-License-Identifier: MIT
 * The page frame database: counts, and the way of a kept page over the standby list. */
#include "kt.h"
#include "pfn.h"

static MI_FRAME_STATE StateOf(PFN_NUMBER Frame)
{
    return MiWordState(MiPfnOf(Frame)->Word);
}

KT_TEST(mm_page_has_an_owner)
{
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    KT_EXPECT(MiIsManaged(Page) && StateOf(Page) == MiFrameActive);
    KT_EXPECT(MiWordShares(MiPfnOf(Page)->Word) == 1 && MiWordLocks(MiPfnOf(Page)->Word) == 0);
    KT_EXPECT(MiWordCache(MiPfnOf(Page)->Word) == MiCacheBack);
    MmFreePhysicalPages(Page, 1);
    KT_EXPECT(!MiIsManaged(Page) && StateOf(Page) == MiFrameFree);
}

KT_TEST(mm_device_memory_is_not_managed)
{
    KT_EXPECT(!MiIsManaged(0xfee00000ull >> PAGE_SHIFT));
    KT_EXPECT(!MiIsManaged(1ull << 40));
}

KT_TEST(mm_last_share_frees_a_page)
{
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    MiShareFrame(Page);
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameActive);
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameFree);
}

KT_TEST(mm_locked_page_outlives_its_last_share)
{
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    KT_EXPECT(MiLockFrame(Page) && MiLockFrame(Page));
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameTransition && MiIsManaged(Page));
    MiUnlockFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameTransition);
    MiUnlockFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameFree && !MiLockFrame(Page));
}

KT_TEST(mm_kept_page_can_be_had_again)
{
    MI_PTE Entry = 77, Other = 0;
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    MiKeepFrame(Page, &Entry, 123);
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameStandby && MiStandby.Count >= 1 && Entry == 77);
    KT_EXPECT(!MiReviveFrame(Page, &Other));
    KT_EXPECT(MiReviveFrame(Page, &Entry) && StateOf(Page) == MiFrameActive);
    KT_EXPECT(MiLockFrame(Page));
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameTransition && MiReviveFrame(Page, &Entry));
    MiUnlockFrame(Page);
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameStandby);
    KT_EXPECT(MiForgetFrame(Page, &Entry) && StateOf(Page) == MiFrameFree && Entry == 77);
    KT_EXPECT(!MiForgetFrame(Page, &Entry) && !MiReviveFrame(Page, &Entry));
}

KT_TEST(mm_page_forgotten_in_use_is_freed_after_its_last_use)
{
    MI_PTE Entry = 1;
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    MiKeepFrame(Page, &Entry, 123);
    KT_EXPECT(MiForgetFrame(Page, &Entry) && StateOf(Page) == MiFrameActive);
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameFree && Entry == 1);
}

VOID KtTakeStandby(VOID)
{
    PFN_NUMBER Frame;
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    while ((Frame = MiTakeStandbyLocked()) != MM_NO_PAGE)
        MiPutFreeLocked(Frame);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
}

/* Memory that is short takes the pages of the standby list, oldest first, away from their entries. */
KT_TEST(mm_short_memory_takes_standby_pages)
{
    MI_PTE Entry[3] = {1, 2, 3};
    PFN_NUMBER Page[3];
    for (ULONG I = 0; I < 3; I++) {
        Page[I] = MmAllocatePhysicalPage(FALSE);
        MiKeepFrame(Page[I], &Entry[I], 100 + I);
    }
    for (ULONG I = 0; I < 3; I++)
        MiReleaseFrame(Page[I]);
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    PFN_NUMBER Oldest = MiTakeStandbyLocked();
    MiPutFreeLocked(Oldest);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    KT_EXPECT(Oldest == Page[0] && Entry[0] == 100 && Entry[1] == 2 && !MiReviveFrame(Page[0], &Entry[0]));
    KtTakeStandby();
    KT_EXPECT(MiStandby.Count == 0 && Entry[1] == 101 && Entry[2] == 102);
    KT_EXPECT(StateOf(Page[1]) == MiFrameFree && StateOf(Page[2]) == MiFrameFree);
}

#define PFN_RUN 200u /* more than are taken from the standby list at once */

/* A run within limits takes the pages that lie there, and no others; a run that there cannot be takes none. */
KT_TEST(mm_run_takes_standby_pages_within_its_limits)
{
    static MI_PTE Entry[PFN_RUN], Outside;
    PFN_NUMBER First = MmAllocatePhysicalPages(PFN_RUN, 0, MM_ANY_PAGE, 0),
               Other = MmAllocatePhysicalPage(FALSE);
    KT_EXPECT(First != MM_NO_PAGE && Other != MM_NO_PAGE);
    MiKeepFrame(Other, &Outside, 7);
    MiReleaseFrame(Other);
    for (ULONG I = 0; I < PFN_RUN; I++) {
        Entry[I] = 1;
        MiKeepFrame(First + I, &Entry[I], 100 + I);
        MiReleaseFrame(First + I);
    }
    KT_EXPECT(MmAllocatePhysicalPages(1ull << 40, 0, MM_ANY_PAGE, 0) == MM_NO_PAGE);
    KT_EXPECT(MmAllocatePhysicalPages(PFN_RUN + 1, First, First + PFN_RUN - 1, 0) == MM_NO_PAGE);
    KT_EXPECT(MmAllocatePhysicalPages(4, First, First + PFN_RUN - 1, 2) == MM_NO_PAGE);
    KT_EXPECT(StateOf(First) == MiFrameStandby && StateOf(First + PFN_RUN - 1) == MiFrameStandby);
    KT_EXPECT(MmAllocatePhysicalPages(2, First, First + PFN_RUN - 1, 0) == First);
    KT_EXPECT(Entry[0] == 100 && Entry[PFN_RUN - 1] == 1); /* the oldest, and no more than were needed */
    MmFreePhysicalPages(First, 2);
    KT_EXPECT(MmAllocatePhysicalPages(PFN_RUN, First, First + PFN_RUN - 1, 0) == First);
    KT_EXPECT(Entry[PFN_RUN - 1] == 100 + PFN_RUN - 1);
    MmFreePhysicalPages(First, PFN_RUN);
    KT_EXPECT(MiForgetFrame(Other, &Outside) && StateOf(Other) == MiFrameFree);
}

/* What an MDL has locked can be shown when its owner has gone. */
KT_TEST(mm_locked_page_can_be_shared_again)
{
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    KT_EXPECT(MiLockFrame(Page));
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameTransition && MiShareLockedFrame(Page) && MiShareLockedFrame(Page));
    KT_EXPECT(StateOf(Page) == MiFrameActive && MiWordShares(MiPfnOf(Page)->Word) == 2);
    MiUnlockFrame(Page);
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameActive);
    MiReleaseFrame(Page);
    KT_EXPECT(StateOf(Page) == MiFrameFree && !MiShareLockedFrame(Page));
}

#define PFN_MOST_TO_TAKE 0x10000u /* pages; more memory than that would take too long */
#define PFN_KEPT 8u
#define PFN_META 4u

/* All pages that are free, and the first one of the standby list, in a chain through themselves. */
static PFN_NUMBER TakeAllFree(VOID)
{
    PFN_NUMBER Chain = 0, Standby = MiStandby.Count, Page;
    while (MiStandby.Count >= Standby && (Page = MmAllocatePhysicalPage(FALSE)) != MM_NO_PAGE) {
        *(PFN_NUMBER *)MmDirectMap(Page << PAGE_SHIFT) = Chain;
        Chain = Page;
    }
    return Chain;
}

static VOID FreeChain(PFN_NUMBER Chain)
{
    while (Chain != 0) {
        PFN_NUMBER Page = Chain;
        Chain = *(PFN_NUMBER *)MmDirectMap(Page << PAGE_SHIFT);
        MmFreePhysicalPages(Page, 1);
    }
}

/* How many pages the database gets when it wants Count, all of which are given back. */
static ULONG TakeMetaPages(ULONG Count)
{
    PFN_NUMBER Page[PFN_META];
    ULONG Taken = 0;
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    while (Taken < Count && (Page[Taken] = MiTakeMetaPageLocked()) != MM_NO_PAGE)
        Taken++;
    for (ULONG I = 0; I < Taken; I++)
        MiPutFreeLocked(Page[I]);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    return Taken;
}

/* The page frame database grows out of the standby list when nothing is free. */
KT_TEST(mm_database_takes_standby_pages)
{
    MI_PTE Entry[PFN_KEPT] = {};
    PFN_NUMBER Kept[PFN_KEPT];
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    if (Counters.FreePages > PFN_MOST_TO_TAKE)
        return;
    for (ULONG I = 0; I < PFN_KEPT; I++) {
        Kept[I] = MmAllocatePhysicalPage(FALSE);
        MiKeepFrame(Kept[I], &Entry[I], 100);
        MiReleaseFrame(Kept[I]);
    }
    PFN_NUMBER Chain = TakeAllFree();
    ULONG Taken = TakeMetaPages(PFN_META);
    FreeChain(Chain);
    for (ULONG I = 0; I < PFN_KEPT; I++)
        (void)MiForgetFrame(Kept[I], &Entry[I]);
    KT_EXPECT(Taken == PFN_META);
}

KT_TEST(mm_mdl_locks_are_counted)
{
    PUCHAR Memory = MmAllocateSystemPages(2, MmReadWrite);
    PFN_NUMBER Frame = (PFN_NUMBER)MmGetPhysicalAddress(Memory).QuadPart >> PAGE_SHIFT;
    struct {
        MDL Mdl;
        PFN_NUMBER Frames[2];
    } First, Second;
    MmInitializeMdl(&First.Mdl, Memory, 2 * PAGE_SIZE);
    MmInitializeMdl(&Second.Mdl, Memory + 8, 8);
    MmProbeAndLockPages(&First.Mdl, KernelMode, IoWriteAccess);
    MmProbeAndLockPages(&Second.Mdl, KernelMode, IoReadAccess);
    KT_EXPECT(MiWordLocks(MiPfnOf(Frame)->Word) == 2 && MiWordLocks(MiPfnOf(First.Frames[1])->Word) == 1);
    MmUnlockPages(&First.Mdl);
    KT_EXPECT(MiWordLocks(MiPfnOf(Frame)->Word) == 1 && MiWordLocks(MiPfnOf(First.Frames[1])->Word) == 0);
    MmUnlockPages(&Second.Mdl);
    KT_EXPECT(MiWordLocks(MiPfnOf(Frame)->Word) == 0);
    MmFreeSystemPages(Memory, 2);
}

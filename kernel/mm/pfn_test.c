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

/* A request that no run of free pages satisfies takes the pages of the standby list, oldest first, away from their entries. */
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
    KT_EXPECT(MmAllocatePhysicalPages(1ull << 40, 0, MM_ANY_PAGE, 0) == MM_NO_PAGE);
    KT_EXPECT(MiStandby.Count == 0 && Entry[1] == 101 && Entry[2] == 102);
    KT_EXPECT(StateOf(Page[1]) == MiFrameFree && StateOf(Page[2]) == MiFrameFree);
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

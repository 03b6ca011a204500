/* SPDX-License-Identifier: MIT
 * The zero-page thread: it fills its reserve when the processor is idle, and no more. */
#include "kt.h"
#include "pfn.h"

static MM_COUNTERS Now(VOID)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    return Counters;
}

static PFN_NUMBER Reserve(VOID)
{
    return min(Now().TotalPages / 16, 1024);
}

/* Taking zeroed pages below half of the reserve wakes the thread; the pages come back as they are, not zeroed. */
static VOID Drain(VOID)
{
    static PFN_NUMBER Pages[520];
    ULONG Count = 0;
    while (Count < 520 && Now().ZeroedPages >= Reserve() / 2)
        Pages[Count++] = MmAllocatePhysicalPage(TRUE);
    while (Count > 0)
        MmFreePhysicalPages(Pages[--Count], 1);
}

/* Lets all other threads run until the reserve is full. A thread that rests wakes below half of it only; while it works on another
 * processor, Drain takes what it makes and may end above that. So the thread rests before each Drain, and once more if it rested again
 * meanwhile. */
static BOOLEAN AwaitReserve(VOID)
{
    LARGE_INTEGER Tick = {.QuadPart = -10000};
    BOOLEAN Drained = FALSE;
    for (ULONG I = 0; I < 5000; I++) {
        BOOLEAN Resting = MiZeroResting;
        if (Resting && Drained && Now().ZeroedPages == Reserve())
            return TRUE;
        if (Resting)
            Drain();
        Drained |= Resting;
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    }
    return FALSE;
}

KT_TEST(mm_zero_reserve_is_filled_and_used)
{
    enum { Count = 200 };
    static PFN_NUMBER Pages[Count];
    KT_EXPECT(AwaitReserve());
    for (ULONG I = 0; I < Count && I < Reserve(); I++) {
        PFN_NUMBER Before = Now().ZeroedPages;
        Pages[I] = MmAllocatePhysicalPage(TRUE);
        KT_EXPECT(Pages[I] != MM_NO_PAGE && Before <= Reserve());
        const ULONG64 *Words = MmDirectMap(Pages[I] << PAGE_SHIFT);
        ULONG64 Sum = 0;
        for (ULONG W = 0; W < PAGE_SIZE / 8; W++)
            Sum |= Words[W];
        KT_EXPECT(Sum == 0);
    }
    for (ULONG I = 0; I < Count && I < Reserve(); I++) {
        *(ULONG64 *)MmDirectMap(Pages[I] << PAGE_SHIFT) = 1;
        MmFreePhysicalPages(Pages[I], 1);
    }
}

/* More zeroed pages than the reserve has, of pages that were written to just before. */
KT_TEST(mm_pages_are_zeroed_without_reserve)
{
    enum { Most = 1300 };
    static PFN_NUMBER Pages[Most];
    ULONG Count = (ULONG)min(Most, Now().FreePages / 2), Wrong = 0;
    for (ULONG Zero = 0; Zero < 2; Zero++) {
        for (ULONG I = 0; I < Count; I++) {
            Pages[I] = MmAllocatePhysicalPage(Zero != 0);
            KT_EXPECT(Pages[I] != MM_NO_PAGE);
            ULONG64 *Words = MmDirectMap(Pages[I] << PAGE_SHIFT);
            Wrong += Zero != 0 && (Words[0] | Words[100] | Words[PAGE_SIZE / 8 - 1]) != 0;
            Words[0] = Words[100] = Words[PAGE_SIZE / 8 - 1] = MAXULONG64;
        }
        for (ULONG I = 0; I < Count; I++)
            MmFreePhysicalPages(Pages[I], 1);
    }
    KT_EXPECT(Count > Reserve() && Wrong == 0);
}

/* Who does not ask for zeroes does not get those that wait for others. */
KT_TEST(mm_zeroed_pages_are_kept_for_those_who_ask)
{
    KT_EXPECT(AwaitReserve());
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    KT_EXPECT(Now().ZeroedPages == Reserve());
    MmFreePhysicalPages(Page, 1);
    Page = MmAllocatePhysicalPage(TRUE);
    KT_EXPECT(Now().ZeroedPages == Reserve() - 1);
    MmFreePhysicalPages(Page, 1);
}

static MI_FRAME_STATE StateOf(PFN_NUMBER Frame)
{
    return MiIsManaged(Frame) ? MiWordState(MiPfnOf(Frame)->Word) : MiFrameFree;
}

/* A page of the reserve, or MM_NO_PAGE. */
static PFN_NUMBER FindZeroed(VOID)
{
    PFN_NUMBER Frame = 0;
    while (Frame < MiStoreFrames && StateOf(Frame) != MiFrameZeroed)
        Frame++;
    return Frame < MiStoreFrames ? Frame : MM_NO_PAGE;
}

/* A run takes zeroed pages as any others, and they are none of the reserve then, nor when they come back. */
KT_TEST(mm_run_takes_zeroed_pages_too)
{
    KT_EXPECT(AwaitReserve());
    PFN_NUMBER Frame = FindZeroed(), Zeroed = Now().ZeroedPages;
    KT_EXPECT(Frame != MM_NO_PAGE);
    KT_EXPECT(MmAllocatePhysicalPages(1, Frame, Frame, 0) == Frame);
    KT_EXPECT(StateOf(Frame) == MiFrameActive && Now().ZeroedPages == Zeroed - 1);
    *(ULONG64 *)MmDirectMap(Frame << PAGE_SHIFT) = 1;
    MmFreePhysicalPages(Frame, 1);
    KT_EXPECT(StateOf(Frame) == MiFrameFree && Now().ZeroedPages == Zeroed - 1);
}

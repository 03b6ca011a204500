/* SPDX-License-Identifier: MIT
 * Timers and DPCs: order, periods, cancelling, and that CR8 alone holds a DPC back. */
#include "ki.h"
#include "kt.h"

typedef struct _TIMER_COUNT {
    KDPC Dpc;
    KEVENT Done;
    ULONG Runs, Wanted;
    KIRQL Irql;
} TIMER_COUNT;

static VOID NTAPI TimerCountRoutine(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    TIMER_COUNT *Count = Context;

    Count->Irql = ArchGetIrql();
    if (++Count->Runs == Count->Wanted)
        KeSetEvent(&Count->Done, 0, FALSE);
}

static VOID TimerCountInit(TIMER_COUNT *Count, ULONG Wanted)
{
    Count->Runs = 0;
    Count->Wanted = Wanted;
    KeInitializeEvent(&Count->Done, NotificationEvent, FALSE);
    KeInitializeDpc(&Count->Dpc, TimerCountRoutine, Count);
}

KT_TEST(dpc_waits_for_cr8)
{
    TIMER_COUNT Count;

    TimerCountInit(&Count, 1);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KT_EXPECT(KeInsertQueueDpc(&Count.Dpc, NULL, NULL));
    BOOLEAN Twice = KeInsertQueueDpc(&Count.Dpc, NULL, NULL);
    ULONG Early = Count.Runs;
    ArchSetIrql(OldIrql); /* as a driver does it inline */
    KT_EXPECT(!Twice && Early == 0);
    KT_EXPECT(Count.Runs == 1 && Count.Irql == DISPATCH_LEVEL);
}

KT_TEST(dpc_removed_does_not_run)
{
    TIMER_COUNT Count;

    TimerCountInit(&Count, 1);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KeInsertQueueDpc(&Count.Dpc, NULL, NULL);
    BOOLEAN Removed = KeRemoveQueueDpc(&Count.Dpc);
    BOOLEAN Again = KeRemoveQueueDpc(&Count.Dpc);
    ArchSetIrql(OldIrql);
    KT_EXPECT(Removed && !Again && Count.Runs == 0);
}

KT_TEST(timer_periodic_runs_its_dpc)
{
    TIMER_COUNT Count;
    KTIMER Timer;
    LARGE_INTEGER Due = {.QuadPart = -20000};

    TimerCountInit(&Count, 4);
    KeInitializeTimerEx(&Timer, SynchronizationTimer);
    KT_EXPECT(!KeSetTimerEx(&Timer, Due, 2, &Count.Dpc));
    KeWaitForSingleObject(&Count.Done, Executive, KernelMode, FALSE, NULL);
    KT_EXPECT(KeCancelTimer(&Timer));
    KeFlushQueuedDpcs();
    ULONG Runs = Count.Runs;
    KT_EXPECT(Runs >= 4 && !KeCancelTimer(&Timer));
    KeDelayExecutionThread(KernelMode, FALSE, &(LARGE_INTEGER){.QuadPart = -80000});
    KT_EXPECT(Count.Runs == Runs);
}

KT_TEST(timer_in_the_past_is_signalled_at_once)
{
    KTIMER Timer;
    LARGE_INTEGER Past = {.QuadPart = 1}, Zero = {.QuadPart = 0};

    KeInitializeTimer(&Timer);
    KT_EXPECT(!KeSetTimer(&Timer, Past, NULL));
    KT_EXPECT(KeReadStateTimer(&Timer));
    KT_EXPECT(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, &Zero) == STATUS_SUCCESS);
}

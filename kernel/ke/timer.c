/* SPDX-License-Identifier: MIT
 * Timers: one queue in order of due time (interrupt time). The clock interrupt only looks at the first entry and queues
 * a DPC, which expires what is due. [WDK KeInitializeTimerEx, KeSetTimerEx, KeCancelTimer, KeReadStateTimer] */
#include "ki.h"

static LIST_ENTRY KiTimerQueue = {&KiTimerQueue, &KiTimerQueue}; /* (d) */
static volatile ULONG64 KiFirstDueTime = ~0ull;                  /* (d); read by the clock interrupt */
static KDPC KiTimerDpc;

static VOID KiNoteFirstTimer(VOID)
{
    PLIST_ENTRY First = KiTimerQueue.Flink;

    KiFirstDueTime =
        (First == &KiTimerQueue) ? ~0ull : CONTAINING_RECORD(First, KTIMER, TimerListEntry)->DueTime.QuadPart;
}

static VOID KiQueueTimer(PKTIMER Timer, ULONG64 Due)
{
    PLIST_ENTRY Entry = KiTimerQueue.Blink;

    Timer->DueTime.QuadPart = Due;
    while (Entry != &KiTimerQueue && CONTAINING_RECORD(Entry, KTIMER, TimerListEntry)->DueTime.QuadPart > Due)
        Entry = Entry->Blink;
    InsertHeadList(Entry, &Timer->TimerListEntry);
    Timer->Header.Inserted = TRUE;
    KiNoteFirstTimer();
}

/* Signals and queues the DPC; a periodic timer goes back into the queue. */
static VOID KiSignalTimer(PKTIMER Timer, ULONG64 Now)
{
    Timer->Header.SignalState = 1;
    KiWakeWaitersLocked(&Timer->Header);
    if (Timer->Period != 0) {
        ULONG64 Period = (ULONG64)Timer->Period * 10000;
        ULONG64 Next = Timer->DueTime.QuadPart + Period;
        KiQueueTimer(Timer, Next > Now ? Next : Now + Period);
    }
    if (Timer->Dpc != NULL)
        KeInsertQueueDpc(Timer->Dpc, (PVOID)(ULONG_PTR)(ULONG)Now, (PVOID)(ULONG_PTR)(ULONG)(Now >> 32));
}

BOOLEAN KiInsertTimerLocked(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period)
{
    ULONG64 Now = HalQueryInterruptTime();
    LONG64 Relative = -DueTime.QuadPart;

    if (DueTime.QuadPart >= 0) /* absolute system time */
        Relative = (LONG64)((ULONG64)DueTime.QuadPart - (Now + KiSystemTimeOffset()));
    Timer->Period = Period;
    if (Relative > 0) {
        KiQueueTimer(Timer, Now + (ULONG64)Relative);
        return TRUE;
    }
    Timer->DueTime.QuadPart = Now;
    return FALSE;
}

BOOLEAN KiRemoveTimerLocked(PKTIMER Timer)
{
    BOOLEAN Inserted = Timer->Header.Inserted;

    if (Inserted) {
        RemoveEntryList(&Timer->TimerListEntry);
        Timer->Header.Inserted = FALSE;
        KiNoteFirstTimer();
    }
    return Inserted;
}

static VOID NTAPI KiExpireTimers(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KIRQL OldIrql = KiLockDispatcher();
    ULONG64 Now = HalQueryInterruptTime();

    while (KiFirstDueTime <= Now) {
        PKTIMER Timer = CONTAINING_RECORD(KiTimerQueue.Flink, KTIMER, TimerListEntry);
        KiRemoveTimerLocked(Timer);
        KiSignalTimer(Timer, Now);
    }
    KiUnlockDispatcher(OldIrql);
}

VOID KiCheckTimers(VOID)
{
    if (KiFirstDueTime <= HalQueryInterruptTime())
        KeInsertQueueDpc(&KiTimerDpc, NULL, NULL);
}

VOID KiInitializeTimers(VOID)
{
    KeInitializeDpc(&KiTimerDpc, KiExpireTimers, NULL);
}

VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    Timer->Header.Lock = 0;
    Timer->Header.Type =
        (Type == SynchronizationTimer) ? TimerSynchronizationObject : TimerNotificationObject;
    Timer->Header.SignalState = 0;
    InitializeListHead(&Timer->Header.WaitListHead);
    Timer->DueTime.QuadPart = 0;
    Timer->Dpc = NULL;
    Timer->Period = 0;
}

VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

/* [WDK KeSetTimerEx] IRQL <= DISPATCH_LEVEL. TRUE when the timer was in the queue (it is set anew). A due time that is
 * over signals at once. */
BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = KiLockDispatcher();
    BOOLEAN WasInserted = KiRemoveTimerLocked(Timer);

    Timer->Header.SignalState = 0;
    Timer->Dpc = Dpc;
    if (!KiInsertTimerLocked(Timer, DueTime, (ULONG)Period))
        KiSignalTimer(Timer, HalQueryInterruptTime());
    KiUnlockDispatcher(OldIrql);
    return WasInserted;
}

BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* [WDK KeCancelTimer] TRUE when it was in the queue. A DPC that is queued already still runs. */
BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = KiLockDispatcher();
    BOOLEAN WasInserted = KiRemoveTimerLocked(Timer);

    Timer->Period = 0;
    KiUnlockDispatcher(OldIrql);
    return WasInserted;
}

BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer)
{
    return Timer->Header.SignalState != 0;
}

/* Timers in the queue that lie in [Base, Base + Size) or whose DPC routine does: left behind by an unloaded driver. They
 * are taken out of the queue, because they would fire into nothing. Returns how many. */
ULONG KeReportDriverTimers(PCSTR Driver, const void *Base, SIZE_T Size)
{
    KIRQL OldIrql = KiLockDispatcher();
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = KiTimerQueue.Flink, Next; Entry != &KiTimerQueue; Entry = Next) {
        PKTIMER Timer = CONTAINING_RECORD(Entry, KTIMER, TimerListEntry);
        PVOID Routine = Timer->Dpc != NULL ? (PVOID)Timer->Dpc->DeferredRoutine : NULL;
        Next = Entry->Flink;
        if ((ULONG_PTR)Timer - (ULONG_PTR)Base >= Size && (ULONG_PTR)Routine - (ULONG_PTR)Base >= Size)
            continue;
        KiRemoveTimerLocked(Timer);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "timer"),
                 KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Timer));
        Count++;
    }
    KiUnlockDispatcher(OldIrql);
    return Count;
}

/* SPDX-License-Identifier: MIT
 * Timers: one queue in order of due time (interrupt time). The clock interrupt only looks at the first entry and queues
 * a DPC, which expires what is due. [WDK KeInitializeTimerEx, KeSetTimerEx, KeCancelTimer, KeReadStateTimer] */
#include "ki.h"

static ARCH_LOCK KiTimerLock = ARCH_LOCK_INIT("Timer", LockRankKeTimer, DISPATCH_LEVEL);
static LIST_ENTRY KiTimerQueue = {&KiTimerQueue, &KiTimerQueue}; /* (KiTimerLock) */
static volatile ULONG64 KiFirstDueTime = ~0ull; /* (KiTimerLock); read by the clock interrupt */
static KDPC KiTimerDpc;

static VOID KiNoteFirstTimer(VOID)
{
    PLIST_ENTRY First = KiTimerQueue.Flink;

    KiFirstDueTime =
        (First == &KiTimerQueue) ? ~0ull : CONTAINING_RECORD(First, KTIMER, TimerListEntry)->DueTime.QuadPart;
}

static VOID KiQueueTimerLocked(PKTIMER Timer, ULONG64 Due)
{
    PLIST_ENTRY Entry = KiTimerQueue.Blink;

    Timer->DueTime.QuadPart = Due;
    while (Entry != &KiTimerQueue && CONTAINING_RECORD(Entry, KTIMER, TimerListEntry)->DueTime.QuadPart > Due)
        Entry = Entry->Blink;
    InsertHeadList(Entry, &Timer->TimerListEntry);
    Timer->Header.Inserted = TRUE;
    KiNoteFirstTimer();
}

static BOOLEAN KiUnqueueTimerLocked(PKTIMER Timer)
{
    BOOLEAN Inserted = Timer->Header.Inserted;

    if (Inserted) {
        RemoveEntryList(&Timer->TimerListEntry);
        Timer->Header.Inserted = FALSE;
        KiNoteFirstTimer();
    }
    return Inserted;
}

/* Object locked. */
static VOID KiQueueTimer(PKTIMER Timer, ULONG64 Due)
{
    ArchAcquireLockAtIrql(&KiTimerLock);
    KiQueueTimerLocked(Timer, Due);
    ArchReleaseLockFromIrql(&KiTimerLock);
}

static BOOLEAN KiUnqueueTimer(PKTIMER Timer)
{
    ArchAcquireLockAtIrql(&KiTimerLock);
    BOOLEAN Inserted = KiUnqueueTimerLocked(Timer);
    ArchReleaseLockFromIrql(&KiTimerLock);
    return Inserted;
}

VOID KiInsertWaitTimer(PKTHREAD Thread, ULONG64 DueTime)
{
    KiQueueTimer(&Thread->Timer, DueTime);
}

VOID KiCancelWaitTimer(PKTHREAD Thread)
{
    (void)KiUnqueueTimer(&Thread->Timer);
}

/* Object locked. Signals and queues the DPC; a periodic timer goes back into the queue. */
static VOID KiSignalTimer(PKTIMER Timer, ULONG64 Now)
{
    Timer->Header.SignalState = 1;
    KiSignalWaitersLocked(&Timer->Header, 0);
    if (Timer->Period != 0) {
        ULONG64 Period = (ULONG64)Timer->Period * 10000;
        ULONG64 Next = Timer->DueTime.QuadPart + Period;
        KiQueueTimer(Timer, Next > Now ? Next : Now + Period);
    }
    if (Timer->Dpc != NULL)
        KeInsertQueueDpc(Timer->Dpc, (PVOID)(ULONG_PTR)(ULONG)Now, (PVOID)(ULONG_PTR)(ULONG)(Now >> 32));
}

/* Object locked. FALSE: already due. */
static BOOLEAN KiStartTimer(PKTIMER Timer, LARGE_INTEGER DueTime)
{
    ULONG64 Now = HalQueryInterruptTime();
    LONG64 Relative = -DueTime.QuadPart;

    if (DueTime.QuadPart >= 0) /* absolute system time */
        Relative = (LONG64)((ULONG64)DueTime.QuadPart - (Now + KiSystemTimeOffset()));
    if (Relative > 0) {
        KiQueueTimer(Timer, Now + (ULONG64)Relative);
        return TRUE;
    }
    Timer->DueTime.QuadPart = Now;
    return FALSE;
}

/* The lock of the queue is held, that of the object is taken against the order: only tried. While the timer is in the queue nobody frees
 * it. FALSE: nothing is due any more. */
static BOOLEAN KiExpireFirst(ULONG64 Now)
{
    ArchAcquireLockAtIrql(&KiTimerLock);
    if (KiFirstDueTime > Now) {
        ArchReleaseLockFromIrql(&KiTimerLock);
        return FALSE;
    }
    PKTIMER Timer = CONTAINING_RECORD(KiTimerQueue.Flink, KTIMER, TimerListEntry);
    BOOLEAN IsWait = KiObjectType(&Timer->Header) == KI_WAIT_TIMER;
    BOOLEAN Taken = IsWait || KiTryLockObjectAtDispatch(&Timer->Header);
    if (Taken)
        (void)KiUnqueueTimerLocked(Timer);
    if (IsWait)
        (void)KiClaimWait(CONTAINING_RECORD(Timer, KTHREAD, Timer), STATUS_TIMEOUT, 0);
    ArchReleaseLockFromIrql(&KiTimerLock);
    if (Taken && !IsWait) {
        KiSignalTimer(Timer, Now);
        KiUnlockObject(&Timer->Header);
    }
    return TRUE;
}

static VOID NTAPI KiExpireTimers(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    ULONG64 Now = HalQueryInterruptTime();

    while (KiExpireFirst(Now)) {
    }
    KiExitDispatcher(DISPATCH_LEVEL);
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
    KIRQL OldIrql = KiLockObject(&Timer->Header);
    BOOLEAN WasInserted = KiUnqueueTimer(Timer);

    Timer->Header.SignalState = 0;
    Timer->Dpc = Dpc;
    Timer->Period = (ULONG)Period;
    if (!KiStartTimer(Timer, DueTime))
        KiSignalTimer(Timer, HalQueryInterruptTime());
    KiUnlockObject(&Timer->Header);
    KiExitDispatcher(OldIrql);
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
    KIRQL OldIrql = KiLockObject(&Timer->Header);
    BOOLEAN WasInserted = KiUnqueueTimer(Timer);

    Timer->Period = 0;
    KiUnlockObject(&Timer->Header);
    ArchSetIrql(OldIrql);
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
    KIRQL OldIrql = ArchAcquireLock(&KiTimerLock);
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = KiTimerQueue.Flink, Next; Entry != &KiTimerQueue; Entry = Next) {
        PKTIMER Timer = CONTAINING_RECORD(Entry, KTIMER, TimerListEntry);
        PVOID Routine = Timer->Dpc != NULL ? (PVOID)Timer->Dpc->DeferredRoutine : NULL;
        Next = Entry->Flink;
        if ((ULONG_PTR)Timer - (ULONG_PTR)Base >= Size && (ULONG_PTR)Routine - (ULONG_PTR)Base >= Size)
            continue;
        (void)KiUnqueueTimerLocked(Timer);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "timer"),
                 KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Timer));
        Count++;
    }
    ArchReleaseLock(&KiTimerLock, OldIrql);
    return Count;
}

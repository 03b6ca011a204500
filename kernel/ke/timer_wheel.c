/* SPDX-License-Identifier: MIT
 * The timer wheel of a processor: timers and time-outs of waits by the clock tick at which they are due. A timer goes into the
 * wheel of the processor that sets it, so its own clock interrupt is the only one that looks for it; any processor may take it
 * out. Order: object, then wheel. Expiry comes the other way and therefore only tries to lock the object; as long as it has not
 * got it, the timer stays in a list of the wheel and can be cancelled. test/model has this protocol. */
#include "ki.h"
#include "ke_checks.h"

#define KI_TICK HAL_CLOCK_PERIOD

static KI_TIMER_WHEEL *KiCurrentWheel(VOID)
{
    return &KiProcessorOf(KeGetPrcb())->Deferred.Wheel;
}

VOID KiInitializeWheel(KI_TIMER_WHEEL *Wheel)
{
    Wheel->Lock = (ARCH_LOCK)ARCH_LOCK_INIT("TimerWheel", LockRankKeTimer, DISPATCH_LEVEL);
    for (ULONG i = 0; i < KI_WHEEL_BUCKETS; i++)
        InitializeListHead(&Wheel->Buckets[i]);
}

static PLIST_ENTRY KiBucketOf(KI_TIMER_WHEEL *Wheel, ULONG64 Tick)
{
    return &Wheel->Buckets[Tick % KI_WHEEL_BUCKETS];
}

static VOID KiRequestExpiry(KI_TIMER_WHEEL *Wheel)
{
    Wheel->Requested = TRUE;
    HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
}

static BOOLEAN KiIsWaitTimeout(const KTIMER *Timer)
{
    return KiObjectType(&Timer->Header) == KI_WAIT_TIMER;
}

/* --- checked kernel: the list is not followed into a timer that is none any more. Wheel locked. --- */

#if NTBOX_CHECKED
static BOOLEAN KiIsWhole(const KTIMER *Timer, const KI_NOTE *Note)
{
    UCHAR Type = KiObjectType(&Timer->Header);

    return (Type == TimerNotificationObject || Type == TimerSynchronizationObject) &&
           Timer->Header.Inserted && Timer->Dpc == Note->Other;
}

static VOID KiCheckTimer(KI_TIMER_WHEEL *Wheel, const KTIMER *Timer)
{
    const KI_NOTE *Note = KiFindNote(&Wheel->Notes, KiNotedTimer, Timer);
    const LIST_ENTRY *Neighbour;

    if (KeChecksOff)
        return;
    if (Note != NULL && !KiIsWhole(Timer, Note))
        KiDamagedObject(Note);
    if (KiIsLinked(&Timer->TimerListEntry, &Neighbour))
        return;
    if (Neighbour != NULL) {
        const KI_NOTE *Other =
            KiFindNote(&Wheel->Notes, KiNotedTimer, CONTAINING_RECORD(Neighbour, KTIMER, TimerListEntry));
        Note = Other != NULL ? Other : Note;
    }
    if (Note != NULL)
        KiDamagedObject(Note);
}

static VOID KiNoteTimer(KI_TIMER_WHEEL *Wheel, const KTIMER *Timer, const void *Caller)
{
    if (KiIsWaitTimeout(Timer))
        return;
    KiNote(&Wheel->Notes, KiNotedTimer, Timer, Timer->Dpc, Caller);
    if (Timer->Dpc != NULL)
        KiNote(&Wheel->Notes, KiNotedTimerDpc, Timer->Dpc, Timer, Caller);
}

static VOID KiForgetTimer(KI_TIMER_WHEEL *Wheel, const KTIMER *Timer)
{
    if (KiIsWaitTimeout(Timer))
        return;
    if (Timer->Dpc != NULL)
        KiForget(&Wheel->Notes, KiNotedTimerDpc, Timer->Dpc);
    KiForget(&Wheel->Notes, KiNotedTimer, Timer);
}

/* The last of a bucket: its link is written by who puts another one in. */
static VOID KiCheckLast(KI_TIMER_WHEEL *Wheel, PLIST_ENTRY Bucket)
{
    if (!IsListEmpty(Bucket))
        KiCheckTimer(Wheel, CONTAINING_RECORD(Bucket->Blink, KTIMER, TimerListEntry));
}

static const void *KiSetterOf(KI_TIMER_WHEEL *Wheel, const KTIMER *Timer)
{
    const KI_NOTE *Note = KiFindNote(&Wheel->Notes, KiNotedTimer, Timer);

    return Note != NULL ? Note->Caller : NULL;
}
#else
#define KiCheckTimer(Wheel, Timer) ((void)0)
#define KiNoteTimer(Wheel, Timer, Caller) ((void)0)
#define KiForgetTimer(Wheel, Timer) ((void)0)
#define KiCheckLast(Wheel, Bucket) ((void)0)
#define KiSetterOf(Wheel, Timer) NULL
#endif

/* A tick that expiry has passed already is replaced by the next one. The clock interrupt may have looked at the bucket a
 * moment too early: then expiry is asked for here. */
VOID KiInsertInWheel(PKTIMER Timer, ULONG64 DueTime, const void *Caller)
{
    KI_TIMER_WHEEL *Wheel = KiCurrentWheel();
    ULONG64 Tick = (DueTime + KI_TICK - 1) / KI_TICK;

    Timer->DueTime.QuadPart = DueTime;
    Timer->Processor = KeGetPrcb()->Number;
    ArchAcquireLockAtIrql(&Wheel->Lock);
    if (Tick <= Wheel->Hand)
        Tick = Wheel->Hand + 1;
    KiCheckLast(Wheel, KiBucketOf(Wheel, Tick));
    InsertTailList(KiBucketOf(Wheel, Tick), &Timer->TimerListEntry);
    Timer->Header.Inserted = TRUE;
    KiNoteTimer(Wheel, Timer, Caller);
    ArchReleaseLockFromIrql(&Wheel->Lock);
    if (Tick <= Wheel->SeenTick)
        KiRequestExpiry(Wheel);
}

static VOID KiUnlinkLocked(KI_TIMER_WHEEL *Wheel, PKTIMER Timer)
{
    KiCheckTimer(Wheel, Timer);
    KiForgetTimer(Wheel, Timer);
    RemoveEntryList(&Timer->TimerListEntry);
    Timer->Header.Inserted = FALSE;
}

BOOLEAN KiRemoveFromWheel(PKTIMER Timer)
{
    if (!Timer->Header.Inserted)
        return FALSE; /* only who holds the object puts it in */
    KI_TIMER_WHEEL *Wheel = &KiProcessorOf(KiProcessorBlock[Timer->Processor])->Deferred.Wheel;
    ArchAcquireLockAtIrql(&Wheel->Lock);
    BOOLEAN Inserted = Timer->Header.Inserted;
    if (Inserted)
        KiUnlinkLocked(Wheel, Timer);
    ArchReleaseLockFromIrql(&Wheel->Lock);
    return Inserted;
}

/* --- time-outs of waits: no dispatcher object, the wheel's lock is all that guards them --- */

VOID KiInsertWaitTimer(PKTHREAD Thread, ULONG64 DueTime)
{
    KiInsertInWheel(&Thread->Timer, DueTime, NULL);
}

/* Takes the lock also when it has expired: who expired it has then let go of the thread. */
VOID KiCancelWaitTimer(PKTHREAD Thread)
{
    KI_TIMER_WHEEL *Wheel = &KiProcessorOf(KiProcessorBlock[Thread->Timer.Processor])->Deferred.Wheel;

    ArchAcquireLockAtIrql(&Wheel->Lock);
    if (Thread->Timer.Header.Inserted)
        KiUnlinkLocked(Wheel, &Thread->Timer);
    ArchReleaseLockFromIrql(&Wheel->Lock);
}

/* --- expiry --- */

/* In the order of due times; what is due at one tick was mostly set in that order. */
static VOID KiInsertInOrder(PLIST_ENTRY List, PKTIMER Timer)
{
    PLIST_ENTRY Entry = List->Blink;

    while (Entry != List &&
           CONTAINING_RECORD(Entry, KTIMER, TimerListEntry)->DueTime.QuadPart > Timer->DueTime.QuadPart)
        Entry = Entry->Blink;
    InsertHeadList(Entry, &Timer->TimerListEntry);
}

static VOID KiCollectFromBucket(KI_TIMER_WHEEL *Wheel, PLIST_ENTRY Bucket, ULONG64 Now, PLIST_ENTRY Due)
{
    for (PLIST_ENTRY Entry = Bucket->Flink, Next; Entry != Bucket; Entry = Next) {
        PKTIMER Timer = CONTAINING_RECORD(Entry, KTIMER, TimerListEntry);
        KiCheckTimer(Wheel, Timer);
        Next = Entry->Flink;
        if (Timer->DueTime.QuadPart > Now)
            continue;
        RemoveEntryList(Entry);
        KiInsertInOrder(Due, Timer);
    }
}

/* Wheel locked. Moves what is due to Due; it still counts as in the wheel. */
static VOID KiCollectDue(KI_TIMER_WHEEL *Wheel, ULONG64 Now, PLIST_ENTRY Due)
{
    ULONG64 Last = Now / KI_TICK, Tick = Wheel->Hand;

    if (Last - Tick > KI_WHEEL_BUCKETS)
        Tick = Last - KI_WHEEL_BUCKETS;
    Wheel->Hand = Last;
    while (Tick++ < Last)
        KiCollectFromBucket(Wheel, KiBucketOf(Wheel, Tick), Now, Due);
}

/* Wheel locked before and after, but not while the timer is signalled: that may put it in again. Somebody who holds the
 * object and wants the wheel gets it here. */
static VOID KiExpireLocked(KI_TIMER_WHEEL *Wheel, PKTIMER Timer, ULONG64 Now)
{
    KiTrace(KiTraceTimer, Timer, 0);
    if (KiIsWaitTimeout(Timer)) {
        KiUnlinkLocked(Wheel, Timer);
        (void)KiClaimWait(CONTAINING_RECORD(Timer, KTHREAD, Timer), STATUS_TIMEOUT, 0);
        return;
    }
    KiCheckTimer(Wheel, Timer);
    const void *Caller = KiSetterOf(Wheel, Timer);
    BOOLEAN Locked = KiTryLockObjectAtDispatch(&Timer->Header);
    if (Locked)
        KiUnlinkLocked(Wheel, Timer);
    ArchReleaseLockFromIrql(&Wheel->Lock);
    if (Locked) {
        KiSignalTimerLocked(Timer, Now, Caller);
        KiUnlockObject(&Timer->Header);
    } else {
        __builtin_ia32_pause();
    }
    ArchAcquireLockAtIrql(&Wheel->Lock);
}

VOID KiExpireTimers(VOID)
{
    KI_TIMER_WHEEL *Wheel = KiCurrentWheel();
    LIST_ENTRY Due;

    InitializeListHead(&Due);
    Wheel->Requested = FALSE;
    ULONG64 Now = HalQueryInterruptTime();
    ArchAcquireLockAtIrql(&Wheel->Lock);
    KiCollectDue(Wheel, Now, &Due);
    while (!IsListEmpty(&Due))
        KiExpireLocked(Wheel, CONTAINING_RECORD(Due.Flink, KTIMER, TimerListEntry), Now);
    ArchReleaseLockFromIrql(&Wheel->Lock);
    KiExitDispatcher(DISPATCH_LEVEL);
}

/* Clock interrupt. Without the lock: it has only to see what was put in before SeenTick was raised. */
VOID KiCheckTimers(VOID)
{
    KI_TIMER_WHEEL *Wheel = KiCurrentWheel();
    ULONG64 Last = HalQueryInterruptTime() / KI_TICK, Tick = Wheel->SeenTick;

    if (Last - Tick > KI_WHEEL_BUCKETS)
        Tick = Last - KI_WHEEL_BUCKETS;
    Wheel->SeenTick = Last;
    while (Tick++ < Last) {
        PLIST_ENTRY Bucket = KiBucketOf(Wheel, Tick);
        if (__atomic_load_n(&Bucket->Flink, __ATOMIC_RELAXED) != Bucket) {
            KiRequestExpiry(Wheel);
            return;
        }
    }
}

/* --- what an unloaded driver left --- */

static PKTIMER KiFindInBuckets(KI_TIMER_WHEEL *Wheel, KI_TIMER_FILTER *Wanted, const VOID *Context)
{
    for (ULONG i = 0; i < KI_WHEEL_BUCKETS; i++)
        for (PLIST_ENTRY Entry = Wheel->Buckets[i].Flink; Entry != &Wheel->Buckets[i]; Entry = Entry->Flink) {
            PKTIMER Timer = CONTAINING_RECORD(Entry, KTIMER, TimerListEntry);
            KiCheckTimer(Wheel, Timer);
            if (!KiIsWaitTimeout(Timer) && Wanted(Timer, Context))
                return Timer;
        }
    return NULL;
}

PKTIMER KiTakeFromWheel(ULONG Processor, KI_TIMER_FILTER *Wanted, const VOID *Context)
{
    KI_TIMER_WHEEL *Wheel = &KiProcessorOf(KiProcessorBlock[Processor])->Deferred.Wheel;
    PKTIMER Timer;
    BOOLEAN Taken = FALSE;

    do {
        ArchAcquireLockAtIrql(&Wheel->Lock);
        Timer = KiFindInBuckets(Wheel, Wanted, Context);
        if (Timer != NULL && KiTryLockObjectAtDispatch(&Timer->Header)) {
            KiUnlinkLocked(Wheel, Timer);
            KiUnlockObject(&Timer->Header);
            Taken = TRUE;
        }
        ArchReleaseLockFromIrql(&Wheel->Lock);
    } while (Timer != NULL && !Taken);
    return Timer;
}

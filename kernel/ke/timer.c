/* SPDX-License-Identifier: MIT
 * Timer objects. Signal state, due time, period and DPC: the object's lock; when it is in a wheel: also the wheel's.
 * [WDK KeInitializeTimerEx, KeSetTimerEx, KeCancelTimer, KeReadStateTimer] */
#include "ki.h"

#define KI_MILLISECOND 10000u

/* 100 ns; 0: not periodic. KeepShifting is ours: the period of a KE_FINE_TIMER is in 100 ns. */
static ULONG64 KiPeriodOf(const KTIMER *Timer)
{
    return Timer->Header.KeepShifting ? Timer->Period : (ULONG64)Timer->Period * KI_MILLISECOND;
}

/* Object locked, not in a wheel. A periodic timer goes back into one; periods that are over already are left out. */
VOID KiSignalTimerLocked(PKTIMER Timer, ULONG64 Now, const void *Caller)
{
    ULONG64 Period = KiPeriodOf(Timer);

    Timer->Header.SignalState = 1;
    KiSignalWaitersLocked(&Timer->Header, 0);
    if (Period != 0) {
        ULONG64 Next = Timer->DueTime.QuadPart + Period;
        KiInsertInWheel(Timer, Next > Now ? Next : Now + Period, Caller);
    }
    if (Timer->Dpc != NULL)
        KiInsertDpc(Timer->Dpc, (PVOID)(ULONG_PTR)(ULONG)Now, (PVOID)(ULONG_PTR)(ULONG)(Now >> 32), Caller);
}

VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    KiCheckNewTimer(Timer);
    Timer->Header.Lock = 0;
    Timer->Header.Type =
        (Type == SynchronizationTimer) ? TimerSynchronizationObject : TimerNotificationObject;
    Timer->Header.SignalState = 0;
    InitializeListHead(&Timer->Header.WaitListHead);
    Timer->DueTime.QuadPart =
        0; /* Dpc is KeSetTimerEx's: one that runs keeps it on Windows ([Wine's test_sync]) */
    Timer->Period = 0;
}

VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

/* Interrupt time of a due time that is negative (from now on) or not (system time). A time that is over is <= Now. */
static ULONG64 KiDueTime(LONG64 DueTime, ULONG64 Now)
{
    if (DueTime < 0)
        return Now - (ULONG64)DueTime; /* also for the smallest number, which has no opposite */
    LONG64 Relative = (LONG64)((ULONG64)DueTime - KiSystemTimeOffset() - Now);

    return Relative > 0 ? Now + (ULONG64)Relative : Now;
}

typedef struct _KI_TIMER_SETTING {
    LONG64 DueTime;
    ULONG Period;    /* ms, or 100 ns when Fine */
    ULONG Tolerance; /* ms that it may be late */
    BOOLEAN Fine;
    PKDPC Dpc;
    const void *Caller;
} KI_TIMER_SETTING;

/* To a multiple of the largest power of two (ms) that is tolerated: timers of like tolerance then expire at one tick. */
static ULONG64 KiCoalesce(ULONG64 Due, ULONG Tolerance)
{
    ULONG64 Step = KI_MILLISECOND;

    while (Step * 2 <= (ULONG64)Tolerance * KI_MILLISECOND)
        Step *= 2;
    return (Due + Step - 1) / Step * Step;
}

/* In each of its callers, which give most of the setting as constants. */
__attribute__((always_inline)) static inline BOOLEAN KiSetTimer(PKTIMER Timer,
                                                                const KI_TIMER_SETTING *Setting)
{
    KiRequireTimer(Timer, Setting->Caller);
    if (Setting->Dpc != NULL)
        KiRequireDpc(Setting->Dpc, Setting->Caller);
    KIRQL OldIrql = KiLockObject(&Timer->Header);
    BOOLEAN WasInserted = KiRemoveFromWheel(Timer);
    ULONG64 Now = HalQueryInterruptTime(), Due = KiDueTime(Setting->DueTime, Now);

    Timer->Header.SignalState = 0;
    Timer->Header.KeepShifting = Setting->Fine;
    Timer->Dpc = Setting->Dpc;
    Timer->Period = Setting->Period;
    if (Due > Now) {
        KiInsertInWheel(Timer, Setting->Tolerance == 0 ? Due : KiCoalesce(Due, Setting->Tolerance),
                        Setting->Caller);
        KiUnlockObject(&Timer->Header);
        ArchSetIrql(OldIrql);
        return WasInserted;
    }
    Timer->DueTime.QuadPart = Now;
    KiSignalTimerLocked(Timer, Now, Setting->Caller);
    KiUnlockObject(&Timer->Header);
    KiExitDispatcher(OldIrql);
    return WasInserted;
}

/* [WDK KeSetTimerEx] IRQL <= DISPATCH_LEVEL. TRUE when the timer was in the queue (it is set anew). A due time that is
 * over signals at once. */
DECLSPEC_NOINLINE BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return KiSetTimer(
        Timer, &(KI_TIMER_SETTING){
                   .DueTime = DueTime.QuadPart, .Period = (ULONG)Period, .Dpc = Dpc, .Caller = KI_CALLER()});
}

DECLSPEC_NOINLINE BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return KiSetTimer(Timer,
                      &(KI_TIMER_SETTING){.DueTime = DueTime.QuadPart, .Dpc = Dpc, .Caller = KI_CALLER()});
}

/* [WDK KeSetCoalescableTimer] First expiry between DueTime and DueTime + TolerableDelay (ms), then every Period (ms). */
DECLSPEC_NOINLINE BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period,
                                                      ULONG TolerableDelay, PKDPC Dpc)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return KiSetTimer(Timer, &(KI_TIMER_SETTING){.DueTime = DueTime.QuadPart,
                                                 .Period = Period,
                                                 .Tolerance = TolerableDelay,
                                                 .Dpc = Dpc,
                                                 .Caller = KI_CALLER()});
}

BOOLEAN KeSetFineTimer(KE_FINE_TIMER *Timer, LONG64 DueTime, ULONG Period)
{
    return KiSetTimer(
        &Timer->Timer,
        &(KI_TIMER_SETTING){
            .DueTime = DueTime, .Period = Period, .Fine = TRUE, .Dpc = &Timer->Dpc, .Caller = Timer->Owner});
}

/* [WDK KeCancelTimer] TRUE when it was in the queue. A DPC that is queued already still runs. */
DECLSPEC_NOINLINE BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KiRequireTimer(Timer, KI_CALLER());
    KIRQL OldIrql = KiLockObject(&Timer->Header);
    BOOLEAN WasInserted = KiRemoveFromWheel(Timer);

    Timer->Period = 0;
    KiUnlockObject(&Timer->Header);
    ArchSetIrql(OldIrql);
    return WasInserted;
}

BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer)
{
    return Timer->Header.SignalState != 0;
}

BOOLEAN KeIsTimerSet(PKTIMER Timer)
{
    KIRQL OldIrql = KiLockObject(&Timer->Header);
    BOOLEAN Set = Timer->Header.Inserted;

    KiUnlockObject(&Timer->Header);
    ArchSetIrql(OldIrql);
    return Set;
}

typedef struct _KI_RANGE {
    ULONG_PTR Base;
    SIZE_T Size;
} KI_RANGE;

static BOOLEAN KiLiesIn(const KI_RANGE *Range, const VOID *Address)
{
    return (ULONG_PTR)Address - Range->Base < Range->Size;
}

/* The timer itself, its DPC's routine or, of a fine timer, what it is set for. */
static BOOLEAN KiBelongsToRange(const KTIMER *Timer, const VOID *Context)
{
    const KI_RANGE *Range = Context;

    if (KiLiesIn(Range, Timer) ||
        (Timer->Dpc != NULL &&
         (KiLiesIn(Range, Timer->Dpc) || KiLiesIn(Range, (PVOID)Timer->Dpc->DeferredRoutine))))
        return TRUE;
    return Timer->Header.KeepShifting &&
           KiLiesIn(Range, CONTAINING_RECORD(Timer, KE_FINE_TIMER, Timer)->Owner);
}

ULONG KeReportDriverTimers(PCSTR Driver, const void *Base, SIZE_T Size)
{
    const KI_RANGE Range = {(ULONG_PTR)Base, Size};
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    ULONG Count = 0;
    PKTIMER Timer;

    for (ULONG i = 0; i < KeActiveProcessorCount; i++)
        while ((Timer = KiTakeFromWheel(i, KiBelongsToRange, &Range)) != NULL) {
            KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "timer"),
                     KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Timer));
            Count++;
        }
    ArchSetIrql(OldIrql);
    return Count;
}

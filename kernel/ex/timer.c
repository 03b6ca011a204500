/* SPDX-License-Identifier: MIT
 * Timers that the system allocates: a timer object with a DPC of its own and a period in 100 ns. A driver deletes one without
 * waiting for its callback; the memory then lives until the callback is over, which a work item sees to.
 * [WDK "ExXxxTimer Routines and EX_TIMER Objects", ExAllocateTimer, ExSetTimer, ExCancelTimer, ExDeleteTimer] */
#include "exp_work.h"
#include "ke_bugcheck.h"

#define EXP_TAG_TIMER 'mTxE'

struct _EX_TIMER {
    KE_FINE_TIMER Fine; /* first: drivers wait for it as for a KTIMER */
    PEXT_CALLBACK Callback;
    PVOID Context;
    ULONG Attributes;
    volatile LONG Deleted; /* ExDeleteTimer was called */
    volatile LONG Retired; /* whoever sets it frees the timer */
    PEXT_DELETE_CALLBACK DeleteCallback;
    PVOID DeleteContext;
    WORK_QUEUE_ITEM Release;
};

/* What the pages say is a bug check, without a code of its own. */
static VOID ExpRequireTimerRule(BOOLEAN Holds, PVOID Timer, PCSTR Text)
{
    if (!Holds)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_EX_TIMER, (ULONG_PTR)Timer, 0, 0,
                          Text);
}

static VOID ExpRequireLiveTimer(const struct _EX_TIMER *Timer)
{
    ExpRequireTimerRule(!Timer->Deleted, (PVOID)Timer, "a timer was used after ExDeleteTimer");
}

/* No callback runs or will run any more: not set, and every DPC that was queued has run. IRQL <= APC_LEVEL. */
static VOID ExpFreeTimer(PEX_TIMER Timer)
{
    KE_GATE Gate;

    KeFlushDpcs();
    if (Timer->DeleteCallback != NULL) {
        KeEnterGate(&Gate, GateTimer, (PVOID)Timer->DeleteCallback);
        Timer->DeleteCallback(Timer->DeleteContext);
        KeLeaveGate(&Gate);
    }
    ExFreePoolWithTag(Timer, EXP_TAG_TIMER);
}

static VOID NTAPI ExpReleaseTimer(PVOID Parameter)
{
    ExpFreeTimer(Parameter);
}

/* TRUE for one caller only. */
static BOOLEAN ExpRetireTimer(PEX_TIMER Timer)
{
    return InterlockedExchange(&Timer->Retired, TRUE) == FALSE;
}

static VOID ExpReleaseLater(PEX_TIMER Timer)
{
    if (ExpRetireTimer(Timer))
        ExQueueWorkItem(&Timer->Release, DelayedWorkQueue);
}

static VOID NTAPI ExpTimerDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PEX_TIMER Timer = Context;
    KE_GATE Gate;

    if (Timer->Callback != NULL) {
        KeEnterGate(&Gate, GateTimer, (PVOID)Timer->Callback);
        Timer->Callback(Timer, Timer->Context);
        KeLeaveGate(&Gate);
    }
    if (Timer->Deleted) { /* it was to expire once more, this was it */
        KeCancelTimer(&Timer->Fine.Timer);
        ExpReleaseLater(Timer);
    }
}

/* [WDK ExAllocateTimer] IRQL <= DISPATCH_LEVEL. NULL: no memory. High resolution and no-wake exclude each other. */
DECLSPEC_NOINLINE PEX_TIMER NTAPI ExAllocateTimer(PEXT_CALLBACK Callback, PVOID Context, ULONG Attributes)
{
    const ULONG Both = EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE;
    PVOID Owner = __builtin_return_address(0);

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireTimerRule((Attributes & Both) != Both, NULL,
                        "a timer of high resolution cannot be a no-wake timer");
    ExpRequireTimerRule(!NTBOX_CHECKED || Callback == NULL || MmIsAddressValid((PVOID)Callback), NULL,
                        "a timer's callback is at an address where nothing is");
    PEX_TIMER Timer = ExAllocatePoolForOwner(NonPagedPoolNx, sizeof(*Timer), EXP_TAG_TIMER, Owner);
    if (Timer == NULL)
        return NULL;
    RtlZeroMemory(Timer, sizeof(*Timer));
    KeInitializeTimerEx(&Timer->Fine.Timer,
                        (Attributes & EX_TIMER_NOTIFICATION) != 0 ? NotificationTimer : SynchronizationTimer);
    KeInitializeDpc(&Timer->Fine.Dpc, ExpTimerDpc, Timer);
    Timer->Fine.Owner = Callback != NULL ? (PVOID)Callback : Owner;
    Timer->Callback = Callback;
    Timer->Context = Context;
    Timer->Attributes = Attributes;
    ExInitializeWorkItem(&Timer->Release, ExpReleaseTimer, Timer);
    return Timer;
}

/* [WDK ExSetTimer] IRQL <= DISPATCH_LEVEL. TRUE: it was set and is set anew. A timer of high resolution takes relative times
 * only; the period is at most MAXLONG. */
BOOLEAN NTAPI ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PEXT_SET_PARAMETERS Parameters)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireLiveTimer(Timer);
    ExpRequireTimerRule(DueTime < 0 || (Timer->Attributes & EX_TIMER_HIGH_RESOLUTION) == 0, Timer,
                        "ExSetTimer: a timer of high resolution takes relative times only");
    ExpRequireTimerRule(Period >= 0 && Period <= MAXLONG, Timer,
                        "ExSetTimer: the period is not one of 0 to MAXLONG");
    return KeSetFineTimer(&Timer->Fine, DueTime, (ULONG)Period);
}

/* [WDK ExCancelTimer] IRQL <= DISPATCH_LEVEL. TRUE: it was set. Its callback may still be running. */
BOOLEAN NTAPI ExCancelTimer(PEX_TIMER Timer, PEXT_CANCEL_PARAMETERS Parameters)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireLiveTimer(Timer);
    return KeCancelTimer(&Timer->Fine.Timer);
}

/* [WDK ExDeleteTimer] IRQL <= DISPATCH_LEVEL, with Wait <= APC_LEVEL. With Cancel a set timer is cancelled (TRUE), without it
 * expires once more. With Wait, which asks for Cancel, no callback runs any more on return. */
BOOLEAN NTAPI ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters)
{
    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    ExpRequireLiveTimer(Timer);
    ExpRequireTimerRule(Cancel || !Wait, Timer, "ExDeleteTimer: Wait without Cancel");
    if (Parameters != NULL) {
        Timer->DeleteCallback = Parameters->DeleteCallback;
        Timer->DeleteContext = Parameters->DeleteContext;
    }
    BOOLEAN Cancelled = Cancel && KeCancelTimer(&Timer->Fine.Timer);
    if (Wait && ExpRetireTimer(Timer)) {
        InterlockedExchange(&Timer->Deleted, TRUE);
        ExpFreeTimer(Timer);
        return Cancelled;
    }
    KIRQL OldIrql = ArchRaiseIrql(
        DISPATCH_LEVEL); /* whoever frees it meanwhile waits for a DPC of this processor first */
    InterlockedExchange(&Timer->Deleted, TRUE);
    if (Cancel || !KeIsTimerSet(&Timer->Fine.Timer))
        ExpReleaseLater(Timer);
    ArchSetIrql(OldIrql);
    return Cancelled;
}

/* --- resolution --- */

#define EXP_LONGEST_TICK 156250u
#define EXP_SHORTEST_TICK 10000u

/* [WDK ExQueryTimerResolution] 100 ns. The clock ticks every millisecond whatever is asked for (D-055). */
VOID NTAPI ExQueryTimerResolution(PULONG MaximumTime, PULONG MinimumTime, PULONG CurrentTime)
{
    *MaximumTime = EXP_LONGEST_TICK;
    *MinimumTime = EXP_SHORTEST_TICK;
    *CurrentTime = EXP_SHORTEST_TICK;
}

/* [WDK ExSetTimerResolution] The resolution after the call. */
ULONG NTAPI ExSetTimerResolution(ULONG DesiredTime, BOOLEAN SetResolution)
{
    return EXP_SHORTEST_TICK;
}

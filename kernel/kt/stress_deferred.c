/* SPDX-License-Identifier: MIT
 * Stress: DPCs run exactly as often as they were queued, one-shot timers fire once or not at all, and never after they were cancelled and the
 * DPCs were flushed. */
#include "stress.h"
#include "crt.h"

#define DPCS 12
#define THREADED_DPCS 4 /* the last of them */

typedef struct _STRESS_DPC {
    KDPC Dpc;
    volatile LONG64 Queued, Removed, Ran;
    volatile LONG Work; /* made before it is queued, taken by its routine or by who removed it */
    volatile LONG64 Made, Done;
} STRESS_DPC;

static STRESS_DPC Dpcs[DPCS];

static VOID StressDoWork(STRESS_DPC *Dpc)
{
    InterlockedExchangeAdd64(&Dpc->Done, InterlockedExchange(&Dpc->Work, 0));
}

static VOID NTAPI StressDpcRoutine(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    STRESS_DPC *Own = Context;

    STRESS_EXPECT(Dpc == &Own->Dpc);
    STRESS_EQUAL(KeGetCurrentIrql(), Own >= &Dpcs[DPCS - THREADED_DPCS] ? PASSIVE_LEVEL : DISPATCH_LEVEL);
    STRESS_EXPECT(Argument1 == Own && Argument2 == &Own->Ran);
    InterlockedIncrement64(&Own->Ran);
    if (Own->Work != 0)
        StressDoWork(Own);
}

/* One for each importance and most processors. */
static VOID DpcPrepare(VOID)
{
    for (ULONG i = 0; i < DPCS; i++) {
        if (i < DPCS - THREADED_DPCS)
            KeInitializeDpc(&Dpcs[i].Dpc, StressDpcRoutine, &Dpcs[i]);
        else
            KeInitializeThreadedDpc(&Dpcs[i].Dpc, StressDpcRoutine, &Dpcs[i]);
        KeSetImportanceDpc(&Dpcs[i].Dpc, (KDPC_IMPORTANCE)(i % 3));
        if (i >= 3)
            KeSetTargetProcessorDpc(&Dpcs[i].Dpc, (CCHAR)(i % KeActiveProcessorCount));
    }
}

static VOID DpcOperate(STRESS_WORKER *Worker)
{
    STRESS_DPC *Dpc = &Dpcs[StressRandom(Worker, DPCS)];
    KIRQL OldIrql;

    KeRaiseIrql(StressRandom(Worker, 3) == 0 ? DISPATCH_LEVEL : PASSIVE_LEVEL, &OldIrql);
    if (StressRandom(Worker, 4) != 0) {
        InterlockedIncrement64(&Dpc->Made);
        InterlockedIncrement(&Dpc->Work);
        if (KeInsertQueueDpc(&Dpc->Dpc, Dpc, (PVOID)&Dpc->Ran))
            InterlockedIncrement64(&Dpc->Queued);
    } else if (KeRemoveQueueDpc(&Dpc->Dpc)) {
        InterlockedIncrement64(&Dpc->Removed);
        StressDoWork(Dpc);
    }
    StressDelay(Worker);
    KeLowerIrql(OldIrql);
}

static VOID DpcCheck(VOID)
{
    for (ULONG i = 0; i < DPCS; i++) {
        STRESS_EQUAL(Dpcs[i].Queued, Dpcs[i].Ran + Dpcs[i].Removed);
        STRESS_EQUAL(Dpcs[i].Made, Dpcs[i].Done);
    }
}

/* --- timers --- */

typedef struct _STRESS_TIMER {
    KTIMER Timer;
    KDPC Dpc;
    volatile LONG Fired;
} STRESS_TIMER;

static VOID NTAPI StressTimerRoutine(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    STRESS_TIMER *Timer = Context;

    STRESS_EXPECT(Dpc == &Timer->Dpc); /* else its stack is gone */
    InterlockedIncrement(&Timer->Fired);
}

static VOID StressSetTimer(STRESS_WORKER *Worker, STRESS_TIMER *Timer, LONG Period, PLARGE_INTEGER Due)
{
    Timer->Fired = 0;
    KeInitializeDpc(&Timer->Dpc, StressTimerRoutine, Timer);
    if (StressRandom(Worker, 2) != 0)
        KeSetTargetProcessorDpc(&Timer->Dpc, (CCHAR)StressRandom(Worker, KeActiveProcessorCount));
    KeInitializeTimerEx(&Timer->Timer,
                        StressRandom(Worker, 2) != 0 ? NotificationTimer : SynchronizationTimer);
    Due->QuadPart = -(LONG64)StressRandom(Worker, 3 * STRESS_MILLISECOND);
    STRESS_EXPECT(!KeSetTimerEx(&Timer->Timer, *Due, Period, &Timer->Dpc));
}

/* Set, maybe set anew, maybe waited for, cancelled at a random moment. */
static VOID OnceOperate(STRESS_WORKER *Worker)
{
    STRESS_TIMER Timer;
    LARGE_INTEGER Due;
    LONG Sets = 1;

    StressSetTimer(Worker, &Timer, 0, &Due);
    StressDelay(Worker);
    if (StressRandom(Worker, 3) == 0 && !KeSetTimer(&Timer.Timer, Due, &Timer.Dpc))
        Sets++; /* the first time is over */
    if (StressRandom(Worker, 2) != 0)
        (void)StressWait(Worker, &Timer.Timer);
    BOOLEAN Cancelled = KeCancelTimer(&Timer.Timer);
    KeFlushQueuedDpcs();
    LONG Fired = Timer.Fired;
    if (Fired > Sets - Cancelled || (Sets == 1 && Fired != 1 - Cancelled) || Fired < 1 - Cancelled)
        StressFail("a timer that was set %d times and %s fired %d times", (int)Sets,
                   Cancelled ? "cancelled" : "ended", (int)Fired);
    memset(&Timer, 0xdd, sizeof(Timer));
    StressDelay(Worker);
}

static VOID PeriodicOperate(STRESS_WORKER *Worker)
{
    STRESS_TIMER Timer;
    LARGE_INTEGER Due;

    StressSetTimer(Worker, &Timer, (LONG)StressRandom(Worker, 3) + 1, &Due);
    for (ULONG i = StressRandom(Worker, 3); i != 0; i--)
        (void)KeWaitForSingleObject(&Timer.Timer, Executive, KernelMode, FALSE, NULL);
    STRESS_EXPECT(KeCancelTimer(&Timer.Timer)); /* a periodic timer is always in the queue */
    STRESS_EXPECT(!KeCancelTimer(&Timer.Timer));
    KeFlushQueuedDpcs();
    memset(&Timer, 0xdd, sizeof(Timer));
    StressDelay(Worker);
}

/* --- timers that anybody sets and cancels: in the wheel of one processor, taken out by another --- */

#define TIMERS 8

static struct {
    KTIMER Timer;
    KDPC Dpc;
    volatile LONG64 Set, TakenOut, Fired;
} Timers[TIMERS];

static VOID NTAPI StressCountTimer(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    InterlockedIncrement64(Context);
}

static VOID SharedTimerPrepare(VOID)
{
    for (ULONG i = 0; i < TIMERS; i++) {
        KeInitializeTimer(&Timers[i].Timer);
        KeInitializeDpc(&Timers[i].Dpc, StressCountTimer, (PVOID)&Timers[i].Fired);
    }
}

static VOID SharedTimerOperate(STRESS_WORKER *Worker)
{
    for (ULONG i = 0; i < TIMERS; i++) {
        ULONG At = StressRandom(Worker, TIMERS);
        LARGE_INTEGER Due = {.QuadPart = -1 - (LONG64)StressRandom(Worker, 2 * STRESS_MILLISECOND)};
        BOOLEAN Set = StressRandom(Worker, 3) != 0;
        if (Set)
            InterlockedIncrement64(&Timers[At].Set);
        if (Set ? KeSetTimer(&Timers[At].Timer, Due, &Timers[At].Dpc) : KeCancelTimer(&Timers[At].Timer))
            InterlockedIncrement64(&Timers[At].TakenOut);
    }
}

/* Two expiries in short succession may be one DPC. */
static VOID SharedTimerCheck(VOID)
{
    for (ULONG i = 0; i < TIMERS; i++) {
        if (KeCancelTimer(&Timers[i].Timer))
            Timers[i].TakenOut++;
        KeFlushQueuedDpcs();
        STRESS_EXPECT(Timers[i].Fired <= Timers[i].Set - Timers[i].TakenOut);
        STRESS_EXPECT(Timers[i].Fired > 0 || Timers[i].Set == Timers[i].TakenOut);
    }
}

const STRESS_KIND StressDeferredKinds[] = {
    {"DPC", 12, DpcPrepare, DpcOperate, DpcCheck},
    {"timer", 4, NULL, OnceOperate, NULL},
    {"periodic timer", 3, NULL, PeriodicOperate, NULL},
    {"shared timer", 6, SharedTimerPrepare, SharedTimerOperate, SharedTimerCheck},
};
const ULONG StressDeferredKindCount = RTL_NUMBER_OF(StressDeferredKinds);

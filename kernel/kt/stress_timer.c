/* SPDX-License-Identifier: MIT
 * Stress: timers of the system (EX_TIMER), deleted at any moment with and without waiting, and what KeFlushQueuedDpcs promises. A callback
 * comes as often as the timer was to expire, never after the deletion. */
#include "stress.h"

#define TAG 'trtS'

typedef struct _STRESS_EX_TIMER {
    PEX_TIMER Timer;
    volatile LONG Fired;
    volatile LONG Deleted;
    volatile LONG References; /* of the worker and of the deletion, when it is in the pool */
    BOOLEAN Cancelled, Periodic;
} STRESS_EX_TIMER;

static volatile LONG Live = 1; /* timers that are not deleted yet, and one */
static KEVENT NoneLive;

static VOID TimerPrepare(VOID)
{
    KeInitializeEvent(&NoneLive, NotificationEvent, FALSE);
}

static VOID NTAPI StressExCallback(PEX_TIMER Timer, PVOID Context)
{
    STRESS_EX_TIMER *Own = Context;

    STRESS_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    STRESS_EXPECT(Own->Timer == Timer && !Own->Deleted);
    InterlockedIncrement(&Own->Fired);
}

static VOID StressStartExTimer(STRESS_WORKER *Worker, STRESS_EX_TIMER *Own)
{
    ULONG Attributes = (StressRandom(Worker, 2) != 0 ? EX_TIMER_NOTIFICATION : 0) |
                       (StressRandom(Worker, 2) != 0 ? EX_TIMER_HIGH_RESOLUTION : 0);
    LONGLONG Due = 1 + StressRandom(Worker, 2 * STRESS_MILLISECOND);

    Own->Periodic = StressRandom(Worker, 3) == 0;
    Own->Timer = ExAllocateTimer(StressExCallback, Own, Attributes);
    STRESS_EXPECT(!ExSetTimer(Own->Timer, -Due, Own->Periodic ? Due : 0, NULL));
    StressDelay(Worker);
    if (StressRandom(Worker, 2) != 0)
        (void)StressWait(Worker, Own->Timer);
}

static VOID StressCheckFired(const STRESS_EX_TIMER *Own)
{
    LONG Fired = Own->Fired;

    if (Own->Periodic ? Fired < !Own->Cancelled : Fired != !Own->Cancelled)
        StressFail("a %s timer that was %s fired %d times", Own->Periodic ? "periodic" : "one-shot",
                   Own->Cancelled ? "cancelled" : "not cancelled", (int)Fired);
}

/* No callback runs when the deletion with Wait returns: it may lie on the stack. */
static VOID WaitedOperate(STRESS_WORKER *Worker)
{
    STRESS_EX_TIMER Own = {0};

    StressStartExTimer(Worker, &Own);
    if (StressRandom(Worker, 2) != 0)
        Own.Cancelled = ExCancelTimer(Own.Timer, NULL);
    Own.Cancelled |= ExDeleteTimer(Own.Timer, TRUE, TRUE, NULL);
    Own.Deleted = TRUE;
    StressCheckFired(&Own);
    StressSpoil(Worker, &Own, sizeof(Own));
}

static VOID StressDropExTimer(STRESS_EX_TIMER *Own)
{
    if (InterlockedDecrement(&Own->References) != 0)
        return;
    StressCheckFired(Own);
    ExFreePoolWithTag(Own, TAG);
}

static VOID StressDropLive(VOID)
{
    if (InterlockedDecrement(&Live) == 0)
        KeSetEvent(&NoneLive, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI StressExDeleted(PVOID Context)
{
    STRESS_EX_TIMER *Own = Context;

    STRESS_EQUAL(InterlockedExchange(&Own->Deleted, TRUE), FALSE);
    StressDropExTimer(Own);
    StressDropLive();
}

/* Without Cancel it expires once more. */
static VOID UnwaitedOperate(STRESS_WORKER *Worker)
{
    EXT_DELETE_PARAMETERS Parameters;
    STRESS_EX_TIMER *Own = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Own), TAG);

    if (Own == NULL)
        return;
    Own->References = 2;
    InterlockedIncrement(&Live);
    StressStartExTimer(Worker, Own);
    ExInitializeDeleteTimerParameters(&Parameters);
    Parameters.DeleteCallback = StressExDeleted;
    Parameters.DeleteContext = Own;
    Own->Cancelled = ExDeleteTimer(Own->Timer, StressRandom(Worker, 2) != 0, FALSE, &Parameters);
    StressDropExTimer(Own);
}

/* What ExDeleteTimer leaves to a work item has no handle to wait for. */
static VOID TimerCheck(VOID)
{
    LARGE_INTEGER Deadline = {.QuadPart = -STRESS_DEADLINE};

    StressDropLive();
    if (KeWaitForSingleObject(&NoneLive, Executive, KernelMode, FALSE, &Deadline) != STATUS_SUCCESS)
        StressFail("%d timers were deleted, but are not gone", (int)Live);
}

/* --- flush --- */

#define FLUSHED 4

typedef struct _STRESS_FLUSHED {
    KDPC Dpc;
    BOOLEAN Threaded;
    volatile LONG Ran;
} STRESS_FLUSHED;

static VOID NTAPI StressFlushed(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    STRESS_FLUSHED *Own = Context;

    STRESS_EQUAL(KeGetCurrentIrql(), Own->Threaded ? PASSIVE_LEVEL : DISPATCH_LEVEL);
    STRESS_EQUAL(InterlockedIncrement(&Own->Ran), 1);
}

static VOID StressQueueFlushed(STRESS_WORKER *Worker, STRESS_FLUSHED *Own)
{
    Own->Threaded = StressRandom(Worker, 2) != 0;
    Own->Ran = 0;
    if (Own->Threaded)
        KeInitializeThreadedDpc(&Own->Dpc, StressFlushed, Own);
    else
        KeInitializeDpc(&Own->Dpc, StressFlushed, Own);
    KeSetImportanceDpc(&Own->Dpc, (KDPC_IMPORTANCE)StressRandom(Worker, 4));
    if (StressRandom(Worker, 3) != 0)
        KeSetTargetProcessorDpc(&Own->Dpc, (CCHAR)StressRandom(Worker, KeActiveProcessorCount));
    STRESS_EXPECT(KeInsertQueueDpc(&Own->Dpc, NULL, NULL));
}

static VOID FlushOperate(STRESS_WORKER *Worker)
{
    STRESS_FLUSHED Dpcs[FLUSHED];

    for (ULONG i = 0; i < FLUSHED; i++)
        StressQueueFlushed(Worker, &Dpcs[i]);
    KeFlushQueuedDpcs();
    for (ULONG i = 0; i < FLUSHED; i++)
        STRESS_EQUAL(Dpcs[i].Ran, 1);
    StressSpoil(Worker, Dpcs, sizeof(Dpcs));
}

const STRESS_KIND StressTimerKinds[] = {
    {"Ex timer, waited for", 4, TimerPrepare, WaitedOperate, TimerCheck},
    {"Ex timer", 4, NULL, UnwaitedOperate, NULL},
    {"flush", 3, NULL, FlushOperate, NULL},
};
const ULONG StressTimerKindCount = RTL_NUMBER_OF(StressTimerKinds);

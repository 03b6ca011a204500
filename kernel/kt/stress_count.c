/* SPDX-License-Identifier: MIT
 * Stress: signals that are counted: a semaphore's units, each signal of a synchronization event, notification events, and waits for several
 * objects, which take all or nothing. */
#include "stress.h"

#define UNITS 3

static KSEMAPHORE Semaphores[2];
static volatile LONG Held[2]; /* units that workers have */
static KEVENT Signals;        /* synchronization event that anybody sets, clears and waits for */
static volatile LONG64 SignalsGiven, SignalsTaken;
static KEVENT Gate;      /* notification event */
static KEVENT Tokens[2]; /* for WaitAll: synchronization events, given back by who took them */
static volatile LONG TokenHolders[2];

static VOID CountPrepare(VOID)
{
    for (ULONG i = 0; i < 2; i++) {
        KeInitializeSemaphore(&Semaphores[i], UNITS, UNITS);
        KeInitializeEvent(&Tokens[i], SynchronizationEvent, TRUE);
    }
    KeInitializeEvent(&Signals, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Gate, NotificationEvent, FALSE);
}

static VOID StressHoldUnit(ULONG Index)
{
    LONG Now = InterlockedIncrement(&Held[Index]);

    STRESS_EXPECT(Now >= 1 && Now <= UNITS);
}

static VOID StressReturnUnit(ULONG Index)
{
    InterlockedDecrement(&Held[Index]);
    LONG Before = KeReleaseSemaphore(&Semaphores[Index], IO_NO_INCREMENT, 1, FALSE);
    STRESS_EXPECT(Before >= 0 && Before < UNITS);
}

static VOID SemaphoreOperate(STRESS_WORKER *Worker)
{
    ULONG Index = StressRandom(Worker, 2);

    PVOID Object = &Semaphores[Index];

    if (StressWaitForHeld(Worker, 1, &Object, WaitAny) != STATUS_SUCCESS)
        return;
    StressHoldUnit(Index);
    StressDelay(Worker);
    StressReturnUnit(Index);
}

static VOID SignalOperate(STRESS_WORKER *Worker)
{
    ULONG Choice = StressRandom(Worker, 8);

    if (Choice < 3) {
        if (KeSetEvent(&Signals, IO_NO_INCREMENT, FALSE) == 0)
            InterlockedIncrement64(&SignalsGiven);
    } else if (Choice == 3) {
        if (KeResetEvent(&Signals) != 0)
            InterlockedIncrement64(&SignalsTaken);
    } else if (StressWait(Worker, &Signals) == STATUS_SUCCESS) {
        InterlockedIncrement64(&SignalsTaken);
    }
}

static VOID GateOperate(STRESS_WORKER *Worker)
{
    ULONG Choice = StressRandom(Worker, 6);

    if (Choice == 0)
        KeClearEvent(&Gate);
    else if (Choice < 3)
        KeSetEvent(&Gate, IO_NO_INCREMENT, FALSE);
    else
        (void)StressWait(Worker, &Gate);
}

/* --- several objects --- */

static VOID StressHoldToken(ULONG Index)
{
    STRESS_EQUAL(InterlockedIncrement(&TokenHolders[Index]), 1);
}

static VOID StressReturnToken(ULONG Index)
{
    STRESS_EQUAL(InterlockedDecrement(&TokenHolders[Index]), 0);
    STRESS_EQUAL(KeSetEvent(&Tokens[Index], IO_NO_INCREMENT, FALSE), 0);
}

/* In a list of random order: 0 and 1 are the semaphores, 2 and 3 the tokens. */
static VOID StressShuffle(STRESS_WORKER *Worker, ULONG Order[4], PVOID Objects[4])
{
    for (ULONG i = 0; i < 4; i++)
        Order[i] = i;
    for (ULONG i = 3; i > 0; i--) {
        ULONG j = StressRandom(Worker, i + 1), Swap = Order[i];
        Order[i] = Order[j];
        Order[j] = Swap;
    }
    for (ULONG i = 0; i < 4; i++)
        Objects[i] = Order[i] < 2 ? (PVOID)&Semaphores[Order[i]] : (PVOID)&Tokens[Order[i] - 2];
}

static VOID StressHold(ULONG Which)
{
    if (Which < 2)
        StressHoldUnit(Which);
    else
        StressHoldToken(Which - 2);
}

static VOID StressReturn(ULONG Which)
{
    if (Which < 2)
        StressReturnUnit(Which);
    else
        StressReturnToken(Which - 2);
}

static VOID AnyOperate(STRESS_WORKER *Worker)
{
    ULONG Order[4], Count = 2 + StressRandom(Worker, 2);
    PVOID Objects[4];

    StressShuffle(Worker, Order, Objects);
    NTSTATUS Status = StressWaitForHeld(Worker, Count, Objects, WaitAny);
    if ((ULONG)Status >= Count)
        return;
    StressHold(Order[Status]);
    StressDelay(Worker);
    StressReturn(Order[Status]);
}

static VOID AllOperate(STRESS_WORKER *Worker)
{
    ULONG Order[4], Count = 2 + StressRandom(Worker, 2);
    PVOID Objects[4];

    StressShuffle(Worker, Order, Objects);
    if (StressWaitForHeld(Worker, Count, Objects, WaitAll) != STATUS_SUCCESS)
        return;
    for (ULONG i = 0; i < Count; i++)
        StressHold(Order[i]);
    StressDelay(Worker);
    for (ULONG i = 0; i < Count; i++)
        StressReturn(Order[i]);
}

static VOID CountCheck(VOID)
{
    for (ULONG i = 0; i < 2; i++) {
        STRESS_EQUAL(KeReadStateSemaphore(&Semaphores[i]), UNITS);
        STRESS_EQUAL(KeReadStateEvent(&Tokens[i]), 1);
    }
    STRESS_EQUAL(SignalsGiven, SignalsTaken + (KeReadStateEvent(&Signals) != 0));
}

const STRESS_KIND StressCountKinds[] = {
    {"semaphore", 8, CountPrepare, SemaphoreOperate, CountCheck},
    {"synchronization event", 8, NULL, SignalOperate, NULL},
    {"notification event", 6, NULL, GateOperate, NULL},
    {"wait for any", 8, NULL, AnyOperate, NULL},
    {"wait for all", 8, NULL, AllOperate, NULL},
};
const ULONG StressCountKindCount = RTL_NUMBER_OF(StressCountKinds);

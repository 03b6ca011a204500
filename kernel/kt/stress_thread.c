/* SPDX-License-Identifier: MIT
 * Stress: what is done to other threads: priorities, affinities, alerts; threads that end, and calls to all processors. */
#include "stress.h"

/* Near each other: nobody starves. */
static VOID PriorityOperate(STRESS_WORKER *Worker)
{
    STRESS_WORKER *Other = &StressWorkers[StressRandom(Worker, StressWorkerCount)];
    KPRIORITY Old = KeSetPriorityThread(Other->Thread, (KPRIORITY)(7 + StressRandom(Worker, 4)));

    STRESS_EXPECT(Old >= 7 && Old <= 15); /* boosts stay dynamic */
}

/* --- affinity --- */

static KAFFINITY StressMask(STRESS_WORKER *Worker)
{
    return (KAFFINITY)1 + StressRandom(Worker, (1u << KeActiveProcessorCount) - 1);
}

static VOID StressCheckProcessor(KAFFINITY Mask)
{
    ULONG Number = KeGetCurrentProcessorNumberEx(NULL);

    if ((Mask & ((KAFFINITY)1 << Number)) == 0)
        StressFail("a thread with the affinity 0x%llx runs on processor %u", (unsigned long long)Mask,
                   (unsigned)Number);
}

/* The thread's own affinity is changed by one at a time; FALSE: somebody else does. */
static BOOLEAN StressOwnAffinity(STRESS_WORKER *Worker)
{
    return InterlockedExchange(&Worker->AffinityTaken, TRUE) == FALSE;
}

static VOID StressDisownAffinity(STRESS_WORKER *Worker)
{
    InterlockedExchange(&Worker->AffinityTaken, FALSE);
}

static VOID StressMoveOther(STRESS_WORKER *Other, KAFFINITY Mask)
{
    if (!StressOwnAffinity(Other))
        return;
    (void)KeSetAffinityThread(Other->Thread, Mask);
    StressDisownAffinity(Other);
}

/* Its own for a while; that of another one, which has no system affinity or keeps it. */
static VOID AffinityOperate(STRESS_WORKER *Worker)
{
    KAFFINITY Mask = StressMask(Worker);

    if (KeActiveProcessorCount > 16 || StressRandom(Worker, 3) == 0) {
        StressMoveOther(&StressWorkers[StressRandom(Worker, StressWorkerCount)], Mask);
        return;
    }
    KAFFINITY Old = KeSetSystemAffinityThreadEx(Mask);
    for (ULONG i = 0; i < 4; i++) {
        StressCheckProcessor(Mask);
        StressDelay(Worker);
        if (i == 2)
            StressDelayThread(Worker);
    }
    KeRevertToUserAffinityThreadEx(Old);
}

/* Moved by a DPC while it waits: it wakes on a processor that it may run on. */
typedef struct _STRESS_MOVE {
    KDPC Dpc;
    KEVENT Moved;
    PKTHREAD Thread;
    KAFFINITY Mask;
} STRESS_MOVE;

static VOID NTAPI StressMoveWaiter(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    STRESS_MOVE *Move = Context;

    (void)KeSetAffinityThread(Move->Thread, Move->Mask);
    KeSetEvent(&Move->Moved, IO_NO_INCREMENT, FALSE);
}

static VOID MoveOperate(STRESS_WORKER *Worker)
{
    STRESS_MOVE Move = {.Thread = Worker->Thread, .Mask = StressMask(Worker)};

    if (!StressOwnAffinity(Worker))
        return;
    KeInitializeEvent(&Move.Moved, NotificationEvent, FALSE);
    KeInitializeDpc(&Move.Dpc, StressMoveWaiter, &Move);
    KeSetTargetProcessorDpc(&Move.Dpc, (CCHAR)StressRandom(Worker, KeActiveProcessorCount));
    STRESS_EXPECT(KeInsertQueueDpc(&Move.Dpc, NULL, NULL));
    (void)KeWaitForSingleObject(&Move.Moved, Executive, KernelMode, FALSE, NULL);
    StressCheckProcessor(Move.Mask);
    StressDelay(Worker);
    StressCheckProcessor(Move.Mask);
    (void)KeSetAffinityThread(Worker->Thread, KeQueryActiveProcessors());
    StressDisownAffinity(Worker);
    StressSpoil(Worker, &Move, sizeof(Move));
}

/* --- alerts: each that was the first is seen once, or still there at the end --- */

static VOID AlertOperate(STRESS_WORKER *Worker)
{
    STRESS_WORKER *Other = &StressWorkers[StressRandom(Worker, StressWorkerCount)];

    if (StressRandom(Worker, 4) == 0)
        Worker->AlertsSeen += KeTestAlertThread(KernelMode);
    else if (!KeAlertThread(Other->Thread, KernelMode))
        InterlockedIncrement((volatile LONG *)&Other->Alerts);
}

static VOID AlertCheck(VOID)
{
    for (ULONG i = 0; i < StressWorkerCount; i++)
        STRESS_EQUAL(StressWorkers[i].Alerts,
                     StressWorkers[i].AlertsSeen + (StressWorkers[i].Thread->Alerted[KernelMode] != FALSE));
}

/* --- threads that end, calls to all processors --- */

static VOID NTAPI StressShortThread(PVOID Context)
{
    InterlockedIncrement(Context);
}

static VOID ShortThreadOperate(STRESS_WORKER *Worker)
{
    volatile LONG Ran = 0;
    PVOID Thread = KtStartThread(StressShortThread, (PVOID)&Ran);

    if (Thread == NULL)
        return;
    (void)KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    STRESS_EQUAL(Ran, 1);
    ObDereferenceObject(Thread);
}

static ULONG_PTR NTAPI StressBroadcast(ULONG_PTR Context)
{
    STRESS_EQUAL(KeGetCurrentIrql(), IPI_LEVEL);
    return (ULONG_PTR)InterlockedIncrement((volatile LONG *)Context);
}

static VOID BroadcastOperate(STRESS_WORKER *Worker)
{
    volatile LONG Called = 0;

    STRESS_EXPECT(KeIpiGenericCall(StressBroadcast, (ULONG_PTR)&Called) != 0);
    STRESS_EQUAL(Called, KeActiveProcessorCount);
}

const STRESS_KIND StressThreadKinds[] = {
    {"priority", 3, NULL, PriorityOperate, NULL},
    {"affinity", 4, NULL, AffinityOperate, NULL},
    {"affinity of a waiter", 4, NULL, MoveOperate, NULL},
    {"alert", 5, NULL, AlertOperate, AlertCheck},
    {"thread", 1, NULL, ShortThreadOperate, NULL},
    {"call of all processors", 1, NULL, BroadcastOperate, NULL},
};
const ULONG StressThreadKindCount = RTL_NUMBER_OF(StressThreadKinds);

/* SPDX-License-Identifier: MIT
 * Stress: what is done to other threads: priorities, affinities, alerts, kernel APCs. */
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

/* Its own for a while; that of another one, which has no system affinity or keeps it. */
static VOID AffinityOperate(STRESS_WORKER *Worker)
{
    KAFFINITY Mask = StressMask(Worker);

    if (KeActiveProcessorCount > 16 || StressRandom(Worker, 3) == 0) {
        (void)KeSetAffinityThread(StressWorkers[StressRandom(Worker, StressWorkerCount)].Thread, Mask);
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

/* --- kernel APCs: each that was queued runs once in its thread, is removed, or is run down --- */

#define APCS 4

typedef struct _STRESS_APC {
    KAPC Apc;
    STRESS_WORKER *Target;
    volatile LONG Queued, Ran, Normal, Removed, RunDown;
    BOOLEAN IsNormal;
} STRESS_APC;

static STRESS_APC Apcs[STRESS_WORKERS_MAX][APCS];

static VOID NTAPI StressApcKernel(PKAPC Apc, PKNORMAL_ROUTINE *Routine, PVOID *Context, PVOID *Argument1,
                                  PVOID *Argument2)
{
    STRESS_APC *Own = CONTAINING_RECORD(Apc, STRESS_APC, Apc);

    STRESS_EQUAL(KeGetCurrentIrql(), APC_LEVEL);
    STRESS_EXPECT(KeGetCurrentThread() == Own->Target->Thread);
    STRESS_EXPECT(*Argument1 == Own && *Argument2 == Own->Target);
    InterlockedIncrement(&Own->Ran);
}

/* A wait inside the wait that the APC interrupted. */
static VOID NTAPI StressApcNormal(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    STRESS_APC *Own = Context;
    LARGE_INTEGER Short = {.QuadPart = -(STRESS_MILLISECOND / 10)};

    STRESS_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    STRESS_EXPECT(KeGetCurrentThread() == Own->Target->Thread);
    STRESS_EQUAL(KeDelayExecutionThread(KernelMode, FALSE, &Short), STATUS_SUCCESS);
    InterlockedIncrement(&Own->Normal);
}

static VOID NTAPI StressApcRundown(PKAPC Apc)
{
    InterlockedIncrement(&CONTAINING_RECORD(Apc, STRESS_APC, Apc)->RunDown);
}

/* By the target itself, before others may queue them. */
static VOID StressPrepareApcs(STRESS_WORKER *Worker)
{
    for (ULONG i = 0; i < APCS; i++) {
        STRESS_APC *Apc = &Apcs[Worker->Index][i];
        Apc->IsNormal = i >= APCS / 2;
        Apc->Target = Worker;
        KeInitializeApc(&Apc->Apc, Worker->Thread, OriginalApcEnvironment, StressApcKernel, StressApcRundown,
                        Apc->IsNormal ? StressApcNormal : NULL, KernelMode, Apc);
    }
    InterlockedExchange(&Worker->ApcsReady, TRUE);
}

static VOID ApcOperate(STRESS_WORKER *Worker)
{
    STRESS_WORKER *Other = &StressWorkers[StressRandom(Worker, StressWorkerCount)];
    STRESS_APC *Apc = &Apcs[Other->Index][StressRandom(Worker, APCS)];
    BOOLEAN Remove = StressRandom(Worker, 5) == 0;

    if (!Worker->ApcsReady)
        StressPrepareApcs(Worker);
    if (!Other->ApcsReady)
        return;
    if (!Remove && KeInsertQueueApc(&Apc->Apc, Apc, Other, IO_NO_INCREMENT))
        InterlockedIncrement(&Apc->Queued);
    else if (Remove && KeRemoveQueueApc(&Apc->Apc))
        InterlockedIncrement(&Apc->Removed);
}

static VOID ApcCheck(VOID)
{
    for (ULONG i = 0; i < StressWorkerCount; i++)
        for (ULONG j = 0; j < APCS; j++) {
            const STRESS_APC *Apc = &Apcs[i][j];
            STRESS_EQUAL(Apc->Queued, Apc->Ran + Apc->Removed + Apc->RunDown);
            STRESS_EQUAL(Apc->Normal, Apc->IsNormal ? Apc->Ran : 0);
        }
}

const STRESS_KIND StressThreadKinds[] = {
    {"priority", 3, NULL, PriorityOperate, NULL},
    {"affinity", 4, NULL, AffinityOperate, NULL},
    {"alert", 5, NULL, AlertOperate, AlertCheck},
    {"APC", 8, NULL, ApcOperate, ApcCheck},
};
const ULONG StressThreadKindCount = RTL_NUMBER_OF(StressThreadKinds);

/* SPDX-License-Identifier: MIT
 * Stress: APCs. Each kernel APC that was queued runs once in its thread, is removed, or is run down; a user APC ends the alertable wait in
 * user mode that its thread begins or is in. */
#include "stress.h"

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

/* --- user APCs: a wait without a time-out that nothing else ends --- */

typedef struct _STRESS_USER_APC {
    KAPC Apc;
    KDPC Dpc;
} STRESS_USER_APC;

static STRESS_USER_APC UserApcs[STRESS_WORKERS_MAX];
static KEVENT Never;

static VOID UserApcPrepare(VOID)
{
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
}

/* There is no user mode to deliver it to. */
static VOID NTAPI StressUserKernel(PKAPC Apc, PKNORMAL_ROUTINE *Routine, PVOID *Context, PVOID *Argument1,
                                   PVOID *Argument2)
{
    StressFail("a user APC was delivered in kernel mode");
}

static VOID NTAPI StressUserNormal(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    StressFail("a user APC was delivered in kernel mode");
}

static VOID NTAPI StressInsertUserApc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    STRESS_EXPECT(KeInsertQueueApc(Context, NULL, NULL, IO_NO_INCREMENT));
}

/* What the delivery in user mode would do. */
static VOID StressForgetUserApc(PKTHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);

    Thread->ApcState.UserApcPending = FALSE;
    ArchReleaseLock(&Thread->ThreadLock, OldIrql);
}

static VOID UserApcOperate(STRESS_WORKER *Worker)
{
    STRESS_USER_APC *Own = &UserApcs[Worker->Index];
    NTSTATUS Status;

    KeInitializeApc(&Own->Apc, Worker->Thread, OriginalApcEnvironment, StressUserKernel, NULL,
                    StressUserNormal, UserMode, NULL);
    KeInitializeDpc(&Own->Dpc, StressInsertUserApc, &Own->Apc);
    KeSetTargetProcessorDpc(&Own->Dpc, (CCHAR)StressRandom(Worker, KeActiveProcessorCount));
    STRESS_EXPECT(KeInsertQueueDpc(&Own->Dpc, NULL, NULL));
    StressDelay(Worker);
    while ((Status = KeWaitForSingleObject(&Never, Executive, UserMode, TRUE, NULL)) == STATUS_ALERTED)
        Worker->AlertsSeen++;
    STRESS_EQUAL(Status, STATUS_USER_APC);
    STRESS_EXPECT(KeRemoveQueueApc(&Own->Apc));
    StressForgetUserApc(Worker->Thread);
}

const STRESS_KIND StressApcKinds[] = {
    {"APC", 8, NULL, ApcOperate, ApcCheck},
    {"user APC", 4, UserApcPrepare, UserApcOperate, NULL},
};
const ULONG StressApcKindCount = RTL_NUMBER_OF(StressApcKinds);

/* SPDX-License-Identifier: MIT
 * The worker threads of a work queue. A few live for ever. While items wait and no worker is idle - all may be blocked, and
 * some on those very items - the queue's keeper adds one after the other; one that has had nothing to do for a while ends.
 * [WDK "System Worker Threads"] */
#include "exp_work.h"

#define EXP_MAXIMUM_WORKERS 64
#define EXP_MILLISECONDS (-10000LL)
#define EXP_GROWTH_INTERVAL (10 * EXP_MILLISECONDS) /* a backlog that lasts that long gets one more worker */
#define EXP_IDLE_LIFE (10000 * EXP_MILLISECONDS)

static VOID NTAPI ExpWorkerThread(PVOID Context)
{
    EXP_WORK_QUEUE *Queue = Context;

    KeSetPriorityThread(KiCurrentThread(), Queue->Priority);
    for (;;) {
        (VOID) KeWaitForSingleObject(&Queue->Ready, WrQueue, KernelMode, FALSE, NULL);
        ExpServeItem(Queue);
    }
}

/* FALSE: an item needs this worker. */
static BOOLEAN ExpLeavePool(EXP_WORK_QUEUE *Queue)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    BOOLEAN Leaves = Queue->Idle > Queue->Pending;

    if (Leaves) {
        KeAnnounceThreadEnd(); /* before it is missed here */
        Queue->Idle--;
        Queue->Workers--;
    }
    ArchReleaseLock(&Queue->Lock, OldIrql);
    ExpSayRest(Queue);
    return Leaves;
}

static VOID NTAPI ExpExtraWorkerThread(PVOID Context)
{
    EXP_WORK_QUEUE *Queue = Context;
    LARGE_INTEGER Life = {.QuadPart = EXP_IDLE_LIFE};
    PVOID Wanted[] = {&Queue->Ready, &Queue->Shrink}; /* work comes first */

    KeSetPriorityThread(KiCurrentThread(), Queue->Priority);
    for (;;) {
        if (KeWaitForMultipleObjects(RTL_NUMBER_OF(Wanted), Wanted, WaitAny, WrQueue, KernelMode, FALSE,
                                     &Life, NULL) == STATUS_WAIT_0)
            ExpServeItem(Queue);
        else if (ExpLeavePool(Queue))
            return;
    }
}

static NTSTATUS ExpStartThread(PKSTART_ROUTINE Routine, EXP_WORK_QUEUE *Queue)
{
    HANDLE Thread;
    NTSTATUS Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Queue);

    if (NT_SUCCESS(Status))
        (VOID) ZwClose(Thread);
    return Status;
}

/* TRUE: the new worker is counted already, so that nobody starts a second one for the same item. */
static BOOLEAN ExpCountNewWorker(EXP_WORK_QUEUE *Queue)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    BOOLEAN Needed = Queue->Pending > Queue->Idle && Queue->Workers < EXP_MAXIMUM_WORKERS;

    Queue->Workers += Needed;
    Queue->Idle += Needed;
    ArchReleaseLock(&Queue->Lock, OldIrql);
    return Needed;
}

static VOID ExpUncountWorker(EXP_WORK_QUEUE *Queue)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    Queue->Workers--;
    Queue->Idle--;
    ArchReleaseLock(&Queue->Lock, OldIrql);
    ExpSayRest(Queue);
}

/* At the priority of the workers: it runs when they leave it a processor, so a short burst costs no thread. */
static VOID NTAPI ExpKeeperThread(PVOID Context)
{
    EXP_WORK_QUEUE *Queue = Context;
    LARGE_INTEGER Interval = {.QuadPart = EXP_GROWTH_INTERVAL};

    KeSetPriorityThread(KiCurrentThread(), Queue->Priority);
    for (;;) {
        (VOID) KeWaitForSingleObject(&Queue->Backlog, WrQueue, KernelMode, FALSE, NULL);
        while (ExpCountNewWorker(Queue)) {
            if (!NT_SUCCESS(ExpStartThread(ExpExtraWorkerThread, Queue)))
                ExpUncountWorker(Queue); /* no memory now: tried again as long as items wait */
            KeDelayExecutionThread(KernelMode, FALSE, &Interval);
        }
    }
}

VOID ExpInitializePool(EXP_WORK_QUEUE *Queue)
{
    KeInitializeEvent(&Queue->Backlog, SynchronizationEvent, FALSE);
    Queue->Workers = Queue->Idle = Queue->Minimum;
    NTSTATUS Status = ExpStartThread(ExpKeeperThread, Queue);
    for (ULONG Thread = 0; NT_SUCCESS(Status) && Thread < Queue->Minimum; Thread++)
        Status = ExpStartThread(ExpWorkerThread, Queue);
    if (!NT_SUCCESS(Status)) /* [WDK Bug Check 0x32] phase 1 could not be completed */
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 0, 0, 0);
}

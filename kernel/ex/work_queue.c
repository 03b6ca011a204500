/* SPDX-License-Identifier: MIT
 * Work items: three queues, each with its threads. An item is taken off its queue before its routine runs, so
 * the routine may free it or queue it again. */
#include <bugcodes.h>
#include "ex.h"
#include "ke.h"
#include "kd.h"

typedef struct _EXP_WORK_QUEUE {
    ARCH_LOCK Lock;
    LIST_ENTRY Items; /* (Lock) */
    KSEMAPHORE Ready; /* counts Items */
    KPRIORITY Priority;
    ULONG Threads;
} EXP_WORK_QUEUE;

typedef enum _EXP_QUEUE { ExpDelayed, ExpCritical, ExpHyperCritical, ExpQueues } EXP_QUEUE;

/* [WDK ExQueueWorkItem] priorities: delayed 12, critical 13, hyper-critical 15 */
#define EXP_QUEUE_INIT(Name, ThreadPriority, ThreadCount)                                                    \
    {.Lock = ARCH_LOCK_INIT(Name, LockRankExQueue, DISPATCH_LEVEL),                                          \
     .Priority = (ThreadPriority),                                                                           \
     .Threads = (ThreadCount)}

static EXP_WORK_QUEUE ExpWorkQueues[ExpQueues] = {
    [ExpDelayed] = EXP_QUEUE_INIT("delayed work queue", 12, 3),
    [ExpCritical] = EXP_QUEUE_INIT("critical work queue", 13, 3),
    [ExpHyperCritical] = EXP_QUEUE_INIT("hyper-critical work queue", 15, 1),
};

static BOOLEAN ExpWorkersExist;

static PWORK_QUEUE_ITEM ExpTakeItem(EXP_WORK_QUEUE *Queue)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    PLIST_ENTRY Entry = RemoveHeadList(&Queue->Items);
    ArchReleaseLock(&Queue->Lock, OldIrql);
    Entry->Flink = NULL; /* not queued */
    return CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
}

static VOID ExpRunItem(PWORK_QUEUE_ITEM Item)
{
    PWORKER_THREAD_ROUTINE Routine = Item->WorkerRoutine;
    KE_GATE Gate;
    KeEnterGate(&Gate, GateWorkItem, Routine);
    Routine(Item->Parameter);
    if (ArchGetIrql() != PASSIVE_LEVEL) /* [WDK Bug Check 0xE1] address of the routine, IRQL it returned at */
        KeBugCheckEx(WORKER_THREAD_RETURNED_AT_BAD_IRQL, (ULONG_PTR)Routine, ArchGetIrql(), (ULONG_PTR)Item,
                     0);
    KeLeaveGate(&Gate);
}

static VOID NTAPI ExpWorkerThread(PVOID Context)
{
    EXP_WORK_QUEUE *Queue = Context;
    KeSetPriorityThread(KiCurrentThread(), Queue->Priority);
    for (;;) {
        (VOID) KeWaitForSingleObject(&Queue->Ready, WrQueue, KernelMode, FALSE, NULL);
        ExpRunItem(ExpTakeItem(Queue));
    }
}

static VOID ExpStartWorker(EXP_WORK_QUEUE *Queue)
{
    HANDLE Thread;
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, ExpWorkerThread, Queue);
    if (!NT_SUCCESS(Status)) /* [WDK Bug Check 0x31] phase 0 could not be completed */
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)Status, 0, 0, 0);
    (VOID) ZwClose(Thread);
}

VOID ExpInitializeWorkers(VOID)
{
    for (ULONG I = 0; I < ExpQueues; I++) {
        InitializeListHead(&ExpWorkQueues[I].Items);
        KeInitializeSemaphore(&ExpWorkQueues[I].Ready, 0, MAXLONG);
        for (ULONG Thread = 0; Thread < ExpWorkQueues[I].Threads; Thread++)
            ExpStartWorker(&ExpWorkQueues[I]);
    }
    ExpWorkersExist = TRUE;
}

/* The queue types of later versions say a priority. */
static EXP_WORK_QUEUE *ExpQueueOf(WORK_QUEUE_TYPE Type)
{
    switch ((ULONG)Type) {
    case CriticalWorkQueue:
    case RealTimeWorkQueue:
        return &ExpWorkQueues[ExpCritical];
    case HyperCriticalWorkQueue:
    case SuperCriticalWorkQueue:
        return &ExpWorkQueues[ExpHyperCritical];
    case DelayedWorkQueue:
    case NormalWorkQueue:
    case BackgroundWorkQueue:
        return &ExpWorkQueues[ExpDelayed];
    default:
        if ((ULONG)Type >= CustomPriorityWorkQueue && (ULONG)Type < CustomPriorityWorkQueue + 32u)
            return &ExpWorkQueues[(ULONG)Type - CustomPriorityWorkQueue > 12 ? ExpCritical : ExpDelayed];
        return NULL;
    }
}

/* IRQL <= DISPATCH_LEVEL. [WDK ExQueueWorkItem] the routine runs in a system thread at PASSIVE_LEVEL. [WDK
 * Bug Check 0xE4] 1: the item is queued already, 5: there are no workers yet, 6: no such queue, 7: no routine
 */
VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    EXP_WORK_QUEUE *Queue = ExpQueueOf(QueueType);
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (!ExpWorkersExist)
        KeBugCheckEx(WORKER_INVALID, 5, (ULONG_PTR)WorkItem, QueueType, (ULONG_PTR)-1);
    if (Queue == NULL)
        KeBugCheckEx(WORKER_INVALID, 6, (ULONG_PTR)WorkItem, QueueType, 0);
    if (WorkItem->WorkerRoutine == NULL)
        KeBugCheckEx(WORKER_INVALID, 7, (ULONG_PTR)WorkItem, QueueType, 0);
    if (WorkItem->List.Flink != NULL)
        KeBugCheckEx(WORKER_INVALID, 1, (ULONG_PTR)WorkItem, QueueType, 0);
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    InsertTailList(&Queue->Items, &WorkItem->List);
    ArchReleaseLock(&Queue->Lock, OldIrql);
    KeReleaseSemaphore(&Queue->Ready, IO_NO_INCREMENT, 1, FALSE);
}

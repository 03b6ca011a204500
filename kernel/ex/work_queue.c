/* SPDX-License-Identifier: MIT
 * Work items: three queues, each with its worker threads. An item is taken off its queue before its routine runs, so the
 * routine may free it or queue it again. When items wait and every worker is busy, a queue gets more workers (work_pool.c). */
#include "exp_work.h"
#include "ke_bugcheck.h"
#include "kd.h"

/* [WDK ExQueueWorkItem] priorities: delayed 12, critical 13, hyper-critical 15 */
#define EXP_QUEUE_INIT(Name, ThreadPriority, ThreadCount)                                                    \
    {.Lock = ARCH_LOCK_INIT(Name, LockRankExQueue, DISPATCH_LEVEL),                                          \
     .Priority = (ThreadPriority),                                                                           \
     .Minimum = (ThreadCount)}

static EXP_WORK_QUEUE ExpWorkQueues[ExpQueues] = {
    [ExpDelayed] = EXP_QUEUE_INIT("delayed work queue", 12, 3),
    [ExpCritical] = EXP_QUEUE_INIT("critical work queue", 13, 3),
    [ExpHyperCritical] = EXP_QUEUE_INIT("hyper-critical work queue", 15, 1),
};

static BOOLEAN ExpWorkersExist;

/* [WDK Bug Check 0x96] An item whose list entry was cleared while it was queued: initialised again, or freed. */
static VOID ExpCheckQueuedItem(EXP_WORK_QUEUE *Queue, const WORK_QUEUE_ITEM *Item)
{
    const LIST_ENTRY *Entry = &Item->List;

    if (Entry->Flink == NULL || Entry->Blink == NULL || Entry->Flink->Blink != Entry)
        KeBugCheckBlaming((PVOID)Item->WorkerRoutine, INVALID_WORK_QUEUE_ITEM, (ULONG_PTR)Entry,
                          (ULONG_PTR)Queue, (ULONG_PTR)ExpWorkQueues, (ULONG_PTR)Item->WorkerRoutine,
                          "a work item was initialised again or freed while it was queued");
}

/* The caller is a worker that was woken for an item. NULL: the item's driver is gone and took it along. */
static PWORK_QUEUE_ITEM ExpTakeItem(EXP_WORK_QUEUE *Queue)
{
    PWORK_QUEUE_ITEM Item = NULL;
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);

    if (Queue->Pending != 0) {
        Item = CONTAINING_RECORD(Queue->Items.Flink, WORK_QUEUE_ITEM, List);
        ExpCheckQueuedItem(Queue, Item);
        RemoveEntryList(&Item->List);
        Item->List.Flink = NULL; /* not queued */
        Queue->Pending--;
        Queue->Idle--;
        KiCurrentThread()->WorkRoutine = (PVOID)Item->WorkerRoutine; /* who looks finds it queued or here */
    }
    ArchReleaseLock(&Queue->Lock, OldIrql);
    return Item;
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

/* Nothing to do, nobody at work, nobody there for once only. Lock held. */
static BOOLEAN ExpIsAtRest(const EXP_WORK_QUEUE *Queue)
{
    return Queue->Pending == 0 && Queue->Idle == Queue->Workers && Queue->Workers == Queue->Minimum;
}

VOID ExpSayRest(EXP_WORK_QUEUE *Queue)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    BOOLEAN Say = Queue->Watched && ExpIsAtRest(Queue);

    ArchReleaseLock(&Queue->Lock, OldIrql);
    if (Say)
        (VOID) KeSetEvent(&Queue->Rest, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN ExpWatch(EXP_WORK_QUEUE *Queue, BOOLEAN Watched)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    BOOLEAN AtRest = ExpIsAtRest(Queue);

    Queue->Watched = Watched;
    ArchReleaseLock(&Queue->Lock, OldIrql);
    return AtRest;
}

static BOOLEAN ExpWaitForRest(EXP_WORK_QUEUE *Queue)
{
    BOOLEAN Waited = FALSE;

    KeSetEvent(&Queue->Shrink, IO_NO_INCREMENT, FALSE);
    for (;; Waited = TRUE) {
        KeClearEvent(&Queue->Rest);
        if (ExpWatch(Queue, TRUE))
            break;
        (VOID) KeWaitForSingleObject(&Queue->Rest, Executive, KernelMode, FALSE, NULL);
    }
    ExpWatch(Queue, FALSE);
    KeClearEvent(&Queue->Shrink);
    return Waited;
}

BOOLEAN ExWaitForWork(VOID)
{
    BOOLEAN Waited = FALSE;

    for (ULONG I = 0; I < ExpQueues; I++)
        Waited |= ExpWaitForRest(&ExpWorkQueues[I]);
    return Waited;
}

/* What was begun and goes on in others' hands gives its memory back later: DPCs, work items (objects that were let go at DISPATCH_LEVEL
 * among them), threads that have ended. Each may begin the others. */
VOID ExSettle(VOID)
{
    BOOLEAN Waited;

    do {
        KeFlushDpcs();
        Waited = ExWaitForWork();
        Waited |= KeWaitForThreadEnds();
    } while (Waited);
}

VOID ExpServeItem(EXP_WORK_QUEUE *Queue)
{
    PWORK_QUEUE_ITEM Item = ExpTakeItem(Queue);

    if (Item == NULL)
        return;
    ExpRunItem(Item);
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    Queue->Idle++;
    KiCurrentThread()->WorkRoutine = NULL;
    ArchReleaseLock(&Queue->Lock, OldIrql);
    if (__builtin_expect(Queue->Watched, FALSE))
        ExpSayRest(Queue);
}

VOID ExpInitializeWorkers(VOID)
{
    for (ULONG I = 0; I < ExpQueues; I++) {
        InitializeListHead(&ExpWorkQueues[I].Items);
        KeInitializeSemaphore(&ExpWorkQueues[I].Ready, 0, MAXLONG);
        KeInitializeEvent(&ExpWorkQueues[I].Shrink, NotificationEvent, FALSE);
        KeInitializeEvent(&ExpWorkQueues[I].Rest, NotificationEvent, FALSE);
        ExpInitializePool(&ExpWorkQueues[I]);
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

/* TRUE: no worker is idle that would take it. Two callers that queue one item at once are found by the exchange. */
static BOOLEAN ExpInsertItem(EXP_WORK_QUEUE *Queue, PWORK_QUEUE_ITEM Item, WORK_QUEUE_TYPE Type)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);

    if (__atomic_exchange_n(&Item->List.Flink, &Queue->Items, __ATOMIC_ACQ_REL) != NULL)
        KeBugCheckEx(WORKER_INVALID, 1, (ULONG_PTR)Item, Type, 0);
    InsertTailList(&Queue->Items, &Item->List);
    BOOLEAN Backlog = ++Queue->Pending > Queue->Idle;
    ArchReleaseLock(&Queue->Lock, OldIrql);
    return Backlog;
}

BOOLEAN ExIsWorkRoutine(PVOID Routine)
{
    return Routine != NULL && (!NTBOX_CHECKED || MmIsAddressValid(Routine));
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
    if (!ExIsWorkRoutine((PVOID)WorkItem->WorkerRoutine))
        KeBugCheckEx(WORKER_INVALID, 7, (ULONG_PTR)WorkItem, QueueType, 0);
    if (ExpInsertItem(Queue, WorkItem, QueueType))
        KeSetEvent(&Queue->Backlog, IO_NO_INCREMENT, FALSE);
    KeReleaseSemaphore(&Queue->Ready, IO_NO_INCREMENT, 1, FALSE);
}

/* A queued item in [Base, Base + Size) or whose routine lies there; queue locked. */
static PWORK_QUEUE_ITEM ExpFindItem(EXP_WORK_QUEUE *Queue, const void *Base, SIZE_T Size)
{
    for (PLIST_ENTRY Entry = Queue->Items.Flink; Entry != &Queue->Items; Entry = Entry->Flink) {
        PWORK_QUEUE_ITEM Item = CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
        ExpCheckQueuedItem(Queue, Item);
        if ((ULONG_PTR)Item - (ULONG_PTR)Base < Size ||
            (ULONG_PTR)Item->WorkerRoutine - (ULONG_PTR)Base < Size)
            return Item;
    }
    return NULL;
}

ULONG ExReportDriverWorkItems(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG Count = 0;

    for (EXP_WORK_QUEUE *Queue = ExpWorkQueues; Queue < ExpWorkQueues + ExpQueues; Queue++) {
        KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
        for (PWORK_QUEUE_ITEM Item; (Item = ExpFindItem(Queue, Base, Size)) != NULL; Count++) {
            RemoveEntryList(&Item->List);
            Queue->Pending--;
            KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "work item"),
                     KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Item));
        }
        ArchReleaseLock(&Queue->Lock, OldIrql);
    }
    return Count;
}

/* SPDX-License-Identifier: MIT
 * Kernel queues. [WDK KeInitializeQueue, KeInsertQueue, KeInsertHeadQueue, KeRemoveQueue, KeReadStateQueue, KeRundownQueue] */
#include "ct_threads.h"

static LARGE_INTEGER Now;
static KQUEUE Queue;
static LIST_ENTRY Entries[8];

static PLIST_ENTRY Take(VOID)
{
    return KeRemoveQueue(&Queue, KernelMode, &Now);
}

/* A queue is empty at first; a count of zero lets as many threads run as there are processors. */
static VOID QueueInit(VOID)
{
    KeInitializeQueue(&Queue, 3);
    CT_EQUAL(KeReadStateQueue(&Queue), 0);
    CT_EQUAL(Queue.MaximumCount, 3);
    KeInitializeQueue(&Queue, 0);
    CT_EQUAL(Queue.MaximumCount, KeQueryActiveProcessorCount(NULL));
    CT_EQUAL((ULONG_PTR)Take(), STATUS_TIMEOUT);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
}

/* First in, first out; the head overtakes. The insertion says how many there were. */
static VOID QueueOrder(VOID)
{
    KeInitializeQueue(&Queue, 1);
    CT_EQUAL(KeInsertQueue(&Queue, &Entries[0]), 0);
    CT_EQUAL(KeInsertQueue(&Queue, &Entries[1]), 1);
    CT_EQUAL(KeInsertHeadQueue(&Queue, &Entries[2]), 2);
    CT_EQUAL(KeReadStateQueue(&Queue), 3);
    CT_EQUAL((ULONG_PTR)Take(), (ULONG_PTR)&Entries[2]);
    CT_EQUAL((ULONG_PTR)Entries[2].Flink, 0); /* [WDK Bug Check 0x96] as of any entry that was removed */
    CT_EQUAL((ULONG_PTR)Take(), (ULONG_PTR)&Entries[0]);
    CT_EQUAL((ULONG_PTR)Take(), (ULONG_PTR)&Entries[1]);
    CT_EQUAL((ULONG_PTR)Take(), STATUS_TIMEOUT);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
}

/* Several at once, at most as many as there are. */
static VOID QueueRemoveMany(VOID)
{
    PLIST_ENTRY Taken[8];
    KeInitializeQueue(&Queue, 1);
    for (ULONG i = 0; i < 3; i++)
        KeInsertQueue(&Queue, &Entries[i]);
    CT_EQUAL(KeRemoveQueueEx(&Queue, KernelMode, FALSE, &Now, Taken, 2), 2);
    CT_EQUAL((ULONG_PTR)Taken[1], (ULONG_PTR)&Entries[1]);
    CT_EQUAL(KeRemoveQueueEx(&Queue, KernelMode, FALSE, &Now, Taken, 8), 1);
    CT_EQUAL((ULONG_PTR)Taken[0], (ULONG_PTR)&Entries[2]);
    CT_EQUAL(KeRemoveQueueEx(&Queue, KernelMode, FALSE, &Now, Taken, 8), STATUS_TIMEOUT);
    KeAlertThread((PKTHREAD)KeGetCurrentThread(), KernelMode);
    CT_EQUAL(KeRemoveQueueEx(&Queue, KernelMode, TRUE, &CtPatience, Taken, 8), STATUS_ALERTED);
    KeRundownQueue(&Queue);
}

/* What is left comes back as a ring without a head. */
static VOID QueueRundown(VOID)
{
    KeInitializeQueue(&Queue, 1);
    for (ULONG i = 0; i < 3; i++)
        KeInsertQueue(&Queue, &Entries[i]);
    PLIST_ENTRY First = KeRundownQueue(&Queue);
    CT_EQUAL((ULONG_PTR)First, (ULONG_PTR)&Entries[0]);
    CT_REQUIRE(First != NULL);
    CT_EQUAL((ULONG_PTR)First->Flink, (ULONG_PTR)&Entries[1]);
    CT_EQUAL((ULONG_PTR)First->Flink->Flink->Flink, (ULONG_PTR)First);
    CT_EQUAL(KeReadStateQueue(&Queue), 0);
}

/* Workers: each takes entries until it gets Stop, and counts how many run at a time. */
static LIST_ENTRY StopEntry[4];
static volatile LONG Active, MostActive, Done;
static KEVENT Gate, AllInside; /* AllInside: three of them are */
static BOOLEAN BlockInside;

static VOID Work(VOID)
{
    LONG Count = InterlockedIncrement(&Active), Most = MostActive;
    while (Count > Most && InterlockedCompareExchange(&MostActive, Count, Most) != Most)
        Most = MostActive;
    if (Count == 3)
        KeSetEvent(&AllInside, IO_NO_INCREMENT, FALSE);
    if (BlockInside)
        KeWaitForSingleObject(&Gate, Executive, KernelMode, FALSE, &CtPatience);
    else
        KeStallExecutionProcessor(50);
    InterlockedDecrement(&Active);
    InterlockedIncrement(&Done);
}

static VOID NTAPI Worker(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        PLIST_ENTRY Entry = KeRemoveQueue(&Queue, KernelMode, NULL);
        if (Entry >= &StopEntry[0] && Entry < &StopEntry[4])
            break;
        Work();
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID RunWorkers(ULONG Count, PKTHREAD *Threads)
{
    Active = MostActive = Done = 0;
    KeInitializeEvent(&Gate, NotificationEvent, FALSE);
    KeInitializeEvent(&AllInside, NotificationEvent, FALSE);
    for (ULONG i = 0; i < Count; i++)
        Threads[i] = CtStart(Worker, NULL);
}

static VOID StopWorkers(ULONG Count, PKTHREAD *Threads)
{
    for (ULONG i = 0; i < Count; i++)
        KeInsertQueue(&Queue, &StopEntry[i]);
    for (ULONG i = 0; i < Count; i++)
        if (Threads[i] != NULL)
            CtJoin(Threads[i]);
}

/* Not more than MaximumCount workers run at a time. */
static VOID QueueLimit(VOID)
{
    PKTHREAD Threads[4];
    KeInitializeQueue(&Queue, 1);
    BlockInside = FALSE;
    RunWorkers(4, Threads);
    for (ULONG i = 0; i < 8; i++)
        KeInsertQueue(&Queue, &Entries[i]);
    StopWorkers(4, Threads);
    CT_EQUAL(Done, 8);
    CT_EQUAL(MostActive, 1);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
}

/* A worker that waits for something else lets another one run. */
static VOID QueueBlocked(VOID)
{
    PKTHREAD Threads[3];
    KeInitializeQueue(&Queue, 1);
    BlockInside = TRUE;
    RunWorkers(3, Threads);
    for (ULONG i = 0; i < 3; i++)
        KeInsertQueue(&Queue, &Entries[i]);
    CtExpect(&AllInside);
    CT_EQUAL(Active, 3);
    KeSetEvent(&Gate, IO_NO_INCREMENT, FALSE);
    StopWorkers(3, Threads);
    CT_EQUAL(Done, 3);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
}

static volatile ULONG_PTR Answer;

static VOID NTAPI RemoveOne(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Answer = (ULONG_PTR)KeRemoveQueue(&Queue, KernelMode, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* [WDK KeRundownQueue] Who waits is woken with STATUS_ABANDONED, and so is who comes later, until the queue is initialized again. */
static VOID QueueAbandoned(VOID)
{
    LARGE_INTEGER None = {.QuadPart = 0};
    KeInitializeQueue(&Queue, 1);
    Answer = 0;
    PKTHREAD Thread = CtStart(RemoveOne, NULL); /* it waits or comes later: the answer is the same */
    CT_REQUIRE(Thread != NULL);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
    CtJoin(Thread);
    CT_EQUAL(Answer, STATUS_ABANDONED);
    CT_EQUAL((ULONG_PTR)KeRemoveQueue(&Queue, KernelMode, &None), STATUS_ABANDONED);
    KeInitializeQueue(&Queue, 1);
    CT_EQUAL((ULONG_PTR)KeRemoveQueue(&Queue, KernelMode, &None), STATUS_TIMEOUT);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
}

static KEVENT Taken, Free;

static VOID NTAPI WorkElsewhere(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Answer = (ULONG_PTR)KeRemoveQueue(&Queue, KernelMode, NULL);
    KeSetEvent(&Taken, IO_NO_INCREMENT, FALSE);
    CtExpect(&Free);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A worker that waits for something else knows nothing of the queue when that has been run down. */
static VOID QueueRundownBusy(VOID)
{
    KeInitializeEvent(&Taken, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Free, SynchronizationEvent, FALSE);
    KeInitializeQueue(&Queue, 1);
    PKTHREAD Thread = CtStart(WorkElsewhere, NULL);
    CT_REQUIRE(Thread != NULL);
    KeInsertQueue(&Queue, &Entries[0]);
    CtExpect(&Taken);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
    RtlFillMemory(&Queue, sizeof(Queue), 0xA5);
    KeSetEvent(&Free, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    CT_EQUAL(Answer, (ULONG_PTR)&Entries[0]);
}

/* [WDK KeRemoveQueue] At DISPATCH_LEVEL without a wait. */
static VOID QueuePoll(VOID)
{
    LARGE_INTEGER None = {.QuadPart = 0};
    KIRQL OldIrql;
    KeInitializeQueue(&Queue, 1);
    KeInsertQueue(&Queue, &Entries[0]);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    PLIST_ENTRY First = KeRemoveQueue(&Queue, KernelMode, &None);
    ULONG_PTR Second = (ULONG_PTR)KeRemoveQueue(&Queue, KernelMode, &None);
    KeLowerIrql(OldIrql);
    CT_EQUAL(First, &Entries[0]);
    CT_EQUAL(Second, STATUS_TIMEOUT);
    CT_EQUAL((ULONG_PTR)KeRundownQueue(&Queue), 0);
}

static const CT_CASE Cases[] = {
    {"queue.init", QueueInit},
    {"queue.order", QueueOrder},
    {"queue.remove_many", QueueRemoveMany},
    {"queue.limit", QueueLimit},
    {"queue.blocked", QueueBlocked},
    {"queue.rundown", QueueRundown},
    {"queue.abandoned", QueueAbandoned},
    {"queue.rundown_busy", QueueRundownBusy},
    {"queue.poll", QueuePoll},
};
CT_DRIVER(Cases)

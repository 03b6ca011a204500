/* SPDX-License-Identifier: MIT
 * Kernel queues: entries, and workers of which no more than MaximumCount run at a time. A worker that blocks elsewhere lets another one run
 * meanwhile. All fields under the lock bit of the queue's header. KTHREAD.Queue is set under that lock by the thread, and set to NULL under
 * that lock and the ThreadLock: a worker that blocks elsewhere may find its queue run down, and its memory gone. [WDK KeInitializeQueue, KeInsertQueue, KeRemoveQueue, KeRundownQueue] */
#include "ki.h"
#include "ke_bugcheck.h"
#include "ke_checks.h"

#define KI_REQUIRE_QUEUE(Queue) KI_REQUIRE_OBJECT(Queue, 1u << QueueObject, "a queue")

VOID NTAPI KeInitializeQueue(PRKQUEUE Queue, ULONG Count)
{
    Queue->Header.Lock = 0;
    Queue->Header.Type = QueueObject;
    Queue->Header.Size = sizeof(KQUEUE) / sizeof(ULONG);
    Queue->Header.SignalState = 0;
    InitializeListHead(&Queue->Header.WaitListHead);
    InitializeListHead(&Queue->EntryListHead);
    InitializeListHead(&Queue->ThreadListHead);
    Queue->CurrentCount = 0;
    Queue->MaximumCount = Count != 0 ? Count : KeActiveProcessorCount; /* [WDK] zero: as many as processors */
}

LONG NTAPI KeReadStateQueue(PRKQUEUE Queue)
{
    KI_REQUIRE_QUEUE(Queue);
    return Queue->Header.SignalState;
}

/* The worker that began to wait last gets the entry: its stack is still in the caches. FALSE: none can take it. */
static BOOLEAN KiGiveEntryLocked(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    PLIST_ENTRY At = Queue->Header.WaitListHead.Blink;

    while (Queue->CurrentCount < Queue->MaximumCount && At != &Queue->Header.WaitListHead) {
        PKWAIT_BLOCK Block = CONTAINING_RECORD(At, KWAIT_BLOCK, WaitListEntry);
        At = At->Blink;
        Block->Thread->WaitQueueEntry = Entry; /* it looks at it only when its wait is claimed with success */
        if (!KiClaimWait(Block->Thread, STATUS_SUCCESS, 0))
            continue;
        KiRemoveWaitBlock(Block);
        Queue->CurrentCount++;
        return TRUE;
    }
    return FALSE;
}

/* [WDK Bug Check 0x96] An entry may be in a queue once; its Flink is NULL when it was removed. p1 the entry, p2 the queue. */
static DECLSPEC_NORETURN VOID KiBadEntry(PRKQUEUE Queue, PLIST_ENTRY Entry, PCSTR Text)
{
    KeBugCheckBlaming(NULL, INVALID_WORK_QUEUE_ITEM, (ULONG_PTR)Entry, (ULONG_PTR)Queue, 0, 0, Text);
}

#if NTBOX_CHECKED
static VOID KiCheckNewEntryLocked(PRKQUEUE Queue, PLIST_ENTRY New)
{
    PLIST_ENTRY Head = &Queue->EntryListHead;

    for (PLIST_ENTRY Entry = Head->Flink; Entry != Head && !KeChecksOff; Entry = Entry->Flink)
        if (Entry == New)
            KiBadEntry(Queue, New, "an entry was put into a queue that it is in already");
}
#else
#define KiCheckNewEntryLocked(Queue, New) ((void)0)
#endif

static LONG KiInsertQueue(PRKQUEUE Queue, PLIST_ENTRY Entry, BOOLEAN AtHead)
{
    KIRQL OldIrql = KiLockObject(&Queue->Header);
    LONG Previous = Queue->Header.SignalState;

    KiCheckNewEntryLocked(Queue, Entry);
    Entry->Flink = NULL; /* as of any entry that was removed, when a worker gets it at once */
    if (!IsListEmpty(&Queue->EntryListHead) || !KiGiveEntryLocked(Queue, Entry)) {
        Queue->Header.SignalState++;
        if (AtHead)
            InsertHeadList(&Queue->EntryListHead, Entry);
        else
            InsertTailList(&Queue->EntryListHead, Entry);
    }
    KiUnlockObject(&Queue->Header);
    KiExitDispatcher(OldIrql);
    return Previous;
}

/* [WDK KeInsertQueue] IRQL <= DISPATCH_LEVEL. Returns how many entries there were. */
LONG NTAPI KeInsertQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_QUEUE(Queue);
    return KiInsertQueue(Queue, Entry, FALSE);
}

LONG NTAPI KeInsertHeadQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_QUEUE(Queue);
    return KiInsertQueue(Queue, Entry, TRUE);
}

static PLIST_ENTRY KiUnlinkEntryLocked(PRKQUEUE Queue)
{
    PLIST_ENTRY Entry = Queue->EntryListHead.Flink;

    if (Entry->Flink == NULL || Entry->Blink == NULL)
        KiBadEntry(Queue, Entry, "a queue entry was initialized again or freed while it was queued");
    Queue->Header.SignalState--;
    RemoveEntryList(Entry);
    Entry->Flink = NULL;
    return Entry;
}

static PLIST_ENTRY KiTakeEntryLocked(PRKQUEUE Queue)
{
    return IsListEmpty(&Queue->EntryListHead) ? NULL : KiUnlinkEntryLocked(Queue);
}

/* The queue of the current thread, locked; NULL: it has none, or not any more. While its ThreadLock is held the queue is not run down; that lock
 * comes after an object's, so the object is only tried. */
static PRKQUEUE KiLockOwnQueue(PKTHREAD Thread)
{
    while (Thread->Queue != NULL) {
        ArchAcquireLockAtIrql(&Thread->ThreadLock);
        PRKQUEUE Queue = Thread->Queue;
        BOOLEAN Taken = Queue != NULL && KiTryLockObjectAtDispatch(&Queue->Header);
        ArchReleaseLockFromIrql(&Thread->ThreadLock);
        if (Taken)
            return Queue;
        __builtin_ia32_pause();
    }
    return NULL;
}

static VOID KiLeaveQueueLocked(PRKQUEUE Queue)
{
    Queue->CurrentCount--;
    if (!IsListEmpty(&Queue->EntryListHead) && KiGiveEntryLocked(Queue, Queue->EntryListHead.Flink)) {
        /* the entry's links are free for the worker only now, and it cannot run before this lock is dropped or its wait takes it */
        (void)KiUnlinkEntryLocked(Queue);
    }
}

VOID KiLeaveQueue(PKTHREAD Thread)
{
    PRKQUEUE Queue = KiLockOwnQueue(Thread);

    if (Queue == NULL)
        return;
    KiLeaveQueueLocked(Queue);
    KiUnlockObject(&Queue->Header);
}

VOID KiReenterQueue(PKTHREAD Thread)
{
    PRKQUEUE Queue = KiLockOwnQueue(Thread);

    if (Queue == NULL)
        return;
    Queue->CurrentCount++;
    KiUnlockObject(&Queue->Header);
}

/* Queue locked. */
static VOID KiUnlinkWorkerLocked(PKTHREAD Thread)
{
    RemoveEntryList(&Thread->QueueListEntry);
    ArchAcquireLockAtIrql(&Thread->ThreadLock);
    Thread->Queue = NULL;
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
}

/* DISPATCH_LEVEL or below: a worker ends or goes over to another queue. */
VOID KiDissociateQueue(PKTHREAD Thread)
{
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    PRKQUEUE Queue = KiLockOwnQueue(Thread);

    if (Queue != NULL) {
        KiLeaveQueueLocked(Queue);
        KiUnlinkWorkerLocked(Thread);
        KiUnlockObject(&Queue->Header);
    }
    KiExitDispatcher(OldIrql);
}

/* Queue locked: the caller becomes one of its workers, or stops being counted as a running one. */
static VOID KiArriveLocked(PRKQUEUE Queue, PKTHREAD Thread)
{
    if (Thread->Queue == Queue) {
        Queue->CurrentCount--;
        return;
    }
    InsertTailList(&Queue->ThreadListHead, &Thread->QueueListEntry);
    Thread->Queue = Queue;
}

/* The first entry, or NULL and a status: STATUS_TIMEOUT, STATUS_ALERTED, STATUS_USER_APC, STATUS_KERNEL_APC, STATUS_ABANDONED.
 * DISPATCH_LEVEL. In each case but the last the caller is a running worker again. */
static PLIST_ENTRY KiRemoveQueueOnce(PRKQUEUE Queue, PKTHREAD Thread, const KI_WAIT *Wait, NTSTATUS *Status)
{
    PLIST_ENTRY Entry = NULL;

    KiLockObjectAtDispatch(&Queue->Header);
    if (Queue->Header.Abandoned) {
        *Status = STATUS_ABANDONED;
        KiUnlockObject(&Queue->Header);
        return NULL;
    }
    KiArriveLocked(Queue, Thread);
    if (Queue->CurrentCount < Queue->MaximumCount)
        Entry = KiTakeEntryLocked(Queue);
    if (Entry != NULL || Wait->Poll) {
        *Status = Entry != NULL ? STATUS_SUCCESS : STATUS_TIMEOUT;
        Queue->CurrentCount++;
        KiUnlockObject(&Queue->Header);
        return Entry;
    }
    KiSetWaitBlock(Wait->Blocks, Thread, Queue, 0, WaitAny);
    KiBeginWait(Thread);
    KiInsertWaitBlock(Wait->Blocks, &Queue->Header);
    KiUnlockObject(&Queue->Header);
    *Status = KiFinishWait(Thread, Wait, 1);
    if (*Status == STATUS_SUCCESS)
        return Thread->WaitQueueEntry;
    KiReenterQueue(Thread);
    return NULL;
}

/* At DISPATCH_LEVEL the caller may be in any thread: it does not become a worker. */
static PLIST_ENTRY KiPollQueue(PRKQUEUE Queue, NTSTATUS *Status)
{
    PLIST_ENTRY Entry = NULL;

    KiLockObjectAtDispatch(&Queue->Header);
    if (!Queue->Header.Abandoned)
        Entry = KiTakeEntryLocked(Queue);
    *Status = Entry != NULL ? STATUS_SUCCESS : Queue->Header.Abandoned ? STATUS_ABANDONED : STATUS_TIMEOUT;
    KiUnlockObject(&Queue->Header);
    return Entry;
}

/* [WDK KeRemoveQueue] IRQL <= DISPATCH_LEVEL, which leaves a wait out: above APC_LEVEL the time-out is zero. */
static VOID KiCheckRemoveContract(PLARGE_INTEGER Timeout, PCSTR Function)
{
    KI_REQUIRE_IRQL_OF(Function, (Timeout != NULL && Timeout->QuadPart == 0) ? DISPATCH_LEVEL : APC_LEVEL);
}

static PLIST_ENTRY KiRemoveQueue(PRKQUEUE Queue, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                 PLARGE_INTEGER Timeout, NTSTATUS *Status)
{
    PKTHREAD Thread = KiCurrentThread();
    KI_WAIT Wait = {.Count = 1,
                    .Type = WaitAny,
                    .Mode = WaitMode,
                    .Alertable = Alertable,
                    .Blocks = Thread->WaitBlock,
                    .InQueue = TRUE};
    PLIST_ENTRY Entry;

    KiPrepareTimeout(&Wait, Timeout);
    if (ArchGetIrql() == DISPATCH_LEVEL)
        return KiPollQueue(Queue, Status);
    if (Thread->Queue != Queue)
        KiDissociateQueue(Thread);
    Thread->WaitReason = WrQueue;
    Thread->WaitCount = 0;
    do {
        KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
        Thread->WaitIrql = OldIrql;
        Entry = KiRemoveQueueOnce(Queue, Thread, &Wait, Status);
        KiExitDispatcher(OldIrql);
    } while (*Status == STATUS_KERNEL_APC);
    return Entry;
}

/* [WDK KeRemoveQueue] The entry, or the status STATUS_TIMEOUT, STATUS_USER_APC or STATUS_ABANDONED as a pointer. */
PLIST_ENTRY NTAPI KeRemoveQueue(PRKQUEUE Queue, KPROCESSOR_MODE WaitMode, PLARGE_INTEGER Timeout)
{
    NTSTATUS Status;

    KiCheckRemoveContract(Timeout, __func__);
    KI_REQUIRE_QUEUE(Queue);
    WaitMode = KI_MODE(WaitMode);
    PLIST_ENTRY Entry = KiRemoveQueue(Queue, WaitMode, FALSE, Timeout, &Status);
    return Entry != NULL ? Entry : (PLIST_ENTRY)(ULONG_PTR)(ULONG)Status;
}

/* [WDK KeRemoveQueueEx] At least one entry and whatever else is there, up to Count; returns how many, or the status of the wait. */
ULONG NTAPI KeRemoveQueueEx(PKQUEUE Queue, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                            PLARGE_INTEGER Timeout, PLIST_ENTRY *EntryArray, ULONG Count)
{
    NTSTATUS Status;
    ULONG Taken = 0;

    KiCheckRemoveContract(Timeout, __func__);
    KI_REQUIRE_QUEUE(Queue);
    WaitMode = KI_MODE(WaitMode);
    KI_REQUIRE_ARGUMENT(Count != 0, Count);
    if (Count == 0)
        return 0;
    EntryArray[0] = KiRemoveQueue(Queue, WaitMode, Alertable, Timeout, &Status);
    if (EntryArray[0] == NULL)
        return (ULONG)Status;
    KIRQL OldIrql = KiLockObject(&Queue->Header);
    for (Taken = 1; Taken < Count; Taken++)
        if ((EntryArray[Taken] = KiTakeEntryLocked(Queue)) == NULL)
            break;
    KiUnlockObject(&Queue->Header);
    ArchSetIrql(OldIrql);
    return Taken;
}

/* Queue locked. FALSE: the thread is about to block, on another processor. One that is claimed by another end of its wait is let go of: it does
 * not come back to the queue for a block that is out. */
static BOOLEAN KiAbandonWaiterLocked(PKWAIT_BLOCK Block)
{
    if (__atomic_load_n(&Block->Thread->WaitState, __ATOMIC_ACQUIRE) == KiWaitInProgress)
        return FALSE;
    (void)KiClaimBlockedWait(Block->Thread, STATUS_ABANDONED, 0);
    KiRemoveWaitBlock(Block);
    return TRUE;
}

/* Queue locked, before and after. Each wait for it ends, and nobody who waited knows it any more: its memory may go. */
static VOID KiAbandonWaitersLocked(PRKQUEUE Queue)
{
    PLIST_ENTRY Head = &Queue->Header.WaitListHead;

    while (!IsListEmpty(Head)) {
        if (KiAbandonWaiterLocked(CONTAINING_RECORD(Head->Flink, KWAIT_BLOCK, WaitListEntry)))
            continue;
        KiUnlockObject(&Queue->Header);
        __builtin_ia32_pause();
        KiLockObjectAtDispatch(&Queue->Header);
    }
}

/* [WDK KeRundownQueue] IRQL <= DISPATCH_LEVEL. Who waits, and who comes later, gets STATUS_ABANDONED, until the queue is initialized again. Lets go
 * of its workers; returns the first of the entries that are left, a ring without a head, or NULL. */
PLIST_ENTRY NTAPI KeRundownQueue(PRKQUEUE Queue)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_QUEUE(Queue);
    KIRQL OldIrql = KiLockObject(&Queue->Header);
    PLIST_ENTRY First = IsListEmpty(&Queue->EntryListHead) ? NULL : Queue->EntryListHead.Flink;

    if (First != NULL)
        RemoveEntryList(&Queue->EntryListHead);
    InitializeListHead(&Queue->EntryListHead);
    Queue->Header.SignalState = 0;
    Queue->Header.Abandoned = TRUE;
    KiAbandonWaitersLocked(Queue);
    while (!IsListEmpty(&Queue->ThreadListHead))
        KiUnlinkWorkerLocked(CONTAINING_RECORD(Queue->ThreadListHead.Flink, KTHREAD, QueueListEntry));
    KiUnlockObject(&Queue->Header);
    KiExitDispatcher(OldIrql);
    return First;
}

/* SPDX-License-Identifier: MIT
 * What all dispatcher objects share: when they are signalled, what a satisfied wait does to them, and who is woken. */
#include "ki.h"

/* Thread's own lists: it is the caller, or in a wait that the caller has claimed. */
VOID KiTakeMutant(PKMUTANT Mutant, PKTHREAD Thread)
{
    Mutant->Header.SignalState--;
    if (Mutant->OwnerThread == Thread)
        return;
    Mutant->OwnerThread = Thread;
    Mutant->Abandoned = FALSE;
    Thread->KernelApcDisable -= Mutant->ApcDisable;
    if (KiIsByHandle(Mutant))
        KiListMutant(Mutant, Thread);
    else
        InsertTailList(&Thread->MutantListHead, &Mutant->MutantListEntry);
}

VOID KiInsertWaitBlock(PKWAIT_BLOCK Block, DISPATCHER_HEADER *Header)
{
    InsertTailList(&Header->WaitListHead, &Block->WaitListEntry);
    Block->BlockState = TRUE;
}

VOID KiRemoveWaitBlock(PKWAIT_BLOCK Block)
{
    if (!Block->BlockState)
        return;
    RemoveEntryList(&Block->WaitListEntry);
    __atomic_store_n(&Block->BlockState, FALSE, __ATOMIC_RELEASE);
}

static LONG64 KiClaimedState(NTSTATUS Status)
{
    return (LONG64)((ULONG64)(ULONG)Status << 32) | KiWaitClaimed;
}

/* It had given up its processor: nobody else knows the thread now. */
static VOID KiDeferReady(PKTHREAD Thread, KPRIORITY Increment)
{
    PKPRCB Prcb = KeGetPrcb();

    Thread->Increment = (UCHAR)Increment;
    Thread->DeferredNext = Prcb->DeferredReady;
    Prcb->DeferredReady = Thread;
}

BOOLEAN KiClaimWait(PKTHREAD Thread, NTSTATUS Status, KPRIORITY Increment)
{
    LONG64 Old = __atomic_load_n(&Thread->WaitState, __ATOMIC_ACQUIRE);

    do {
        if (Old != KiWaitInProgress && Old != KiWaitBlocked)
            return FALSE;
    } while (!__atomic_compare_exchange_n(&Thread->WaitState, &Old, KiClaimedState(Status), FALSE,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    KiTrace(KiTraceWake, Thread, (ULONG)Status);
    if (Old == KiWaitBlocked)
        KiDeferReady(Thread, Increment);
    return TRUE;
}

BOOLEAN KiClaimBlockedWait(PKTHREAD Thread, NTSTATUS Status, KPRIORITY Increment)
{
    LONG64 Blocked = KiWaitBlocked;

    if (!__atomic_compare_exchange_n(&Thread->WaitState, &Blocked, KiClaimedState(Status), FALSE,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return FALSE;
    KiTrace(KiTraceWake, Thread, (ULONG)Status);
    KiDeferReady(Thread, Increment);
    return TRUE;
}

BOOLEAN KiAllSignaled(PKTHREAD Thread)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++)
        if (!KiIsSignaled(Thread->WaitBlockList[i].Object, Thread))
            return FALSE;
    return TRUE;
}

NTSTATUS KiConsumeAll(PKTHREAD Thread)
{
    NTSTATUS Status = STATUS_WAIT_0;

    for (ULONG i = 0; i < Thread->WaitCount; i++) {
        PKWAIT_BLOCK Block = &Thread->WaitBlockList[i];
        if (KiWaitStatusOf(Block->Object, STATUS_WAIT_0) != STATUS_WAIT_0)
            Status = STATUS_ABANDONED_WAIT_0;
        KiConsumeSignal(Block->Object, Thread);
        KiRemoveWaitBlock(Block);
    }
    return Status;
}

/* The object was given before at the same place of the array or to the left: its lock is held already. */
static BOOLEAN KiIsRepeated(PKTHREAD Thread, ULONG Index)
{
    for (ULONG i = 0; i < Index; i++)
        if (Thread->WaitBlockList[i].Object == Thread->WaitBlockList[Index].Object)
            return TRUE;
    return FALSE;
}

static VOID KiUnlockOthers(PKTHREAD Thread, const DISPATCHER_HEADER *Held, ULONG Count)
{
    for (ULONG i = 0; i < Count; i++)
        if (Thread->WaitBlockList[i].Object != Held && !KiIsRepeated(Thread, i))
            KiUnlockObject(Thread->WaitBlockList[i].Object);
}

static BOOLEAN KiTryLockOthers(PKTHREAD Thread, const DISPATCHER_HEADER *Held)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++) {
        DISPATCHER_HEADER *Object = Thread->WaitBlockList[i].Object;
        if (Object == Held || KiIsRepeated(Thread, i) || KiTryLockObjectAtDispatch(Object))
            continue;
        KiUnlockOthers(Thread, Held, i);
        return FALSE;
    }
    return TRUE;
}

/* Status of the wait that is over, or STATUS_PENDING. The thread's block array stays: to leave its wait the thread must lock Header. */
static DECLSPEC_NOINLINE BOOLEAN KiTryWaitAll(PKTHREAD Thread, DISPATCHER_HEADER *Header, KPRIORITY Increment)
{
    BOOLEAN Done = FALSE;

    if (!KiTryLockOthers(Thread, Header))
        return KiClaimWait(Thread, KI_RETRY_WAIT_ALL, Increment), FALSE;
    if (KiAllSignaled(Thread)) {
        NTSTATUS Status = STATUS_WAIT_0;
        for (ULONG i = 0; i < Thread->WaitCount; i++)
            if (KiWaitStatusOf(Thread->WaitBlockList[i].Object, STATUS_WAIT_0) != STATUS_WAIT_0)
                Status = STATUS_ABANDONED_WAIT_0;
        Done = KiClaimWait(Thread, Status, Increment);
        if (Done)
            (void)KiConsumeAll(Thread);
    }
    KiUnlockOthers(Thread, Header, Thread->WaitCount);
    return Done;
}

static BOOLEAN KiTryWaitAny(PKWAIT_BLOCK Block, DISPATCHER_HEADER *Header, KPRIORITY Increment)
{
    if (!KiClaimWait(Block->Thread, KiWaitStatusOf(Header, Block->WaitKey), Increment))
        return FALSE; /* something else ended that wait: the thread takes its block out itself */
    KiConsumeSignal(Header, Block->Thread);
    KiRemoveWaitBlock(Block);
    return TRUE;
}

/* A satisfied WaitAll may take more than one block out of this list: the walk starts again. */
VOID KiWakeWaitersLocked(DISPATCHER_HEADER *Header, KPRIORITY Increment)
{
    PLIST_ENTRY Entry = Header->WaitListHead.Flink;

    while (Header->SignalState > 0 && Entry != &Header->WaitListHead) {
        PKWAIT_BLOCK Block = CONTAINING_RECORD(Entry, KWAIT_BLOCK, WaitListEntry);
        Entry = Entry->Flink;
        if (Block->WaitType == WaitAny)
            (void)KiTryWaitAny(Block, Header, Increment);
        else if (KiTryWaitAll(Block->Thread, Header, Increment))
            Entry = Header->WaitListHead.Flink;
    }
}

/* Woken last in first out by the list; oldest first is fair among equals. */
VOID KiReadyDeferred(PKPRCB Prcb)
{
    PKTHREAD Newest = Prcb->DeferredReady, Oldest = NULL;

    Prcb->DeferredReady = NULL;
    while (Newest != NULL) {
        PKTHREAD Next = Newest->DeferredNext;
        Newest->DeferredNext = Oldest;
        Oldest = Newest;
        Newest = Next;
    }
    while (Oldest != NULL) {
        PKTHREAD Next = Oldest->DeferredNext;
        KiReadyThread(Oldest);
        Oldest = Next;
    }
}

VOID KiDispatchWoken(KIRQL OldIrql)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->DeferredReady != NULL)
        KiReadyDeferred(Prcb);
    if (!Prcb->Reschedule)
        return;
    if (OldIrql < DISPATCH_LEVEL)
        KiYield(FALSE);
    else if (!Prcb->DpcActive)
        HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
}

LONG KiExitWoken(KIRQL OldIrql, LONG Result)
{
    KiDispatchWoken(OldIrql);
    ArchSetIrql(OldIrql);
    return Result;
}

VOID KiKeepRaised(KIRQL OldIrql)
{
    PKTHREAD Thread = KiCurrentThread();

    if (KeGetPrcb()->DeferredReady != NULL)
        KiReadyDeferred(KeGetPrcb());
    Thread->WaitNext = TRUE;
    Thread->WaitIrql = OldIrql;
}

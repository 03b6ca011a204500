/* SPDX-License-Identifier: MIT
 * What all dispatcher objects share: when they are signalled, what a satisfied wait does to them, and who is woken. */
#include "ki.h"

ARCH_LOCK KiDispatcherLock = ARCH_LOCK_INIT("Dispatcher", LockRankKeDispatcher, DISPATCH_LEVEL);

/* A thread that called KeSetEvent(..., Wait = TRUE) or the like holds the lock already (see KiKeepDispatcherLocked). */
KIRQL KiLockDispatcher(VOID)
{
    return ArchAcquireLock(&KiDispatcherLock);
}

BOOLEAN KiIsSignaled(DISPATCHER_HEADER *Header, PKTHREAD Thread)
{
    if (Header->Type == MutantObject)
        return Header->SignalState > 0 || CONTAINING_RECORD(Header, KMUTANT, Header)->OwnerThread == Thread;
    return Header->SignalState > 0;
}

static VOID KiTakeMutant(PKMUTANT Mutant, PKTHREAD Thread)
{
    Mutant->Header.SignalState--;
    if (Mutant->OwnerThread == Thread)
        return;
    Mutant->OwnerThread = Thread;
    Thread->KernelApcDisable -= Mutant->ApcDisable;
    InsertTailList(&Thread->MutantListHead, &Mutant->MutantListEntry);
}

VOID KiConsumeSignal(DISPATCHER_HEADER *Header, PKTHREAD Thread)
{
    switch (Header->Type) {
    case EventSynchronizationObject:
    case TimerSynchronizationObject:
        Header->SignalState = 0;
        break;
    case SemaphoreObject:
        Header->SignalState--;
        break;
    case MutantObject:
        KiTakeMutant(CONTAINING_RECORD(Header, KMUTANT, Header), Thread);
        break;
    default:
        break; /* notification objects, threads and processes stay signalled */
    }
}

static BOOLEAN KiAllSignaled(PKTHREAD Thread)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++)
        if (!KiIsSignaled(Thread->WaitBlockList[i].Object, Thread))
            return FALSE;
    return TRUE;
}

VOID KiUnwaitThreadLocked(PKTHREAD Thread, LONG_PTR WaitStatus)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++)
        RemoveEntryList(&Thread->WaitBlockList[i].WaitListEntry);
    if (Thread->TimedWait) {
        RemoveEntryList(&Thread->WaitBlock[KI_TIMER_WAIT_BLOCK].WaitListEntry);
        KiRemoveTimerLocked(&Thread->Timer);
    }
    Thread->WaitStatus = WaitStatus;
    KiReadyThreadLocked(Thread);
}

/* One waiter: TRUE when its wait is over. */
static BOOLEAN KiTryToSatisfy(PKWAIT_BLOCK Block, DISPATCHER_HEADER *Header)
{
    PKTHREAD Thread = Block->Thread;

    if (Block->WaitType == WaitAny) {
        KiConsumeSignal(Header, Thread);
        KiUnwaitThreadLocked(Thread, Block->WaitKey);
        return TRUE;
    }
    if (!KiAllSignaled(Thread))
        return FALSE;
    for (ULONG i = 0; i < Thread->WaitCount; i++)
        KiConsumeSignal(Thread->WaitBlockList[i].Object, Thread);
    KiUnwaitThreadLocked(Thread, STATUS_WAIT_0);
    return TRUE;
}

/* Unwaiting removes all blocks of that thread, so the walk starts again from the head after each success. */
VOID KiWakeWaitersLocked(DISPATCHER_HEADER *Header)
{
    PLIST_ENTRY Entry = Header->WaitListHead.Flink;

    while (Header->SignalState > 0 && Entry != &Header->WaitListHead) {
        PKWAIT_BLOCK Block = CONTAINING_RECORD(Entry, KWAIT_BLOCK, WaitListEntry);
        Entry = KiTryToSatisfy(Block, Header) ? Header->WaitListHead.Flink : Entry->Flink;
    }
}

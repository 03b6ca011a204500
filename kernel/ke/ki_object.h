/* SPDX-License-Identifier: MIT
 * Tier 3, ke only: the short paths of every operation on a dispatcher object, inline: its lock bit, its state, the way out of
 * the dispatcher. What happens seldom is behind a call. */
#pragma once
#include "arch_lock.h"
#include "ki.h"

extern const ARCH_LOCK_CLASS KiObjectLockClass;

/* --- the lock bit; DISPATCH_LEVEL while held --- */

static inline BOOLEAN KiTakeObjectBit(DISPATCHER_HEADER *Header)
{
    return (__atomic_fetch_or(&Header->Lock, KI_OBJECT_LOCK_BIT, __ATOMIC_ACQUIRE) & KI_OBJECT_LOCK_BIT) == 0;
}

static inline VOID KiLockObjectAtDispatch(DISPATCHER_HEADER *Header)
{
    ArchLockWillAcquire(Header, &KiObjectLockClass);
    if (__builtin_expect(!KiTakeObjectBit(Header), 0))
        KiWaitForObjectLock(Header);
    ArchLockAcquired(Header, &KiObjectLockClass, __builtin_return_address(0));
}

/* For a short path: FALSE when it is taken, and the long path then waits for it; so the order matters. */
static inline BOOLEAN KiLockFreeObjectAtDispatch(DISPATCHER_HEADER *Header)
{
    ArchLockWillAcquire(Header, &KiObjectLockClass);
    if (__builtin_expect(!KiTakeObjectBit(Header), 0))
        return FALSE;
    ArchLockAcquired(Header, &KiObjectLockClass, __builtin_return_address(0));
    return TRUE;
}

/* The order does not matter: it does not wait. */
static inline BOOLEAN KiTryLockObjectAtDispatch(DISPATCHER_HEADER *Header)
{
    if (!KiTakeObjectBit(Header))
        return FALSE;
    ArchLockAcquired(Header, &KiObjectLockClass, __builtin_return_address(0));
    return TRUE;
}

/* A plain store of the byte: nobody else writes it while the bit is set. */
static inline VOID KiUnlockObject(DISPATCHER_HEADER *Header)
{
    ArchLockWillRelease(Header, &KiObjectLockClass);
    __atomic_store_n(&Header->Type, KiObjectType(Header), __ATOMIC_RELEASE);
}

__attribute__((warn_unused_result)) static inline KIRQL KiLockObject(DISPATCHER_HEADER *Header)
{
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KiLockObjectAtDispatch(Header);
    return OldIrql;
}

/* --- state; object locked --- */

static inline BOOLEAN KiIsSignaled(const DISPATCHER_HEADER *Header, PKTHREAD Thread)
{
    if (Header->SignalState > 0)
        return TRUE;
    return KiObjectType(Header) == MutantObject &&
           CONTAINING_RECORD(Header, KMUTANT, Header)->OwnerThread == Thread;
}

/* STATUS_ABANDONED_... for an abandoned mutex. */
static inline NTSTATUS KiWaitStatusOf(const DISPATCHER_HEADER *Header, NTSTATUS Status)
{
    if (KiObjectType(Header) == MutantObject && CONTAINING_RECORD(Header, KMUTANT, Header)->Abandoned)
        return Status + STATUS_ABANDONED_WAIT_0;
    return Status;
}

/* What a satisfied wait does to the object. Notification objects, threads and processes stay signalled. FALSE: a mutant, which the thread
 * must be made the owner of. */
static inline BOOLEAN KiConsumePlainSignal(DISPATCHER_HEADER *Header)
{
    UCHAR Type = KiObjectType(Header);

    if (Type == EventSynchronizationObject || Type == TimerSynchronizationObject)
        Header->SignalState = 0;
    else if (Type == SemaphoreObject)
        Header->SignalState--;
    return Type != MutantObject;
}

static inline VOID KiConsumeSignal(DISPATCHER_HEADER *Header, PKTHREAD Thread)
{
    if (!KiConsumePlainSignal(Header))
        KiTakeMutant(CONTAINING_RECORD(Header, KMUTANT, Header), Thread);
}

/* The state became positive: gives it to waiters as far as it goes. The threads go to DeferredReady. */
static inline VOID KiSignalWaitersLocked(DISPATCHER_HEADER *Header, KPRIORITY Increment)
{
    if (!IsListEmpty(&Header->WaitListHead))
        KiWakeWaitersLocked(Header, Increment);
}

/* --- the way out; no lock held any more --- */

/* Makes the woken threads ready, switches to one of higher priority if OldIrql allows it, lowers. */
static inline VOID KiExitDispatcher(KIRQL OldIrql)
{
    PKPRCB Prcb = KeGetPrcb();

    if (__builtin_expect(Prcb->DeferredReady != NULL || Prcb->Reschedule, 0))
        KiDispatchWoken(OldIrql);
    ArchSetIrql(OldIrql);
}

/* The same as a function's last statement: what seldom happens is jumped to, and the rest needs no stack. */
LONG KiExitWoken(KIRQL OldIrql, LONG Result);

static inline LONG KiExitDispatcherWith(KIRQL OldIrql, LONG Result)
{
    PKPRCB Prcb = KeGetPrcb();

    if (__builtin_expect(Prcb->DeferredReady != NULL || Prcb->Reschedule, 0))
        return KiExitWoken(OldIrql, Result);
    ArchSetIrql(OldIrql);
    return Result;
}

/* The end of KeSetEvent, KeReleaseMutex ...: with Wait the IRQL stays up for the wait that follows at once. */
static inline VOID KiExitOrWait(KIRQL OldIrql, BOOLEAN Wait)
{
    if (!Wait)
        KiExitDispatcher(OldIrql);
    else
        KiKeepRaised(OldIrql);
}

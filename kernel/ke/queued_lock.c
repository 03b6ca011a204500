/* SPDX-License-Identifier: MIT
 * In-stack queued spin locks: who waits spins on its own handle, and the lock goes to who came first (the locks of
 * Mellor-Crummey and Scott, 1991).
 *
 *   KSPIN_LOCK -> handle of the last in the queue, 0 when free
 *   handle.LockQueue.Next  -> the handle that came after it, NULL when none has yet said so
 *   handle.LockQueue.Lock  -> the lock, | LOCK_QUEUE_WAIT while waiting
 *
 * [WDK KeAcquireInStackQueuedSpinLock] A lock is used either with a handle or without, never both: that is a bug check. */
#include "ki_lock.h"
#include "rtl.h"

static const ARCH_LOCK_CLASS KiQueuedLockClass = {
    .Name = "queued spin lock", .Rank = LockRankDriver, .Irql = DISPATCH_LEVEL};
ASSERT_OFFSET(KLOCK_QUEUE_HANDLE, OldIrql, 0x10);

/* The owner that spinlock.c left does not know that somebody waits. */
static DECLSPEC_NORETURN VOID KiMixedLock(PKSPIN_LOCK SpinLock, ULONG_PTR Owner)
{
    CONTEXT Context;

    RtlCaptureContext(&Context);
    KiBugCheck(SPIN_LOCK_ALREADY_OWNED, (ULONG64)SpinLock, Owner, 0, 0, &Context,
               "a spin lock that was acquired without a queue handle is acquired with one");
}

static DECLSPEC_NOINLINE VOID KiWaitInQueue(KSPIN_LOCK_QUEUE *Mine, ULONG_PTR Last, PKSPIN_LOCK SpinLock)
{
    ARCH_SPIN Spin = {.Lock = SpinLock, .Class = &KiQueuedLockClass};

    if ((Last & 1) != 0)
        KiMixedLock(SpinLock, Last);
    __atomic_store_n((ULONG_PTR *)&Mine->Lock, (ULONG_PTR)SpinLock | LOCK_QUEUE_WAIT, __ATOMIC_RELAXED);
    __atomic_store_n(&((KSPIN_LOCK_QUEUE *)Last)->Next, Mine, __ATOMIC_RELEASE);
    while ((__atomic_load_n((ULONG_PTR *)&Mine->Lock, __ATOMIC_ACQUIRE) & LOCK_QUEUE_WAIT) != 0)
        ArchSpin(&Spin);
}

static inline VOID KiTakeQueuedLock(PKSPIN_LOCK SpinLock, KSPIN_LOCK_QUEUE *Mine, const void *Caller)
{
    ArchLockWillAcquire(SpinLock, &KiQueuedLockClass);
    Mine->Next = NULL;
    Mine->Lock = SpinLock;
    ULONG_PTR Last = __atomic_exchange_n(SpinLock, (ULONG_PTR)Mine, __ATOMIC_ACQ_REL);
    if (__builtin_expect(Last != 0, 0))
        KiWaitInQueue(Mine, Last, SpinLock);
    ArchLockAcquired(SpinLock, &KiQueuedLockClass, Caller);
}

/* Somebody came after us; it may be about to say so. */
static DECLSPEC_NOINLINE VOID KiPassQueuedLock(KSPIN_LOCK_QUEUE *Mine, PKSPIN_LOCK SpinLock)
{
    ARCH_SPIN Spin = {.Lock = SpinLock, .Class = &KiQueuedLockClass};
    KSPIN_LOCK_QUEUE *Next;

    while ((Next = __atomic_load_n(&Mine->Next, __ATOMIC_ACQUIRE)) == NULL)
        ArchSpin(&Spin);
    __atomic_store_n((ULONG_PTR *)&Next->Lock, (ULONG_PTR)SpinLock, __ATOMIC_RELEASE);
}

static inline VOID KiGiveQueuedLock(KSPIN_LOCK_QUEUE *Mine)
{
    PKSPIN_LOCK SpinLock = Mine->Lock;
    ULONG_PTR Last = (ULONG_PTR)Mine;

    ArchLockWillRelease(SpinLock, &KiQueuedLockClass);
    if (__builtin_expect(
            !__atomic_compare_exchange_n(SpinLock, &Last, 0, FALSE, __ATOMIC_RELEASE, __ATOMIC_RELAXED), 0))
        KiPassQueuedLock(Mine, SpinLock);
}

static inline VOID KiRaiseAndTake(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle, const void *Caller)
{
    LockHandle->OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KiTakeQueuedLock(SpinLock, &LockHandle->LockQueue, Caller);
}

static inline VOID KiGiveAndLower(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KiGiveQueuedLock(&LockHandle->LockQueue);
    KiLowerFromLock(LockHandle->OldIrql);
}

/* [WDK KeAcquireInStackQueuedSpinLock] IRQL <= DISPATCH_LEVEL; raises to DISPATCH_LEVEL. The handle is the caller's and
 * stays where it is until the release. */
DECLSPEC_NOINLINE VOID FASTCALL KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock,
                                                               PKLOCK_QUEUE_HANDLE LockHandle)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KiRaiseAndTake(SpinLock, LockHandle, __builtin_return_address(0));
}

/* [WDK KeReleaseInStackQueuedSpinLock] IRQL = DISPATCH_LEVEL. */
VOID FASTCALL KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KiGiveAndLower(LockHandle);
}

/* [WDK KeAcquireInStackQueuedSpinLockAtDpcLevel] IRQL >= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE VOID FASTCALL KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock,
                                                                         PKLOCK_QUEUE_HANDLE LockHandle)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    KiTakeQueuedLock(SpinLock, &LockHandle->LockQueue, __builtin_return_address(0));
}

VOID FASTCALL KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    KiGiveQueuedLock(&LockHandle->LockQueue);
}

/* [WDK KeAcquireInStackQueuedSpinLockForDpc] In a threaded DPC, which may run at PASSIVE_LEVEL or DISPATCH_LEVEL. */
DECLSPEC_NOINLINE VOID FASTCALL KeAcquireInStackQueuedSpinLockForDpc(PKSPIN_LOCK SpinLock,
                                                                     PKLOCK_QUEUE_HANDLE LockHandle)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KiRaiseAndTake(SpinLock, LockHandle, __builtin_return_address(0));
}

VOID FASTCALL KeReleaseInStackQueuedSpinLockForDpc(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KiGiveAndLower(LockHandle);
}

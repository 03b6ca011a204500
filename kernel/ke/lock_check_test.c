/* SPDX-License-Identifier: MIT
 * What the checked kernel notes of held spin locks. What it refuses is tried by the drivers of test/bad. */
#include "ki.h"
#include "arch_lock.h"
#include "kt.h"

static const KI_HELD_LOCK *LockNoted(const void *Lock)
{
    PKPRCB Holder;
    const KI_HELD_LOCK *Held = KiFindLockHolder(Lock, &Holder);

    return Held != NULL && Holder == KeGetPrcb() ? Held : NULL;
}

KT_TEST(lock_stack_holds_locks_of_the_kernel_and_of_drivers)
{
    static ARCH_LOCK Kernel = ARCH_LOCK_INIT("test", LockRankKeObject, DISPATCH_LEVEL);
    KSPIN_LOCK Driver = 0;
    KLOCK_QUEUE_HANDLE Handle;
    KSPIN_LOCK Queued = 0;
    KIRQL Outer;

    KeAcquireSpinLock(&Driver, &Outer);
    ULONG One = KeHeldLockCount();
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&Queued, &Handle);
    ArchAcquireLockAtIrql(&Kernel);
    ULONG Three = KeHeldLockCount();
    BOOLEAN Noted = LockNoted(&Driver) != NULL && LockNoted(&Queued) != NULL && LockNoted(&Kernel) != NULL &&
                    LockNoted(&Kernel)->Class == &Kernel.Class;
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&Handle); /* not the last one that was taken */
    BOOLEAN Forgotten =
        LockNoted(&Queued) == NULL && LockNoted(&Driver) != NULL && LockNoted(&Kernel) != NULL;
    ArchReleaseLockFromIrql(&Kernel);
    ULONG Last = KeHeldLockCount();
    KeReleaseSpinLock(&Driver, Outer);
    KT_EXPECT(One == 1 && Three == 3 && Last == 1 && KeHeldLockCount() == 0);
    KT_EXPECT(Noted);
    KT_EXPECT(Forgotten);
}

KT_TEST(lock_tried_for_may_have_any_rank)
{
    static ARCH_LOCK High = ARCH_LOCK_INIT("high", LockRankKeReady, DISPATCH_LEVEL);
    static ARCH_LOCK Low = ARCH_LOCK_INIT("low", LockRankKeObject, DISPATCH_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&High);
    BOOLEAN First = ArchTryAcquireLockAtIrql(&Low);
    BOOLEAN Second = ArchTryAcquireLockAtIrql(&Low);
    ULONG Held = KeHeldLockCount();

    if (First)
        ArchReleaseLockFromIrql(&Low);
    ArchReleaseLock(&High, OldIrql);
    KT_EXPECT(First && !Second && Held == 2);
}

KT_TEST(lock_of_a_higher_irql_follows_any)
{
    static ARCH_LOCK AtDispatch = ARCH_LOCK_INIT("dispatch", LockRankLog, DISPATCH_LEVEL);
    static ARCH_LOCK AtHigh = ARCH_LOCK_INIT("high", LockRankKeDpc, HIGH_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&AtDispatch);
    KIRQL Inner = ArchAcquireLock(&AtHigh); /* a lower rank, but whoever holds it cannot wait for the other */

    ArchReleaseLock(&AtHigh, Inner);
    ArchReleaseLock(&AtDispatch, OldIrql);
    KT_EXPECT(Inner == DISPATCH_LEVEL && KeHeldLockCount() == 0);
}

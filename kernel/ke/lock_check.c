/* SPDX-License-Identifier: MIT
 * Checked kernel: every spin lock a processor takes is noted, and its rank must be above that of all it holds. */
#include "ki.h"
#include "arch_lock.h"

VOID KiInitializeLockChecks(VOID);

#if NTBOX_CHECKED

static VOID KiCheckLockOrder(const ARCH_LOCK *Lock)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->BugCheckActive)
        return;
    for (ULONG i = 0; i < Prcb->HeldLockCount; i++) {
        const ARCH_LOCK *Held = Prcb->HeldLocks[i];
        if (Held == Lock || Held->Rank >= Lock->Rank) {
            KdLog("lock order: %s (rank %u) is taken while %s (rank %u) is held", Lock->Name,
                  (unsigned)Lock->Rank, Held->Name, (unsigned)Held->Rank);
            KeBugCheckEx(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)Lock, (ULONG_PTR)Held, Lock->Rank, Held->Rank);
        }
    }
}

static VOID KiNoteLock(const ARCH_LOCK *Lock)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->HeldLockCount < KI_MAX_HELD_LOCKS)
        Prcb->HeldLocks[Prcb->HeldLockCount] = Lock;
    Prcb->HeldLockCount++;
}

static VOID KiForgetLock(const ARCH_LOCK *Lock)
{
    PKPRCB Prcb = KeGetPrcb();
    ULONG i = Prcb->HeldLockCount;

    while (i > 0 && Prcb->HeldLocks[i - 1] != Lock)
        i--;
    for (; i != 0 && i < Prcb->HeldLockCount; i++)
        Prcb->HeldLocks[i - 1] = Prcb->HeldLocks[i];
    Prcb->HeldLockCount--;
}

static const ARCH_LOCK_HOOKS KiLockHooks = {KiCheckLockOrder, KiNoteLock, KiForgetLock};

VOID KiInitializeLockChecks(VOID)
{
    ArchLockHooks = &KiLockHooks;
}

#else

VOID KiInitializeLockChecks(VOID)
{
}

#endif

/* SPDX-License-Identifier: MIT
 * Checked kernel: every spin lock a processor takes is noted, and its rank must be above that of all it holds. */
#include "ki.h"
#include "arch_lock.h"

VOID KiInitializeLockChecks(VOID);

#if NTBOX_CHECKED

/* What is held at a lower IRQL was interrupted; whoever holds the new lock cannot wait for it. */
static BOOLEAN KiMayFollow(const KI_HELD_LOCK *Held, const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    if (Held->Class->Irql != Class->Irql)
        return Held->Class->Irql < Class->Irql;
    if (Held->Class->Rank == Class->Rank && Class->AddressOrder)
        return Held->Lock < Lock;
    return Held->Class->Rank < Class->Rank;
}

static VOID KiCheckLockOrder(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->BugCheckActive)
        return;
    for (ULONG i = 0; i < Prcb->HeldLockCount && i < KI_MAX_HELD_LOCKS; i++) {
        const KI_HELD_LOCK *Held = &Prcb->HeldLocks[i];
        if (Held->Lock == Lock || !KiMayFollow(Held, Lock, Class)) {
            KdLog("lock order: %s (%p, rank %u) is taken while %s (%p, rank %u) is held", Class->Name, Lock,
                  (unsigned)Class->Rank, Held->Class->Name, Held->Lock, (unsigned)Held->Class->Rank);
            KeBugCheckEx(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)Lock, (ULONG_PTR)Held->Lock, Class->Rank,
                         Held->Class->Rank);
        }
    }
}

static VOID KiNoteLock(const void *Lock, const ARCH_LOCK_CLASS *Class, const void *Caller)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->HeldLockCount < KI_MAX_HELD_LOCKS)
        Prcb->HeldLocks[Prcb->HeldLockCount] = (KI_HELD_LOCK){Lock, Class, Caller};
    Prcb->HeldLockCount++;
}

static VOID KiForgetLock(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    PKPRCB Prcb = KeGetPrcb();
    ULONG i = Prcb->HeldLockCount;

    while (i > 0 && Prcb->HeldLocks[i - 1].Lock != Lock)
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

/* SPDX-License-Identifier: MIT
 * Ranked spin locks of the kernel. The checked kernel keeps, per processor, the list of held locks and refuses an
 * acquisition whose rank is not above all of them: a dead lock is found the first time the order is wrong, not the
 * first time it bites. */
#include "arch_lock.h"

/* The processor number plus one, from the KPCR: gs:[0x1a4]. */
static ULONG_PTR ArchLockOwner(void)
{
    ULONG Number;
    __asm__ volatile("movl %%gs:0x1a4, %0" : "=r"(Number));
    return (ULONG_PTR)Number + 1;
}

const ARCH_LOCK_HOOKS *ArchLockHooks;

static VOID ArchSpinUntilFree(ARCH_LOCK *Lock, ULONG_PTR Owner)
{
    for (;;) {
        ULONG_PTR Free = 0;
        if (__atomic_compare_exchange_n(&Lock->Value, &Free, Owner, FALSE, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return;
        while (__atomic_load_n(&Lock->Value, __ATOMIC_RELAXED) != 0)
            __builtin_ia32_pause();
    }
}

VOID ArchAcquireLockAtIrql(ARCH_LOCK *Lock)
{
    if (NTBOX_CHECKED && ArchLockHooks != NULL)
        ArchLockHooks->BeforeAcquire(Lock);
    ArchSpinUntilFree(Lock, ArchLockOwner());
    if (NTBOX_CHECKED && ArchLockHooks != NULL)
        ArchLockHooks->AfterAcquire(Lock);
}

VOID ArchReleaseLockFromIrql(ARCH_LOCK *Lock)
{
    NT_CHECK(ArchLockIsHeld(Lock));
    if (NTBOX_CHECKED && ArchLockHooks != NULL)
        ArchLockHooks->BeforeRelease(Lock);
    __atomic_store_n(&Lock->Value, 0, __ATOMIC_RELEASE);
}

KIRQL ArchAcquireLock(ARCH_LOCK *Lock)
{
    KIRQL OldIrql = ArchRaiseIrql(Lock->Irql);

    NT_CHECK(OldIrql <= Lock->Irql);
    ArchAcquireLockAtIrql(Lock);
    return OldIrql;
}

VOID ArchReleaseLock(ARCH_LOCK *Lock, KIRQL OldIrql)
{
    ArchReleaseLockFromIrql(Lock);
    ArchSetIrql(OldIrql);
}

BOOLEAN ArchLockIsHeld(const ARCH_LOCK *Lock)
{
    return Lock->Value == ArchLockOwner();
}

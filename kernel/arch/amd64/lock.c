/* SPDX-License-Identifier: MIT
 * Ranked spin locks of the kernel. The checked kernel keeps, per processor, the list of held locks and refuses an
 * acquisition whose rank is not above all of them: a dead lock is found the first time the order is wrong, not the
 * first time it bites. */
#include "arch_lock.h"

const ARCH_LOCK_HOOKS *ArchLockHooks;
ULONG64 ArchSpinLimit;
VOID (*ArchSpunTooLong)(const ARCH_SPIN *Spin);

#define ARCH_SPIN_TURNS 256 /* between two looks at the time */

VOID ArchSpin(ARCH_SPIN *Spin)
{
    __builtin_ia32_pause();
    if (++Spin->Turns % ARCH_SPIN_TURNS != 0 || ArchSpinLimit == 0)
        return;
    ULONG64 Now = ArchReadTsc();
    if (Spin->Seen != 0)
        Spin->Spun += min(Now - Spin->Seen, ArchSpinLimit / 64);
    Spin->Seen = Now;
    if (Spin->Spun > ArchSpinLimit)
        ArchSpunTooLong(Spin);
}

/* Apart from the usual case, which needs no stack for it. */
DECLSPEC_NOINLINE VOID ArchWaitForLock(ARCH_LOCK *Lock)
{
    ARCH_SPIN Spin = {.Lock = Lock, .Class = &Lock->Class};

    do {
        while (__atomic_load_n(&Lock->Value, __ATOMIC_RELAXED) != 0)
            ArchSpin(&Spin);
    } while (!ArchTryLock(Lock));
}

#if NTBOX_CHECKED

static VOID ArchAcquireFor(ARCH_LOCK *Lock, const void *Caller)
{
    ArchLockWillAcquire(Lock, &Lock->Class);
    if (__builtin_expect(!ArchTryLock(Lock), 0))
        ArchWaitForLock(Lock);
    ArchLockAcquired(Lock, &Lock->Class, Caller);
}

DECLSPEC_NOINLINE VOID ArchAcquireLockAtIrql(ARCH_LOCK *Lock)
{
    ArchAcquireFor(Lock, __builtin_return_address(0));
}

DECLSPEC_NOINLINE BOOLEAN ArchTryAcquireLockAtIrql(ARCH_LOCK *Lock)
{
    BOOLEAN Taken = ArchTryLock(Lock);

    if (Taken)
        ArchLockAcquired(Lock, &Lock->Class, __builtin_return_address(0));
    return Taken;
}

VOID ArchReleaseLockFromIrql(ARCH_LOCK *Lock)
{
    NT_CHECK(ArchLockIsHeld(Lock));
    ArchLockWillRelease(Lock, &Lock->Class);
    __atomic_store_n(&Lock->Value, 0, __ATOMIC_RELEASE);
}

DECLSPEC_NOINLINE KIRQL ArchAcquireLock(ARCH_LOCK *Lock)
{
    KIRQL OldIrql = ArchRaiseIrql(Lock->Class.Irql);

    NT_CHECK(OldIrql <= Lock->Class.Irql);
    ArchAcquireFor(Lock, __builtin_return_address(0));
    return OldIrql;
}

VOID ArchReleaseLock(ARCH_LOCK *Lock, KIRQL OldIrql)
{
    ArchReleaseLockFromIrql(Lock);
    ArchSetIrql(OldIrql);
}

#endif

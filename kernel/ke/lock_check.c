/* SPDX-License-Identifier: MIT
 * Checked kernel: every spin lock that a processor takes, the kernel's and the drivers', is noted with the code that
 * took it. Its rank must be above that of all that the processor holds; nobody takes one twice, releases what he does
 * not hold, or lowers the IRQL under a lock. Each processor writes its own stack only; a report reads those of others,
 * which may be changing: it looks, it does not rely. */
#include "ki.h"
#include "ke_paged.h"
#include "arch_lock.h"
#include "crt.h"
#include "rtl.h"

#if NTBOX_CHECKED

static const KI_HELD_LOCK *KiFindHeldLock(const KPRCB *Prcb, const void *Lock)
{
    ULONG i = min(Prcb->HeldLockCount, KI_MAX_HELD_LOCKS);

    while (i > 0)
        if (Prcb->HeldLocks[--i].Lock == Lock)
            return &Prcb->HeldLocks[i];
    return NULL;
}

const KI_HELD_LOCK *KiFindLockHolder(const void *Lock, PKPRCB *Holder)
{
    for (ULONG i = 0; i < KI_MAX_PROCESSORS; i++) {
        *Holder = KiProcessorBlock[i];
        const KI_HELD_LOCK *Held = *Holder != NULL ? KiFindHeldLock(*Holder, Lock) : NULL;
        if (Held != NULL)
            return Held;
    }
    return NULL;
}

/* A bug check whose sentence names the code that took the lock that matters. */
static DECLSPEC_NORETURN VOID KiLockViolation(ULONG Code, const ULONG64 P[4], const void *Taker, PCSTR Format,
                                              ...)
{
    KI_SYMBOL Symbol;
    CHAR Text[400];
    CONTEXT Context;
    va_list Arguments;

    va_start(Arguments, Format);
    int Length = _vsnprintf(Text, sizeof(Text) - 1, Format, Arguments);
    va_end(Arguments);
    if (Taker != NULL && Length > 0) {
        KiUpcalls->Symbolize(Taker, &Symbol);
        _snprintf(Text + Length, sizeof(Text) - 1 - (ULONG)Length, ", which was acquired at %s", Symbol.Text);
    }
    Text[sizeof(Text) - 1] = 0;
    RtlCaptureContext(&Context);
    KiBugCheck(Code, P[0], P[1], P[2], P[3], &Context, Text);
}

/* What is held at a lower IRQL was interrupted; whoever holds the new lock cannot wait for it. Drivers' locks are
 * taken in the drivers' order. */
static BOOLEAN KiMayFollow(const KI_HELD_LOCK *Held, const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    if (Class->Rank == LockRankDriver)
        return TRUE;
    if (Held->Class->Irql != Class->Irql)
        return Held->Class->Irql < Class->Irql;
    if (Held->Class->Rank == Class->Rank && Class->AddressOrder)
        return Held->Lock < Lock;
    return Held->Class->Rank < Class->Rank;
}

static VOID KiBeforeAcquire(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->BugCheckActive)
        return;
    if (ArchGetIrql() < Class->Irql && ArchInterruptsEnabled())
        KiLockViolation(IRQL_NOT_DISPATCH_LEVEL, (const ULONG64[]){(ULONG64)Lock, ArchGetIrql(), 0, 0}, NULL,
                        "the %s %p is acquired at IRQL %u without raising it", Class->Name, Lock,
                        (unsigned)ArchGetIrql());
    for (ULONG i = 0; i < Prcb->HeldLockCount && i < KI_MAX_HELD_LOCKS; i++) {
        const KI_HELD_LOCK *Held = &Prcb->HeldLocks[i];
        const ULONG64 P[] = {(ULONG64)Lock, (ULONG64)Held->Lock, Class->Rank, Held->Class->Rank};
        if (Held->Lock == Lock)
            KiLockViolation(SPIN_LOCK_ALREADY_OWNED, P, Held->Caller, "processor %u acquires the %s %p again",
                            (unsigned)Prcb->Number, Class->Name, Lock);
        if (!KiMayFollow(Held, Lock, Class))
            KiLockViolation(SPIN_LOCK_ALREADY_OWNED, P, Held->Caller,
                            "lock order: %s (%p, rank %u) is taken under %s (%p, rank %u)", Class->Name, Lock,
                            (unsigned)Class->Rank, Held->Class->Name, Held->Lock,
                            (unsigned)Held->Class->Rank);
    }
}

static VOID KiAfterAcquire(const void *Lock, const ARCH_LOCK_CLASS *Class, const void *Caller)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->HeldLockCount < KI_MAX_HELD_LOCKS)
        Prcb->HeldLocks[Prcb->HeldLockCount] = (KI_HELD_LOCK){Lock, Class, Caller};
    Prcb->HeldLockCount++;
    if (Class->Rank == LockRankDriver)
        KeDenyPagedPool();
}

static DECLSPEC_NORETURN VOID KiReleasedUnheld(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    PKPRCB Holder;
    const KI_HELD_LOCK *Held = KiFindLockHolder(Lock, &Holder);
    const ULONG64 P[] = {(ULONG64)Lock, 0, 0, 0};

    if (Held == NULL)
        KiLockViolation(SPIN_LOCK_NOT_OWNED, P, NULL, "the %s %p is released; nobody holds it", Class->Name,
                        Lock);
    KiLockViolation(SPIN_LOCK_NOT_OWNED, P, Held->Caller, "processor %u releases the %s %p of processor %u",
                    (unsigned)KeGetPrcb()->Number, Class->Name, Lock, (unsigned)Holder->Number);
}

/* A queued lock as an ordinary one, a shared one as an exclusive one: the word of the lock is of another form. */
static DECLSPEC_NORETURN VOID KiReleasedOtherwise(const KI_HELD_LOCK *Held, const ARCH_LOCK_CLASS *Class)
{
    KiLockViolation(SPIN_LOCK_NOT_OWNED, (const ULONG64[]){(ULONG64)Held->Lock, 0, 0, 0}, Held->Caller,
                    "the %s %p is released as if it were another kind of lock (%s)", Held->Class->Name,
                    Held->Lock, Class->Name);
}

/* An interrupt between the moves leaves the entries above the gap as they were: it takes off what it put there. */
static VOID KiBeforeRelease(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    PKPRCB Prcb = KeGetPrcb();
    const KI_HELD_LOCK *Held = KiFindHeldLock(Prcb, Lock);

    if (Held == NULL && Prcb->HeldLockCount <= KI_MAX_HELD_LOCKS && !Prcb->BugCheckActive)
        KiReleasedUnheld(Lock, Class);
    if (Held != NULL && Held->Class != Class && !Prcb->BugCheckActive)
        KiReleasedOtherwise(Held, Class);
    if (Held != NULL)
        for (ULONG i = (ULONG)(Held - Prcb->HeldLocks) + 1; i < min(Prcb->HeldLockCount, KI_MAX_HELD_LOCKS);
             i++)
            Prcb->HeldLocks[i - 1] = Prcb->HeldLocks[i];
    Prcb->HeldLockCount--;
}

VOID KiCheckLocksBelow(KIRQL NewIrql)
{
    PKPRCB Prcb = KeGetPrcb();

    for (ULONG i = 0; i < Prcb->HeldLockCount && i < KI_MAX_HELD_LOCKS; i++) {
        const KI_HELD_LOCK *Held = &Prcb->HeldLocks[i];
        if (Held->Class->Irql > NewIrql)
            /* [WDK Bug Check 0xC4] 0x31: the current and the new IRQL; ours: the lock */
            KiLockViolation(DRIVER_VERIFIER_DETECTED_VIOLATION,
                            (const ULONG64[]){0x31, ArchGetIrql(), NewIrql, (ULONG64)Held->Lock},
                            Held->Caller, "IRQL %u is returned to under the %s %p", (unsigned)NewIrql,
                            Held->Class->Name, Held->Lock);
    }
}

VOID KiCheckLocksAtSwitch(VOID)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->HeldLockCount != 0 && Prcb->HeldLocks[0].Class->Rank == LockRankDriver)
        KiLockViolation(
            DRIVER_VERIFIER_DETECTED_VIOLATION,
            (const ULONG64[]){0x31, ArchGetIrql(), PASSIVE_LEVEL, (ULONG64)Prcb->HeldLocks[0].Lock},
            Prcb->HeldLocks[0].Caller, "a thread lost its processor while it held the %s %p",
            Prcb->HeldLocks[0].Class->Name, Prcb->HeldLocks[0].Lock);
}

static const ARCH_LOCK_HOOKS KiLockHooks = {KiBeforeAcquire, KiAfterAcquire, KiBeforeRelease};

VOID KiInitializeLockChecks(VOID)
{
    ArchLockHooks = &KiLockHooks;
}

#endif

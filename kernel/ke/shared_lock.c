/* SPDX-License-Identifier: MIT
 * Reader/writer spin locks (EX_SPIN_LOCK): any number share one, or one has it alone. A writer that waits keeps new
 * readers out, so a stream of readers cannot starve it; that is why taking one twice for shared access can dead-lock and
 * [WDK ExAcquireSpinLockShared] is forbidden.
 *
 *   bit 31 exclusive owner   bit 30 a writer waits   bits 0..29 readers
 *
 * Whoever waits to write sets bit 30 again and again until it has the lock; who gets it clears the bit for all. */
#include "ki_lock.h"

#define KI_EXCLUSIVE 0x80000000u
#define KI_WRITER_WAITS 0x40000000u

static const ARCH_LOCK_CLASS KiSharedLockClass = {
    .Name = "shared reader/writer spin lock", .Rank = LockRankDriver, .Irql = DISPATCH_LEVEL};
static const ARCH_LOCK_CLASS KiExclusiveLockClass = {
    .Name = "exclusive reader/writer spin lock", .Rank = LockRankDriver, .Irql = DISPATCH_LEVEL};

static inline BOOLEAN KiExchangeLock(PEX_SPIN_LOCK SpinLock, ULONG From, ULONG To)
{
    EX_SPIN_LOCK Expected = (EX_SPIN_LOCK)From;

    return __atomic_compare_exchange_n(SpinLock, &Expected, (EX_SPIN_LOCK)To, FALSE, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static inline ULONG KiReadLock(PEX_SPIN_LOCK SpinLock)
{
    return (ULONG)__atomic_load_n(SpinLock, __ATOMIC_RELAXED);
}

static VOID KiTakeShared(PEX_SPIN_LOCK SpinLock, const void *Caller)
{
    ARCH_SPIN Spin = {.Lock = SpinLock, .Class = &KiSharedLockClass};
    ULONG Value;

    ArchLockWillAcquire(SpinLock, &KiSharedLockClass);
    while (((Value = KiReadLock(SpinLock)) & (KI_EXCLUSIVE | KI_WRITER_WAITS)) != 0 ||
           !KiExchangeLock(SpinLock, Value, Value + 1))
        ArchSpin(&Spin);
    ArchLockAcquired(SpinLock, &KiSharedLockClass, Caller);
}

static VOID KiTakeExclusive(PEX_SPIN_LOCK SpinLock, const void *Caller)
{
    ARCH_SPIN Spin = {.Lock = SpinLock, .Class = &KiExclusiveLockClass};
    ULONG Value;

    ArchLockWillAcquire(SpinLock, &KiExclusiveLockClass);
    while (((Value = KiReadLock(SpinLock)) & ~KI_WRITER_WAITS) != 0 ||
           !KiExchangeLock(SpinLock, Value, KI_EXCLUSIVE)) {
        if ((Value & KI_WRITER_WAITS) == 0)
            __atomic_fetch_or((PULONG)SpinLock, KI_WRITER_WAITS, __ATOMIC_RELAXED);
        ArchSpin(&Spin);
    }
    ArchLockAcquired(SpinLock, &KiExclusiveLockClass, Caller);
}

static VOID KiGiveShared(PEX_SPIN_LOCK SpinLock)
{
    ArchLockWillRelease(SpinLock, &KiSharedLockClass);
    __atomic_fetch_sub(SpinLock, 1, __ATOMIC_RELEASE);
}

static VOID KiGiveExclusive(PEX_SPIN_LOCK SpinLock)
{
    ArchLockWillRelease(SpinLock, &KiExclusiveLockClass);
    __atomic_fetch_and((PULONG)SpinLock, ~KI_EXCLUSIVE, __ATOMIC_RELEASE);
}

/* [WDK ExAcquireSpinLockShared] IRQL <= DISPATCH_LEVEL; raises to DISPATCH_LEVEL and returns the old IRQL. */
DECLSPEC_NOINLINE KIRQL NTAPI ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KiTakeShared(SpinLock, __builtin_return_address(0));
    return OldIrql;
}

/* [WDK ExAcquireSpinLockExclusive] The same, alone. */
DECLSPEC_NOINLINE KIRQL NTAPI ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KiTakeExclusive(SpinLock, __builtin_return_address(0));
    return OldIrql;
}

/* [WDK ExReleaseSpinLockShared] IRQL = DISPATCH_LEVEL. */
VOID NTAPI ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KiGiveShared(SpinLock);
    KiLowerFromLock(OldIrql);
}

VOID NTAPI ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KiGiveExclusive(SpinLock);
    KiLowerFromLock(OldIrql);
}

/* [WDK ExAcquireSpinLockSharedAtDpcLevel] IRQL >= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE VOID NTAPI ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    KiTakeShared(SpinLock, __builtin_return_address(0));
}

DECLSPEC_NOINLINE VOID NTAPI ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    KiTakeExclusive(SpinLock, __builtin_return_address(0));
}

VOID NTAPI ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    KiGiveShared(SpinLock);
}

VOID NTAPI ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    KiGiveExclusive(SpinLock);
}

/* [WDK ExTryConvertSharedSpinLockExclusive] The caller shares the lock. TRUE when nobody else does: it has the lock alone
 * now, before any writer that waits. FALSE: it shares it as before. */
DECLSPEC_NOINLINE LOGICAL NTAPI ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    ULONG Value;

    while (((Value = KiReadLock(SpinLock)) & ~KI_WRITER_WAITS) == 1)
        if (KiExchangeLock(SpinLock, Value, KI_EXCLUSIVE | (Value & KI_WRITER_WAITS))) {
            ArchLockWillRelease(SpinLock, &KiSharedLockClass);
            ArchLockAcquired(SpinLock, &KiExclusiveLockClass, __builtin_return_address(0));
            return TRUE;
        }
    return FALSE;
}

/* SPDX-License-Identifier: MIT
 * The spin locks of drivers. In a held one bit 0 is set; one that is queued for (queued_lock.c) is told from it. In the checked kernel
 * the rest is its owner's thread, so that taking it twice is a bug check at once; in the free kernel, where the bit is all, it is the
 * spin limit that ends such a wait. They rank below every lock of the kernel. */
#include "ki.h"
#include "ki_lock.h"

static const ARCH_LOCK_CLASS KiSpinLockClass = {
    .Name = "spin lock", .Rank = LockRankDriver, .Irql = DISPATCH_LEVEL};

static inline ULONG_PTR KiSpinLockOwner(VOID)
{
    return (ULONG_PTR)KiCurrentThread() | 1;
}

static inline BOOLEAN KiTrySpinLock(PKSPIN_LOCK SpinLock)
{
    ULONG_PTR Free = 0;

    if (!NTBOX_CHECKED)
        return (__atomic_fetch_or(SpinLock, 1, __ATOMIC_ACQUIRE) & 1) == 0;
    return __atomic_compare_exchange_n(SpinLock, &Free, KiSpinLockOwner(), FALSE, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* OldIrql is only passed through: the acquisition of a free lock needs no stack for it. */
static DECLSPEC_NOINLINE KIRQL KiWaitForSpinLock(PKSPIN_LOCK SpinLock, KIRQL OldIrql, const void *Caller)
{
    ARCH_SPIN Spin = {.Lock = SpinLock, .Class = &KiSpinLockClass};

    do {
        if (NTBOX_CHECKED && __atomic_load_n(SpinLock, __ATOMIC_RELAXED) == KiSpinLockOwner())
            KeBugCheckEx(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)SpinLock, 0, 0, 0);
        while (__atomic_load_n(SpinLock, __ATOMIC_RELAXED) != 0)
            ArchSpin(&Spin);
    } while (!KiTrySpinLock(SpinLock));
    ArchLockAcquired(SpinLock, &KiSpinLockClass, Caller);
    __asm__("" : "+r"(OldIrql)); /* or the compiler keeps it over the call instead of jumping here */
    return OldIrql;
}

static inline KIRQL KiTakeSpinLock(PKSPIN_LOCK SpinLock, KIRQL OldIrql, const void *Caller)
{
    ArchLockWillAcquire(SpinLock, &KiSpinLockClass);
    if (__builtin_expect(!KiTrySpinLock(SpinLock), 0))
        return KiWaitForSpinLock(SpinLock, OldIrql, Caller);
    ArchLockAcquired(SpinLock, &KiSpinLockClass, Caller);
    return OldIrql;
}

static inline VOID KiGiveSpinLock(PKSPIN_LOCK SpinLock)
{
    ArchLockWillRelease(SpinLock, &KiSpinLockClass);
    __atomic_store_n(SpinLock, 0, __ATOMIC_RELEASE);
}

DECLSPEC_NOINLINE VOID KeAcquireSpinLockAnyIrql(PKSPIN_LOCK SpinLock)
{
    (VOID) KiTakeSpinLock(SpinLock, DISPATCH_LEVEL, __builtin_return_address(0));
}

VOID KeReleaseSpinLockAnyIrql(PKSPIN_LOCK SpinLock)
{
    KiGiveSpinLock(SpinLock);
}

VOID KiExportInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    *SpinLock = 0;
}

/* [WDK KeAcquireSpinLock] IRQL <= DISPATCH_LEVEL; raises to DISPATCH_LEVEL and returns the old IRQL. */
DECLSPEC_NOINLINE KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return KiTakeSpinLock(SpinLock, ArchRaiseIrql(DISPATCH_LEVEL), __builtin_return_address(0));
}

/* [WDK KeReleaseSpinLock] IRQL = DISPATCH_LEVEL. */
VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KiGiveSpinLock(SpinLock);
    KiLowerFromLock(NewIrql);
}

/* [WDK KeAcquireSpinLockAtDpcLevel] IRQL >= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    (VOID) KiTakeSpinLock(SpinLock, DISPATCH_LEVEL, __builtin_return_address(0));
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    KiGiveSpinLock(SpinLock);
}

/* [WDK KeTryToAcquireSpinLockAtDpcLevel] IRQL >= DISPATCH_LEVEL. FALSE: somebody holds it. */
DECLSPEC_NOINLINE BOOLEAN FASTCALL KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    BOOLEAN Taken = KiTrySpinLock(SpinLock);
    if (Taken)
        ArchLockAcquired(SpinLock, &KiSpinLockClass, __builtin_return_address(0));
    return Taken;
}

/* [WDK KeAcquireSpinLockForDpc] In a threaded DPC, which may run at PASSIVE_LEVEL or DISPATCH_LEVEL. */
DECLSPEC_NOINLINE KIRQL FASTCALL KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return KiTakeSpinLock(SpinLock, ArchRaiseIrql(DISPATCH_LEVEL), __builtin_return_address(0));
}

/* [WDK KeReleaseSpinLockForDpc] IRQL = DISPATCH_LEVEL; OldIrql is what the acquisition returned. */
VOID FASTCALL KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KiGiveSpinLock(SpinLock);
    KiLowerFromLock(OldIrql);
}

/* [WDK KeTestSpinLock] IRQL >= DISPATCH_LEVEL. TRUE: it is free now. For loops that try; a taken lock is waited a moment for. */
BOOLEAN FASTCALL KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    if (__atomic_load_n(SpinLock, __ATOMIC_RELAXED) == 0)
        return TRUE;
    __builtin_ia32_pause();
    return FALSE;
}

/* SPDX-License-Identifier: MIT
 * The spin locks of drivers. A held one holds its owner (thread | 1), so that taking it twice on one processor is
 * a bug check and not a silent hang. They rank below every lock of the kernel. */
#include "ki.h"

static ULONG_PTR KiSpinLockOwner(VOID)
{
    return (ULONG_PTR)KiCurrentThread() | 1;
}

/* Checked kernel: a driver that returns with one more than it had is found by the gate. */
static VOID KiCountSpinLock(LONG Change)
{
    PKTHREAD Thread = KiCurrentThread();

    if (NTBOX_CHECKED && Thread != NULL)
        Thread->SpinLockCount = (SHORT)(Thread->SpinLockCount + Change);
}

static VOID KiAcquireSpinLock(PKSPIN_LOCK SpinLock)
{
    ULONG_PTR Owner = KiSpinLockOwner();

    for (;;) {
        ULONG_PTR Free = 0;
        if (__atomic_compare_exchange_n(SpinLock, &Free, Owner, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            KiCountSpinLock(1);
            return;
        }
        if (Free == Owner)
            KeBugCheckEx(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)SpinLock, 0, 0, 0);
        while (__atomic_load_n(SpinLock, __ATOMIC_RELAXED) != 0)
            __builtin_ia32_pause();
    }
}

static VOID KiReleaseSpinLock(PKSPIN_LOCK SpinLock)
{
    if (NTBOX_CHECKED && *SpinLock != KiSpinLockOwner())
        KeBugCheckEx(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)SpinLock, 0, 0, 0);
    __atomic_store_n(SpinLock, 0, __ATOMIC_RELEASE);
    KiCountSpinLock(-1);
}

VOID KiExportInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    *SpinLock = 0;
}

/* [WDK KeAcquireSpinLock] IRQL <= DISPATCH_LEVEL; raises to DISPATCH_LEVEL and returns the old IRQL. */
KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KiAcquireSpinLock(SpinLock);
    return OldIrql;
}

/* [WDK KeReleaseSpinLock] IRQL = DISPATCH_LEVEL. */
VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KiReleaseSpinLock(SpinLock);
    ArchSetIrql(NewIrql);
}

/* [WDK KeAcquireSpinLockAtDpcLevel] IRQL >= DISPATCH_LEVEL. */
VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    if (NTBOX_CHECKED && ArchGetIrql() < DISPATCH_LEVEL)
        KeBugCheckEx(IRQL_NOT_DISPATCH_LEVEL, (ULONG_PTR)SpinLock, ArchGetIrql(), 0, 0);
    KiAcquireSpinLock(SpinLock);
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    KiReleaseSpinLock(SpinLock);
}

/* [WDK KeTryToAcquireSpinLockAtDpcLevel] */
BOOLEAN FASTCALL KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    ULONG_PTR Free = 0;
    BOOLEAN Taken = __atomic_compare_exchange_n(SpinLock, &Free, KiSpinLockOwner(), FALSE, __ATOMIC_ACQUIRE,
                                                __ATOMIC_RELAXED);

    if (Taken)
        KiCountSpinLock(1);
    return Taken;
}

/* [WDK KeAcquireInStackQueuedSpinLock] The handle remembers lock and IRQL (D-053). */
VOID FASTCALL KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->LockQueue.Next = NULL;
    LockHandle->LockQueue.Lock = SpinLock;
    LockHandle->OldIrql = KeAcquireSpinLockRaiseToDpc(SpinLock);
}

VOID FASTCALL KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseSpinLock(LockHandle->LockQueue.Lock, LockHandle->OldIrql);
}

VOID FASTCALL KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->LockQueue.Next = NULL;
    LockHandle->LockQueue.Lock = SpinLock;
    KeAcquireSpinLockAtDpcLevel(SpinLock);
}

VOID FASTCALL KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseSpinLockFromDpcLevel(LockHandle->LockQueue.Lock);
}

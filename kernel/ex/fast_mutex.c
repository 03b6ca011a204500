/* SPDX-License-Identifier: MIT
 * Fast mutexes (APC_LEVEL while held) and guarded mutexes (APCs disabled while held). Count is 1 when free, 0
 * when held, and one less for each waiter; the event lets one waiter through per release. */
#include <bugcodes.h>
#include "ex.h"
#include "ke.h"
#include "ke_bugcheck.h"

/* [WDK Bug Check 0xBF] 0x11: these mutexes are not recursive, and the owner releases them */
static VOID ExpRequireNotOwner(PVOID Mutex, PKTHREAD Owner)
{
    if (NTBOX_CHECKED && Owner == KiCurrentThread())
        KeBugCheckBlaming(NULL, MUTEX_ALREADY_OWNED, (ULONG_PTR)Mutex, (ULONG_PTR)Owner, 0, 0,
                          "a thread acquires a fast or guarded mutex that it owns already");
}

static VOID ExpRequireOwner(PVOID Mutex, PKTHREAD Owner)
{
    if (NTBOX_CHECKED && Owner != KiCurrentThread())
        KeBugCheckEx(THREAD_NOT_MUTEX_OWNER, (ULONG_PTR)KiCurrentThread(), (ULONG_PTR)Mutex, 0, 0);
}

static inline BOOLEAN ExpTake(volatile LONG *Count)
{
    return __builtin_expect(__atomic_sub_fetch(Count, 1, __ATOMIC_ACQUIRE) == 0, 1);
}

/* TRUE: somebody waits and is to be woken. */
static inline BOOLEAN ExpGive(volatile LONG *Count)
{
    return __builtin_expect(__atomic_add_fetch(Count, 1, __ATOMIC_RELEASE) <= 0, 0);
}

static VOID ExpTellFastMutex(const VOID *Lock, PKTHREAD Waiter, KE_LOCK_STATE *State)
{
    State->Owner = ((const FAST_MUTEX *)Lock)->Owner;
}

static VOID ExpTellGuardedMutex(const VOID *Lock, PKTHREAD Waiter, KE_LOCK_STATE *State)
{
    State->Owner = ((const KGUARDED_MUTEX *)Lock)->Owner;
}

static VOID ExpWaitForMutex(PFAST_MUTEX Mutex)
{
    static const KE_LOCK_KIND Kind = {"fast mutex", sizeof(FAST_MUTEX), ExpTellFastMutex};

    InterlockedIncrement((volatile LONG *)&Mutex->Contention);
    KeWaitForLock(&Mutex->Event, WrFastMutex, &Kind, Mutex);
}

static VOID ExpWaitForGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    static const KE_LOCK_KIND Kind = {"guarded mutex", sizeof(KGUARDED_MUTEX), ExpTellGuardedMutex};

    InterlockedIncrement((volatile LONG *)&Mutex->Contention);
    KeWaitForLock(&Mutex->Gate, WrGuardedMutex, &Kind, Mutex);
}

/* The ways with a wait are functions of their own: those without need no stack. */
static DECLSPEC_NOINLINE VOID ExpWaitForFastMutex(PFAST_MUTEX FastMutex, KIRQL OldIrql)
{
    ExpWaitForMutex(FastMutex);
    FastMutex->Owner = KiCurrentThread();
    FastMutex->OldIrql = OldIrql;
}

static DECLSPEC_NOINLINE VOID ExpWakeForFastMutex(PFAST_MUTEX FastMutex, KIRQL OldIrql)
{
    KeSetEvent(&FastMutex->Event, IO_NO_INCREMENT, FALSE);
    ArchSetIrql(OldIrql);
}

/* --- fast mutex
 * ------------------------------------------------------------------------------------------------------ */

/* IRQL <= APC_LEVEL; APC_LEVEL on return. [WDK ExAcquireFastMutex] */
VOID FASTCALL ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KIRQL OldIrql = ArchRaiseIrql(APC_LEVEL);
    ExpRequireNotOwner(FastMutex, FastMutex->Owner);
    if (!ExpTake(&FastMutex->Count)) {
        ExpWaitForFastMutex(FastMutex, OldIrql);
        return;
    }
    FastMutex->Owner = KiCurrentThread();
    FastMutex->OldIrql = OldIrql;
}

/* IRQL = APC_LEVEL; that of before the acquisition on return. [WDK ExReleaseFastMutex] */
VOID FASTCALL ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    KI_REQUIRE_IRQL_IS(APC_LEVEL);
    KIRQL OldIrql = (KIRQL)FastMutex->OldIrql;
    ExpRequireOwner(FastMutex, FastMutex->Owner);
    FastMutex->Owner = NULL;
    if (ExpGive(&FastMutex->Count)) {
        ExpWakeForFastMutex(FastMutex, OldIrql);
        return;
    }
    ArchSetIrql(OldIrql);
}

/* IRQL <= APC_LEVEL; APC_LEVEL on return if TRUE. [WDK ExTryToAcquireFastMutex] */
BOOLEAN FASTCALL ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KIRQL OldIrql = ArchRaiseIrql(APC_LEVEL);
    if (InterlockedCompareExchange(&FastMutex->Count, 0, 1) != 1) {
        ArchSetIrql(OldIrql);
        return FALSE;
    }
    FastMutex->Owner = KiCurrentThread();
    FastMutex->OldIrql = OldIrql;
    return TRUE;
}

/* [WDK ExAcquireFastMutexUnsafe] the caller is at APC_LEVEL or in a critical region, and stays there until
 * the release. */
VOID FASTCALL ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpRequireNotOwner(FastMutex, FastMutex->Owner);
    if (!ExpTake(&FastMutex->Count))
        ExpWaitForMutex(FastMutex);
    FastMutex->Owner = KiCurrentThread();
}

VOID FASTCALL ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpRequireOwner(FastMutex, FastMutex->Owner);
    FastMutex->Owner = NULL;
    if (ExpGive(&FastMutex->Count))
        KeSetEvent(&FastMutex->Event, IO_NO_INCREMENT, FALSE);
}

/* --- guarded mutex
 * --------------------------------------------------------------------------------------------------- */

ASSERT_SIZE(KGATE, sizeof(KEVENT)); /* the gate is used as an event */

/* [WDK KeInitializeGuardedMutex] */
VOID FASTCALL KeInitializeGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    *GuardedMutex = (KGUARDED_MUTEX){.Count = 1};
    KeInitializeEvent((PRKEVENT)&GuardedMutex->Gate, SynchronizationEvent, FALSE);
}

/* [WDK KeAcquireGuardedMutexUnsafe] the caller is in a guarded region already. */
VOID FASTCALL KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX GuardedMutex)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpRequireNotOwner(GuardedMutex, GuardedMutex->Owner);
    if (!ExpTake(&GuardedMutex->Count))
        ExpWaitForGuardedMutex(GuardedMutex);
    GuardedMutex->Owner = KiCurrentThread();
}

VOID FASTCALL KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX GuardedMutex)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpRequireOwner(GuardedMutex, GuardedMutex->Owner);
    GuardedMutex->Owner = NULL;
    if (ExpGive(&GuardedMutex->Count))
        KeSetEvent((PRKEVENT)&GuardedMutex->Gate, IO_NO_INCREMENT, FALSE);
}

/* IRQL <= APC_LEVEL. [WDK KeAcquireGuardedMutex] enters a guarded region, which the release leaves. */
VOID FASTCALL KeAcquireGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    KeEnterGuardedRegion();
    KeAcquireGuardedMutexUnsafe(GuardedMutex);
}

VOID FASTCALL KeReleaseGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    KeReleaseGuardedMutexUnsafe(GuardedMutex);
    KeLeaveGuardedRegion();
}

BOOLEAN FASTCALL KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX GuardedMutex)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KeEnterGuardedRegion();
    if (InterlockedCompareExchange(&GuardedMutex->Count, 0, 1) != 1) {
        KeLeaveGuardedRegion();
        return FALSE;
    }
    GuardedMutex->Owner = KiCurrentThread();
    return TRUE;
}

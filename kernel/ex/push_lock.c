/* SPDX-License-Identifier: MIT
 * Push locks: any number share one, or one thread has it alone; eight bytes that start as zero, and anywhere in memory.
 * [WDK ExInitializePushLock, ExAcquirePushLockExclusive, ExAcquirePushLockShared ...]
 *
 *   0                              free
 *   holders * 8         | waiting  shared
 *   thread  | exclusive | waiting  that thread has it alone
 *
 * Who must wait stands in the room that the lock's address is hashed to, not in the lock: there is no space in it. "Waiting" is
 * set and cleared under the room's lock only; while it is set the word changes under that lock only, but for sharers that give
 * up their share and are not the last. The last holder gives the lock to those who wait, the oldest first and with it all who
 * wait to share before the next who wants it alone; so neither kind starves, and who wakes has it. */
#include <bugcodes.h>
#include "ke_checks.h"
#include "ex.h"
#include "ke.h"
#include "ke_bugcheck.h"

#define EXP_PUSH_EXCLUSIVE 1u
#define EXP_PUSH_WAITING 2u
#define EXP_PUSH_SHARE 8u
#define EXP_PUSH_FLAGS (EXP_PUSH_SHARE - 1u)
#define EXP_PUSH_ROOMS 32

typedef struct _EXP_PUSH_WAITER {
    LIST_ENTRY Entry; /* the room's lock, then who has taken it out */
    PEX_PUSH_LOCK PushLock;
    PKTHREAD Thread;
    BOOLEAN Exclusive;
    KEVENT Granted;
} EXP_PUSH_WAITER;

typedef struct _EXP_PUSH_ROOM {
    ARCH_LOCK Lock;
    LIST_ENTRY Waiters; /* (Lock) oldest first, of all locks that are hashed here */
} EXP_PUSH_ROOM;

_Static_assert(_Alignof(KTHREAD) >= EXP_PUSH_SHARE, "the flags have room beside a thread");

static EXP_PUSH_ROOM ExpPushRooms[EXP_PUSH_ROOMS];

VOID ExInitializePushLocks(VOID)
{
    for (ULONG i = 0; i < EXP_PUSH_ROOMS; i++) {
        ExpPushRooms[i].Lock = (ARCH_LOCK)ARCH_LOCK_INIT("PushLock", LockRankExPushLock, DISPATCH_LEVEL);
        InitializeListHead(&ExpPushRooms[i].Waiters);
    }
}

/* --- the word --------------------------------------------------------------------------------------------------------- */

static inline ULONG_PTR ExpReadPush(PEX_PUSH_LOCK PushLock)
{
    return __atomic_load_n(PushLock, __ATOMIC_RELAXED);
}

static inline BOOLEAN ExpChangePush(PEX_PUSH_LOCK PushLock, ULONG_PTR *Seen, ULONG_PTR New)
{
    return __atomic_compare_exchange_n(PushLock, Seen, New, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline ULONG_PTR ExpOwnedBy(PKTHREAD Thread)
{
    return (ULONG_PTR)Thread | EXP_PUSH_EXCLUSIVE;
}

static inline BOOLEAN ExpMayHavePush(ULONG_PTR Word, BOOLEAN Exclusive)
{
    return Exclusive ? Word == 0 : (Word & EXP_PUSH_FLAGS) == 0;
}

/* Takes it unless that means to wait. Nobody overtakes those who wait. */
static BOOLEAN ExpTryPush(PEX_PUSH_LOCK PushLock, BOOLEAN Exclusive)
{
    ULONG_PTR Seen = ExpReadPush(PushLock);

    while (ExpMayHavePush(Seen, Exclusive)) {
        ULONG_PTR New = Exclusive ? ExpOwnedBy(KiCurrentThread()) : Seen + EXP_PUSH_SHARE;
        if (ExpChangePush(PushLock, &Seen, New))
            return TRUE;
    }
    return FALSE;
}

/* --- contracts -------------------------------------------------------------------------------------------------------- */

/* [WDK Bug Check 0x192] the thread, the lock, the IRQL. [WDK ExAcquirePushLockExclusive] Normal kernel APCs are disabled. */
static VOID ExpCheckPushAcquire(PEX_PUSH_LOCK PushLock, PVOID Caller)
{
    if (!NTBOX_CHECKED)
        return;
    if (KeGetCurrentIrql() > APC_LEVEL)
        KeBugCheckEx(KERNEL_AUTO_BOOST_LOCK_ACQUISITION_WITH_RAISED_IRQL, (ULONG_PTR)KiCurrentThread(),
                     (ULONG_PTR)PushLock, KeGetCurrentIrql(), 0);
    if (!KeAreApcsDisabled())
        KeBugCheckBlaming(Caller, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_PUSH_LOCK, (ULONG_PTR)PushLock,
                          0, 0, "a push lock is acquired with normal kernel APCs enabled");
}

/* [WDK Bug Check 0x162] the thread, the lock */
static DECLSPEC_NORETURN VOID ExpPushNotOwned(PEX_PUSH_LOCK PushLock)
{
    KeBugCheckEx(KERNEL_AUTO_BOOST_INVALID_LOCK_RELEASE, (ULONG_PTR)KiCurrentThread(), (ULONG_PTR)PushLock, 0,
                 0);
}

/* --- with a wait: the functions without need little stack ------------------------------------------------------------ */

static EXP_PUSH_ROOM *ExpPushRoom(PEX_PUSH_LOCK PushLock)
{
    ULONG64 Hash = ((ULONG64)PushLock >> 3) * 0x9e3779b97f4a7c15ull;
    return &ExpPushRooms[Hash >> 59];
}
_Static_assert(EXP_PUSH_ROOMS == 1 << (64 - 59), "the hash finds each room");

/* The room's lock is held. TRUE: the waiter stands in the room; FALSE: the lock became free and is the caller's. */
static BOOLEAN ExpEnterRoom(EXP_PUSH_ROOM *Room, EXP_PUSH_WAITER *Waiter)
{
    ULONG_PTR Seen;

    do {
        if (ExpTryPush(Waiter->PushLock, Waiter->Exclusive))
            return FALSE;
        Seen = ExpReadPush(Waiter->PushLock);
    } while (ExpMayHavePush(Seen, Waiter->Exclusive) ||
             !ExpChangePush(Waiter->PushLock, &Seen, Seen | EXP_PUSH_WAITING));
    InsertTailList(&Room->Waiters, &Waiter->Entry);
    return TRUE;
}

static VOID ExpTellPush(const VOID *Lock, PKTHREAD Waiter, KE_LOCK_STATE *State)
{
    ULONG_PTR Word = *(const ULONG_PTR *)Lock;

    if ((Word & EXP_PUSH_EXCLUSIVE) != 0)
        State->Owner = (PKTHREAD)(Word & ~(ULONG_PTR)EXP_PUSH_FLAGS);
    else
        State->Holders = (LONG64)(Word / EXP_PUSH_SHARE);
}

static DECLSPEC_NOINLINE VOID ExpWaitForPush(PEX_PUSH_LOCK PushLock, BOOLEAN Exclusive)
{
    EXP_PUSH_WAITER Waiter = {.PushLock = PushLock, .Thread = KiCurrentThread(), .Exclusive = Exclusive};
    static const KE_LOCK_KIND Kind = {"push lock", sizeof(EX_PUSH_LOCK), ExpTellPush};
    EXP_PUSH_ROOM *Room = ExpPushRoom(PushLock);

    KeInitializeEvent(&Waiter.Granted, SynchronizationEvent, FALSE);
    KIRQL OldIrql = ArchAcquireLock(&Room->Lock);
    BOOLEAN Waits = ExpEnterRoom(Room, &Waiter);
    ArchReleaseLock(&Room->Lock, OldIrql);
    if (Waits)
        KeWaitForLock(&Waiter.Granted, WrPushLock, &Kind, PushLock);
}

/* The oldest who waits for the lock; NULL: nobody. The room's lock is held, as in what follows. */
static EXP_PUSH_WAITER *ExpOldestWaiter(EXP_PUSH_ROOM *Room, PEX_PUSH_LOCK PushLock)
{
    for (PLIST_ENTRY Entry = Room->Waiters.Flink; Entry != &Room->Waiters; Entry = Entry->Flink) {
        EXP_PUSH_WAITER *Waiter = CONTAINING_RECORD(Entry, EXP_PUSH_WAITER, Entry);
        if (Waiter->PushLock == PushLock)
            return Waiter;
    }
    return NULL;
}

/* Moves the next holders to Woken; returns the word that says so. */
static ULONG_PTR ExpChooseHolders(EXP_PUSH_ROOM *Room, PEX_PUSH_LOCK PushLock, PLIST_ENTRY Woken)
{
    EXP_PUSH_WAITER *Waiter = ExpOldestWaiter(Room, PushLock);
    ULONG_PTR Word = 0;

    if (Waiter == NULL)
        ExpPushNotOwned(PushLock); /* somebody wrote to it */
    do {
        BOOLEAN Alone = Waiter->Exclusive;
        Word += Alone ? ExpOwnedBy(Waiter->Thread) : EXP_PUSH_SHARE;
        RemoveEntryList(&Waiter->Entry);
        InsertTailList(Woken, &Waiter->Entry);
        Waiter = ExpOldestWaiter(Room, PushLock);
        if (Alone)
            break;
    } while (Waiter != NULL && !Waiter->Exclusive);
    return Waiter != NULL ? Word | EXP_PUSH_WAITING : Word;
}

/* The last holder gives the lock to those who wait. A waiter's stack is its own again as soon as its event is set. */
static DECLSPEC_NOINLINE VOID ExpHandOn(PEX_PUSH_LOCK PushLock)
{
    EXP_PUSH_ROOM *Room = ExpPushRoom(PushLock);
    LIST_ENTRY Woken;

    InitializeListHead(&Woken);
    KIRQL OldIrql = ArchAcquireLock(&Room->Lock);
    __atomic_store_n(PushLock, ExpChooseHolders(Room, PushLock, &Woken), __ATOMIC_RELEASE);
    ArchReleaseLock(&Room->Lock, OldIrql);
    while (!IsListEmpty(&Woken)) {
        EXP_PUSH_WAITER *Waiter = CONTAINING_RECORD(RemoveHeadList(&Woken), EXP_PUSH_WAITER, Entry);
        KeSetEvent(&Waiter->Granted, IO_NO_INCREMENT, FALSE);
    }
}

/* --- what drivers call ------------------------------------------------------------------------------------------------ */

/* [WDK ExInitializePushLock] Any IRQL. */
VOID NTAPI ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    __atomic_store_n(PushLock, 0, __ATOMIC_RELEASE);
}

/* [WDK ExAcquirePushLockExclusive] IRQL <= APC_LEVEL, normal kernel APCs disabled. Not recursive: a thread that has it hangs.
 * Flags say whether its holders are boosted, which none is (D-060). */
DECLSPEC_NOINLINE_CHECKED VOID FASTCALL ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    ExpCheckPushAcquire(PushLock, __builtin_return_address(0));
    if (!ExpTryPush(PushLock, TRUE))
        ExpWaitForPush(PushLock, TRUE);
}

/* [WDK ExAcquirePushLockShared] As ExAcquirePushLockExclusive; waits also behind those who want it alone. */
DECLSPEC_NOINLINE_CHECKED VOID FASTCALL ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    ExpCheckPushAcquire(PushLock, __builtin_return_address(0));
    if (!ExpTryPush(PushLock, FALSE))
        ExpWaitForPush(PushLock, FALSE);
}

/* [WDK ExTryAcquirePushLockExclusive] FALSE: not without waiting. */
DECLSPEC_NOINLINE_CHECKED BOOLEAN FASTCALL ExTryAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock,
                                                                           ULONG Flags)
{
    ExpCheckPushAcquire(PushLock, __builtin_return_address(0));
    return ExpTryPush(PushLock, TRUE);
}

DECLSPEC_NOINLINE_CHECKED BOOLEAN FASTCALL ExTryAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    ExpCheckPushAcquire(PushLock, __builtin_return_address(0));
    return ExpTryPush(PushLock, FALSE);
}

/* [WDK ExReleasePushLockExclusive] IRQL <= APC_LEVEL, by the thread that has it. */
VOID FASTCALL ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ULONG_PTR Mine = ExpOwnedBy(KiCurrentThread()), Seen = Mine;

    if (ExpChangePush(PushLock, &Seen, 0))
        return;
    if (Seen != (Mine | EXP_PUSH_WAITING))
        ExpPushNotOwned(PushLock);
    ExpHandOn(PushLock);
}

/* [WDK ExReleasePushLockShared] IRQL <= APC_LEVEL. */
VOID FASTCALL ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ULONG_PTR Seen = ExpReadPush(PushLock);

    do {
        if (Seen < EXP_PUSH_SHARE || (Seen & EXP_PUSH_EXCLUSIVE) != 0)
            ExpPushNotOwned(PushLock);
        if (Seen == (EXP_PUSH_SHARE | EXP_PUSH_WAITING)) {
            ExpHandOn(PushLock); /* nobody but us changes the word now */
            return;
        }
    } while (!ExpChangePush(PushLock, &Seen, Seen - EXP_PUSH_SHARE));
}

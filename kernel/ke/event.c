/* SPDX-License-Identifier: MIT
 * Events. [WDK KeInitializeEvent and its neighbours] */
#include "ki.h"

VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Event->Header.Lock = 0;
    Event->Header.Type =
        (Type == SynchronizationEvent) ? EventSynchronizationObject : EventNotificationObject;
    Event->Header.Size = sizeof(KEVENT) / sizeof(ULONG);
    Event->Header.SignalState = State;
    InitializeListHead(&Event->Header.WaitListHead);
}

/* [WDK KeSetEvent] IRQL <= DISPATCH_LEVEL; with Wait <= APC_LEVEL: the caller's next call is a wait, and nobody gets
 * between the two. Returns the previous state. */
LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    KIRQL OldIrql = KiLockDispatcher();
    LONG Previous = Event->Header.SignalState;

    Event->Header.SignalState = 1;
    if (Previous == 0)
        KiWakeWaitersLocked(&Event->Header);
    KiUnlockOrKeep(OldIrql, Wait);
    return Previous;
}

/* [WDK KeResetEvent] Returns the previous state. */
LONG NTAPI KeResetEvent(PRKEVENT Event)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return __atomic_exchange_n(&Event->Header.SignalState, 0, __ATOMIC_SEQ_CST);
}

VOID NTAPI KeClearEvent(PRKEVENT Event)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    __atomic_store_n(&Event->Header.SignalState, 0, __ATOMIC_SEQ_CST);
}

LONG NTAPI KeReadStateEvent(PRKEVENT Event)
{
    return __atomic_load_n(&Event->Header.SignalState, __ATOMIC_SEQ_CST);
}

/* [WDK KePulseEvent] Wakes who waits now (one, for a synchronization event) and leaves the event not signalled. */
LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    KIRQL OldIrql = KiLockDispatcher();
    LONG Previous = Event->Header.SignalState;

    Event->Header.SignalState = 1;
    KiWakeWaitersLocked(&Event->Header);
    Event->Header.SignalState = 0;
    KiUnlockOrKeep(OldIrql, Wait);
    return Previous;
}

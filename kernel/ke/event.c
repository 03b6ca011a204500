/* SPDX-License-Identifier: MIT
 * Events. [WDK KeInitializeEvent and its neighbours] */
#include "ki.h"

VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    KI_REQUIRE_ARGUMENT(Type == NotificationEvent || Type == SynchronizationEvent, Type);
    Event->Header.Lock = 0;
    Event->Header.Type =
        (Type == SynchronizationEvent) ? EventSynchronizationObject : EventNotificationObject;
    Event->Header.Size = sizeof(KEVENT) / sizeof(ULONG);
    Event->Header.SignalState = State;
    InitializeListHead(&Event->Header.WaitListHead);
}

/* Locked, at DISPATCH_LEVEL: with Wait, or somebody waits. */
static DECLSPEC_NOINLINE LONG KiSetEventLocked(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait,
                                               KIRQL OldIrql)
{
    LONG Previous = Event->Header.SignalState;

    Event->Header.SignalState = 1;
    if (Previous == 0)
        KiSignalWaitersLocked(&Event->Header, Increment);
    KiUnlockObject(&Event->Header);
    KiExitOrWait(OldIrql, Wait);
    return Previous;
}

static DECLSPEC_NOINLINE LONG KiSetContendedEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait,
                                                  KIRQL OldIrql)
{
    KiLockObjectAtDispatch(&Event->Header);
    return KiSetEventLocked(Event, Increment, Wait, OldIrql);
}

/* [WDK KeSetEvent] IRQL <= DISPATCH_LEVEL; with Wait <= APC_LEVEL: the caller's next call is a wait, and no switch comes between the
 * two. Returns the previous state. */
LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    KI_REQUIRE_EVENT(Event);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);

    if (!KiLockFreeObjectAtDispatch(&Event->Header))
        return KiSetContendedEvent(Event, Increment, Wait, OldIrql);
    if (Wait || !IsListEmpty(&Event->Header.WaitListHead))
        return KiSetEventLocked(Event, Increment, Wait, OldIrql);
    LONG Previous = Event->Header.SignalState;
    Event->Header.SignalState = 1;
    KiUnlockObject(&Event->Header);
    return KiExitDispatcherWith(OldIrql, Previous);
}

/* [WDK KeResetEvent] Returns the previous state. */
LONG NTAPI KeResetEvent(PRKEVENT Event)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_EVENT(Event);
    KIRQL OldIrql = KiLockObject(&Event->Header);
    LONG Previous = Event->Header.SignalState;

    Event->Header.SignalState = 0;
    KiUnlockObject(&Event->Header);
    ArchSetIrql(OldIrql);
    return Previous;
}

VOID NTAPI KeClearEvent(PRKEVENT Event)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_EVENT(Event);
    (void)KeResetEvent(Event);
}

LONG NTAPI KeReadStateEvent(PRKEVENT Event)
{
    KI_REQUIRE_EVENT(Event);
    return __atomic_load_n(&Event->Header.SignalState, __ATOMIC_SEQ_CST);
}

/* [WDK KePulseEvent] Wakes who waits now (one, for a synchronization event) and leaves the event not signalled. */
LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    KI_REQUIRE_EVENT(Event);
    KIRQL OldIrql = KiLockObject(&Event->Header);
    LONG Previous = Event->Header.SignalState;

    Event->Header.SignalState = 1;
    if (Previous == 0)
        KiSignalWaitersLocked(&Event->Header, Increment);
    Event->Header.SignalState = 0;
    KiUnlockObject(&Event->Header);
    KiExitOrWait(OldIrql, Wait);
    return Previous;
}

/* SPDX-License-Identifier: MIT
 * Events and waits. [WDK KeInitializeEvent, KeSetEvent, KeResetEvent, KeClearEvent, KeReadStateEvent,
 * KePulseEvent, KeWaitForSingleObject, KeWaitForMultipleObjects] */
#include "ct.h"

static LARGE_INTEGER Now;                              /* zero: test the state, do not wait */
static LARGE_INTEGER Soon = {.QuadPart = -20 * 10000}; /* 20 ms from now */

static NTSTATUS TryWait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Now);
}

static VOID EventInit(VOID)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    CT_EQUAL(Event.Header.SignalState, 1);
    CT_EQUAL(Event.Header.Type, NotificationEvent);
    CT_CHECK(IsListEmpty(&Event.Header.WaitListHead));
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    CT_EQUAL(Event.Header.SignalState, 0);
    CT_EQUAL(Event.Header.Type, SynchronizationEvent);
}

/* Returns the previous state; a notification event stays signalled over waits, a synchronization event takes
 * one. */
static VOID EventSet(VOID)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    CT_EQUAL(KeSetEvent(&Event, IO_NO_INCREMENT, FALSE), 0);
    CT_CHECK(KeSetEvent(&Event, IO_NO_INCREMENT, FALSE) != 0);
    CT_SUCCESS(TryWait(&Event));
    CT_SUCCESS(TryWait(&Event));
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(TryWait(&Event));
    CT_STATUS(TryWait(&Event), STATUS_TIMEOUT);
}

static VOID EventReset(VOID)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    CT_CHECK(KeResetEvent(&Event) != 0);
    CT_EQUAL(KeResetEvent(&Event), 0);
    CT_STATUS(TryWait(&Event), STATUS_TIMEOUT);
}

static VOID EventClear(VOID)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeClearEvent(&Event);
    CT_EQUAL(Event.Header.SignalState, 0);
    CT_STATUS(TryWait(&Event), STATUS_TIMEOUT);
}

static VOID EventRead(VOID)
{
    KEVENT Event;
    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    CT_CHECK(KeReadStateEvent(&Event) != 0);
    CT_CHECK(KeReadStateEvent(&Event) != 0); /* reading takes nothing */
    KeClearEvent(&Event);
    CT_EQUAL(KeReadStateEvent(&Event), 0);
}

/* Nobody waits: the pulse leaves the event not signalled and returns the state before it. */
static VOID EventPulse(VOID)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    CT_CHECK(KePulseEvent(&Event, IO_NO_INCREMENT, FALSE) != 0);
    CT_EQUAL(KeReadStateEvent(&Event), 0);
    CT_EQUAL(KePulseEvent(&Event, IO_NO_INCREMENT, FALSE), 0);
    CT_EQUAL(KeReadStateEvent(&Event), 0);
}

/* A wait with a time-out ends not before its time, with STATUS_TIMEOUT, which is a success code. */
static VOID EventWait(VOID)
{
    KEVENT Event;
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    ULONG64 Before = KeQueryInterruptTime();
    CT_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Soon), STATUS_TIMEOUT);
    CT_CHECK(KeQueryInterruptTime() - Before >= (ULONG64)(20 * 10000 - KeQueryTimeIncrement()));
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL));
}

/* WaitAny names the object by its index; WaitAll takes all or none. More than THREAD_WAIT_OBJECTS need wait
 * blocks. */
static VOID EventWaitMultiple(VOID)
{
    KEVENT Events[5];
    KWAIT_BLOCK Blocks[5];
    PVOID Objects[5];
    for (ULONG i = 0; i < 5; i++) {
        KeInitializeEvent(&Events[i], SynchronizationEvent, FALSE);
        Objects[i] = &Events[i];
    }
    KeSetEvent(&Events[1], IO_NO_INCREMENT, FALSE);
    CT_STATUS(KeWaitForMultipleObjects(3, Objects, WaitAny, Executive, KernelMode, FALSE, &Now, NULL),
              STATUS_WAIT_1);
    CT_STATUS(KeWaitForMultipleObjects(3, Objects, WaitAny, Executive, KernelMode, FALSE, &Now, NULL),
              STATUS_TIMEOUT);

    for (ULONG i = 0; i < 4; i++)
        KeSetEvent(&Events[i], IO_NO_INCREMENT, FALSE);
    CT_STATUS(KeWaitForMultipleObjects(5, Objects, WaitAll, Executive, KernelMode, FALSE, &Now, Blocks),
              STATUS_TIMEOUT);
    CT_CHECK(KeReadStateEvent(&Events[0]) != 0); /* an unsatisfied WaitAll takes nothing */
    KeSetEvent(&Events[4], IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(KeWaitForMultipleObjects(5, Objects, WaitAll, Executive, KernelMode, FALSE, NULL, Blocks));
    for (ULONG i = 0; i < 5; i++)
        CT_EQUAL(KeReadStateEvent(&Events[i]), 0);
    CT_STATUS(KeWaitForMultipleObjects(5, Objects, WaitAny, Executive, KernelMode, FALSE, &Soon, Blocks),
              STATUS_TIMEOUT);
}

static const CT_CASE Cases[] = {
    {"event.init", EventInit},   {"event.set", EventSet},
    {"event.reset", EventReset}, {"event.clear", EventClear},
    {"event.read", EventRead},   {"event.pulse", EventPulse},
    {"event.wait", EventWait},   {"event.wait_multiple", EventWaitMultiple},
};
CT_DRIVER(Cases)

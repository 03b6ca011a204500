/* SPDX-License-Identifier: MIT
 * Waits with everything that they can be combined with. [WDK KeWaitForSingleObject, KeWaitForMultipleObjects, KeSetEvent,
 * KePulseEvent, KeReleaseMutex, KeDelayExecutionThread] */
#include "ct_threads.h"

static LARGE_INTEGER Now;

static NTSTATUS Multiple(ULONG Count, PVOID *Objects, WAIT_TYPE Type, PLARGE_INTEGER Timeout)
{
    static KWAIT_BLOCK Blocks[MAXIMUM_WAIT_OBJECTS];
    return KeWaitForMultipleObjects(Count, Objects, Type, Executive, KernelMode, FALSE, Timeout,
                                    Count > THREAD_WAIT_OBJECTS ? Blocks : NULL);
}

/* The lowest index of those that are signalled; only that one is consumed. */
static VOID WaitAnyOf(VOID)
{
    KEVENT Events[4];
    PVOID Objects[4];
    for (ULONG i = 0; i < 4; i++) {
        KeInitializeEvent(&Events[i], SynchronizationEvent, i >= 2);
        Objects[i] = &Events[i];
    }
    CT_STATUS(Multiple(4, Objects, WaitAny, &Now), STATUS_WAIT_2);
    CT_EQUAL(KeReadStateEvent(&Events[3]), 1);
    CT_STATUS(Multiple(4, Objects, WaitAny, NULL), STATUS_WAIT_3);
    CT_STATUS(Multiple(4, Objects, WaitAny, &Now), STATUS_TIMEOUT);
    Objects[1] = Objects[0]; /* the same object twice: the first place counts */
    KeSetEvent(&Events[0], IO_NO_INCREMENT, FALSE);
    CT_STATUS(Multiple(2, Objects, WaitAny, &Now), STATUS_WAIT_0);
}

/* All or none: as long as one is missing nothing is consumed. */
static VOID WaitAllOf(VOID)
{
    KEVENT Event;
    KSEMAPHORE Semaphore;
    KMUTEX Mutex;
    PVOID Objects[] = {&Event, &Semaphore, &Mutex};
    LARGE_INTEGER Short = CtMilliseconds(3);
    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    KeInitializeSemaphore(&Semaphore, 0, 5);
    KeInitializeMutex(&Mutex, 0);
    CT_STATUS(Multiple(3, Objects, WaitAll, &Now), STATUS_TIMEOUT);
    CT_STATUS(Multiple(3, Objects, WaitAll, &Short), STATUS_TIMEOUT);
    CT_EQUAL(KeReadStateEvent(&Event), 1);
    CT_EQUAL(KeReadStateMutex(&Mutex), 1);
    KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 2, FALSE);
    CT_SUCCESS(Multiple(3, Objects, WaitAll, NULL));
    CT_EQUAL(KeReadStateEvent(&Event), 0);
    CT_EQUAL(KeReadStateSemaphore(&Semaphore), 1);
    CT_EQUAL(KeReadStateMutex(&Mutex), 0);
    KeReleaseMutex(&Mutex, FALSE);
}

/* As many as a wait may have. */
static VOID WaitAllOf64(VOID)
{
    static KEVENT Events[MAXIMUM_WAIT_OBJECTS];
    static PVOID Objects[MAXIMUM_WAIT_OBJECTS];
    for (ULONG i = 0; i < MAXIMUM_WAIT_OBJECTS; i++) {
        KeInitializeEvent(&Events[i], SynchronizationEvent, i != 40);
        Objects[i] = &Events[i];
    }
    CT_STATUS(Multiple(MAXIMUM_WAIT_OBJECTS, Objects, WaitAll, &Now), STATUS_TIMEOUT);
    KeSetEvent(&Events[40], IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(Multiple(MAXIMUM_WAIT_OBJECTS, Objects, WaitAll, NULL));
    CT_EQUAL(KeReadStateEvent(&Events[63]), 0);
}

typedef struct WAITER {
    PVOID *Objects;
    ULONG Count;
    WAIT_TYPE Type;
    KEVENT Running;
    NTSTATUS Status;
} WAITER;

static VOID NTAPI Wait(PVOID Context)
{
    WAITER *Waiter = Context;
    KWAIT_BLOCK Blocks[8];
    KeSetSystemAffinityThreadEx(1);
    KeSetEvent(&Waiter->Running, IO_NO_INCREMENT, FALSE);
    Waiter->Status = KeWaitForMultipleObjects(Waiter->Count, Waiter->Objects, Waiter->Type, Executive,
                                              KernelMode, FALSE, &CtPatience, Blocks);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Returns when the thread waits: the caller stands on the same processor with a lower priority. Undone by Restore. */
static KPRIORITY OwnPriority;

static PKTHREAD StartWaiter(WAITER *Waiter, PVOID *Objects, ULONG Count, WAIT_TYPE Type)
{
    *Waiter = (WAITER){.Objects = Objects, .Count = Count, .Type = Type, .Status = STATUS_PENDING};
    KeInitializeEvent(&Waiter->Running, NotificationEvent, FALSE);
    PKTHREAD Thread = CtStart(Wait, Waiter);
    if (Thread != NULL)
        CtExpect(&Waiter->Running);
    return Thread;
}

static VOID Lower(VOID)
{
    KeSetSystemAffinityThreadEx(1);
    OwnPriority = KeSetPriorityThread((PKTHREAD)KeGetCurrentThread(), 1);
}

static VOID Restore(VOID)
{
    KeSetPriorityThread((PKTHREAD)KeGetCurrentThread(), OwnPriority);
    KeRevertToUserAffinityThreadEx(0);
}

/* A blocked WaitAll ends when the last object is signalled, and not before. */
static VOID WaitAllBlocked(VOID)
{
    KEVENT Events[3];
    PVOID Objects[] = {&Events[0], &Events[1], &Events[2]};
    WAITER Waiter;
    for (ULONG i = 0; i < 3; i++)
        KeInitializeEvent(&Events[i], SynchronizationEvent, FALSE);
    Lower();
    PKTHREAD Thread = StartWaiter(&Waiter, Objects, 3, WaitAll);
    CT_REQUIRE(Thread != NULL);
    KeSetEvent(&Events[1], IO_NO_INCREMENT, FALSE);
    KeSetEvent(&Events[2], IO_NO_INCREMENT, FALSE);
    CT_STATUS(Waiter.Status, STATUS_PENDING);
    CT_EQUAL(KeReadStateEvent(&Events[1]), 1);
    KeSetEvent(&Events[0], IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    CT_SUCCESS(Waiter.Status);
    CT_EQUAL(KeReadStateEvent(&Events[1]), 0);
    Restore();
}

/* [WDK KePulseEvent] Wakes who waits; nobody else sees it. With a WaitAll whose other objects are signalled, too. */
static VOID WaitPulse(VOID)
{
    KEVENT Pulsed, Other;
    PVOID Objects[] = {&Pulsed, &Other};
    WAITER Waiters[2], All;
    PKTHREAD Threads[3];
    KeInitializeEvent(&Pulsed, NotificationEvent, FALSE);
    KeInitializeEvent(&Other, NotificationEvent, TRUE);
    Lower();
    Threads[0] = StartWaiter(&Waiters[0], Objects, 1, WaitAny);
    Threads[1] = StartWaiter(&Waiters[1], Objects, 1, WaitAny);
    Threads[2] = StartWaiter(&All, Objects, 2, WaitAll);
    CT_EQUAL(KePulseEvent(&Pulsed, IO_NO_INCREMENT, FALSE), 0);
    CT_EQUAL(KeReadStateEvent(&Pulsed), 0);
    for (ULONG i = 0; i < 3; i++)
        if (Threads[i] != NULL)
            CtJoin(Threads[i]);
    CT_SUCCESS(Waiters[0].Status);
    CT_SUCCESS(Waiters[1].Status);
    CT_SUCCESS(All.Status);
    Restore();
}

/* A synchronization event wakes one waiter, the one that came first. */
static VOID WaitFirstCome(VOID)
{
    KEVENT Event;
    PVOID Objects[] = {&Event};
    WAITER Waiters[2];
    PKTHREAD Threads[2];
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    Lower();
    Threads[0] = StartWaiter(&Waiters[0], Objects, 1, WaitAny);
    Threads[1] = StartWaiter(&Waiters[1], Objects, 1, WaitAny);
    CT_REQUIRE(Threads[0] != NULL && Threads[1] != NULL);
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    CtJoin(Threads[0]);
    CT_SUCCESS(Waiters[0].Status);
    CT_STATUS(Waiters[1].Status, STATUS_PENDING);
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    CtJoin(Threads[1]);
    Restore();
}

/* Relative and absolute time-outs do not end early; one in the past is over at once. */
static VOID WaitTimeouts(VOID)
{
    KEVENT Never;
    LARGE_INTEGER Before, After, Due, Past = {.QuadPart = 1};
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeQuerySystemTimePrecise(&Before);
    Due = CtMilliseconds(5);
    CT_STATUS(KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, &Due), STATUS_TIMEOUT);
    KeQuerySystemTimePrecise(&After);
    CT_CHECK(After.QuadPart - Before.QuadPart >= 50000);
    Due.QuadPart = After.QuadPart + 50000;
    CT_STATUS(KeWaitForSingleObject(&Never, Executive, UserMode, TRUE, &Due), STATUS_TIMEOUT);
    KeQuerySystemTimePrecise(&After);
    CT_CHECK(After.QuadPart >= Due.QuadPart);
    CT_STATUS(KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, &Past), STATUS_TIMEOUT);
    CT_SUCCESS(KeDelayExecutionThread(KernelMode, FALSE, &Past));
    CT_SUCCESS(KeDelayExecutionThread(KernelMode, FALSE, &Now));
}

/* Wait = TRUE stays at DISPATCH_LEVEL until the wait that follows; the partner that was woken runs meanwhile. */
static KEVENT Ping, Pong;

static VOID NTAPI Partner(PVOID Context)
{
    for (ULONG i = 0; i < *(ULONG *)Context; i++) {
        KeWaitForSingleObject(&Ping, Executive, KernelMode, FALSE, &CtPatience);
        KeSetEvent(&Pong, IO_NO_INCREMENT, FALSE);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID WaitHandOver(VOID)
{
    ULONG Rounds = 50;
    KeInitializeEvent(&Ping, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Pong, SynchronizationEvent, FALSE);
    PKTHREAD Thread = CtStart(Partner, &Rounds);
    CT_REQUIRE(Thread != NULL);
    for (ULONG i = 0; i < Rounds; i++) {
        KeSetEvent(&Ping, IO_NO_INCREMENT, TRUE);
        CT_SUCCESS(KeWaitForSingleObject(&Pong, Executive, KernelMode, FALSE, &CtPatience));
    }
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    CtJoin(Thread);
}

/* At DISPATCH_LEVEL with a time-out of zero the state is tested, and consumed. */
static VOID WaitAtDispatch(VOID)
{
    KEVENT Event;
    KIRQL OldIrql;
    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_SUCCESS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Now));
    CT_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Now), STATUS_TIMEOUT);
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeLowerIrql(OldIrql);
}

/* Four threads, a mutex each has to own for a moment, and a count that only the owner changes. */
static KMUTEX Shared;
static volatile LONG Inside, Total, Violations;

static VOID NTAPI Contender(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (ULONG i = 0; i < 200; i++) {
        KeWaitForSingleObject(&Shared, Executive, KernelMode, FALSE, NULL);
        if (Inside++ != 0)
            InterlockedIncrement(&Violations);
        Total++;
        if (i % 16 == 0)
            KeDelayExecutionThread(KernelMode, FALSE, &Now);
        Inside--;
        KeReleaseMutex(&Shared, FALSE);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID WaitContended(VOID)
{
    PKTHREAD Threads[4];
    Inside = Total = Violations = 0;
    KeInitializeMutex(&Shared, 0);
    for (ULONG i = 0; i < 4; i++)
        Threads[i] = CtStart(Contender, NULL);
    for (ULONG i = 0; i < 4; i++)
        if (Threads[i] != NULL)
            CtJoin(Threads[i]);
    CT_EQUAL(Total, 800);
    CT_EQUAL(Violations, 0);
}

static const CT_CASE Cases[] = {
    {"wait.any", WaitAnyOf},
    {"wait.all", WaitAllOf},
    {"wait.all_64", WaitAllOf64},
    {"wait.all_blocked", WaitAllBlocked},
    {"wait.pulse", WaitPulse},
    {"wait.first_come", WaitFirstCome},
    {"wait.timeouts", WaitTimeouts},
    {"wait.hand_over", WaitHandOver},
    {"wait.at_dispatch", WaitAtDispatch},
    {"wait.contended", WaitContended},
};
CT_DRIVER(Cases)

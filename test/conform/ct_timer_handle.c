/* SPDX-License-Identifier: MIT
 * Timers by handle. [WDK ZwCreateTimer, ZwOpenTimer, ZwSetTimer, ZwSetTimerEx, ZwCancelTimer; Win32 SetWaitableTimer] */
#include "ct.h"

#define MILLISECOND 10000LL

static LARGE_INTEGER Now;
static LARGE_INTEGER Patience = {.QuadPart = -10000 * MILLISECOND};
static LARGE_INTEGER Long = {.QuadPart = -600000 * MILLISECOND};
static LARGE_INTEGER Soon = {.QuadPart = -5 * MILLISECOND};

static NTSTATUS Wait(HANDLE Handle)
{
    return ZwWaitForSingleObject(Handle, FALSE, &Patience);
}

static NTSTATUS TryWait(HANDLE Handle)
{
    return ZwWaitForSingleObject(Handle, FALSE, &Now);
}

static NTSTATUS Create(PHANDLE Timer, TIMER_TYPE Type)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateTimer(Timer, TIMER_ALL_ACCESS, &Attributes, Type);
}

static VOID TimerCreate(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtTimer"), Type;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Timer, Other = NULL;
    struct {
        UNICODE_STRING Name;
        UCHAR Room[256];
    } Answer;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwCreateTimer(&Timer, TIMER_ALL_ACCESS, &Attributes, NotificationTimer));
    CT_STATUS(ZwCreateTimer(&Other, TIMER_ALL_ACCESS, &Attributes, NotificationTimer),
              STATUS_OBJECT_NAME_COLLISION);
    CT_SUCCESS(ZwOpenTimer(&Other, TIMER_MODIFY_STATE, &Attributes));
    CT_SUCCESS(ZwSetTimer(Other, &Soon, NULL, NULL, FALSE, 0, NULL));
    CT_SUCCESS(Wait(Timer));
    ZwClose(Other);
    CT_STATUS(ZwOpenEvent(&Other, EVENT_ALL_ACCESS, &Attributes), STATUS_OBJECT_TYPE_MISMATCH);
    RtlInitUnicodeString(&Type, L"Timer");
    CT_SUCCESS(ZwQueryObject(Timer, ObjectTypeInformation, &Answer, sizeof(Answer), NULL));
    CT_CHECK(RtlEqualUnicodeString(&Answer.Name, &Type, FALSE));
    ZwClose(Timer);
    CT_STATUS(ZwOpenTimer(&Other, TIMER_ALL_ACCESS, &Attributes), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(Create(&Other, (TIMER_TYPE)7), STATUS_INVALID_PARAMETER_4);
    CT_STATUS(ZwSetTimer((HANDLE)0x7ff0, &Soon, NULL, NULL, FALSE, 0, NULL), STATUS_INVALID_HANDLE);
}

typedef struct CALLED {
    KEVENT Event;
    PKTHREAD Thread;
    LARGE_INTEGER Time;
    volatile LONG Count;
    KIRQL Irql;
} CALLED;

static VOID NTAPI OnTimer(PVOID Context, ULONG Low, LONG High)
{
    CALLED *Called = Context;
    Called->Thread = KeGetCurrentThread();
    Called->Irql = KeGetCurrentIrql();
    Called->Time.LowPart = Low;
    Called->Time.HighPart = High;
    InterlockedIncrement(&Called->Count);
    KeSetEvent(&Called->Event, IO_NO_INCREMENT, FALSE);
}

static VOID Prepare(CALLED *Called)
{
    RtlZeroMemory(Called, sizeof(*Called));
    KeInitializeEvent(&Called->Event, SynchronizationEvent, FALSE);
}

static NTSTATUS WaitCalled(CALLED *Called)
{
    return KeWaitForSingleObject(&Called->Event, Executive, KernelMode, FALSE, &Patience);
}

/* A notification timer stays signalled, a synchronization timer releases one wait; setting resets it. */
static VOID TimerStates(VOID)
{
    HANDLE Timer;
    BOOLEAN Previous = 7;
    CT_REQUIRE(CT_SUCCESS(Create(&Timer, NotificationTimer)));
    CT_STATUS(TryWait(Timer), STATUS_TIMEOUT);
    CT_SUCCESS(ZwSetTimer(Timer, &Soon, NULL, NULL, FALSE, 0, &Previous));
    CT_EQUAL(Previous, FALSE);
    CT_SUCCESS(Wait(Timer));
    CT_SUCCESS(TryWait(Timer));
    CT_SUCCESS(ZwSetTimer(Timer, &Long, NULL, NULL, FALSE, 0, &Previous));
    CT_EQUAL(Previous, TRUE);
    CT_STATUS(TryWait(Timer), STATUS_TIMEOUT);
    ZwClose(Timer);
    CT_REQUIRE(CT_SUCCESS(Create(&Timer, SynchronizationTimer)));
    CT_SUCCESS(ZwSetTimer(Timer, &Soon, NULL, NULL, FALSE, 0, NULL));
    CT_SUCCESS(Wait(Timer));
    CT_STATUS(TryWait(Timer), STATUS_TIMEOUT);
    CT_SUCCESS(ZwSetTimer(Timer, &Soon, NULL, NULL, FALSE, 2, NULL));
    for (ULONG i = 0; i < 3; i++)
        CT_SUCCESS(Wait(Timer));
    CT_STATUS(ZwSetTimer(Timer, &Soon, NULL, NULL, FALSE, -1, NULL), STATUS_INVALID_PARAMETER);
    ZwClose(Timer);
}

/* The routine runs in the thread that set the timer, with the time at which it expired; with a period again and again. */
static VOID TimerSet(VOID)
{
    LARGE_INTEGER Before, After;
    CALLED Called;
    HANDLE Timer;
    Prepare(&Called);
    CT_REQUIRE(CT_SUCCESS(Create(&Timer, NotificationTimer)));
    KeQuerySystemTime(&Before);
    CT_SUCCESS(ZwSetTimer(Timer, &Soon, OnTimer, &Called, FALSE, 0, NULL));
    CT_SUCCESS(WaitCalled(&Called));
    KeQuerySystemTime(&After);
    CT_EQUAL(Called.Thread, KeGetCurrentThread());
    CT_EQUAL(Called.Irql, PASSIVE_LEVEL);
    CT_CHECK(Called.Time.QuadPart >= Before.QuadPart && Called.Time.QuadPart <= After.QuadPart);
    CT_SUCCESS(TryWait(Timer));
    CT_SUCCESS(ZwSetTimer(Timer, &Soon, OnTimer, &Called, FALSE, 2, NULL));
    for (ULONG i = 0; i < 3; i++)
        CT_SUCCESS(WaitCalled(&Called));
    CT_SUCCESS(ZwSetTimer(Timer, &Long, NULL, NULL, FALSE, 0, NULL));
    LONG Count = Called.Count;
    CT_CHECK(Count >= 4);
    CT_STATUS(TryWait(Timer), STATUS_TIMEOUT);
    CT_STATUS(ZwSetTimer(Timer, &Long, NULL, NULL, TRUE, 0, NULL), STATUS_TIMER_RESUME_IGNORED);
    CT_EQUAL(Called.Count, Count);
    ZwClose(Timer);
}

/* The state stays as it is, the timer does not expire, and a routine that waits to be called is not. */
static VOID TimerCancel(VOID)
{
    CALLED Called;
    HANDLE Timer;
    BOOLEAN State = 7;
    Prepare(&Called);
    CT_REQUIRE(CT_SUCCESS(Create(&Timer, NotificationTimer)));
    CT_SUCCESS(ZwCancelTimer(Timer, &State));
    CT_EQUAL(State, FALSE);
    CT_SUCCESS(ZwSetTimer(Timer, &Long, NULL, NULL, FALSE, 0, NULL));
    CT_SUCCESS(ZwCancelTimer(Timer, NULL));
    CT_STATUS(TryWait(Timer), STATUS_TIMEOUT);
    KeEnterCriticalRegion();
    CT_SUCCESS(ZwSetTimer(Timer, &Soon, OnTimer, &Called, FALSE, 0, NULL));
    CT_SUCCESS(Wait(Timer));
    CT_SUCCESS(ZwCancelTimer(Timer, &State));
    CT_EQUAL(State, TRUE);
    KeLeaveCriticalRegion();
    CT_STATUS(TryWait(Timer), STATUS_SUCCESS);
    CT_EQUAL(Called.Count, 0);
    CT_SUCCESS(ZwSetTimer(Timer, &Long, OnTimer, &Called, FALSE, 0, NULL));
    ZwClose(Timer); /* the last handle: nothing expires any more */
    CT_STATUS(ZwCancelTimer(Timer, NULL), STATUS_INVALID_HANDLE);
}

typedef struct SETTER {
    HANDLE Timer;
    CALLED Called;
    NTSTATUS Status;
} SETTER;

static VOID NTAPI SetAndEnd(PVOID Context)
{
    SETTER *Setter = Context;
    LARGE_INTEGER Due = {.QuadPart = -30 * MILLISECOND};
    Setter->Status = ZwSetTimer(Setter->Timer, &Due, OnTimer, &Setter->Called, FALSE, 0, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID TimerThreadEnds(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Later = {.QuadPart = -100 * MILLISECOND};
    SETTER Setter;
    HANDLE Thread;
    Prepare(&Setter.Called);
    CT_REQUIRE(CT_SUCCESS(Create(&Setter.Timer, NotificationTimer)));
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_REQUIRE(CT_SUCCESS(
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, SetAndEnd, &Setter)));
    CT_SUCCESS(Wait(Thread));
    ZwClose(Thread);
    CT_SUCCESS(Setter.Status);
    CT_STATUS(ZwWaitForSingleObject(Setter.Timer, FALSE, &Later), STATUS_TIMEOUT);
    CT_EQUAL(Setter.Called.Count, 0);
    CT_SUCCESS(ZwSetTimer(Setter.Timer, &Soon, NULL, NULL, FALSE, 0, NULL));
    CT_SUCCESS(Wait(Setter.Timer));
    ZwClose(Setter.Timer);
}

static VOID TimerSetEx(VOID)
{
    TIMER_SET_COALESCABLE_TIMER_INFO Info = {.DueTime = Soon, .TolerableDelay = 8};
    BOOLEAN Previous = 7;
    CALLED Called;
    HANDLE Timer;
    Prepare(&Called);
    CT_REQUIRE(CT_SUCCESS(Create(&Timer, SynchronizationTimer)));
    Info.PreviousState = &Previous;
    Info.TimerApcRoutine = OnTimer;
    Info.TimerContext = &Called;
    CT_SUCCESS(ZwSetTimerEx(Timer, TimerSetCoalescableTimer, &Info, sizeof(Info)));
    CT_EQUAL(Previous, FALSE);
    CT_SUCCESS(WaitCalled(&Called));
    CT_SUCCESS(TryWait(Timer));
    CT_EQUAL(Called.Count, 1);
    CT_STATUS(ZwSetTimerEx(Timer, TimerSetCoalescableTimer, &Info, sizeof(Info) - 1),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwSetTimerEx(Timer, MaxTimerInfoClass, &Info, sizeof(Info)), STATUS_INVALID_INFO_CLASS);
    ZwClose(Timer);
}

static const CT_CASE Cases[] = {
    {"timer_handle.create", TimerCreate}, {"timer_handle.states", TimerStates},
    {"timer_handle.set", TimerSet},       {"timer_handle.set_ex", TimerSetEx},
    {"timer_handle.cancel", TimerCancel}, {"timer_handle.thread_ends", TimerThreadEnds},
};
CT_DRIVER(Cases)

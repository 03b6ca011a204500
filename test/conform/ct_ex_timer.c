/* SPDX-License-Identifier: MIT
 * Timers that the system allocates, coalescable timers, timer resolution. [WDK ExAllocateTimer, ExSetTimer, ExCancelTimer,
 * ExDeleteTimer, ExSetTimerResolution, ExQueryTimerResolution, KeSetCoalescableTimer] */
#include "ct.h"

#define MILLISECOND 10000LL

static LARGE_INTEGER Now;
static LARGE_INTEGER Patience = {.QuadPart = -10000 * MILLISECOND};

static NTSTATUS Wait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Patience);
}

static NTSTATUS TryWait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Now);
}

typedef struct SEEN {
    KSEMAPHORE Called;
    KEVENT Gone;
    PEX_TIMER Timer;
    KIRQL Irql;
    volatile LONG Calls;
    LONG DeleteAt; /* the callback deletes the timer in this call */
    EXT_DELETE_PARAMETERS Parameters;
} SEEN;

static VOID NTAPI OnTimer(PEX_TIMER Timer, PVOID Context)
{
    SEEN *Seen = Context;
    Seen->Timer = Timer;
    Seen->Irql = KeGetCurrentIrql();
    if (InterlockedIncrement(&Seen->Calls) == Seen->DeleteAt)
        ExDeleteTimer(Timer, TRUE, FALSE, &Seen->Parameters);
    KeReleaseSemaphore(&Seen->Called, IO_NO_INCREMENT, 1, FALSE);
}

static VOID NTAPI OnDelete(PVOID Context)
{
    KeSetEvent(&((SEEN *)Context)->Gone, IO_NO_INCREMENT, FALSE);
}

static VOID Prepare(SEEN *Seen)
{
    RtlZeroMemory(Seen, sizeof(*Seen));
    KeInitializeSemaphore(&Seen->Called, 0, MAXLONG);
    KeInitializeEvent(&Seen->Gone, NotificationEvent, FALSE);
    ExInitializeDeleteTimerParameters(&Seen->Parameters);
    Seen->Parameters.DeleteCallback = OnDelete;
    Seen->Parameters.DeleteContext = Seen;
}

/* The callback gets timer and context at DISPATCH_LEVEL. A synchronization timer is taken by one wait, a notification timer
 * stays signalled. Without a callback it is only waited for. */
static VOID ExTimerAllocate(VOID)
{
    SEEN Seen;
    Prepare(&Seen);
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, EX_TIMER_HIGH_RESOLUTION);
    CT_REQUIRE(Timer != NULL);
    CT_CHECK(!ExSetTimer(Timer, -20 * MILLISECOND, 0, NULL));
    CT_SUCCESS(Wait(&Seen.Called));
    CT_EQUAL(Seen.Timer, Timer);
    CT_EQUAL(Seen.Irql, DISPATCH_LEVEL);
    CT_SUCCESS(Wait(Timer));
    CT_STATUS(TryWait(Timer), STATUS_TIMEOUT);
    CT_CHECK(!ExDeleteTimer(Timer, TRUE, TRUE, NULL));
    CT_EQUAL(Seen.Calls, 1);
    Timer = ExAllocateTimer(NULL, NULL, EX_TIMER_NOTIFICATION);
    CT_REQUIRE(Timer != NULL);
    ExSetTimer(Timer, -MILLISECOND, 0, NULL);
    CT_SUCCESS(Wait(Timer));
    CT_SUCCESS(TryWait(Timer));
    ExDeleteTimer(Timer, TRUE, TRUE, NULL);
}

/* TRUE when it cancels a setting that was pending; the period is in 100 ns and not before its time; an absolute time that is
 * over is due at once. */
static VOID ExTimerSet(VOID)
{
    SEEN Seen;
    EXT_SET_PARAMETERS Parameters;
    Prepare(&Seen);
    ExInitializeSetTimerParameters(&Parameters);
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, 0);
    CT_REQUIRE(Timer != NULL);
    CT_CHECK(!ExSetTimer(Timer, -60000 * MILLISECOND, 0, NULL));
    ULONG64 Before = KeQueryInterruptTime();
    CT_CHECK(ExSetTimer(Timer, -5 * MILLISECOND, 25000, &Parameters));
    for (ULONG i = 0; i < 5; i++)
        CT_SUCCESS(Wait(&Seen.Called));
    LONG64 Passed = (LONG64)(KeQueryInterruptTime() - Before);
    CT_CHECK(Passed >= 5 * MILLISECOND + 4 * 25000 - (LONG64)KeQueryTimeIncrement());
    CT_CHECK(ExCancelTimer(Timer, NULL)); /* a periodic timer is always set */
    CT_CHECK(!ExSetTimer(Timer, 1, 0, NULL));
    CT_SUCCESS(Wait(Timer));
    CT_CHECK(!ExDeleteTimer(Timer, TRUE, TRUE, NULL));
}

static VOID ExTimerCancel(VOID)
{
    SEEN Seen;
    Prepare(&Seen);
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, EX_TIMER_NO_WAKE);
    CT_REQUIRE(Timer != NULL);
    CT_CHECK(!ExCancelTimer(Timer, NULL));
    ExSetTimer(Timer, -60000 * MILLISECOND, 0, NULL);
    CT_CHECK(ExCancelTimer(Timer, NULL));
    CT_CHECK(!ExCancelTimer(Timer, NULL));
    ExSetTimer(Timer, -MILLISECOND, 0, NULL);
    CT_SUCCESS(Wait(&Seen.Called));
    CT_CHECK(!ExCancelTimer(Timer, NULL)); /* it has expired */
    ExDeleteTimer(Timer, TRUE, TRUE, NULL);
    CT_EQUAL(Seen.Calls, 1);
}

/* Deleted while set: cancelled (TRUE), or left to expire once more; from its own callback; the delete callback comes last. */
static VOID ExTimerDelete(VOID)
{
    SEEN Seen;
    Prepare(&Seen);
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, 0);
    CT_REQUIRE(Timer != NULL);
    ExSetTimer(Timer, -60000 * MILLISECOND, 0, NULL);
    CT_CHECK(ExDeleteTimer(Timer, TRUE, TRUE, &Seen.Parameters));
    CT_SUCCESS(Wait(&Seen.Gone));
    CT_EQUAL(Seen.Calls, 0);

    Prepare(&Seen);
    Timer = ExAllocateTimer(OnTimer, &Seen, 0);
    CT_REQUIRE(Timer != NULL);
    ExSetTimer(Timer, -20 * MILLISECOND, 5 * MILLISECOND, NULL);
    CT_CHECK(!ExDeleteTimer(Timer, FALSE, FALSE, &Seen.Parameters));
    CT_SUCCESS(Wait(&Seen.Gone));
    CT_EQUAL(Seen.Calls, 1);

    Prepare(&Seen);
    Seen.DeleteAt = 3;
    Timer = ExAllocateTimer(OnTimer, &Seen, 0);
    CT_REQUIRE(Timer != NULL);
    ExSetTimer(Timer, -MILLISECOND, 2 * MILLISECOND, NULL);
    CT_SUCCESS(Wait(&Seen.Gone));
    CT_EQUAL(Seen.Calls, 3);
}

static VOID NTAPI CountDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeReleaseSemaphore(Context, IO_NO_INCREMENT, 1, FALSE);
}

/* Not before its due time, then every period; TRUE when it was in the queue. */
static VOID TimerCoalescable(VOID)
{
    KTIMER Timer;
    KDPC Dpc;
    KSEMAPHORE Called;
    LARGE_INTEGER Late = {.QuadPart = -60000 * MILLISECOND}, Soon = {.QuadPart = -20 * MILLISECOND};
    KeInitializeSemaphore(&Called, 0, MAXLONG);
    KeInitializeTimerEx(&Timer, SynchronizationTimer);
    KeInitializeDpc(&Dpc, CountDpc, &Called);
    CT_CHECK(!KeSetCoalescableTimer(&Timer, Late, 0, 100, &Dpc));
    ULONG64 Before = KeQueryInterruptTime();
    CT_CHECK(KeSetCoalescableTimer(&Timer, Soon, 10, 8, &Dpc));
    CT_SUCCESS(Wait(&Called));
    CT_CHECK(KeQueryInterruptTime() - Before >= (ULONG64)(20 * MILLISECOND - KeQueryTimeIncrement()));
    CT_SUCCESS(Wait(&Called));
    CT_CHECK(KeCancelTimer(&Timer));
    KeFlushQueuedDpcs();
}

static VOID TimerResolution(VOID)
{
    ULONG Longest, Shortest, Current;
    ExQueryTimerResolution(&Longest, &Shortest, &Current);
    CT_CHECK(Shortest <= Current && Current <= Longest);
    ULONG Set = ExSetTimerResolution(Shortest, TRUE);
    ExQueryTimerResolution(&Longest, &Shortest, &Current);
    CT_EQUAL(Set, Current);
    Set = ExSetTimerResolution(0, FALSE);
    CT_CHECK(Shortest <= Set && Set <= Longest);
}

static const CT_CASE Cases[] = {
    {"extimer.allocate", ExTimerAllocate},   {"extimer.set", ExTimerSet},
    {"extimer.cancel", ExTimerCancel},       {"extimer.delete", ExTimerDelete},
    {"timer.coalescable", TimerCoalescable}, {"timer.resolution", TimerResolution},
};
CT_DRIVER(Cases)

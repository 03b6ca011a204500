/* SPDX-License-Identifier: MIT
 * Clocks: they agree with each other and never go back, also not from one processor to another. [WDK KeQueryPerformanceCounter,
 * KeQueryInterruptTimePrecise, KeQueryUnbiasedInterruptTimePrecise, KeQuerySystemTimePrecise, KeQueryTickCount] */
#include "ct.h"

#define ROUNDS 20000
#define READERS 4

static LARGE_INTEGER Patience = {.QuadPart = -20 * 10000000LL};

/* Without the time that the machine slept, which it did not: precise and coarse clocks differ by a tick at most. */
static VOID TimeUnbiased(VOID)
{
    ULONG64 Stamp = 0, Again = 0;
    ULONG64 Coarse = KeQueryUnbiasedInterruptTime();
    ULONG64 Precise = KeQueryUnbiasedInterruptTimePrecise(&Stamp);
    ULONG64 Biased = KeQueryInterruptTimePrecise(&Again);
    CT_CHECK(Coarse <= Precise);
    CT_CHECK(Precise <= Biased);
    CT_CHECK(Stamp <= Again);
    CT_CHECK(Stamp != 0);
}

static BOOLEAN SharedClocksReach(ULONG64 Interrupt, LONGLONG System, LONGLONG Tick)
{
    LARGE_INTEGER TickNow, SystemNow;
    KeQueryTickCount(&TickNow);
    KeQuerySystemTime(&SystemNow);
    return KeQueryInterruptTime() >= Interrupt && SystemNow.QuadPart >= System && TickNow.QuadPart >= Tick;
}

/* The clocks of the shared page go on, each at its own rate, and are never ahead of the precise ones. */
static VOID TimeShared(VOID)
{
    LARGE_INTEGER Tick, System, Precise, Short = {.QuadPart = -10000};
    ULONG64 Stamp, Start = KeQueryInterruptTimePrecise(&Stamp);
    KeQueryTickCount(&Tick);
    KeQuerySystemTime(&System);
    while (!SharedClocksReach(Start + 50 * 10000, System.QuadPart + 50 * 10000, Tick.QuadPart + 3) &&
           KeQueryInterruptTimePrecise(&Stamp) - Start < 10 * 10000000ULL)
        KeDelayExecutionThread(KernelMode, FALSE, &Short);
    CT_CHECK(SharedClocksReach(Start + 50 * 10000, System.QuadPart + 50 * 10000, Tick.QuadPart + 3));
    KeQuerySystemTime(&System);
    KeQuerySystemTimePrecise(&Precise);
    CT_CHECK(System.QuadPart <= Precise.QuadPart);
    ULONG64 Coarse = KeQueryInterruptTime();
    CT_CHECK(Coarse <= KeQueryInterruptTimePrecise(&Stamp));
}

static volatile LONG64 Latest;
static volatile LONG Backwards;

/* What another processor has read and published lies in the past of what this one reads afterwards. */
static VOID NTAPI ReadCounters(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (ULONG i = 0; i < ROUNDS; i++) {
        LONG64 Before = InterlockedCompareExchange64(&Latest, 0, 0);
        LONG64 Mine = KeQueryPerformanceCounter(NULL).QuadPart;
        if (Mine < Before)
            InterlockedIncrement(&Backwards);
        while (Before < Mine && InterlockedCompareExchange64(&Latest, Mine, Before) != Before)
            Before = InterlockedCompareExchange64(&Latest, 0, 0);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID TimeMonotonic(VOID)
{
    PVOID Threads[READERS] = {NULL};
    Latest = 0;
    Backwards = 0;
    for (ULONG i = 0; i < READERS; i++) {
        HANDLE Handle;
        CT_REQUIRE(NT_SUCCESS(
            PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ReadCounters, NULL)));
        CT_SUCCESS(ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, KernelMode, &Threads[i], NULL));
        ZwClose(Handle);
    }
    for (ULONG i = 0; i < READERS; i++) {
        CT_SUCCESS(KeWaitForSingleObject(Threads[i], Executive, KernelMode, FALSE, &Patience));
        ObDereferenceObject(Threads[i]);
    }
    CT_EQUAL(Backwards, 0);
}

static const CT_CASE Cases[] = {
    {"time.unbiased", TimeUnbiased},
    {"time.shared", TimeShared},
    {"time.monotonic", TimeMonotonic},
};
CT_DRIVER(Cases)

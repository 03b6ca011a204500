/* SPDX-License-Identifier: MIT
 * Clocks: they agree with each other and never go back, also not from one processor to another. [WDK KeQueryPerformanceCounter,
 * KeQueryInterruptTimePrecise, KeQueryUnbiasedInterruptTimePrecise, KeQuerySystemTimePrecise, KeQueryTickCount] */
#include "ct_threads.h"

#define ROUNDS 20000
#define READERS 4

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

typedef struct CLOCKS {
    ULONG64 Interrupt;
    LARGE_INTEGER System, Tick;
} CLOCKS;

static BOOLEAN SharedClocksReach(PVOID Context)
{
    const CLOCKS *Wanted = Context;
    LARGE_INTEGER Tick, System;
    KeQueryTickCount(&Tick);
    KeQuerySystemTime(&System);
    return KeQueryInterruptTime() >= Wanted->Interrupt && System.QuadPart >= Wanted->System.QuadPart &&
           Tick.QuadPart >= Wanted->Tick.QuadPart;
}

/* The clocks of the shared page go on, each at its own rate, and are never ahead of the precise ones. */
static VOID TimeShared(VOID)
{
    LARGE_INTEGER System, Precise;
    ULONG64 Stamp;
    CLOCKS Wanted = {.Interrupt = KeQueryInterruptTimePrecise(&Stamp) + 50 * 10000};
    KeQueryTickCount(&Wanted.Tick);
    KeQuerySystemTime(&Wanted.System);
    Wanted.Tick.QuadPart += 3;
    Wanted.System.QuadPart += 50 * 10000;
    CT_REQUIRE(CtObserve(SharedClocksReach, &Wanted));
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
    PKTHREAD Threads[READERS];
    Latest = 0;
    Backwards = 0;
    for (ULONG i = 0; i < READERS; i++)
        Threads[i] = CtStart(ReadCounters, NULL);
    for (ULONG i = 0; i < READERS; i++)
        if (Threads[i] != NULL)
            CtJoin(Threads[i]);
    CT_EQUAL(Backwards, 0);
}

static const CT_CASE Cases[] = {
    {"time.unbiased", TimeUnbiased},
    {"time.shared", TimeShared},
    {"time.monotonic", TimeMonotonic},
};
CT_DRIVER(Cases)

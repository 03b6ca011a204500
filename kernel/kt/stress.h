/* SPDX-License-Identifier: MIT
 * Tier 3, kt only: the stress test's workers and kinds of operations. Workers pick operations at random, each from a stream of random numbers
 * of its own, so that a seed replays exactly where time does (-icount). What all kinds share: an operation ends by itself, leaves nothing
 * held, and what it counts must agree in the end. */
#pragma once
#include "ex.h"
#include "kd.h"
#include "ke.h"
#include "kt.h"

#define STRESS_MILLISECOND 10000ll /* in units of 100 ns */
#define STRESS_WORKERS_MAX 64

/* (o) the worker's own thread; (r) read by the watch without a lock */
typedef struct _STRESS_WORKER {
    PKTHREAD Thread; /* referenced */
    ULONG Index;
    ULONG64 Random;              /* (o) state of its stream, never 0 */
    volatile ULONG Operations;   /* (r) done so far */
    const char *volatile Doing;  /* (r) kind of the operation at work */
    volatile ULONG Alerts;       /* (a) KeAlertThread calls that were the first since the last one was seen */
    ULONG AlertsSeen;            /* (o) */
    volatile LONG ApcsReady;     /* (a) others may queue its APCs */
    PKTHREAD volatile Other;     /* (r) a thread that works for it, or NULL */
    volatile LONG AffinityTaken; /* (a) somebody changes its own affinity */
} STRESS_WORKER;

typedef struct _STRESS_KIND {
    PCSTR Name;
    ULONG Weight;                           /* how often it is picked */
    VOID (*Prepare)(VOID);                  /* may be NULL. PASSIVE_LEVEL, before the workers run */
    VOID (*Operate)(STRESS_WORKER *Worker); /* PASSIVE_LEVEL, also on return */
    VOID (*Check)(VOID);                    /* may be NULL. PASSIVE_LEVEL, after they have ended */
} STRESS_KIND;

extern const STRESS_KIND StressLockKinds[], StressCountKinds[], StressWaitKinds[], StressDeferredKinds[],
    StressThreadKinds[], StressApcKinds[], StressQueueKinds[], StressSharedKinds[], StressRundownKinds[],
    StressTimerKinds[], StressSpaceKinds[], StressPageKinds[], StressPoolKinds[], StressAttackKinds[],
    StressSampleKinds[];
extern const ULONG StressLockKindCount, StressCountKindCount, StressWaitKindCount, StressDeferredKindCount,
    StressThreadKindCount, StressApcKindCount, StressQueueKindCount, StressSharedKindCount,
    StressRundownKindCount, StressTimerKindCount, StressSpaceKindCount, StressPageKindCount,
    StressPoolKindCount, StressAttackKindCount, StressSampleKindCount;

/* --- stress.c --- */

extern STRESS_WORKER StressWorkers[STRESS_WORKERS_MAX];
extern ULONG StressWorkerCount;

ULONG StressRandom(STRESS_WORKER *Worker, ULONG Below); /* 0 <= result < Below */
VOID StressDelay(STRESS_WORKER *Worker);                /* nothing, or a while: computing, any IRQL */

/* The first broken invariant is the result; all workers stop. Any IRQL. */
VOID StressFail(PCSTR Format, ...) __attribute__((format(printf, 1, 2)));

#define STRESS_EXPECT(Condition)                                                                             \
    do {                                                                                                     \
        if (!(Condition))                                                                                    \
            StressFail("%s:%u: %s", __FILE_NAME__, (unsigned)__LINE__, #Condition);                          \
    } while (0)
#define STRESS_EQUAL(A, B)                                                                                   \
    do {                                                                                                     \
        LONG64 StressA = (LONG64)(A), StressB = (LONG64)(B);                                                 \
        if (StressA != StressB)                                                                              \
            StressFail("%s:%u: %s is %lld, %s is %lld", __FILE_NAME__, (unsigned)__LINE__, #A,               \
                       (long long)StressA, #B, (long long)StressB);                                          \
    } while (0)

/* A wait with a time-out of 0 to 3 ms, now and then alertable. An alert is counted and the wait begins again. */
VOID StressDelayThread(STRESS_WORKER *Worker); /* the same for KeDelayExecutionThread */
NTSTATUS StressWait(STRESS_WORKER *Worker, PVOID Object);
NTSTATUS StressWaitSeveral(STRESS_WORKER *Worker, ULONG Count, PVOID Objects[], WAIT_TYPE Type);

/* Objects that whoever holds them gives back soon, the caller holding none: every other wait has no time-out, and a wake-up that is lost is
 * not made good by it. */
NTSTATUS StressWaitForHeld(STRESS_WORKER *Worker, ULONG Count, PVOID Objects[], WAIT_TYPE Type);

/* The time that is over since Begin must be Wanted at least and must not be much more. 100 ns. */
VOID StressCheckTime(ULONG64 Begin, ULONG64 Wanted, PCSTR What);

/* Memory that somebody else may still touch, though it must not: a late writer leaves a mark in it. */
VOID StressSpoil(STRESS_WORKER *Worker, PVOID Memory, SIZE_T Length);

/* --- stress_delay.c: PASSIVE_LEVEL --- */

VOID StressDelayLocks(ULONG64 Seed); /* from now on lock operations are delayed at random */
VOID StressEndDelays(VOID);

/* --- stress_lock.c: what a lock guards --- */

typedef struct _STRESS_INSIDE {
    volatile LONG Writers, Readers; /* atomic: who is in now */
    ULONG64 Count;                  /* plain: lost updates show */
    volatile LONG64 Entries;        /* atomic */
} STRESS_INSIDE;

VOID StressInside(STRESS_WORKER *Worker, STRESS_INSIDE *Inside);       /* the caller has the lock alone */
VOID StressInsideShared(STRESS_WORKER *Worker, STRESS_INSIDE *Inside); /* ... or shares it */
VOID StressCheckInside(const STRESS_INSIDE *Inside);                   /* at the end: nobody is in */

#define STRESS_DEADLINE (15000 * STRESS_MILLISECOND) /* of what must come, but has no time of its own */

/* SPDX-License-Identifier: MIT
 * Stress: everything that excludes. Inside each there is a counter that is not atomic, and a note of who is in. */
#include "stress.h"

static STRESS_INSIDE InMutex, InFast, InGuarded, InToken, InSpin, InQueued;
static KMUTEX Mutex;
static FAST_MUTEX Fast;
static KGUARDED_MUTEX Guarded;
static KEVENT Token;
static KSPIN_LOCK Spin, Queued;

VOID StressInside(STRESS_WORKER *Worker, STRESS_INSIDE *Inside)
{
    STRESS_EQUAL(InterlockedIncrement(&Inside->Writers), 1);
    ULONG64 Count = Inside->Count;
    StressDelay(Worker);
    STRESS_EQUAL(Inside->Readers, 0);
    Inside->Count = Count + 1;
    InterlockedIncrement64(&Inside->Entries);
    STRESS_EQUAL(InterlockedDecrement(&Inside->Writers), 0);
}

VOID StressInsideShared(STRESS_WORKER *Worker, STRESS_INSIDE *Inside)
{
    InterlockedIncrement(&Inside->Readers);
    ULONG64 Count = *(volatile ULONG64 *)&Inside->Count;
    StressDelay(Worker);
    STRESS_EQUAL(Inside->Writers, 0);
    STRESS_EQUAL(*(volatile ULONG64 *)&Inside->Count, Count);
    STRESS_EXPECT(InterlockedDecrement(&Inside->Readers) >= 0);
}

VOID StressCheckInside(const STRESS_INSIDE *Inside)
{
    STRESS_EQUAL(Inside->Count, Inside->Entries);
    STRESS_EQUAL(Inside->Writers, 0);
    STRESS_EQUAL(Inside->Readers, 0);
}

/* --- mutex: recursive now and then --- */

static VOID MutexPrepare(VOID)
{
    KeInitializeMutex(&Mutex, 0);
}

static VOID MutexOperate(STRESS_WORKER *Worker)
{
    ULONG Depth = 1 + StressRandom(Worker, 3);
    ULONG Got = 0;
    PVOID Object = &Mutex;

    while (Got < Depth && StressWaitForHeld(Worker, 1, &Object, WaitAny) == STATUS_SUCCESS)
        Got++;
    if (Got == 0)
        return;
    STRESS_EQUAL(Got, Depth); /* the owner never waits */
    StressInside(Worker, &InMutex);
    while (Got-- != 0)
        STRESS_EQUAL(KeReleaseMutex(&Mutex, FALSE), -(LONG)Got);
}

static VOID MutexCheck(VOID)
{
    StressCheckInside(&InMutex);
    STRESS_EQUAL(KeReadStateMutex(&Mutex), 1);
}

/* --- fast and guarded mutexes --- */

static VOID FastPrepare(VOID)
{
    ExInitializeFastMutex(&Fast);
    KeInitializeGuardedMutex(&Guarded);
}

static VOID FastOperate(STRESS_WORKER *Worker)
{
    if (StressRandom(Worker, 3) != 0)
        ExAcquireFastMutex(&Fast);
    else if (!ExTryToAcquireFastMutex(&Fast))
        return;
    STRESS_EQUAL(KeGetCurrentIrql(), APC_LEVEL);
    StressInside(Worker, &InFast);
    ExReleaseFastMutex(&Fast);
}

static VOID GuardedOperate(STRESS_WORKER *Worker)
{
    if (StressRandom(Worker, 3) != 0)
        KeAcquireGuardedMutex(&Guarded);
    else if (!KeTryToAcquireGuardedMutex(&Guarded))
        return;
    StressInside(Worker, &InGuarded);
    KeReleaseGuardedMutex(&Guarded);
}

static VOID FastCheck(VOID)
{
    StressCheckInside(&InFast);
    StressCheckInside(&InGuarded);
}

/* --- a synchronization event as the token of a lock --- */

static VOID TokenPrepare(VOID)
{
    KeInitializeEvent(&Token, SynchronizationEvent, TRUE);
}

static VOID TokenOperate(STRESS_WORKER *Worker)
{
    PVOID Object = &Token;

    if (StressWaitForHeld(Worker, 1, &Object, WaitAny) != STATUS_SUCCESS)
        return;
    StressInside(Worker, &InToken);
    STRESS_EQUAL(KeSetEvent(&Token, (KPRIORITY)StressRandom(Worker, 3), FALSE), 0);
}

static VOID TokenCheck(VOID)
{
    StressCheckInside(&InToken);
    STRESS_EQUAL(KeReadStateEvent(&Token), 1);
}

/* --- spin locks --- */

static VOID SpinOperate(STRESS_WORKER *Worker)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Spin, &OldIrql);
    StressInside(Worker, &InSpin);
    KeReleaseSpinLock(&Spin, OldIrql);
}

static VOID QueuedOperate(STRESS_WORKER *Worker)
{
    KLOCK_QUEUE_HANDLE Handle;

    KeAcquireInStackQueuedSpinLock(&Queued, &Handle);
    StressInside(Worker, &InQueued);
    KeReleaseInStackQueuedSpinLock(&Handle);
}

static VOID SpinCheck(VOID)
{
    StressCheckInside(&InSpin);
    StressCheckInside(&InQueued);
}

const STRESS_KIND StressLockKinds[] = {
    {"mutex", 6, MutexPrepare, MutexOperate, MutexCheck},
    {"fast mutex", 4, FastPrepare, FastOperate, FastCheck},
    {"guarded mutex", 4, NULL, GuardedOperate, NULL},
    {"token event", 6, TokenPrepare, TokenOperate, TokenCheck},
    {"spin lock", 3, NULL, SpinOperate, SpinCheck},
    {"queued spin lock", 3, NULL, QueuedOperate, NULL},
};
const ULONG StressLockKindCount = RTL_NUMBER_OF(StressLockKinds);

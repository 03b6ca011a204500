/* SPDX-License-Identifier: MIT
 * Stress: who holds keeps it from going away: rundown protection, plain and cache-aware, and a remove lock. While it is gone nobody holds it
 * and nobody gets it; afterwards it begins anew. */
#include "stress.h"

#define TAG 'srtS'

typedef struct _STRESS_GUARDED {
    volatile LONG Holders; /* atomic: references that workers have */
    volatile LONG Gone;    /* set while nobody may have one */
    volatile LONG Removed; /* atomic: somebody makes it go away, or it is gone */
} STRESS_GUARDED;

static EX_RUNDOWN_REF Plain;
static PEX_RUNDOWN_REF_CACHE_AWARE CacheAware;
static IO_REMOVE_LOCK RemoveLock;
static EX_SPIN_LOCK RemoveLockLife; /* shared: the lock may be used; alone: it is initialized anew */
static STRESS_GUARDED ByPlain, ByCacheAware, ByRemoveLock;

static VOID RundownPrepare(VOID)
{
    ExInitializeRundownProtection(&Plain);
    CacheAware = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);
    STRESS_EXPECT(CacheAware != NULL);
    IoInitializeRemoveLock(&RemoveLock, TAG, 0, 0);
}

/* Now and then it goes on on another processor. */
static VOID StressHoldReference(STRESS_WORKER *Worker, STRESS_GUARDED *Guarded)
{
    InterlockedIncrement(&Guarded->Holders);
    STRESS_EQUAL(Guarded->Gone, FALSE);
    StressDelay(Worker);
    if (StressRandom(Worker, 6) == 0)
        StressDelayThread(Worker);
    STRESS_EQUAL(Guarded->Gone, FALSE);
    STRESS_EXPECT(InterlockedDecrement(&Guarded->Holders) >= 0);
}

/* TRUE: the caller is the one who makes it go away. */
static BOOLEAN StressBeginRemoval(STRESS_WORKER *Worker, STRESS_GUARDED *Guarded)
{
    return StressRandom(Worker, 6) == 0 && InterlockedExchange(&Guarded->Removed, TRUE) == FALSE;
}

static VOID StressEnjoyRemoval(STRESS_WORKER *Worker, STRESS_GUARDED *Guarded)
{
    STRESS_EQUAL(Guarded->Holders, 0);
    Guarded->Gone = TRUE;
    StressDelay(Worker);
    STRESS_EQUAL(Guarded->Holders, 0);
    Guarded->Gone = FALSE;
}

static VOID PlainOperate(STRESS_WORKER *Worker)
{
    ULONG Count = 1 + StressRandom(Worker, 3);

    if (StressBeginRemoval(Worker, &ByPlain)) {
        ExWaitForRundownProtectionRelease(&Plain);
        StressEnjoyRemoval(Worker, &ByPlain);
        STRESS_EXPECT(!ExAcquireRundownProtection(&Plain));
        ExReInitializeRundownProtection(&Plain);
        InterlockedExchange(&ByPlain.Removed, FALSE);
    } else if (ExAcquireRundownProtectionEx(&Plain, Count)) {
        StressHoldReference(Worker, &ByPlain);
        while (Count-- != 0)
            ExReleaseRundownProtection(&Plain);
    }
}

static VOID CacheAwareOperate(STRESS_WORKER *Worker)
{
    ULONG Count = 1 + StressRandom(Worker, 3);

    if (StressBeginRemoval(Worker, &ByCacheAware)) {
        ExWaitForRundownProtectionReleaseCacheAware(CacheAware);
        StressEnjoyRemoval(Worker, &ByCacheAware);
        STRESS_EXPECT(!ExAcquireRundownProtectionCacheAware(CacheAware));
        ExReInitializeRundownProtectionCacheAware(CacheAware);
        InterlockedExchange(&ByCacheAware.Removed, FALSE);
    } else if (ExAcquireRundownProtectionCacheAwareEx(CacheAware, Count)) {
        StressHoldReference(Worker, &ByCacheAware);
        while (Count-- != 0)
            ExReleaseRundownProtectionCacheAware(CacheAware);
    }
}

/* --- remove lock --- */

static BOOLEAN StressAcquireRemoveLock(STRESS_WORKER *Worker)
{
    KIRQL OldIrql = ExAcquireSpinLockShared(&RemoveLockLife);
    NTSTATUS Status = IoAcquireRemoveLock(&RemoveLock, Worker);

    ExReleaseSpinLockShared(&RemoveLockLife, OldIrql);
    STRESS_EXPECT(Status == STATUS_SUCCESS || Status == STATUS_DELETE_PENDING);
    return Status == STATUS_SUCCESS;
}

static VOID StressRemove(STRESS_WORKER *Worker)
{
    STRESS_EXPECT(StressAcquireRemoveLock(Worker)); /* it alone removes */
    IoReleaseRemoveLockAndWait(&RemoveLock, Worker);
    StressEnjoyRemoval(Worker, &ByRemoveLock);
    STRESS_EXPECT(!StressAcquireRemoveLock(Worker));
    KIRQL OldIrql = ExAcquireSpinLockExclusive(&RemoveLockLife);
    IoInitializeRemoveLock(&RemoveLock, TAG, 0, 0);
    ExReleaseSpinLockExclusive(&RemoveLockLife, OldIrql);
    InterlockedExchange(&ByRemoveLock.Removed, FALSE);
}

static VOID RemoveLockOperate(STRESS_WORKER *Worker)
{
    if (StressBeginRemoval(Worker, &ByRemoveLock)) {
        StressRemove(Worker);
    } else if (StressAcquireRemoveLock(Worker)) {
        StressHoldReference(Worker, &ByRemoveLock);
        IoReleaseRemoveLock(&RemoveLock, Worker);
    }
}

static VOID RundownCheck(VOID)
{
    STRESS_EQUAL(Plain.Count, 0);
    ExWaitForRundownProtectionReleaseCacheAware(CacheAware); /* would not return with references left */
    ExFreeCacheAwareRundownProtection(CacheAware);
    STRESS_EQUAL(RemoveLock.Common.IoCount, 1);
    STRESS_EQUAL(ByPlain.Holders + ByCacheAware.Holders + ByRemoveLock.Holders, 0);
}

const STRESS_KIND StressRundownKinds[] = {
    {"rundown protection", 5, RundownPrepare, PlainOperate, RundownCheck},
    {"cache-aware rundown protection", 5, NULL, CacheAwareOperate, NULL},
    {"remove lock", 5, NULL, RemoveLockOperate, NULL},
};
const ULONG StressRundownKindCount = RTL_NUMBER_OF(StressRundownKinds);

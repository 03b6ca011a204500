/* SPDX-License-Identifier: MIT
 * Stress: what many may share or one has alone: an ERESOURCE, with recursion, conversion and owners that are no threads, and a reader/writer
 * spin lock. Who shares sees no writer and no change, who is alone sees nobody. */
#include "stress.h"

static ERESOURCE Resource;
static EX_SPIN_LOCK Spin;
static STRESS_INSIDE InResource, InSpin;

static VOID SharedPrepare(VOID)
{
    (void)ExInitializeResourceLite(&Resource);
}

/* Now and then long enough for others to begin to wait. */
static VOID StressStay(STRESS_WORKER *Worker)
{
    if (StressRandom(Worker, 8) == 0)
        StressDelayThread(Worker);
}

static VOID StressReleaseResource(ULONG Times)
{
    while (Times-- != 0)
        ExReleaseResourceLite(&Resource);
}

static VOID StressConvert(STRESS_WORKER *Worker)
{
    ExConvertExclusiveToSharedLite(&Resource);
    STRESS_EXPECT(!ExIsResourceAcquiredExclusiveLite(&Resource));
    StressInsideShared(Worker, &InResource);
    StressStay(Worker);
    StressInsideShared(Worker, &InResource);
}

/* The owner gets it again at once, in either way. */
static VOID StressAlone(STRESS_WORKER *Worker)
{
    ULONG Times = 1 + StressRandom(Worker, 3);

    if (!ExAcquireResourceExclusiveLite(&Resource, StressRandom(Worker, 3) != 0))
        return;
    if (Times >= 2)
        STRESS_EXPECT(ExAcquireResourceSharedLite(&Resource, FALSE));
    if (Times == 3)
        STRESS_EXPECT(ExAcquireResourceExclusiveLite(&Resource, FALSE));
    STRESS_EXPECT(ExIsResourceAcquiredExclusiveLite(&Resource));
    STRESS_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), Times);
    StressInside(Worker, &InResource);
    StressStay(Worker);
    StressInside(Worker, &InResource);
    if (StressRandom(Worker, 3) == 0)
        StressConvert(Worker);
    StressReleaseResource(Times);
}

static BOOLEAN StressShare(STRESS_WORKER *Worker)
{
    BOOLEAN Wait = StressRandom(Worker, 3) != 0;

    switch (StressRandom(Worker, 3)) {
    case 0:
        return ExAcquireSharedStarveExclusive(&Resource, Wait);
    case 1:
        return ExAcquireSharedWaitForExclusive(&Resource, Wait);
    default:
        return ExAcquireResourceSharedLite(&Resource, Wait);
    }
}

static VOID StressTogether(STRESS_WORKER *Worker)
{
    ULONG Times = 1 + StressRandom(Worker, 2);

    if (!StressShare(Worker))
        return;
    if (Times == 2) /* before those who wait to have it alone: it has it already */
        STRESS_EXPECT(ExAcquireResourceSharedLite(&Resource, FALSE));
    STRESS_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), Times);
    StressInsideShared(Worker, &InResource);
    StressStay(Worker);
    StressInsideShared(Worker, &InResource);
    StressReleaseResource(Times);
}

/* --- given to an owner that is no thread; a DPC on some processor releases it --- */

typedef struct _STRESS_TRANSFER {
    KDPC Dpc;
    KEVENT Released;
    ERESOURCE_THREAD Owner;
    BOOLEAN Alone;
} STRESS_TRANSFER;

static VOID NTAPI StressReleaseForOwner(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    STRESS_TRANSFER *Transfer = Context;

    if (Transfer->Alone)
        STRESS_EQUAL(InterlockedDecrement(&InResource.Writers), 0);
    else
        STRESS_EXPECT(InResource.Writers == 0 && InterlockedDecrement(&InResource.Readers) >= 0);
    ExReleaseResourceForThreadLite(&Resource, Transfer->Owner);
    KeSetEvent(&Transfer->Released, IO_NO_INCREMENT, FALSE);
}

static VOID StressTransfer(STRESS_WORKER *Worker)
{
    STRESS_TRANSFER Transfer = {.Alone = StressRandom(Worker, 2) != 0};

    if (!(Transfer.Alone ? ExAcquireResourceExclusiveLite(&Resource, TRUE) : StressShare(Worker)))
        return;
    LONG Now = InterlockedIncrement(Transfer.Alone ? &InResource.Writers : &InResource.Readers);
    STRESS_EXPECT(!Transfer.Alone || Now == 1);
    Transfer.Owner = (ERESOURCE_THREAD)&Transfer | 3; /* [WDK ExSetResourceOwnerPointer] no thread */
    ExSetResourceOwnerPointer(&Resource, (PVOID)Transfer.Owner);
    STRESS_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), 0);
    StressStay(Worker);
    KeInitializeEvent(&Transfer.Released, NotificationEvent, FALSE);
    KeInitializeDpc(&Transfer.Dpc, StressReleaseForOwner, &Transfer);
    KeSetTargetProcessorDpc(&Transfer.Dpc, (CCHAR)StressRandom(Worker, KeActiveProcessorCount));
    STRESS_EXPECT(KeInsertQueueDpc(&Transfer.Dpc, NULL, NULL));
    (void)KeWaitForSingleObject(&Transfer.Released, Executive, KernelMode, FALSE, NULL);
    StressSpoil(Worker, &Transfer, sizeof(Transfer));
}

static VOID ResourceOperate(STRESS_WORKER *Worker)
{
    ULONG Choice = StressRandom(Worker, 8);

    KeEnterCriticalRegion();
    if (Choice < 3)
        StressAlone(Worker);
    else if (Choice < 7)
        StressTogether(Worker);
    else
        StressTransfer(Worker);
    KeLeaveCriticalRegion();
}

/* --- reader/writer spin lock --- */

static VOID SharedSpinOperate(STRESS_WORKER *Worker)
{
    BOOLEAN Alone = StressRandom(Worker, 3) == 0;
    KIRQL OldIrql = Alone ? ExAcquireSpinLockExclusive(&Spin) : ExAcquireSpinLockShared(&Spin);

    if (!Alone) {
        StressInsideShared(Worker, &InSpin);
        Alone = StressRandom(Worker, 3) == 0 && ExTryConvertSharedSpinLockExclusive(&Spin);
    }
    if (Alone) {
        StressInside(Worker, &InSpin);
        ExReleaseSpinLockExclusive(&Spin, OldIrql);
    } else {
        ExReleaseSpinLockShared(&Spin, OldIrql);
    }
}

static VOID SharedCheck(VOID)
{
    StressCheckInside(&InResource);
    StressCheckInside(&InSpin);
    STRESS_EQUAL(Spin & ~0x40000000, 0); /* but for the note that a writer waits */
    STRESS_EQUAL(Resource.ActiveEntries, 0);
    STRESS_EQUAL(ExGetSharedWaiterCount(&Resource), 0);
    STRESS_EQUAL(ExGetExclusiveWaiterCount(&Resource), 0);
    (void)ExDeleteResourceLite(&Resource);
}

const STRESS_KIND StressSharedKinds[] = {
    {"resource", 10, SharedPrepare, ResourceOperate, SharedCheck},
    {"reader/writer spin lock", 4, NULL, SharedSpinOperate, NULL},
};
const ULONG StressSharedKindCount = RTL_NUMBER_OF(StressSharedKinds);

/* SPDX-License-Identifier: MIT
 * Spin locks with several threads, those of threaded DPCs, and reader/writer ones. [WDK KeAcquireSpinLock,
 * KeAcquireInStackQueuedSpinLock, KeAcquireSpinLockForDpc, ExAcquireSpinLockShared, ExTryConvertSharedSpinLockExclusive]
 * Nothing here waits while it holds one. */
#include "ct_crew.h"

#define ROUNDS                                                                                               \
    200 /* with more processors than the host has, each hand-over can cost a time slice of the host */

static CT_CREW Crew;
static struct {
    KSPIN_LOCK Lock;
    EX_SPIN_LOCK Shared;
    volatile ULONG Sum, Mirror; /* changed together, under the lock */
    volatile LONG Torn, Alone;  /* how often that was not so; writers inside */
} Data;

static VOID AddOne(VOID)
{
    ULONG Sum = Data.Sum;
    if (Data.Mirror != Sum)
        InterlockedIncrement(&Data.Torn);
    Data.Sum = Sum + 1;
    YieldProcessor();
    Data.Mirror = Sum + 1;
}

static VOID CheckSum(ULONG Expected)
{
    CT_EQUAL(Data.Torn, 0);
    CT_EQUAL(Data.Sum, Expected);
    CT_EQUAL(Data.Mirror, Expected);
    CT_EQUAL(Data.Lock, 0);
    CT_EQUAL(Data.Shared, 0);
}

static VOID LockOrdinary(ULONG Number)
{
    UNREFERENCED_PARAMETER(Number);
    for (ULONG i = 0; i < ROUNDS; i++) {
        KIRQL Old;
        KeAcquireSpinLock(&Data.Lock, &Old);
        AddOne();
        KeReleaseSpinLock(&Data.Lock, Old);
    }
}

static VOID SpinLockThreads(VOID)
{
    RtlZeroMemory(&Data, sizeof(Data));
    CtRunCrew(&Crew, LockOrdinary);
    CheckSum(CT_THREADS * ROUNDS);
}

/* Half of them with a loop of their own around the try. */
static VOID LockByTrying(ULONG Number)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        KIRQL Old;
        KeRaiseIrql(DISPATCH_LEVEL, &Old);
        if (Number % 2 == 0)
            KeAcquireSpinLockAtDpcLevel(&Data.Lock);
        else
            while (!KeTestSpinLock(&Data.Lock) || !KeTryToAcquireSpinLockAtDpcLevel(&Data.Lock))
                YieldProcessor();
        AddOne();
        KeReleaseSpinLockFromDpcLevel(&Data.Lock);
        KeLowerIrql(Old);
    }
}

static VOID SpinLockTrying(VOID)
{
    RtlZeroMemory(&Data, sizeof(Data));
    CtRunCrew(&Crew, LockByTrying);
    CheckSum(CT_THREADS * ROUNDS);
}

/* The two ways to take a queued lock meet each other. */
static VOID LockQueued(ULONG Number)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        KLOCK_QUEUE_HANDLE Handle;
        KIRQL Old = PASSIVE_LEVEL;
        if (Number % 2 == 0) {
            KeAcquireInStackQueuedSpinLock(&Data.Lock, &Handle);
        } else {
            KeRaiseIrql(DISPATCH_LEVEL, &Old);
            KeAcquireInStackQueuedSpinLockAtDpcLevel(&Data.Lock, &Handle);
        }
        AddOne();
        if (Number % 2 == 0) {
            KeReleaseInStackQueuedSpinLock(&Handle);
        } else {
            KeReleaseInStackQueuedSpinLockFromDpcLevel(&Handle);
            KeLowerIrql(Old);
        }
    }
}

static VOID SpinLockQueuedThreads(VOID)
{
    RtlZeroMemory(&Data, sizeof(Data));
    CtRunCrew(&Crew, LockQueued);
    CheckSum(CT_THREADS * ROUNDS);
}

/* Raises from PASSIVE_LEVEL, stays at DISPATCH_LEVEL, returns to where it was: a threaded DPC may run at either. */
static VOID SpinLockForDpc(VOID)
{
    static const KIRQL From[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL};
    KSPIN_LOCK Lock;
    KLOCK_QUEUE_HANDLE Handle;
    KeInitializeSpinLock(&Lock);
    for (ULONG i = 0; i < RTL_NUMBER_OF(From); i++) {
        KIRQL Old, Returned, Held, HeldQueued, After;
        KeRaiseIrql(From[i], &Old);
        Returned = KeAcquireSpinLockForDpc(&Lock);
        Held = KeGetCurrentIrql();
        KeReleaseSpinLockForDpc(&Lock, Returned);
        After = KeGetCurrentIrql();
        KeAcquireInStackQueuedSpinLockForDpc(&Lock, &Handle);
        HeldQueued = KeGetCurrentIrql();
        KeReleaseInStackQueuedSpinLockForDpc(&Handle);
        KIRQL AfterQueued = KeGetCurrentIrql();
        KeLowerIrql(Old);
        CT_EQUAL(Returned, From[i]);
        CT_EQUAL(Held, DISPATCH_LEVEL);
        CT_EQUAL(After, From[i]);
        CT_EQUAL(HeldQueued, DISPATCH_LEVEL);
        CT_EQUAL(AfterQueued, From[i]);
        CT_EQUAL(Lock, 0);
    }
}

/* Raises to DISPATCH_LEVEL, is seen in the lock while it is held, and leaves no trace. */
static VOID CheckPair(KIRQL(NTAPI *Acquire)(PEX_SPIN_LOCK), VOID(NTAPI *Release)(PEX_SPIN_LOCK, KIRQL))
{
    EX_SPIN_LOCK Lock = 0;
    KIRQL Old = Acquire(&Lock);
    KIRQL Held = KeGetCurrentIrql();
    BOOLEAN Busy = Lock != 0;
    Release(&Lock, Old);
    CT_EQUAL(Old, PASSIVE_LEVEL);
    CT_EQUAL(Held, DISPATCH_LEVEL);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    CT_CHECK(Busy && Lock == 0);
}

static VOID SharedExclusive(VOID)
{
    CheckPair(ExAcquireSpinLockExclusive, ExReleaseSpinLockExclusive);
}

static VOID SharedShared(VOID)
{
    CheckPair(ExAcquireSpinLockShared, ExReleaseSpinLockShared);
}

static VOID SharedAtDpc(VOID)
{
    EX_SPIN_LOCK Lock = 0;
    KIRQL Old, After;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    ExAcquireSpinLockSharedAtDpcLevel(&Lock);
    BOOLEAN Shared = Lock != 0;
    ExReleaseSpinLockSharedFromDpcLevel(&Lock);
    ExAcquireSpinLockExclusiveAtDpcLevel(&Lock);
    BOOLEAN Exclusive = Lock != 0;
    ExReleaseSpinLockExclusiveFromDpcLevel(&Lock);
    After = KeGetCurrentIrql();
    KeLowerIrql(Old);
    CT_CHECK(Shared && Exclusive && Lock == 0);
    CT_EQUAL(After, DISPATCH_LEVEL); /* none of them changes the IRQL */
}

/* The only reader becomes the writer, and releases as one. */
static VOID SharedConvert(VOID)
{
    EX_SPIN_LOCK Lock = 0, Other = 0;
    KIRQL Old = ExAcquireSpinLockShared(&Lock);
    LOGICAL Converted = ExTryConvertSharedSpinLockExclusive(&Lock);
    if (Converted)
        ExReleaseSpinLockExclusive(&Lock, Old);
    else
        ExReleaseSpinLockShared(&Lock, Old);
    Old = ExAcquireSpinLockExclusive(&Other); /* what it was converted to looks the same */
    EX_SPIN_LOCK Exclusive = Other;
    ExReleaseSpinLockExclusive(&Other, Old);
    CT_CHECK(Converted);
    CT_CHECK(Exclusive != 0);
    CT_EQUAL(Lock, 0);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static VOID Read(VOID)
{
    KIRQL Old = ExAcquireSpinLockShared(&Data.Shared);
    if (Data.Sum != Data.Mirror || Data.Alone != 0)
        InterlockedIncrement(&Data.Torn);
    ExReleaseSpinLockShared(&Data.Shared, Old);
}

static VOID WriteAlone(VOID)
{
    if (InterlockedIncrement(&Data.Alone) != 1)
        InterlockedIncrement(&Data.Torn);
    AddOne();
    InterlockedDecrement(&Data.Alone);
}

/* Two write; two read and, when they are alone, write too. */
static volatile LONG Upgrades;

static VOID LockShared(ULONG Number)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        KIRQL Old;
        Read();
        Old = Number % 2 == 0 ? ExAcquireSpinLockExclusive(&Data.Shared)
                              : ExAcquireSpinLockShared(&Data.Shared);
        if (Number % 2 == 0 || ExTryConvertSharedSpinLockExclusive(&Data.Shared)) {
            if (Number % 2 != 0)
                InterlockedIncrement(&Upgrades);
            WriteAlone();
            ExReleaseSpinLockExclusive(&Data.Shared, Old);
        } else {
            ExReleaseSpinLockShared(&Data.Shared, Old);
        }
    }
}

static VOID SharedThreads(VOID)
{
    RtlZeroMemory(&Data, sizeof(Data));
    Upgrades = 0;
    CtRunCrew(&Crew, LockShared);
    CheckSum(CT_THREADS / 2 * ROUNDS + (ULONG)Upgrades);
}

static const CT_CASE Cases[] = {
    {"spinlock.threads", SpinLockThreads},
    {"spinlock.trying", SpinLockTrying},
    {"spinlock.queued_threads", SpinLockQueuedThreads},
    {"spinlock.for_dpc", SpinLockForDpc},
    {"rwspinlock.exclusive", SharedExclusive},
    {"rwspinlock.shared", SharedShared},
    {"rwspinlock.at_dpc", SharedAtDpc},
    {"rwspinlock.convert", SharedConvert},
    {"rwspinlock.threads", SharedThreads},
};
CT_DRIVER(Cases)

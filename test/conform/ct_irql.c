/* SPDX-License-Identifier: MIT
 * IRQL, spin locks, processors and clocks. [WDK Managing Hardware Priorities, Introduction to Spin Locks,
 * KeAcquireInStackQueuedSpinLock, KeQueryPerformanceCounter, KeStallExecutionProcessor] */
#include "ct.h"

CT_IMPORT(KIRQL, KeGetCurrentIrql, (VOID));
CT_IMPORT(KIRQL, KfRaiseIrql, (KIRQL NewIrql));
CT_IMPORT(VOID, KeLowerIrql, (KIRQL NewIrql));
CT_IMPORT(KIRQL, KeRaiseIrqlToDpcLevel, (VOID));
CT_IMPORT(VOID, KeInitializeSpinLock, (PKSPIN_LOCK SpinLock));

static VOID IrqlGet(VOID)
{
    CT_EQUAL(Imported_KeGetCurrentIrql(), PASSIVE_LEVEL);
}

/* The exports and the headers' inline forms are the same thing. */
static VOID IrqlRaise(VOID)
{
    KIRQL Old = Imported_KfRaiseIrql(APC_LEVEL);
    KIRQL First = KeGetCurrentIrql();
    KIRQL Middle = Imported_KfRaiseIrql(HIGH_LEVEL);
    KIRQL Second = KeGetCurrentIrql();
    Imported_KeLowerIrql(Middle);
    KIRQL Third = KeGetCurrentIrql();
    Imported_KeLowerIrql(Old);
    CT_EQUAL(Old, PASSIVE_LEVEL);
    CT_EQUAL(First, APC_LEVEL);
    CT_EQUAL(Middle, APC_LEVEL);
    CT_EQUAL(Second, HIGH_LEVEL);
    CT_EQUAL(Third, APC_LEVEL);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static VOID IrqlRaiseDpc(VOID)
{
    KIRQL Old = Imported_KeRaiseIrqlToDpcLevel();
    KIRQL Raised = KeGetCurrentIrql();
    KeLowerIrql(Old);
    CT_EQUAL(Old, PASSIVE_LEVEL);
    CT_EQUAL(Raised, DISPATCH_LEVEL);
}

static VOID SpinLockInit(VOID)
{
    KSPIN_LOCK Lock = 1;
    Imported_KeInitializeSpinLock(&Lock);
    CT_EQUAL(Lock, 0);
}

static VOID SpinLockRaise(VOID)
{
    KSPIN_LOCK Lock;
    KeInitializeSpinLock(&Lock);
    for (ULONG i = 0; i < 2; i++) { /* twice: it was really released */
        KIRQL Old = KeAcquireSpinLockRaiseToDpc(&Lock);
        KIRQL Held = KeGetCurrentIrql();
        BOOLEAN Busy = Lock != 0;
        KeReleaseSpinLock(&Lock, Old);
        CT_EQUAL(Old, PASSIVE_LEVEL);
        CT_EQUAL(Held, DISPATCH_LEVEL);
        CT_CHECK(Busy && Lock == 0);
        CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    }
}

static VOID SpinLockAtDpc(VOID)
{
    KSPIN_LOCK Lock;
    KIRQL Old;
    KeInitializeSpinLock(&Lock);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    KeAcquireSpinLockAtDpcLevel(&Lock);
    BOOLEAN Busy = Lock != 0;
    KeReleaseSpinLockFromDpcLevel(&Lock);
    KIRQL After = KeGetCurrentIrql();
    KeLowerIrql(Old);
    CT_CHECK(Busy && Lock == 0);
    CT_EQUAL(After, DISPATCH_LEVEL); /* neither changes the IRQL */
}

static VOID SpinLockTry(VOID)
{
    KSPIN_LOCK Lock;
    KIRQL Old;
    KeInitializeSpinLock(&Lock);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    BOOLEAN Free = KeTestSpinLock(&Lock);
    BOOLEAN First = KeTryToAcquireSpinLockAtDpcLevel(&Lock);
    BOOLEAN Taken = !KeTestSpinLock(&Lock);
    BOOLEAN Second = KeTryToAcquireSpinLockAtDpcLevel(&Lock);
    KeReleaseSpinLockFromDpcLevel(&Lock);
    KeLowerIrql(Old);
    CT_CHECK(Free && First && Taken && !Second);
}

static VOID SpinLockQueued(VOID)
{
    KSPIN_LOCK Lock;
    KLOCK_QUEUE_HANDLE Handle;
    KeInitializeSpinLock(&Lock);
    for (ULONG i = 0; i < 2; i++) {
        KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
        KIRQL Held = KeGetCurrentIrql();
        KeReleaseInStackQueuedSpinLock(&Handle);
        CT_EQUAL(Held, DISPATCH_LEVEL);
        CT_EQUAL(Handle.OldIrql, PASSIVE_LEVEL);
        CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    }
}

static VOID SpinLockQueuedAtDpc(VOID)
{
    KSPIN_LOCK Lock;
    KLOCK_QUEUE_HANDLE Handle;
    KIRQL Old;
    KeInitializeSpinLock(&Lock);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    for (ULONG i = 0; i < 2; i++) {
        KeAcquireInStackQueuedSpinLockAtDpcLevel(&Lock, &Handle);
        KeReleaseInStackQueuedSpinLockFromDpcLevel(&Handle);
    }
    KIRQL After = KeGetCurrentIrql();
    KeLowerIrql(Old);
    CT_EQUAL(After, DISPATCH_LEVEL);
    CT_EQUAL(Lock, 0);
}

static VOID ProcessorNumber(VOID)
{
    PROCESSOR_NUMBER Number;
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    ULONG Index = KeGetCurrentProcessorNumberEx(&Number);
    KeLowerIrql(Old);
    CT_CHECK(Index < KeQueryActiveProcessorCount(NULL));
    CT_EQUAL(Number.Group, 0);
    CT_EQUAL(Number.Number, Index);
}

static VOID ProcessorActive(VOID)
{
    KAFFINITY Affinity = 0;
    ULONG Count = KeQueryActiveProcessorCount(&Affinity), Bits = 0;
    for (ULONG i = 0; i < 64; i++)
        Bits += (Affinity >> i) & 1;
    CT_CHECK(Count >= 1);
    CT_EQUAL(Bits, Count);
    CT_EQUAL(KeQueryActiveProcessors(), Affinity);
    CT_EQUAL(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS), Count);
    CT_CHECK(KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS) >= Count);
    CT_EQUAL(KeNumberProcessors, Count);
}

/* 100 ns since 1601: this century. The precise clock is never behind the coarse one that was read before it.
 */
static VOID TimeSystem(VOID)
{
    LARGE_INTEGER Coarse, Precise, Again;
    KeQuerySystemTime(&Coarse);
    KeQuerySystemTimePrecise(&Precise);
    KeQuerySystemTimePrecise(&Again);
    CT_CHECK(Coarse.QuadPart > 125911584000000000LL); /* 2000-01-01 */
    CT_CHECK(Precise.QuadPart >= Coarse.QuadPart);
    CT_CHECK(Again.QuadPart >= Precise.QuadPart);
}

static VOID TimeInterrupt(VOID)
{
    ULONG64 Qpc = 0;
    ULONG64 Coarse = KeQueryInterruptTime();
    ULONG64 Precise = KeQueryInterruptTimePrecise(&Qpc);
    ULONG64 Unbiased = KeQueryUnbiasedInterruptTime();
    CT_CHECK(Coarse != 0);
    CT_CHECK(Precise >= Coarse);
    CT_CHECK(Qpc != 0);
    CT_CHECK(Unbiased <= KeQueryInterruptTimePrecise(&Qpc)); /* never slept: the same clock */
}

static VOID TimeIncrement(VOID)
{
    ULONG Increment = KeQueryTimeIncrement();
    LARGE_INTEGER First, Second, Delay = {.QuadPart = -3 * (LONGLONG)Increment};
    CT_CHECK(Increment >= 4000 && Increment <= 200000); /* 0.4 to 20 ms in 100 ns */
    KeQueryTickCount(&First);
    KeDelayExecutionThread(KernelMode, FALSE, &Delay);
    KeQueryTickCount(&Second);
    CT_CHECK(Second.QuadPart > First.QuadPart);
}

static VOID ProcessorMaximum(VOID)
{
    CT_CHECK(KeQueryMaximumProcessorCount() >= KeQueryActiveProcessorCount(NULL));
    CT_CHECK(KeQueryActiveGroupCount() >= 1);
    CT_CHECK(KeQueryMaximumGroupCount() >= KeQueryActiveGroupCount());
    CT_EQUAL(KeQueryGroupAffinity(0), KeQueryActiveProcessors());
    CT_EQUAL(KeQueryGroupAffinity(KeQueryMaximumGroupCount()), 0);
}

/* There and back for each processor; beyond the last there is none. */
static VOID ProcessorIndex(VOID)
{
    ULONG Count = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
    PROCESSOR_NUMBER Number;
    for (ULONG i = 0; i < Count; i++) {
        CT_SUCCESS(KeGetProcessorNumberFromIndex(i, &Number));
        CT_EQUAL(KeGetProcessorIndexFromNumber(&Number), i);
    }
    CT_STATUS(KeGetProcessorNumberFromIndex(Count, &Number), STATUS_INVALID_PARAMETER);
    Number = (PROCESSOR_NUMBER){.Group = 77};
    CT_EQUAL(KeGetProcessorIndexFromNumber(&Number), INVALID_PROCESSOR_INDEX);
}

/* Each processor is in one node; no node beyond the highest has any. [WDK KeQueryNodeActiveAffinity] */
static VOID ProcessorNode(VOID)
{
    USHORT Highest = KeQueryHighestNodeNumber(), Sum = 0;
    CT_CHECK(KeGetCurrentNodeNumber() <= Highest);
    for (USHORT Node = 0; Node <= Highest; Node++) {
        GROUP_AFFINITY Affinity;
        USHORT Count;
        KeQueryNodeActiveAffinity(Node, &Affinity, &Count);
        for (USHORT Bit = 0; Bit < 64; Bit++)
            Count = (USHORT)(Count - ((Affinity.Mask >> Bit) & 1));
        CT_EQUAL(Count, 0);
        KeQueryNodeActiveAffinity(Node, NULL, &Count);
        CT_CHECK(Count <= KeQueryNodeMaximumProcessorCount(Node));
        Sum = (USHORT)(Sum + Count);
    }
    CT_EQUAL(Sum, KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS));
    CT_EQUAL(KeQueryNodeMaximumProcessorCount((USHORT)(Highest + 1)), 0);
    ULONG Line = KeGetRecommendedSharedDataAlignment();
    CT_CHECK(Line >= 64 && (Line & (Line - 1)) == 0);
}

static VOID TimeCounter(VOID)
{
    LARGE_INTEGER Frequency, First, Second;
    First = KeQueryPerformanceCounter(&Frequency);
    Second = KeQueryPerformanceCounter(NULL);
    CT_CHECK(Frequency.QuadPart >= 1000000);
    CT_CHECK(Second.QuadPart >= First.QuadPart);
}

/* At least so many microseconds. */
static VOID TimeStall(VOID)
{
    LARGE_INTEGER Frequency, First, Second;
    First = KeQueryPerformanceCounter(&Frequency);
    KeStallExecutionProcessor(50);
    Second = KeQueryPerformanceCounter(NULL);
    CT_CHECK((Second.QuadPart - First.QuadPart) * 1000000 / Frequency.QuadPart >= 49);
}

static const CT_CASE Cases[] = {
    {"irql.get", IrqlGet},
    {"irql.raise", IrqlRaise},
    {"irql.raise_dpc", IrqlRaiseDpc},
    {"spinlock.init", SpinLockInit},
    {"spinlock.raise", SpinLockRaise},
    {"spinlock.at_dpc", SpinLockAtDpc},
    {"spinlock.try", SpinLockTry},
    {"spinlock.queued", SpinLockQueued},
    {"spinlock.queued_at_dpc", SpinLockQueuedAtDpc},
    {"processor.number", ProcessorNumber},
    {"processor.active", ProcessorActive},
    {"processor.maximum", ProcessorMaximum},
    {"processor.index", ProcessorIndex},
    {"processor.node", ProcessorNode},
    {"time.system", TimeSystem},
    {"time.interrupt", TimeInterrupt},
    {"time.increment", TimeIncrement},
    {"time.counter", TimeCounter},
    {"time.stall", TimeStall},
};
CT_DRIVER(Cases)

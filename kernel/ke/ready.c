/* SPDX-License-Identifier: MIT
 * Ready queues: 32 on each processor, the highest first, round robin within one; which processor a woken thread goes to, and what an idle
 * one takes from others. A thread whose stack a processor has not left yet (SwapBusy) is only queued there. */
#include "ki.h"

volatile KAFFINITY KiIdleMask;

static KAFFINITY KiMaskOf(ULONG Number)
{
    return (KAFFINITY)1 << Number;
}

VOID KiQueueReadyLocked(KI_PROCESSOR *Processor, PKTHREAD Thread, BOOLEAN AtHead)
{
    Thread->State = ThreadReady;
    Thread->ReadyTick = (ULONG)Processor->Prcb.ClockTicks;
    if (AtHead)
        InsertHeadList(&Processor->ReadyList[Thread->Priority], &Thread->QueueEntry);
    else
        InsertTailList(&Processor->ReadyList[Thread->Priority], &Thread->QueueEntry);
    Processor->ReadySummary |= 1u << Thread->Priority;
}

VOID KiUnqueueReadyLocked(KI_PROCESSOR *Processor, PKTHREAD Thread)
{
    RemoveEntryList(&Thread->QueueEntry);
    if (IsListEmpty(&Processor->ReadyList[Thread->Priority]))
        Processor->ReadySummary &= ~(1u << Thread->Priority);
}

/* The first of the highest priority that the processor with the bit Mask may run; Movable: that has left its old stack, too. */
static PKTHREAD KiFindReady(KI_PROCESSOR *Processor, KAFFINITY Mask, BOOLEAN Movable)
{
    for (ULONG Left = Processor->ReadySummary; Left != 0;) {
        ULONG Priority = 31 - (ULONG)__builtin_clz(Left);
        PLIST_ENTRY Head = &Processor->ReadyList[Priority];
        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, QueueEntry);
            if ((Thread->Affinity & Mask) != 0 &&
                !(Movable && __atomic_load_n(&Thread->SwapBusy, __ATOMIC_ACQUIRE)))
                return Thread;
        }
        Left &= ~(1u << Priority);
    }
    return NULL;
}

PKTHREAD KiHighestReadyLocked(KI_PROCESSOR *Processor)
{
    return KiFindReady(Processor, KiMaskOf(Processor->Prcb.Number), FALSE);
}

static PKTHREAD KiTakeFrom(KI_PROCESSOR *Victim, PKPRCB Thief)
{
    PKTHREAD Thread;

    ArchAcquireLockAtIrql(&Victim->ReadyLock);
    Thread = KiFindReady(Victim, KiMaskOf(Thief->Number), TRUE);
    if (Thread != NULL) {
        KiUnqueueReadyLocked(Victim, Thread);
        Thread->State = ThreadStandby;
        Thread->Processor = Thief->Number;
    }
    ArchReleaseLockFromIrql(&Victim->ReadyLock);
    return Thread;
}

PKTHREAD KiStealThread(PKPRCB Prcb)
{
    PKTHREAD Thread = NULL;

    for (ULONG i = 1; i < KeActiveProcessorCount && Thread == NULL; i++) {
        KI_PROCESSOR *Victim = KiProcessorOf(KiProcessorBlock[(Prcb->Number + i) % KeActiveProcessorCount]);
        if (Victim->ReadySummary != 0)
            Thread = KiTakeFrom(Victim, Prcb);
    }
    return Thread;
}

/* An idle processor is given to one readier only: who clears its bit has it. */
static BOOLEAN KiClaimIdle(ULONG Number, KAFFINITY Allowed)
{
    KAFFINITY Bit = KiMaskOf(Number);

    return (Allowed & KiIdleMask & Bit) != 0 &&
           (__atomic_fetch_and(&KiIdleMask, ~Bit, __ATOMIC_ACQ_REL) & Bit) != 0;
}

static BOOLEAN KiFindIdle(PKTHREAD Thread, KAFFINITY Allowed, PULONG Number)
{
    *Number = Thread->Processor;
    if (KiClaimIdle(*Number, Allowed))
        return TRUE;
    *Number = Thread->IdealProcessor;
    if (KiClaimIdle(*Number, Allowed))
        return TRUE;
    for (KAFFINITY Idle = KiIdleMask & Allowed; Idle != 0; Idle &= Idle - 1) {
        *Number = (ULONG)__builtin_ctzll(Idle);
        if (KiClaimIdle(*Number, Allowed))
            return TRUE;
    }
    return FALSE;
}

/* Where it ran last, unless another processor runs something lower. The priorities are looked at without their locks: a wrong guess
 * costs time only. */
static ULONG KiFindLowest(PKTHREAD Thread, KAFFINITY Allowed)
{
    ULONG Best =
        (Allowed & KiMaskOf(Thread->Processor)) != 0 ? Thread->Processor : (ULONG)__builtin_ctzll(Allowed);

    if (KiProcessorBlock[Best]->CurrentPriority < Thread->Priority)
        return Best;
    for (KAFFINITY Left = Allowed; Left != 0; Left &= Left - 1) {
        ULONG Number = (ULONG)__builtin_ctzll(Left);
        if (KiProcessorBlock[Number]->CurrentPriority < KiProcessorBlock[Best]->CurrentPriority)
            Best = Number;
    }
    return Best;
}

static KI_PROCESSOR *KiChooseProcessor(PKTHREAD Thread)
{
    ULONG Number = Thread->Processor;

    if (KeActiveProcessorCount > 1 && !__atomic_load_n(&Thread->SwapBusy, __ATOMIC_ACQUIRE)) {
        KAFFINITY Allowed = Thread->Affinity & KeQueryActiveProcessors();
        NT_CHECK(Allowed != 0);
        if (!KiFindIdle(Thread, Allowed, &Number))
            Number = KiFindLowest(Thread, Allowed);
    }
    return KiProcessorOf(KiProcessorBlock[Number]);
}

VOID KiRequestReschedule(KI_PROCESSOR *Processor)
{
    Processor->Prcb.Reschedule = TRUE;
    if (&Processor->Prcb != KeGetPrcb())
        KiRequestDispatchInterrupt(Processor->Prcb.Number);
}

VOID KiReadyThread(PKTHREAD Thread)
{
    ArchAcquireLockAtIrql(&Thread->ThreadLock);
    if (Thread->Increment != 0)
        KiBoostPriorityLocked(Thread, Thread->Increment);
    KI_PROCESSOR *Processor = KiChooseProcessor(Thread);
    ArchAcquireLockAtIrql(&Processor->ReadyLock);
    Thread->Increment = 0;
    Thread->Processor = Processor->Prcb.Number;
    BOOLEAN Misplaced = (Thread->Affinity & KiMaskOf(Thread->Processor)) == 0;
    Processor->Misplaced |= Misplaced;
    KiQueueReadyLocked(Processor, Thread, FALSE);
    KiTrace(KiTraceReady, Thread, Thread->Processor);
    if (Misplaced || Thread->Priority > Processor->Prcb.CurrentPriority)
        KiRequestReschedule(Processor);
    ArchReleaseLockFromIrql(&Processor->ReadyLock);
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
}

/* SPDX-License-Identifier: MIT
 * The scheduler of this kernel core: 32 ready queues on each processor, the highest first, round robin within one. All under
 * the dispatcher lock. */
#include "ki.h"

#define KI_QUANTUM 20 /* clock ticks of 1 ms: about a Windows client's */
#define KI_IDLE_PRIORITY (-1)

static VOID KiQueueReady(PKTHREAD Thread, BOOLEAN AtHead)
{
    KI_PROCESSOR *Processor = KiProcessorOf(KeGetPrcb());

    Thread->State = ThreadReady;
    if (AtHead)
        InsertHeadList(&Processor->ReadyList[Thread->Priority], &Thread->QueueEntry);
    else
        InsertTailList(&Processor->ReadyList[Thread->Priority], &Thread->QueueEntry);
    Processor->ReadySummary |= 1u << Thread->Priority;
}

static VOID KiUnqueueReady(KI_PROCESSOR *Processor, PKTHREAD Thread)
{
    RemoveEntryList(&Thread->QueueEntry);
    if (IsListEmpty(&Processor->ReadyList[Thread->Priority]))
        Processor->ReadySummary &= ~(1u << Thread->Priority);
}

static KPRIORITY KiHighestReady(KI_PROCESSOR *Processor)
{
    return Processor->ReadySummary == 0 ? KI_IDLE_PRIORITY : 31 - __builtin_clz(Processor->ReadySummary);
}

static PKTHREAD KiTakeNextThread(PKPRCB Prcb)
{
    KI_PROCESSOR *Processor = KiProcessorOf(Prcb);
    KPRIORITY Highest = KiHighestReady(Processor);

    if (Highest == KI_IDLE_PRIORITY)
        return Prcb->IdleThread;
    PKTHREAD Thread = CONTAINING_RECORD(Processor->ReadyList[Highest].Flink, KTHREAD, QueueEntry);
    KiUnqueueReady(Processor, Thread);
    return Thread;
}

VOID KiReadyThreadLocked(PKTHREAD Thread)
{
    PKPRCB Prcb = KeGetPrcb();

    KiQueueReady(Thread, FALSE);
    if (Thread->Priority > Prcb->CurrentThread->Priority)
        Prcb->Reschedule = TRUE;
}

static VOID KiSwitchTo(PKPRCB Prcb, PKTHREAD Next)
{
    PKTHREAD Current = Prcb->CurrentThread;

    Prcb->Reschedule = FALSE;
    Prcb->QuantumEnd = FALSE;
    Next->State = ThreadRunning;
    Next->Quantum = KI_QUANTUM;
    if (Next == Current)
        return;
    Prcb->CurrentThread = Next;
    Next->ContextSwitches++;
    ArchSwitchContext(&Current->KernelStack, Current->XSaveArea, Next->KernelStack, Next->XSaveArea);
}

VOID KiSwapThreadLocked(VOID)
{
    PKPRCB Prcb = KeGetPrcb();

    KiSwitchTo(Prcb, KiTakeNextThread(Prcb));
}

/* The current thread stays ready: gives way to a higher one, at the end of its quantum (or of its own will) to an equal one. */
VOID KiYieldLocked(BOOLEAN QuantumEnd)
{
    PKPRCB Prcb = KeGetPrcb();
    PKTHREAD Current = Prcb->CurrentThread;
    BOOLEAN Preempted = Prcb->Reschedule;
    KPRIORITY Highest = KiHighestReady(KiProcessorOf(Prcb));

    if (Highest < Current->Priority || Highest == KI_IDLE_PRIORITY) {
        KiSwitchTo(Prcb, Current);
        return;
    }
    if (Current != Prcb->IdleThread)
        KiQueueReady(Current, Preempted && !QuantumEnd);
    KiSwapThreadLocked();
}

VOID KiUnlockDispatcher(KIRQL OldIrql)
{
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->Reschedule) {
        if (OldIrql < DISPATCH_LEVEL)
            KiYieldLocked(FALSE);
        else if (!Prcb->DpcActive)
            HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
    }
    ArchReleaseLock(&KiDispatcherLock, OldIrql);
}

VOID KiUnlockOrKeep(KIRQL OldIrql, BOOLEAN Wait)
{
    PKTHREAD Thread = KiCurrentThread();

    if (!Wait) {
        KiUnlockDispatcher(OldIrql);
        return;
    }
    Thread->WaitNext = TRUE;
    Thread->WaitIrql = OldIrql;
}

VOID KiSetThreadPriorityLocked(PKTHREAD Thread, KPRIORITY Priority)
{
    KI_PROCESSOR *Processor = KiProcessorOf(KeGetPrcb());

    if (Thread->State == ThreadReady) {
        KiUnqueueReady(Processor, Thread);
        Thread->Priority = Priority;
        KiReadyThreadLocked(Thread);
        return;
    }
    Thread->Priority = Priority;
    if (Thread == KiCurrentThread() && KiHighestReady(Processor) > Priority)
        Processor->Prcb.Reschedule = TRUE;
}

VOID KiInitializeIdleThread(KI_PROCESSOR *Processor, PVOID StackBase, PVOID StackLimit, PVOID XSaveArea)
{
    PKTHREAD Thread = &Processor->IdleThread;

    KeInitializeThread(Thread, NULL, StackBase, StackLimit, XSaveArea, NULL, NULL);
    Thread->Priority = KI_IDLE_PRIORITY;
    Thread->State = ThreadRunning;
    Processor->Prcb.IdleThread = Thread;
    Processor->Prcb.CurrentThread = Thread;
}

/* Whatever code runs at boot becomes the idle thread of its processor. */
VOID KeInitializeIdle(PVOID StackBase, PVOID StackLimit)
{
    KiInitializeIdleThread(KiProcessorOf(KeGetPrcb()), StackBase, StackLimit,
                           MmAllocateSystemPages(1, MmReadWrite));
}

/* With interrupts off the look at the queue and the HLT are one: a DPC that comes in between keeps its interrupt pending and
 * wakes the processor. CR8 is 0, because a masked vector does not wake HLT. */
DECLSPEC_NORETURN VOID KeIdleLoop(VOID)
{
    ArchSetIrql(PASSIVE_LEVEL);
    for (;;)
        __asm__ volatile("sti; hlt" : : : "memory");
}

/* SPDX-License-Identifier: MIT
 * The thread switch, and the three reasons for one: the thread waits, it gives way, the processor was idle. */
#include "ki.h"

#define KI_QUANTUM 20 /* milliseconds: about a Windows client's */

static KAFFINITY KiOwnMask(PKPRCB Prcb)
{
    return (KAFFINITY)1 << Prcb->Number;
}

static VOID KiNoteIdle(PKPRCB Prcb, BOOLEAN Idle)
{
    if (Idle)
        __atomic_fetch_or(&KiIdleMask, KiOwnMask(Prcb), __ATOMIC_ACQ_REL);
    else
        __atomic_fetch_and(&KiIdleMask, ~KiOwnMask(Prcb), __ATOMIC_ACQ_REL);
}

/* A thread that woke while this processor was still on its stack had to be queued here, though it may not run here. */
static VOID KiMoveMisplaced(KI_PROCESSOR *Processor)
{
    PKTHREAD Found = NULL;

    ArchAcquireLockAtIrql(&Processor->ReadyLock);
    Processor->Misplaced = FALSE;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Processor->ReadyList) && Found == NULL; i++) {
        PLIST_ENTRY Head = &Processor->ReadyList[i];
        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head && Found == NULL; Entry = Entry->Flink) {
            PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, QueueEntry);
            if ((Thread->Affinity & KiOwnMask(&Processor->Prcb)) == 0 && !Thread->SwapBusy)
                Found = Thread;
        }
    }
    if (Found != NULL) {
        KiUnqueueReadyLocked(Processor, Found);
        Found->State = ThreadStandby;
        Processor->Misplaced = TRUE; /* there may be more */
    }
    ArchReleaseLockFromIrql(&Processor->ReadyLock);
    if (Found != NULL)
        KiReadyThread(Found);
}

/* What must be looked at whenever a thread begins to run or goes on after it was asked to give way: an APC that came while it was not
 * running, threads that wait here in vain. */
static VOID KiResumeThread(PKPRCB Prcb)
{
    if (Prcb->CurrentThread->ApcState.KernelApcPending)
        HalRequestSoftwareInterrupt(HAL_VECTOR_APC);
    while (KiProcessorOf(Prcb)->Misplaced)
        KiMoveMisplaced(KiProcessorOf(Prcb));
}

/* The processor may be another one than before the switch. */
VOID KiFinishSwitch(VOID)
{
    PKPRCB Prcb = KeGetPrcb();

    __atomic_store_n(&Prcb->PreviousThread->SwapBusy, FALSE,
                     __ATOMIC_RELEASE); /* from here on that thread may be gone */
    KiResumeThread(Prcb);
}

/* A thread without a process, as the idle threads are, runs in the kernel's own address space: that of a process may be deleted when no
 * thread of it is left. */
static ULONG64 KiRootOf(PKTHREAD Thread)
{
    PKPROCESS Process = Thread->ApcState.Process; /* changed by the thread itself only, and not in a switch */

    return Process != NULL ? Process->DirectoryTableBase : KiKernelRoot;
}

static VOID KiSwitchAddressSpace(PKTHREAD From, PKTHREAD To)
{
    ULONG64 Root = KiRootOf(To);

    if (Root != KiRootOf(From))
        ArchWriteCr3(Root);
}

/* Between the two lines that name the new thread and the switch itself no interrupt may see the processor. */
VOID KiSwapTo(PKPRCB Prcb, PKTHREAD Next)
{
    PKTHREAD Current = Prcb->CurrentThread;

    Prcb->Reschedule = FALSE;
    Prcb->QuantumEnd = FALSE;
    Prcb->CurrentPriority = (SCHAR)Next->Priority;
    Next->State = ThreadRunning;
    Next->Processor = Prcb->Number;
    if (Next->Quantum <= 0)
        Next->Quantum = KI_QUANTUM;
    if (Next == Current) {
        ArchReleaseLockFromIrql(&KiProcessorOf(Prcb)->ReadyLock);
        KiResumeThread(Prcb);
        return;
    }
    if (Next == Prcb->IdleThread || Current == Prcb->IdleThread)
        KiNoteIdle(Prcb, Next == Prcb->IdleThread);
    Next->SwapBusy = TRUE;
    Next->ContextSwitches++;
    KiTrace(KiTraceSwitch, Next, Current->State);
    KiCheckLocksAtSwitch();
    BOOLEAN Interrupts = ArchDisableInterrupts();
    Prcb->PreviousThread = Current;
    Prcb->CurrentThread = Next;
    ArchReleaseLockFromIrql(&KiProcessorOf(Prcb)->ReadyLock);
    KiSwitchAddressSpace(Current, Next);
    ArchSwitchContext(&Current->KernelStack, Current->XSaveArea, Next->KernelStack, Next->XSaveArea);
    KiFinishSwitch();
    ArchRestoreInterrupts(Interrupts);
}

VOID KiBlockThread(VOID)
{
    PKPRCB Prcb = KeGetPrcb();
    KI_PROCESSOR *Processor = KiProcessorOf(Prcb);

    if (Prcb->DeferredReady != NULL)
        KiReadyDeferred(Prcb);
    ArchAcquireLockAtIrql(&Processor->ReadyLock);
    PKTHREAD Next = KiHighestReadyLocked(Processor);
    if (Next != NULL)
        KiUnqueueReadyLocked(Processor, Next);
    KiSwapTo(Prcb, Next != NULL ? Next : Prcb->IdleThread);
}

/* TRUE: the current thread goes on. */
static BOOLEAN KiStays(PKPRCB Prcb, PKTHREAD Current, PKTHREAD Next, BOOLEAN ToEqual)
{
    if (Current != Prcb->IdleThread && (Current->Affinity & KiOwnMask(Prcb)) == 0)
        return FALSE;
    return Next == NULL || Next->Priority < Current->Priority ||
           (Next->Priority == Current->Priority && !ToEqual);
}

/* Gives way to a higher thread, with ToEqual or at the end of its quantum to an equal one. A preempted thread is the first of its
 * priority to run again. */
VOID KiYield(BOOLEAN ToEqual)
{
    PKPRCB Prcb = KeGetPrcb();
    KI_PROCESSOR *Processor = KiProcessorOf(Prcb);
    PKTHREAD Current = Prcb->CurrentThread;

    ArchAcquireLockAtIrql(&Processor->ReadyLock);
    BOOLEAN Expired = Prcb->QuantumEnd && Current != Prcb->IdleThread;
    if (Expired)
        KiDecayPriorityLocked(Current);
    PKTHREAD Next = KiHighestReadyLocked(Processor);
    if (KiStays(Prcb, Current, Next, ToEqual || Expired)) {
        KiSwapTo(Prcb, Current);
        return;
    }
    if (Next != NULL)
        KiUnqueueReadyLocked(Processor, Next);
    if (Current != Prcb->IdleThread) {
        Processor->Misplaced |= (Current->Affinity & KiOwnMask(Prcb)) == 0;
        KiQueueReadyLocked(Processor, Current, !ToEqual && !Expired);
    } else {
        Current->State = ThreadReady;
    }
    KiSwapTo(Prcb, Next != NULL ? Next : Prcb->IdleThread);
}

BOOLEAN KeYieldThread(VOID)
{
    PKTHREAD Thread = KiCurrentThread();
    ULONG Switches = Thread->ContextSwitches;
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);

    KiYield(TRUE);
    KiExitDispatcher(OldIrql);
    return Thread->ContextSwitches != Switches;
}

VOID KiDispatchReschedule(VOID)
{
    PKPRCB Prcb = KeGetPrcb();

    KiRelieveStarvedThreads(KiProcessorOf(Prcb));
    if (Prcb->Reschedule || Prcb->QuantumEnd)
        KiYield(FALSE);
}

VOID KiInitializeIdleThread(KI_PROCESSOR *Processor, PVOID StackBase, PVOID StackLimit, PVOID XSaveArea)
{
    PKPRCB Prcb = &Processor->Prcb;
    PKTHREAD Thread = &Processor->IdleThread;

    KeInitializeThread(Thread, NULL, StackBase, StackLimit, XSaveArea, NULL, NULL);
    Thread->Priority = Thread->BasePriority = KI_IDLE_PRIORITY;
    Thread->Affinity = Thread->UserAffinity = KiOwnMask(Prcb);
    Thread->State = ThreadRunning;
    Thread->Processor = Prcb->Number;
    Thread->SwapBusy = TRUE;
    Prcb->IdleThread = Thread;
    Prcb->CurrentThread = Thread;
    Prcb->CurrentPriority = KI_IDLE_PRIORITY;
}

/* Whatever code runs at boot becomes the idle thread of its processor. */
VOID KeInitializeIdle(PVOID StackBase, PVOID StackLimit)
{
    KiInitializeIdleThread(KiProcessorOf(KeGetPrcb()), StackBase, StackLimit,
                           MmAllocateSystemPages(BYTES_TO_PAGES(KeXSaveAreaSize()), MmReadWrite));
}

/* Something of its own, or of another processor. Returns when the processor is idle again or still is. */
static VOID KiLookForWork(PKPRCB Prcb)
{
    KI_PROCESSOR *Processor = KiProcessorOf(Prcb);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    PKTHREAD Stolen = NULL;

    if (Processor->ReadySummary == 0)
        Stolen = KiStealThread(Prcb);
    if (Stolen != NULL) {
        ArchAcquireLockAtIrql(&Processor->ReadyLock);
        Processor->Misplaced |= (Stolen->Affinity & KiOwnMask(Prcb)) == 0;
        KiQueueReadyLocked(Processor, Stolen, TRUE);
        ArchReleaseLockFromIrql(&Processor->ReadyLock);
    }
    KiYield(FALSE);
    KiNoteIdle(Prcb, TRUE);
    ArchSetIrql(OldIrql);
}

/* With interrupts off the look and the HLT are one: what comes in between keeps its interrupt pending and wakes the processor. CR8 is 0,
 * because a masked vector does not wake HLT. */
DECLSPEC_NORETURN VOID KeIdleLoop(VOID)
{
    PKPRCB Prcb = KeGetPrcb();

    ArchSetIrql(PASSIVE_LEVEL);
    for (;;) {
        KiLookForWork(Prcb);
        __asm__ volatile("cli" : : : "memory");
        if (!Prcb->Reschedule && KiProcessorOf(Prcb)->ReadySummary == 0)
            __asm__ volatile("sti; hlt" : : : "memory");
        else
            __asm__ volatile("sti" : : : "memory");
    }
}

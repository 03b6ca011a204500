/* SPDX-License-Identifier: MIT
 * Kernel threads: start and end. ps makes objects of them. */
#include "ki.h"
#include "rtl.h"

KE_THREAD_REAPER KeThreadReaper; /* terminated threads on their way to ps */
static volatile LONG KiNextIdealProcessor;

/* First code of a thread, entered by the switch: interrupts are off, IRQL is DISPATCH_LEVEL. */
static VOID KiThreadStartup(PVOID Context)
{
    PKTHREAD Thread = Context;

    KiFinishSwitch();
    __asm__ volatile("sti" : : : "memory");
    ArchSetIrql(PASSIVE_LEVEL);
    Thread->StartRoutine(Thread->StartContext);
    KeTerminateThread(Thread);
}

static VOID KiInitializeScheduling(PKTHREAD Thread)
{
    Thread->ThreadLock = (ARCH_LOCK)ARCH_LOCK_INIT("Thread", LockRankKeThread, DISPATCH_LEVEL);
    Thread->State = ThreadInitialized;
    Thread->Priority = Thread->BasePriority = KI_PROCESS_PRIORITY;
    Thread->Affinity = Thread->UserAffinity = ~(KAFFINITY)0;
    Thread->Processor = KeGetPrcb()->Number;
    Thread->IdealProcessor =
        (UCHAR)((ULONG)InterlockedIncrement(&KiNextIdealProcessor) % KeActiveProcessorCount);
}

VOID KeInitializeThread(PKTHREAD Thread, PKPROCESS Process, PVOID StackBase, PVOID StackLimit,
                        PVOID XSaveArea, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    Thread->Header.Type = ThreadObject;
    Thread->Header.SignalState = 0;
    InitializeListHead(&Thread->Header.WaitListHead);
    InitializeListHead(&Thread->MutantListHead);
    InitializeListHead(&Thread->HandleMutants);
    KiInitializeScheduling(Thread);
    KiInitializeApcState(Thread, Process);
    Thread->StackBase = StackBase;
    Thread->StackLimit = StackLimit;
    Thread->PreviousMode = KernelMode;
    Thread->StartRoutine = StartRoutine;
    Thread->StartContext = StartContext;
    Thread->Process = Process;
    Thread->XSaveArea = XSaveArea;
    KeInitializeTimer(&Thread->Timer);
    Thread->Timer.Header.Type = KI_WAIT_TIMER;
    ArchInitializeXState(XSaveArea);
    if (StartRoutine != NULL)
        Thread->KernelStack = ArchPrepareStack(StackBase, KiThreadStartup, Thread);
}

VOID KeReadyThread(PKTHREAD Thread)
{
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);

    KiReadyThread(Thread);
    KiExitDispatcher(OldIrql);
}

/* A mutex whose owner ends is a bug check in kernel mode: nobody could ever get it again. [WDK "Introduction to mutex objects"; bug
 * check 0x20] */
static VOID KiCheckThreadMayEnd(PKTHREAD Thread)
{
    if (!IsListEmpty(&Thread->MutantListHead))
        KeBugCheckEx(THREAD_TERMINATE_HELD_MUTEX, (ULONG_PTR)Thread,
                     (ULONG_PTR)CONTAINING_RECORD(Thread->MutantListHead.Flink, KMUTANT, MutantListEntry), 0,
                     0);
    if (Thread->KernelApcDisable != 0 || Thread->SpecialApcDisable != 0)
        KeBugCheckEx(KERNEL_APC_PENDING_DURING_EXIT, 0, (ULONG_PTR)(LONG_PTR)Thread->KernelApcDisable,
                     ArchGetIrql(), 0);
}

static VOID KiSignalThreadEnd(PKTHREAD Thread)
{
    KiLockObjectAtDispatch(&Thread->Header);
    Thread->Header.SignalState = 1;
    KiSignalWaitersLocked(&Thread->Header, 0);
    KiUnlockObject(&Thread->Header);
}

static LONG KiCountEnding(LONG Change)
{
    KIRQL OldIrql = ArchAcquireLock(&KeThreadReaper.Lock);
    LONG Count = KeThreadReaper.Count += Change;

    ArchReleaseLock(&KeThreadReaper.Lock, OldIrql);
    return Count;
}

VOID KeAnnounceThreadEnd(VOID)
{
    PKTHREAD Thread = KiCurrentThread();

    if (Thread->Ending)
        return;
    Thread->Ending = TRUE;
    (void)KiCountEnding(1);
}

/* Who has seen that the thread ended must find it counted. From the moment the reaper's list has the thread it is freed as soon as it has left its stack. */
DECLSPEC_NORETURN VOID KeTerminateThread(PKTHREAD Thread)
{
    KiCheckThreadMayEnd(Thread);
    KeAnnounceThreadEnd();
    KiRundownApcs(Thread);
    KiDissociateQueue(Thread);
    KeCheckFreedMemory(Thread->StackLimit, (SIZE_T)((PUCHAR)Thread->StackBase - (PUCHAR)Thread->StackLimit),
                       NULL);
    (void)ArchRaiseIrql(DISPATCH_LEVEL);
    KiAbandonMutants(Thread);
    KiSignalThreadEnd(Thread);
    ArchAcquireLockAtIrql(&KeThreadReaper.Lock);
    InsertTailList(&KeThreadReaper.ListHead, &Thread->QueueEntry);
    ArchReleaseLockFromIrql(&KeThreadReaper.Lock);
    (void)KeSetEvent(&KeThreadReaper.Event, 0, FALSE);
    Thread->State = ThreadTerminated;
    KiBlockThread();
    __builtin_unreachable();
}

VOID KeAbandonThread(PKTHREAD Thread)
{
    KiRundownApcs(Thread);
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    KiSignalThreadEnd(Thread);
    KiExitDispatcher(OldIrql);
}

VOID KeInitializeThreadReaper(VOID)
{
    KeThreadReaper.Lock = (ARCH_LOCK)ARCH_LOCK_INIT("Reaper", LockRankKeThread, DISPATCH_LEVEL);
    InitializeListHead(&KeThreadReaper.ListHead);
    KeInitializeEvent(&KeThreadReaper.Event, SynchronizationEvent, FALSE);
    KeInitializeEvent(&KeThreadReaper.None, NotificationEvent, FALSE);
}

/* Its processor needs a few instructions more to leave the stack; it cannot be this one. */
static VOID KiWaitForStack(PKTHREAD Thread)
{
    while (__atomic_load_n(&Thread->SwapBusy, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
}

PKTHREAD KeTakeTerminatedThread(VOID)
{
    KIRQL OldIrql = ArchAcquireLock(&KeThreadReaper.Lock);
    PKTHREAD Thread = NULL;

    if (!IsListEmpty(&KeThreadReaper.ListHead))
        Thread = CONTAINING_RECORD(RemoveHeadList(&KeThreadReaper.ListHead), KTHREAD, QueueEntry);
    ArchReleaseLock(&KeThreadReaper.Lock, OldIrql);
    if (Thread != NULL)
        KiWaitForStack(Thread);
    return Thread;
}

VOID KeForgetTerminatedThread(VOID)
{
    if (KiCountEnding(-1) == 0)
        (void)KeSetEvent(&KeThreadReaper.None, 0, FALSE);
}

BOOLEAN KeWaitForThreadEnds(VOID)
{
    for (BOOLEAN Waited = FALSE;; Waited = TRUE) {
        KeClearEvent(&KeThreadReaper.None);
        if (KiCountEnding(0) == 0)
            return Waited;
        (void)KeWaitForSingleObject(&KeThreadReaper.None, Executive, KernelMode, FALSE, NULL);
    }
}

ULONG KeXSaveAreaSize(VOID)
{
    return ArchXStateSize();
}

PKTHREAD KiExportGetCurrentThread(VOID)
{
    return KiCurrentThread();
}

KPROCESSOR_MODE NTAPI ExGetPreviousMode(VOID)
{
    return KiCurrentThread()->PreviousMode;
}

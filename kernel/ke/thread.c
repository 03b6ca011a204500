/* SPDX-License-Identifier: MIT
 * Kernel threads: start, end, priority. ps makes objects of them. */
#include "ki.h"
#include "rtl.h"

KE_THREAD_REAPER KeThreadReaper; /* terminated threads on their way to ps */

/* First code of a thread, entered by the switch with the dispatcher lock held. */
static VOID KiThreadStartup(PVOID Context)
{
    PKTHREAD Thread = Context;

    ArchReleaseLockFromIrql(&KiDispatcherLock);
    ArchSetIrql(PASSIVE_LEVEL);
    __asm__ volatile("sti");
    Thread->StartRoutine(Thread->StartContext);
    KeTerminateThread(Thread);
}

VOID KeInitializeThread(PKTHREAD Thread, PKPROCESS Process, PVOID StackBase, PVOID StackLimit,
                        PVOID XSaveArea, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    Thread->Header.Type = ThreadObject;
    Thread->Header.SignalState = 0;
    InitializeListHead(&Thread->Header.WaitListHead);
    InitializeListHead(&Thread->MutantListHead);
    Thread->StackBase = StackBase;
    Thread->StackLimit = StackLimit;
    Thread->State = ThreadInitialized;
    Thread->Priority = 8;
    Thread->PreviousMode = KernelMode;
    Thread->StartRoutine = StartRoutine;
    Thread->StartContext = StartContext;
    Thread->Process = Process;
    Thread->XSaveArea = XSaveArea;
    KeInitializeTimer(&Thread->Timer);
    ArchInitializeXState(XSaveArea);
    if (StartRoutine != NULL)
        Thread->KernelStack = ArchPrepareStack(StackBase, KiThreadStartup, Thread);
}

VOID KeReadyThread(PKTHREAD Thread)
{
    KIRQL OldIrql = KiLockDispatcher();

    KiReadyThreadLocked(Thread);
    KiUnlockDispatcher(OldIrql);
}

/* A mutex whose owner ends is a bug check in kernel mode: nobody could ever get it again.
 * [WDK "Introduction to mutex objects"] */
static VOID KiCheckOwnedMutexes(PKTHREAD Thread)
{
    if (!IsListEmpty(&Thread->MutantListHead))
        KeBugCheckEx(THREAD_TERMINATE_HELD_MUTEX, (ULONG_PTR)Thread,
                     (ULONG_PTR)CONTAINING_RECORD(Thread->MutantListHead.Flink, KMUTANT, MutantListEntry), 0,
                     0);
}

DECLSPEC_NORETURN VOID KeTerminateThread(PKTHREAD Thread)
{
    KiCheckOwnedMutexes(Thread);
    (void)KiLockDispatcher();
    Thread->State = ThreadTerminated;
    Thread->Header.SignalState = 1;
    KiWakeWaitersLocked(&Thread->Header);
    InsertTailList(&KeThreadReaper.ListHead, &Thread->QueueEntry);
    KeThreadReaper.Event.Header.SignalState = 1;
    KiWakeWaitersLocked(&KeThreadReaper.Event.Header);
    KiSwapThreadLocked();
    __builtin_unreachable();
}

VOID KeInitializeThreadReaper(VOID)
{
    InitializeListHead(&KeThreadReaper.ListHead);
    KeInitializeEvent(&KeThreadReaper.Event, SynchronizationEvent, FALSE);
}

PKTHREAD KeTakeTerminatedThread(VOID)
{
    KIRQL OldIrql = KiLockDispatcher();
    PKTHREAD Thread = NULL;

    if (!IsListEmpty(&KeThreadReaper.ListHead))
        Thread = CONTAINING_RECORD(RemoveHeadList(&KeThreadReaper.ListHead), KTHREAD, QueueEntry);
    KiUnlockDispatcher(OldIrql);
    return Thread;
}

ULONG KeXSaveAreaSize(VOID)
{
    return ArchXStateSize();
}

/* [WDK KeSetPriorityThread] IRQL <= DISPATCH_LEVEL. Priority 1 to 31, anything else is a bug check; returns
 * the old one. */
KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (Priority <= LOW_PRIORITY || Priority > HIGH_PRIORITY) {
        KdLogError("KeSetPriorityThread: priority %d is not one of 1 to 31", (int)Priority);
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Thread, (ULONG_PTR)(LONG_PTR)Priority, 0,
                     0);
    }
    KIRQL OldIrql = KiLockDispatcher();
    KPRIORITY Old = Thread->Priority;
    KiSetThreadPriorityLocked(Thread, Priority);
    KiUnlockDispatcher(OldIrql);
    return Old;
}

KPRIORITY NTAPI KeQueryPriorityThread(PKTHREAD Thread)
{
    return Thread->Priority;
}

PKTHREAD KiExportGetCurrentThread(VOID)
{
    return KiCurrentThread();
}

KPROCESSOR_MODE NTAPI ExGetPreviousMode(VOID)
{
    return KiCurrentThread()->PreviousMode;
}

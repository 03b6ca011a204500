/* SPDX-License-Identifier: MIT
 * Tier 3, ke only. One spin lock, KiDispatcherLock, guards every dispatcher object, thread state, the ready queues and the
 * timer queue; each processor's DPC queue has its own, taken inside it. A thread switch is made with the dispatcher lock
 * held; the thread that resumes releases it. */
#pragma once
#include "hal.h"
#include "ke.h"
#include "kd.h"
#include "mm.h"

/* DISPATCHER_HEADER.Type, as published for Windows. */
enum {
    EventNotificationObject = 0,
    EventSynchronizationObject = 1,
    MutantObject = 2,
    ProcessObject = 3,
    QueueObject = 4,
    SemaphoreObject = 5,
    ThreadObject = 6,
    TimerNotificationObject = 8,
    TimerSynchronizationObject = 9,
    DpcObject = 19,
};

/* The processor block of one processor; the PRCB lies at 0x180 of the PCR as in NT. */
typedef struct _KI_PROCESSOR {
    KPCR Pcr;
    DECLSPEC_ALIGN(64) KPRCB Prcb;
    ULONG ReadySummary;       /* (d) bit n: ReadyList[n] is not empty */
    LIST_ENTRY ReadyList[32]; /* (d) */
    KTHREAD IdleThread;
    ARCH_PROCESSOR_TABLES Tables;
} KI_PROCESSOR;
ASSERT_OFFSET(KI_PROCESSOR, Prcb, 0x180);

static inline KI_PROCESSOR *KiProcessorOf(PKPRCB Prcb)
{
    return CONTAINING_RECORD(Prcb, KI_PROCESSOR, Prcb);
}

extern ARCH_LOCK KiDispatcherLock;

/* --- processor.c, processor_start.c ----------------------------------------------------------------------------- */

VOID KiInitializeProcessorBlock(KI_PROCESSOR *Processor, ULONG Number); /* zeroed memory */

/* What runs on that stack becomes the processor's idle thread. XSaveArea: zeroed, KeXSaveAreaSize bytes. */
VOID KiInitializeIdleThread(KI_PROCESSOR *Processor, PVOID StackBase, PVOID StackLimit, PVOID XSaveArea);

/* --- dispatcher.c, schedule.c: dispatcher lock held ---------------------------------------------------------- */

KIRQL KiLockDispatcher(VOID);
VOID KiUnlockDispatcher(KIRQL OldIrql); /* switches to a thread of higher priority if one became ready */

/* The end of KeSetEvent, KeReleaseMutex ...: with Wait the lock is kept for the wait that follows at once. */
VOID KiUnlockOrKeep(KIRQL OldIrql, BOOLEAN Wait);

/* Signal state became positive: gives it to waiters as far as it goes. */
VOID KiWakeWaitersLocked(DISPATCHER_HEADER *Header);
BOOLEAN KiIsSignaled(DISPATCHER_HEADER *Header, PKTHREAD Thread);
VOID KiConsumeSignal(DISPATCHER_HEADER *Header,
                     PKTHREAD Thread); /* what a satisfied wait does to the object */
VOID KiUnwaitThreadLocked(PKTHREAD Thread, LONG_PTR WaitStatus);

VOID KiReadyThreadLocked(PKTHREAD Thread);
VOID KiSwapThreadLocked(VOID); /* the current thread's state is set; returns when it runs again, lock held */
VOID KiYieldLocked(BOOLEAN QuantumEnd);
VOID KiSetThreadPriorityLocked(PKTHREAD Thread, KPRIORITY Priority);

/* --- timer.c: dispatcher lock held ------------------------------------------------------------------------------ */

BOOLEAN KiInsertTimerLocked(PKTIMER Timer, LARGE_INTEGER DueTime,
                            ULONG Period);  /* FALSE: already due, signalled */
BOOLEAN KiRemoveTimerLocked(PKTIMER Timer); /* TRUE: it was in the queue */
VOID KiInitializeTimers(VOID);
VOID KiCheckTimers(VOID); /* clock interrupt: queues the expiry DPC when the first timer is due */

/* --- dpc.c ------------------------------------------------------------------------------------------------------ */

VOID KiInitializeDpcQueue(PKPRCB Prcb);
VOID KiDispatchInterrupt(ARCH_TRAP_FRAME *Frame); /* vector 0x2f */

/* --- clock.c, time.c ---------------------------------------------------------------------------------------------- */

VOID KiClockInterrupt(ARCH_TRAP_FRAME *Frame);
VOID KiPublishProcessorCount(VOID); /* shared data */
ULONG64 KiSystemTimeOffset(VOID);   /* system time minus interrupt time */

/* --- exception.c, fault.c ------------------------------------------------------------------------------------------ */

VOID KiInstallTrapHandlers(VOID);
VOID KiPageFault(ARCH_TRAP_FRAME *Frame);

/* Makes EXCEPTION_RECORD and CONTEXT from a trap and runs the handlers. Does not return when nobody handles it. */
VOID KiDispatchException(ARCH_TRAP_FRAME *Frame, NTSTATUS Code, ULONG ParameterCount, ULONG64 P0, ULONG64 P1);

/* --- bugcheck.c ------------------------------------------------------------------------------------------------------ */

/* Context is where it happened: the back-trace starts there. Culprit: code address to blame, NULL = Context's. */
DECLSPEC_NORETURN VOID KiBugCheck(ULONG Code, ULONG64 P1, ULONG64 P2, ULONG64 P3, ULONG64 P4,
                                  PCONTEXT Context, PCSTR Text);
/* The same, but the fault lies with the code at Culprit, which need not be on the stack any more. NULL: as KiBugCheck. */
DECLSPEC_NORETURN VOID KiBugCheckBlaming(const void *Culprit, ULONG Code, const ULONG64 P[4],
                                         PCONTEXT Context, PCSTR Text);
PCSTR KiBugCheckName(ULONG Code);  /* "UNKNOWN" for a driver's own */
PCSTR KiExceptionName(ULONG Code); /* in words; NULL when not known */
VOID KiPrintBackTrace(PCONTEXT Context);

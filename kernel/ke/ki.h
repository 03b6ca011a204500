/* SPDX-License-Identifier: MIT
 * Tier 3, ke only. There is no lock of the whole dispatcher. The order of acquisition, and why:
 *
 *     object    lock bit of a DISPATCHER_HEADER: its signal state and its wait blocks; several only in the order of their addresses
 *     timer     the timer queue: a timer is put in and taken out by who holds its object
 *     thread    KTHREAD.ThreadLock: APCs, priority, affinity; a woken thread is made ready when no object is held any more,
 *     ready     ready queues and current thread of a processor: so that a queue is chosen with the thread's priority in hand
 *     DPC       DPC queue of a processor: a timer queues its DPC with the object held
 *
 * Who wakes a thread claims its wait (KTHREAD.WaitState) first: README.md has the protocol, test/model proves it. */
#pragma once
#include "hal.h"
#include "ke.h"
#include "kd.h"
#include "ki_deferred.h"
#include "ki_trace.h"
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
    KI_WAIT_TIMER = 15, /* ours: KTHREAD.Timer */
    ApcObject = 18,
    DpcObject = 19,
    KI_DEVICE_QUEUE_OBJECT = 20, /* IO_TYPE_DEVICE_QUEUE */
    InterruptObject = 22,
    ThreadedDpcObject = 24,
    KI_KINDS
};

/* ipi.c. A line of the cache for each side: what this processor asks others to do, and who asks it. (i) at IPI_LEVEL - 1, by this
 * processor; (a) atomic */
typedef struct _KI_CALL {
    KE_PROCESSOR_CALL *Routine; /* (i) */
    PVOID Context;              /* (i) */
    volatile KAFFINITY Waiting; /* (a) processors that have not made it yet */
    DECLSPEC_ALIGN(64)
    volatile KAFFINITY Asking; /* (a) processors whose call this one has not taken up yet */
} KI_CALL;

/* The processor block of one processor; the PRCB lies at 0x180 of the PCR as in NT. */
typedef struct _KI_PROCESSOR {
    KPCR Pcr;
    DECLSPEC_ALIGN(64) KPRCB Prcb;
    ARCH_LOCK ReadyLock;
    volatile ULONG ReadySummary; /* (ReadyLock) bit n: ReadyList[n] is not empty; read by thieves as a hint */
    LIST_ENTRY ReadyList[32];    /* (ReadyLock) */
    volatile BOOLEAN Misplaced;  /* (ReadyLock) a thread in ReadyList may not run here */
    ULONG LastScan;              /* own processor: Prcb.ClockTicks of the last look for starved threads */
    KTHREAD IdleThread;
    ARCH_PROCESSOR_TABLES Tables;
    KI_CALL Call;
    KI_DEFERRED Deferred;
    KI_TRACE Trace; /* own processor */
} KI_PROCESSOR;
ASSERT_OFFSET(KI_PROCESSOR, Prcb, 0x180);

static inline KI_PROCESSOR *KiProcessorOf(PKPRCB Prcb)
{
    return CONTAINING_RECORD(Prcb, KI_PROCESSOR, Prcb);
}

/* --- processor.c, processor_start.c ----------------------------------------------------------------------------- */

VOID KiInitializeProcessorBlock(KI_PROCESSOR *Processor, ULONG Number); /* zeroed memory */

/* What runs on that stack becomes the processor's idle thread. XSaveArea: zeroed, KeXSaveAreaSize bytes. */
VOID KiInitializeIdleThread(KI_PROCESSOR *Processor, PVOID StackBase, PVOID StackLimit, PVOID XSaveArea);

/* --- object_lock.c: DISPATCH_LEVEL while held ------------------------------------------------------------------------ */

#define KI_OBJECT_LOCK_BIT 0x80 /* of the type byte, as published */

static inline UCHAR KiObjectType(const DISPATCHER_HEADER *Header)
{
    return Header->Type & (UCHAR)~KI_OBJECT_LOCK_BIT;
}

VOID KiWaitForObjectLock(DISPATCHER_HEADER *Header); /* contended; ki_object.h has the rest */

/* --- dispatcher.c ------------------------------------------------------------------------------------------------------ */

VOID KiWakeWaitersLocked(DISPATCHER_HEADER *Header, KPRIORITY Increment); /* for KiSignalWaitersLocked */
VOID KiTakeMutant(PKMUTANT Mutant, PKTHREAD Thread);                      /* for KiConsumeSignal */
BOOLEAN KiAllSignaled(PKTHREAD Thread);                                /* every object of its wait locked */
NTSTATUS KiConsumeAll(PKTHREAD Thread);                                /* the same; removes the blocks */
VOID KiInsertWaitBlock(PKWAIT_BLOCK Block, DISPATCHER_HEADER *Header); /* object locked */
VOID KiRemoveWaitBlock(PKWAIT_BLOCK Block); /* object locked; nothing when it is out already */

/* Ends a wait: TRUE for exactly one caller. When the thread had given up its processor it goes to this processor's
 * DeferredReady list, which KiExitDispatcher empties. DISPATCH_LEVEL. */
BOOLEAN KiClaimWait(PKTHREAD Thread, NTSTATUS Status, KPRIORITY Increment);

/* The same with the ThreadLock held, under which waits are committed: the wait that the caller looked at, never the next one. */
BOOLEAN KiClaimBlockedWait(PKTHREAD Thread, NTSTATUS Status, KPRIORITY Increment);

/* mutant.c; DISPATCH_LEVEL. List, Unlist: mutant locked, which is one by handle. Abandon: no lock held, of the calling thread, which ends. */
VOID KiListMutant(PKMUTANT Mutant, PKTHREAD Owner);
VOID KiUnlistMutant(PKMUTANT Mutant);
VOID KiAbandonMutants(PKTHREAD Thread);

/* A mutant by handle is in a list of its owner that others may change; a mutex in one that is the owner's alone. */
static inline BOOLEAN KiIsByHandle(const KMUTANT *Mutant)
{
    return Mutant->ApcDisable == 0;
}

#define KI_MUTEX_INCREMENT 1 /* boost of the thread that gets it */

VOID KiReadyDeferred(PKPRCB Prcb); /* DISPATCH_LEVEL, no lock held: the woken threads get ready */

VOID KiDispatchWoken(KIRQL OldIrql); /* for KiExitDispatcher */
VOID KiKeepRaised(KIRQL OldIrql);    /* for KiExitOrWait */

/* --- wait.c, wait_all.c, queue.c: DISPATCH_LEVEL, no lock held ---------------------------------------------------------- */

typedef struct _KI_WAIT {
    ULONG Count;
    PVOID *Objects;
    WAIT_TYPE Type;
    KPROCESSOR_MODE Mode;
    BOOLEAN Alertable;
    BOOLEAN Poll; /* time-out zero */
    BOOLEAN Timed;
    ULONG64 DueTime;     /* interrupt time, when Timed */
    PKWAIT_BLOCK Blocks; /* Count of them */
    BOOLEAN InQueue;     /* KeRemoveQueue itself: the queue counts its workers there */
} KI_WAIT;

VOID KiPrepareTimeout(KI_WAIT *Wait, PLARGE_INTEGER Timeout);
VOID KiBeginWait(PKTHREAD Thread); /* from here on it can be claimed */
VOID KiSetWaitBlock(PKWAIT_BLOCK Block, PKTHREAD Thread, PVOID Object, ULONG Key, WAIT_TYPE Type);
/* The blocks are in: starts the time-out and gives up the processor until somebody has claimed the wait. The status it was claimed
 * with; *Blocked: the thread was off its processor, so the claimer is done with it. */
NTSTATUS KiSuspendWait(PKTHREAD Thread, const KI_WAIT *Wait, PBOOLEAN Blocked);
VOID KiEndWait(PKTHREAD Thread, const KI_WAIT *Wait, ULONG Inserted,
               BOOLEAN Blocked); /* takes out what is left of the blocks */
NTSTATUS KiFinishWait(PKTHREAD Thread, const KI_WAIT *Wait, ULONG Inserted); /* both */
NTSTATUS KiWaitAll(PKTHREAD Thread, const KI_WAIT *Wait);
VOID KiLeaveQueue(PKTHREAD Thread); /* its KQUEUE has one running worker less: before it blocks elsewhere */
VOID KiReenterQueue(PKTHREAD Thread);
VOID KiDissociateQueue(PKTHREAD Thread);

#define KI_RETRY_WAIT_ALL ((NTSTATUS)0xe0000001) /* claimed to look at all objects itself; never leaves ke */

/* --- ready.c: who runs where; swap.c: the switch ------------------------------------------------------------------------ */

VOID KiReadyThread(PKTHREAD Thread); /* DISPATCH_LEVEL, no lock; the caller owns the thread */
VOID KiQueueReadyLocked(KI_PROCESSOR *Processor, PKTHREAD Thread, BOOLEAN AtHead);
VOID KiUnqueueReadyLocked(KI_PROCESSOR *Processor, PKTHREAD Thread);
PKTHREAD KiHighestReadyLocked(KI_PROCESSOR *Processor); /* that may run there; NULL: none */
PKTHREAD KiStealThread(PKPRCB Prcb);               /* from another processor, DISPATCH_LEVEL; NULL: none */
extern volatile KAFFINITY KiIdleMask;              /* (a) processors that run their idle thread */
VOID KiRequestReschedule(KI_PROCESSOR *Processor); /* ready lock held */

/* Ready lock of this processor held; the current thread's new state is set. Gives the processor to Next, returns without the lock when
 * the current thread runs again, maybe on another processor. */
VOID KiSwapTo(PKPRCB Prcb, PKTHREAD Next);
VOID KiFinishSwitch(VOID);        /* first thing on the new stack */
VOID KiBlockThread(VOID);         /* current thread, not in state running any more; DISPATCH_LEVEL, no lock */
VOID KiYield(BOOLEAN QuantumEnd); /* current thread stays ready; DISPATCH_LEVEL, no lock */
VOID KiDispatchReschedule(VOID);  /* end of the software interrupt at DISPATCH_LEVEL */

#define KI_IDLE_PRIORITY (-1)
#define KI_PROCESS_PRIORITY 8

VOID KiRelieveStarvedThreads(
    KI_PROCESSOR *Processor); /* starvation.c: DISPATCH_LEVEL, no lock, own processor */

/* --- priority.c, affinity.c --------------------------------------------------------------------------------------------- */

KI_PROCESSOR *
KiLockThreadQueue(PKTHREAD Thread);          /* ThreadLock held: ready lock of the processor it belongs to */
VOID KiDecayPriorityLocked(PKTHREAD Thread); /* ready lock held: end of its quantum */
VOID KiBoostPriorityLocked(PKTHREAD Thread, KPRIORITY Increment);

/* --- apc.c ---------------------------------------------------------------------------------------------------------------- */

VOID KiInitializeApcState(PKTHREAD Thread, PKPROCESS Process);
BOOLEAN KiIsApcDeliverable(PKTHREAD Thread,
                           KIRQL Irql); /* a kernel APC that would run when this thread goes back to Irql */
VOID KiApcInterrupt(ARCH_TRAP_FRAME *Frame); /* vector 0x1f */
VOID KiCheckPendingApcs(PKTHREAD Thread);    /* after a region was left: the current thread's */
VOID KiRundownApcs(PKTHREAD Thread);         /* it ends */

/* --- timer.c, timer_wheel.c: DISPATCH_LEVEL ---------------------------------------------------------------------------- */

VOID KiInitializeWheel(KI_TIMER_WHEEL *Wheel);
VOID KiCheckTimers(VOID);  /* clock interrupt of this processor: asks for expiry when a timer may be due */
VOID KiExpireTimers(VOID); /* the software interrupt does it; no lock held */

/* Object locked. Caller: who set the timer (KI_CALLER). Insert: into the wheel of this processor. Remove: TRUE when it was in one. */
VOID KiInsertInWheel(PKTIMER Timer, ULONG64 DueTime, const void *Caller);
BOOLEAN KiRemoveFromWheel(PKTIMER Timer);
VOID KiSignalTimerLocked(PKTIMER Timer, ULONG64 Now, const void *Caller);

/* One timer that Wanted accepts is taken out of the wheel of a processor; NULL: there is none. No lock held. */
typedef BOOLEAN KI_TIMER_FILTER(const KTIMER *Timer, const VOID *Context);
PKTIMER KiTakeFromWheel(ULONG Processor, KI_TIMER_FILTER *Wanted, const VOID *Context);

/* Time-out of a wait, DISPATCH_LEVEL: claims the thread with STATUS_TIMEOUT. After Cancel nobody works on it any more. */
VOID KiInsertWaitTimer(PKTHREAD Thread, ULONG64 DueTime);
VOID KiCancelWaitTimer(PKTHREAD Thread);

/* --- dpc.c ------------------------------------------------------------------------------------------------------ */

BOOLEAN KiInsertDpc(PRKDPC Dpc, PVOID Argument1, PVOID Argument2, const void *Caller); /* KeInsertQueueDpc */
VOID KiInitializeDpcQueues(KI_DEFERRED *Deferred);
VOID KiInitializeCallDpc(VOID);                   /* call_dpc.c, once */
VOID KiDispatchInterrupt(ARCH_TRAP_FRAME *Frame); /* vector 0x2f */
/* Around the service routines of a device interrupt that came below DISPATCH_LEVEL, interrupts off; the end, behind the EOI, runs the DPCs that
 * were queued to start at once. Threads may be switched there. */
VOID KiBeginService(VOID);
VOID KiEndService(VOID);
VOID KiTickDpcs(PKPRCB Prcb); /* clock interrupt */

/* --- watchdog.c: clock interrupt --------------------------------------------------------------------------------- */

VOID KiTickWatchdog(PKPRCB Prcb, const ARCH_TRAP_FRAME *Frame);
VOID KiNoteLowIrql(
    KI_WATCHDOG *Watchdog); /* by the processor itself, which was below DISPATCH_LEVEL a moment ago */

/* --- clock.c, time.c ---------------------------------------------------------------------------------------------- */

VOID KiClockInterrupt(ARCH_TRAP_FRAME *Frame);
VOID KiPublishProcessorCount(VOID); /* shared data */
ULONG64 KiSystemTimeOffset(VOID);   /* system time minus interrupt time */

PVOID KiPublishDebuggerData(VOID); /* debugger_data.c; boot processor, once. For KPCR.KdVersionBlock */

/* --- ipi.c, freeze.c -------------------------------------------------------------------------------------------- */

VOID KiRequestDispatchInterrupt(ULONG Processor); /* self or another; any IRQL */
VOID KiRequestApcInterrupt(ULONG Processor);
VOID KiIpiInterrupt(ARCH_TRAP_FRAME *Frame); /* vector 0xe1 */
VOID KiNmi(ARCH_TRAP_FRAME *Frame);
ULONG KiTakeNmiCallbacks(const void *Base, SIZE_T Size); /* nmi.c: whose routines lie there; how many */
VOID KiDeviceInterrupt(ARCH_TRAP_FRAME *Frame);          /* interrupt.c: the vectors of devices */
#define KI_FIRST_DEVICE_VECTOR 0x30
#define KI_DEVICE_VECTOR_END 0xd0

/* Stops every other processor for good. TRUE for the first processor that asks, FALSE if it asks again; does not return for
 * any other. Interrupts off. Context and Irql: where the bug check happened. */
BOOLEAN KiFreezeOthers(PCONTEXT Context, KIRQL Irql);
BOOLEAN KiIsFreezeActive(VOID);
DECLSPEC_NORETURN VOID KiStayFrozen(PCONTEXT Context, KIRQL Irql);
VOID KiSaveProcessorState(PCONTEXT Context, KIRQL Irql); /* of the calling processor, into its PRCB */

/* --- exception.c, fault.c ------------------------------------------------------------------------------------------ */

VOID KiInstallTrapHandlers(VOID);
/* paged_check.c: a touch of paged pool that the key denied, at DISPATCH_LEVEL or above, is permitted all the same, because the page is
 * locked by an MDL. Interrupts off. */
BOOLEAN KiIsPagedPoolUsable(ULONG64 Address);

VOID KiPageFault(ARCH_TRAP_FRAME *Frame);

/* Makes EXCEPTION_RECORD and CONTEXT from a trap and runs the handlers. Does not return when nobody handles it. */
VOID KiDispatchException(ARCH_TRAP_FRAME *Frame, NTSTATUS Code, ULONG ParameterCount, ULONG64 P0, ULONG64 P1,
                         ULONG64 P2);

/* --- note.c, checked kernel only ------------------------------------------------------------------------------------- */

#if NTBOX_CHECKED
#define KI_CALLER() ((const void *)__builtin_return_address(0)) /* in the exported function */
/* Lock of the queue held. */
VOID KiNote(KI_NOTES *Notes, KI_NOTE_KIND Kind, const void *Object, const void *Other, const void *Caller);
VOID KiForget(KI_NOTES *Notes, KI_NOTE_KIND Kind, const void *Object);
const KI_NOTE *KiFindNote(KI_NOTES *Notes, KI_NOTE_KIND Kind, const void *Object);
DECLSPEC_NORETURN VOID KiDamagedObject(const KI_NOTE *Note);
BOOLEAN KiIsLinked(const LIST_ENTRY *Entry, const LIST_ENTRY **Neighbour); /* NULL: it is the entry itself */
/* Bug checks that name the caller, when it is none. Any IRQL. */
VOID KiRequireTimer(const KTIMER *Timer, const void *Caller);
VOID KiRequireDpc(const KDPC *Dpc, const void *Caller);
/* Any IRQL of their callers, no lock held: a bug check when it is in a queue. */
VOID KiCheckNewTimer(const KTIMER *Timer);
VOID KiCheckNewDpc(const KDPC *Dpc);
#else
#define KI_CALLER() NULL
#define KiRequireTimer(Timer, Caller) ((void)0)
#define KiRequireDpc(Dpc, Caller) ((void)0)
#define KiCheckNewTimer(Timer) ((void)0)
#define KiCheckNewDpc(Dpc) ((void)0)
#endif

/* --- object_check.c, checked kernel only --------------------------------------------------------------------------- */

#define KI_EVENTS (1u << EventNotificationObject | 1u << EventSynchronizationObject)
#define KI_TIMERS (1u << TimerNotificationObject | 1u << TimerSynchronizationObject)
#define KI_WAITABLE                                                                                          \
    (KI_EVENTS | KI_TIMERS | 1u << MutantObject | 1u << ProcessObject | 1u << SemaphoreObject |              \
     1u << ThreadObject)
#if NTBOX_CHECKED
/* A driver's dispatcher object is of one of the kinds (bits 1 << type); Wanted in words. */
VOID KiCheckObject(const VOID *Object, ULONG Kinds, PCSTR Wanted, PCSTR Function);
VOID KiCheckTyped(const VOID *Object, UCHAR Type, PCSTR Function); /* APC, device queue: type byte first */
#define KI_REQUIRE_OBJECT(Object, Kinds, Wanted) KiCheckObject((Object), (Kinds), (Wanted), __func__)
#define KI_REQUIRE_TYPE(Object, Type) KiCheckTyped((Object), (Type), __func__)
#else
#define KI_REQUIRE_OBJECT(Object, Kinds, Wanted) ((void)0)
#define KI_REQUIRE_TYPE(Object, Type) ((void)0)
#endif
#define KI_REQUIRE_EVENT(Event) KI_REQUIRE_OBJECT(Event, KI_EVENTS, "an event")
#define KI_REQUIRE_THREAD(Thread) KI_REQUIRE_OBJECT(Thread, 1u << ThreadObject, "a thread")

/* --- modes: MODE has two values. Other ones are the driver's fault, and never an index of ours. */
#define KI_MODE(Mode)                                                                                        \
    (KI_REQUIRE_ARGUMENT((UCHAR)(Mode) < MaximumMode, Mode), (KPROCESSOR_MODE)((Mode) != KernelMode))

/* --- lock_check.c, checked kernel only ------------------------------------------------------------------------------- */

#if NTBOX_CHECKED
VOID KiInitializeLockChecks(VOID);
/* The processor that holds a lock and where it was acquired; NULL: none does. A look at stacks that may be changing. */
const KI_HELD_LOCK *KiFindLockHolder(const void *Lock, PKPRCB *Holder);
VOID KiCheckLocksBelow(KIRQL NewIrql); /* no lock is held that wants more than NewIrql */
VOID KiCheckLocksAtSwitch(VOID);       /* the thread that loses the processor holds no driver's lock */
#else
#define KiInitializeLockChecks() ((void)0)
#define KiCheckLocksBelow(NewIrql) ((void)0)
#define KiCheckLocksAtSwitch() ((void)0)
#endif

extern const UCHAR KiImageBase[] __asm__("__ImageBase"); /* the linker's: where our own image begins */

/* --- bugcheck.c ------------------------------------------------------------------------------------------------------ */

/* Context is where it happened: the back-trace starts there. Culprit: code address to blame, NULL = Context's. */
/* processor.c: CR3 of the address space that has the kernel's half only; set once. */
extern ULONG64 KiKernelRoot;

/* stack.c: the thread whose stack a bug check walks; NULL: none that does not run. */
extern PKTHREAD KiWalkedThread;

/* At the end of a bug check: others frozen, HIGH_LEVEL. */
VOID KiRunBugCheckCallbacks(ULONG Code);
DECLSPEC_NORETURN VOID KiBugCheck(ULONG Code, ULONG64 P1, ULONG64 P2, ULONG64 P3, ULONG64 P4,
                                  PCONTEXT Context, PCSTR Text);
/* The same, but the fault lies with the code at Culprit, which need not be on the stack any more. NULL: as KiBugCheck. */
DECLSPEC_NORETURN VOID KiBugCheckBlaming(const void *Culprit, ULONG Code, const ULONG64 P[4],
                                         PCONTEXT Context, PCSTR Text);
/* What it means when nobody has said more: by code and first parameter; NULL: nothing is known. */
PCSTR KiBugCheckText(ULONG Code, ULONG64 P1);
PCSTR KiBugCheckName(ULONG Code); /* "UNKNOWN" for a driver's own */
#define KI_EXCEPTION_TEXT 128u
/* In words; NULL when not known. Text is room for them. */
PCSTR KiExceptionText(const EXCEPTION_RECORD *Record, PCHAR Text, SIZE_T Room);
PCSTR KiFastFailName(ULONG Code);

/* A bug check's parameter for an exception code: an NTSTATUS, so its sign goes along. */
static inline ULONG64 KiExceptionParameter(const EXCEPTION_RECORD *Record)
{
    return (ULONG64)(LONG64)(LONG)Record->ExceptionCode;
}

/* --- float_exception.c: of an x87 error (FSTCW, FSTSW) and of an SSE error ------------------------------------------- */

NTSTATUS KiX87Status(USHORT ControlWord, USHORT StatusWord);
NTSTATUS KiSimdStatus(ULONG MxCsr);

#include "ki_object.h"

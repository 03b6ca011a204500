/* SPDX-License-Identifier: MIT
 * Tier 2, ke: the kernel core for the other subsystems. Dispatcher objects, waits, DPCs, timers and KeXxx
 * names are declared by the DDK headers; this header adds the processor and thread blocks, the gate into
 * drivers and the bug-check helpers. */
#pragma once
#include "arch_trap.h"

/* --- threads ---- */

typedef enum _KTHREAD_STATE {
    ThreadInitialized,
    ThreadReady,
    ThreadRunning,
    ThreadStandby,
    ThreadTerminated,
    ThreadWaiting
} KTHREAD_STATE;

/* KTHREAD.WaitState: low byte of one atomic word; a claimed wait has its NTSTATUS in the upper half. Whoever changes InProgress
 * or Blocked to Claimed ends the wait; nobody else may touch the thread for it. */
typedef enum _KI_WAIT_STATE {
    KiWaitNone,
    KiWaitInProgress, /* blocks are being inserted, the thread still runs */
    KiWaitBlocked,    /* committed: the thread gives up its processor */
    KiWaitClaimed
} KI_WAIT_STATE;

/* (o) owner thread only; (h) lock bit of Header; (t) ThreadLock; (r) ready lock of processor Processor; (tr) both to write, one to
 * read; (w) who claimed the wait, then the thread; (c) constant after creation; (a) atomic */
/* What a thread can wait for that is no dispatcher object: a lock that is made of one. */
typedef struct _KE_LOCK_STATE {
    PKTHREAD Owner; /* NULL: none, or not known */
    LONG64 Holders; /* when there is no single owner */
} KE_LOCK_STATE;

typedef struct _KE_LOCK_KIND {
    PCSTR Name;
    ULONG Size; /* of the lock: Tell reads so much */
    VOID (*Tell)(const VOID *Lock, PKTHREAD Waiter,
                 KE_LOCK_STATE *State); /* bug check, all frozen: no lock */
} KE_LOCK_KIND;

typedef union _KE_APC_DISABLE {
    struct {
        SHORT Kernel, Special;
    };
    LONG Both;
} KE_APC_DISABLE;

typedef struct _KTHREAD {
    DISPATCHER_HEADER Header; /* (h) signalled when the thread has ended */
    PVOID KernelStack;        /* saved RSP while SwapBusy is clear */
    PVOID StackBase;          /* (o) highest address of the stack segment in use */
    PVOID StackLimit;         /* (o) lowest mapped address; a guard page lies below */
    struct _KE_STACK
        *OuterStacks; /* (o) segments that KeExpandKernelStackAndCallout left, the last one first */
    ARCH_LOCK ThreadLock;
    volatile LONG64 WaitState;     /* (a) KI_WAIT_STATE and status */
    volatile BOOLEAN SwapBusy;     /* (a) a processor is still on this stack */
    volatile KTHREAD_STATE State;  /* (r) */
    volatile ULONG Processor;      /* (r) of its queue, or that runs it, or that ran it last */
    KPRIORITY Priority;            /* (tr) 0..31 */
    KPRIORITY BasePriority;        /* (tr) what boosts decay to */
    KAFFINITY Affinity;            /* (tr) processors it may run on now */
    KAFFINITY UserAffinity;        /* (tr) what KeRevertToUserAffinityThread goes back to */
    BOOLEAN SystemAffinityActive;  /* (tr) */
    UCHAR IdealProcessor;          /* (tr) */
    BOOLEAN Relieved;              /* (r) its priority is that of starvation.c for one quantum */
    UCHAR Increment;               /* (w) boost that the wake-up gives */
    LONG Quantum;                  /* (r) milliseconds left */
    LIST_ENTRY QueueEntry;         /* (r) ready queue; later the reaper's list */
    struct _KTHREAD *DeferredNext; /* (w) PRCB.DeferredReady */
    PLIST_ENTRY WaitQueueEntry;    /* (w) what KeRemoveQueue was given */
    PKQUEUE Queue;                 /* (o) the KQUEUE whose worker this is */
    LIST_ENTRY QueueListEntry;     /* lock bit of Queue: its ThreadListHead */
    PKWAIT_BLOCK WaitBlockList;    /* (o) */
    ULONG WaitCount;               /* (o) blocks in WaitBlockList */
    KPROCESSOR_MODE WaitMode;      /* (t) */
    BOOLEAN Alertable;             /* (t) */
    BOOLEAN Alerted[MaximumMode];  /* (t) */
    KIRQL WaitIrql;                /* (o) the IRQL to go back to after the wait */
    BOOLEAN WaitNext;              /* (o) KeSetEvent(..., Wait = TRUE) came before: IRQL is raised already */
    UCHAR WaitReason;              /* (o) KWAIT_REASON */
    const KE_LOCK_KIND *WaitLockKind;           /* (o) in KeWaitForLock; NULL: the wait is for its objects */
    const VOID *WaitLock;                       /* (o) */
    KPROCESSOR_MODE PreviousMode;               /* (o) */
    LIST_ENTRY MutantListHead;                  /* (o) mutexes it owns */
    LIST_ENTRY HandleMutants;                   /* (t) mutants by handle that it owns: mutant.c */
    KWAIT_BLOCK WaitBlock[THREAD_WAIT_OBJECTS]; /* lock bit of the object that the block waits for */
    KTIMER Timer;                               /* time-out of the current wait: lock of the timer queue */
    KAPC_STATE ApcState;                        /* (t) */
    KAPC_STATE SavedApcState;                   /* (t) of the own process while attached to another */
    UCHAR ApcStateIndex;                        /* (t) 1: attached */
    volatile BOOLEAN ApcQueueable;              /* (t) FALSE: the thread ends */
    union {
        struct {
            SHORT KernelApcDisable;  /* (o) KeEnterCriticalRegion: -1 per nesting */
            SHORT SpecialApcDisable; /* (o) KeEnterGuardedRegion */
        };
        KE_APC_DISABLE ApcDisable; /* (o) the two of them */
    };
    USHORT MemoryLocks;           /* (o) mm: address spaces and segments that it has locked */
    struct _KE_GATE *Gate;        /* (o) innermost call into a driver */
    PVOID GateRoutine;            /* (o) its routine: survives what a driver does to the stack */
    BOOLEAN Ending;               /* (o) counted in KeThreadReaper */
    PVOID WorkRoutine;            /* (o) of a worker: the routine of the item that it has in hand */
    PKSTART_ROUTINE StartRoutine; /* (c) */
    PVOID StartContext;           /* (c) */
    PKPROCESS Process;            /* (c) */
    PVOID XSaveArea;              /* (c) 64-byte aligned extended state */
    ULONG ContextSwitches;        /* (r) */
    ULONG ReadyTick;              /* (r) PRCB.ClockTicks when it became ready */
    ULONG64 KernelTicks;          /* clock interrupt of its processor: milliseconds that it ran */
} KTHREAD;

typedef struct _KPROCESS {
    DISPATCHER_HEADER Header;
    ULONG64 DirectoryTableBase;
    struct _MM_ADDRESS_SPACE *AddressSpace; /* (c) mm's; NULL: it has no memory of its own */
    struct _OB_HANDLE_TABLE *HandleTable;   /* (c) ob's */
} KPROCESS;

/* A segment of a thread's stack that it will come back to; on that stack. */
typedef struct _KE_STACK {
    PVOID Base, Limit;
    struct _KE_STACK *Outer; /* NULL: this is the stack that the thread began on */
} KE_STACK;

/* The highest address of the stack that the thread began on. Any IRQL; the current thread, or one that does not run. */
static inline PVOID KeInitialStackOf(const KTHREAD *Thread)
{
    PVOID Base = Thread->StackBase;
    for (const KE_STACK *Stack = Thread->OuterStacks; Stack != NULL; Stack = Stack->Outer)
        Base = Stack->Base;
    return Base;
}

/* mutant.c: mutants by handle. They are mutexes (KeReleaseMutex, waits) that keep no APC from their owner, and whose owner may end: then they are
 * abandoned. IRQL <= DISPATCH_LEVEL. InitialOwner: the caller owns it from now on. Delete: nobody can wait for it any more or knows it,
 * but a thread may own it. */
typedef struct _KE_MUTANT_STATE {
    LONG CurrentCount; /* 1: free; 0 and below: how often it is owned */
    BOOLEAN OwnedByCaller;
    BOOLEAN AbandonedState;
} KE_MUTANT_STATE, *PKE_MUTANT_STATE;
VOID KeInitializeMutant(PKMUTANT Mutant, BOOLEAN InitialOwner);
VOID KeQueryMutant(PKMUTANT Mutant, PKE_MUTANT_STATE State);
VOID KeDeleteMutant(PKMUTANT Mutant);

/* IRQL < DISPATCH_LEVEL. Lets another ready thread of the caller's priority run. FALSE: there was none. */
BOOLEAN KeYieldThread(VOID);

/* Any IRQL <= DISPATCH_LEVEL. The process has ended: who waits for it goes on. */
VOID KeSignalProcess(PKPROCESS Process);

/* --- processors ---- */

#define KI_MAX_PROCESSORS 64
#define KI_MAX_HELD_LOCKS                                                                                    \
    96 /* the 64 objects of a wait for all, and what is held around it; more are counted only */

typedef struct _KI_HELD_LOCK {
    const void *Lock;
    const ARCH_LOCK_CLASS *Class;
    const void *Caller; /* code address of the acquisition */
} KI_HELD_LOCK;

/* What a frozen processor was doing; both structures as published for debuggers. */
typedef struct _KI_DESCRIPTOR {
    USHORT Pad[3];
    USHORT Limit;
    PVOID Base;
} KI_DESCRIPTOR;

typedef struct _KI_SPECIAL_REGISTERS {
    ULONG64 Cr0, Cr2, Cr3, Cr4;
    ULONG64 KernelDr0, KernelDr1, KernelDr2, KernelDr3, KernelDr6, KernelDr7;
    KI_DESCRIPTOR Gdtr, Idtr; /* 0x50 */
    USHORT Tr, Ldtr;          /* 0x70 */
    ULONG MxCsr;
    ULONG64 DebugControl, LastBranchToRip, LastBranchFromRip, LastExceptionToRip, LastExceptionFromRip;
    ULONG64 Cr8, MsrGsBase, MsrGsSwap, MsrStar, MsrLStar, MsrCStar, MsrSyscallMask; /* 0xa0 */
    ULONG64 Xcr0, MsrFsBase, Padding;
} KI_SPECIAL_REGISTERS;
ASSERT_SIZE(KI_SPECIAL_REGISTERS, 0xf0);
ASSERT_OFFSET(KI_SPECIAL_REGISTERS, Cr8, 0xa0);

typedef struct _KI_PROCESSOR_STATE {
    KI_SPECIAL_REGISTERS SpecialRegisters;
    CONTEXT ContextFrame;
} KI_PROCESSOR_STATE;

typedef struct _KPRCB {
    ULONG MxCsr;        /* 0x000 */
    UCHAR LegacyNumber; /* 0x004 = gs:[0x184] */
    UCHAR ReservedMustBeZero[3];
    PKTHREAD CurrentThread;            /* 0x008 = gs:[0x188] */
    PKTHREAD NextThread;               /* 0x010 */
    PKTHREAD IdleThread;               /* 0x018 */
    UCHAR NestingLevel[4];             /* 0x020 */
    ULONG Number;                      /* 0x024 = gs:[0x1a4] */
    ULONG64 Reserved[0x1b];            /* 0x028 */
    KI_PROCESSOR_STATE ProcessorState; /* 0x100: of a frozen processor */
    /* Our own from here on. */
    volatile BOOLEAN Frozen; /* ProcessorState is valid, the processor has stopped for good */
    ULONG ApicId;
    BOOLEAN DpcActive;           /* inside the DPC drain: waits are forbidden */
    volatile BOOLEAN QuantumEnd; /* the current thread has used its quantum */
    volatile SCHAR
        CurrentPriority; /* of CurrentThread; written under the ready lock, read as a hint by others */
    volatile BOOLEAN Reschedule; /* another thread should run here: set under the ready lock */
    BOOLEAN BugCheckActive;
    ULONG TickLength;                 /* (c) of its clock, in milliseconds */
    ULONG64 ClockTicks;               /* milliseconds of clock interrupts that it took */
    PKTHREAD PreviousThread;          /* the one that was switched away from, until the switch is complete */
    PKTHREAD DeferredReady;           /* this processor, DISPATCH_LEVEL: woken, not ready yet, newest first */
    volatile BOOLEAN PagedPoolDenied; /* ke_paged.h */
    PVOID PoolCache;     /* ex: its free blocks of pool; with interrupts off, or see ex/pool_cache.c */
    ULONG HeldLockCount; /* checked kernel: spin locks this processor holds, in order */
    KI_HELD_LOCK HeldLocks[KI_MAX_HELD_LOCKS];
} KPRCB, *PKPRCB;
ASSERT_OFFSET(KPRCB, LegacyNumber, 0x4);
ASSERT_OFFSET(KPRCB, CurrentThread, 0x8);
ASSERT_OFFSET(KPRCB, Number, 0x24);
ASSERT_OFFSET(KPRCB, ProcessorState, 0x100);

static inline PKPRCB KeGetPrcb(void)
{
    PKPRCB Prcb;
    __asm__ volatile("movq %%gs:0x20, %0" : "=r"(Prcb));
    return Prcb;
}

static inline PKTHREAD KiCurrentThread(void)
{
    PKTHREAD Thread;
    __asm__ volatile("movq %%gs:0x188, %0" : "=r"(Thread));
    return Thread;
}

extern PKPRCB KiProcessorBlock[KI_MAX_PROCESSORS];
extern ULONG KeActiveProcessorCount;  /* that take part in scheduling */
extern ULONG KePresentProcessorCount; /* that the firmware describes */

/* --- calls to all processors: ipi.c ---- */

/* Each active processor, the caller's too, runs Call once: the others at IPI_LEVEL, the caller at IPI_LEVEL - 1. Returns when all have.
 * IRQL < IPI_LEVEL, interrupts on, unless one processor is active. Call takes no lock below LockRankHal. */
typedef VOID KE_PROCESSOR_CALL(PVOID Context);
VOID KeCallAllProcessors(KE_PROCESSOR_CALL *Call, PVOID Context);

/* --- interrupt objects: interrupt.c ---- */

typedef struct _KE_INTERRUPT_PARAMETERS {
    PKSERVICE_ROUTINE ServiceRoutine; /* of a message it is a PKMESSAGE_SERVICE_ROUTINE */
    PVOID ServiceContext;
    PKSPIN_LOCK SpinLock; /* NULL: one of its own */
    ULONG Vector;
    KIRQL Irql; /* the vector's high nibble */
    KIRQL SynchronizeIrql;
    KINTERRUPT_MODE Mode;
    BOOLEAN ShareVector;
    KAFFINITY Processors; /* not empty, active ones; the lowest gets the interrupt */
    BOOLEAN IsMessage;
    ULONG MessageId;                  /* of a message */
    PKEVENT PassiveLock;              /* the driver's routine runs at PASSIVE_LEVEL, with this; else NULL */
    PKSERVICE_ROUTINE PassiveRoutine; /* of the driver; then ServiceRoutine is io's, which sees to its call */
} KE_INTERRUPT_PARAMETERS;

/* (c) constant after initialisation */
typedef struct _KINTERRUPT {
    SHORT Type; /* (c) as in every kernel object */
    SHORT Size;
    struct _KINTERRUPT *Next;         /* chain of the vector: changed under KiInterruptLock, read without */
    PKSERVICE_ROUTINE ServiceRoutine; /* (c), as the rest */
    PVOID ServiceContext;
    PKSPIN_LOCK ActualLock;
    KSPIN_LOCK SpinLock; /* ActualLock points here when the driver gave none */
    UCHAR Vector;
    KIRQL Irql, SynchronizeIrql;
    BOOLEAN ShareVector;
    KINTERRUPT_MODE Mode;
    ULONG Processor;
    BOOLEAN IsMessage;
    ULONG MessageId;
    PKEVENT PassiveLock;
    PKSERVICE_ROUTINE PassiveRoutine;
} KINTERRUPT;

/* Parameters are checked by the caller (io); the object is memory of the caller's. */
VOID KeInitializeInterrupt(PKINTERRUPT Interrupt, const KE_INTERRUPT_PARAMETERS *Parameters);
BOOLEAN KeConnectInterrupt(
    PKINTERRUPT
        Interrupt); /* FALSE: the vector is no line's and no message's, or not to be shared. IRQL <= DISPATCH_LEVEL */
VOID KeDisconnectInterrupt(
    PKINTERRUPT Interrupt); /* PASSIVE_LEVEL; its routine is not running any more afterwards */

/* From its service routine: a line that stays up until the device is served is quiet until KeUnmaskInterrupt (IRQL <= DISPATCH_LEVEL); so are all that share it. */
VOID KeMaskInterrupt(const KINTERRUPT *Interrupt);
VOID KeUnmaskInterrupt(const KINTERRUPT *Interrupt);

/* After a driver's unload routine: its interrupts that are still connected are disconnected, reported and counted. */
ULONG KeReportDriverInterrupts(PCSTR Driver, const void *Base, SIZE_T Size);

/* --- contracts, checked kernel only ---- */

#if NTBOX_CHECKED
VOID KiCheckIrqlAtMost(KIRQL Irql, PCSTR Function);
VOID KiCheckIrqlExactly(KIRQL Irql, PCSTR Function);
VOID KiCheckIrqlAtLeast(KIRQL Irql, PCSTR Function);
VOID KiCheckArgument(BOOLEAN Valid, PCSTR Name, LONG64 Value, PCSTR Function);
#define KI_REQUIRE_IRQL(Highest) KI_REQUIRE_IRQL_OF(__func__, Highest)
#define KI_REQUIRE_IRQL_OF(Function, Highest) KiCheckIrqlAtMost((Highest), (Function))
#define KI_REQUIRE_IRQL_FROM(Lowest) KiCheckIrqlAtLeast((Lowest), __func__)
#define KI_REQUIRE_IRQL_IS(Exact) KiCheckIrqlExactly((Exact), __func__)
#define KI_REQUIRE_ARGUMENT(Valid, Argument) KiCheckArgument((Valid), #Argument, (LONG64)(Argument), __func__)
#else
#define KI_REQUIRE_IRQL(Highest) ((void)0)
#define KI_REQUIRE_IRQL_OF(Function, Highest) ((void)(Function))
#define KI_REQUIRE_ARGUMENT(Valid, Argument) ((void)0)
#define KI_REQUIRE_IRQL_FROM(Lowest) ((void)0)
#define KI_REQUIRE_IRQL_IS(Exact) ((void)0)
#endif

/* note.c, checked kernel: memory goes away: a timer that is set or a DPC that is queued in it is a bug check. Freer: return address in who frees
 * it; NULL or kernel code: who set the timer is to blame. IRQL <= DISPATCH_LEVEL, no lock from LockRankKeTimer on. */
#if NTBOX_CHECKED
VOID KeCheckFreedMemory(const void *Base, SIZE_T Size, const void *Freer);
#else
#define KeCheckFreedMemory(Base, Size, Freer) ((void)0)
#endif

/* --- spin locks ---- */

/* A driver's lock when the caller has interrupts off, whatever its IRQL. The exported functions want DISPATCH_LEVEL. */
VOID KeAcquireSpinLockAnyIrql(PKSPIN_LOCK SpinLock);
VOID KeReleaseSpinLockAnyIrql(PKSPIN_LOCK SpinLock);

#define KE_SPIN_LIMIT 10            /* seconds, unless the command line says spin-limit=SECONDS */
VOID KeSetSpinLimit(ULONG Seconds); /* 0: none. After HalInitSystem. */

/* Spin locks that the running processor holds; 0 in the free kernel. One instruction: right at any IRQL. */
static inline ULONG KeHeldLockCount(void)
{
    ULONG Count;
    __asm__ volatile("movl %%gs:%c1, %0"
                     : "=r"(Count)
                     : "i"(0x180 + __builtin_offsetof(KPRCB, HeldLockCount)));
    return Count;
}

#include "ke_gate.h"

/* The current thread is about to end: inside a driver's routine only in that which the thread was made for, else it is a bug check. */
VOID KeCheckThreadOwner(VOID);

/* The stack that StackPointer lies in, [*Low, *High): of the current thread or one of this processor's interrupt stacks. Any
 * IRQL. FALSE: none that is known. */
BOOLEAN KeFindStack(ULONG64 StackPointer, PULONG64 Low, PULONG64 High);

/* KeWaitForSingleObject in kernel mode, not alertable, without a time-out; a report of a hang says that the thread waits for Lock. */
VOID KeWaitForLock(PVOID Event, KWAIT_REASON WaitReason, const KE_LOCK_KIND *Kind, const VOID *Lock);

/* Writes ReportThread and ReportThreadFrame records, and log lines, for a thread that does not run and has a driver on its stack. Bug
 * check only. */
VOID KeReportThreadFrozen(PKTHREAD Thread);

/* Where a debugger finds the list of loaded modules; image owns it. Once, phase 0. */
VOID KePublishLoadedModules(PLIST_ENTRY List);
/* Where the debugger's data and that list lie. Any IRQL. */
VOID KeQueryDebuggerData(PULONG64 Data, PULONG64 LoadedModules);

/* --- bug checks ------------------------------------------------------------------------------------------- */

typedef struct _KI_SYMBOL {
    CHAR Module[64];   /* "ioctl.sys"; empty when the address is in no image */
    CHAR Function[96]; /* nearest symbol, empty when none is known */
    ULONG64 Offset;    /* from the image base */
    CHAR Text[208];    /* "ioctl.sys+0x1234" or "ntoskrnl.exe!KeSetEvent+0x12 (+0x4567)" */
} KI_SYMBOL;

/* What ke asks of the layers above it; set once in init/phase.c. Callable in a bug check. */
typedef struct _KI_UPCALLS {
    BOOLEAN (*IsKernelAddress)(const void *Address);  /* in ntoskrnl.exe or hal.dll */
    BOOLEAN (*IsLibraryAddress)(const void *Address); /* in a library of ours: its caller is to blame */
    VOID (*Symbolize)(const void *Address, KI_SYMBOL *Symbol);
    BOOLEAN(*UnwindOne)
    (PCONTEXT Context);           /* to the caller; FALSE at the end or when the stack makes no sense */
    VOID (*BugCheckReport)(VOID); /* records that must not be lost */
    BOOLEAN (*FixFault)(ARCH_TRAP_FRAME *Frame);                        /* a page fault that is no error */
    VOID (*DescribePool)(const void *Address, PCHAR Text, SIZE_T Room); /* whose block it lies in */
    VOID (*PrepareProcessor)(PKPRCB Prcb); /* before it runs: what other layers keep in its block */
    VOID (*HangReport)(VOID); /* in a bug check because the machine was asked where it is: the threads */
} KI_UPCALLS;
extern const KI_UPCALLS *KiUpcalls;

/* Value written to the debug-exit port. */
#define KI_EXIT_DONE 0
#define KI_EXIT_BUGCHECK 1

/* The host that runs us asks by NMI where the machine is when its time is over: no failure then. Once, at the start. */
extern BOOLEAN KeNmiAsks;

/* For the filter of a thread's outermost handler: parameters are exception code, address, record, context. */
VOID KeBugCheckFromException(ULONG Code, PEXCEPTION_POINTERS Pointers);

/* --- start-up, by init ---- */

VOID KeInitializeBootProcessor(VOID);
VOID KeInitializeClock(VOID); /* after HalInitSystem and MmInitSystem: shared data, clock interrupt, timers */
VOID KeInitializeIdle(PVOID StackBase, PVOID StackLimit); /* the running code becomes the idle thread */
DECLSPEC_NORETURN VOID KeIdleLoop(VOID);
VOID KeStartProcessors(VOID); /* once, PASSIVE_LEVEL, after KeInitializeClock: all that the firmware lists */

/* A kernel thread that is not an object yet: ps wraps it. Stack from mm. IRQL < DISPATCH_LEVEL. The thread is
 * not started: KeReadyThread does that. */
VOID KeInitializeThread(PKTHREAD Thread, PKPROCESS Process, PVOID StackBase, PVOID StackLimit,
                        PVOID XSaveArea, PKSTART_ROUTINE StartRoutine, PVOID StartContext);
VOID KeBecomeZeroPageThread(VOID);   /* priority 0, below all other threads: mm's, PASSIVE_LEVEL */
VOID KeReadyThread(PKTHREAD Thread); /* a thread that has not run yet */
/* One that will never run: who waits for it sees its end, and it takes no APCs. IRQL < DISPATCH_LEVEL. */
VOID KeAbandonThread(PKTHREAD Thread);
DECLSPEC_NORETURN VOID KeTerminateThread(PKTHREAD Thread); /* current thread; signals it, never returns */
VOID KeAnnounceThreadEnd(VOID); /* the current thread counts as ended from here on */

/* Ended threads wait here for ps: set when there is one. IRQL < DISPATCH_LEVEL. */
typedef struct _KE_THREAD_REAPER {
    ARCH_LOCK Lock;
    LIST_ENTRY ListHead; /* (Lock) */
    KEVENT Event;
    LONG Count;  /* (Lock) threads that end and are not freed yet */
    KEVENT None; /* notification: Count became 0 */
} KE_THREAD_REAPER;
extern KE_THREAD_REAPER KeThreadReaper;
VOID KeInitializeThreadReaper(VOID);
PKTHREAD KeTakeTerminatedThread(VOID); /* NULL: none */
VOID KeForgetTerminatedThread(VOID);   /* ps has freed it */

/* PASSIVE_LEVEL, one caller at a time: until all threads that have ended are freed. TRUE: that took a wait. */
BOOLEAN KeWaitForThreadEnds(VOID);

/* What KeFlushQueuedDpcs does, IRQL <= APC_LEVEL. */
VOID KeFlushDpcs(VOID);

/* A timer with a DPC of its own and a period in 100 ns. Owner: code address of whose timer it is. */
typedef struct _KE_FINE_TIMER {
    KTIMER Timer;
    KDPC Dpc;
    PVOID Owner;
} KE_FINE_TIMER;

BOOLEAN KeSetFineTimer(KE_FINE_TIMER *Timer, LONG64 DueTime, ULONG Period); /* as KeSetTimerEx */
BOOLEAN KeIsTimerSet(PKTIMER Timer);                                        /* IRQL <= DISPATCH_LEVEL */

/* Milliseconds; 0 leaves what was. Dpc: that a DPC routine may run; Raised: at DISPATCH_LEVEL or above without a break;
 * Clock: that a processor takes no clock interrupt. */
typedef struct _KE_WATCHDOG_LIMITS {
    ULONG Dpc, Raised, Clock;
} KE_WATCHDOG_LIMITS;
KE_WATCHDOG_LIMITS KeSetWatchdogLimits(const KE_WATCHDOG_LIMITS *Limits); /* returns those before */

/* The thread of one processor's threaded DPCs, started by init for each active processor; Processor is its number. */
VOID NTAPI KeDpcThread(PVOID Processor);

/* After a driver's unload routine: its timers that are still in the queue are taken out, reported and counted. */
ULONG KeReportDriverTimers(PCSTR Driver, const void *Base, SIZE_T Size);

/* The same for bug-check callbacks and NMI callbacks that lie there or call code there. IRQL <= APC_LEVEL. */
VOID KeReportDriverCallbacks(PCSTR Driver, const void *Base, SIZE_T Size);

/* The same for the APCs of one thread that lie there or would call code there. */
ULONG KeReportDriverApcs(PKTHREAD Thread, PCSTR Driver, const void *Base, SIZE_T Size);

/* A number that is the same in two runs when their schedulers did the same, and of how many events; 0 in the free kernel. PASSIVE_LEVEL. */
VOID KeQuerySchedulerTrace(PULONG64 Hash, PULONG64 Events);

/* Size in bytes of the extended (x87/SSE/AVX) state a thread needs, multiple of 64. */
ULONG KeXSaveAreaSize(VOID);

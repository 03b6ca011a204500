/* SPDX-License-Identifier: MIT
 * Tier 2, ps: processes and threads as objects. The PsXxx names are declared by the DDK headers. */
#pragma once
#include "ke.h"

/* (c) constant after creation; (l) PspListLock */
typedef struct _EPROCESS {
    KPROCESS Pcb;
    HANDLE UniqueProcessId;         /* (c) */
    HANDLE ParentId;                /* (c) InheritedFromUniqueProcessId */
    PACCESS_TOKEN Token;            /* (c) the primary token, referenced */
    LIST_ENTRY IdEntry;             /* (l) table of ids: as long as the object lives */
    LIST_ENTRY ListEntry;           /* (l) all processes, in the order of their creation */
    LIST_ENTRY ThreadList;          /* (l) ETHREAD.ProcessEntry: threads that have not ended */
    ULONG ActiveThreads;            /* (l) of ThreadList */
    ULONG MostThreads;              /* (l) that there were at one time */
    BOOLEAN Announced;              /* (l) its creation was told to notify routines */
    BOOLEAN Ending;                 /* (l) it takes no new threads; PsGetProcessExitProcessCalled */
    BOOLEAN EndStarted;             /* (l) somebody is in PspEndProcess, or was */
    UCHAR PriorityClass;            /* PROCESS_PRIORITY_CLASS_...; one byte, the last one who sets it wins */
    PS_PROTECTION_LEVEL Protection; /* (c) */
    CHAR ImageFileName[16];         /* (c) */
    NTSTATUS ExitStatus;            /* STATUS_PENDING; (l) to write, once */
    LARGE_INTEGER CreateTime;       /* (c) */
    LARGE_INTEGER ExitTime;         /* by who ends it, before it is signalled */
    ULONG64 EndedTicks;             /* (l) milliseconds that its ended threads ran */
    EX_RUNDOWN_REF ExitRundown;     /* PsAcquireProcessExitSynchronization */
} EPROCESS;

/* PASSIVE_LEVEL. A process without threads, with an empty address space, a copy of Parent's token and, with InheritHandles, its inheritable
 * handles: one reference, the caller's. Nobody may be attached to it when the last one goes. STATUS_PROCESS_IS_TERMINATING: a parent that
 * ends has no handles to give. */
NTSTATUS PsCreateChildProcess(PEPROCESS Parent, BOOLEAN InheritHandles, PEPROCESS *Process);
/* The same as a child of the current process, without handles. */
NTSTATUS PsCreateEmptyProcess(PEPROCESS *Process);

typedef struct _ETHREAD {
    KTHREAD Tcb;
    CLIENT_ID Cid;
    LIST_ENTRY IdEntry;           /* (l) table of ids: as long as the object lives */
    LIST_ENTRY ProcessEntry;      /* (l) EPROCESS.ThreadList */
    LARGE_INTEGER CreateTime;     /* (c) */
    LARGE_INTEGER ExitTime;       /* by itself, before it is signalled */
    volatile BOOLEAN Terminating; /* it ends, or was asked to */
    ULONG PagePriority;           /* as it was set; nothing heeds it */
    UNICODE_STRING Name;          /* PspNameLock; in paged pool, or empty */
    NTSTATUS ExitStatus;          /* STATUS_PENDING until it ends */
    PKSTART_ROUTINE StartRoutine; /* what PsCreateSystemThread was given */
    PVOID StartContext;
    LIST_ENTRY IrpList;  /* io: IRPs this thread issued; its own, at APC_LEVEL */
    PKEVENT IrpsAreGone; /* io: set when the list gets empty; NULL: nobody waits for it */
    PVOID TopLevelIrp;
    LIST_ENTRY TimerList;          /* PspTimerLock: timers that will queue an APC to it */
    LIST_ENTRY ListEntry;          /* (l) all threads that have a stack */
    SE_IMPERSONATION_STATE Client; /* ps, lock Impersonation: whom it impersonates, Token NULL: nobody */
    GUID ActivityId;               /* the thread's own: what it does, for traces */
    const void *Creator;           /* return address of PsCreateSystemThread */
    PVOID StartModule; /* IM_MODULE of the driver that made the thread, NULL for the kernel's own */
} ETHREAD;

/* What thread end needs from above; set once by InitSetUpcalls, before the first system thread. */
typedef struct _PS_UPCALLS {
    VOID (*CancelThreadIo)(
        PETHREAD Thread); /* io: cancels the thread's IRPs and waits for them. PASSIVE_LEVEL */
} PS_UPCALLS;
extern const PS_UPCALLS *PsUpcalls;

VOID PsInitSystem(VOID);

/* After a driver's unload routine, PASSIVE_LEVEL: its notify routines of processes and threads are taken out, reported and counted. */
struct _IM_MODULE;
ULONG PsReportDriverNotifies(struct _IM_MODULE *Module);

/* For se: the tokens that count for a thread, or (Thread NULL) for a process, referenced; Process NULL: the thread's. PASSIVE_LEVEL. */
VOID PsReferenceTokens(PETHREAD Thread, PEPROCESS Process, PSECURITY_SUBJECT_CONTEXT Context);

/* Bug check only, when no other processor runs: calls Routine for each thread without a lock. */
VOID PsWalkThreadsFrozen(VOID (*Routine)(PETHREAD Thread));

/* --- after a driver's unload routine, PASSIVE_LEVEL ---- */

/* A thread that is not the module's own, nor the current one, is inside one of its routines: it may be about to leave. */
BOOLEAN PsIsRoutineRunning(struct _IM_MODULE *Module);

/* Threads that started in Module's code and have not ended, and others that are inside one of its routines: written to log
 * and report, counted. */
ULONG PsReportDriverThreads(struct _IM_MODULE *Module);

/* Timers by handle whose routine lies in Module: stopped, reported, counted. */
ULONG PsReportDriverTimers(struct _IM_MODULE *Module);

/* APCs that lie in Module or would call it: taken out, reported, counted. */
ULONG PsReportDriverApcs(struct _IM_MODULE *Module);

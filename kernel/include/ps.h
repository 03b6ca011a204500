/* SPDX-License-Identifier: MIT
 * Tier 2, ps: processes and threads as objects. The PsXxx names are declared by the DDK headers. */
#pragma once
#include "ke.h"

typedef struct _EPROCESS {
    KPROCESS Pcb;
    HANDLE UniqueProcessId;
    PACCESS_TOKEN Token; /* (c) the primary token, referenced */
} EPROCESS;

/* PASSIVE_LEVEL. A process without threads and handles, with an empty address space: one reference, the caller's. Nobody may be attached
 * to it when the last one goes. */
NTSTATUS PsCreateEmptyProcess(PEPROCESS *Process);

typedef struct _ETHREAD {
    KTHREAD Tcb;
    CLIENT_ID Cid;
    NTSTATUS ExitStatus;
    PKSTART_ROUTINE StartRoutine; /* what PsCreateSystemThread was given */
    PVOID StartContext;
    LIST_ENTRY IrpList;  /* io: IRPs this thread issued; its own, at APC_LEVEL */
    PKEVENT IrpsAreGone; /* io: set when the list gets empty; NULL: nobody waits for it */
    PVOID TopLevelIrp;
    LIST_ENTRY ListEntry;          /* ps: all threads that have a stack */
    SE_IMPERSONATION_STATE Client; /* ps, lock Impersonation: whom it impersonates, Token NULL: nobody */
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

/* For se: the tokens that count for a thread, or (Thread NULL) for a process, referenced; Process NULL: the thread's. PASSIVE_LEVEL. */
VOID PsReferenceTokens(PETHREAD Thread, PEPROCESS Process, PSECURITY_SUBJECT_CONTEXT Context);

/* Bug check only, when no other processor runs: calls Routine for each thread without a lock. */
VOID PsWalkThreadsFrozen(VOID (*Routine)(PETHREAD Thread));

/* --- after a driver's unload routine, PASSIVE_LEVEL ---- */

struct _IM_MODULE;

/* A thread that is not the module's own, nor the current one, is inside one of its routines: it may be about to leave. */
BOOLEAN PsIsRoutineRunning(struct _IM_MODULE *Module);

/* Threads that started in Module's code and have not ended, and others that are inside one of its routines: written to log
 * and report, counted. */
ULONG PsReportDriverThreads(struct _IM_MODULE *Module);

/* APCs that lie in Module or would call it: taken out, reported, counted. */
ULONG PsReportDriverApcs(struct _IM_MODULE *Module);

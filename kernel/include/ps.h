/* SPDX-License-Identifier: MIT
 * Tier 2, ps: processes and threads as objects. The PsXxx names are declared by the DDK headers. */
#pragma once
#include "ke.h"

typedef struct _EPROCESS {
    KPROCESS Pcb;
    HANDLE UniqueProcessId;
    PVOID ObjectTable; /* ob's handle table */
} EPROCESS;

typedef struct _ETHREAD {
    KTHREAD Tcb;
    CLIENT_ID Cid;
    NTSTATUS ExitStatus;
    PKSTART_ROUTINE StartRoutine; /* what PsCreateSystemThread was given */
    PVOID StartContext;
    LIST_ENTRY IrpList; /* io: IRPs this thread issued */
    PVOID TopLevelIrp;
    PVOID StartModule; /* IM_MODULE of the driver that made the thread, NULL for the kernel's own */
} ETHREAD;

VOID PsInitSystem(VOID);

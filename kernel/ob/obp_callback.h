/* SPDX-License-Identifier: MIT
 * Tier 3, ob: a handle that is being made, for those who registered callbacks. */
#pragma once
#include "obp_handle.h"
#include "ke.h"

#define OBP_MAX_REGISTRATIONS 32

typedef struct _OBP_CALLED {
    struct _OBP_REGISTRATION *Registration; /* protected */
    PVOID CallContext;
} OBP_CALLED;

typedef struct _OBP_HANDLE_EVENT {
    OB_OPERATION Operation;
    PVOID Object;
    BOOLEAN KernelHandle;
    ACCESS_MASK Original, Access;       /* Access: what is left of it */
    PVOID SourceProcess, TargetProcess; /* of a duplication */
    ULONG CalledCount;
    OBP_CALLED Called[OBP_MAX_REGISTRATIONS];
} OBP_HANDLE_EVENT;

/* Any IRQL: somebody may have to be asked. */
BOOLEAN ObpHasCallbacks(PVOID Object);
/* handle.c: those who want to know are asked and told; what they leave of Event->Access is granted. */
NTSTATUS ObpCreateHandleTold(OBP_HANDLE_EVENT *Event, OB_HANDLE_TABLE *Table, KPROCESSOR_MODE Mode,
                             ULONG Attributes, PHANDLE Handle);

/* PASSIVE_LEVEL, no lock. After goes with each Before, with the status of what was done. */
VOID ObpBeforeHandle(OBP_HANDLE_EVENT *Event);
VOID ObpAfterHandle(const OBP_HANDLE_EVENT *Event, NTSTATUS Status);

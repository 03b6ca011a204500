/* SPDX-License-Identifier: MIT
 * Tier 2, ob: services for a caller of either mode that ntoskrnl exports for the kernel only. PASSIVE_LEVEL. What user mode passes is captured
 * once. */
#pragma once
#include "ke.h"
#include "nt.h"

/* [WDK ZwQueryDirectoryObject] Entries from *Context on (with RestartScan from the first), which becomes the number of the next one.
 * STATUS_MORE_ENTRIES: not all fit. STATUS_BUFFER_TOO_SMALL: not one does. STATUS_NO_MORE_ENTRIES. */
NTSTATUS ObQueryDirectoryObject(HANDLE DirectoryHandle, PVOID Buffer, ULONG Length, BOOLEAN ReturnSingleEntry,
                                BOOLEAN RestartScan, PULONG Context, PULONG ReturnLength,
                                KPROCESSOR_MODE Mode);

/* [WDK ZwOpenEvent, ZwResetEvent, ZwPulseEvent] *PreviousState: 0 or 1; NULL: it is not wanted. */
NTSTATUS ObOpenEvent(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                     KPROCESSOR_MODE Mode);
NTSTATUS ObResetEvent(HANDLE Handle, PLONG PreviousState, KPROCESSOR_MODE Mode);
NTSTATUS ObPulseEvent(HANDLE Handle, PLONG PreviousState, KPROCESSOR_MODE Mode);

/* [Win32 CreateSemaphore, OpenSemaphore] STATUS_INVALID_PARAMETER: Limit is not positive, or Count not in 0 to Limit. STATUS_OBJECT_NAME_EXISTS
 * with OBJ_OPENIF. */
NTSTATUS ObCreateSemaphore(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                           LONG Count, LONG Limit, KPROCESSOR_MODE Mode);
NTSTATUS ObOpenSemaphore(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                         KPROCESSOR_MODE Mode);
/* [Win32 ReleaseSemaphore] STATUS_INVALID_PARAMETER: Count is not positive. STATUS_SEMAPHORE_LIMIT_EXCEEDED: nothing was done. PreviousCount may
 * be NULL. */
NTSTATUS ObReleaseSemaphore(HANDLE Handle, LONG Count, PLONG PreviousCount, KPROCESSOR_MODE Mode);
typedef struct _OB_SEMAPHORE_STATE {
    LONG Count, Limit;
} OB_SEMAPHORE_STATE, *POB_SEMAPHORE_STATE;
NTSTATUS ObQuerySemaphore(HANDLE Handle, POB_SEMAPHORE_STATE Information, KPROCESSOR_MODE Mode);

/* [Win32 CreateMutex, OpenMutex] InitialOwner does nothing for a mutant that is there already (STATUS_OBJECT_NAME_EXISTS, with OBJ_OPENIF). */
NTSTATUS ObCreateMutant(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                        BOOLEAN InitialOwner, KPROCESSOR_MODE Mode);
NTSTATUS ObOpenMutant(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                      KPROCESSOR_MODE Mode);
/* [Win32 ReleaseMutex] STATUS_MUTANT_NOT_OWNED: by the caller. *PreviousCount: what CurrentCount was; NULL: it is not wanted. */
NTSTATUS ObReleaseMutant(HANDLE Handle, PLONG PreviousCount, KPROCESSOR_MODE Mode);
/* MutantBasicInformation */
NTSTATUS ObQueryMutant(HANDLE Handle, PKE_MUTANT_STATE Information, KPROCESSOR_MODE Mode);

/* The flags of a handle (ObjectHandleFlagInformation); STATUS_INVALID_INFO_CLASS for others. */
NTSTATUS ObSetInformationObject(HANDLE Handle, OBJECT_INFORMATION_CLASS Class, PVOID Information,
                                ULONG Length, KPROCESSOR_MODE Mode);

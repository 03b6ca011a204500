/* SPDX-License-Identifier: MIT
 * Waits for objects by handle. [WDK ZwWaitForSingleObject; MS NtWaitForMultipleObjects] */
#include "obp.h"
#include "ke.h"
#include "mm_caller.h"

#define OBP_TAG_WAIT 'tWbO'

/* The object, referenced, and what of it a wait is for. STATUS_OBJECT_TYPE_MISMATCH when it cannot be waited for. */
static NTSTATUS ObpReferenceWaitable(HANDLE Handle, KPROCESSOR_MODE Mode, PVOID *Object, PVOID *Header)
{
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, Mode, Object, NULL);

    if (!NT_SUCCESS(Status))
        return Status;
    LONG Offset = ObTypeOf(*Object)->Info.WaitOffset;
    if (Offset == OB_NOT_WAITABLE) {
        ObfDereferenceObject(*Object);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    *Header = (PUCHAR)*Object + Offset;
    return STATUS_SUCCESS;
}

/* *Timeout NULL: no end. */
static NTSTATUS ObpCaptureTimeout(PLARGE_INTEGER From, KPROCESSOR_MODE Mode, PLARGE_INTEGER Copy,
                                  PLARGE_INTEGER *Timeout)
{
    *Timeout = From != NULL ? Copy : NULL;
    return From != NULL ? MmReadCaller(Copy, From, sizeof(*Copy), Mode) : STATUS_SUCCESS;
}

/* [WDK KeWaitForSingleObject] A mutex that its owner got too often raises; here the caller still has the objects referenced. */
static LONG ObpIsMutantLimit(NTSTATUS Code)
{
    return Code == STATUS_MUTANT_LIMIT_EXCEEDED ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

static NTSTATUS ObpWaitForHeaders(ULONG Count, PVOID *Headers, WAIT_TYPE Type, BOOLEAN Alertable,
                                  PLARGE_INTEGER Timeout, KPROCESSOR_MODE Mode, PKWAIT_BLOCK Blocks)
{
    __try {
        if (Count == 1)
            return KeWaitForSingleObject(*Headers, UserRequest, Mode, Alertable, Timeout);
        return KeWaitForMultipleObjects(Count, Headers, Type, UserRequest, Mode, Alertable, Timeout, Blocks);
    } __except (ObpIsMutantLimit(GetExceptionCode())) {
        return GetExceptionCode();
    }
}

static NTSTATUS ObpWaitForOne(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER From, KPROCESSOR_MODE Mode)
{
    LARGE_INTEGER Copy;
    PLARGE_INTEGER Timeout;
    PVOID Object, Header;
    NTSTATUS Status = ObpCaptureTimeout(From, Mode, &Copy, &Timeout);

    if (NT_SUCCESS(Status))
        Status = ObpReferenceWaitable(Handle, Mode, &Object, &Header);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpWaitForHeaders(1, &Header, WaitAny, Alertable, Timeout, Mode, NULL);
    ObfDereferenceObject(Object);
    return Status;
}

NTSTATUS NTAPI ZwWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpWaitForOne(Handle, Alertable, Timeout, KernelMode);
}

NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpWaitForOne(Handle, Alertable, Timeout, ExGetPreviousMode());
}

/* --- several --- */

typedef struct _OBP_WAIT {
    ULONG Count; /* of Object and Header that are referenced */
    HANDLE Handle[MAXIMUM_WAIT_OBJECTS];
    PVOID Object[MAXIMUM_WAIT_OBJECTS], Header[MAXIMUM_WAIT_OBJECTS];
    KWAIT_BLOCK Block[MAXIMUM_WAIT_OBJECTS];
} OBP_WAIT;

static NTSTATUS ObpReferenceAll(OBP_WAIT *Wait, ULONG Count, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;

    while (NT_SUCCESS(Status) && Wait->Count < Count) {
        ULONG i = Wait->Count;
        Status = ObpReferenceWaitable(Wait->Handle[i], Mode, &Wait->Object[i], &Wait->Header[i]);
        Wait->Count += NT_SUCCESS(Status);
    }
    return Status;
}

/* A wait for all is for different objects: two handles may lead to one. */
static BOOLEAN ObpAreDifferent(const OBP_WAIT *Wait)
{
    for (ULONG i = 1; i < Wait->Count; i++)
        for (ULONG j = 0; j < i; j++)
            if (Wait->Header[i] == Wait->Header[j])
                return FALSE;
    return TRUE;
}

static NTSTATUS ObpWaitForObjects(OBP_WAIT *Wait, ULONG Count, WAIT_TYPE Type, BOOLEAN Alertable,
                                  PLARGE_INTEGER Timeout, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = ObpReferenceAll(Wait, Count, Mode);

    if (NT_SUCCESS(Status) && Type == WaitAll && !ObpAreDifferent(Wait))
        Status = STATUS_INVALID_PARAMETER_MIX;
    if (NT_SUCCESS(Status))
        Status = ObpWaitForHeaders(Count, Wait->Header, Type, Alertable, Timeout, Mode, Wait->Block);
    while (Wait->Count != 0)
        ObfDereferenceObject(Wait->Object[--Wait->Count]);
    return Status;
}

static NTSTATUS ObpWaitForSeveral(ULONG Count, const HANDLE *Handles, WAIT_TYPE Type, BOOLEAN Alertable,
                                  PLARGE_INTEGER From, KPROCESSOR_MODE Mode)
{
    LARGE_INTEGER Copy;
    PLARGE_INTEGER Timeout;

    if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS)
        return STATUS_INVALID_PARAMETER_1;
    if (Type != WaitAny && Type != WaitAll)
        return STATUS_INVALID_PARAMETER_3;
    NTSTATUS Status = ObpCaptureTimeout(From, Mode, &Copy, &Timeout);
    if (!NT_SUCCESS(Status))
        return Status;
    OBP_WAIT *Wait = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Wait), OBP_TAG_WAIT);
    if (Wait == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = MmReadCaller(Wait->Handle, Handles, Count * sizeof(HANDLE), Mode);
    if (NT_SUCCESS(Status))
        Status = ObpWaitForObjects(Wait, Count, Type, Alertable, Timeout, Mode);
    ExFreePoolWithTag(Wait, OBP_TAG_WAIT);
    return Status;
}

NTSTATUS NTAPI ZwWaitForMultipleObjects(ULONG HandleCount, PHANDLE Handles, WAIT_TYPE WaitType,
                                        BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpWaitForSeveral(HandleCount, Handles, WaitType, Alertable, Timeout, KernelMode);
}

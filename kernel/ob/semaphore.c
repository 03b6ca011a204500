/* SPDX-License-Identifier: MIT
 * Semaphores by handle. ntoskrnl exports their type, and no service of theirs to drivers. [Win32 CreateSemaphore, OpenSemaphore,
 * ReleaseSemaphore] */
#include "obp.h"
#include "ke.h"
#include "mm_caller.h"
#include "ob_service.h"

#define OBP_SEMAPHORE_MODIFY_STATE 2u /* [Win32 "Synchronization Object Security and Access Rights"] */
#define OBP_SEMAPHORE_QUERY_STATE 1u
#define OBP_SEMAPHORE_ALL_ACCESS                                                                             \
    (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | OBP_SEMAPHORE_MODIFY_STATE | OBP_SEMAPHORE_QUERY_STATE)
#define OBP_SEMAPHORE_INCREMENT 1

POBJECT_TYPE ExSemaphoreObjectType;

static const OB_TYPE_INFO ObpSemaphoreTypeInfo = {
    .Name = L"Semaphore",
    .PoolTag = 'eSbO',
    .Mapping = {STANDARD_RIGHTS_READ | OBP_SEMAPHORE_QUERY_STATE,
                STANDARD_RIGHTS_WRITE | OBP_SEMAPHORE_MODIFY_STATE, STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
                OBP_SEMAPHORE_ALL_ACCESS},
    .ValidAccess = OBP_SEMAPHORE_ALL_ACCESS,
    .WaitOffset = FIELD_OFFSET(KSEMAPHORE, Header),
};

VOID ObpInitSemaphoreType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&ObpSemaphoreTypeInfo, &ExSemaphoreObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 6, 0, 0);
}

NTSTATUS ObCreateSemaphore(PHANDLE To, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes, LONG Count,
                           LONG Limit, KPROCESSOR_MODE Mode)
{
    PKSEMAPHORE Semaphore;
    HANDLE Handle;
    if (Limit <= 0 || Count < 0 || Count > Limit)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = MmProbeCallerOutput(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObCreateObject(Mode, ExSemaphoreObjectType, Attributes, Mode, NULL, sizeof(*Semaphore), 0, 0,
                                (PVOID *)&Semaphore);
    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeSemaphore(Semaphore, Count, Limit);
    Status = ObInsertObject(Semaphore, NULL, DesiredAccess, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Given = ObGiveHandle(To, Handle, Mode);
    return NT_SUCCESS(Given) ? Status : Given;
}

NTSTATUS ObOpenSemaphore(PHANDLE To, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                         KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    NTSTATUS Status = MmProbeCallerOutput(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByName(Attributes, ExSemaphoreObjectType, Mode, DesiredAccess, NULL, &Handle);
    return NT_SUCCESS(Status) ? ObGiveHandle(To, Handle, Mode) : Status;
}

/* KeReleaseSemaphore raises when the limit would be passed. */
static NTSTATUS ObpRelease(PKSEMAPHORE Semaphore, LONG Count, PLONG Previous)
{
    __try {
        *Previous = KeReleaseSemaphore(Semaphore, OBP_SEMAPHORE_INCREMENT, Count, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

NTSTATUS ObReleaseSemaphore(HANDLE Handle, LONG Count, PLONG PreviousCount, KPROCESSOR_MODE Mode)
{
    PKSEMAPHORE Semaphore;
    LONG Previous;
    if (Count <= 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = MmProbeCaller(PreviousCount, sizeof(*PreviousCount), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, OBP_SEMAPHORE_MODIFY_STATE, ExSemaphoreObjectType, Mode,
                                           (PVOID *)&Semaphore, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpRelease(Semaphore, Count, &Previous);
    ObfDereferenceObject(Semaphore);
    if (!NT_SUCCESS(Status) || PreviousCount == NULL)
        return Status;
    return MmWriteCaller(PreviousCount, &Previous, sizeof(Previous), Mode);
}

NTSTATUS ObQuerySemaphore(HANDLE Handle, POB_SEMAPHORE_STATE Information, KPROCESSOR_MODE Mode)
{
    PKSEMAPHORE Semaphore;
    NTSTATUS Status = MmProbeCallerOutput(Information, sizeof(*Information), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, OBP_SEMAPHORE_QUERY_STATE, ExSemaphoreObjectType, Mode,
                                           (PVOID *)&Semaphore, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    OB_SEMAPHORE_STATE State = {KeReadStateSemaphore(Semaphore), Semaphore->Limit};
    ObfDereferenceObject(Semaphore);
    return MmWriteCaller(Information, &State, sizeof(State), Mode);
}

/* SPDX-License-Identifier: MIT
 * Mutants by handle: ke/mutant.c with a name and handles. ntoskrnl exports neither their type nor a service to drivers. [Win32 CreateMutex, OpenMutex,
 * ReleaseMutex] */
#include "obp.h"
#include "ke.h"
#include "mm_caller.h"
#include "ob_service.h"

#define OBP_MUTANT_QUERY_STATE 1u /* [Win32 "Synchronization Object Security and Access Rights"] */
#define OBP_MUTANT_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | OBP_MUTANT_QUERY_STATE)

POBJECT_TYPE ObMutantType;

/* A thread may still own it. */
static VOID ObpDeleteMutant(PVOID Mutant)
{
    KeDeleteMutant(Mutant);
}

static const OB_TYPE_INFO ObpMutantTypeInfo = {
    .Name = L"Mutant",
    .PoolTag = 'uMbO',
    .Mapping = {STANDARD_RIGHTS_READ | OBP_MUTANT_QUERY_STATE, STANDARD_RIGHTS_WRITE,
                STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, OBP_MUTANT_ALL_ACCESS},
    .ValidAccess = OBP_MUTANT_ALL_ACCESS,
    .WaitOffset = FIELD_OFFSET(KMUTANT, Header),
    .Methods = {.Delete = ObpDeleteMutant},
};

VOID ObpInitMutantType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&ObpMutantTypeInfo, &ObMutantType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 7, 0, 0);
}

NTSTATUS ObCreateMutant(PHANDLE To, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                        BOOLEAN InitialOwner, KPROCESSOR_MODE Mode)
{
    PKMUTANT Mutant;
    HANDLE Handle;
    NTSTATUS Status = MmProbeCallerOutput(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObCreateObject(Mode, ObMutantType, Attributes, Mode, NULL, sizeof(*Mutant), 0, 0,
                                (PVOID *)&Mutant);
    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeMutant(Mutant, InitialOwner);
    Status = ObInsertObject(Mutant, NULL, DesiredAccess, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Given = ObGiveHandle(To, Handle, Mode);
    return NT_SUCCESS(Given) ? Status : Given;
}

NTSTATUS ObOpenMutant(PHANDLE To, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                      KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    NTSTATUS Status = MmProbeCallerOutput(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByName(Attributes, ObMutantType, Mode, DesiredAccess, NULL, &Handle);
    return NT_SUCCESS(Status) ? ObGiveHandle(To, Handle, Mode) : Status;
}

/* KeReleaseMutex raises for anyone but the owner. [Win32 ReleaseMutex] fails then; STATUS_ABANDONED would be no failure. */
static NTSTATUS ObpReleaseOwned(PKMUTANT Mutant, PLONG Previous)
{
    __try {
        *Previous = KeReleaseMutex(Mutant, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return STATUS_MUTANT_NOT_OWNED;
    }
    return STATUS_SUCCESS;
}

/* [Win32 "Synchronization Object Security and Access Rights"] MUTEX_MODIFY_STATE is reserved: who could wait may release. */
NTSTATUS ObReleaseMutant(HANDLE Handle, PLONG PreviousCount, KPROCESSOR_MODE Mode)
{
    PKMUTANT Mutant;
    LONG Previous;
    NTSTATUS Status = MmProbeCaller(PreviousCount, sizeof(*PreviousCount), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, 0, ObMutantType, Mode, (PVOID *)&Mutant, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpReleaseOwned(Mutant, &Previous);
    ObfDereferenceObject(Mutant);
    if (!NT_SUCCESS(Status) || PreviousCount == NULL)
        return Status;
    return MmWriteCaller(PreviousCount, &Previous, sizeof(Previous), Mode);
}

NTSTATUS ObQueryMutant(HANDLE Handle, PKE_MUTANT_STATE Information, KPROCESSOR_MODE Mode)
{
    PKMUTANT Mutant;
    KE_MUTANT_STATE State;
    NTSTATUS Status = MmProbeCallerOutput(Information, sizeof(*Information), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, OBP_MUTANT_QUERY_STATE, ObMutantType, Mode,
                                           (PVOID *)&Mutant, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(&State, sizeof(State)); /* what lies between its members goes out, too */
    KeQueryMutant(Mutant, &State);
    ObfDereferenceObject(Mutant);
    return MmWriteCaller(Information, &State, sizeof(State), Mode);
}

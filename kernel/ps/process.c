/* SPDX-License-Identifier: MIT
 * Processes as objects: the System process, and others that have nothing yet but an address space. */
#include "psp.h"
#include "mm_user.h"
#include "ob.h"
#include "se.h"

PEPROCESS PsInitialSystemProcess;
POBJECT_TYPE PsProcessType;

static VOID PspDeleteProcess(PVOID Object)
{
    PEPROCESS Process = Object;

    if (Process->Token != NULL)
        ObDereferenceObject(Process->Token);
    if (Process->Pcb.HandleTable != NULL)
        ObDeleteHandleTable(Process->Pcb.HandleTable);
    if (Process->Pcb.AddressSpace == NULL)
        return;
    MmRequireUnlocked(Process->Pcb.AddressSpace, Process);
    MmDeleteAddressSpace(Process->Pcb.AddressSpace);
}

static const OB_TYPE_INFO PspProcessTypeInfo = {
    .Name = L"Process",
    .PoolTag = 'corP',
    .Mapping = {STANDARD_RIGHTS_READ, STANDARD_RIGHTS_WRITE, STANDARD_RIGHTS_EXECUTE, PROCESS_ALL_ACCESS},
    .ValidAccess = PROCESS_ALL_ACCESS,
    .WaitOffset = __builtin_offsetof(EPROCESS, Pcb.Header),
    .Methods = {.Delete = PspDeleteProcess},
};

static VOID PspInitializeProcess(PEPROCESS Process, HANDLE Id)
{
    Process->Pcb.Header.Type = 3;
    InitializeListHead(&Process->Pcb.Header.WaitListHead);
    Process->UniqueProcessId = Id;
}

VOID PspCreateSystemProcess(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&PspProcessTypeInfo, &PsProcessType);

    if (NT_SUCCESS(Status))
        Status = ObCreateObject(KernelMode, PsProcessType, NULL, KernelMode, NULL, sizeof(EPROCESS), 0, 0,
                                (PVOID *)&PsInitialSystemProcess);
    if (NT_SUCCESS(Status))
        Status = SeCreateAccountToken(SeAccountSystem, &PsInitialSystemProcess->Token);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)Status, 0, 0, 0);
    PEPROCESS Process = PsInitialSystemProcess;
    PspInitializeProcess(Process, (HANDLE)4);
    Process->Pcb.DirectoryTableBase = ArchReadCr3();
    Process->Pcb.AddressSpace = MmSystemAddressSpace();
    Process->Pcb.HandleTable = ObSystemHandleTable();
}

NTSTATUS PsCreateEmptyProcess(PEPROCESS *Created)
{
    PEPROCESS Process;
    NTSTATUS Status = ObCreateObject(KernelMode, PsProcessType, NULL, KernelMode, NULL, sizeof(EPROCESS), 0,
                                     0, (PVOID *)&Process);

    if (!NT_SUCCESS(Status))
        return Status;
    PspInitializeProcess(Process, PspNewId());
    Status = ObCreateHandleTable(&Process->Pcb.HandleTable);
    if (NT_SUCCESS(Status))
        Status = SeDuplicateToken(((PEPROCESS)KiCurrentThread()->Process)->Token, FALSE, TokenPrimary,
                                  SecurityAnonymous, &Process->Token);
    if (NT_SUCCESS(Status))
        Status = MmCreateAddressSpace(&Process->Pcb.AddressSpace, &Process->Pcb.DirectoryTableBase);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Process);
        return Status;
    }
    *Created = Process;
    return STATUS_SUCCESS;
}

HANDLE NTAPI PsGetCurrentProcessId(VOID)
{
    return ((PETHREAD)KiCurrentThread())->Cid.UniqueProcess;
}

HANDLE NTAPI PsGetProcessId(PEPROCESS Process)
{
    return Process->UniqueProcessId;
}

/* [WDK PsGetVersion] Windows 10 22H2, free build; no service pack, so an empty string that points nowhere. */
BOOLEAN NTAPI PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber,
                           PUNICODE_STRING CSDVersion)
{
    if (MajorVersion != NULL)
        *MajorVersion = 10;
    if (MinorVersion != NULL)
        *MinorVersion = 0;
    if (BuildNumber != NULL)
        *BuildNumber = 19045;
    if (CSDVersion != NULL)
        *CSDVersion = (UNICODE_STRING){0, 0, NULL};
    return FALSE;
}

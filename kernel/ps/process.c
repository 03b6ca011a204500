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

    PspEndUnusedProcess(Process);
    if (Process->IdEntry.Flink != NULL)
        PspForgetProcess(Process);
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
    .Sddl = PSP_DEFAULT_SDDL,
    .PoolTag = 'corP',
    .Mapping = {STANDARD_RIGHTS_READ | PROCESS_VM_READ | PROCESS_QUERY_INFORMATION |
                    PROCESS_QUERY_LIMITED_INFORMATION,
                STANDARD_RIGHTS_WRITE | PROCESS_CREATE_PROCESS | PROCESS_CREATE_THREAD |
                    PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_DUP_HANDLE | PROCESS_TERMINATE |
                    PROCESS_SET_INFORMATION,
                STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE | PROCESS_TERMINATE, PROCESS_ALL_ACCESS},
    .ValidAccess = PROCESS_ALL_ACCESS,
    .Removable = PSP_PROCESS_REMOVABLE,
    .WaitOffset = __builtin_offsetof(EPROCESS, Pcb.Header),
    .Methods = {.Delete = PspDeleteProcess},
};

static VOID PspInitializeProcess(PEPROCESS Process)
{
    Process->Pcb.Header.Type = 3;
    InitializeListHead(&Process->Pcb.Header.WaitListHead);
    InitializeListHead(&Process->ThreadList);
    ExInitializeRundownProtection(&Process->ExitRundown);
    Process->ExitStatus = STATUS_PENDING;
    Process->PriorityClass = PROCESS_PRIORITY_CLASS_NORMAL;
    KeQuerySystemTime(&Process->CreateTime);
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
    PspInitializeProcess(Process);
    Process->UniqueProcessId = (HANDLE)4;
    Process->Announced = TRUE; /* nobody could be told */
    Process->Protection = PS_PROTECTED_SYSTEM;
    memcpy(Process->ImageFileName, "System", sizeof("System"));
    Process->Pcb.DirectoryTableBase = ArchReadCr3();
    Process->Pcb.AddressSpace = MmSystemAddressSpace();
    Process->Pcb.HandleTable = ObSystemHandleTable();
    PspEnterProcess(Process);
}

/* A parent that ends meanwhile keeps its handles until the child has its own. */
static NTSTATUS PspInheritHandles(PEPROCESS Process, PEPROCESS Parent)
{
    NTSTATUS Status = PsAcquireProcessExitSynchronization(Parent);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObInheritHandles(Process->Pcb.HandleTable, Parent->Pcb.HandleTable);
    PsReleaseProcessExitSynchronization(Parent);
    return Status;
}

/* [Win32 UpdateProcThreadAttribute, PROC_THREAD_ATTRIBUTE_PARENT_PROCESS] handles and token come from the parent. The handles last: they are
 * closed in the context of the process, which needs the rest. */
static NTSTATUS PspFillProcess(PEPROCESS Process, PEPROCESS Parent, BOOLEAN InheritHandles)
{
    NTSTATUS Status = ObCreateHandleTable(&Process->Pcb, &Process->Pcb.HandleTable);

    if (NT_SUCCESS(Status))
        Status = SeDuplicateToken(Parent->Token, FALSE, TokenPrimary, SecurityAnonymous, &Process->Token);
    if (NT_SUCCESS(Status))
        Status = MmCreateAddressSpace(&Process->Pcb.AddressSpace, &Process->Pcb.DirectoryTableBase);
    if (NT_SUCCESS(Status) && InheritHandles)
        Status = PspInheritHandles(Process, Parent);
    return Status;
}

NTSTATUS PsCreateChildProcess(PEPROCESS Parent, BOOLEAN InheritHandles, PEPROCESS *Created)
{
    PEPROCESS Process;
    NTSTATUS Status = ObCreateObject(KernelMode, PsProcessType, NULL, KernelMode, NULL, sizeof(EPROCESS), 0,
                                     0, (PVOID *)&Process);

    if (!NT_SUCCESS(Status))
        return Status;
    PspInitializeProcess(Process);
    Process->ParentId = Parent->UniqueProcessId;
    Status = PspFillProcess(Process, Parent, InheritHandles);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Process);
        return Status;
    }
    PspEnterProcess(Process);
    *Created = Process;
    return STATUS_SUCCESS;
}

NTSTATUS PsCreateEmptyProcess(PEPROCESS *Created)
{
    return PsCreateChildProcess((PEPROCESS)KiCurrentThread()->ApcState.Process, FALSE, Created);
}

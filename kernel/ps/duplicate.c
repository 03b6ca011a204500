/* SPDX-License-Identifier: MIT
 * ZwDuplicateObject: a handle of one process becomes a handle of another. */
#include "psp.h"
#include "mm_caller.h"
#include "ob.h"

/* No handle: no process. */
static NTSTATUS PspReferenceForDuplicate(HANDLE Handle, KPROCESSOR_MODE Mode, PEPROCESS *Process)
{
    *Process = NULL;
    if (Handle == NULL)
        return STATUS_SUCCESS;
    return ObReferenceObjectByHandle(Handle, PROCESS_DUP_HANDLE, PsProcessType, Mode, (PVOID *)Process, NULL);
}

/* An address that cannot be written leaves no handle behind that nobody knows. */
static NTSTATUS PspDuplicateTo(const OB_DUPLICATE *Duplicate, KPROCESSOR_MODE Mode, PHANDLE TargetHandle)
{
    HANDLE Handle;
    NTSTATUS Status = ObDuplicateHandle(Duplicate, Mode, &Handle);

    if (!NT_SUCCESS(Status))
        return Status;
    if (TargetHandle == NULL)
        return STATUS_SUCCESS;
    Status = MmWriteCaller(TargetHandle, &Handle, sizeof(Handle), Mode);
    if (!NT_SUCCESS(Status))
        (void)ObCloseHandleOf(Duplicate->Target, Handle, 0);
    return Status;
}

/* [WDK ZwDuplicateObject] with DUPLICATE_CLOSE_SOURCE the source is closed whether or not the rest succeeds. */
static NTSTATUS PspDuplicate(OB_DUPLICATE *Duplicate, PEPROCESS Source, PEPROCESS Target,
                             PHANDLE TargetHandle, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;

    Duplicate->SourceProcess = Source;
    Duplicate->Source = Source->Pcb.HandleTable;
    if (Mode != KernelMode)
        Duplicate->Attributes &= ~(ULONG)OBJ_KERNEL_HANDLE;
    if (Target != NULL) {
        Duplicate->TargetProcess = Target;
        Duplicate->Target = Target->Pcb.HandleTable;
        Status = PspDuplicateTo(Duplicate, Mode, TargetHandle);
    } else if (!(Duplicate->Options & DUPLICATE_CLOSE_SOURCE)) {
        Status = STATUS_INVALID_HANDLE;
    }
    if (Duplicate->Options & DUPLICATE_CLOSE_SOURCE) {
        NTSTATUS Closed =
            ObCloseHandleOf(ObIsKernelHandle(Duplicate->Handle) && Mode == KernelMode ? ObSystemHandleTable()
                                                                                      : Duplicate->Source,
                            Duplicate->Handle, OBJ_PROTECT_CLOSE);
        if (NT_SUCCESS(Status) && Target == NULL)
            Status = Closed;
    }
    return Status;
}

static NTSTATUS PspDuplicateByHandles(HANDLE SourceProcess, HANDLE TargetProcess, OB_DUPLICATE *Duplicate,
                                      PHANDLE TargetHandle, KPROCESSOR_MODE Mode)
{
    PEPROCESS Source = NULL, Target = NULL;
    NTSTATUS Status = PspReferenceForDuplicate(SourceProcess, Mode, &Source);

    if (NT_SUCCESS(Status))
        Status = PspReferenceForDuplicate(TargetProcess, Mode, &Target);
    if (NT_SUCCESS(Status))
        Status = Source != NULL ? PspDuplicate(Duplicate, Source, Target, TargetHandle, Mode)
                                : STATUS_INVALID_HANDLE;
    if (Source != NULL)
        ObDereferenceObject(Source);
    if (Target != NULL)
        ObDereferenceObject(Target);
    return Status;
}

NTSTATUS NTAPI ZwDuplicateObject(HANDLE SourceProcess, HANDLE SourceHandle, HANDLE TargetProcess,
                                 PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                                 ULONG Options)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OB_DUPLICATE Duplicate = {
        .Handle = SourceHandle, .Access = DesiredAccess, .Attributes = HandleAttributes, .Options = Options};
    return PspDuplicateByHandles(SourceProcess, TargetProcess, &Duplicate, TargetHandle, KernelMode);
}

NTSTATUS NTAPI NtDuplicateObject(HANDLE SourceProcess, HANDLE SourceHandle, HANDLE TargetProcess,
                                 PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                                 ULONG Options)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OB_DUPLICATE Duplicate = {
        .Handle = SourceHandle, .Access = DesiredAccess, .Attributes = HandleAttributes, .Options = Options};
    return PspDuplicateByHandles(SourceProcess, TargetProcess, &Duplicate, TargetHandle, ExGetPreviousMode());
}

/* SPDX-License-Identifier: MIT
 * What all requests on a file by handle have in common: references, the lock of a synchronous file, the IRP, the wait. */
#include "iop.h"
#include "mm_caller.h"

static NTSTATUS IopReferenceEvent(HANDLE Handle, KPROCESSOR_MODE Mode, PKEVENT *Event)
{
    if (Handle == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, ExEventObjectType, Mode, (PVOID *)Event, NULL);
    if (NT_SUCCESS(Status))
        KeClearEvent(*Event);
    return Status;
}

static BOOLEAN IopGrants(const IOP_CALLER *Caller, ACCESS_MASK Granted)
{
    if (Caller->Mode == KernelMode || Caller->Access == 0)
        return TRUE;
    return Caller->AnyAccess ? (Granted & Caller->Access) != 0 : (Caller->Access & ~Granted) == 0;
}

static VOID IopNoteGranted(IOP_REQUEST *Request, ACCESS_MASK Granted)
{
    Request->Granted = (UCHAR)((Granted & FILE_READ_DATA ? SL_READ_ACCESS_GRANTED : 0) |
                               (Granted & FILE_WRITE_DATA ? SL_WRITE_ACCESS_GRANTED : 0));
    Request->AppendOnly = (Granted & (FILE_WRITE_DATA | FILE_APPEND_DATA)) == FILE_APPEND_DATA;
}

static NTSTATUS IopReferenceFile(IOP_REQUEST *Request, const IOP_CALLER *Caller)
{
    OBJECT_HANDLE_INFORMATION Information;
    NTSTATUS Status = ObReferenceObjectByHandle(Caller->File, 0, IoFileObjectType, Caller->Mode,
                                                (PVOID *)&Request->File, &Information);
    if (!NT_SUCCESS(Status))
        return Status;
    Request->GrantedAccess = Information.GrantedAccess;
    IopNoteGranted(Request, Information.GrantedAccess);
    if (IopGrants(Caller, Information.GrantedAccess))
        return STATUS_SUCCESS;
    ObfDereferenceObject(Request->File);
    Request->File = NULL;
    return STATUS_ACCESS_DENIED;
}

static NTSTATUS IopReferenceAll(IOP_REQUEST *Request, const IOP_CALLER *Caller)
{
    NTSTATUS Status = MmProbeCallerOutput(Caller->Iosb, sizeof(*Caller->Iosb), Caller->Mode);
    if (NT_SUCCESS(Status))
        Status = IopReferenceFile(Request, Caller);
    if (NT_SUCCESS(Status))
        Status = IopReferenceEvent(Caller->Event, Caller->Mode, &Request->Event);
    return Status;
}

static VOID IopFillRequest(IOP_REQUEST *Request, const IOP_CALLER *Caller, UCHAR Major)
{
    PIRP Irp = Request->Irp;
    Irp->RequestorMode = Caller->Mode;
    Irp->UserIosb = Caller->Iosb;
    Irp->Overlay.AsynchronousParameters.UserApcRoutine = Caller->ApcRoutine;
    Irp->Overlay.AsynchronousParameters.UserApcContext = Caller->ApcContext;
    Irp->Tail.Overlay.OriginalFileObject = Request->File;
    Request->Stack = IoGetNextIrpStackLocation(Irp);
    Request->Stack->MajorFunction = Major;
    Request->Stack->FileObject = Request->File;
}

/* [Win32 ReadFileEx] a routine or a port, not both. A synchronous file is locked, if no alert ends the wait for it. */
static NTSTATUS IopEnterFile(IOP_REQUEST *Request, const IOP_CALLER *Caller)
{
    PFILE_OBJECT File = Request->File;
    if (Caller->ApcRoutine != NULL && File->CompletionContext != NULL)
        return STATUS_INVALID_PARAMETER;
    if (!(File->Flags & FO_SYNCHRONOUS_IO))
        return STATUS_SUCCESS;
    NTSTATUS Status = IopLockFileForRequest(File, Caller->Mode);
    Request->Locked = Status == STATUS_SUCCESS;
    return Status;
}

DECLSPEC_NOINLINE NTSTATUS IopBeginRequest(IOP_REQUEST *Request, const IOP_CALLER *Caller, UCHAR Major)
{
    *Request = (IOP_REQUEST){.Mode = Caller->Mode};
    NTSTATUS Status = IopReferenceAll(Request, Caller);
    if (NT_SUCCESS(Status))
        Status = IopEnterFile(Request, Caller);
    if (Status != STATUS_SUCCESS) {
        IopAbandonRequest(Request);
        return Status;
    }
    Request->Device = IoGetRelatedDeviceObject(Request->File);
    Request->Irp = IopAllocateIrp(Request->Device->StackSize, __builtin_return_address(0));
    if (Request->Irp == NULL) {
        IopAbandonRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IopFillRequest(Request, Caller, Major);
    return STATUS_SUCCESS;
}

static VOID IopLeaveRequest(IOP_REQUEST *Request)
{
    if (Request->Locked)
        IopUnlockFile(Request->File);
    if (Request->Event != NULL)
        ObfDereferenceObject(Request->Event);
    if (Request->File != NULL)
        ObfDereferenceObject(Request->File);
}

VOID IopAbandonRequest(IOP_REQUEST *Request)
{
    if (Request->Irp != NULL) {
        IopFreeBuffers(Request->Irp);
        IoFreeIrp(Request->Irp);
    }
    IopLeaveRequest(Request);
}

NTSTATUS IopAnswerRequest(IOP_REQUEST *Request, NTSTATUS Status, ULONG_PTR Information)
{
    IO_STATUS_BLOCK Iosb = {.Status = Status, .Information = Information};
    if (!NT_ERROR(Status)) {
        NTSTATUS Written = IopWriteRequestor(Request->Irp->UserIosb, &Iosb, sizeof(Iosb), Request->Mode);
        Status = NT_SUCCESS(Written) ? Status : Written;
    }
    IopAbandonRequest(Request);
    return Status;
}

/* [WDK Using the Current File Position] reads and writes leave the position behind their last byte. */
static VOID IopMovePosition(IOP_REQUEST *Request)
{
    if (Request->Moves && NT_SUCCESS(Request->Irp->IoStatus.Status))
        Request->File->CurrentByteOffset.QuadPart =
            Request->Offset.QuadPart + (LONGLONG)Request->Irp->IoStatus.Information;
}

/* A synchronous file is signalled while nothing is under way on it. */
static VOID IopSignalWaited(IOP_REQUEST *Request)
{
    PFILE_OBJECT File = Request->File;
    if (Request->Locked) {
        File->FinalStatus = Request->Irp->IoStatus.Status;
        if (KeReadStateEvent(&File->Event) == 0)
            KeSetEvent(&File->Event, IO_NO_INCREMENT, FALSE);
    }
    if (Request->Event != NULL)
        KeSetEvent(Request->Event, IO_NO_INCREMENT, FALSE);
}

/* The file is synchronous, or the call waits although it is not. [Wine's test_return_status, kept true on Windows] a synchronous file's
 * status block is not written on errors, also when the driver pended the request. */
static NTSTATUS IopSendWaited(IOP_REQUEST *Request)
{
    PIRP Irp = Request->Irp;
    NTSTATUS Status = Request->Locked ? IopCallAndWaitForFile(Request->Device, Irp, Request->File)
                                      : IopCallAndWait(Request->Device, Irp, NULL);
    NTSTATUS Ended = Irp->IoStatus.Status;
    BOOLEAN Tell = IopTellsResult(Irp) && !(Request->Locked && NT_ERROR(Ended));
    IopReturnResults(Irp, Tell);
    if (Irp->IoStatus.Status != Ended)
        Status = Irp->IoStatus.Status; /* the output could not be written */
    IopMovePosition(Request);
    if (Tell)
        IopSignalWaited(Request);
    IopFreeOrCall(Irp, Tell);
    IopLeaveRequest(Request);
    return Status;
}

NTSTATUS IopSendRequest(IOP_REQUEST *Request, BOOLEAN SynchronousApi)
{
    PIRP Irp = Request->Irp;
    Irp->UserEvent = Request->Event;
    if (SynchronousApi)
        Irp->Flags |= IRP_SYNCHRONOUS_API;
    if (Request->Locked || SynchronousApi)
        return IopSendWaited(Request);
    KeClearEvent(&Request->File->Event);
    IopOwnIrp(Irp);
    IopQueueThreadIrp(Irp); /* it has the references now */
    return IofCallDriver(Request->Device, Irp);
}

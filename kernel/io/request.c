/* SPDX-License-Identifier: MIT
 * What all requests on a file by handle have in common: references, the lock of a synchronous file, the IRP, the wait. */
#include "iop.h"

static NTSTATUS IopReferenceEvent(HANDLE Handle, PKEVENT *Event)
{
    *Event = NULL;
    if (Handle == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, ExEventObjectType, KernelMode,
                                                (PVOID *)Event, NULL);
    if (NT_SUCCESS(Status))
        KeClearEvent(*Event);
    return Status;
}

static VOID IopFillRequest(IOP_REQUEST *Request, UCHAR Major, PIO_STATUS_BLOCK Iosb, PVOID ApcContext)
{
    PIRP Irp = Request->Irp;
    Irp->RequestorMode = KernelMode;
    Irp->UserIosb = Iosb;
    Irp->UserEvent = Request->Event;
    Irp->Overlay.AsynchronousParameters.UserApcContext = ApcContext;
    Irp->Tail.Overlay.OriginalFileObject = Request->File;
    Request->Stack = IoGetNextIrpStackLocation(Irp);
    Request->Stack->MajorFunction = Major;
    Request->Stack->FileObject = Request->File;
}

/* An asynchronous procedure call at the end of a request is not there yet (D-002): better refused than never called. */
NTSTATUS IopBeginRequest(IOP_REQUEST *Request, HANDLE FileHandle, ACCESS_MASK Access, HANDLE Event,
                         UCHAR Major, PIO_STATUS_BLOCK Iosb, PVOID ApcRoutine, PVOID ApcContext)
{
    RtlZeroMemory(Request, sizeof(*Request));
    if (ApcRoutine != NULL)
        return STATUS_NOT_SUPPORTED;
    NTSTATUS Status = IopReferenceFile(FileHandle, Access, &Request->File);
    if (NT_SUCCESS(Status))
        Status = IopReferenceEvent(Event, &Request->Event);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(Request);
        return Status;
    }
    Request->Locked = (Request->File->Flags & FO_SYNCHRONOUS_IO) != 0;
    if (Request->Locked)
        IopLockFile(Request->File);
    KeClearEvent(&Request->File->Event);
    Request->Device = IoGetRelatedDeviceObject(Request->File);
    Request->Irp = IoAllocateIrp(Request->Device->StackSize, FALSE);
    if (Request->Irp == NULL) {
        IopAbandonRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IopFillRequest(Request, Major, Iosb, ApcContext);
    return STATUS_SUCCESS;
}

VOID IopAbandonRequest(IOP_REQUEST *Request)
{
    if (Request->Irp != NULL) {
        IopFreeBuffers(Request->Irp);
        IoFreeIrp(Request->Irp);
    }
    if (Request->Locked)
        IopUnlockFile(Request->File);
    if (Request->Event != NULL)
        ObfDereferenceObject(Request->Event);
    if (Request->File != NULL)
        ObfDereferenceObject(Request->File);
}

/* [WDK Using the Current File Position] reads and writes leave the position behind their last byte. */
static VOID IopMovePosition(IOP_REQUEST *Request, NTSTATUS Status, PIO_STATUS_BLOCK Iosb)
{
    if (Request->Moves && NT_SUCCESS(Status))
        Request->File->CurrentByteOffset.QuadPart = Request->Offset.QuadPart + (LONGLONG)Iosb->Information;
}

/* The file's lock holds a reference, so the file outlives the IRP here. */
static NTSTATUS IopSendOnSynchronousFile(IOP_REQUEST *Request)
{
    PIO_STATUS_BLOCK Iosb = Request->Irp->UserIosb;
    NTSTATUS Status = IofCallDriver(Request->Device, Request->Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Request->File->Event, Executive, KernelMode, FALSE, NULL);
        Status = Request->File->FinalStatus;
    }
    IopMovePosition(Request, Status, Iosb);
    IopUnlockFile(Request->File);
    return Status;
}

/* The call waits although the file is asynchronous: with an event and a status block of its own. */
static NTSTATUS IopSendSynchronousApi(IOP_REQUEST *Request)
{
    PIO_STATUS_BLOCK Caller = Request->Irp->UserIosb;
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PENDING, .Information = 0};
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Request->Irp->UserEvent = &Event;
    Request->Irp->UserIosb = &Iosb;
    Request->Irp->Flags |= IRP_SYNCHRONOUS_API;
    NTSTATUS Status = IofCallDriver(Request->Device, Request->Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = Iosb.Status;
    }
    if (Iosb.Status != STATUS_PENDING)
        *Caller = Iosb;
    return Status;
}

NTSTATUS IopSendRequest(IOP_REQUEST *Request, BOOLEAN SynchronousApi)
{
    IopQueueThreadIrp(Request->Irp);
    IopIrpState(Request->Irp)->FileIsKept = Request->Locked;
    if (Request->Locked)
        return IopSendOnSynchronousFile(Request);
    if (SynchronousApi)
        return IopSendSynchronousApi(Request);
    return IofCallDriver(Request->Device, Request->Irp);
}

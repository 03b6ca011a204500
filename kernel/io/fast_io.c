/* SPDX-License-Identifier: MIT
 * Fast I/O: a driver may answer some requests without an IRP. Its routines get the caller's addresses, whatever the method of the request is. */
#include "fast_io.h"
#include "completion.h"

/* The driver's table is as long as it says. NULL: the routine is not there. */
#define IOP_FAST_ROUTINE(Device, Field)                                                                      \
    ((Device)->DriverObject->FastIoDispatch != NULL &&                                                       \
             (Device)->DriverObject->FastIoDispatch->SizeOfFastIoDispatch >=                                 \
                 RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, Field)                                           \
         ? (Device)->DriverObject->FastIoDispatch->Field                                                     \
         : NULL)

/* [WDK "IRPs Are Different From Fast I/O"] for synchronous I/O on files that are cached: that is what PrivateCacheMap says. */
BOOLEAN IopFastTransfer(const IOP_REQUEST *Request, BOOLEAN Write, LARGE_INTEGER Offset, ULONG Key,
                        PVOID Buffer, ULONG Length, PIO_STATUS_BLOCK Iosb)
{
    PDEVICE_OBJECT Device = Request->Device;
    if (!Request->Locked || Request->File->PrivateCacheMap == NULL)
        return FALSE;
    PFAST_IO_READ Routine =
        Write ? (PFAST_IO_READ)IOP_FAST_ROUTINE(Device, FastIoWrite) : IOP_FAST_ROUTINE(Device, FastIoRead);
    const IOP_FAST_TRANSFER Transfer = {Request->File, &Offset, Length, Key, Buffer, Iosb};
    if (Routine == NULL || !IopCallFastTransfer(Routine, Device, &Transfer))
        return FALSE;
    if (NT_SUCCESS(Iosb->Status) && Iosb->Information > Length)
        IopToldTooMuch(Request->Irp, Routine, Iosb->Information, Length);
    return TRUE;
}

/* A caller with an APC routine waits for the call of it, which only an IRP brings. */
BOOLEAN IopFastControl(const IOP_REQUEST *Request, const IOP_CONTROL *Control, PIO_STATUS_BLOCK Iosb)
{
    PFAST_IO_DEVICE_CONTROL Routine = IOP_FAST_ROUTINE(Request->Device, FastIoDeviceControl);
    if (Routine == NULL || Request->Irp->Overlay.AsynchronousParameters.UserApcRoutine != NULL)
        return FALSE;
    return IopCallFastControl(Routine, Request->Device, Request->File, Control, Iosb);
}

static PFAST_IO_QUERY_BASIC_INFO IopFastQueryRoutine(PDEVICE_OBJECT Device, FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileBasicInformation:
        return IOP_FAST_ROUTINE(Device, FastIoQueryBasicInfo);
    case FileStandardInformation:
        return (PFAST_IO_QUERY_BASIC_INFO)IOP_FAST_ROUTINE(Device, FastIoQueryStandardInfo);
    case FileNetworkOpenInformation:
        return (PFAST_IO_QUERY_BASIC_INFO)IOP_FAST_ROUTINE(Device, FastIoQueryNetworkOpenInfo);
    default:
        return NULL;
    }
}

BOOLEAN IopFastQuery(const IOP_REQUEST *Request, FILE_INFORMATION_CLASS Class, PVOID Answer,
                     PIO_STATUS_BLOCK Iosb)
{
    PFAST_IO_QUERY_BASIC_INFO Routine = IopFastQueryRoutine(Request->Device, Class);
    return Routine != NULL && IopCallFastQuery(Routine, Request->Device, Request->File, Answer, Iosb);
}

/* A caller with an APC routine waits for the call of it, which only an IRP brings. */
BOOLEAN IopFastLock(const IOP_REQUEST *Request, const IOP_FAST_LOCK *Lock, PIO_STATUS_BLOCK Iosb)
{
    PDEVICE_OBJECT Device = Request->Device;
    if (Request->Irp->Overlay.AsynchronousParameters.UserApcRoutine != NULL)
        return FALSE;
    if (!Lock->Lock) {
        PFAST_IO_UNLOCK_SINGLE Unlock = IOP_FAST_ROUTINE(Device, FastIoUnlockSingle);
        return Unlock != NULL && IopCallFastUnlock(Unlock, Device, Lock, Iosb);
    }
    PFAST_IO_LOCK Routine = IOP_FAST_ROUTINE(Device, FastIoLock);
    return Routine != NULL && IopCallFastLock(Routine, Device, Lock, Iosb);
}

BOOLEAN IopFastUnlockAll(PFILE_OBJECT File, PDEVICE_OBJECT Device)
{
    PFAST_IO_UNLOCK_ALL Routine = IOP_FAST_ROUTINE(Device, FastIoUnlockAll);
    return Routine != NULL && IopCallFastUnlockAll(Routine, Device, File);
}

/* [Win32 SetFileCompletionNotificationModes] FILE_SKIP_SET_USER_EVENT_ON_FAST_IO */
static VOID IopSignalFast(const IOP_REQUEST *Request)
{
    if (Request->Event != NULL && !(Request->File->Flags & FO_SKIP_SET_FAST_IO))
        KeSetEvent(Request->Event, IO_NO_INCREMENT, FALSE);
}

NTSTATUS IopEndFastRequest(IOP_REQUEST *Request, const IO_STATUS_BLOCK *Iosb)
{
    PVOID Key;
    PKQUEUE Port = NULL;
    PIRP Irp = Request->Irp;
    NTSTATUS Status = Iosb->Status;
    Irp->IoStatus = *Iosb;
    if (!NT_ERROR(Status)) {
        NTSTATUS Written = IopWriteRequestor(Irp->UserIosb, Iosb, sizeof(*Iosb), Request->Mode);
        Status = NT_SUCCESS(Written) ? Status : Written;
        IopSignalFast(Request);
        Port = IopReferencePort(Request->File, Irp, &Key);
    }
    if (Port != NULL)
        Request->Irp = NULL; /* it becomes the packet */
    IopAbandonRequest(Request);
    if (Port != NULL)
        IopPostIrp(Port, Key, Irp);
    return Status;
}

VOID IopFastDetach(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target)
{
    PFAST_IO_DETACH_DEVICE Routine = IOP_FAST_ROUTINE(Source, FastIoDetachDevice);
    if (Routine != NULL)
        IopCallFastDetach(Routine, Source, Target);
}

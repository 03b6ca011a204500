/* SPDX-License-Identifier: MIT
 * IRPs whose sender waits for them: nobody else looks at them when they are done, so he has their results himself. */
#include "iop.h"

/* Sends it; what the driver returned. *Ended FALSE: who ends it sets Done. One instruction decides: an APC of this thread may complete the IRP
 * before it or after it. */
static NTSTATUS IopSendWithEvent(PDEVICE_OBJECT Device, PIRP Irp, PKEVENT Done, PBOOLEAN Ended)
{
    IOP_IRP_STATE *State = IopIrpState(Irp);
    KeInitializeEvent(Done, NotificationEvent, FALSE);
    State->Done = Done;
    State->Wait = IopWaitSent;
    IopOwnIrp(Irp);
    IopQueueThreadIrp(Irp);
    NTSTATUS Status = IofCallDriver(Device, Irp);
    *Ended = __atomic_exchange_n(&State->Wait, IopWaitBlocked, __ATOMIC_RELAXED) == IopWaitEnded;
    return Status;
}

/* The wait ends by itself also where special kernel APCs are off (page faults under a lock). */
NTSTATUS IopCallAndWait(PDEVICE_OBJECT Device, PIRP Irp, PKEVENT Busy)
{
    KEVENT Done;
    BOOLEAN Ended;
    NTSTATUS Status = IopSendWithEvent(Device, Irp, &Done, &Ended);
    if (!Ended) {
        if (Busy != NULL)
            KeClearEvent(Busy);
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    }
    IopDequeueThreadIrp(Irp);
    return Status != STATUS_PENDING ? Status : Irp->IoStatus.Status;
}

/* [WDK ZwCreateFile] FILE_SYNCHRONOUS_IO_ALERT: waits on behalf of the caller are ended early by alerts. The driver is asked to give the request
 * up; if it does, the request's status is why, STATUS_ALERTED or STATUS_USER_APC. */
static VOID IopWaitAlertably(PIRP Irp, PKEVENT Done)
{
    NTSTATUS Waited = KeWaitForSingleObject(Done, Executive, Irp->RequestorMode, TRUE, NULL);
    if (Waited == STATUS_SUCCESS)
        return;
    IoCancelIrp(Irp);
    KeWaitForSingleObject(Done, Executive, KernelMode, FALSE, NULL);
    if (Irp->IoStatus.Status == STATUS_CANCELLED)
        Irp->IoStatus = (IO_STATUS_BLOCK){.Status = Waited};
}

NTSTATUS IopCallAndWaitForFile(PDEVICE_OBJECT Device, PIRP Irp, PFILE_OBJECT File)
{
    KEVENT Done;
    BOOLEAN Ended;
    if (!(File->Flags & FO_ALERTABLE_IO))
        return IopCallAndWait(Device, Irp, &File->Event);
    NTSTATUS Status = IopSendWithEvent(Device, Irp, &Done, &Ended);
    if (!Ended) {
        KeClearEvent(&File->Event);
        IopWaitAlertably(Irp, &Done);
    }
    IopDequeueThreadIrp(Irp);
    return Status != STATUS_PENDING ? Status : Irp->IoStatus.Status;
}

NTSTATUS IopSendAndWait(PDEVICE_OBJECT Device, PIRP Irp, PIO_STATUS_BLOCK Iosb)
{
    Irp->UserIosb = Iosb;
    Irp->Flags |= IRP_SYNCHRONOUS_API;
    NTSTATUS Status = IopCallAndWait(Device, Irp, NULL);
    *Iosb = Irp->IoStatus;
    IopFreeBuffers(Irp);
    IoFreeIrp(Irp);
    return Status;
}

PIRP IopMakeFileIrp(PFILE_OBJECT File, PDEVICE_OBJECT Top, UCHAR Major, PIO_STACK_LOCATION *Stack)
{
    PIRP Irp = IoAllocateIrp(Top->StackSize, FALSE);
    if (Irp == NULL)
        return NULL;
    Irp->RequestorMode = KernelMode;
    Irp->Tail.Overlay.OriginalFileObject = File;
    *Stack = IoGetNextIrpStackLocation(Irp);
    (*Stack)->MajorFunction = Major;
    (*Stack)->FileObject = File;
    return Irp;
}

NTSTATUS IopSendForFile(PFILE_OBJECT File, PDEVICE_OBJECT Top, PIRP Irp, PIO_STATUS_BLOCK Iosb)
{
    BOOLEAN Serial = (File->Flags & FO_SYNCHRONOUS_IO) != 0;
    if (Serial)
        IopLockFile(File);
    NTSTATUS Status = IopSendAndWait(Top, Irp, Iosb);
    if (Serial)
        IopUnlockFile(File);
    return Status;
}

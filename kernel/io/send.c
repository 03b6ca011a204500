/* SPDX-License-Identifier: MIT
 * IRPs whose sender waits for them: nobody else looks at them when they are done, so he has their results himself. */
#include "iop.h"

/* The wait ends by itself also where special kernel APCs are off (page faults under a lock). */
NTSTATUS IopCallAndWait(PDEVICE_OBJECT Device, PIRP Irp, PKEVENT Busy)
{
    IOP_IRP_STATE *State = IopIrpState(Irp);
    KEVENT Done;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Irp->UserEvent = &Done;
    State->Wait = IopWaitSent;
    IopQueueThreadIrp(Irp);
    NTSTATUS Status = IofCallDriver(Device, Irp);
    /* One instruction: an APC of this thread may complete the IRP before it or after it. */
    if (__atomic_exchange_n(&State->Wait, IopWaitBlocked, __ATOMIC_RELAXED) != IopWaitEnded) {
        if (Busy != NULL)
            KeClearEvent(Busy);
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
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

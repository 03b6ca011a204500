/* SPDX-License-Identifier: MIT
 * IRPs of the I/O manager's own (open, cleanup, close): sent and waited for. */
#include "iop.h"

NTSTATUS IopSendAndWait(PDEVICE_OBJECT Device, PIRP Irp, PIO_STATUS_BLOCK Iosb)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Iosb->Status = STATUS_PENDING;
    Iosb->Information = 0;
    Irp->UserEvent = &Event;
    Irp->UserIosb = Iosb;
    Irp->Flags |= IRP_SYNCHRONOUS_API;
    IopQueueThreadIrp(Irp);
    NTSTATUS Status = IofCallDriver(Device, Irp);
    if (Status != STATUS_PENDING)
        return Status;
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    return Iosb->Status;
}

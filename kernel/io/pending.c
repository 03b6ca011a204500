/* SPDX-License-Identifier: MIT
 * Which driver holds which request, for the report of a machine that hangs. Bug check only: no other processor runs, no lock is
 * taken, and what a driver may have written over is looked at before it is followed. */
#include "iop.h"
#include "kd.h"

#define IOP_MAX_PENDING 64u /* IRPs told of one thread: its list may lead in circles */

static BOOLEAN IopIsReadable(const void *Address, SIZE_T Length)
{
    return MmIsAddressValid((PVOID)Address) && MmIsAddressValid((PUCHAR)Address + Length - 1);
}

PCSTR IopMajorName(UCHAR Major)
{
    static const PCSTR Names[IRP_MJ_MAXIMUM_FUNCTION + 1] = {
        "IRP_MJ_CREATE",
        "IRP_MJ_CREATE_NAMED_PIPE",
        "IRP_MJ_CLOSE",
        "IRP_MJ_READ",
        "IRP_MJ_WRITE",
        "IRP_MJ_QUERY_INFORMATION",
        "IRP_MJ_SET_INFORMATION",
        "IRP_MJ_QUERY_EA",
        "IRP_MJ_SET_EA",
        "IRP_MJ_FLUSH_BUFFERS",
        "IRP_MJ_QUERY_VOLUME_INFORMATION",
        "IRP_MJ_SET_VOLUME_INFORMATION",
        "IRP_MJ_DIRECTORY_CONTROL",
        "IRP_MJ_FILE_SYSTEM_CONTROL",
        "IRP_MJ_DEVICE_CONTROL",
        "IRP_MJ_INTERNAL_DEVICE_CONTROL",
        "IRP_MJ_SHUTDOWN",
        "IRP_MJ_LOCK_CONTROL",
        "IRP_MJ_CLEANUP",
        "IRP_MJ_CREATE_MAILSLOT",
        "IRP_MJ_QUERY_SECURITY",
        "IRP_MJ_SET_SECURITY",
        "IRP_MJ_POWER",
        "IRP_MJ_SYSTEM_CONTROL",
        "IRP_MJ_DEVICE_CHANGE",
        "IRP_MJ_QUERY_QUOTA",
        "IRP_MJ_SET_QUOTA",
        "IRP_MJ_PNP",
    };

    return Major <= IRP_MJ_MAXIMUM_FUNCTION ? Names[Major] : "an unknown function";
}

/* The driver of the current stack location: it has the request and has neither completed it nor passed it on. */
static PCSTR IopHolder(const IO_STACK_LOCATION *Location)
{
    PDEVICE_OBJECT Device = Location->DeviceObject;

    if (!IopIsReadable(Device, sizeof(*Device)) ||
        !IopIsReadable(Device->DriverObject, sizeof(*Device->DriverObject)))
        return NULL;
    return KdModuleNameOf(Device->DriverObject->DriverStart);
}

VOID IoReportPendingIrp(PIRP Irp)
{
    if (Irp->CurrentLocation < 1 || Irp->CurrentLocation > Irp->StackCount)
        return; /* nobody has it yet, or any more */
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    if (!IopIsReadable(Location, sizeof(*Location)))
        return;
    PCSTR Holder = IopHolder(Location), Name = IopMajorName(Location->MajorFunction);
    BOOLEAN Control = Location->MajorFunction == IRP_MJ_DEVICE_CONTROL ||
                      Location->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
    ULONG Code = Control ? Location->Parameters.DeviceIoControl.IoControlCode : 0;
    KdLogError("*** %s holds IRP %p, %s", Holder != NULL ? Holder : "the kernel", Irp, Name);
    KdReport(ReportRequest, KD_TEXT(ReportKeyDriver, Holder), KD_TEXT(ReportKeyName, Name),
             KD_NUMBER(ReportKeyCode, Code), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Irp));
}

static VOID IopReportPendingOfThread(PETHREAD Thread)
{
    ULONG Count = 0;

    for (LIST_ENTRY *E = Thread->IrpList.Flink; E != &Thread->IrpList && Count < IOP_MAX_PENDING;
         E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, ThreadListEntry);
        if (!IopIsReadable(Irp, sizeof(*Irp)))
            break;
        IoReportPendingIrp(Irp);
        Count++;
    }
}

VOID IoReportPendingIrps(VOID)
{
    PsWalkThreadsFrozen(IopReportPendingOfThread);
}

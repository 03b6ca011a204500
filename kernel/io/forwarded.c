/* SPDX-License-Identifier: MIT
 * Requests that every driver of a stack has to pass down until they come to the device's bus driver, and those that may not fail: who does not is
 * told, by name. [WDK "Passing PnP IRPs Down the Device Stack", "Passing Power IRPs", the pages of the minor codes; Driver Verifier's rule PnpRemove] */
#include "iop.h"
#include "crt.h"
#include "kd.h"

typedef enum IOP_MUST { MustNot, MustPassSuccess = 1, MustPass = 2, MustSucceed = 4 } IOP_MUST;

typedef struct IOP_DUTY {
    UCHAR Minor;
    UCHAR Must; /* of IOP_MUST */
    PCSTR Name;
} IOP_DUTY;

static const IOP_DUTY IopPnpDuties[] = {
    {IRP_MN_START_DEVICE, MustPassSuccess, "IRP_MN_START_DEVICE"},
    {IRP_MN_QUERY_STOP_DEVICE, MustPassSuccess, "IRP_MN_QUERY_STOP_DEVICE"},
    {IRP_MN_QUERY_REMOVE_DEVICE, MustPassSuccess, "IRP_MN_QUERY_REMOVE_DEVICE"},
    {IRP_MN_STOP_DEVICE, MustPass, "IRP_MN_STOP_DEVICE"},
    {IRP_MN_CANCEL_STOP_DEVICE, MustPass | MustSucceed, "IRP_MN_CANCEL_STOP_DEVICE"},
    {IRP_MN_CANCEL_REMOVE_DEVICE, MustPass | MustSucceed, "IRP_MN_CANCEL_REMOVE_DEVICE"},
    {IRP_MN_SURPRISE_REMOVAL, MustPass | MustSucceed, "IRP_MN_SURPRISE_REMOVAL"},
    {IRP_MN_REMOVE_DEVICE, MustPass | MustSucceed, "IRP_MN_REMOVE_DEVICE"},
};

static const IOP_DUTY IopPowerDuties[] = {
    {IRP_MN_QUERY_POWER, MustPassSuccess, "IRP_MN_QUERY_POWER"},
    {IRP_MN_SET_POWER, MustPass, "IRP_MN_SET_POWER"},
};

static const IOP_DUTY *IopDutyOf(const IO_STACK_LOCATION *Location)
{
    BOOLEAN Pnp = Location->MajorFunction == IRP_MJ_PNP;
    const IOP_DUTY *Duties = Pnp ? IopPnpDuties : IopPowerDuties;
    ULONG Count = Pnp ? RTL_NUMBER_OF(IopPnpDuties) : RTL_NUMBER_OF(IopPowerDuties);
    for (ULONG i = 0; i < Count; i++)
        if (Duties[i].Minor == Location->MinorFunction)
            return &Duties[i];
    return NULL;
}

/* The device that the request came to last: that of the lowest location that was used. */
static PDEVICE_OBJECT IopLastDevice(PIRP Irp)
{
    const IO_STACK_LOCATION *Locations = (PIO_STACK_LOCATION)(Irp + 1);
    for (LONG i = 0; i < Irp->StackCount; i++)
        if (Locations[i].DeviceObject != NULL)
            return Locations[i].DeviceObject;
    return NULL;
}

/* NULL: the device is not on the stack any more. */
static PDRIVER_OBJECT IopDriverOnStack(PDEVICE_OBJECT Base, PDEVICE_OBJECT Wanted)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    PDEVICE_OBJECT Device = Base;
    while (Device != NULL && Device != Wanted)
        Device = Device->AttachedDevice;
    PDRIVER_OBJECT Driver = Device != NULL ? Device->DriverObject : NULL;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Driver;
}

static VOID IopTellDuty(PDRIVER_OBJECT Driver, const IOP_DUTY *Duty, PCSTR What)
{
    CHAR Text[160];
    PCSTR Name = ImModuleNameOf(Driver->DriverInit);
    _snprintf(Text, sizeof(Text) - 1, "it completed %s %s", Duty->Name, What);
    Text[sizeof(Text) - 1] = 0;
    KdLogError("%s: %s", Name != NULL ? Name : "a driver", Text);
    KdReport(ReportViolation, KD_TEXT(ReportKeyDriver, Name), KD_TEXT(ReportKeyKind, "request"),
             KD_TEXT(ReportKeyText, Text));
}

static BOOLEAN IopShouldHavePassed(const IOP_DUTY *Duty, NTSTATUS Status)
{
    return (Duty->Must & MustPass) != 0 || ((Duty->Must & MustPassSuccess) != 0 && NT_SUCCESS(Status));
}

VOID IoCheckDuty(PIRP Irp, const IO_STACK_LOCATION *Location, PDEVICE_OBJECT Base, PDEVICE_OBJECT Top)
{
    const IOP_DUTY *Duty = IopDutyOf(Location);
    NTSTATUS Status = Irp->IoStatus.Status;
    if (Duty == NULL)
        return;
    PDEVICE_OBJECT Last = IopLastDevice(Irp);
    PDRIVER_OBJECT Holder = Last != Base ? IopDriverOnStack(Base, Last) : NULL;
    if (Holder != NULL && IopShouldHavePassed(Duty, Status))
        IopTellDuty(Holder, Duty, "without passing it down");
    else if ((Duty->Must & MustSucceed) != 0 && !NT_SUCCESS(Status) && Status != STATUS_NOT_SUPPORTED)
        IopTellDuty(Holder != NULL ? Holder : Top->DriverObject, Duty, "with a failure, which it may not");
}

/* SPDX-License-Identifier: MIT
 * Power: the system's requests, and the device's, which follow from them. Requests to the disk wait while it sleeps. */
#include "blk.h"

/* The driver owns the power policy of its device. [WDK "Handling a System Set-Power IRP in a Device Power Policy Owner"] */

/* The device is where the system wants it: the system's request is done. */
static VOID NTAPI DevicePowered(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                                PIO_STATUS_BLOCK Iosb)
{
    BLK *Blk = Device->DeviceExtension;
    PIRP SystemIrp = Context;
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    BlkComplete(SystemIrp, Iosb->Status, 0);
    IoReleaseRemoveLock(&Blk->RemoveLock, SystemIrp);
}

/* The drivers below have the system's request; the device follows, in a request of its own. */
static NTSTATUS NTAPI SystemPassed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    BLK *Blk = Context;
    SYSTEM_POWER_STATE System = IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.SystemState;
    POWER_STATE State = {.DeviceState = System == PowerSystemWorking ? PowerDeviceD0 : PowerDeviceD3};
    NTSTATUS Status = Irp->IoStatus.Status;
    if (NT_SUCCESS(Status))
        Status = PoRequestPowerIrp(Device, IRP_MN_SET_POWER, State, DevicePowered, Irp, NULL);
    if (Status == STATUS_PENDING)
        return STATUS_MORE_PROCESSING_REQUIRED;
    Irp->IoStatus.Status = Status;
    IoReleaseRemoveLock(&Blk->RemoveLock, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS SetSystemPower(BLK *Blk, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SystemPassed, Blk, TRUE, TRUE, TRUE);
    PoCallDriver(Blk->Lower, Irp);
    return STATUS_PENDING;
}

static NTSTATUS PassPowerDown(BLK *Blk, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS Status = PoCallDriver(Blk->Lower, Irp);
    IoReleaseRemoveLock(&Blk->RemoveLock, Irp);
    return Status;
}

/* PASSIVE_LEVEL: the stack is pageable. Going down the driver is first, coming up the bus. */
static NTSTATUS SetDevicePower(BLK *Blk, PIRP Irp, DEVICE_POWER_STATE State)
{
    POWER_STATE Now = {.DeviceState = State};
    PoSetPowerState(Blk->Device, DevicePowerState, Now);
    if (State != PowerDeviceD0) {
        BlkSleep(Blk);
        return PassPowerDown(Blk, Irp);
    }
    NTSTATUS Status = IoForwardIrpSynchronously(Blk->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        BlkWake(Blk);
    BlkComplete(Irp, Status, 0);
    IoReleaseRemoveLock(&Blk->RemoveLock, Irp);
    return Status;
}

NTSTATUS NTAPI BlkPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    BLK *Blk = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PoStartNextPowerIrp(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Blk->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return BlkComplete(Irp, Status, 0);
    if (Stack->MinorFunction != IRP_MN_SET_POWER)
        return PassPowerDown(Blk, Irp);
    return Stack->Parameters.Power.Type == SystemPowerState
               ? SetSystemPower(Blk, Irp)
               : SetDevicePower(Blk, Irp, Stack->Parameters.Power.State.DeviceState);
}

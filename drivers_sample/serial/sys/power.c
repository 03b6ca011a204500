/* SPDX-License-Identifier: MIT
 * Power: the system's requests, and the device's, which follow from them. Requests wait while it sleeps, and the UART is told anew what it has forgotten. */
#include "serial.h"

/* The driver owns the power policy of its device. [WDK "Handling a System Set-Power IRP in a Device Power Policy Owner"] */

/* The device is where the system wants it: the system's request is done. */
static VOID NTAPI DevicePowered(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                                PIO_STATUS_BLOCK Iosb)
{
    SERIAL *Serial = Device->DeviceExtension;
    PIRP SystemIrp = Context;
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    SerialComplete(SystemIrp, Iosb->Status, 0);
    IoReleaseRemoveLock(&Serial->RemoveLock, SystemIrp);
}

/* The drivers below have the system's request; the device follows, in a request of its own. */
static NTSTATUS NTAPI SystemPassed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    SERIAL *Serial = Context;
    SYSTEM_POWER_STATE System = IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.SystemState;
    POWER_STATE State = {.DeviceState = System == PowerSystemWorking ? PowerDeviceD0 : PowerDeviceD3};
    NTSTATUS Status = Irp->IoStatus.Status;
    if (NT_SUCCESS(Status))
        Status = PoRequestPowerIrp(Device, IRP_MN_SET_POWER, State, DevicePowered, Irp, NULL);
    if (Status == STATUS_PENDING)
        return STATUS_MORE_PROCESSING_REQUIRED;
    Irp->IoStatus.Status = Status;
    IoReleaseRemoveLock(&Serial->RemoveLock, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS SetSystemPower(SERIAL *Serial, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SystemPassed, Serial, TRUE, TRUE, TRUE);
    PoCallDriver(Serial->Lower, Irp);
    return STATUS_PENDING;
}

static NTSTATUS PassPowerDown(SERIAL *Serial, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS Status = PoCallDriver(Serial->Lower, Irp);
    IoReleaseRemoveLock(&Serial->RemoveLock, Irp);
    return Status;
}

/* PASSIVE_LEVEL: the stack is pageable. Going down the driver is first, coming up the bus. */
static NTSTATUS SetDevicePower(SERIAL *Serial, PIRP Irp, DEVICE_POWER_STATE State)
{
    POWER_STATE Now = {.DeviceState = State};
    PoSetPowerState(Serial->Device, DevicePowerState, Now);
    if (State != PowerDeviceD0) {
        UartSleep(Serial);
        return PassPowerDown(Serial, Irp);
    }
    NTSTATUS Status =
        IoForwardIrpSynchronously(Serial->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        UartWake(Serial);
    SerialComplete(Irp, Status, 0);
    IoReleaseRemoveLock(&Serial->RemoveLock, Irp);
    return Status;
}

NTSTATUS NTAPI SerialPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    SERIAL *Serial = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PoStartNextPowerIrp(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Serial->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return SerialComplete(Irp, Status, 0);
    if (Stack->MinorFunction != IRP_MN_SET_POWER)
        return PassPowerDown(Serial, Irp);
    return Stack->Parameters.Power.Type == SystemPowerState
               ? SetSystemPower(Serial, Irp)
               : SetDevicePower(Serial, Irp, Stack->Parameters.Power.State.DeviceState);
}

/* SPDX-License-Identifier: MIT
 * Bad on purpose: never completes the request that sends the system to sleep. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static PDEVICE_OBJECT HoldsPdo, HoldsDevice;

static NTSTATUS NTAPI HoldsPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    if (Stack->MinorFunction == IRP_MN_SET_POWER) {
        IoMarkIrpPending(Irp);
        return STATUS_PENDING;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(HoldsPdo, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(HoldsPdo, Irp);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    IoDetachDevice(HoldsPdo);
    IoDeleteDevice(HoldsDevice);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_POWER] = HoldsPower;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->DriverUnload = Unload;
    NTSTATUS Status = IoReportDetectedDevice(Driver, InterfaceTypeUndefined, (ULONG)-1, (ULONG)-1, NULL, NULL,
                                             FALSE, &HoldsPdo);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &HoldsDevice);
    if (!NT_SUCCESS(Status))
        return Status;
    IoAttachDeviceToDeviceStack(HoldsDevice, HoldsPdo);
    HoldsDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

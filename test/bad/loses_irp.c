/* SPDX-License-Identifier: MIT
 * Its control routine returns STATUS_SUCCESS without completing the IRP. [WDK DRIVER_DISPATCH] */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LosesUnload;
static DRIVER_DISPATCH LosesOpenClose;
static DRIVER_DISPATCH LosesControl;

static VOID NTAPI LosesUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS NTAPI LosesOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI LosesControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxLoses");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = LosesUnload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = LosesOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = LosesOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = LosesOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = LosesControl;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}

/* SPDX-License-Identifier: MIT
 * IOCTL 0x222000 completes its request twice. [WDK Bug Check 0x44: MULTIPLE_IRP_COMPLETE_REQUESTS] */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD TwiceUnload;
static DRIVER_DISPATCH TwiceOpenClose, TwiceControl;

static NTSTATUS Complete(PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI TwiceOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp);
}

static NTSTATUS NTAPI TwiceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Complete(Irp);
    return Complete(Irp);
}

static VOID NTAPI TwiceUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxTwice");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = TwiceOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = TwiceOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = TwiceOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = TwiceControl;
    DriverObject->DriverUnload = TwiceUnload;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}

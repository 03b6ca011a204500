/* SPDX-License-Identifier: MIT
 * A driver that imports from another driver, exporter.sys. It does nothing for that but call. */
#include <ntddk.h>
#include "../../exporter/sys/exporter.h"

#define IOCTL_CLIENT_ADD CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ClientUnload;
static DRIVER_DISPATCH ClientOpenClose, ClientControl;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI ClientOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI ClientControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    LONG Number;
    UNREFERENCED_PARAMETER(DeviceObject);

    if (Location->Parameters.DeviceIoControl.IoControlCode != IOCTL_CLIENT_ADD)
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Location->Parameters.DeviceIoControl.InputBufferLength < sizeof(Number) ||
        Location->Parameters.DeviceIoControl.OutputBufferLength < sizeof(Number))
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    RtlCopyMemory(&Number, Irp->AssociatedIrp.SystemBuffer, sizeof(Number));
    Number = ExporterAdd(Number);
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &Number, sizeof(Number));
    return Complete(Irp, STATUS_SUCCESS, sizeof(Number));
}

static VOID NTAPI ClientUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
    DbgPrint("client: gone\n");
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxClient");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);

    NTSTATUS Status =
        IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = ClientOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = ClientOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = ClientControl;
    DriverObject->DriverUnload = ClientUnload;
    DbgPrint("client: exporter's sum is %d\n", (int)ExporterAdd(1));
    return STATUS_SUCCESS;
}

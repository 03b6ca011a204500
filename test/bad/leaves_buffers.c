/* SPDX-License-Identifier: MIT
 * Sends itself asynchronous reads and frees the IRPs, but not what IoBuildAsynchronousFsdRequest has put into them: the locked MDL of a device
 * with direct I/O (its pages are those of the image), and the system buffer of one with buffered I/O. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LeaveBuffers;
static IO_COMPLETION_ROUTINE FreeIrpOnly;
static UCHAR Buffer[64];
static IO_STATUS_BLOCK Iosb;

static VOID NTAPI LeaveBuffers(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS NTAPI CompleteRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI FreeIrpOnly(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID ReadWith(PDEVICE_OBJECT Device, ULONG Method)
{
    LARGE_INTEGER Start = {.QuadPart = 0};
    Device->Flags = (Device->Flags & ~(ULONG)(DO_DIRECT_IO | DO_BUFFERED_IO)) | Method;
    PIRP Irp = IoBuildAsynchronousFsdRequest(IRP_MJ_READ, Device, Buffer, sizeof(Buffer), &Start, &Iosb);
    if (Irp == NULL)
        return;
    IoSetCompletionRoutine(Irp, FreeIrpOnly, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(Device, Irp);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = LeaveBuffers;
    DriverObject->MajorFunction[IRP_MJ_READ] = CompleteRead;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    ReadWith(Device, DO_DIRECT_IO);
    ReadWith(Device, DO_BUFFERED_IO);
    return STATUS_SUCCESS;
}

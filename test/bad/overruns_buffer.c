/* SPDX-License-Identifier: MIT
 * Writes behind the system buffer of a request: IRP_MJ_WRITE by one byte, I/O control 0x220000 + 4 * n by n bytes, 0x221000 by 16 bytes
 * when the request has pended, from a work item, and 0x221004 in a completion routine. [WDK Buffer Descriptions for I/O Control Codes] */
#include <ntddk.h>

#define LATER 0x221000u
#define IN_COMPLETION 0x221004u

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD OverrunsUnload;
static DRIVER_DISPATCH OverrunsOpen, OverrunsWrite, OverrunsControl;
static IO_WORKITEM_ROUTINE OverrunLater;
static IO_COMPLETION_ROUTINE OverrunInCompletion;

static PDEVICE_OBJECT Lower;
static PIO_WORKITEM Item;

static NTSTATUS Complete(PIRP Irp, ULONG_PTR Information)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID Overrun(PIRP Irp, ULONG Length, ULONG Count)
{
    volatile UCHAR *Behind = (PUCHAR)Irp->AssociatedIrp.SystemBuffer + Length;
    for (ULONG I = 0; I < Count; I++)
        Behind[I] = 0x41;
}

static NTSTATUS NTAPI OverrunsOpen(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, 0);
}

static NTSTATUS NTAPI OverrunsWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;
    UNREFERENCED_PARAMETER(Device);
    Overrun(Irp, Length, 1);
    return Complete(Irp, Length);
}

static VOID NTAPI OverrunLater(PDEVICE_OBJECT Device, PVOID Context)
{
    PIRP Irp = Context;
    UNREFERENCED_PARAMETER(Device);
    Overrun(Irp, IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.InputBufferLength, 16);
    Complete(Irp, 0);
}

static NTSTATUS NTAPI OverrunInCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    Overrun(Irp, (ULONG)(ULONG_PTR)Context, 16);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS NTAPI OverrunsControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Code = Stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG Length = Stack->Parameters.DeviceIoControl.InputBufferLength;
    if (Device == Lower)
        return Complete(Irp, 0);
    if (Code == LATER) {
        IoMarkIrpPending(Irp);
        IoQueueWorkItem(Item, OverrunLater, DelayedWorkQueue, Irp);
        return STATUS_PENDING;
    }
    if (Code == IN_COMPLETION) {
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, OverrunInCompletion, (PVOID)(ULONG_PTR)Length, TRUE, TRUE, TRUE);
        return IoCallDriver(Lower, Irp);
    }
    Overrun(Irp, Length, (Code & 0xfff) >> 2);
    return Complete(Irp, 0);
}

static VOID NTAPI OverrunsUnload(PDRIVER_OBJECT DriverObject)
{
    IoFreeWorkItem(Item);
    IoDeleteDevice(DriverObject->DeviceObject);
    IoDeleteDevice(Lower);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxOverruns");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Lower);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Lower);
        return Status;
    }
    Item = IoAllocateWorkItem(Device);
    if (Item == NULL) {
        IoDeleteDevice(Device);
        IoDeleteDevice(Lower);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Device->Flags |= DO_BUFFERED_IO;
    Device->StackSize = 2;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = OverrunsOpen;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = OverrunsOpen;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = OverrunsOpen;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = OverrunsWrite;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = OverrunsControl;
    DriverObject->DriverUnload = OverrunsUnload;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * One device that answers IRP_MJ_DEVICE_CONTROL by all four transfer methods, and READ and WRITE by buffered
 * I/O. What differs between the methods is only where the driver finds the client's bytes: see the four
 * routines. */
#include <ntddk.h>
#include "ntbox/guarded_call.h"
#include "ioctl.h"

typedef struct IOCTL_EXTENSION {
    FAST_MUTEX StoreLock; /* guards the two below; READ and WRITE arrive at PASSIVE_LEVEL */
    ULONG StoreLength;
    UCHAR Store[IOCTL_SAMPLE_STORE_SIZE];
} IOCTL_EXTENSION;

/* The two buffers of a METHOD_NEITHER request: the client's own addresses, not checked by anybody yet. */
typedef struct NEITHER_REQUEST {
    const UCHAR *Input;
    UCHAR *Output;
    ULONG Length;
    KPROCESSOR_MODE Mode;
} NEITHER_REQUEST;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD IoctlUnload;
static DRIVER_DISPATCH IoctlOpenClose, IoctlRead, IoctlWrite, IoctlControl;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* METHOD_BUFFERED: one system buffer holds the input and, when the request is completed, the output. */
static NTSTATUS Reverse(PIRP Irp, ULONG InputLength, ULONG OutputLength, PULONG_PTR Information)
{
    UCHAR *Bytes = Irp->AssociatedIrp.SystemBuffer;
    if (InputLength == 0)
        return STATUS_INVALID_PARAMETER;
    if (OutputLength < InputLength)
        return STATUS_BUFFER_TOO_SMALL;
    for (ULONG i = 0; i < InputLength / 2; i++) {
        UCHAR Other = Bytes[InputLength - 1 - i];
        Bytes[InputLength - 1 - i] = Bytes[i];
        Bytes[i] = Other;
    }
    *Information = InputLength; /* bytes that the I/O manager copies back to the client */
    return STATUS_SUCCESS;
}

/* METHOD_IN_DIRECT: the input is in the system buffer; the second buffer is locked for reading and described
 * by an MDL, for data on their way to the device. */
static NTSTATUS Sum(PIRP Irp, ULONG InputLength, ULONG OutputLength, PULONG_PTR Information)
{
    const UCHAR *Input = Irp->AssociatedIrp.SystemBuffer;
    ULONG_PTR Total = 0;
    for (ULONG i = 0; i < InputLength; i++)
        Total += Input[i];
    if (OutputLength != 0) {
        const UCHAR *Data =
            MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
        if (Data == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        for (ULONG i = 0; i < OutputLength; i++)
            Total += Data[i];
    }
    *Information = Total;
    return STATUS_SUCCESS;
}

/* METHOD_OUT_DIRECT: as before, but the second buffer is locked for writing. */
static NTSTATUS Fill(PIRP Irp, ULONG InputLength, ULONG OutputLength, PULONG_PTR Information)
{
    const UCHAR *Input = Irp->AssociatedIrp.SystemBuffer;
    UCHAR First = InputLength != 0 ? Input[0] : 0;
    if (OutputLength == 0)
        return STATUS_BUFFER_TOO_SMALL;
    UCHAR *Data = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (Data == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < OutputLength; i++)
        Data[i] = (UCHAR)(First + i);
    *Information = OutputLength;
    return STATUS_SUCCESS;
}

/* Runs under an exception handler: probing raises, and the client may unmap its memory while we use it. */
static NTSTATUS XorGuarded(PVOID Context)
{
    NEITHER_REQUEST *Request = Context;
    if (Request->Mode != KernelMode) {
        ProbeForRead((PVOID)Request->Input, Request->Length, 1);
        ProbeForWrite(Request->Output, Request->Length, 1);
    }
    for (ULONG i = 0; i < Request->Length; i++)
        Request->Output[i] = Request->Input[i] ^ 0x5A;
    return STATUS_SUCCESS;
}

/* METHOD_NEITHER: the client's addresses as they are; valid only in the client's own thread, which is where
 * the dispatch routine of the highest driver runs. */
static NTSTATUS Xor(PIRP Irp, PIO_STACK_LOCATION Location, PULONG_PTR Information)
{
    NEITHER_REQUEST Request = {
        .Input = Location->Parameters.DeviceIoControl.Type3InputBuffer,
        .Output = Irp->UserBuffer,
        .Length = Location->Parameters.DeviceIoControl.InputBufferLength,
        .Mode = Irp->RequestorMode,
    };
    if (Request.Length == 0)
        return STATUS_INVALID_PARAMETER;
    if (Location->Parameters.DeviceIoControl.OutputBufferLength < Request.Length)
        return STATUS_BUFFER_TOO_SMALL;
    NTSTATUS Status = NtboxGuardedCall(XorGuarded, &Request);
    if (NT_SUCCESS(Status))
        *Information = Request.Length;
    return Status;
}

static NTSTATUS NTAPI IoctlControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG InputLength = Location->Parameters.DeviceIoControl.InputBufferLength;
    ULONG OutputLength = Location->Parameters.DeviceIoControl.OutputBufferLength;
    ULONG_PTR Information = 0;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    switch (Location->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_SAMPLE_REVERSE:
        Status = Reverse(Irp, InputLength, OutputLength, &Information);
        break;
    case IOCTL_SAMPLE_SUM:
        Status = Sum(Irp, InputLength, OutputLength, &Information);
        break;
    case IOCTL_SAMPLE_FILL:
        Status = Fill(Irp, InputLength, OutputLength, &Information);
        break;
    case IOCTL_SAMPLE_XOR:
        Status = Xor(Irp, Location, &Information);
        break;
    default:
        Status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    return Complete(Irp, Status, Information);
}

/* DO_BUFFERED_IO: the system buffer holds what the client wrote. */
static NTSTATUS NTAPI IoctlWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    IOCTL_EXTENSION *Extension = DeviceObject->DeviceExtension;
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;
    if (Length > sizeof(Extension->Store))
        return Complete(Irp, STATUS_INVALID_BUFFER_SIZE, 0);
    ExAcquireFastMutex(&Extension->StoreLock);
    RtlCopyMemory(Extension->Store, Irp->AssociatedIrp.SystemBuffer, Length);
    Extension->StoreLength = Length;
    ExReleaseFastMutex(&Extension->StoreLock);
    return Complete(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS NTAPI IoctlRead(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    IOCTL_EXTENSION *Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    LONGLONG Offset = Location->Parameters.Read.ByteOffset.QuadPart;
    ULONG Length = 0;

    ExAcquireFastMutex(&Extension->StoreLock);
    if (Offset >= 0 && Offset < Extension->StoreLength) {
        Length = min(Location->Parameters.Read.Length, Extension->StoreLength - (ULONG)Offset);
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Extension->Store + Offset, Length);
    }
    ExReleaseFastMutex(&Extension->StoreLock);
    return Complete(Irp, Length != 0 ? STATUS_SUCCESS : STATUS_END_OF_FILE, Length);
}

static NTSTATUS NTAPI IoctlOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI IoctlUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(IOCTL_SAMPLE_LINK);
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(DriverObject->DeviceObject);
    DbgPrint("ioctl: unloaded\n");
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(IOCTL_SAMPLE_DEVICE);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(IOCTL_SAMPLE_LINK);
    PDEVICE_OBJECT Device;

    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoCreateDevice(DriverObject, sizeof(IOCTL_EXTENSION), &Name, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    ExInitializeFastMutex(&((IOCTL_EXTENSION *)Device->DeviceExtension)->StoreLock);
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags |= DO_BUFFERED_IO;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = IoctlOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = IoctlOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = IoctlOpenClose;
    DriverObject->MajorFunction[IRP_MJ_READ] = IoctlRead;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = IoctlWrite;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = IoctlControl;
    DriverObject->DriverUnload = IoctlUnload;
    DbgPrint("ioctl: device %wZ is ready\n", &Name);
    return STATUS_SUCCESS;
}

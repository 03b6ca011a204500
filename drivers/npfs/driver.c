/* SPDX-License-Identifier: MIT
 * The driver: \Device\NamedPipe, which programs know as \??\PIPE. It stays loaded. */
#include "npfs.h"

DRIVER_INITIALIZE DriverEntry;

/* The kernel knows by this section that what goes wrong in here is the fault of a driver that passed the request on (ImIsLibraryAddress). */
__attribute__((section(".ntboxlb"), used)) static const UCHAR NpIsPartOfNtbox = 1;

static FS_LOCK NpLock;

static VOID CompleteGathered(PIRP Irp)
{
    IoCompleteRequest(Irp, IO_NAMED_PIPE_INCREMENT);
}

NTSTATUS NpComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NAMED_PIPE_INCREMENT);
    return Status;
}

VOID NpAcquire(VOID)
{
    FsAcquire(&NpLock);
}

VOID NpRelease(VOID)
{
    FsRelease(&NpLock);
}

VOID NpFinishLater(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    FsEndLater(&NpLock, Irp, Status, Information);
}

VOID NTAPI NpCompleteCanceled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    FsEndCanceled(&NpLock, Irp);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NamedPipe"),
                   Link = RTL_CONSTANT_STRING(L"\\??\\PIPE");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    FsInitializeLock(&NpLock, CompleteGathered);
    NpInitializeQueue();
    NpInitializeWaits();
    DriverObject->MajorFunction[IRP_MJ_CREATE] = NpCreate;
    DriverObject->MajorFunction[IRP_MJ_CREATE_NAMED_PIPE] = NpCreatePipe;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = NpCleanup;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = NpClose;
    DriverObject->MajorFunction[IRP_MJ_READ] = NpReadRequest;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = NpWriteRequest;
    DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = NpFlush;
    DriverObject->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = NpFsControl;
    DriverObject->MajorFunction[IRP_MJ_DIRECTORY_CONTROL] = NpDirectoryControl;
    DriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = NpQuery;
    DriverObject->MajorFunction[IRP_MJ_SET_INFORMATION] = NpSet;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_NAMED_PIPE, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Device->Flags |= DO_BUFFERED_IO; /* data is copied while any process may be current */
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(Device);
    return Status;
}

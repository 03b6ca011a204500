/* SPDX-License-Identifier: MIT
 * The driver: \Device\NamedPipe, which programs know as \??\PIPE. It stays loaded. */
#include "npfs.h"

DRIVER_INITIALIZE DriverEntry;

static KGUARDED_MUTEX NpLock;
static PKTHREAD volatile Holder; /* of NpLock, and its list; read by anybody, who can be sure of himself only */
static NP_DONE *Gathering;       /* (n) */

NTSTATUS NpComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NAMED_PIPE_INCREMENT);
    return Status;
}

VOID NpAcquire(NP_DONE *Done)
{
    InitializeListHead(&Done->Irps);
    KeAcquireGuardedMutex(&NpLock);
    Gathering = Done;
    Holder = KeGetCurrentThread();
}

VOID NpFinishLater(NP_DONE *Done, PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    InsertTailList(&Done->Irps, &Irp->Tail.Overlay.ListEntry);
}

/* A request that was cancelled before it waited is ended by who lets it wait, with the lock held. At DISPATCH_LEVEL a DPC may have
 * interrupted the holder. */
VOID NTAPI NpCompleteCanceled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    if (KeGetCurrentIrql() < DISPATCH_LEVEL && Holder == KeGetCurrentThread())
        NpFinishLater(Gathering, Irp, STATUS_CANCELLED, 0);
    else
        NpComplete(Irp, STATUS_CANCELLED, 0);
}

VOID NpRelease(NP_DONE *Done)
{
    Holder = NULL;
    KeReleaseGuardedMutex(&NpLock);
    while (!IsListEmpty(&Done->Irps)) {
        PIRP Irp = CONTAINING_RECORD(RemoveHeadList(&Done->Irps), IRP, Tail.Overlay.ListEntry);
        IoCompleteRequest(Irp, IO_NAMED_PIPE_INCREMENT);
    }
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NamedPipe"),
                   Link = RTL_CONSTANT_STRING(L"\\??\\PIPE");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeGuardedMutex(&NpLock);
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

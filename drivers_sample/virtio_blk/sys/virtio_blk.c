/* SPDX-License-Identifier: MIT
 * The driver: its entry, its devices, plug and play. */
#include <initguid.h>
#include "blk.h"

NTSTATUS BlkComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, NT_SUCCESS(Status) ? IO_DISK_INCREMENT : IO_NO_INCREMENT);
    return Status;
}

VOID BlkEnd(BLK *Blk, PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    BlkComplete(Irp, Status, Information);
    IoReleaseRemoveLock(&Blk->RemoveLock, Irp);
}

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return BlkComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS PassDown(BLK *Blk, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Blk->Lower, Irp);
}

/* --- plug and play --- */

static NTSTATUS Start(BLK *Blk, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status = IoForwardIrpSynchronously(Blk->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        Status = BlkStart(Blk, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    if (NT_SUCCESS(Status))
        (void)IoSetDeviceInterfaceState(&Blk->Interface, TRUE);
    return BlkComplete(Irp, Status, 0);
}

static VOID PrintName(PUNICODE_STRING Name, PCWSTR Format, ULONG Number)
{
    int Count = _snwprintf(Name->Buffer, Name->MaximumLength / sizeof(WCHAR), Format, Number);
    Name->Length = (USHORT)((ULONG)Count * sizeof(WCHAR));
}

static VOID DeleteLink(const BLK *Blk)
{
    WCHAR Text[40];
    UNICODE_STRING Link = {0, sizeof(Text), Text};
    PrintName(&Link, L"\\??\\PhysicalDrive%lu", Blk->Number);
    IoDeleteSymbolicLink(&Link);
}

static NTSTATUS Remove(BLK *Blk, PIRP Irp)
{
    (void)IoSetDeviceInterfaceState(&Blk->Interface, FALSE);
    BlkStop(Blk);
    BlkFailWaiting(Blk);
    IoReleaseRemoveLockAndWait(&Blk->RemoveLock, Irp);
    DbgPrint("virtio_blk: disk %lu had %ld interrupts\n", Blk->Number, Blk->Interrupts);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PassDown(Blk, Irp);
    IoDetachDevice(Blk->Lower);
    RtlFreeUnicodeString(&Blk->Interface);
    DeleteLink(Blk);
    IoDeleteDevice(Blk->Device);
    return Status;
}

static NTSTATUS PnpLocked(BLK *Blk, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Blk, Irp, Stack);
    case IRP_MN_STOP_DEVICE:
        BlkStop(Blk);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        (void)IoSetDeviceInterfaceState(&Blk->Interface, FALSE);
        BlkLose(Blk);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
        BlkPause(Blk); /* nothing is with the device when it is stopped */
        break;
    case IRP_MN_CANCEL_STOP_DEVICE:
        BlkResume(Blk);
        break;
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        break;
    default:
        return PassDown(Blk, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Blk, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    BLK *Blk = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Blk->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return BlkComplete(Irp, Status, 0);
    if (Stack->MinorFunction == IRP_MN_REMOVE_DEVICE)
        return Remove(Blk, Irp);
    Status = PnpLocked(Blk, Irp, Stack);
    IoReleaseRemoveLock(&Blk->RemoveLock, Irp);
    return Status;
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(Device->DeviceExtension, Irp);
}

/* --- devices --- */

static LONG DiskCount; /* numbers are not used again */

static NTSTATUS MakeDevice(PDRIVER_OBJECT Driver, ULONG Number, PDEVICE_OBJECT *Device)
{
    WCHAR Text[40], LinkText[40];
    UNICODE_STRING Name = {0, sizeof(Text), Text}, Link = {0, sizeof(LinkText), LinkText};
    PrintName(&Name, L"\\Device\\VirtioDisk%lu", Number);
    PrintName(&Link, L"\\??\\PhysicalDrive%lu", Number);
    NTSTATUS Status =
        IoCreateDevice(Driver, sizeof(BLK), &Name, FILE_DEVICE_DISK, FILE_DEVICE_SECURE_OPEN, FALSE, Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(*Device);
    return Status;
}

static NTSTATUS InitDevice(BLK *Blk, PDEVICE_OBJECT Device, PDEVICE_OBJECT Pdo, ULONG Number)
{
    Blk->Device = Device;
    Blk->Pdo = Pdo;
    Blk->Number = Number;
    IoInitializeRemoveLock(&Blk->RemoveLock, BLK_TAG, 0, 0);
    KeInitializeDpc(&Blk->Dpc, BlkFinished, Blk);
    KeInitializeEvent(&Blk->Idle, NotificationEvent, TRUE);
    BlkInitWaiting(Blk);
    NTSTATUS Status = IoRegisterDeviceInterface(Pdo, &GUID_DEVINTERFACE_DISK, NULL, &Blk->Interface);
    if (!NT_SUCCESS(Status))
        return Status;
    Blk->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    if (Blk->Lower != NULL)
        return STATUS_SUCCESS;
    RtlFreeUnicodeString(&Blk->Interface);
    return STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    ULONG Number = (ULONG)InterlockedIncrement(&DiskCount) - 1;
    NTSTATUS Status = MakeDevice(Driver, Number, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = InitDevice(Device->DeviceExtension, Device, Pdo, Number);
    if (!NT_SUCCESS(Status)) {
        DeleteLink(Device->DeviceExtension);
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags |= DO_DIRECT_IO | DO_POWER_PAGABLE;
    Device->AlignmentRequirement = FILE_BYTE_ALIGNMENT;
    Device->SectorSize = BLK_SECTOR;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_READ] = BlkReadWrite;
    Driver->MajorFunction[IRP_MJ_WRITE] = BlkReadWrite;
    Driver->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = BlkFlush;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = BlkControl;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = BlkPower;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

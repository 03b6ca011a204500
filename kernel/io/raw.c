/* SPDX-License-Identifier: MIT
 * The raw file system: a disk that no other one mounts is opened as a whole, and its requests go to the disk. The volume goes with the last
 * file on it (vpb.c). [WDK How the Volume is Mounted] */
#include "iop.h"

#define IOP_RAW_SPARE 4 /* filters that attach to the disk while it is mounted */

static PDEVICE_OBJECT IopRawFileSystem;

/* Extension of a volume's device. */
typedef struct _IOP_RAW_VOLUME {
    PDEVICE_OBJECT Disk; /* of the VPB, which the files on the volume hold; filters above it come and go */
} IOP_RAW_VOLUME;

/* There are no names on it. */
static NTSTATUS NTAPI IopRawCreate(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;
    if (Device == IopRawFileSystem || !(Stack->FileObject->Flags & FO_VOLUME_OPEN))
        return IopCompleteNow(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Stack->Parameters.Create.Options & FILE_DIRECTORY_FILE)
        return IopCompleteNow(Irp, STATUS_NOT_A_DIRECTORY, 0);
    if (Disposition != FILE_OPEN && Disposition != FILE_OPEN_IF)
        return IopCompleteNow(Irp, STATUS_ACCESS_DENIED, 0);
    return IopCompleteNow(Irp, STATUS_SUCCESS, FILE_OPENED);
}

static NTSTATUS NTAPI IopRawClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    return IopCompleteNow(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI IopRawPass(PDEVICE_OBJECT Device, PIRP Irp)
{
    IOP_RAW_VOLUME *Volume = Device->DeviceExtension;
    if (Device == IopRawFileSystem)
        return IopCompleteNow(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(Volume->Disk);
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    if (Top->StackSize <= Irp->CurrentLocation) {
        IoSkipCurrentIrpStackLocation(Irp);
        Status = IofCallDriver(Top, Irp);
    } else /* more filters than the volume has room for */
        (void)IopCompleteNow(Irp, Status, 0);
    ObfDereferenceObject(Top);
    return Status;
}

/* Top: of the disk's stack as it is now. */
static NTSTATUS IopMakeRawVolume(PVPB Vpb, PDEVICE_OBJECT Top)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(IopRawFileSystem->DriverObject, sizeof(IOP_RAW_VOLUME), NULL,
                                     FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    ((IOP_RAW_VOLUME *)Device->DeviceExtension)->Disk = Vpb->RealDevice;
    Device->StackSize = (CCHAR)(Top->StackSize + 1 + IOP_RAW_SPARE);
    Device->AlignmentRequirement = Top->AlignmentRequirement;
    Device->SectorSize = Top->SectorSize;
    Device->Flags |= Top->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO); /* the requests go on to it as they are */
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    KIRQL OldIrql;
    IoAcquireVpbSpinLock(&OldIrql);
    Vpb->DeviceObject = Device;
    Vpb->Flags |= VPB_RAW_MOUNT;
    IoReleaseVpbSpinLock(OldIrql);
    return STATUS_SUCCESS;
}

/* IRP_MN_MOUNT_VOLUME */
static NTSTATUS NTAPI IopRawControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    if (Device != IopRawFileSystem)
        return IopRawPass(Device, Irp);
    if (Stack->MinorFunction != IRP_MN_MOUNT_VOLUME)
        return IopCompleteNow(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    return IopCompleteNow(
        Irp, IopMakeRawVolume(Stack->Parameters.MountVolume.Vpb, Stack->Parameters.MountVolume.DeviceObject),
        0);
}

NTSTATUS IopMountRaw(PVPB Vpb)
{
    return IopSendMount(IopRawFileSystem, Vpb, TRUE);
}

static NTSTATUS NTAPI IopRawEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    static const UCHAR Passed[] = {IRP_MJ_READ, IRP_MJ_WRITE, IRP_MJ_FLUSH_BUFFERS, IRP_MJ_DEVICE_CONTROL};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\RawDisk");
    for (ULONG I = 0; I < RTL_NUMBER_OF(Passed); I++)
        Driver->MajorFunction[Passed[I]] = IopRawPass;
    Driver->MajorFunction[IRP_MJ_CREATE] = IopRawCreate;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = IopRawClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = IopRawClose;
    Driver->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = IopRawControl;
    return IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &IopRawFileSystem);
}

VOID IopInitRaw(VOID)
{
    NTSTATUS Status = IoCreateDriver(L"\\FileSystem\\RAW", IopRawEntry);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(IO1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 5, 0, 0);
}

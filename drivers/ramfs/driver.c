/* SPDX-License-Identifier: MIT
 * The driver: a RAM disk \Device\RamDisk0, the file system's own device \RamFs, and the volume that an open of the disk mounts. It stays
 * loaded. */
#include "ramfs.h"

DRIVER_INITIALIZE DriverEntry;

/* The kernel knows by this section that what goes wrong in here is the fault of a driver that passed the request on (ImIsLibraryAddress). */
__attribute__((section(".ntboxlb"), used)) static const UCHAR RamfsIsPartOfNtbox = 1;

FS_LOCK RamfsNames;
KGUARDED_MUTEX RamfsData;
PDEVICE_OBJECT RamfsDisk, RamfsFileSystem, RamfsVolume;

NTSTATUS RamfsComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
    return Status;
}

static VOID CompleteGathered(PIRP Irp)
{
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
}

VOID RamfsLock(VOID)
{
    FsAcquire(&RamfsNames);
}

VOID RamfsUnlock(VOID)
{
    FsRelease(&RamfsNames);
}

/* [WDK IRP_MN_MOUNT_VOLUME] its own disk is the only one that it knows. */
static NTSTATUS Mount(PVPB Vpb)
{
    PDEVICE_OBJECT Volume;
    KIRQL OldIrql;
    if (Vpb->RealDevice != RamfsDisk)
        return STATUS_UNRECOGNIZED_VOLUME;
    NTSTATUS Status =
        IoCreateDevice(RamfsDisk->DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Volume);
    if (!NT_SUCCESS(Status))
        return Status;
    Volume->Flags |= DO_DIRECT_IO;
    Volume->StackSize = 2; /* notify.c has one of its own */
    Volume->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    RamfsVolume = Volume;
    IoAcquireVpbSpinLock(&OldIrql);
    Vpb->DeviceObject = Volume;
    Vpb->SerialNumber = RAMFS_TAG;
    IoReleaseVpbSpinLock(OldIrql);
    return STATUS_SUCCESS;
}

/* Requests on the disk or the file system itself: they are opened, to attach to them, and closed. */
static NTSTATUS OwnDevice(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE:
        if (Stack->FileObject->FileName.Length != 0)
            return RamfsComplete(Irp, STATUS_OBJECT_PATH_NOT_FOUND, 0);
        return RamfsComplete(Irp, STATUS_SUCCESS, FILE_OPENED);
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return RamfsComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (Device == RamfsFileSystem && Stack->MinorFunction == IRP_MN_MOUNT_VOLUME)
            return RamfsComplete(Irp, Mount(Stack->Parameters.MountVolume.Vpb), 0);
        break;
    default:
        break;
    }
    return RamfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}

/* [WDK FSCTL_IS_VOLUME_MOUNTED] */
static NTSTATUS NTAPI FileSystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    if (Stack->MinorFunction == IRP_MN_USER_FS_REQUEST &&
        Stack->Parameters.FileSystemControl.FsControlCode == FSCTL_IS_VOLUME_MOUNTED)
        return RamfsComplete(Irp, STATUS_SUCCESS, 0);
    return RamfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}

static const struct {
    UCHAR Major;
    PDRIVER_DISPATCH Routine;
} VolumeRoutines[] = {
    {IRP_MJ_CREATE, RamfsCreate},
    {IRP_MJ_CLEANUP, RamfsCleanup},
    {IRP_MJ_CLOSE, RamfsClose},
    {IRP_MJ_READ, RamfsRead},
    {IRP_MJ_WRITE, RamfsWrite},
    {IRP_MJ_FLUSH_BUFFERS, RamfsFlush},
    {IRP_MJ_QUERY_INFORMATION, RamfsQueryInformation},
    {IRP_MJ_SET_INFORMATION, RamfsSetInformation},
    {IRP_MJ_DIRECTORY_CONTROL, RamfsDirectoryControl},
    {IRP_MJ_LOCK_CONTROL, RamfsLockControl},
    {IRP_MJ_QUERY_VOLUME_INFORMATION, RamfsQueryVolume},
    {IRP_MJ_SET_VOLUME_INFORMATION, RamfsSetVolume},
    {IRP_MJ_FILE_SYSTEM_CONTROL, FileSystemControl},
};

/* The file of the request, or of what it is opened relative to; a file that is opened has no contexts yet. */
static BOOLEAN KnowsFile(const IO_STACK_LOCATION *Stack)
{
    PFILE_OBJECT File = Stack->FileObject;
    if (Stack->MajorFunction == IRP_MJ_CREATE)
        File = File->RelatedFileObject;
    return File == NULL || RamfsIsOurs(File);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    UCHAR Major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;
    if (Device == RamfsDisk || Device == RamfsFileSystem)
        return OwnDevice(Device, Irp);
    if (!KnowsFile(IoGetCurrentIrpStackLocation(Irp)))
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    for (ULONG i = 0; i < RTL_NUMBER_OF(VolumeRoutines); i++) {
        if (VolumeRoutines[i].Major == Major)
            return VolumeRoutines[i].Routine(Device, Irp);
    }
    return RamfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}

static NTSTATUS MakeDevices(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING DiskName = RTL_CONSTANT_STRING(L"\\Device\\RamDisk0");
    UNICODE_STRING FileSystemName = RTL_CONSTANT_STRING(L"\\RamFs");
    NTSTATUS Status =
        IoCreateDevice(DriverObject, 0, &DiskName, FILE_DEVICE_VIRTUAL_DISK, 0, FALSE, &RamfsDisk);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateDevice(DriverObject, 0, &FileSystemName, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE,
                            &RamfsFileSystem);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(RamfsDisk);
    return Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING None = {0, 0, NULL};
    UNREFERENCED_PARAMETER(RegistryPath);
    FsInitializeLock(&RamfsNames, CompleteGathered);
    KeInitializeGuardedMutex(&RamfsData);
    NTSTATUS Status = RamfsStartNotify();
    if (!NT_SUCCESS(Status))
        return Status;
    Status = RamfsMakeNode(&None, TRUE, 0, &RamfsRoot);
    if (!NT_SUCCESS(Status)) {
        RamfsStopNotify();
        return Status;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(VolumeRoutines); i++)
        DriverObject->MajorFunction[VolumeRoutines[i].Major] = Dispatch;
    Status = MakeDevices(DriverObject);
    if (!NT_SUCCESS(Status)) {
        RamfsDereference(RamfsRoot);
        RamfsStopNotify();
        return Status;
    }
    IoRegisterFileSystem(RamfsFileSystem);
    return STATUS_SUCCESS;
}

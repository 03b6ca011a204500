/* SPDX-License-Identifier: MIT
 * boot.cpio as disk and volume: driver \FileSystem\BootFs with the disk \Device\BootArchive and the file system's own device \BootFs. The
 * volume is mounted at the first open, as any other is. The index of names is made before, so that a damaged archive is known at once. */
#include "io/bootfs/bootfs.h"
#include "kd.h"

BOOTFS_INDEX BootfsIndex;
SECTION_OBJECT_POINTERS *BootfsSections;
SHARE_ACCESS *BootfsShares;
KGUARDED_MUTEX BootfsShareLock, BootfsScanLock;
const void *BootfsArchive;
ULONG64 BootfsArchiveLength;
PDEVICE_OBJECT BootfsDisk, BootfsFileSystem, BootfsVolume;
BOOTFS_MOUNT_POINT BootfsTemp = {.Node = BOOTFS_NONE, .Target = RTL_CONSTANT_STRING(L"\\Device\\RamDisk0")};

static const PDRIVER_DISPATCH VolumeRoutines[IRP_MJ_MAXIMUM_FUNCTION + 1] = {
    [IRP_MJ_CREATE] = BootfsCreate,
    [IRP_MJ_CLEANUP] = BootfsCleanup,
    [IRP_MJ_CLOSE] = BootfsClose,
    [IRP_MJ_READ] = BootfsRead,
    [IRP_MJ_WRITE] = BootfsRefuseWrite,
    [IRP_MJ_QUERY_INFORMATION] = BootfsQueryInformation,
    [IRP_MJ_SET_INFORMATION] = BootfsSetInformation,
    [IRP_MJ_DIRECTORY_CONTROL] = BootfsDirectoryControl,
    [IRP_MJ_QUERY_VOLUME_INFORMATION] = BootfsQueryVolume,
    [IRP_MJ_FILE_SYSTEM_CONTROL] = BootfsFsControl,
};

/* [WDK IRP_MN_MOUNT_VOLUME] its own disk is the only one that it knows. */
static NTSTATUS Mount(PVPB Vpb)
{
    PDEVICE_OBJECT Volume;
    KIRQL OldIrql;
    if (Vpb->RealDevice != BootfsDisk)
        return STATUS_UNRECOGNIZED_VOLUME;
    NTSTATUS Status = IoCreateDevice(BootfsDisk->DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM,
                                     FILE_READ_ONLY_DEVICE, FALSE, &Volume);
    if (!NT_SUCCESS(Status))
        return Status;
    Volume->Flags |= DO_DIRECT_IO;
    Volume->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    BootfsVolume = Volume;
    IoAcquireVpbSpinLock(&OldIrql);
    Vpb->DeviceObject = Volume;
    Vpb->SerialNumber = BOOTFS_TAG;
    IoReleaseVpbSpinLock(OldIrql);
    return STATUS_SUCCESS;
}

/* Requests on the disk or the file system itself: they are opened, to attach to them, and closed. */
static NTSTATUS OwnDevice(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE:
        return BootfsComplete(
            Irp, Stack->FileObject->FileName.Length == 0 ? STATUS_SUCCESS : STATUS_OBJECT_PATH_NOT_FOUND,
            FILE_OPENED);
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return BootfsComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (Device == BootfsFileSystem && Stack->MinorFunction == IRP_MN_MOUNT_VOLUME)
            return BootfsComplete(Irp, Mount(Stack->Parameters.MountVolume.Vpb), 0);
        return BootfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    default:
        return BootfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Device == BootfsDisk || Device == BootfsFileSystem)
        return OwnDevice(Device, Irp);
    return VolumeRoutines[IoGetCurrentIrpStackLocation(Irp)->MajorFunction](Device, Irp);
}

static VOID FillRoutines(PDRIVER_OBJECT Driver)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        if (VolumeRoutines[i] != NULL)
            Driver->MajorFunction[i] = Dispatch;
    }
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING DiskName = RTL_CONSTANT_STRING(L"\\Device\\BootArchive");
    UNICODE_STRING FileSystemName = RTL_CONSTANT_STRING(L"\\BootFs");
    FillRoutines(Driver);
    NTSTATUS Status = IoCreateDevice(Driver, 0, &DiskName, FILE_DEVICE_VIRTUAL_DISK, FILE_READ_ONLY_DEVICE,
                                     FALSE, &BootfsDisk);
    if (NT_SUCCESS(Status))
        Status = IoCreateDevice(Driver, 0, &FileSystemName, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE,
                                &BootfsFileSystem);
    if (!NT_SUCCESS(Status))
        return Status;
    BootfsDisk->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    IoRegisterFileSystem(BootfsFileSystem);
    return STATUS_SUCCESS;
}

static NTSTATUS Damaged(const CPIO_ERROR *Error)
{
    KdLog("boot.cpio: offset 0x%I64x: %s; not mounted", Error->Offset, Error->Rule);
    return STATUS_DISK_CORRUPT_ERROR;
}

/* By the number of the node. */
static NTSTATUS MakeNodeTables(VOID)
{
    BootfsSections =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, BootfsIndex.NodeCount * sizeof(*BootfsSections), BOOTFS_TAG);
    BootfsShares =
        ExAllocatePool2(POOL_FLAG_PAGED, BootfsIndex.NodeCount * sizeof(*BootfsShares), BOOTFS_TAG);
    return BootfsSections != NULL && BootfsShares != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The folder Temp of the system's folder leads to the RAM disk. */
static VOID AddMountPoint(VOID)
{
    static const WCHAR Windows[] = L"Windows", Temp[] = L"Temp";
    uint32_t Node, Used;
    if (BootfsFind(&BootfsIndex, 0, (const uint16_t *)Windows, RTL_NUMBER_OF(Windows) - 1, BOOTFS_NONE, &Node,
                   &Used) == BootfsFound &&
        BootfsIndex.Nodes[Node].Folder)
        BootfsTemp.Node =
            BootfsAddFolder(&BootfsIndex, Node, (const uint16_t *)Temp, RTL_NUMBER_OF(Temp) - 1);
}

static NTSTATUS MakeIndex(const void *Archive, ULONG64 Length)
{
    CPIO_ERROR Error = {0};
    ULONG64 Size = BootfsMeasure(Archive, Length, &BootfsIndex, &Error);
    if (Size == 0)
        return Damaged(&Error);
    PVOID Memory = ExAllocatePool2(POOL_FLAG_PAGED, Size, BOOTFS_TAG);
    if (!Memory)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!BootfsBuild(&BootfsIndex, Memory, Archive, Length, &Error)) {
        ExFreePoolWithTag(Memory, BOOTFS_TAG);
        return Damaged(&Error);
    }
    AddMountPoint();
    return MakeNodeTables();
}

/* On failure the machine stops: nothing is given back. */
NTSTATUS IopMountBootArchive(const void *Archive, ULONG64 Length)
{
    BootfsArchive = Archive;
    BootfsArchiveLength = Length;
    KeInitializeGuardedMutex(&BootfsShareLock);
    KeInitializeGuardedMutex(&BootfsScanLock);
    NTSTATUS Status = MakeIndex(Archive, Length);
    if (NT_SUCCESS(Status))
        Status = IoCreateDriver(L"\\FileSystem\\BootFs", Entry);
    if (NT_SUCCESS(Status))
        Status = ObCreateKernelLink(L"\\SystemRoot", L"\\Device\\BootArchive\\Windows");
    return Status;
}

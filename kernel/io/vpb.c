/* SPDX-License-Identifier: MIT
 * Volume parameter blocks: which volume is mounted on a disk, and how many files hold it. [WDK VPB, How the Volume is Mounted] */
#include "iop.h"

static ARCH_LOCK IopVpbLock = ARCH_LOCK_INIT("IopVpbLock", LockRankIoVpb, DISPATCH_LEVEL);

/* [WDK IoAcquireVpbSpinLock] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoAcquireVpbSpinLock(PKIRQL Irql)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    *Irql = ArchAcquireLock(&IopVpbLock);
}

/* [WDK IoReleaseVpbSpinLock] IRQL = DISPATCH_LEVEL. [WDK Bug Check 0x10] the caller does not hold it. */
VOID NTAPI IoReleaseVpbSpinLock(KIRQL Irql)
{
    if (!ArchLockIsHeld(&IopVpbLock))
        KeBugCheckEx(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)&IopVpbLock, 0, 0, 0);
    ArchReleaseLock(&IopVpbLock, Irql);
}

static BOOLEAN IopHasVolume(DEVICE_TYPE Type)
{
    return Type == FILE_DEVICE_DISK || Type == FILE_DEVICE_CD_ROM || Type == FILE_DEVICE_TAPE ||
           Type == FILE_DEVICE_VIRTUAL_DISK;
}

NTSTATUS IopCreateVpb(PDEVICE_OBJECT Device)
{
    if (!IopHasVolume(Device->DeviceType))
        return STATUS_SUCCESS;
    PVPB Vpb = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Vpb), IOP_TAG_VPB);
    if (Vpb == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Vpb->Type = IO_TYPE_VPB;
    Vpb->Size = sizeof(*Vpb);
    Vpb->RealDevice = Device;
    Device->Vpb = Vpb;
    return STATUS_SUCCESS;
}

/* The disk's object goes: a file system that keeps its volume has nothing below it any more. One that replaced the VPB chose its pool. */
VOID IopFreeVpb(PDEVICE_OBJECT Device)
{
    PVPB Vpb = Device->Vpb;
    if (Vpb == NULL || !IopHasVolume(Device->DeviceType))
        return;
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    if (Vpb->DeviceObject != NULL)
        IopDeviceState(Vpb->DeviceObject)->Vpb = NULL;
    ArchReleaseLock(&IopVpbLock, OldIrql);
    ExFreePool(Vpb);
}

/* VPB lock held. The volume's device is NULL after it. */
static PDEVICE_OBJECT IopDismountLocked(PVPB Vpb)
{
    PDEVICE_OBJECT Volume = Vpb->DeviceObject;
    Vpb->DeviceObject = NULL;
    Vpb->Flags &= (USHORT) ~(VPB_MOUNTED | VPB_RAW_MOUNT);
    IopDeviceState(Volume)->Vpb = NULL;
    return Volume;
}

/* VPB lock held. A file system may have taken its volume off without a word. */
static BOOLEAN IopIsMountedLocked(PVPB Vpb)
{
    return (Vpb->Flags & VPB_MOUNTED) && Vpb->DeviceObject != NULL;
}

/* Files hold the volume's device too, so one that is deleted meanwhile stays until they are closed. *Volume: NULL, none is mounted. */
static NTSTATUS IopTryReferenceVolume(PVPB Vpb, PDEVICE_OBJECT *Volume)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    *Volume = IopIsMountedLocked(Vpb) ? Vpb->DeviceObject : NULL;
    if (Vpb->Flags & VPB_LOCKED) /* [WDK VPB] creates fail */
        Status = STATUS_ACCESS_DENIED;
    else if (*Volume != NULL)
        Status = IopReferenceDeviceForOpen(*Volume, TRUE);
    if (*Volume != NULL && NT_SUCCESS(Status)) {
        IopDeviceState(*Volume)->Vpb = Vpb;
        IopDeviceState(*Volume)->VolumeFiles++;
        Vpb->ReferenceCount++;
    }
    ArchReleaseLock(&IopVpbLock, OldIrql);
    return Status;
}

VOID IopDereferenceVolume(PFILE_OBJECT File)
{
    PDEVICE_OBJECT Volume = IopFile(File)->Volume;
    PVPB Vpb = IopFile(File)->Vpb;
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    BOOLEAN Last = --IopDeviceState(Volume)->VolumeFiles == 0 && Vpb->DeviceObject == Volume;
    BOOLEAN Raw = Last && (Vpb->Flags & VPB_RAW_MOUNT);
    Vpb->ReferenceCount--;
    if (Raw || (Last && (IopDeviceState(Volume)->ExtensionFlags & DOE_DELETE_PENDING)))
        (void)IopDismountLocked(Vpb);
    ArchReleaseLock(&IopVpbLock, OldIrql);
    ObfReferenceObject(Volume);
    IopDereferenceDevice(Volume);
    if (Raw)
        IoDeleteDevice(Volume);
    ObfDereferenceObject(Volume);
}

/* Both at once: the last file that is closed either finds it deleted or is gone already. */
VOID IopMarkDeleted(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    PVPB Vpb = IopDeviceState(Device)->Vpb;
    ArchAcquireLockAtIrql(&IopDatabaseLock);
    IopDeviceState(Device)->ExtensionFlags |= DOE_DELETE_PENDING;
    ArchReleaseLockFromIrql(&IopDatabaseLock);
    if (Vpb != NULL && Vpb->DeviceObject == Device && IopDeviceState(Device)->VolumeFiles == 0)
        (void)IopDismountLocked(Vpb);
    ArchReleaseLock(&IopVpbLock, OldIrql);
}

static VOID IopSetMounted(PVPB Vpb)
{
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    Vpb->Flags |= VPB_MOUNTED;
    IopDeviceState(Vpb->DeviceObject)->Vpb = Vpb;
    ArchReleaseLock(&IopVpbLock, OldIrql);
}

static BOOLEAN IopIsMounted(PVPB Vpb)
{
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    BOOLEAN Mounted = IopIsMountedLocked(Vpb);
    if (!Mounted)
        Vpb->Flags &= (USHORT)~VPB_MOUNTED; /* file systems are asked about a volume that is not */
    ArchReleaseLock(&IopVpbLock, OldIrql);
    return Mounted;
}

/* One thread mounts, the others wait for it: it must not be suspended meanwhile. */
static NTSTATUS IopMountOnce(PVPB Vpb, BOOLEAN AllowRaw)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&Vpb->RealDevice->DeviceLock, Executive, KernelMode, FALSE, NULL);
    if (!IopIsMounted(Vpb)) {
        Status = IopMountVolume(Vpb, AllowRaw);
        if (NT_SUCCESS(Status))
            IopSetMounted(Vpb);
    }
    KeSetEvent(&Vpb->RealDevice->DeviceLock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
    return Status;
}

/* [WDK FILE_OBJECT, FO_DIRECT_DEVICE_OPEN] an open of the device by its name alone for no more than this needs no volume. */
static BOOLEAN IopIsDirectOpen(const FILE_OBJECT *File, ACCESS_MASK Access)
{
    const ACCESS_MASK Attributes =
        SYNCHRONIZE | FILE_READ_ATTRIBUTES | READ_CONTROL | ACCESS_SYSTEM_SECURITY | WRITE_OWNER | WRITE_DAC;
    if (File->RelatedFileObject != NULL)
        return (File->RelatedFileObject->Flags & FO_DIRECT_DEVICE_OPEN) != 0;
    return (File->Flags & FO_VOLUME_OPEN) && (Access & ~Attributes) == 0;
}

NTSTATUS IopReferenceVolume(PFILE_OBJECT File, ACCESS_MASK DesiredAccess)
{
    PVPB Vpb = File->DeviceObject->Vpb;
    if (IopIsDirectOpen(File, DesiredAccess))
        File->Flags |= FO_DIRECT_DEVICE_OPEN;
    if (Vpb == NULL || (File->Flags & FO_DIRECT_DEVICE_OPEN))
        return STATUS_SUCCESS;
    for (;;) {
        PDEVICE_OBJECT Volume;
        NTSTATUS Status = IopTryReferenceVolume(Vpb, &Volume);
        if (NT_SUCCESS(Status) && Volume == NULL)
            Status = IopMountOnce(Vpb, (File->Flags & FO_VOLUME_OPEN) != 0);
        if (!NT_SUCCESS(Status))
            return Status;
        if (Volume != NULL) {
            IopFile(File)->Volume = Volume;
            IopFile(File)->Vpb = File->Vpb = Vpb;
            return STATUS_SUCCESS;
        }
    }
}

PDEVICE_OBJECT IopBaseDevice(PFILE_OBJECT File)
{
    /* a driver's own FILE_OBJECT, which nobody opened, has no VPB */
    return File->Vpb != NULL && IopFile(File)->Vpb != NULL ? IopFile(File)->Volume : File->DeviceObject;
}

/* [WDK IoGetBaseFileSystemDeviceObject] the volume's device under all filters; the file's device where none is mounted. */
PDEVICE_OBJECT NTAPI IoGetBaseFileSystemDeviceObject(PFILE_OBJECT File)
{
    return IopBaseDevice(File);
}

/* [WDK IoGetDiskDeviceObject] of a mounted volume's device, referenced. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoGetDiskDeviceObject(PDEVICE_OBJECT FileSystemDeviceObject, PDEVICE_OBJECT *DiskDeviceObject)
{
    NTSTATUS Status = STATUS_INVALID_PARAMETER;
    if (FileSystemDeviceObject->Vpb != NULL)
        return Status; /* a disk itself */
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    PVPB Vpb = IopDeviceState(FileSystemDeviceObject)->Vpb;
    /* a mounted volume does not hold its disk, which may be on its way out */
    Status =
        Vpb != NULL && ObReferenceObjectSafe(Vpb->RealDevice) ? STATUS_SUCCESS : STATUS_VOLUME_DISMOUNTED;
    if (NT_SUCCESS(Status))
        *DiskDeviceObject = Vpb->RealDevice;
    ArchReleaseLock(&IopVpbLock, OldIrql);
    return Status;
}

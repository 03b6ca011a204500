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

/* The disk's object goes: a file system that keeps its volume has nothing below it any more. */
VOID IopFreeVpb(PDEVICE_OBJECT Device)
{
    PVPB Vpb = Device->Vpb;
    if (Vpb == NULL || !IopHasVolume(Device->DeviceType))
        return;
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    if (Vpb->DeviceObject != NULL)
        IopDeviceState(Vpb->DeviceObject)->Vpb = NULL;
    ArchReleaseLock(&IopVpbLock, OldIrql);
    ExFreePoolWithTag(Vpb, IOP_TAG_VPB);
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

/* Files hold the volume's device too, so one that is deleted meanwhile stays until they are closed. */
static NTSTATUS IopTryReferenceVolume(PVPB Vpb, BOOLEAN *Mounted)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    *Mounted = (Vpb->Flags & VPB_MOUNTED) != 0;
    if (Vpb->Flags & VPB_LOCKED) /* [WDK VPB] creates fail */
        Status = STATUS_ACCESS_DENIED;
    else if (*Mounted)
        Status = IopReferenceDeviceForOpen(Vpb->DeviceObject, TRUE);
    if (*Mounted && NT_SUCCESS(Status))
        Vpb->ReferenceCount++;
    ArchReleaseLock(&IopVpbLock, OldIrql);
    return Status;
}

VOID IopDereferenceVolume(PVPB Vpb)
{
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    PDEVICE_OBJECT Volume = Vpb->DeviceObject;
    BOOLEAN Last = --Vpb->ReferenceCount == 0;
    BOOLEAN Raw = Last && (Vpb->Flags & VPB_RAW_MOUNT);
    if (Raw || (Last && (IopDeviceState(Volume)->ExtensionFlags & DOE_DELETE_PENDING)))
        (void)IopDismountLocked(Vpb);
    ArchReleaseLock(&IopVpbLock, OldIrql);
    ObfReferenceObject(Volume);
    IopDereferenceDevice(Volume);
    if (Raw)
        IoDeleteDevice(Volume);
    ObfDereferenceObject(Volume);
}

VOID IopForgetVolume(PDEVICE_OBJECT Volume)
{
    KIRQL OldIrql = ArchAcquireLock(&IopVpbLock);
    PVPB Vpb = IopDeviceState(Volume)->Vpb;
    if (Vpb != NULL && Vpb->DeviceObject == Volume && Vpb->ReferenceCount == 0)
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

/* One thread mounts, the others wait for it. */
static NTSTATUS IopMountOnce(PVPB Vpb, BOOLEAN AllowRaw)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KeWaitForSingleObject(&Vpb->RealDevice->DeviceLock, Executive, KernelMode, FALSE, NULL);
    if (!(Vpb->Flags & VPB_MOUNTED)) {
        Status = IopMountVolume(Vpb, AllowRaw);
        if (NT_SUCCESS(Status))
            IopSetMounted(Vpb);
    }
    KeSetEvent(&Vpb->RealDevice->DeviceLock, IO_NO_INCREMENT, FALSE);
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
        BOOLEAN Mounted;
        NTSTATUS Status = IopTryReferenceVolume(Vpb, &Mounted);
        if (NT_SUCCESS(Status) && !Mounted)
            Status = IopMountOnce(Vpb, (File->Flags & FO_VOLUME_OPEN) != 0);
        if (!NT_SUCCESS(Status))
            return Status;
        if (Mounted) {
            File->Vpb = Vpb;
            return STATUS_SUCCESS;
        }
    }
}

PDEVICE_OBJECT IopBaseDevice(PFILE_OBJECT File)
{
    return File->Vpb != NULL && File->Vpb->DeviceObject != NULL ? File->Vpb->DeviceObject
                                                                : File->DeviceObject;
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
    if (Vpb != NULL) {
        Status = STATUS_SUCCESS;
        *DiskDeviceObject = Vpb->RealDevice;
        ObfReferenceObject(Vpb->RealDevice);
    } else {
        Status = STATUS_VOLUME_DISMOUNTED;
    }
    ArchReleaseLock(&IopVpbLock, OldIrql);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Registered file systems, and asking them to mount a volume. [WDK IoRegisterFileSystem, How the Volume is Recognized] */
#include "iop.h"
#include "kd.h"

/* (d) by DEVICE_OBJECT.Queue.ListEntry; the newest first, those with DO_LOW_PRIORITY_FILESYSTEM last. */
static LIST_ENTRY IopFileSystems = {&IopFileSystems, &IopFileSystems};

/* The list entry would be linked a second time, or belongs to StartIo. */
static VOID IopCheckFileSystem(PDEVICE_OBJECT Device)
{
    if (Device->Queue.ListEntry.Flink != NULL)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_FILE_SYSTEM, (ULONG_PTR)Device, 0,
                          0, "registered the device of a file system that is registered already");
}

/* [WDK IoRegisterFileSystem] PASSIVE_LEVEL. The device is in use until it is unregistered. */
VOID NTAPI IoRegisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IopCheckFileSystem(DeviceObject);
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    DeviceObject->ReferenceCount++;
    DeviceObject->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    if (DeviceObject->Flags & DO_LOW_PRIORITY_FILESYSTEM)
        InsertTailList(&IopFileSystems, &DeviceObject->Queue.ListEntry);
    else
        InsertHeadList(&IopFileSystems, &DeviceObject->Queue.ListEntry);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

/* [WDK IoUnregisterFileSystem] PASSIVE_LEVEL. */
VOID NTAPI IoUnregisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    BOOLEAN Registered = DeviceObject->Queue.ListEntry.Flink != NULL;
    if (Registered) {
        RemoveEntryList(&DeviceObject->Queue.ListEntry);
        DeviceObject->Queue.ListEntry.Flink = NULL;
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Registered)
        IopDereferenceDevice(DeviceObject);
}

static DEVICE_TYPE IopFileSystemType(DEVICE_TYPE Disk)
{
    switch (Disk) {
    case FILE_DEVICE_CD_ROM:
        return FILE_DEVICE_CD_ROM_FILE_SYSTEM;
    case FILE_DEVICE_TAPE:
        return FILE_DEVICE_TAPE_FILE_SYSTEM;
    default:
        return FILE_DEVICE_DISK_FILE_SYSTEM;
    }
}

/* The file system of that type with Index before it, referenced as by an open, so that it stays registered or at least there. */
static PDEVICE_OBJECT IopFileSystemAt(DEVICE_TYPE Type, ULONG Index)
{
    PDEVICE_OBJECT Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    for (PLIST_ENTRY E = IopFileSystems.Flink; Found == NULL && E != &IopFileSystems; E = E->Flink) {
        PDEVICE_OBJECT Device = CONTAINING_RECORD(E, DEVICE_OBJECT, Queue.ListEntry);
        if (Device->DeviceType == Type && Index-- == 0)
            Found = Device;
    }
    if (Found != NULL) {
        Found->ReferenceCount++;
        ObfReferenceObject(Found);
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Found;
}

/* What a file system put there that failed is not mounted. */
static VOID IopClearVolume(PVPB Vpb)
{
    KIRQL OldIrql;
    IoAcquireVpbSpinLock(&OldIrql);
    Vpb->DeviceObject = NULL;
    Vpb->Flags &= (USHORT)~VPB_RAW_MOUNT;
    IoReleaseVpbSpinLock(OldIrql);
}

/* [WDK IRP_MJ_FILE_SYSTEM_CONTROL, IRP_MN_MOUNT_VOLUME] */
NTSTATUS IopSendMount(PDEVICE_OBJECT FileSystem, PVPB Vpb, BOOLEAN AllowRaw)
{
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IoAllocateIrp(FileSystem->StackSize, FALSE);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Irp->RequestorMode = KernelMode;
    Irp->Flags = IRP_MOUNT_COMPLETION;
    Stack->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    Stack->MinorFunction = IRP_MN_MOUNT_VOLUME;
    Stack->Flags = AllowRaw ? SL_ALLOW_RAW_MOUNT : 0;
    Stack->Parameters.MountVolume.Vpb = Vpb;
    Stack->Parameters.MountVolume.DeviceObject = IoGetAttachedDevice(Vpb->RealDevice);
    NTSTATUS Status = IopSendAndWait(FileSystem, Irp, &Iosb);
    if (NT_SUCCESS(Status) && Vpb->DeviceObject == NULL) {
        KdLog("a file system said that it mounted device %p, and set no volume; it is not mounted",
              Vpb->RealDevice);
        Status = STATUS_UNRECOGNIZED_VOLUME;
    }
    if (!NT_SUCCESS(Status))
        IopClearVolume(Vpb);
    return Status;
}

/* [WDK How the Volume is Recognized] each is asked until one mounts it; other errors than "not mine" end the search. Without any the
 * volume is mounted raw, for who opens it as a whole. */
NTSTATUS IopMountVolume(PVPB Vpb, BOOLEAN AllowRaw)
{
    NTSTATUS Status = STATUS_UNRECOGNIZED_VOLUME;
    PDEVICE_OBJECT FileSystem;
    for (ULONG Index = 0;
         Status == STATUS_UNRECOGNIZED_VOLUME &&
         (FileSystem = IopFileSystemAt(IopFileSystemType(Vpb->RealDevice->DeviceType), Index)) != NULL;
         Index++) {
        PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(FileSystem);
        Status = IopSendMount(Top, Vpb, AllowRaw);
        ObfDereferenceObject(Top);
        IopDereferenceDevice(FileSystem);
        ObfDereferenceObject(FileSystem);
    }
    return Status == STATUS_UNRECOGNIZED_VOLUME && AllowRaw ? IopMountRaw(Vpb) : Status;
}

/* SPDX-License-Identifier: MIT
 * What the PnP manager needs of the I/O manager: the drivers of services, requests, files of stacks. */
#include "iop.h"
#include "ke_checks.h"

const IO_UPCALLS *IoUpcalls;

IO_DEVICE_NODE *IoGetDeviceNode(PDEVICE_OBJECT Pdo)
{
    return IopDeviceState(Pdo)->DeviceNode;
}

VOID IoSetDeviceNode(PDEVICE_OBJECT Pdo, IO_DEVICE_NODE *Node)
{
    IopDeviceState(Pdo)->DeviceNode = Node;
}

NTSTATUS IoGetDriverOfService(PCUNICODE_STRING Service, PDRIVER_OBJECT *Driver)
{
    UNICODE_STRING Key;
    NTSTATUS Status = IopFindDriver(Service, Driver);
    if (Status != STATUS_OBJECT_NAME_NOT_FOUND)
        return Status;
    Status = IopMakePath(&Key, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\", Service, L"");
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwLoadDriver(&Key);
    ObFreeName(&Key);
    return NT_SUCCESS(Status) || Status == STATUS_IMAGE_ALREADY_LOADED ? IopFindDriver(Service, Driver)
                                                                       : Status;
}

/* [WDK "Writing an Unload Routine"] the PnP manager unloads a driver when its last device is gone. */
VOID IoUnloadIdleDriver(PDRIVER_OBJECT Driver)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    BOOLEAN Idle = Driver->DeviceObject == NULL;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Idle && Driver->DriverExtension->AddDevice != NULL)
        (void)IopRequestUnload(Driver);
}

typedef struct IOP_PNP_SENT {
    const IO_STACK_LOCATION *Location;
    PDEVICE_OBJECT Base, Top;
} IOP_PNP_SENT;

/* Before the last driver that saw a removal deletes its device. */
static NTSTATUS NTAPI IopPnpAnswered(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    const IOP_PNP_SENT *Sent = Context;
    IoCheckDuty(Irp, Sent->Location, Sent->Base, Sent->Top);
    return STATUS_CONTINUE_COMPLETION;
}

DECLSPEC_NOINLINE_CHECKED NTSTATUS IoSendPnpRequest(PDEVICE_OBJECT Device, const IO_STACK_LOCATION *Location,
                                                    PULONG_PTR Information)
{
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IopAllocateIrp(Device->StackSize, __builtin_return_address(0));
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    Irp->RequestorMode = KernelMode;
    *IoGetNextIrpStackLocation(Irp) = *Location;
    IOP_PNP_SENT Sent = {Location, IoGetDeviceAttachmentBaseRef(Device), Device};
    IoSetCompletionRoutine(Irp, IopPnpAnswered, &Sent, TRUE, TRUE, TRUE);
    (void)IopSendAndWait(Device, Irp, &Iosb);
    ObfDereferenceObject(Sent.Base);
    *Information = Iosb.Information;
    return Iosb.Status;
}

/* IOP_DEVICE_STATE.PowerFlags: the system's state in the low byte, the device's in the next; 0: not told. */
POWER_STATE IoExchangePowerState(PDEVICE_OBJECT Device, POWER_STATE_TYPE Type, POWER_STATE State)
{
    PULONG Flags = &IopDeviceState(Device)->PowerFlags;
    ULONG Shift = Type == DevicePowerState ? 8 : 0;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    ULONG Before = (*Flags >> Shift) & 0xff;
    *Flags = (*Flags & ~(0xffu << Shift)) | ((ULONG)State.SystemState & 0xff) << Shift;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Type == DevicePowerState)
        return (POWER_STATE){.DeviceState = Before != 0 ? (DEVICE_POWER_STATE)Before : PowerDeviceD0};
    return (POWER_STATE){.SystemState = Before != 0 ? (SYSTEM_POWER_STATE)Before : PowerSystemWorking};
}

ULONG IoCountStackFiles(PDEVICE_OBJECT Base)
{
    ULONG Count = 0;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    for (PDEVICE_OBJECT Device = Base; Device != NULL; Device = Device->AttachedDevice)
        Count += (ULONG)Device->ReferenceCount;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Count;
}

VOID IoCloseStack(PDEVICE_OBJECT Base)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    for (PDEVICE_OBJECT Device = Base; Device != NULL; Device = Device->AttachedDevice)
        IopDeviceState(Device)->ExtensionFlags |= DOE_REMOVE_PENDING;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

PDEVICE_OBJECT IopReferenceClosedLocked(PDEVICE_OBJECT Device)
{
    if (!(IopDeviceState(Device)->ExtensionFlags & DOE_REMOVE_PENDING) || Device->ReferenceCount != 0)
        return NULL;
    PDEVICE_OBJECT Base = IopBaseDeviceLocked(Device);
    if (IopDeviceState(Base)->DeviceNode == NULL)
        return NULL;
    ObfReferenceObject(Base);
    return Base;
}

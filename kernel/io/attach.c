/* SPDX-License-Identifier: MIT
 * Device stacks: attaching, detaching, finding the top. */
#include "iop.h"

PDEVICE_OBJECT IopTopDeviceLocked(PDEVICE_OBJECT Device)
{
    while (Device->AttachedDevice != NULL)
        Device = Device->AttachedDevice;
    return Device;
}

PDEVICE_OBJECT IopBaseDeviceLocked(PDEVICE_OBJECT Device)
{
    while (IopDeviceState(Device)->AttachedTo != NULL)
        Device = IopDeviceState(Device)->AttachedTo;
    return Device;
}

static BOOLEAN IopCanAttachTo(PDEVICE_OBJECT Top)
{
    return !(IopDeviceState(Top)->ExtensionFlags & (DOE_UNLOAD_PENDING | DOE_DELETE_PENDING));
}

/* The device that Source is attached to now; NULL when the top of the stack is on its way out. *AttachedTo is set before any
 * request can come through Source. */
static PDEVICE_OBJECT IopAttach(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target,
                                PDEVICE_OBJECT volatile *AttachedTo)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    PDEVICE_OBJECT Top = IopTopDeviceLocked(Target);
    if (!IopCanAttachTo(Top)) {
        Top = NULL;
    } else {
        if (AttachedTo != NULL)
            *AttachedTo = Top;
        Source->StackSize = (CCHAR)(Top->StackSize + 1);
        Source->AlignmentRequirement = Top->AlignmentRequirement;
        Source->SectorSize = Top->SectorSize;
        IopDeviceState(Source)->AttachedTo = Top;
        Top->AttachedDevice = Source;
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Top;
}

/* [WDK IoAttachDeviceToDeviceStack] IRQL <= DISPATCH_LEVEL. */
PDEVICE_OBJECT NTAPI IoAttachDeviceToDeviceStack(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target)
{
    return IopAttach(Source, Target, NULL);
}

/* [WDK IoAttachDeviceToDeviceStackSafe] STATUS_NO_SUCH_DEVICE when it cannot attach; *AttachedTo must be NULL before. */
NTSTATUS NTAPI IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target,
                                               PDEVICE_OBJECT *AttachedTo)
{
    return IopAttach(Source, Target, AttachedTo) != NULL ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

/* [WDK IoAttachDevice] opens the named device only to reach its stack. The file that it opens is closed again, so the target is
 * held by the attachment alone. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoAttachDevice(PDEVICE_OBJECT Source, PUNICODE_STRING TargetName, PDEVICE_OBJECT *AttachedTo)
{
    PFILE_OBJECT File;
    PDEVICE_OBJECT Target;
    NTSTATUS Status = IoGetDeviceObjectPointer(TargetName, FILE_READ_ATTRIBUTES, &File, &Target);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoAttachDeviceToDeviceStackSafe(Source, Target, AttachedTo);
    ObfDereferenceObject(File);
    return Status;
}

/* [WDK IoDetachDevice] Target is the device below. If it was deleted meanwhile, it goes now. [WDK Bug Check 0xC9] 0x202: nothing is
 * attached to it */
DECLSPEC_NOINLINE VOID NTAPI IoDetachDevice(PDEVICE_OBJECT Target)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    if (Target->AttachedDevice == NULL)
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x202, (ULONG_PTR)__builtin_return_address(0), 0,
                     (ULONG_PTR)Target);
    IopDeviceState(Target->AttachedDevice)->AttachedTo = NULL;
    Target->AttachedDevice = NULL;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    IopAfterDetach(Target);
}

PDEVICE_OBJECT NTAPI IoGetAttachedDevice(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    PDEVICE_OBJECT Top = IopTopDeviceLocked(Device);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Top;
}

/* [WDK IoGetAttachedDeviceReference] IRQL <= DISPATCH_LEVEL; the caller dereferences. */
PDEVICE_OBJECT NTAPI IoGetAttachedDeviceReference(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    PDEVICE_OBJECT Top = IopTopDeviceLocked(Device);
    ObfReferenceObject(Top);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Top;
}

/* [WDK IoGetLowerDeviceObject] referenced; NULL at the bottom of the stack. */
PDEVICE_OBJECT NTAPI IoGetLowerDeviceObject(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    PDEVICE_OBJECT Lower = IopDeviceState(Device)->AttachedTo;
    if (Lower != NULL)
        ObfReferenceObject(Lower);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Lower;
}

/* [WDK IoGetDeviceAttachmentBaseRef] the lowest device of the stack, referenced. IRQL <= DISPATCH_LEVEL. */
PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    Device = IopBaseDeviceLocked(Device);
    ObfReferenceObject(Device);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Device;
}

/* [WDK IoGetRelatedDeviceObject] the top of the stack that gets the file's IRPs: of the volume that is mounted on its device, else of the
 * device. A file that was opened for the drivers below a filter has another one. */
PDEVICE_OBJECT NTAPI IoGetRelatedDeviceObject(PFILE_OBJECT File)
{
    if (File->Flags & IOP_FO_HAS_HINT)
        return IopFile(File)->Hint;
    return IoGetAttachedDevice(IopBaseDevice(File));
}

/* [WDK IoGetDeviceObjectPointer] *Device is the top of the stack, held by *File: the caller dereferences the file. */
NTSTATUS NTAPI IoGetDeviceObjectPointer(PUNICODE_STRING Name, ACCESS_MASK Access, PFILE_OBJECT *File,
                                        PDEVICE_OBJECT *Device)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle;
    PFILE_OBJECT Opened;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status = ZwOpenFile(&Handle, Access, &Attributes, &Iosb, 0, FILE_NON_DIRECTORY_FILE);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObReferenceObjectByHandle(Handle, 0, IoFileObjectType, KernelMode, (PVOID *)&Opened, NULL);
    if (NT_SUCCESS(Status)) {
        *File = Opened;
        *Device = IoGetRelatedDeviceObject(Opened);
    }
    ZwClose(Handle);
    return Status;
}

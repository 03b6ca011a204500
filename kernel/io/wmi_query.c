/* SPDX-License-Identifier: MIT
 * A WMI provider is asked for the blocks that it has. What it answers is not trusted. [WDK IRP_MN_REGINFO, IRP_MN_REGINFO_EX, WMIREGINFO] */
#include "wmi.h"
#include "kd.h"

#define IOP_REGINFO_ROOM 4096u
#define IOP_REGINFO_MOST (64u * 1024)

typedef struct _IOP_REGINFO {
    PDEVICE_OBJECT Device; /* top of the stack */
    PDEVICE_OBJECT Provider;
    BOOLEAN Update;
    BOOLEAN Extended; /* IRP_MN_REGINFO_EX was answered */
    ULONG Room;
    PVOID Buffer;
    IO_STATUS_BLOCK Iosb;
} IOP_REGINFO;

static DECLSPEC_NOINLINE NTSTATUS IopSendRegInfo(IOP_REGINFO *Info, UCHAR Minor)
{
    PIRP Irp = IopAllocateIrp(Info->Device->StackSize, __builtin_return_address(0));
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Info->Buffer, Info->Room);
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    Stack->MajorFunction = IRP_MJ_SYSTEM_CONTROL;
    Stack->MinorFunction = Minor;
    Stack->Parameters.WMI.ProviderId = (ULONG_PTR)Info->Provider;
    Stack->Parameters.WMI.DataPath = (PVOID)(ULONG_PTR)(Info->Update ? WMIUPDATE : WMIREGISTER);
    Stack->Parameters.WMI.BufferSize = Info->Room;
    Stack->Parameters.WMI.Buffer = Info->Buffer;
    return IopSendAndWait(Info->Device, Irp, &Info->Iosb);
}

/* [WDK IRP_MN_REGINFO] too small: the buffer begins with the size that is needed. */
static ULONG IopNeededRoom(const IOP_REGINFO *Info, NTSTATUS Status)
{
    ULONG Needed = *(const ULONG *)Info->Buffer;
    if (Status != STATUS_BUFFER_TOO_SMALL || Info->Iosb.Information != sizeof(ULONG))
        return 0;
    return Needed > Info->Room && Needed <= IOP_REGINFO_MOST ? Needed : 0;
}

static NTSTATUS IopAskWithRoom(IOP_REGINFO *Info, ULONG Room)
{
    Info->Room = Room;
    Info->Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, Room, IOP_TAG_WMI);
    if (Info->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = IopSendRegInfo(Info, IRP_MN_REGINFO_EX);
    Info->Extended = NT_SUCCESS(Status);
    if (!NT_SUCCESS(Status) && Status != STATUS_BUFFER_TOO_SMALL)
        Status = IopSendRegInfo(Info, IRP_MN_REGINFO);
    return Status;
}

/* How many GUIDs of the block at Info lie inside Left bytes. */
static ULONG IopGuidsInside(const WMIREGINFOW *Info, ULONG_PTR Left)
{
    ULONG_PTR Fixed = FIELD_OFFSET(WMIREGINFOW, WmiRegGuid);
    if (Left < Fixed || Info->GuidCount > (Left - Fixed) / sizeof(WMIREGGUIDW))
        return 0;
    return Info->GuidCount;
}

/* [WDK IRP_MN_REGINFO_EX] the driver has referenced the device that names the instances; WMI lets go of it. */
static VOID IopReleaseInstance(const WMIREGGUIDW *Guid)
{
    PDEVICE_OBJECT Device = (PDEVICE_OBJECT)Guid->Pdo;
    if (!(Guid->Flags & WMIREG_FLAG_INSTANCE_PDO) || Device == NULL)
        return;
    if (MmIsAddressValid(Device) && Device->Type == IO_TYPE_DEVICE && ObTypeOf(Device) == IoDeviceObjectType)
        ObfDereferenceObject(Device);
}

static VOID IopLogGuids(const IOP_REGINFO *Asked, ULONG Id)
{
    const WMIREGINFOW *Info = Asked->Buffer;
    ULONG_PTR Size = min(Asked->Iosb.Information, Asked->Room);
    ULONG Count = IopGuidsInside(Info, Size);
    for (ULONG I = 0; I < Count && Asked->Extended; I++)
        IopReleaseInstance(&Info->WmiRegGuid[I]);
    KdLog("WMI provider %lu (%wZ) has %lu GUIDs", Id, &Asked->Provider->DriverObject->DriverName, Count);
}

VOID IopAskProvider(PDEVICE_OBJECT Device, ULONG Id, BOOLEAN Update)
{
    IOP_REGINFO Info = {.Device = IoGetAttachedDeviceReference(Device), .Provider = Device, .Update = Update};
    NTSTATUS Status = IopAskWithRoom(&Info, IOP_REGINFO_ROOM);
    ULONG Needed = Info.Buffer != NULL ? IopNeededRoom(&Info, Status) : 0;
    if (Needed != 0) {
        ExFreePoolWithTag(Info.Buffer, IOP_TAG_WMI);
        Status = IopAskWithRoom(&Info, Needed);
    }
    if (NT_SUCCESS(Status))
        IopLogGuids(&Info, Id);
    else
        KdLog("WMI provider %lu (%wZ) does not say what it has: %08lx", Id, &Device->DriverObject->DriverName,
              (ULONG)Status);
    if (Info.Buffer != NULL)
        ExFreePoolWithTag(Info.Buffer, IOP_TAG_WMI);
    ObfDereferenceObject(Info.Device);
}

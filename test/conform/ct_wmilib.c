/* SPDX-License-Identifier: MIT
 * A driver whose WMI requests WMILIB.SYS answers; the requests are made here, as WMI makes them. [WDK WmiSystemControl, WmiCompleteRequest,
 * WmiFireEvent, WMILIB_CONTEXT, IRP_MN_QUERY_ALL_DATA and the other minor functions] */
#include "ct_irp.h"
#include <wmilib.h>
#include <wmistr.h>

static const GUID BlockGuid = {0x4E544258, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static const GUID EventGuid = {0x4E544258, 1, 3, {3, 4, 5, 6, 7, 8, 9, 10}};
static const GUID OtherGuid = {0x4E544258, 1, 4, {3, 4, 5, 6, 7, 8, 9, 10}};
static WMIGUIDREGINFO Blocks[] = {{&EventGuid, 1, WMIREG_FLAG_EVENT_ONLY_GUID}, {&BlockGuid, 3, 0}};
static const ULONG Sizes[3] = {4, 12, 8};
enum { SIZES_TOGETHER = 8 + 16 + 8 }; /* each instance begins on 8 bytes */

static PDEVICE_OBJECT Device, Instance;
static WMILIB_CONTEXT Context;
static SYSCTL_IRP_DISPOSITION Disposition;
static UCHAR Stored[16];
static ULONG StoredSize, StoredItem, Method, ControlCalls, LastInstance, AskedForSize;
static BOOLEAN Enabled, Events, ByDevice, Pends;
static PIRP Pending;
static KEVENT Asked;
static LARGE_INTEGER Patience = {.QuadPart = -10 * 10000000LL};
static UNICODE_STRING Resource = RTL_CONSTANT_STRING(L"Resource"), Odd = RTL_CONSTANT_STRING(L"Key");

/* --- the driver's routines --- */

static NTSTATUS NTAPI QueryRegInfo(PDEVICE_OBJECT DeviceObject, PULONG Flags, PUNICODE_STRING Name,
                                   PUNICODE_STRING *Path, PUNICODE_STRING Mof, PDEVICE_OBJECT *Pdo)
{
    CT_CHECK(DeviceObject == Device);
    *Path = &Odd;
    *Mof = Resource;
    if (ByDevice) {
        *Flags = WMIREG_FLAG_INSTANCE_PDO;
        *Pdo = Instance;
        return STATUS_SUCCESS;
    }
    Name->Buffer = ExAllocatePool2(POOL_FLAG_PAGED, 8, 'lwTC'); /* the library frees it */
    if (Name->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Name->Buffer, L"Base", 8);
    Name->Length = Name->MaximumLength = 8;
    *Flags = WMIREG_FLAG_INSTANCE_BASENAME;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI QueryBlock(PDEVICE_OBJECT DeviceObject, PIRP Irp, ULONG Guid, ULONG First, ULONG Count,
                                 PULONG Lengths, ULONG Room, PUCHAR Buffer)
{
    ULONG Needed = 0;
    CT_CHECK(DeviceObject == Device && Guid == 1 && First + Count <= 3);
    LastInstance = First;
    for (ULONG i = First; i < First + Count; i++)
        Needed = ((Needed + 7) & ~7u) + Sizes[i];
    if (Count > 1)
        Needed = SIZES_TOGETHER;
    CT_CHECK((Room == 0) == (Lengths == NULL));
    AskedForSize += Room == 0;
    if (Room < Needed)
        return WmiCompleteRequest(DeviceObject, Irp, STATUS_BUFFER_TOO_SMALL, Needed, IO_NO_INCREMENT);
    for (ULONG i = First, At = 0; i < First + Count; i++, At = (At + 7) & ~7u) {
        Lengths[i - First] = Sizes[i];
        RtlFillMemory(Buffer + At, Sizes[i], (UCHAR)(0x10 + i));
        At += Sizes[i];
    }
    if (Pends) {
        IoMarkIrpPending(Irp);
        Pending = Irp;
        return STATUS_PENDING;
    }
    return WmiCompleteRequest(DeviceObject, Irp, STATUS_SUCCESS, Needed, IO_NO_INCREMENT);
}

static NTSTATUS NTAPI SetBlock(PDEVICE_OBJECT DeviceObject, PIRP Irp, ULONG Guid, ULONG Index, ULONG Size,
                               PUCHAR Buffer)
{
    CT_CHECK(Guid == 1);
    LastInstance = Index;
    StoredSize = Size;
    RtlCopyMemory(Stored, Buffer, min(Size, (ULONG)sizeof(Stored)));
    return WmiCompleteRequest(DeviceObject, Irp, STATUS_SUCCESS, 0, IO_NO_INCREMENT);
}

static NTSTATUS NTAPI SetItem(PDEVICE_OBJECT DeviceObject, PIRP Irp, ULONG Guid, ULONG Index, ULONG Item,
                              ULONG Size, PUCHAR Buffer)
{
    StoredItem = Item;
    NTSTATUS Status = SetBlock(DeviceObject, Irp, Guid, Index, Size, Buffer);
    return Status;
}

/* Gives each byte of the input twice. */
static NTSTATUS NTAPI Execute(PDEVICE_OBJECT DeviceObject, PIRP Irp, ULONG Guid, ULONG Index, ULONG MethodId,
                              ULONG InSize, ULONG OutSize, PUCHAR Buffer)
{
    CT_CHECK(Guid == 1 && Index == 2);
    Method = MethodId;
    if (OutSize < 2 * InSize)
        return WmiCompleteRequest(DeviceObject, Irp, STATUS_BUFFER_TOO_SMALL, 2 * InSize, IO_NO_INCREMENT);
    for (ULONG i = InSize; i-- > 0;)
        Buffer[2 * i] = Buffer[2 * i + 1] = Buffer[i];
    return WmiCompleteRequest(DeviceObject, Irp, STATUS_SUCCESS, 2 * InSize, IO_NO_INCREMENT);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp, ULONG Guid,
                              WMIENABLEDISABLECONTROL Function, BOOLEAN Enable)
{
    CT_CHECK(Guid == 0);
    ControlCalls++;
    Enabled = Enable;
    Events = Function == WmiEventControl;
    return WmiCompleteRequest(DeviceObject, Irp, STATUS_SUCCESS, 0, IO_NO_INCREMENT);
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    BOOLEAN Registration = IoGetCurrentIrpStackLocation(Irp)->MinorFunction >= IRP_MN_REGINFO;
    NTSTATUS Status = WmiSystemControl(&Context, DeviceObject, Irp, &Disposition);
    if (Disposition == IrpProcessed)
        return Status;
    if (Disposition == IrpNotCompleted)
        CT_STATUS(Irp->IoStatus.Status, Status);
    else
        Irp->IoStatus.Status = Status = STATUS_NOT_SUPPORTED; /* nobody below */
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    if (Registration)
        KeSetEvent(&Asked, IO_NO_INCREMENT, FALSE);
    return Status;
}

/* --- what WMI does --- */

static IO_STATUS_BLOCK Iosb;
static union {
    WNODE_HEADER Header;
    WNODE_ALL_DATA All;
    WNODE_SINGLE_INSTANCE Single;
    WNODE_SINGLE_ITEM Item;
    WNODE_METHOD_ITEM Method;
    WNODE_TOO_SMALL TooSmall;
    WMIREGINFOW Info;
    UCHAR Bytes[512];
} Node;

static NTSTATUS NTAPI Keep(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Done)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Iosb = Irp->IoStatus;
    KeSetEvent(Done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS AskFor(UCHAR Minor, PDEVICE_OBJECT Provider, const GUID *Guid, ULONG Room)
{
    KEVENT Done;
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);
    if (!CT_CHECK(Irp != NULL))
        return STATUS_INSUFFICIENT_RESOURCES;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    Stack->MajorFunction = IRP_MJ_SYSTEM_CONTROL;
    Stack->MinorFunction = Minor;
    Stack->Parameters.WMI.ProviderId = (ULONG_PTR)Provider;
    Stack->Parameters.WMI.DataPath = (PVOID)Guid;
    Stack->Parameters.WMI.BufferSize = Room;
    Stack->Parameters.WMI.Buffer = &Node;
    IoSetCompletionRoutine(Irp, Keep, &Done, TRUE, TRUE, TRUE);
    NTSTATUS Status = IoCallDriver(Device, Irp);
    if (Pends) {
        CT_STATUS(Status, STATUS_PENDING);
        Status = WmiCompleteRequest(Device, Pending, STATUS_SUCCESS, Sizes[LastInstance], IO_NO_INCREMENT);
    }
    CT_SUCCESS(KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, &Patience));
    CT_STATUS(Iosb.Status, Status);
    IoFreeIrp(Irp);
    return Status;
}

static NTSTATUS Ask(UCHAR Minor, ULONG Room)
{
    return AskFor(Minor, Device, &BlockGuid, Room);
}

static VOID MakeSingle(ULONG Index, ULONG Offset, ULONG Size)
{
    RtlZeroMemory(&Node, sizeof(Node));
    Node.Header.BufferSize = sizeof(Node);
    Node.Header.Flags = WNODE_FLAG_SINGLE_INSTANCE | WNODE_FLAG_STATIC_INSTANCE_NAMES;
    Node.Single.InstanceIndex = Index;
    Node.Single.DataBlockOffset = Offset;
    Node.Single.SizeDataBlock = Size;
}

static BOOLEAN Prepare(VOID)
{
    CtDriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Context = (WMILIB_CONTEXT){
        RTL_NUMBER_OF(Blocks), Blocks, QueryRegInfo, QueryBlock, SetBlock, SetItem, Execute, Control};
    KeInitializeEvent(&Asked, SynchronizationEvent, FALSE);
    ControlCalls = AskedForSize = 0;
    ByDevice = Pends = FALSE;
    return CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)) &&
           CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Instance));
}

static VOID Finish(VOID)
{
    IoDeleteDevice(Device);
    IoDeleteDevice(Instance);
}

/* --- cases --- */

static BOOLEAN IsCounted(ULONG Offset, const WCHAR *Text, USHORT Length)
{
    return *(USHORT *)(Node.Bytes + Offset) == Length &&
           RtlCompareMemory(Node.Bytes + Offset + 2, Text, Length) == Length;
}

/* The GUIDs of the driver's list, and where the names of instances come from. */
static VOID Registration(VOID)
{
    CT_REQUIRE(Prepare());
    CT_SUCCESS(AskFor(IRP_MN_REGINFO_EX, Device, (PVOID)WMIREGISTER, sizeof(Node)));
    CT_EQUAL(Disposition, IrpNotCompleted);
    CT_EQUAL(Iosb.Information, Node.Info.BufferSize);
    CT_EQUAL(Node.Info.GuidCount, 2);
    CT_EQUAL(Node.Info.WmiRegGuid[0].Flags, WMIREG_FLAG_EVENT_ONLY_GUID | WMIREG_FLAG_INSTANCE_BASENAME);
    CT_CHECK(RtlCompareMemory(&Node.Info.WmiRegGuid[1].Guid, &BlockGuid, sizeof(GUID)) == sizeof(GUID));
    CT_EQUAL(Node.Info.WmiRegGuid[1].InstanceCount, 3);
    CT_CHECK(IsCounted(Node.Info.WmiRegGuid[1].BaseNameOffset, L"Base", 8));
    CT_CHECK(IsCounted(Node.Info.MofResourceName, L"Resource", 16) &&
             IsCounted(Node.Info.RegistryPath, L"Key", 6));
    ULONG Needed = Node.Info.BufferSize;
    CT_STATUS(AskFor(IRP_MN_REGINFO, Device, (PVOID)WMIREGISTER, 40), STATUS_BUFFER_TOO_SMALL);
    CT_CHECK(*(ULONG *)&Node == Needed && Iosb.Information == sizeof(ULONG));
    ByDevice = TRUE; /* with REGINFO_EX a reference for each GUID comes along */
    CT_SUCCESS(AskFor(IRP_MN_REGINFO_EX, Device, (PVOID)WMIREGISTER, sizeof(Node)));
    for (ULONG i = 0; i < 2; i++) {
        if (CT_CHECK(Node.Info.WmiRegGuid[i].Pdo == (ULONG_PTR)Instance))
            ObDereferenceObject(Instance);
    }
    CT_SUCCESS(AskFor(IRP_MN_REGINFO, Device, (PVOID)WMIREGISTER, sizeof(Node)));
    Finish();
}

/* WMI itself asks, in a thread of its own. */
static VOID Registered(VOID)
{
    CT_REQUIRE(Prepare());
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_REGISTER));
    CT_SUCCESS(KeWaitForSingleObject(&Asked, Executive, KernelMode, FALSE, &Patience));
    UCHAR *Data = ExAllocatePool2(POOL_FLAG_NON_PAGED, 5, 'lwTC');
    CT_CHECK(Data != NULL);
    CT_SUCCESS(WmiFireEvent(Device, &EventGuid, 0, 5, Data)); /* frees the data */
    CT_SUCCESS(WmiFireEvent(Device, &EventGuid, 0, 0, NULL));
    CT_SUCCESS(IoWMIRegistrationControl(Device, WMIREG_ACTION_DEREGISTER));
    CT_EQUAL(Disposition, IrpNotCompleted);
    Finish();
}

static VOID AllData(VOID)
{
    CT_REQUIRE(Prepare());
    RtlZeroMemory(&Node, sizeof(Node));
    Node.Header.Flags = WNODE_FLAG_ALL_DATA;
    CT_SUCCESS(Ask(IRP_MN_QUERY_ALL_DATA, sizeof(Node)));
    CT_EQUAL(Disposition, IrpProcessed);
    CT_EQUAL(Node.All.InstanceCount, 3);
    CT_CHECK(Node.All.DataBlockOffset % 8 == 0 && Node.Header.TimeStamp.QuadPart != 0);
    for (ULONG i = 0; i < 3; i++) {
        OFFSETINSTANCEDATAANDLENGTH Place = Node.All.OffsetInstanceDataAndLength[i];
        CT_EQUAL(Place.LengthInstanceData, Sizes[i]);
        CT_CHECK(Place.OffsetInstanceData % 8 == 0 && Node.Bytes[Place.OffsetInstanceData] == 0x10 + i);
    }
    CT_EQUAL(Node.Header.BufferSize, Node.All.DataBlockOffset + SIZES_TOGETHER);
    CT_EQUAL(Iosb.Information, Node.Header.BufferSize);
    ULONG Whole = Node.Header.BufferSize;
    CT_SUCCESS(Ask(IRP_MN_QUERY_ALL_DATA, Whole)); /* just enough */
    CT_EQUAL(Iosb.Information, Whole);
    CT_SUCCESS(Ask(IRP_MN_QUERY_ALL_DATA, Whole - 1));
    CT_CHECK(Node.Header.Flags == WNODE_FLAG_TOO_SMALL && Node.TooSmall.SizeNeeded == Whole);
    CT_EQUAL(Iosb.Information, sizeof(WNODE_TOO_SMALL));
    CT_EQUAL(AskedForSize, 0);
    CT_SUCCESS(Ask(IRP_MN_QUERY_ALL_DATA, sizeof(WNODE_TOO_SMALL))); /* no room for data at all */
    CT_CHECK(AskedForSize == 1 && Node.TooSmall.SizeNeeded == Whole);
    CT_STATUS(Ask(IRP_MN_QUERY_ALL_DATA, sizeof(WNODE_TOO_SMALL) - 1), STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Disposition, IrpNotCompleted);
    Finish();
}

static VOID Single(VOID)
{
    CT_REQUIRE(Prepare());
    MakeSingle(1, 64, 0);
    CT_SUCCESS(Ask(IRP_MN_QUERY_SINGLE_INSTANCE, sizeof(Node)));
    CT_CHECK(LastInstance == 1 && Node.Single.SizeDataBlock == Sizes[1] && Node.Bytes[64] == 0x11);
    CT_CHECK(Iosb.Information == 64 + Sizes[1] && Node.Header.BufferSize == 64 + Sizes[1]);
    MakeSingle(1, 64, 0);
    CT_SUCCESS(Ask(IRP_MN_QUERY_SINGLE_INSTANCE, 64 + Sizes[1] - 1));
    CT_CHECK(Node.Header.Flags == WNODE_FLAG_TOO_SMALL && Node.TooSmall.SizeNeeded == 64 + Sizes[1]);
    MakeSingle(3, 64, 0);
    CT_STATUS(Ask(IRP_MN_QUERY_SINGLE_INSTANCE, sizeof(Node)), STATUS_WMI_INSTANCE_NOT_FOUND);
    MakeSingle(1, 64, 0);
    Node.Header.Flags = WNODE_FLAG_SINGLE_INSTANCE; /* by a dynamic name: the library has none */
    CT_STATUS(Ask(IRP_MN_QUERY_SINGLE_INSTANCE, sizeof(Node)), STATUS_WMI_INSTANCE_NOT_FOUND);
    MakeSingle(0, 64, 0); /* the driver answers later */
    Pends = TRUE;
    CT_SUCCESS(Ask(IRP_MN_QUERY_SINGLE_INSTANCE, sizeof(Node)));
    CT_EQUAL(Disposition, IrpProcessed);
    CT_CHECK(Iosb.Information == 64 + Sizes[0] && Node.Bytes[64] == 0x10);
    Finish();
}

static VOID Change(VOID)
{
    CT_REQUIRE(Prepare());
    MakeSingle(2, 64, 3);
    RtlCopyMemory(Node.Bytes + 64, "abc", 3);
    CT_SUCCESS(Ask(IRP_MN_CHANGE_SINGLE_INSTANCE, sizeof(Node)));
    CT_CHECK(Iosb.Information == 0 && StoredSize == 3 && LastInstance == 2 && Stored[2] == 'c');
    MakeSingle(2, 64, sizeof(Node)); /* leads out of the buffer */
    CT_STATUS(Ask(IRP_MN_CHANGE_SINGLE_INSTANCE, sizeof(Node)), STATUS_INVALID_PARAMETER);
    MakeSingle(0, 0, 0);
    Node.Item.ItemId = 7;
    Node.Item.DataBlockOffset = 72;
    Node.Item.SizeDataItem = 2;
    RtlCopyMemory(Node.Bytes + 72, "xy", 2);
    CT_SUCCESS(Ask(IRP_MN_CHANGE_SINGLE_ITEM, sizeof(Node)));
    CT_CHECK(StoredItem == 7 && StoredSize == 2 && Stored[1] == 'y');
    Context.SetWmiDataBlock = NULL;
    Context.SetWmiDataItem = NULL;
    MakeSingle(2, 64, 3);
    CT_STATUS(Ask(IRP_MN_CHANGE_SINGLE_INSTANCE, sizeof(Node)), STATUS_WMI_READ_ONLY);
    CT_STATUS(Ask(IRP_MN_CHANGE_SINGLE_ITEM, sizeof(Node)), STATUS_WMI_READ_ONLY);
    CT_EQUAL(Disposition, IrpNotCompleted);
    Finish();
}

static VOID MakeMethod(VOID)
{
    MakeSingle(2, 0, 0);
    Node.Method.MethodId = 42;
    Node.Method.DataBlockOffset = 72;
    Node.Method.SizeDataBlock = 2;
    RtlCopyMemory(Node.Bytes + 72, "pq", 2);
}

static VOID Methods(VOID)
{
    CT_REQUIRE(Prepare());
    MakeMethod();
    CT_SUCCESS(Ask(IRP_MN_EXECUTE_METHOD, sizeof(Node)));
    CT_CHECK(Method == 42 && Node.Method.SizeDataBlock == 4 && Iosb.Information == 76);
    CT_CHECK(RtlCompareMemory(Node.Bytes + 72, "ppqq", 4) == 4);
    MakeMethod();
    CT_SUCCESS(Ask(IRP_MN_EXECUTE_METHOD, 75));
    CT_CHECK(Node.Header.Flags == WNODE_FLAG_TOO_SMALL && Node.TooSmall.SizeNeeded == 76);
    MakeMethod();
    Context.ExecuteWmiMethod = NULL;
    CT_STATUS(Ask(IRP_MN_EXECUTE_METHOD, sizeof(Node)), STATUS_INVALID_DEVICE_REQUEST);
    Finish();
}

static VOID Controls(VOID)
{
    CT_REQUIRE(Prepare());
    CT_SUCCESS(AskFor(IRP_MN_ENABLE_EVENTS, Device, &EventGuid, 0));
    CT_CHECK(ControlCalls == 1 && Enabled && Events && Iosb.Information == 0);
    CT_SUCCESS(AskFor(IRP_MN_DISABLE_EVENTS, Device, &EventGuid, 0));
    CT_CHECK(ControlCalls == 2 && !Enabled && Events);
    CT_SUCCESS(AskFor(IRP_MN_ENABLE_COLLECTION, Device, &EventGuid, 0));
    CT_CHECK(Enabled && !Events);
    CT_SUCCESS(AskFor(IRP_MN_DISABLE_COLLECTION, Device, &EventGuid, 0));
    CT_CHECK(!Enabled && !Events && ControlCalls == 4);
    Context.WmiFunctionControl = NULL; /* who need not know */
    CT_SUCCESS(AskFor(IRP_MN_ENABLE_EVENTS, Device, &EventGuid, 0));
    CT_CHECK(ControlCalls == 4 && Disposition == IrpProcessed);
    Finish();
}

/* Requests that are not this device's, or no WMI requests, go on to the next driver. */
static VOID Dispositions(VOID)
{
    CT_REQUIRE(Prepare());
    CT_STATUS(AskFor(IRP_MN_QUERY_ALL_DATA, Instance, &BlockGuid, sizeof(Node)), STATUS_NOT_SUPPORTED);
    CT_EQUAL(Disposition, IrpForward);
    CT_STATUS(AskFor(0x0A, Device, &BlockGuid, sizeof(Node)), STATUS_NOT_SUPPORTED);
    CT_EQUAL(Disposition, IrpNotWmi);
    CT_STATUS(AskFor(0x77, Device, &BlockGuid, sizeof(Node)), STATUS_NOT_SUPPORTED);
    CT_EQUAL(Disposition, IrpNotWmi);
    CT_STATUS(AskFor(IRP_MN_QUERY_ALL_DATA, Device, &OtherGuid, sizeof(Node)), STATUS_WMI_GUID_NOT_FOUND);
    CT_EQUAL(Disposition, IrpNotCompleted);
    Finish();
}

static const CT_CASE Cases[] = {
    {"wmilib.registration", Registration},
    {"wmilib.registered", Registered},
    {"wmilib.all_data", AllData},
    {"wmilib.single", Single},
    {"wmilib.change", Change},
    {"wmilib.methods", Methods},
    {"wmilib.controls", Controls},
    {"wmilib.dispositions", Dispositions},
};
CT_DRIVER(Cases)

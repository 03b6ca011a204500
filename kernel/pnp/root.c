/* SPDX-License-Identifier: MIT
 * \Driver\PnpManager: bus driver of the root of the device tree, and of what lies below Enum\Root in the registry. [WDK "Root-Enumerated Devices"] */
#include "root.h"
#include "ex.h"

PDRIVER_OBJECT PnpManagerDriver;

static NTSTATUS PnpComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* What the bus has no answer to keeps its status. */
static NTSTATUS PnpCompleteAsIs(PIRP Irp)
{
    NTSTATUS Status = Irp->IoStatus.Status;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS PnpAnswerText(PIRP Irp, PCUNICODE_STRING Text)
{
    PWSTR Copy = ExAllocatePool2(POOL_FLAG_PAGED, Text->Length + sizeof(WCHAR), PNP_TAG_TEXT);
    if (Copy == NULL)
        return PnpComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    RtlCopyMemory(Copy, Text->Buffer, Text->Length);
    return PnpComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)Copy);
}

/* Hardware IDs are in the device's key already. */
static NTSTATUS PnpAnswerId(PNP_ROOT_DEVICE *Device, PIRP Irp, BUS_QUERY_ID_TYPE Type)
{
    switch (Type) {
    case BusQueryDeviceID:
        return PnpAnswerText(Irp, &Device->DeviceId);
    case BusQueryInstanceID:
        return PnpAnswerText(Irp, &Device->Instance);
    default:
        return PnpCompleteAsIs(Irp);
    }
}

/* Room for Count devices and one more; NULL: no memory. */
static PDEVICE_RELATIONS PnpMakeRelations(ULONG Count)
{
    return ExAllocatePool2(POOL_FLAG_PAGED,
                           FIELD_OFFSET(DEVICE_RELATIONS, Objects) + (Count + 1) * sizeof(PDEVICE_OBJECT),
                           PNP_TAG_LIST);
}

static VOID PnpAddRelation(PDEVICE_RELATIONS Relations, PDEVICE_OBJECT Pdo)
{
    ObfReferenceObject(Pdo);
    Relations->Objects[Relations->Count++] = Pdo;
}

static NTSTATUS PnpAnswerTarget(PIRP Irp, PDEVICE_OBJECT Pdo)
{
    PDEVICE_RELATIONS Relations = PnpMakeRelations(1);
    if (Relations == NULL)
        return PnpComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    PnpAddRelation(Relations, Pdo);
    return PnpComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)Relations);
}

static ULONG PnpCountRootDevices(VOID)
{
    ULONG Count = 0;
    for (PLIST_ENTRY E = PnpRootDevices.Flink; E != &PnpRootDevices; E = E->Flink)
        Count++;
    return Count;
}

static NTSTATUS PnpAnswerBusRelations(PIRP Irp)
{
    PnpReadRootKeys();
    PDEVICE_RELATIONS Relations = PnpMakeRelations(PnpCountRootDevices());
    if (Relations == NULL)
        return PnpComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    for (PLIST_ENTRY E = PnpRootDevices.Flink; E != &PnpRootDevices; E = E->Flink)
        PnpAddRelation(Relations, CONTAINING_RECORD(E, PNP_ROOT_DEVICE, Entry)->Pdo);
    return PnpComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)Relations);
}

static NTSTATUS PnpAnswerRelations(PDEVICE_OBJECT Pdo, PIRP Irp, DEVICE_RELATION_TYPE Type)
{
    if (Type == TargetDeviceRelation)
        return PnpAnswerTarget(Irp, Pdo);
    return Type == BusRelations && Pdo == PnpRoot->Pdo ? PnpAnswerBusRelations(Irp) : PnpCompleteAsIs(Irp);
}

static NTSTATUS PnpAnswerCapabilities(PIRP Irp, PDEVICE_CAPABILITIES Capabilities)
{
    Capabilities->UniqueID = TRUE;
    Capabilities->SilentInstall = TRUE;
    return PnpComplete(Irp, STATUS_SUCCESS, 0);
}

/* Its key may be gone: then nobody reports it any more. */
static NTSTATUS PnpAnswerRemove(PNP_ROOT_DEVICE *Device, PIRP Irp)
{
    NTSTATUS Status = PnpComplete(Irp, STATUS_SUCCESS, 0);
    if (!Device->Seen)
        PnpDeleteRootDevice(Device);
    return Status;
}

static NTSTATUS NTAPI PnpRootPnp(PDEVICE_OBJECT Pdo, PIRP Irp)
{
    PNP_ROOT_DEVICE *Device = PnpRootDevice(Pdo);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    switch (Stack->MinorFunction) {
    case IRP_MN_QUERY_ID:
        return PnpAnswerId(Device, Irp, Stack->Parameters.QueryId.IdType);
    case IRP_MN_QUERY_CAPABILITIES:
        return PnpAnswerCapabilities(Irp, Stack->Parameters.DeviceCapabilities.Capabilities);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return PnpAnswerRelations(Pdo, Irp, Stack->Parameters.QueryDeviceRelations.Type);
    case IRP_MN_REMOVE_DEVICE:
        return PnpAnswerRemove(Device, Irp);
    case IRP_MN_START_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        return PnpComplete(Irp, STATUS_SUCCESS, 0);
    default:
        return PnpCompleteAsIs(Irp);
    }
}

static NTSTATUS NTAPI PnpManagerEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    Driver->MajorFunction[IRP_MJ_PNP] = PnpRootPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = PnpAnswerPower;
    PnpManagerDriver = Driver;
    return STATUS_SUCCESS;
}

/* [WDK !devnode] the root's instance path is HTREE\ROOT\0; it is there always. */
static NTSTATUS PnpMakeRootNode(VOID)
{
    static const UNICODE_STRING Device = RTL_CONSTANT_STRING(L"HTREE\\ROOT"),
                                Instance = RTL_CONSTANT_STRING(L"0");
    PNP_ROOT_DEVICE *Root;
    HANDLE Key;
    NTSTATUS Status = PnpMakeRootDevice(&Device, &Instance, &Root);
    if (!NT_SUCCESS(Status))
        return Status;
    RemoveEntryList(&Root->Entry);
    PnpRoot = PnpMakeNode(Root->Pdo);
    if (PnpRoot == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PnpRoot->Reported = TRUE;
    PnpRoot->State = DeviceNodeStarted;
    IoSetDeviceNode(Root->Pdo, &PnpRoot->Io);
    Status = ObAllocateName(&PnpRoot->Io.InstancePath, 2 * sizeof(WCHAR) + Device.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlAppendUnicodeToString(&PnpRoot->Io.InstancePath, L"HTREE\\ROOT\\0");
    Status = PnpMakeKey(NULL, PNP_CONTROL_SET L"Enum\\", &PnpRoot->Io.InstancePath, L"",
                        REG_OPTION_NON_VOLATILE, &Key);
    if (NT_SUCCESS(Status))
        ZwClose(Key);
    return Status;
}

VOID PnpMakeRoot(VOID)
{
    NTSTATUS Status = IoCreateDriver(L"\\Driver\\PnpManager", PnpManagerEntry);
    if (NT_SUCCESS(Status))
        Status = PnpMakeRootNode();
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PP1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 1, 0, 0);
}

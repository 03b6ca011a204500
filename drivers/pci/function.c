/* SPDX-License-Identifier: MIT
 * PnP requests to a function, as its bus driver answers them. [WDK "Required Bus Driver PnP IRPs"] */
#include "pci.h"

static NTSTATUS QueryId(PCI_FUNCTION *Function, PIRP Irp, BUS_QUERY_ID_TYPE Type)
{
    PWSTR Id = NULL;
    NTSTATUS Status = PciQueryId(Function, Type, &Id);
    if (Status == STATUS_NOT_SUPPORTED)
        return PciComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    return PciComplete(Irp, Status, (ULONG_PTR)Id);
}

static NTSTATUS QueryText(PCI_FUNCTION *Function, PIRP Irp, DEVICE_TEXT_TYPE Type)
{
    PWSTR Text = NULL;
    NTSTATUS Status = PciQueryText(Function, Type, &Text);
    if (Status == STATUS_NOT_SUPPORTED)
        return PciComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    return PciComplete(Irp, Status, (ULONG_PTR)Text);
}

/* [WDK DEVICE_CAPABILITIES] a function is addressed by device number and function number. Its ID is unique on its bus only. */
static NTSTATUS QueryCapabilities(PCI_FUNCTION *Function, PIRP Irp, PDEVICE_CAPABILITIES Capabilities)
{
    PCI_SLOT_NUMBER Slot = {.u.AsULONG = Function->Slot};
    if (Capabilities->Version != 1)
        return PciComplete(Irp, STATUS_UNSUCCESSFUL, 0);
    Capabilities->UniqueID = FALSE;
    Capabilities->DeviceD1 = Function->HasD1;
    Capabilities->Removable = Capabilities->EjectSupported =
        Function->Bus->Bridge != NULL && Function->Bus->Bridge->HotPlug;
    Capabilities->DeviceD2 = Function->HasD2;
    Capabilities->Address = Slot.u.bits.DeviceNumber << 16 | Slot.u.bits.FunctionNumber;
    Capabilities->DeviceState[PowerSystemWorking] = PowerDeviceD0;
    for (ULONG State = PowerSystemSleeping1; State < PowerSystemMaximum; State++)
        Capabilities->DeviceState[State] = PowerDeviceD3;
    return PciComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS QueryTarget(PCI_FUNCTION *Function, PIRP Irp)
{
    PDEVICE_RELATIONS Relations = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Relations), PCI_TAG);
    if (Relations == NULL)
        return PciComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    ObReferenceObject(Function->Device);
    Relations->Objects[Relations->Count++] = Function->Device;
    return PciComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)Relations);
}

static NTSTATUS QueryBus(PCI_FUNCTION *Function, PIRP Irp)
{
    static const GUID PciBusType = {
        0xc8ebdfb0, 0xb510, 0x11d0, {0x80, 0xe5, 0x00, 0xa0, 0xc9, 0x25, 0x42, 0xe3}}; /* GUID_BUS_TYPE_PCI */
    PPNP_BUS_INFORMATION Bus = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Bus), PCI_TAG);
    if (Bus == NULL)
        return PciComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    *Bus = (PNP_BUS_INFORMATION){PciBusType, PCIBus, Function->Bus->Number};
    return PciComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)Bus);
}

static NTSTATUS AnswerResources(PCI_FUNCTION *Function, PIRP Irp)
{
    PCM_RESOURCE_LIST List = NULL;
    NTSTATUS Status = PciQueryResources(Function, &List);
    return PciComplete(Irp, Status == STATUS_NOT_SUPPORTED ? Irp->IoStatus.Status : Status, (ULONG_PTR)List);
}

static NTSTATUS AnswerRequirements(PCI_FUNCTION *Function, PIRP Irp)
{
    PIO_RESOURCE_REQUIREMENTS_LIST List = NULL;
    NTSTATUS Status = PciQueryRequirements(Function, &List);
    return PciComplete(Irp, Status == STATUS_NOT_SUPPORTED ? Irp->IoStatus.Status : Status, (ULONG_PTR)List);
}

/* [WDK IRP_MN_READ_CONFIG] how many bytes were moved is the information. */
static NTSTATUS MoveConfig(PCI_FUNCTION *Function, PIRP Irp, PIO_STACK_LOCATION Stack, BOOLEAN Write)
{
    ULONG Offset = Stack->Parameters.ReadWriteConfig.Offset,
          Length = Stack->Parameters.ReadWriteConfig.Length;
    PVOID Buffer = Stack->Parameters.ReadWriteConfig.Buffer;
    if (Stack->Parameters.ReadWriteConfig.WhichSpace != PCI_WHICHSPACE_CONFIG)
        return PciComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Function->Gone) {
        if (!Write)
            RtlFillMemory(Buffer, Length, 0xff);
        return PciComplete(Irp, STATUS_SUCCESS, Length);
    }
    ULONG Done = Write ? HalSetBusDataByOffset(PCIConfiguration, Function->Bus->Number, Function->Slot,
                                               Buffer, Offset, Length)
                       : HalGetBusDataByOffset(PCIConfiguration, Function->Bus->Number, Function->Slot,
                                               Buffer, Offset, Length);
    return PciComplete(Irp, Done == Length ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, Done);
}

static VOID DeleteFunction(PCI_FUNCTION *Function)
{
    ExAcquireFastMutex(&Function->Bus->Lock);
    RemoveEntryList(&Function->Entry);
    ExReleaseFastMutex(&Function->Bus->Lock);
    IoDeleteDevice(Function->Device);
}

/* One that is there still is found again at the next enumeration. */
static NTSTATUS Remove(PCI_FUNCTION *Function, PIRP Irp)
{
    KeSetEvent(&Function->Removed, IO_NO_INCREMENT, FALSE);
    if (Function->Present)
        PciDisable(Function);
    PciDropMessages(Function);
    NTSTATUS Status = PciComplete(Irp, STATUS_SUCCESS, 0);
    if (!Function->Present)
        DeleteFunction(Function);
    return Status;
}

/* [WDK IRP_MN_EJECT] when all functions of a slot have lost their drivers, it is switched off. */
static NTSTATUS Eject(PCI_FUNCTION *Function, PIRP Irp)
{
    PCI_BUS *Bus = Function->Bus;
    BOOLEAN All = TRUE;
    Function->Ejected = TRUE;
    ExAcquireFastMutex(&Bus->Lock);
    for (PLIST_ENTRY E = Bus->Functions.Flink; E != &Bus->Functions; E = E->Flink)
        All = All && CONTAINING_RECORD(E, PCI_FUNCTION, Entry)->Ejected;
    ExReleaseFastMutex(&Bus->Lock);
    if (All)
        PciSlotEmpty(Bus);
    return PciComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Start(PCI_FUNCTION *Function, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    return PciComplete(Irp, PciConfigure(Function, Stack->Parameters.StartDevice.AllocatedResources), 0);
}

NTSTATUS PciFunctionPnp(PCI_FUNCTION *Function, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    switch (Stack->MinorFunction) {
    case IRP_MN_QUERY_ID:
        return QueryId(Function, Irp, Stack->Parameters.QueryId.IdType);
    case IRP_MN_QUERY_DEVICE_TEXT:
        return QueryText(Function, Irp, Stack->Parameters.QueryDeviceText.DeviceTextType);
    case IRP_MN_QUERY_CAPABILITIES:
        return QueryCapabilities(Function, Irp, Stack->Parameters.DeviceCapabilities.Capabilities);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (Stack->Parameters.QueryDeviceRelations.Type == TargetDeviceRelation)
            return QueryTarget(Function, Irp);
        break;
    case IRP_MN_QUERY_BUS_INFORMATION:
        return QueryBus(Function, Irp);
    case IRP_MN_QUERY_RESOURCES:
        return AnswerResources(Function, Irp);
    case IRP_MN_QUERY_RESOURCE_REQUIREMENTS:
        return AnswerRequirements(Function, Irp);
    case IRP_MN_READ_CONFIG:
        return MoveConfig(Function, Irp, Stack, FALSE);
    case IRP_MN_WRITE_CONFIG:
        return MoveConfig(Function, Irp, Stack, TRUE);
    case IRP_MN_QUERY_INTERFACE: {
        NTSTATUS Status = PciQueryInterface(Function, Stack);
        return PciComplete(Irp, Status == STATUS_NOT_SUPPORTED ? Irp->IoStatus.Status : Status,
                           Irp->IoStatus.Information);
    }
    case IRP_MN_START_DEVICE:
        return Start(Function, Irp, Stack);
    case IRP_MN_STOP_DEVICE:
        PciDisable(Function);
        return PciComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MN_REMOVE_DEVICE:
        return Remove(Function, Irp);
    case IRP_MN_EJECT:
        return Eject(Function, Irp);
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        PciSlotStays(Function->Bus);
        return PciComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MN_SURPRISE_REMOVAL:
        KeSetEvent(&Function->Removed, IO_NO_INCREMENT, FALSE);
        return PciComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
        return PciComplete(Irp, STATUS_SUCCESS, 0);
    default:
        break;
    }
    return PciComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
}

/* SPDX-License-Identifier: MIT
 * PnP requests to a bus: its function device. [WDK "PnP Requirements for Bus Drivers"] */
#include "pci.h"

static NTSTATUS PassDown(PCI_BUS *Bus, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Bus->Lower, Irp);
}

static NTSTATUS PassDownWithSuccess(PCI_BUS *Bus, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Bus, Irp);
}

/* From the device below the root; without an answer the functions have no messages. */
static VOID AskForMessages(PCI_BUS *Bus)
{
    static const GUID Type = NTBOX_MESSAGE_INTERFACE_GUID;
    KEVENT Done;
    IO_STATUS_BLOCK Iosb;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    PIRP Irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Bus->Lower, NULL, 0, NULL, &Done, &Iosb);
    if (Irp == NULL)
        return;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MinorFunction = IRP_MN_QUERY_INTERFACE;
    Stack->Parameters.QueryInterface.InterfaceType = &Type;
    Stack->Parameters.QueryInterface.Size = sizeof(Bus->Interface);
    Stack->Parameters.QueryInterface.Version = NTBOX_MESSAGE_INTERFACE_VERSION;
    Stack->Parameters.QueryInterface.Interface = (PINTERFACE)&Bus->Interface;
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    NTSTATUS Status = IoCallDriver(Bus->Lower, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
        Status = Iosb.Status;
    }
    if (!NT_SUCCESS(Status))
        RtlZeroMemory(&Bus->Interface, sizeof(Bus->Interface));
}

static VOID ForgetMessages(PCI_BUS *Bus)
{
    if (Bus->Interface.InterfaceDereference != NULL)
        Bus->Interface.InterfaceDereference(Bus->Interface.Context);
    RtlZeroMemory(&Bus->Interface, sizeof(Bus->Interface));
}

/* What lies behind a bridge has the number that the firmware gave it. */
static NTSTATUS Start(PCI_BUS *Bus, PIRP Irp)
{
    NTSTATUS Status = IoForwardIrpSynchronously(Bus->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status) && Bus->Bridge != NULL) {
        Bus->Number = PciRead8(Bus->Bridge, FIELD_OFFSET(PCI_COMMON_HEADER, u.type1.SecondaryBus));
        if (Bus->Number == 0)
            Status = STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    if (NT_SUCCESS(Status) && Bus->Bridge != NULL && Bus->Bridge->HotPlug && Bus->Slot.Version == 0)
        Status = PciStartSlot(Bus);
    if (NT_SUCCESS(Status) && Bus->Bridge == NULL && Bus->Interface.DescribeMessage == NULL)
        AskForMessages(Bus);
    return PciComplete(Irp, Status, 0);
}

static ULONG CountPresent(const PCI_BUS *Bus)
{
    ULONG Count = 0;
    for (PLIST_ENTRY E = Bus->Functions.Flink; E != &Bus->Functions; E = E->Flink)
        Count += CONTAINING_RECORD(E, PCI_FUNCTION, Entry)->Present;
    return Count;
}

static NTSTATUS QueryRelations(PCI_BUS *Bus, PIRP Irp)
{
    NTSTATUS Status = PciScan(Bus);
    if (!NT_SUCCESS(Status))
        return PciComplete(Irp, Status, 0);
    PDEVICE_RELATIONS Relations = ExAllocatePool2(
        POOL_FLAG_PAGED, sizeof(*Relations) + CountPresent(Bus) * sizeof(PDEVICE_OBJECT), PCI_TAG);
    if (Relations == NULL)
        return PciComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    for (PLIST_ENTRY E = Bus->Functions.Flink; E != &Bus->Functions; E = E->Flink) {
        PCI_FUNCTION *Function = CONTAINING_RECORD(E, PCI_FUNCTION, Entry);
        if (!Function->Present)
            continue;
        ObReferenceObject(Function->Device);
        Relations->Objects[Relations->Count++] = Function->Device;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = (ULONG_PTR)Relations;
    return PassDown(Bus, Irp);
}

/* With the bus its functions go, which were removed before. */
static NTSTATUS Remove(PCI_BUS *Bus, PIRP Irp)
{
    PciStopSlot(Bus);
    PciDeleteControl(Bus);
    ForgetMessages(Bus);
    if (Bus->Bridge != NULL)
        Bus->Bridge->Behind = NULL;
    NTSTATUS Status = PassDownWithSuccess(Bus, Irp);
    while (!IsListEmpty(&Bus->Functions)) {
        PCI_FUNCTION *Function = CONTAINING_RECORD(RemoveHeadList(&Bus->Functions), PCI_FUNCTION, Entry);
        IoDeleteDevice(Function->Device);
    }
    IoDetachDevice(Bus->Lower);
    IoDeleteDevice(Bus->Device);
    return Status;
}

NTSTATUS PciBusPnp(PCI_BUS *Bus, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Bus, Irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return Stack->Parameters.QueryDeviceRelations.Type == BusRelations ? QueryRelations(Bus, Irp)
                                                                           : PassDown(Bus, Irp);
    case IRP_MN_REMOVE_DEVICE:
        return Remove(Bus, Irp);
    case IRP_MN_QUERY_STOP_DEVICE: /* its devices would have to be stopped first */
        return PciComplete(Irp, STATUS_UNSUCCESSFUL, 0);
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        return PassDownWithSuccess(Bus, Irp);
    default:
        return PassDown(Bus, Irp);
    }
}

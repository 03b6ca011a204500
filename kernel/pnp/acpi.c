/* SPDX-License-Identifier: MIT
 * \Driver\ACPI: what the board's tables say is there, without their byte code: the root of the PCI bus. Its function device lies on ROOT\ACPI_HAL\0000.
 * [ACPI 6.5 5.6.7; PCI Firmware 3.3: PNP0A08 is a PCI Express root, PNP0A03 a PCI root] */
#include "root.h"
#include "ex.h"
#include "hal.h"
#include "ntbox/message_interface.h"

typedef struct _PNP_ACPI_DEVICE {
    PDEVICE_OBJECT Lower; /* of the function device: what it is attached to; else NULL */
} PNP_ACPI_DEVICE;

static PDEVICE_OBJECT PnpAcpiPci; /* the PDO of the PCI root */

static NTSTATUS PnpAcpiComplete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* Bytes are those of the text with all its terminators. */
static NTSTATUS PnpAcpiText(PIRP Irp, const WCHAR *Text, ULONG Bytes)
{
    PVOID Copy = ExAllocatePool2(POOL_FLAG_PAGED, Bytes, PNP_TAG_TEXT);
    if (Copy == NULL)
        return PnpAcpiComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    RtlCopyMemory(Copy, Text, Bytes);
    Irp->IoStatus.Information = (ULONG_PTR)Copy;
    return PnpAcpiComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS PnpAcpiId(PIRP Irp, BUS_QUERY_ID_TYPE Type)
{
    static const WCHAR Device[] = L"ACPI\\PNP0A03", Express[] = L"ACPI\\PNP0A08", Instance[] = L"0";
    static const WCHAR Ids[] = L"ACPI\\PNP0A03\0*PNP0A03\0", ExpressIds[] = L"ACPI\\PNP0A08\0*PNP0A08\0";
    BOOLEAN IsExpress = HalIsPciExpress();
    switch (Type) {
    case BusQueryDeviceID:
        return IsExpress ? PnpAcpiText(Irp, Express, sizeof(Express))
                         : PnpAcpiText(Irp, Device, sizeof(Device));
    case BusQueryInstanceID:
        return PnpAcpiText(Irp, Instance, sizeof(Instance));
    case BusQueryHardwareIDs:
        return IsExpress ? PnpAcpiText(Irp, ExpressIds, sizeof(ExpressIds))
                         : PnpAcpiText(Irp, Ids, sizeof(Ids));
    case BusQueryCompatibleIDs:
        if (IsExpress) /* it can do what the older one can */
            return PnpAcpiText(Irp, Ids, sizeof(Ids));
        return PnpAcpiComplete(Irp, Irp->IoStatus.Status);
    default:
        return PnpAcpiComplete(Irp, Irp->IoStatus.Status);
    }
}

static NTSTATUS PnpAcpiRelation(PIRP Irp, PDEVICE_OBJECT Pdo)
{
    PDEVICE_RELATIONS Relations = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Relations), PNP_TAG_LIST);
    if (Relations == NULL)
        return PnpAcpiComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    if (Pdo != NULL) {
        ObfReferenceObject(Pdo);
        Relations->Objects[Relations->Count++] = Pdo;
    }
    Irp->IoStatus.Information = (ULONG_PTR)Relations;
    return PnpAcpiComplete(Irp, STATUS_SUCCESS);
}

/* --- the interface of the interrupt controllers --- */

static VOID NTAPI PnpAcpiReference(PVOID Context)
{
    ObfReferenceObject(Context);
}

static VOID NTAPI PnpAcpiDereference(PVOID Context)
{
    ObfDereferenceObject(Context);
}

static VOID NTAPI PnpAcpiDescribe(PVOID Context, ULONG Vector, KAFFINITY Processors, PULONG64 Address,
                                  PULONG Data)
{
    HalDescribeMessage((UCHAR)Vector, (ULONG)__builtin_ctzll(Processors), Address, Data);
}

static NTSTATUS PnpAcpiInterface(PDEVICE_OBJECT Pdo, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    static const GUID Messages = NTBOX_MESSAGE_INTERFACE_GUID;
    NTBOX_MESSAGE_INTERFACE *Interface = (PVOID)Stack->Parameters.QueryInterface.Interface;
    if (!IsEqualGUID(Stack->Parameters.QueryInterface.InterfaceType, &Messages))
        return PnpAcpiComplete(Irp, Irp->IoStatus.Status);
    if (Stack->Parameters.QueryInterface.Size < sizeof(*Interface) ||
        Stack->Parameters.QueryInterface.Version != NTBOX_MESSAGE_INTERFACE_VERSION)
        return PnpAcpiComplete(Irp, STATUS_INVALID_PARAMETER);
    *Interface = (NTBOX_MESSAGE_INTERFACE){.Size = sizeof(*Interface),
                                           .Version = NTBOX_MESSAGE_INTERFACE_VERSION,
                                           .Context = Pdo,
                                           .InterfaceReference = PnpAcpiReference,
                                           .InterfaceDereference = PnpAcpiDereference,
                                           .DescribeMessage = PnpAcpiDescribe};
    PnpAcpiReference(Pdo);
    return PnpAcpiComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS PnpAcpiPdo(PDEVICE_OBJECT Pdo, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_QUERY_ID:
        return PnpAcpiId(Irp, Stack->Parameters.QueryId.IdType);
    case IRP_MN_QUERY_CAPABILITIES:
        Stack->Parameters.DeviceCapabilities.Capabilities->UniqueID = TRUE;
        return PnpAcpiComplete(Irp, STATUS_SUCCESS);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (Stack->Parameters.QueryDeviceRelations.Type == TargetDeviceRelation)
            return PnpAcpiRelation(Irp, PnpAcpiPci);
        return PnpAcpiComplete(Irp, Irp->IoStatus.Status);
    case IRP_MN_QUERY_INTERFACE:
        return PnpAcpiInterface(Pdo, Irp, Stack);
    case IRP_MN_START_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
    case IRP_MN_REMOVE_DEVICE:
        return PnpAcpiComplete(Irp, STATUS_SUCCESS);
    default:
        return PnpAcpiComplete(Irp, Irp->IoStatus.Status);
    }
}

static NTSTATUS PnpAcpiPassDown(PDEVICE_OBJECT Lower, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IofCallDriver(Lower, Irp);
}

/* With the bus its device goes. */
static NTSTATUS PnpAcpiRemove(PDEVICE_OBJECT Device, PDEVICE_OBJECT Lower, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PnpAcpiPassDown(Lower, Irp);
    IoDetachDevice(Lower);
    IoDeleteDevice(Device);
    if (PnpAcpiPci != NULL)
        IoDeleteDevice(PnpAcpiPci);
    PnpAcpiPci = NULL;
    return Status;
}

static NTSTATUS PnpAcpiFdo(PDEVICE_OBJECT Device, PDEVICE_OBJECT Lower, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (Stack->Parameters.QueryDeviceRelations.Type == BusRelations)
            return PnpAcpiRelation(Irp, PnpAcpiPci);
        return PnpAcpiPassDown(Lower, Irp);
    case IRP_MN_REMOVE_DEVICE:
        return PnpAcpiRemove(Device, Lower, Irp);
    case IRP_MN_START_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        return PnpAcpiPassDown(Lower, Irp);
    default:
        return PnpAcpiPassDown(Lower, Irp);
    }
}

static NTSTATUS NTAPI PnpAcpiPnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_OBJECT Lower = ((PNP_ACPI_DEVICE *)Device->DeviceExtension)->Lower;
    return Lower == NULL ? PnpAcpiPdo(Device, Irp, Stack) : PnpAcpiFdo(Device, Lower, Irp, Stack);
}

static NTSTATUS NTAPI PnpAcpiPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    PDEVICE_OBJECT Lower = ((PNP_ACPI_DEVICE *)Device->DeviceExtension)->Lower;
    return Lower == NULL ? PnpAnswerPower(Device, Irp) : PnpAcpiPassDown(Lower, Irp);
}

/* Without a PCI bus there is nothing to report. */
static NTSTATUS PnpAcpiMakePci(PDRIVER_OBJECT Driver)
{
    if (!HalHasPci())
        return STATUS_SUCCESS;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(PNP_ACPI_DEVICE), NULL, FILE_DEVICE_ACPI,
                                     FILE_AUTOGENERATED_DEVICE_NAME, FALSE, &PnpAcpiPci);
    if (NT_SUCCESS(Status))
        PnpAcpiPci->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return Status;
}

static NTSTATUS NTAPI PnpAcpiAddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status =
        IoCreateDevice(Driver, sizeof(PNP_ACPI_DEVICE), NULL, FILE_DEVICE_ACPI, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    PNP_ACPI_DEVICE *Extension = Device->DeviceExtension;
    Status = IoAttachDeviceToDeviceStackSafe(Device, Pdo, &Extension->Lower);
    if (NT_SUCCESS(Status))
        Status = PnpAcpiMakePci(Driver);
    if (!NT_SUCCESS(Status)) {
        if (Extension->Lower != NULL)
            IoDetachDevice(Extension->Lower);
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI PnpAcpiEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    Driver->MajorFunction[IRP_MJ_PNP] = PnpAcpiPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = PnpAcpiPower;
    Driver->DriverExtension->AddDevice = PnpAcpiAddDevice;
    return STATUS_SUCCESS;
}

/* Its device is there in each boot, so that its key is not kept. */
VOID PnpMakeAcpi(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"ACPI_HAL\\0000"), Service = RTL_CONSTANT_STRING(L"ACPI");
    HANDLE Key;
    NTSTATUS Status = IoCreateDriver(L"\\Driver\\ACPI", PnpAcpiEntry);
    if (NT_SUCCESS(Status))
        Status = PnpMakeKey(NULL, PNP_CONTROL_SET L"Enum\\Root\\", &Name, L"", REG_OPTION_VOLATILE, &Key);
    if (NT_SUCCESS(Status)) {
        Status = PnpSetText(Key, L"Service", &Service);
        ZwClose(Key);
    }
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PP1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 2, 0, 0);
}

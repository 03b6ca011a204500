/* SPDX-License-Identifier: MIT
 * \Driver\ACPI: what the board's tables say is there, without their byte code: acpi_device.c has the list. Its function device lies on ROOT\ACPI_HAL\0000. */
#include "acpi.h"
#include "root.h"
#include "ex.h"
#include "hal.h"
#include "ntbox/message_interface.h"

typedef struct _PNP_ACPI_DEVICE {
    PDEVICE_OBJECT Lower; /* of the function device: what it is attached to; else NULL */
    PNP_ACPI_KIND Kind;   /* of another one */
} PNP_ACPI_DEVICE;

static PDEVICE_OBJECT PnpAcpiPdos[PnpAcpiKinds]; /* NULL: the board has none */

static NTSTATUS PnpAcpiComplete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* Information is what the request is answered with. */
static NTSTATUS PnpAcpiAnswer(PIRP Irp, NTSTATUS Status, PVOID Answer)
{
    if (NT_SUCCESS(Status))
        Irp->IoStatus.Information = (ULONG_PTR)Answer;
    return PnpAcpiComplete(Irp, Status == STATUS_NOT_SUPPORTED ? Irp->IoStatus.Status : Status);
}

static NTSTATUS PnpAcpiId(PIRP Irp, PNP_ACPI_KIND Kind, BUS_QUERY_ID_TYPE Type)
{
    PVOID Text = NULL;
    NTSTATUS Status = PnpAcpiMakeId(Kind, Type, &Text);
    return PnpAcpiAnswer(Irp, Status, Text);
}

static NTSTATUS PnpAcpiResources(PIRP Irp, PNP_ACPI_KIND Kind)
{
    PVOID List = NULL;
    NTSTATUS Status = PnpAcpiMakeResources(Kind, &List);
    return PnpAcpiAnswer(Irp, Status, List);
}

static NTSTATUS PnpAcpiRequirements(PIRP Irp, PNP_ACPI_KIND Kind)
{
    PVOID List = NULL;
    NTSTATUS Status = PnpAcpiMakeRequirements(Kind, &List);
    return PnpAcpiAnswer(Irp, Status, List);
}

static PDEVICE_RELATIONS PnpAcpiAllocateRelations(PIRP Irp)
{
    PDEVICE_RELATIONS Relations = ExAllocatePool2(
        POOL_FLAG_PAGED, sizeof(*Relations) + PnpAcpiKinds * sizeof(Relations->Objects[0]), PNP_TAG_LIST);
    if (Relations == NULL)
        PnpAcpiComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    return Relations;
}

static VOID PnpAcpiRelate(PDEVICE_RELATIONS Relations, PDEVICE_OBJECT Pdo)
{
    ObfReferenceObject(Pdo);
    Relations->Objects[Relations->Count++] = Pdo;
}

static NTSTATUS PnpAcpiTarget(PIRP Irp, PDEVICE_OBJECT Pdo)
{
    PDEVICE_RELATIONS Relations = PnpAcpiAllocateRelations(Irp);
    if (Relations == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PnpAcpiRelate(Relations, Pdo);
    return PnpAcpiAnswer(Irp, STATUS_SUCCESS, Relations);
}

static NTSTATUS PnpAcpiChildren(PIRP Irp)
{
    PDEVICE_RELATIONS Relations = PnpAcpiAllocateRelations(Irp);
    if (Relations == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG Kind = 0; Kind < PnpAcpiKinds; Kind++) {
        if (PnpAcpiPdos[Kind] != NULL)
            PnpAcpiRelate(Relations, PnpAcpiPdos[Kind]);
    }
    return PnpAcpiAnswer(Irp, STATUS_SUCCESS, Relations);
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
    if (((PNP_ACPI_DEVICE *)Pdo->DeviceExtension)->Kind != PnpAcpiPciRoot ||
        !IsEqualGUID(Stack->Parameters.QueryInterface.InterfaceType, &Messages))
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
    PNP_ACPI_KIND Kind = ((PNP_ACPI_DEVICE *)Pdo->DeviceExtension)->Kind;
    switch (Stack->MinorFunction) {
    case IRP_MN_QUERY_ID:
        return PnpAcpiId(Irp, Kind, Stack->Parameters.QueryId.IdType);
    case IRP_MN_QUERY_RESOURCES:
        return PnpAcpiResources(Irp, Kind);
    case IRP_MN_QUERY_RESOURCE_REQUIREMENTS:
        return PnpAcpiRequirements(Irp, Kind);
    case IRP_MN_QUERY_CAPABILITIES:
        Stack->Parameters.DeviceCapabilities.Capabilities->UniqueID = TRUE;
        return PnpAcpiComplete(Irp, STATUS_SUCCESS);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (Stack->Parameters.QueryDeviceRelations.Type == TargetDeviceRelation)
            return PnpAcpiTarget(Irp, Pdo);
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

static VOID PnpAcpiDeletePdos(VOID)
{
    for (ULONG Kind = 0; Kind < PnpAcpiKinds; Kind++) {
        if (PnpAcpiPdos[Kind] != NULL)
            IoDeleteDevice(PnpAcpiPdos[Kind]);
        PnpAcpiPdos[Kind] = NULL;
    }
}

/* With the bus its devices go. */
static NTSTATUS PnpAcpiRemove(PDEVICE_OBJECT Device, PDEVICE_OBJECT Lower, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PnpAcpiPassDown(Lower, Irp);
    IoDetachDevice(Lower);
    IoDeleteDevice(Device);
    PnpAcpiDeletePdos();
    return Status;
}

static NTSTATUS PnpAcpiFdo(PDEVICE_OBJECT Device, PDEVICE_OBJECT Lower, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (Stack->Parameters.QueryDeviceRelations.Type == BusRelations)
            return PnpAcpiChildren(Irp);
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

static NTSTATUS PnpAcpiMakePdo(PDRIVER_OBJECT Driver, PNP_ACPI_KIND Kind)
{
    PDEVICE_OBJECT Pdo;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(PNP_ACPI_DEVICE), NULL, FILE_DEVICE_ACPI,
                                     FILE_AUTOGENERATED_DEVICE_NAME, FALSE, &Pdo);
    if (!NT_SUCCESS(Status))
        return Status;
    ((PNP_ACPI_DEVICE *)Pdo->DeviceExtension)->Kind = Kind;
    Pdo->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    PnpAcpiPdos[Kind] = Pdo;
    return STATUS_SUCCESS;
}

/* Of the devices that the board has. */
static NTSTATUS PnpAcpiMakePdos(PDRIVER_OBJECT Driver)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG Kind = 0; NT_SUCCESS(Status) && Kind < PnpAcpiKinds; Kind++) {
        if (PnpAcpiIsThere(Kind))
            Status = PnpAcpiMakePdo(Driver, Kind);
    }
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
        Status = PnpAcpiMakePdos(Driver);
    if (!NT_SUCCESS(Status)) {
        if (Extension->Lower != NULL)
            IoDetachDevice(Extension->Lower);
        PnpAcpiDeletePdos();
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

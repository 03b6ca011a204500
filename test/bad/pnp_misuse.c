/* SPDX-License-Identifier: MIT
 * A function driver for QEMU's edu that does one thing wrong with its plug and play or power requests: the one that its parameter Fault names. */
#include <initguid.h>
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

DEFINE_GUID(Interface, 0x6d0c1a2b, 0x11f0, 0x4d8e, 0x9a, 0x51, 0x0c, 0x44, 0x5e, 0x7b, 0x21, 0x3d);

#define TAG 'siMN'

typedef struct MISUSE {
    PDEVICE_OBJECT Device, Pdo, Lower;
    IO_REMOVE_LOCK RemoveLock;
    PUCHAR Registers;
    PVOID Connection;
    ULONG Version;
    PDMA_ADAPTER Adapter;
    PVOID Buffer;
    PHYSICAL_ADDRESS Logical;
    UNICODE_STRING Link;
    PVOID Notification;
} MISUSE;

static WCHAR FaultText[32];
static UNICODE_STRING Fault = {0, sizeof(FaultText), FaultText};

static BOOLEAN Is(PCWSTR Name)
{
    UNICODE_STRING Text;
    RtlInitUnicodeString(&Text, Name);
    return RtlEqualUnicodeString(&Text, &Fault, FALSE);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS PassDown(MISUSE *Misuse, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Misuse->Lower, Irp);
}

/* --- what a start gets and a stop gives back --- */

static BOOLEAN NTAPI Service(PKINTERRUPT Interrupt, PVOID Context)
{
    UNREFERENCED_PARAMETER(Interrupt);
    UNREFERENCED_PARAMETER(Context);
    return FALSE;
}

static BOOLEAN NTAPI ServiceMessage(PKINTERRUPT Interrupt, PVOID Context, ULONG Message)
{
    UNREFERENCED_PARAMETER(Message);
    return Service(Interrupt, Context);
}

static NTSTATUS Connect(MISUSE *Misuse)
{
    IO_CONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    P.MessageBased.PhysicalDeviceObject = Misuse->Pdo;
    P.MessageBased.ConnectionContext.Generic = &Misuse->Connection;
    P.MessageBased.MessageServiceRoutine = ServiceMessage;
    P.MessageBased.FallBackServiceRoutine = Service;
    NTSTATUS Status = IoConnectInterruptEx(&P);
    Misuse->Version = NT_SUCCESS(Status) ? P.Version : 0;
    return Status;
}

static VOID Map(MISUSE *Misuse, PCM_RESOURCE_LIST List)
{
    for (ULONG i = 0; List != NULL && i < List->List[0].PartialResourceList.Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *D = &List->List[0].PartialResourceList.PartialDescriptors[i];
        if (D->Type == CmResourceTypeMemory && Misuse->Registers == NULL)
            Misuse->Registers = MmMapIoSpace(D->u.Memory.Start, PAGE_SIZE, MmNonCached);
    }
}

static VOID GetBuffer(MISUSE *Misuse)
{
    ULONG Registers;
    DEVICE_DESCRIPTION Description = {.Version = DEVICE_DESCRIPTION_VERSION,
                                      .Master = TRUE,
                                      .ScatterGather = TRUE,
                                      .Dma32BitAddresses = TRUE,
                                      .InterfaceType = PCIBus,
                                      .MaximumLength = PAGE_SIZE};
    Misuse->Adapter = IoGetDmaAdapter(Misuse->Pdo, &Description, &Registers);
    if (Misuse->Adapter != NULL)
        Misuse->Buffer = Misuse->Adapter->DmaOperations->AllocateCommonBuffer(Misuse->Adapter, PAGE_SIZE,
                                                                              &Misuse->Logical, TRUE);
}

static NTSTATUS NTAPI Notified(PVOID Structure, PVOID Context)
{
    UNREFERENCED_PARAMETER(Structure);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_SUCCESS;
}

static NTSTATUS Begin(MISUSE *Misuse, PCM_RESOURCE_LIST Translated)
{
    Map(Misuse, Translated);
    GetBuffer(Misuse);
    if (Misuse->Registers == NULL || Misuse->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = Connect(Misuse);
    if (NT_SUCCESS(Status))
        Status = IoSetDeviceInterfaceState(&Misuse->Link, TRUE);
    if (NT_SUCCESS(Status))
        Status = IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0, (PVOID)&Interface,
                                                Misuse->Device->DriverObject, Notified, NULL,
                                                &Misuse->Notification);
    return Status;
}

static VOID EndBuffer(MISUSE *Misuse)
{
    PDMA_OPERATIONS Operations = Misuse->Adapter->DmaOperations;
    if (Is(L"keeps_buffer"))
        return;
    Operations->FreeCommonBuffer(Misuse->Adapter, PAGE_SIZE, Misuse->Logical, Misuse->Buffer, TRUE);
    if (!Is(L"keeps_adapter"))
        Operations->PutDmaAdapter(Misuse->Adapter);
}

static VOID End(MISUSE *Misuse)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS P = {.Version = Misuse->Version};
    if (Misuse->Notification == NULL)
        return;
    P.ConnectionContext.Generic = Misuse->Connection;
    if (!Is(L"keeps_interrupt"))
        IoDisconnectInterruptEx(&P);
    EndBuffer(Misuse);
    if (!Is(L"keeps_mapping"))
        MmUnmapIoSpace(Misuse->Registers, PAGE_SIZE);
    if (!Is(L"keeps_notification"))
        IoUnregisterPlugPlayNotificationEx(Misuse->Notification);
    if (!Is(L"keeps_interface"))
        IoSetDeviceInterfaceState(&Misuse->Link, FALSE);
    Misuse->Notification = NULL;
}

/* --- plug and play --- */

static NTSTATUS Start(MISUSE *Misuse, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    if (Is(L"start_not_passed"))
        return Complete(Irp, STATUS_SUCCESS);
    NTSTATUS Status =
        IoForwardIrpSynchronously(Misuse->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        Status = Begin(Misuse, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    if (Is(L"start_fails")) {
        End(Misuse);
        Status = STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    Complete(Irp, Status);
    return Is(L"start_pends_unmarked") ? STATUS_PENDING : Status;
}

/* The device that is gone never becomes ready. */
static VOID AwaitReady(MISUSE *Misuse)
{
    while (READ_REGISTER_ULONG((PULONG)(Misuse->Registers + 0x20)) & 1)
        YieldProcessor();
}

static NTSTATUS Surprised(MISUSE *Misuse, PIRP Irp)
{
    if (Is(L"polls_what_is_gone"))
        AwaitReady(Misuse);
    End(Misuse);
    if (Is(L"surprise_not_passed"))
        return Complete(Irp, STATUS_SUCCESS);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Misuse, Irp);
}

static NTSTATUS Remove(MISUSE *Misuse, PIRP Irp)
{
    NTSTATUS Status;
    End(Misuse);
    IoReleaseRemoveLockAndWait(&Misuse->RemoveLock, Irp);
    RtlFreeUnicodeString(&Misuse->Link);
    if (Is(L"stays_attached"))
        return PassDown(Misuse, Irp);
    if (Is(L"remove_not_passed")) {
        Status = Complete(Irp, STATUS_SUCCESS);
    } else {
        Irp->IoStatus.Status = STATUS_SUCCESS;
        Status = PassDown(Misuse, Irp);
    }
    IoDetachDevice(Misuse->Lower);
    if (Is(L"deletes_pdo"))
        IoDeleteDevice(Misuse->Pdo);
    IoDeleteDevice(Misuse->Device);
    return Status;
}

static NTSTATUS PnpLocked(MISUSE *Misuse, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    BOOLEAN Refuses =
        Is(L"query_remove_fails") || Is(L"cancel_remove_fails") || Is(L"cancel_remove_fails_late");
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Misuse, Irp, Stack);
    case IRP_MN_SURPRISE_REMOVAL:
        return Surprised(Misuse, Irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
        if (Refuses)
            return Complete(Irp, STATUS_DEVICE_BUSY);
        break;
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        if (Is(L"cancel_remove_fails"))
            return Complete(Irp, STATUS_UNSUCCESSFUL);
        if (Is(L"cancel_remove_fails_late")) {
            IoForwardIrpSynchronously(Misuse->Lower, Irp);
            return Complete(Irp, STATUS_UNSUCCESSFUL);
        }
        break;
    default:
        return PassDown(Misuse, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Misuse, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    MISUSE *Misuse = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Misuse->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status);
    if (Stack->MinorFunction == IRP_MN_REMOVE_DEVICE)
        return Remove(Misuse, Irp);
    Status = PnpLocked(Misuse, Irp, Stack);
    if (!Is(L"keeps_remove_lock"))
        IoReleaseRemoveLock(&Misuse->RemoveLock, Irp);
    return Status;
}

/* --- power --- */

static VOID NTAPI DeviceDone(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                             PIO_STATUS_BLOCK Iosb)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    UNREFERENCED_PARAMETER(Iosb);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS RequestAndWait(MISUSE *Misuse, DEVICE_POWER_STATE To)
{
    KEVENT Done;
    POWER_STATE State = {.DeviceState = To};
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    NTSTATUS Status = PoRequestPowerIrp(Misuse->Pdo, IRP_MN_SET_POWER, State, DeviceDone, &Done, NULL);
    if (Status == STATUS_PENDING)
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    return STATUS_SUCCESS;
}

static NTSTATUS SetDevice(MISUSE *Misuse, PIRP Irp)
{
    if (Is(L"holds_device_power")) {
        IoMarkIrpPending(Irp);
        return STATUS_PENDING;
    }
    if (Is(L"waits_for_itself")) /* the second request waits for this one */
        RequestAndWait(Misuse, PowerDeviceD3);
    return PassDown(Misuse, Irp);
}

static NTSTATUS SetSystem(MISUSE *Misuse, PIRP Irp, SYSTEM_POWER_STATE State)
{
    if (Is(L"power_not_passed"))
        return Complete(Irp, STATUS_SUCCESS);
    if (Is(L"power_fails") && State == PowerSystemWorking) {
        NTSTATUS Status = STATUS_DEVICE_DATA_ERROR;
        IoForwardIrpSynchronously(Misuse->Lower, Irp);
        return Complete(Irp, Status);
    }
    if (Is(L"power_pends_unmarked")) {
        PassDown(Misuse, Irp);
        return STATUS_PENDING;
    }
    RequestAndWait(Misuse, State == PowerSystemWorking ? PowerDeviceD0 : PowerDeviceD3);
    return PassDown(Misuse, Irp);
}

/* PoStartNextPowerIrp is never called: that is no fault. */
static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    MISUSE *Misuse = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    if (Stack->MinorFunction == IRP_MN_QUERY_POWER && Is(L"query_power_fails"))
        return Complete(Irp, STATUS_DEVICE_BUSY);
    if (Stack->MinorFunction == IRP_MN_QUERY_POWER && Is(L"query_power_not_passed"))
        return Complete(Irp, STATUS_SUCCESS);
    if (Stack->MinorFunction != IRP_MN_SET_POWER)
        return PassDown(Misuse, Irp);
    return Stack->Parameters.Power.Type == DevicePowerState
               ? SetDevice(Misuse, Irp)
               : SetSystem(Misuse, Irp, Stack->Parameters.Power.State.SystemState);
}

/* --- the driver --- */

static NTSTATUS NTAPI Other(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(Device->DeviceExtension, Irp);
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    if (Is(L"add_fails"))
        return STATUS_NOT_FOUND;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(MISUSE), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    MISUSE *Misuse = Device->DeviceExtension;
    Misuse->Device = Device;
    Misuse->Pdo = Pdo;
    IoInitializeRemoveLock(&Misuse->RemoveLock, TAG, 0, 0);
    IoRegisterDeviceInterface(Pdo, &Interface, NULL, &Misuse->Link);
    Misuse->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    Device->Flags = (Device->Flags | DO_POWER_PAGABLE) & ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

static VOID ReadFault(PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {.Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = L"Parameters"},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT,
         .Name = L"Fault",
         .EntryContext = &Fault,
         .DefaultType = REG_NONE},
        {.Name = NULL},
    };
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return;
    RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, Key, Table, NULL, NULL);
    ZwClose(Key);
}

/* As one that looks for a device from before plug and play, finds none and forgets to say so. */
static VOID Detect(PDRIVER_OBJECT Driver)
{
    BOOLEAN Conflict;
    CM_RESOURCE_LIST List = {.Count = 1};
    CM_PARTIAL_RESOURCE_LIST *Partial = &List.List[0].PartialResourceList;
    Partial->Count = 1;
    Partial->PartialDescriptors[0].Type = CmResourceTypePort;
    Partial->PartialDescriptors[0].u.Port.Start.QuadPart = 0x2E8;
    Partial->PartialDescriptors[0].u.Port.Length = 8;
    IoReportResourceForDetection(Driver, &List, sizeof(List), NULL, NULL, 0, &Conflict);
    if (!Is(L"keeps_resources"))
        IoReportResourceForDetection(Driver, NULL, 0, NULL, NULL, 0, &Conflict);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    ReadFault(RegistryPath);
    Detect(Driver);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        Driver->MajorFunction[i] = Other;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = Power;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

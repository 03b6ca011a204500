/* SPDX-License-Identifier: MIT
 * Driver objects: made, entered, dropped. The image lives as long as the driver object. */
#include "reinitialize.h"
#include "kd.h"

POBJECT_TYPE IoDriverObjectType;

static UNICODE_STRING IopHardwareDatabase =
    RTL_CONSTANT_STRING(L"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM");

static VOID IopFreeClientExtensions(IOP_DRIVER *Driver)
{
    while (Driver->ClientExtensions != NULL) {
        IOP_CLIENT_EXTENSION *Extension = Driver->ClientExtensions;
        Driver->ClientExtensions = Extension->Next;
        ExFreePoolWithTag(Extension, IOP_TAG_DRIVER);
    }
}

static VOID IopDeleteDriverObject(PVOID Object)
{
    IOP_DRIVER *Driver = Object;
    PIM_MODULE Module = IopModule(&Driver->Object);
    IopFreeClientExtensions(Driver);
    ObFreeName(&Driver->Extension.ServiceKeyName);
    ObFreeName(&Driver->Object.DriverName);
    if (Module == NULL)
        return;
    Module->DriverObject = NULL;
    if (Driver->KeepImage)
        KdLog("%s: stays in memory, because something still points into it", Module->Name);
    else
        ImUnloadImage(Module);
}

static const OB_TYPE_INFO IopDriverTypeInfo = {
    .Name = L"Driver",
    .PoolTag = 'virD',
    .Mapping = {STANDARD_RIGHTS_READ, STANDARD_RIGHTS_WRITE, STANDARD_RIGHTS_EXECUTE,
                STANDARD_RIGHTS_REQUIRED | 1},
    .ValidAccess = STANDARD_RIGHTS_REQUIRED | 1,
    .WaitOffset = OB_NOT_WAITABLE,
    .IgnoreCase = TRUE,
    .Methods = {.Delete = IopDeleteDriverObject},
};

VOID IopInitDriverType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&IopDriverTypeInfo, &IoDriverObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(IO1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 2, 0, 0);
}

/* [WDK DRIVER_OBJECT] what a driver does not handle ends with STATUS_INVALID_DEVICE_REQUEST. */
static NTSTATUS NTAPI IopInvalidDeviceRequest(PDEVICE_OBJECT Device, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    Irp->IoStatus.Information = 0;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

static VOID IopFillDriver(IOP_DRIVER *Driver)
{
    Driver->Object.Type = IO_TYPE_DRIVER;
    Driver->Object.Size = sizeof(DRIVER_OBJECT);
    Driver->Object.DriverExtension = &Driver->Extension;
    Driver->Object.HardwareDatabase = &IopHardwareDatabase;
    Driver->Extension.DriverObject = &Driver->Object;
    for (ULONG I = 0; I <= IRP_MJ_MAXIMUM_FUNCTION; I++)
        Driver->Object.MajorFunction[I] = IopInvalidDeviceRequest;
}

/* ObFreeName frees them with the object, also when only one could be made. */
static NTSTATUS IopNameDriver(IOP_DRIVER *Driver, PCUNICODE_STRING Name, PCUNICODE_STRING ServiceName)
{
    NTSTATUS Status = IopMakePath(&Driver->Object.DriverName, L"", Name, L"");
    Driver->NameBuffer = Driver->Object.DriverName.Buffer;
    if (NT_SUCCESS(Status))
        Status = IopMakePath(&Driver->Extension.ServiceKeyName, L"", ServiceName, L"");
    return Status;
}

NTSTATUS IopMakeDriverObject(PCUNICODE_STRING Name, PCUNICODE_STRING ServiceName, PDRIVER_OBJECT *NewDriver)
{
    OBJECT_ATTRIBUTES Attributes;
    IOP_DRIVER *Driver;
    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    NTSTATUS Status = ObCreateObject(KernelMode, IoDriverObjectType, &Attributes, KernelMode, NULL,
                                     sizeof(*Driver), 0, 0, (PVOID *)&Driver);
    if (!NT_SUCCESS(Status))
        return Status;
    IopFillDriver(Driver);
    Status = IopNameDriver(Driver, Name, ServiceName);
    if (!NT_SUCCESS(Status)) {
        ObfDereferenceObject(Driver);
        return Status;
    }
    Status = ObInsertObject(Driver, NULL, 0, 0, NULL, NULL);
    if (NT_SUCCESS(Status))
        *NewDriver = &Driver->Object;
    return Status;
}

VOID IopDropDriverObject(PDRIVER_OBJECT Driver)
{
    IopForgetReinitialization(Driver);
    ObMakeTemporaryObject(Driver);
    ObfDereferenceObject(Driver);
}

/* [WDK DO_DEVICE_INITIALIZING] the I/O manager clears it for devices made in DriverEntry. */
static VOID IopReadyDevices(PDRIVER_OBJECT Driver)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    Driver->Flags |= DRVO_INITIALIZED;
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device != NULL; Device = Device->NextDevice)
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

NTSTATUS IopRunDriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = IopCallEntry(Driver, RegistryPath);
    for (ULONG I = 0; I <= IRP_MJ_MAXIMUM_FUNCTION; I++) {
        if (Driver->MajorFunction[I] == NULL)
            Driver->MajorFunction[I] = IopInvalidDeviceRequest;
    }
    if (NT_SUCCESS(Status))
        IopReadyDevices(Driver);
    return Status;
}

NTSTATUS IoCreateDriver(PCWSTR Name, PDRIVER_INITIALIZE Init)
{
    UNICODE_STRING ObjectName, Service, Empty = RTL_CONSTANT_STRING(L"");
    PDRIVER_OBJECT Driver;
    RtlInitUnicodeString(&ObjectName, Name);
    NTSTATUS Status = IopServiceName(&ObjectName, &Service);
    if (NT_SUCCESS(Status))
        Status = IopMakeDriverObject(&ObjectName, &Service, &Driver);
    if (!NT_SUCCESS(Status))
        return Status;
    Driver->Flags |= DRVO_BUILTIN_DRIVER;
    Driver->DriverInit = Init;
    Status = IopRunDriverEntry(Driver, &Empty);
    if (!NT_SUCCESS(Status))
        IopDropDriverObject(Driver);
    return Status;
}

static PVOID IopFindClientExtensionLocked(IOP_DRIVER *Driver, PVOID Id)
{
    for (IOP_CLIENT_EXTENSION *E = Driver->ClientExtensions; E != NULL; E = E->Next) {
        if (E->Id == Id)
            return E + 1;
    }
    return NULL;
}

/* [WDK IoAllocateDriverObjectExtension] STATUS_OBJECT_NAME_COLLISION when the identification is taken. Zeroed, freed with the
 * driver object. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID Id, ULONG Size,
                                               PVOID *Extension)
{
    IOP_DRIVER *Driver = IopDriver(DriverObject);
    IOP_CLIENT_EXTENSION *New =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, (SIZE_T)Size + sizeof(*New), IOP_TAG_DRIVER);
    *Extension = NULL;
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    New->Id = Id;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    BOOLEAN Taken = IopFindClientExtensionLocked(Driver, Id) != NULL;
    if (!Taken) {
        New->Next = Driver->ClientExtensions;
        Driver->ClientExtensions = New;
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Taken) {
        ExFreePoolWithTag(New, IOP_TAG_DRIVER);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    *Extension = New + 1;
    return STATUS_SUCCESS;
}

PVOID NTAPI IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID Id)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    PVOID Extension = IopFindClientExtensionLocked(IopDriver(DriverObject), Id);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Extension;
}

/* SPDX-License-Identifier: MIT
 * Device interfaces: a device offers what a class of devices does, under a name that programs find in the registry and open. Only a device that the
 * PnP manager knows, a PDO, can have one. */
#include "device_interface.h"
#include "ex.h"
#include "image.h"
#include "kd.h"

typedef struct _IOP_INTERFACE {
    LIST_ENTRY Entry;    /* (i) */
    UNICODE_STRING Name; /* "\??\..." */
    PDEVICE_OBJECT Pdo;  /* referenced */
    BOOLEAN Enabled;     /* (i) the link exists */
    const void *Enabler; /* (i) code of who enabled it */
} IOP_INTERFACE;

static LIST_ENTRY IopInterfaces = {&IopInterfaces, &IopInterfaces}; /* (i) registered since start-up */
static KGUARDED_MUTEX IopInterfaceLock;                             /* i */

VOID IopInitInterfaces(VOID)
{
    KeInitializeGuardedMutex(&IopInterfaceLock);
}

static IOP_INTERFACE *IopFindInterfaceLocked(PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY E = IopInterfaces.Flink; E != &IopInterfaces; E = E->Flink) {
        IOP_INTERFACE *Interface = CONTAINING_RECORD(E, IOP_INTERFACE, Entry);
        if (RtlEqualUnicodeString(&Interface->Name, Name, TRUE))
            return Interface;
    }
    return NULL;
}

/* Takes over the name. */
static NTSTATUS IopAddInterfaceLocked(PUNICODE_STRING Name, PDEVICE_OBJECT Pdo)
{
    if (IopFindInterfaceLocked(Name) != NULL) {
        ObFreeName(Name);
        return STATUS_SUCCESS;
    }
    IOP_INTERFACE *Interface = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Interface), IOP_TAG_INTERFACE);
    if (Interface == NULL) {
        ObFreeName(Name);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Interface->Name = *Name;
    Interface->Pdo = Pdo;
    ObfReferenceObject(Pdo);
    InsertTailList(&IopInterfaces, &Interface->Entry);
    return STATUS_SUCCESS;
}

/* What the caller frees with RtlFreeUnicodeString. */
static NTSTATUS IopGiveName(PCUNICODE_STRING Name, PUNICODE_STRING To)
{
    USHORT Room = Name->Length + (USHORT)sizeof(WCHAR);
    PWCH Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Room, IOP_TAG_INTERFACE);
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Buffer, Name->Buffer, Name->Length);
    *To = (UNICODE_STRING){Name->Length, Room, Buffer};
    return STATUS_SUCCESS;
}

static NTSTATUS IopRegisterInterface(PDEVICE_OBJECT Pdo, PUNICODE_STRING Name, PUNICODE_STRING Given)
{
    IOP_INTERFACE_NAME Parts;
    NTSTATUS Status = IopParseInterface(Name, &Parts) ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
    if (NT_SUCCESS(Status))
        Status = IopRecordInterface(&Parts, &IopDeviceNode(Pdo)->InstancePath);
    if (NT_SUCCESS(Status))
        Status = IopGiveName(Name, Given);
    if (!NT_SUCCESS(Status)) {
        ObFreeName(Name);
        return Status;
    }
    KeAcquireGuardedMutex(&IopInterfaceLock);
    Status = IopAddInterfaceLocked(Name, Pdo);
    KeReleaseGuardedMutex(&IopInterfaceLock);
    if (!NT_SUCCESS(Status))
        RtlFreeUnicodeString(Given);
    return Status;
}

/* [WDK IoRegisterDeviceInterface] STATUS_INVALID_DEVICE_REQUEST: not a PDO, or a path separator in the reference string. The interface is not enabled
 * yet. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoRegisterDeviceInterface(PDEVICE_OBJECT Pdo, CONST GUID *Class, PUNICODE_STRING Reference,
                                         PUNICODE_STRING SymbolicLinkName)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNICODE_STRING Name;
    const IO_DEVICE_NODE *Node = IopDeviceNode(Pdo);
    if (Node == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    for (ULONG I = 0; Reference != NULL && I < Reference->Length / sizeof(WCHAR); I++)
        if (Reference->Buffer[I] == L'\\' || Reference->Buffer[I] == L'/')
            return STATUS_INVALID_DEVICE_REQUEST;
    NTSTATUS Status = IopMakeInterfaceName(&Node->InstancePath, Class, Reference, &Name);
    return NT_SUCCESS(Status) ? IopRegisterInterface(Pdo, &Name, SymbolicLinkName) : Status;
}

/* The link has the name without the reference string, which the driver gets as the name of the file. */
static UNICODE_STRING IopLinkName(const IOP_INTERFACE *Interface)
{
    IOP_INTERFACE_NAME Parts;
    (void)IopParseInterface(&Interface->Name, &Parts); /* it was when it was registered */
    USHORT Length = Parts.Device.Length + 4 * (USHORT)sizeof(WCHAR);
    return (UNICODE_STRING){Length, Length, Interface->Name.Buffer};
}

/* Another enabled interface of the same device and class has made it, or needs it still. */
static BOOLEAN IopSharesLinkLocked(const IOP_INTERFACE *Interface)
{
    UNICODE_STRING Link = IopLinkName(Interface);
    for (PLIST_ENTRY E = IopInterfaces.Flink; E != &IopInterfaces; E = E->Flink) {
        const IOP_INTERFACE *Other = CONTAINING_RECORD(E, IOP_INTERFACE, Entry);
        UNICODE_STRING OtherLink = IopLinkName(Other);
        if (Other != Interface && Other->Enabled && RtlEqualUnicodeString(&Link, &OtherLink, TRUE))
            return TRUE;
    }
    return FALSE;
}

static NTSTATUS IopMakeLink(const IOP_INTERFACE *Interface)
{
    ULONG Length;
    UNICODE_STRING Link = IopLinkName(Interface);
    POBJECT_NAME_INFORMATION Device = ExAllocatePool2(POOL_FLAG_PAGED, PAGE_SIZE, IOP_TAG_INTERFACE);
    if (Device == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObQueryNameString(Interface->Pdo, Device, PAGE_SIZE, &Length);
    if (NT_SUCCESS(Status) && Device->Name.Length == 0)
        Status = STATUS_INVALID_DEVICE_REQUEST;
    if (NT_SUCCESS(Status))
        Status = IoCreateSymbolicLink(&Link, &Device->Name);
    ExFreePoolWithTag(Device, IOP_TAG_INTERFACE);
    return Status;
}

static NTSTATUS IopChangeLinkLocked(const IOP_INTERFACE *Interface, BOOLEAN Enable)
{
    UNICODE_STRING Link = IopLinkName(Interface);
    if (IopSharesLinkLocked(Interface))
        return STATUS_SUCCESS;
    return Enable ? IopMakeLink(Interface) : IoDeleteSymbolicLink(&Link);
}

static NTSTATUS IopSetStateLocked(PCUNICODE_STRING Name, BOOLEAN Enable, const void *Caller)
{
    IOP_INTERFACE_NAME Parts;
    IOP_INTERFACE *Interface = IopFindInterfaceLocked(Name);
    if (Interface == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (Interface->Enabled == Enable)
        return Enable ? STATUS_OBJECT_NAME_EXISTS : STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS Status = IopChangeLinkLocked(Interface, Enable);
    if (!NT_SUCCESS(Status))
        return Status;
    Interface->Enabled = Enable;
    Interface->Enabler = Caller;
    if (!IopParseInterface(&Interface->Name, &Parts))
        return STATUS_SUCCESS;
    GUID Class;
    if (NT_SUCCESS(RtlGUIDFromString(&Parts.Class, &Class)))
        IoUpcalls->InterfaceChanged(&Class, &Interface->Name, Enable);
    return IopRecordState(&Parts, Enable);
}

/* [WDK IoSetDeviceInterfaceState] STATUS_OBJECT_NAME_NOT_FOUND: not registered, or disabled already; STATUS_OBJECT_NAME_EXISTS: enabled already.
 * PASSIVE_LEVEL. */
DECLSPEC_NOINLINE NTSTATUS NTAPI IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KeAcquireGuardedMutex(&IopInterfaceLock);
    NTSTATUS Status = IopSetStateLocked(SymbolicLinkName, Enable != FALSE, __builtin_return_address(0));
    KeReleaseGuardedMutex(&IopInterfaceLock);
    return Status;
}

/* The next one of the device, out of the list and disabled; NULL: none. */
static IOP_INTERFACE *IopTakeInterfaceLocked(PDEVICE_OBJECT Pdo)
{
    for (PLIST_ENTRY E = IopInterfaces.Flink; E != &IopInterfaces; E = E->Flink) {
        IOP_INTERFACE *Interface = CONTAINING_RECORD(E, IOP_INTERFACE, Entry);
        if (Interface->Pdo != Pdo)
            continue;
        if (Interface->Enabled)
            (void)IopSetStateLocked(&Interface->Name, FALSE, NULL);
        RemoveEntryList(E);
        return Interface;
    }
    return NULL;
}

static VOID IopReportEnabledInterface(const IOP_INTERFACE *Interface)
{
    CHAR Name[256];
    PCSTR Driver = ImModuleNameOf(Interface->Enabler);
    KdLog("%s: the interface %wZ was left enabled", Driver != NULL ? Driver : "a driver", &Interface->Name);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "enabled device interface"),
             KdUnicodeField(ReportKeyName, &Interface->Name, Name, sizeof(Name)),
             KD_NUMBER(ReportKeyCount, 1));
}

/* [WDK IoSetDeviceInterfaceState] a driver disables its interfaces before its device goes. */
VOID IoReportEnabledInterfaces(PDEVICE_OBJECT Pdo)
{
    KeAcquireGuardedMutex(&IopInterfaceLock);
    for (PLIST_ENTRY E = IopInterfaces.Flink; E != &IopInterfaces; E = E->Flink) {
        const IOP_INTERFACE *Interface = CONTAINING_RECORD(E, IOP_INTERFACE, Entry);
        if (Interface->Pdo == Pdo && Interface->Enabled)
            IopReportEnabledInterface(Interface);
    }
    KeReleaseGuardedMutex(&IopInterfaceLock);
}

VOID IoForgetInterfaces(PDEVICE_OBJECT Pdo)
{
    IOP_INTERFACE *Interface;
    KeAcquireGuardedMutex(&IopInterfaceLock);
    while ((Interface = IopTakeInterfaceLocked(Pdo)) != NULL) {
        ObFreeName(&Interface->Name);
        ExFreePoolWithTag(Interface, IOP_TAG_INTERFACE);
        ObfDereferenceObject(Pdo);
    }
    KeReleaseGuardedMutex(&IopInterfaceLock);
}

/* [WDK IoOpenDeviceInterfaceRegistryKey] where drivers and programs keep what belongs to the interface; made when it is not there. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoOpenDeviceInterfaceRegistryKey(PUNICODE_STRING SymbolicLinkName, ACCESS_MASK Access,
                                                PHANDLE Key)
{
    static const UNICODE_STRING Parameters = RTL_CONSTANT_STRING(L"Device Parameters");
    IOP_INTERFACE_NAME Parts;
    HANDLE Interface;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (!IopParseInterface(SymbolicLinkName, &Parts))
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = IopOpenInterfaceKey(&Parts, FALSE, &Interface);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenSubKey(Interface, &Parameters, Access, REG_OPTION_NON_VOLATILE, TRUE, Key);
    ZwClose(Interface);
    return Status;
}

/* "ROOT#FOO#0000#{guid}" with another class. */
static NTSTATUS IopOtherClass(const IOP_INTERFACE_NAME *Parts, const GUID *Class, PUNICODE_STRING Name)
{
    UNICODE_STRING Instance = Parts->Device;
    Instance.Length -= Parts->Class.Length + (USHORT)sizeof(WCHAR);
    return IopMakeInterfaceName(&Instance, Class, &Parts->Reference, Name);
}

/* [WDK IoGetDeviceInterfaceAlias] the interface of another class that the same device has under the same reference string;
 * STATUS_OBJECT_NAME_NOT_FOUND: there is none. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoGetDeviceInterfaceAlias(PUNICODE_STRING SymbolicLinkName, CONST GUID *Class,
                                         PUNICODE_STRING Alias)
{
    IOP_INTERFACE_NAME Parts;
    UNICODE_STRING Name;
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (!IopParseInterface(SymbolicLinkName, &Parts))
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = IopOtherClass(&Parts, Class, &Name);
    if (!NT_SUCCESS(Status))
        return Status;
    if (IopParseInterface(&Name, &Parts))
        Status = IopOpenInterfaceKey(&Parts, FALSE, &Key);
    if (NT_SUCCESS(Status)) {
        ZwClose(Key);
        Status = IopGiveName(&Name, Alias);
    }
    ObFreeName(&Name);
    return Status;
}

/* [WDK IoOpenDeviceRegistryKey] STATUS_INVALID_DEVICE_REQUEST: not a PDO. The hardware key's Device Parameters, or the software key, which a device has
 * when a driver is installed. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoOpenDeviceRegistryKey(PDEVICE_OBJECT Pdo, ULONG Type, ACCESS_MASK Access, PHANDLE Key)
{
    UNICODE_STRING Path;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    const IO_DEVICE_NODE *Node = IopDeviceNode(Pdo);
    BOOLEAN Hardware = Type == PLUGPLAY_REGKEY_DEVICE;
    if (!Hardware && Type != PLUGPLAY_REGKEY_DRIVER)
        return STATUS_INVALID_PARAMETER;
    if (Node == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!Hardware && Node->DriverKey.Length == 0)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS Status =
        Hardware ? IopMakePath(&Path, L"\\Registry\\Machine\\System\\CurrentControlSet\\Enum\\",
                               &Node->InstancePath, L"\\Device Parameters")
                 : IopMakePath(&Path, L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\",
                               &Node->DriverKey, L"");
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenSubKey(NULL, &Path, Access, REG_OPTION_NON_VOLATILE, TRUE, Key);
    ObFreeName(&Path);
    return Status;
}

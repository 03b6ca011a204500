/* SPDX-License-Identifier: MIT
 * Properties of devices, as drivers ask for them. Most lie in the device's key. [WDK IoGetDeviceProperty] */
#include "property.h"
#include "ex.h"

NTSTATUS PnpAnswer(const PNP_ANSWER *Answer, const void *Data, ULONG Length)
{
    *Answer->Length = Length;
    if (Length > Answer->Room)
        return STATUS_BUFFER_TOO_SMALL;
    RtlCopyMemory(Answer->Buffer, Data, Length);
    return STATUS_SUCCESS;
}

static NTSTATUS PnpAnswerNumber(const PNP_ANSWER *Answer, ULONG Number)
{
    return PnpAnswer(Answer, &Number, sizeof(Number));
}

NTSTATUS PnpAnswerString(const PNP_ANSWER *Answer, PCUNICODE_STRING Text)
{
    *Answer->Length = Text->Length + (ULONG)sizeof(WCHAR);
    if (*Answer->Length > Answer->Room)
        return STATUS_BUFFER_TOO_SMALL;
    RtlCopyMemory(Answer->Buffer, Text->Buffer, Text->Length);
    ((PWCH)Answer->Buffer)[Text->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

typedef struct _PNP_PROPERTY {
    DEVICE_REGISTRY_PROPERTY Property;
    PCWSTR Value;
    ULONG Type;
} PNP_PROPERTY;

static const PNP_PROPERTY PnpProperties[] = {
    {DevicePropertyDeviceDescription, L"DeviceDesc", REG_SZ},
    {DevicePropertyHardwareID, L"HardwareID", REG_MULTI_SZ},
    {DevicePropertyCompatibleIDs, L"CompatibleIDs", REG_MULTI_SZ},
    {DevicePropertyClassName, L"Class", REG_SZ},
    {DevicePropertyClassGuid, L"ClassGUID", REG_SZ},
    {DevicePropertyDriverKeyName, L"Driver", REG_SZ},
    {DevicePropertyManufacturer, L"Mfg", REG_SZ},
    {DevicePropertyFriendlyName, L"FriendlyName", REG_SZ},
    {DevicePropertyLocationInformation, L"LocationInformation", REG_SZ},
    {DevicePropertyUINumber, L"UINumber", REG_DWORD},
    {DevicePropertyAddress, L"Address", REG_DWORD},
};

NTSTATUS PnpAnswerFromKey(const PNP_NODE *Node, PCWSTR ValueName, ULONG Type, const PNP_ANSWER *Answer)
{
    HANDLE Key;
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    NTSTATUS Status = PnpOpenNodeKey(Node, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpQueryValue(Key, ValueName, Type, &Value);
    ZwClose(Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpAnswer(Answer, Value->Data, Value->DataLength);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return Status;
}

/* "PCI" of "PCI\VEN_...". */
static NTSTATUS PnpAnswerEnumerator(const PNP_NODE *Node, const PNP_ANSWER *Answer)
{
    UNICODE_STRING Name = Node->Io.InstancePath;
    for (USHORT i = 0; i < Name.Length / sizeof(WCHAR); i++) {
        if (Name.Buffer[i] == L'\\')
            Name.Length = i * sizeof(WCHAR);
    }
    return PnpAnswerString(Answer, &Name);
}

static NTSTATUS PnpAnswerName(const PNP_NODE *Node, const PNP_ANSWER *Answer)
{
    ULONG Length;
    POBJECT_NAME_INFORMATION Name = ExAllocatePool2(POOL_FLAG_PAGED, PAGE_SIZE, PNP_TAG_TEXT);
    if (Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObQueryNameString(Node->Pdo, Name, PAGE_SIZE, &Length);
    if (NT_SUCCESS(Status))
        Status = PnpAnswerString(Answer, &Name->Name);
    ExFreePoolWithTag(Name, PNP_TAG_TEXT);
    return Status;
}

/* What the device is on; STATUS_OBJECT_NAME_NOT_FOUND: its bus driver does not say. */
static NTSTATUS PnpAnswerBus(const PNP_NODE *Node, DEVICE_REGISTRY_PROPERTY Property,
                             const PNP_ANSWER *Answer)
{
    if (!Node->HasBus)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (Property == DevicePropertyBusTypeGuid)
        return PnpAnswer(Answer, &Node->Bus.BusTypeGuid, sizeof(GUID));
    return PnpAnswerNumber(Answer, Property == DevicePropertyBusNumber ? Node->Bus.BusNumber
                                                                       : (ULONG)Node->Bus.LegacyBusType);
}

static NTSTATUS PnpAnswerResources(const CM_RESOURCE_LIST *List, const PNP_ANSWER *Answer)
{
    return List != NULL ? PnpAnswer(Answer, List, PnpResourcesLength(List)) : STATUS_OBJECT_NAME_NOT_FOUND;
}

/* [WDK DEVICE_REMOVAL_POLICY] */
static ULONG PnpRemovalPolicy(const DEVICE_CAPABILITIES *Capabilities)
{
    if (!Capabilities->Removable && !Capabilities->EjectSupported)
        return RemovalPolicyExpectNoRemoval;
    return Capabilities->SurpriseRemovalOK ? RemovalPolicyExpectSurpriseRemoval
                                           : RemovalPolicyExpectOrderlyRemoval;
}

NTSTATUS PnpGetProperty(const PNP_NODE *Node, DEVICE_REGISTRY_PROPERTY Property, const PNP_ANSWER *Answer)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(PnpProperties); i++) {
        if (PnpProperties[i].Property == Property)
            return PnpAnswerFromKey(Node, PnpProperties[i].Value, PnpProperties[i].Type, Answer);
    }
    switch (Property) {
    case DevicePropertyEnumeratorName:
        return PnpAnswerEnumerator(Node, Answer);
    case DevicePropertyPhysicalDeviceObjectName:
        return PnpAnswerName(Node, Answer);
    case DevicePropertyBusTypeGuid:
    case DevicePropertyLegacyBusType:
    case DevicePropertyBusNumber:
        return PnpAnswerBus(Node, Property, Answer);
    case DevicePropertyBootConfiguration:
        return PnpAnswerResources(Node->BootResources, Answer);
    case DevicePropertyRemovalPolicy:
        return PnpAnswerNumber(Answer, PnpRemovalPolicy(&Node->Capabilities));
    case DevicePropertyInstallState: /* what has a stack is installed */
        return PnpAnswerNumber(Answer, Node->State >= DeviceNodeDriversAdded ? InstallStateInstalled
                                                                             : InstallStateNeedsReinstall);
    default:
        return STATUS_INVALID_PARAMETER_2;
    }
}

/* [WDK IoGetDeviceProperty] STATUS_BUFFER_TOO_SMALL: ResultLength says how much is needed. STATUS_OBJECT_NAME_NOT_FOUND: the device does not have it.
 * STATUS_INVALID_DEVICE_REQUEST: it is no PDO. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoGetDeviceProperty(PDEVICE_OBJECT DeviceObject, DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                   ULONG BufferLength, PVOID PropertyBuffer, PULONG ResultLength)
{
    PNP_ANSWER Answer = {BufferLength, PropertyBuffer, ResultLength};
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    *ResultLength = 0;
    if (IoGetDeviceNode(DeviceObject) == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    return PnpGetProperty(PnpNodeOf(DeviceObject), DeviceProperty, &Answer);
}

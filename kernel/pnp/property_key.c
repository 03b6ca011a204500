/* SPDX-License-Identifier: MIT
 * Properties of the unified model that the PnP manager answers from what it knows. [WDK "Device Properties", devpkey.h] */
#include <initguid.h>
#include <devpkey.h>
#include "property.h"
#include "ex.h"

typedef struct _PNP_KNOWN {
    const DEVPROPKEY *Key;
    DEVPROPTYPE Type;
    DEVICE_REGISTRY_PROPERTY Property; /* the answer of IoGetDeviceProperty ... */
    PCWSTR Value;                      /* ... or a value of the device's key */
    ULONG ValueType;
} PNP_KNOWN;

static const PNP_KNOWN PnpKnown[] = {
    {&DEVPKEY_Device_DeviceDesc, DEVPROP_TYPE_STRING, DevicePropertyDeviceDescription, NULL, 0},
    {&DEVPKEY_Device_HardwareIds, DEVPROP_TYPE_STRING_LIST, DevicePropertyHardwareID, NULL, 0},
    {&DEVPKEY_Device_CompatibleIds, DEVPROP_TYPE_STRING_LIST, DevicePropertyCompatibleIDs, NULL, 0},
    {&DEVPKEY_Device_Class, DEVPROP_TYPE_STRING, DevicePropertyClassName, NULL, 0},
    {&DEVPKEY_Device_Driver, DEVPROP_TYPE_STRING, DevicePropertyDriverKeyName, NULL, 0},
    {&DEVPKEY_Device_Manufacturer, DEVPROP_TYPE_STRING, DevicePropertyManufacturer, NULL, 0},
    {&DEVPKEY_Device_FriendlyName, DEVPROP_TYPE_STRING, DevicePropertyFriendlyName, NULL, 0},
    {&DEVPKEY_Device_LocationInfo, DEVPROP_TYPE_STRING, DevicePropertyLocationInformation, NULL, 0},
    {&DEVPKEY_Device_PDOName, DEVPROP_TYPE_STRING, DevicePropertyPhysicalDeviceObjectName, NULL, 0},
    {&DEVPKEY_Device_EnumeratorName, DEVPROP_TYPE_STRING, DevicePropertyEnumeratorName, NULL, 0},
    {&DEVPKEY_Device_BusTypeGuid, DEVPROP_TYPE_GUID, DevicePropertyBusTypeGuid, NULL, 0},
    {&DEVPKEY_Device_LegacyBusType, DEVPROP_TYPE_UINT32, DevicePropertyLegacyBusType, NULL, 0},
    {&DEVPKEY_Device_BusNumber, DEVPROP_TYPE_UINT32, DevicePropertyBusNumber, NULL, 0},
    {&DEVPKEY_Device_UINumber, DEVPROP_TYPE_UINT32, DevicePropertyUINumber, NULL, 0},
    {&DEVPKEY_Device_Address, DEVPROP_TYPE_UINT32, DevicePropertyAddress, NULL, 0},
    {&DEVPKEY_Device_RemovalPolicy, DEVPROP_TYPE_UINT32, DevicePropertyRemovalPolicy, NULL, 0},
    {&DEVPKEY_Device_InstallState, DEVPROP_TYPE_UINT32, DevicePropertyInstallState, NULL, 0},
    {&DEVPKEY_Device_Service, DEVPROP_TYPE_STRING, 0, L"Service", REG_SZ},
    {&DEVPKEY_Device_ConfigFlags, DEVPROP_TYPE_UINT32, 0, L"ConfigFlags", REG_DWORD},
    {&DEVPKEY_Device_UpperFilters, DEVPROP_TYPE_STRING_LIST, 0, L"UpperFilters", REG_MULTI_SZ},
    {&DEVPKEY_Device_LowerFilters, DEVPROP_TYPE_STRING_LIST, 0, L"LowerFilters", REG_MULTI_SZ},
};

static BOOLEAN PnpSameKey(const DEVPROPKEY *A, const DEVPROPKEY *B)
{
    return A->pid == B->pid && RtlCompareMemory(&A->fmtid, &B->fmtid, sizeof(GUID)) == sizeof(GUID);
}

/* The key holds it as text. */
static NTSTATUS PnpAnswerClass(const PNP_NODE *Node, const PNP_ANSWER *Answer)
{
    WCHAR Text[40];
    ULONG Length;
    PNP_ANSWER Inner = {sizeof(Text), Text, &Length};
    UNICODE_STRING String;
    GUID Class;
    NTSTATUS Status = PnpGetProperty(Node, DevicePropertyClassGuid, &Inner);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&String, Text);
    Status = RtlGUIDFromString(&String, &Class);
    return NT_SUCCESS(Status) ? PnpAnswer(Answer, &Class, sizeof(Class)) : Status;
}

/* What is not in the table. */
static NTSTATUS PnpGetOther(const PNP_NODE *Node, const DEVPROPKEY *Key, const PNP_ANSWER *Answer,
                            PDEVPROPTYPE Type)
{
    *Type = DEVPROP_TYPE_STRING;
    if (PnpSameKey(Key, &DEVPKEY_Device_InstanceId))
        return PnpAnswerString(Answer, &Node->Io.InstancePath);
    if (PnpSameKey(Key, &DEVPKEY_Device_Parent) && Node->Parent != NULL)
        return PnpAnswerString(Answer, &Node->Parent->Io.InstancePath);
    *Type = DEVPROP_TYPE_UINT32;
    if (PnpSameKey(Key, &DEVPKEY_Device_ProblemCode))
        return PnpAnswer(Answer, &Node->Problem, sizeof(Node->Problem));
    *Type = DEVPROP_TYPE_GUID;
    if (PnpSameKey(Key, &DEVPKEY_Device_ClassGuid))
        return PnpAnswerClass(Node, Answer);
    *Type = DEVPROP_TYPE_EMPTY;
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS PnpGetKnown(const PNP_NODE *Node, const DEVPROPKEY *Key, const PNP_ANSWER *Answer, PDEVPROPTYPE Type)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(PnpKnown); i++) {
        const PNP_KNOWN *Known = &PnpKnown[i];
        if (!PnpSameKey(Key, Known->Key))
            continue;
        *Type = Known->Type;
        return Known->Value != NULL ? PnpAnswerFromKey(Node, Known->Value, Known->ValueType, Answer)
                                    : PnpGetProperty(Node, Known->Property, Answer);
    }
    return PnpGetOther(Node, Key, Answer, Type);
}

/* SPDX-License-Identifier: MIT
 * Properties of devices and interfaces in the unified model: Properties\\{category}\\number below their keys, a value for each language.
 * [WDK "Unified Device Property Model", IoSetDevicePropertyData, IoGetDevicePropertyData, IoSetDeviceInterfacePropertyData] */
#include "property.h"
#include "crt.h"
#include "ex.h"

#define PNP_PROPERTY_TYPE 0xFFFF0000u /* what tells a property's type from a registry type */
#define PNP_LANGUAGE_TEXT 9u          /* "00000409" and its terminator */

/* "{...}\\0002". */
static NTSTATUS PnpPropertyPath(const DEVPROPKEY *Key, PWSTR Path, ULONG Characters)
{
    UNICODE_STRING Guid;
    NTSTATUS Status = RtlStringFromGUID(&Key->fmtid, &Guid);
    if (!NT_SUCCESS(Status))
        return Status;
    _snwprintf(Path, Characters, L"%wZ\\%04X", &Guid, (ULONG)Key->pid);
    RtlFreeUnicodeString(&Guid);
    return STATUS_SUCCESS;
}

static VOID PnpLanguageName(LCID Language, PWSTR Name)
{
    Name[0] = 0;
    if (Language != LOCALE_NEUTRAL)
        _snwprintf(Name, PNP_LANGUAGE_TEXT, L"%08X", (ULONG)Language);
}

static NTSTATUS PnpOpenProperty(HANDLE Root, const DEVPROPKEY *Property, BOOLEAN Make, PHANDLE Key)
{
    WCHAR Path[64];
    UNICODE_STRING Text;
    NTSTATUS Status = PnpPropertyPath(Property, Path, RTL_NUMBER_OF(Path));
    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Text, Path);
    return Make ? PnpMakeKey(Root, L"Properties\\", &Text, L"", REG_OPTION_NON_VOLATILE, Key)
                : PnpOpenKey(Root, L"Properties\\", &Text, L"", KEY_READ | KEY_WRITE, Key);
}

NTSTATUS PnpSetStored(HANDLE Root, const PNP_STORED *Stored, DEVPROPTYPE Type, ULONG Size, const void *Data)
{
    WCHAR Name[PNP_LANGUAGE_TEXT];
    UNICODE_STRING ValueName;
    HANDLE Key;
    NTSTATUS Status = PnpOpenProperty(Root, Stored->Key, Data != NULL, &Key);
    if (!NT_SUCCESS(Status))
        return Data == NULL && Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
    PnpLanguageName(Stored->Language, Name);
    RtlInitUnicodeString(&ValueName, Name);
    Status = Data != NULL ? ZwSetValueKey(Key, &ValueName, 0, PNP_PROPERTY_TYPE | Type, (PVOID)Data, Size)
                          : ZwDeleteValueKey(Key, &ValueName);
    ZwClose(Key);
    return Data == NULL && Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
}

NTSTATUS PnpGetStored(HANDLE Root, const PNP_STORED *Stored, const PNP_ANSWER *Answer, PDEVPROPTYPE Type)
{
    WCHAR Name[PNP_LANGUAGE_TEXT];
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    HANDLE Key;
    NTSTATUS Status = PnpOpenProperty(Root, Stored->Key, FALSE, &Key);
    if (!NT_SUCCESS(Status))
        return Status == STATUS_OBJECT_PATH_NOT_FOUND ? STATUS_OBJECT_NAME_NOT_FOUND : Status;
    PnpLanguageName(Stored->Language, Name);
    Status = PnpQueryAny(Key, Name, &Value);
    ZwClose(Key);
    if (!NT_SUCCESS(Status))
        return Status;
    *Type = Value->Type & ~PNP_PROPERTY_TYPE;
    Status = PnpAnswer(Answer, Value->Data, Value->DataLength);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return Status;
}

/* --- of devices --- */

/* [WDK IoSetDevicePropertyData] PASSIVE_LEVEL. Every property persists, as it does since Windows 8. */
NTSTATUS NTAPI IoSetDevicePropertyData(PDEVICE_OBJECT Pdo, CONST DEVPROPKEY *PropertyKey, LCID Lcid,
                                       ULONG Flags, DEVPROPTYPE Type, ULONG Size, PVOID Data)
{
    PNP_STORED Stored = {PropertyKey, Lcid};
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(Flags);
    NTSTATUS Status = PnpOpenNodeKey(PnpRequireNode(Pdo), &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpSetStored(Key, &Stored, Type, Size, Data);
    ZwClose(Key);
    return Status;
}

static NTSTATUS PnpGetDeviceStored(const PNP_NODE *Node, const PNP_STORED *Stored, const PNP_ANSWER *Answer,
                                   PDEVPROPTYPE Type)
{
    HANDLE Key;
    NTSTATUS Status = PnpOpenNodeKey(Node, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpGetStored(Key, Stored, Answer, Type);
    ZwClose(Key);
    return Status;
}

/* [WDK IoGetDevicePropertyData] PASSIVE_LEVEL. What was set comes before what the PnP manager knows itself. */
NTSTATUS NTAPI IoGetDevicePropertyData(PDEVICE_OBJECT Pdo, CONST DEVPROPKEY *PropertyKey, LCID Lcid,
                                       ULONG Flags, ULONG Size, PVOID Data, PULONG RequiredSize,
                                       PDEVPROPTYPE Type)
{
    PNP_STORED Stored = {PropertyKey, Lcid};
    PNP_ANSWER Answer = {Size, Data, RequiredSize};
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(Flags);
    *RequiredSize = 0;
    PNP_NODE *Node = PnpRequireNode(Pdo);
    NTSTATUS Status = PnpGetDeviceStored(Node, &Stored, &Answer, Type);
    return Status == STATUS_OBJECT_NAME_NOT_FOUND ? PnpGetKnown(Node, PropertyKey, &Answer, Type) : Status;
}

/* --- of interfaces --- */

/* [WDK IoSetDeviceInterfacePropertyData] PASSIVE_LEVEL. */
NTSTATUS NTAPI IoSetDeviceInterfacePropertyData(PUNICODE_STRING SymbolicLinkName,
                                                CONST DEVPROPKEY *PropertyKey, LCID Lcid, ULONG Flags,
                                                DEVPROPTYPE Type, ULONG Size, PVOID Data)
{
    PNP_STORED Stored = {PropertyKey, Lcid};
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(Flags);
    NTSTATUS Status = IoOpenInterfaceKey(SymbolicLinkName, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpSetStored(Key, &Stored, Type, Size, Data);
    ZwClose(Key);
    return Status;
}

/* [WDK IoGetDeviceInterfacePropertyData] PASSIVE_LEVEL. */
NTSTATUS NTAPI IoGetDeviceInterfacePropertyData(PUNICODE_STRING SymbolicLinkName,
                                                CONST DEVPROPKEY *PropertyKey, LCID Lcid, ULONG Flags,
                                                ULONG Size, PVOID Data, PULONG RequiredSize,
                                                PDEVPROPTYPE Type)
{
    PNP_STORED Stored = {PropertyKey, Lcid};
    PNP_ANSWER Answer = {Size, Data, RequiredSize};
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(Flags);
    *RequiredSize = 0;
    NTSTATUS Status = IoOpenInterfaceKey(SymbolicLinkName, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpGetStored(Key, &Stored, &Answer, Type);
    ZwClose(Key);
    return Status;
}

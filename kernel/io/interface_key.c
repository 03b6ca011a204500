/* SPDX-License-Identifier: MIT
 * Device interfaces in the registry, and their names. [WDK "Device Interface Classes", IoRegisterDeviceInterface] */
#include "device_interface.h"

#define IOP_GUID_CHARACTERS 38u

static const UNICODE_STRING IopClassesPath =
    RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\DeviceClasses");

/* Behind the prefix, up to the reference string. */
static UNICODE_STRING IopNamePart(PCUNICODE_STRING Name, ULONG From, WCHAR End)
{
    ULONG To = From, Count = Name->Length / sizeof(WCHAR);
    while (To < Count && Name->Buffer[To] != End)
        To++;
    USHORT Length = (USHORT)((To - From) * sizeof(WCHAR));
    return (UNICODE_STRING){Length, Length, Name->Buffer + From};
}

static BOOLEAN IopHasLinkPrefix(PCUNICODE_STRING Name)
{
    const WCHAR *C = Name->Buffer;
    return Name->Length > 4 * sizeof(WCHAR) && C[0] == L'\\' && (C[1] == L'?' || C[1] == L'\\') &&
           C[2] == L'?' && C[3] == L'\\';
}

BOOLEAN IopParseInterface(PCUNICODE_STRING Name, IOP_INTERFACE_NAME *Parts)
{
    if (!IopHasLinkPrefix(Name))
        return FALSE;
    Parts->Device = IopNamePart(Name, 4, L'\\');
    ULONG Count = Parts->Device.Length / sizeof(WCHAR), Next = 4 + Count + 1;
    Parts->Reference = Next < Name->Length / sizeof(WCHAR) ? IopNamePart(Name, Next, 0) : (UNICODE_STRING){};
    if (Count <= IOP_GUID_CHARACTERS + 1)
        return FALSE;
    Parts->Class.Buffer = Parts->Device.Buffer + Count - IOP_GUID_CHARACTERS;
    Parts->Class.Length = Parts->Class.MaximumLength = IOP_GUID_CHARACTERS * sizeof(WCHAR);
    return Parts->Class.Buffer[-1] == L'#' && Parts->Class.Buffer[0] == L'{' &&
           Parts->Class.Buffer[IOP_GUID_CHARACTERS - 1] == L'}';
}

static VOID IopReplaceSeparators(PUNICODE_STRING Text, ULONG From)
{
    for (ULONG I = From; I < Text->Length / sizeof(WCHAR); I++)
        if (Text->Buffer[I] == L'\\' || Text->Buffer[I] == L'/')
            Text->Buffer[I] = L'#';
}

NTSTATUS IopMakeInterfaceName(PCUNICODE_STRING InstancePath, const GUID *Class, PCUNICODE_STRING Reference,
                              PUNICODE_STRING Name)
{
    UNICODE_STRING Guid;
    ULONG More = Reference != NULL && Reference->Length != 0 ? Reference->Length + (ULONG)sizeof(WCHAR) : 0;
    NTSTATUS Status = RtlStringFromGUID(Class, &Guid);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObAllocateName(Name, 5 * sizeof(WCHAR) + InstancePath->Length + Guid.Length + More);
    if (NT_SUCCESS(Status)) {
        RtlAppendUnicodeToString(Name, L"\\??\\");
        RtlAppendUnicodeStringToString(Name, InstancePath);
        IopReplaceSeparators(Name, 4);
        RtlAppendUnicodeToString(Name, L"#");
        RtlAppendUnicodeStringToString(Name, &Guid);
    }
    if (NT_SUCCESS(Status) && More != 0) {
        RtlAppendUnicodeToString(Name, L"\\");
        RtlAppendUnicodeStringToString(Name, Reference);
    }
    RtlFreeUnicodeString(&Guid);
    return Status;
}

NTSTATUS IopOpenSubKey(HANDLE Root, PCUNICODE_STRING Name, ACCESS_MASK Access, ULONG CreateOptions,
                       BOOLEAN Create, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                               Root, NULL);
    return Create ? ZwCreateKey(Key, Access, &Attributes, 0, NULL, CreateOptions, NULL)
                  : ZwOpenKey(Key, Access, &Attributes);
}

/* One level down; the handle of the level above is closed. */
static NTSTATUS IopStepDown(PHANDLE Key, PCWSTR Prefix, PCUNICODE_STRING Name, BOOLEAN Create)
{
    UNICODE_STRING Whole;
    HANDLE Above = *Key;
    NTSTATUS Status = IopMakePath(&Whole, Prefix, Name, L"");
    if (NT_SUCCESS(Status)) {
        Status = IopOpenSubKey(Above, &Whole, KEY_ALL_ACCESS, REG_OPTION_NON_VOLATILE, Create, Key);
        ObFreeName(&Whole);
    }
    if (Above != NULL)
        ZwClose(Above);
    return Status;
}

/* The key of the device below the class. */
static NTSTATUS IopOpenDeviceKey(const IOP_INTERFACE_NAME *Parts, BOOLEAN Create, PHANDLE Key)
{
    *Key = NULL;
    NTSTATUS Status = IopStepDown(Key, L"", &IopClassesPath, Create);
    if (NT_SUCCESS(Status))
        Status = IopStepDown(Key, L"", &Parts->Class, Create);
    return NT_SUCCESS(Status) ? IopStepDown(Key, L"##?#", &Parts->Device, Create) : Status;
}

NTSTATUS IopOpenInterfaceKey(const IOP_INTERFACE_NAME *Parts, BOOLEAN Create, PHANDLE Key)
{
    NTSTATUS Status = IopOpenDeviceKey(Parts, Create, Key);
    return NT_SUCCESS(Status) ? IopStepDown(Key, L"#", &Parts->Reference, Create) : Status;
}

NTSTATUS IoOpenInterfaceKey(PCUNICODE_STRING Name, PHANDLE Key)
{
    IOP_INTERFACE_NAME Parts;
    return IopParseInterface(Name, &Parts) ? IopOpenInterfaceKey(&Parts, FALSE, Key)
                                           : STATUS_INVALID_PARAMETER;
}

static NTSTATUS IopSetText(HANDLE Key, PCWSTR Name, PCUNICODE_STRING Text)
{
    UNICODE_STRING ValueName;
    RtlInitUnicodeString(&ValueName, Name);
    return ZwSetValueKey(Key, &ValueName, 0, REG_SZ, Text->Buffer, Text->Length + (ULONG)sizeof(WCHAR));
}

/* As a program opens it: "\\?\ROOT#...". */
static NTSTATUS IopSetSymbolicLink(HANDLE Key, const IOP_INTERFACE_NAME *Parts)
{
    UNICODE_STRING Link;
    PCWSTR Separator = Parts->Reference.Length != 0 ? L"\\" : L"";
    NTSTATUS Status =
        ObAllocateName(&Link, 5 * sizeof(WCHAR) + Parts->Device.Length + Parts->Reference.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlAppendUnicodeToString(&Link, L"\\\\?\\");
    RtlAppendUnicodeStringToString(&Link, &Parts->Device);
    RtlAppendUnicodeToString(&Link, Separator);
    RtlAppendUnicodeStringToString(&Link, &Parts->Reference);
    Link.Buffer[Link.Length / sizeof(WCHAR)] = 0;
    Status = IopSetText(Key, L"SymbolicLink", &Link);
    ObFreeName(&Link);
    return Status;
}

static NTSTATUS IopRecordDevice(const IOP_INTERFACE_NAME *Parts, PCUNICODE_STRING InstancePath)
{
    UNICODE_STRING Text;
    HANDLE Key;
    NTSTATUS Status = IopOpenDeviceKey(Parts, TRUE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopMakePath(&Text, L"", InstancePath, L""); /* with a terminator */
    if (NT_SUCCESS(Status)) {
        Status = IopSetText(Key, L"DeviceInstance", &Text);
        ObFreeName(&Text);
    }
    ZwClose(Key);
    return Status;
}

NTSTATUS IopRecordInterface(const IOP_INTERFACE_NAME *Parts, PCUNICODE_STRING InstancePath)
{
    HANDLE Key;
    NTSTATUS Status = IopRecordDevice(Parts, InstancePath);
    if (NT_SUCCESS(Status))
        Status = IopOpenInterfaceKey(Parts, TRUE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopSetSymbolicLink(Key, Parts);
    ZwClose(Key);
    return Status;
}

/* The state lasts as long as the system runs: in a volatile key. */
NTSTATUS IopRecordState(const IOP_INTERFACE_NAME *Parts, BOOLEAN Enabled)
{
    static const UNICODE_STRING Control = RTL_CONSTANT_STRING(L"Control");
    UNICODE_STRING Linked = RTL_CONSTANT_STRING(L"Linked");
    ULONG Value = Enabled;
    HANDLE Key, State;
    NTSTATUS Status = IopOpenInterfaceKey(Parts, FALSE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopOpenSubKey(Key, &Control, KEY_ALL_ACCESS, REG_OPTION_VOLATILE, TRUE, &State);
    ZwClose(Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwSetValueKey(State, &Linked, 0, REG_DWORD, &Value, sizeof(Value));
    ZwClose(State);
    return Status;
}

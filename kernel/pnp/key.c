/* SPDX-License-Identifier: MIT
 * Registry keys and values of devices. PASSIVE_LEVEL. */
#include "pnpp.h"

/* Prefix, text and suffix as one name; ObFreeName. */
static NTSTATUS PnpMakePath(PCWSTR Prefix, PCUNICODE_STRING Text, PCWSTR Suffix, PUNICODE_STRING Path)
{
    NTSTATUS Status =
        ObAllocateName(Path, (ULONG)((wcslen(Prefix) + wcslen(Suffix)) * sizeof(WCHAR)) + Text->Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlAppendUnicodeToString(Path, Prefix);
    RtlAppendUnicodeStringToString(Path, Text);
    RtlAppendUnicodeToString(Path, Suffix);
    return STATUS_SUCCESS;
}

NTSTATUS PnpOpenKey(HANDLE Root, PCWSTR Prefix, PCUNICODE_STRING Text, PCWSTR Suffix, ACCESS_MASK Access,
                    PHANDLE Key)
{
    UNICODE_STRING Path;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status = PnpMakePath(Prefix, Text, Suffix, &Path);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Root, NULL);
    Status = ZwOpenKey(Key, Access, &Attributes);
    ObFreeName(&Path);
    return Status;
}

/* One component; Above, if it is not Root, is closed. */
static NTSTATUS PnpMakeStep(HANDLE Root, PHANDLE Above, PUNICODE_STRING Name, ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, *Above, NULL);
    NTSTATUS Status = ZwCreateKey(&Key, KEY_READ | KEY_WRITE, &Attributes, 0, NULL, Options, NULL);
    if (*Above != Root)
        ZwClose(*Above);
    *Above = NT_SUCCESS(Status) ? Key : Root;
    return Status;
}

/* The first component of what is left, which it leaves behind. Of an absolute name the first is all that is there always. */
static UNICODE_STRING PnpTakeComponent(PUNICODE_STRING Rest)
{
    static const UNICODE_STRING Always =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet");
    ULONG Count = Rest->Length / sizeof(WCHAR), End = 0;
    if (RtlPrefixUnicodeString(&Always, Rest, TRUE))
        End = Always.Length / sizeof(WCHAR);
    while (End < Count && Rest->Buffer[End] != OBJ_NAME_PATH_SEPARATOR)
        End++;
    UNICODE_STRING First = {(USHORT)(End * sizeof(WCHAR)), (USHORT)(End * sizeof(WCHAR)), Rest->Buffer};
    ULONG Skip = min(End + 1, Count);
    *Rest = (UNICODE_STRING){(USHORT)((Count - Skip) * sizeof(WCHAR)),
                             (USHORT)((Count - Skip) * sizeof(WCHAR)), Rest->Buffer + Skip};
    return First;
}

NTSTATUS PnpMakeKey(HANDLE Root, PCWSTR Prefix, PCUNICODE_STRING Text, PCWSTR Suffix, ULONG Options,
                    PHANDLE Key)
{
    UNICODE_STRING Path;
    HANDLE At = Root;
    NTSTATUS Status = PnpMakePath(Prefix, Text, Suffix, &Path);
    if (!NT_SUCCESS(Status))
        return Status;
    UNICODE_STRING Rest = Path;
    while (NT_SUCCESS(Status) && Rest.Length != 0) {
        UNICODE_STRING Name = PnpTakeComponent(&Rest);
        Status = PnpMakeStep(Root, &At, &Name, Rest.Length == 0 ? Options : REG_OPTION_NON_VOLATILE);
    }
    ObFreeName(&Path);
    *Key = At;
    return Status;
}

NTSTATUS PnpOpenNodeKey(const PNP_NODE *Node, PHANDLE Key)
{
    return PnpOpenKey(NULL, PNP_CONTROL_SET L"Enum\\", &Node->Io.InstancePath, L"", KEY_READ | KEY_WRITE,
                      Key);
}

NTSTATUS PnpSetData(HANDLE Key, PCWSTR Name, ULONG Type, const void *Data, ULONG Length)
{
    UNICODE_STRING ValueName;
    RtlInitUnicodeString(&ValueName, Name);
    return ZwSetValueKey(Key, &ValueName, 0, Type, (PVOID)Data, Length);
}

/* With the terminator that the value has to have. */
NTSTATUS PnpSetText(HANDLE Key, PCWSTR Name, PCUNICODE_STRING Text)
{
    UNICODE_STRING Copy;
    NTSTATUS Status = PnpMakePath(L"", Text, L"", &Copy);
    if (!NT_SUCCESS(Status))
        return Status;
    Copy.Buffer[Copy.Length / sizeof(WCHAR)] = 0;
    Status = PnpSetData(Key, Name, REG_SZ, Copy.Buffer, Copy.Length + (ULONG)sizeof(WCHAR));
    ObFreeName(&Copy);
    return Status;
}

NTSTATUS PnpSetNumber(HANDLE Key, PCWSTR Name, ULONG Number)
{
    return PnpSetData(Key, Name, REG_DWORD, &Number, sizeof(Number));
}

NTSTATUS PnpQueryAny(HANDLE Key, PCWSTR Name, PKEY_VALUE_PARTIAL_INFORMATION *Value)
{
    UNICODE_STRING ValueName;
    ULONG Length = 0;
    RtlInitUnicodeString(&ValueName, Name);
    NTSTATUS Status = ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, NULL, 0, &Length);
    if (Status != STATUS_BUFFER_TOO_SMALL)
        return NT_SUCCESS(Status) ? STATUS_OBJECT_TYPE_MISMATCH : Status;
    *Value = ExAllocatePool2(POOL_FLAG_PAGED, Length, PNP_TAG_TEXT);
    if (*Value == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, *Value, Length, &Length);
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(*Value, PNP_TAG_TEXT);
    return Status;
}

NTSTATUS PnpQueryValue(HANDLE Key, PCWSTR Name, ULONG Type, PKEY_VALUE_PARTIAL_INFORMATION *Value)
{
    NTSTATUS Status = PnpQueryAny(Key, Name, Value);
    if (!NT_SUCCESS(Status) || (*Value)->Type == Type)
        return Status;
    ExFreePoolWithTag(*Value, PNP_TAG_TEXT);
    return STATUS_OBJECT_TYPE_MISMATCH;
}

UNICODE_STRING PnpValueText(const KEY_VALUE_PARTIAL_INFORMATION *Value)
{
    ULONG Length = min(Value->DataLength, (ULONG)MAXUSHORT - 1) & ~1u;
    PWCH Text = (PWCH)Value->Data;
    while (Length != 0 && Text[Length / sizeof(WCHAR) - 1] == 0)
        Length -= sizeof(WCHAR);
    return (UNICODE_STRING){(USHORT)Length, (USHORT)Length, Text};
}

ULONG PnpQueryNumber(HANDLE Key, PCWSTR Name, ULONG Otherwise)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    if (!NT_SUCCESS(PnpQueryValue(Key, Name, REG_DWORD, &Value)))
        return Otherwise;
    ULONG Number = Value->DataLength == sizeof(ULONG) ? *(const UNALIGNED ULONG *)Value->Data : Otherwise;
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return Number;
}

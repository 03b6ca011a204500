/* SPDX-License-Identifier: MIT
 * What a driver's service key says: Type, Start and ImagePath. */
#include "iop.h"

#define IOP_DISABLED 4u
#define IOP_VALUE_ROOM 1024u

typedef union _IOP_VALUE {
    KEY_VALUE_PARTIAL_INFORMATION Information;
    UCHAR Room[IOP_VALUE_ROOM];
} IOP_VALUE;

static NTSTATUS IopQueryValue(HANDLE Key, PCWSTR Name, IOP_VALUE *Value)
{
    UNICODE_STRING ValueName;
    ULONG Length;
    RtlInitUnicodeString(&ValueName, Name);
    return ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, Value, sizeof(*Value), &Length);
}

static NTSTATUS IopQueryNumber(HANDLE Key, PCWSTR Name, IOP_VALUE *Value, ULONG Otherwise, PULONG Number)
{
    *Number = Otherwise;
    NTSTATUS Status = IopQueryValue(Key, Name, Value);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(Status))
        return Status;
    if (Value->Information.Type != REG_DWORD || Value->Information.DataLength != sizeof(ULONG))
        return STATUS_OBJECT_TYPE_MISMATCH;
    RtlCopyMemory(Number, Value->Information.Data, sizeof(ULONG));
    return STATUS_SUCCESS;
}

/* Without the value the service is a kernel driver. */
static NTSTATUS IopReadType(HANDLE Key, IOP_VALUE *Value, PULONG Type)
{
    NTSTATUS Status = IopQueryNumber(Key, L"Type", Value, IOP_SERVICE_KERNEL_DRIVER, Type);
    if (!NT_SUCCESS(Status))
        return Status;
    return IopIsDriverType(*Type) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* [Win32 CreateService, SERVICE_DISABLED] a service that cannot be started: ERROR_SERVICE_DISABLED is what [MS-ERREF] has for this
 * status. Without the value it is started on demand. */
static NTSTATUS IopRefuseDisabled(HANDLE Key, IOP_VALUE *Value)
{
    ULONG Start;
    NTSTATUS Status = IopQueryNumber(Key, L"Start", Value, 0, &Start);
    return NT_SUCCESS(Status) && Start == IOP_DISABLED ? STATUS_PLUGPLAY_NO_DEVICE : Status;
}

/* The text without its terminators. */
static UNICODE_STRING IopValueText(IOP_VALUE *Value)
{
    ULONG Length = Value->Information.DataLength & ~1u;
    PWCH Text = (PWCH)Value->Information.Data;
    while (Length != 0 && Text[Length / sizeof(WCHAR) - 1] == 0)
        Length -= sizeof(WCHAR);
    return (UNICODE_STRING){(USHORT)Length, (USHORT)Length, Text};
}

/* [WDK HKLM\SYSTEM\CurrentControlSet\Services] ImagePath is absolute ("\SystemRoot\...", "\??\C:\...") or relative to the system
 * root; without it the image is System32\drivers\<service>.sys. */
static NTSTATUS IopReadImagePath(HANDLE Key, IOP_VALUE *Value, PCUNICODE_STRING Name, PUNICODE_STRING Path)
{
    NTSTATUS Status = IopQueryValue(Key, L"ImagePath", Value);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return IopMakePath(Path, L"\\SystemRoot\\System32\\drivers\\", Name, L".sys");
    if (!NT_SUCCESS(Status))
        return Status;
    if (Value->Information.Type != REG_SZ && Value->Information.Type != REG_EXPAND_SZ)
        return STATUS_OBJECT_TYPE_MISMATCH;
    UNICODE_STRING Text = IopValueText(Value);
    if (Text.Length == 0)
        return IopMakePath(Path, L"\\SystemRoot\\System32\\drivers\\", Name, L".sys");
    BOOLEAN Absolute = Text.Buffer[0] == L'\\';
    return IopMakePath(Path, Absolute ? L"" : L"\\SystemRoot\\", &Text, L"");
}

/* [WDK DRIVER_INITIALIZE] RegistryPath is the key's real name ("\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\x"). */
static NTSTATUS IopReadKeyPath(HANDLE Key, IOP_VALUE *Room, PUNICODE_STRING Path)
{
    PVOID Object;
    ULONG Length;
    POBJECT_NAME_INFORMATION Information = (POBJECT_NAME_INFORMATION)Room;
    NTSTATUS Status = ObReferenceObjectByHandle(Key, 0, NULL, KernelMode, &Object, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObQueryNameString(Object, Information, sizeof(*Room), &Length);
    ObfDereferenceObject(Object);
    return NT_SUCCESS(Status) ? IopMakePath(Path, L"", &Information->Name, L"") : Status;
}

NTSTATUS IopReadService(PUNICODE_STRING ServiceKey, PCUNICODE_STRING Name, IOP_SERVICE *Service)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    IOP_VALUE *Value;
    RtlZeroMemory(Service, sizeof(*Service));
    InitializeObjectAttributes(&Attributes, ServiceKey, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Value = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Value), IOP_TAG_BUFFER);
    Status = Value != NULL ? IopReadType(Key, Value, &Service->Type) : STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(Status))
        Status = IopRefuseDisabled(Key, Value);
    if (NT_SUCCESS(Status))
        Status = IopReadImagePath(Key, Value, Name, &Service->ImagePath);
    if (NT_SUCCESS(Status))
        Status = IopReadKeyPath(Key, Value, &Service->KeyPath);
    if (!NT_SUCCESS(Status))
        IopFreeService(Service);
    if (Value != NULL)
        ExFreePoolWithTag(Value, IOP_TAG_BUFFER);
    ZwClose(Key);
    return Status;
}

VOID IopFreeService(IOP_SERVICE *Service)
{
    ObFreeName(&Service->ImagePath);
    ObFreeName(&Service->KeyPath);
}

NTSTATUS IopServiceName(PCUNICODE_STRING ServiceKey, PUNICODE_STRING Name)
{
    ULONG End = ServiceKey->Length / sizeof(WCHAR), Start = End;
    while (Start != 0 && ServiceKey->Buffer[Start - 1] != OBJ_NAME_PATH_SEPARATOR)
        Start--;
    if (Start == End)
        return STATUS_OBJECT_NAME_INVALID;
    Name->Buffer = ServiceKey->Buffer + Start;
    Name->Length = Name->MaximumLength = (USHORT)((End - Start) * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

/* An absolute name of our own from three parts; ObFreeName. */
NTSTATUS IopMakePath(PUNICODE_STRING Path, PCWSTR Prefix, PCUNICODE_STRING Middle, PCWSTR Suffix)
{
    UNICODE_STRING First, Last;
    RtlInitUnicodeString(&First, Prefix);
    RtlInitUnicodeString(&Last, Suffix);
    NTSTATUS Status = ObAllocateName(Path, (ULONG)First.Length + Middle->Length + Last.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Path->Buffer, First.Buffer, First.Length);
    RtlCopyMemory((PUCHAR)Path->Buffer + First.Length, Middle->Buffer, Middle->Length);
    RtlCopyMemory((PUCHAR)Path->Buffer + First.Length + Middle->Length, Last.Buffer, Last.Length);
    Path->Length = First.Length + Middle->Length + Last.Length;
    Path->Buffer[Path->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Registry keys by the RTL_REGISTRY_... constants, and the short routines that use them: RtlCheckRegistryKey, RtlCreateRegistryKey,
 * RtlWriteRegistryValue, RtlDeleteRegistryValue. */
#include "cm/rtl_registry.h"
#include "ke.h"

/* [WDK RtlCheckRegistryKey] RelativeTo: where Path starts. RTL_REGISTRY_USER is \User\.Default in a system process. */
static PCWSTR CmpRelativeTo(ULONG RelativeTo)
{
    switch (RelativeTo) {
    case RTL_REGISTRY_ABSOLUTE:
        return L"";
    case RTL_REGISTRY_SERVICES:
        return L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";
    case RTL_REGISTRY_CONTROL:
        return L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\";
    case RTL_REGISTRY_WINDOWS_NT:
        return L"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\";
    case RTL_REGISTRY_DEVICEMAP:
        return L"\\Registry\\Machine\\Hardware\\DeviceMap\\";
    case RTL_REGISTRY_USER:
        return L"\\Registry\\User\\.Default\\";
    }
    return NULL;
}

static NTSTATUS CmpMakePath(PCWSTR Base, PCWSTR Path, PUNICODE_STRING Name)
{
    UNICODE_STRING First, Second;
    RtlInitUnicodeString(&First, Base);
    RtlInitUnicodeString(&Second, Path);
    if ((ULONG)First.Length + Second.Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    NTSTATUS Status = ObAllocateName(Name, (ULONG)First.Length + Second.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyUnicodeString(Name, &First);
    return RtlAppendUnicodeStringToString(Name, &Second);
}

/* The handle is the caller's own with RTL_REGISTRY_HANDLE. */
static BOOLEAN CmpIsHandle(ULONG RelativeTo)
{
    return (RelativeTo & RTL_REGISTRY_HANDLE) != 0;
}

NTSTATUS CmpOpenRelative(ULONG RelativeTo, PCWSTR Path, ACCESS_MASK Access, BOOLEAN Create, PHANDLE Key)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    PCWSTR Base = CmpRelativeTo(RelativeTo & ~(ULONG)(RTL_REGISTRY_OPTIONAL | RTL_REGISTRY_HANDLE));
    if (CmpIsHandle(RelativeTo)) {
        *Key = (HANDLE)Path;
        return STATUS_SUCCESS;
    }
    if (Base == NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = CmpMakePath(Base, Path, &Name);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = Create ? ZwCreateKey(Key, Access, &Attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL)
                    : ZwOpenKey(Key, Access, &Attributes);
    ObFreeName(&Name);
    return Status;
}

VOID CmpCloseRelative(ULONG RelativeTo, HANDLE Key)
{
    if (!CmpIsHandle(RelativeTo))
        ZwClose(Key);
}

static NTSTATUS CmpCheckHandle(HANDLE Handle)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpReferenceKey(Handle, 0, KernelMode, &Key);
    if (NT_SUCCESS(Status))
        ObfDereferenceObject(Key);
    return Status;
}

/* [WDK RtlCheckRegistryKey] PASSIVE_LEVEL. STATUS_SUCCESS when the key exists. With RTL_REGISTRY_HANDLE Path is a handle. */
NTSTATUS NTAPI RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (CmpIsHandle(RelativeTo))
        return CmpCheckHandle((HANDLE)Path);
    NTSTATUS Status = CmpOpenRelative(RelativeTo, Path, KEY_READ, FALSE, &Key);
    if (NT_SUCCESS(Status))
        ZwClose(Key);
    return Status;
}

/* [WDK RtlCreateRegistryKey] PASSIVE_LEVEL. The key above it must exist. */
NTSTATUS NTAPI RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    NTSTATUS Status = CmpOpenRelative(RelativeTo, Path, KEY_READ | KEY_WRITE, TRUE, &Key);
    if (NT_SUCCESS(Status))
        CmpCloseRelative(RelativeTo, Key);
    return Status;
}

/* [WDK RtlWriteRegistryValue] PASSIVE_LEVEL. Makes the key when it is not there. */
NTSTATUS NTAPI RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType,
                                     PVOID ValueData, ULONG ValueLength)
{
    HANDLE Key;
    UNICODE_STRING Name;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    RtlInitUnicodeString(&Name, ValueName);
    NTSTATUS Status = CmpOpenRelative(RelativeTo, Path, KEY_WRITE, TRUE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwSetValueKey(Key, &Name, 0, ValueType, ValueData, ValueLength);
    CmpCloseRelative(RelativeTo, Key);
    return Status;
}

/* [WDK RtlDeleteRegistryValue] PASSIVE_LEVEL. */
NTSTATUS NTAPI RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
    HANDLE Key;
    UNICODE_STRING Name;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    RtlInitUnicodeString(&Name, ValueName);
    NTSTATUS Status = CmpOpenRelative(RelativeTo, Path, KEY_WRITE, FALSE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwDeleteValueKey(Key, &Name);
    CmpCloseRelative(RelativeTo, Key);
    return Status;
}

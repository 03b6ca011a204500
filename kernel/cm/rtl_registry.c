/* SPDX-License-Identifier: MIT
 * RtlCheckRegistryKey, and the places that the RTL_REGISTRY_XXX constants name. */
#include "cm/cmp.h"
#include "ke.h"

/* [WDK RtlCheckRegistryKey] RelativeTo: where Path starts. */
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

static NTSTATUS CmpCheckHandle(HANDLE Handle)
{
    PVOID Key;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, 0, CmpKeyObjectType, KernelMode, &Key, NULL);
    if (NT_SUCCESS(Status))
        ObfDereferenceObject(Key);
    return Status;
}

/* [WDK RtlCheckRegistryKey] PASSIVE_LEVEL. STATUS_SUCCESS when the key exists. With RTL_REGISTRY_HANDLE Path is a handle. */
NTSTATUS NTAPI RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (RelativeTo & RTL_REGISTRY_HANDLE)
        return CmpCheckHandle(Path);
    PCWSTR Base = CmpRelativeTo(RelativeTo & ~(ULONG)RTL_REGISTRY_OPTIONAL);
    if (Base == NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = CmpMakePath(Base, Path, &Name);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    ObFreeName(&Name);
    if (NT_SUCCESS(Status))
        ZwClose(Key);
    return Status;
}

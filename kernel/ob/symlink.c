/* SPDX-License-Identifier: MIT
 * Symbolic links of the name space: a link's parse procedure puts its target in front of the rest of the name. */
#include "obp.h"
#include "ke.h"

POBJECT_TYPE ObSymbolicLinkObjectType;

static VOID ObpDeleteLink(PVOID Object)
{
    OBP_LINK *Link = Object;
    ObFreeName(&Link->Target);
}

static NTSTATUS ObpParseLink(PVOID Object, OB_PARSE *Parse, PVOID *Found)
{
    OBP_LINK *Link = Object;
    NTSTATUS Status =
        ObAllocateName(&Parse->NewName, (ULONG)Link->Target.Length + Parse->RemainingName.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Parse->NewName.Buffer, Link->Target.Buffer, Link->Target.Length);
    RtlCopyMemory((PUCHAR)Parse->NewName.Buffer + Link->Target.Length, Parse->RemainingName.Buffer,
                  Parse->RemainingName.Length);
    Parse->NewName.Length = Link->Target.Length + Parse->RemainingName.Length;
    return STATUS_REPARSE;
}

static const OB_TYPE_INFO ObpLinkTypeInfo = {
    .Name = L"SymbolicLink",
    .PoolTag = 'iLbO',
    .Mapping = {STANDARD_RIGHTS_READ | SYMBOLIC_LINK_QUERY, STANDARD_RIGHTS_WRITE,
                STANDARD_RIGHTS_EXECUTE | SYMBOLIC_LINK_QUERY, SYMBOLIC_LINK_ALL_ACCESS},
    .ValidAccess = SYMBOLIC_LINK_ALL_ACCESS,
    .WaitOffset = OB_NOT_WAITABLE,
    .IgnoreCase = TRUE,
    .Methods = {.Delete = ObpDeleteLink, .Parse = ObpParseLink},
};

VOID ObpInitLinkType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&ObpLinkTypeInfo, &ObSymbolicLinkObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 3, 0, 0);
}

/* [WDK IoCreateSymbolicLink] the target need not exist. */
NTSTATUS NTAPI ZwCreateSymbolicLinkObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                          POBJECT_ATTRIBUTES Attributes, PUNICODE_STRING TargetName)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_LINK *Link;
    NTSTATUS Status = ObCreateObject(KernelMode, ObSymbolicLinkObjectType, Attributes, KernelMode, NULL,
                                     sizeof(*Link), 0, 0, (PVOID *)&Link);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpCaptureName(&Link->Target, TargetName, KernelMode);
    if (!NT_SUCCESS(Status)) {
        ObfDereferenceObject(Link);
        return Status;
    }
    KeQuerySystemTime(&Link->CreationTime);
    return ObInsertObject(Link, NULL, DesiredAccess, 0, NULL, Handle);
}

NTSTATUS ObCreateKernelLink(PCWSTR Path, PCWSTR Target)
{
    UNICODE_STRING Name, TargetName;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    RtlInitUnicodeString(&Name, Path);
    RtlInitUnicodeString(&TargetName, Target);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                               NULL, NULL);
    NTSTATUS Status = ZwCreateSymbolicLinkObject(&Handle, SYMBOLIC_LINK_ALL_ACCESS, &Attributes, &TargetName);
    return NT_SUCCESS(Status) ? ObCloseHandle(Handle, KernelMode) : Status;
}

/* [WDK ZwOpenSymbolicLinkObject] */
NTSTATUS NTAPI ZwOpenSymbolicLinkObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                        POBJECT_ATTRIBUTES Attributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObOpenObjectByName(Attributes, ObSymbolicLinkObjectType, KernelMode, DesiredAccess, NULL, Handle);
}

/* [WDK ZwQuerySymbolicLinkObject] ReturnedLength is in bytes; the string is not terminated. STATUS_BUFFER_TOO_SMALL when
 * MaximumLength does not suffice. */
NTSTATUS NTAPI ZwQuerySymbolicLinkObject(HANDLE Handle, PUNICODE_STRING Target, PULONG ReturnedLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_LINK *Link;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, SYMBOLIC_LINK_QUERY, ObSymbolicLinkObjectType,
                                                KernelMode, (PVOID *)&Link, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    if (ReturnedLength != NULL)
        *ReturnedLength = Link->Target.Length;
    if (Target->MaximumLength >= Link->Target.Length) {
        RtlCopyMemory(Target->Buffer, Link->Target.Buffer, Link->Target.Length);
        Target->Length = Link->Target.Length;
    } else {
        Status = STATUS_BUFFER_TOO_SMALL;
    }
    ObfDereferenceObject(Link);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Key objects: the type "Key", and ZwOpenKey. */
#include "cm/cmp.h"
#include "ke.h"

POBJECT_TYPE CmpKeyObjectType;

static VOID CmpDeleteKeyObject(PVOID Object)
{
    ObFreeName(&((CMP_KEY *)Object)->Name);
}

static NTSTATUS CmpQueryKeyName(PVOID Object, PUNICODE_STRING Name, PULONG Needed)
{
    const CMP_KEY *Key = Object;
    *Needed = (ULONG)Name->Length + Key->Name.Length;
    return NT_SUCCESS(RtlAppendUnicodeStringToString(Name, &Key->Name)) ? STATUS_SUCCESS
                                                                        : STATUS_BUFFER_OVERFLOW;
}

/* [WDK ACCESS_MASK] what the generic rights mean for keys. Names of keys are never case-sensitive. */
VOID CmpInitKeyType(VOID)
{
    static const OB_TYPE_INFO Info = {
        .Name = L"Key",
        .PoolTag = ' yeK',
        .Mapping = {KEY_READ, KEY_WRITE, KEY_EXECUTE, KEY_ALL_ACCESS},
        .ValidAccess = KEY_ALL_ACCESS,
        .WaitOffset = OB_NOT_WAITABLE,
        .IgnoreCase = TRUE,
        .Methods = {.Delete = CmpDeleteKeyObject, .Parse = CmpParseKey, .QueryName = CmpQueryKeyName},
    };
    NTSTATUS Status = ObCreateObjectType(&Info, &CmpKeyObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, 1, (ULONG_PTR)Status, 0, 0);
}

NTSTATUS CmpMakeKeyObject(const CMP_NODE *Node, PUNICODE_STRING Name, CMP_KEY **Key)
{
    PVOID Object;
    NTSTATUS Status =
        ObCreateObject(KernelMode, CmpKeyObjectType, NULL, KernelMode, NULL, sizeof(CMP_KEY), 0, 0, &Object);
    if (!NT_SUCCESS(Status)) {
        ObFreeName(Name);
        return Status;
    }
    *Key = Object;
    (*Key)->Hive = Node->Hive;
    (*Key)->Cell = CmpNodeCell(Node);
    (*Key)->Name = *Name;
    return STATUS_SUCCESS;
}

/* [WDK ZwOpenKey] PASSIVE_LEVEL. The key must exist: STATUS_OBJECT_NAME_NOT_FOUND. */
NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObOpenObjectByName(ObjectAttributes, CmpKeyObjectType, KernelMode, DesiredAccess, NULL, KeyHandle);
}

/* SPDX-License-Identifier: MIT
 * Key objects: the type "Key", and opening and making keys by name. */
#include "cm/cmp.h"
#include "ke.h"

POBJECT_TYPE CmKeyObjectType;

static VOID CmpDeleteKeyObject(PVOID Object)
{
    CMP_KEY *Key = Object;
    CmpCleanContexts(Key);
    NT_CHECK(!Key->Notify.Armed);
    if (Key->Kcb != NULL)
        CmpDereferenceKcb(Key->Kcb);
}

/* [WDK REG_NOTIFY_CLASS] RegNtPreKeyHandleClose, RegNtPostKeyHandleClose. Both come when the handle is gone from its table: nothing
 * that a driver answers could keep it. */
static VOID CmpCloseKeyObject(PVOID Object, LONG64 HandlesLeft)
{
    NTSTATUS Status = STATUS_SUCCESS;
    CMP_KEY *Key = Object;
    REG_KEY_HANDLE_CLOSE_INFORMATION Close = {.Object = Key};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreKeyHandleClose, RegNtPostKeyHandleClose, Key, Close);
    BOOLEAN Told = CmpBeginCall(&Call, &Status);
    if (HandlesLeft == 0)
        CmpEndNotify(Key);
    if (Told)
        (void)CmpEndCall(&Call, Key, STATUS_SUCCESS);
}

static NTSTATUS CmpQueryKeyName(PVOID Object, PUNICODE_STRING Name, PULONG Needed)
{
    const CMP_KEY *Key = Object;
    CmpLockShared();
    ULONG Length = CmpPathLength(Key->Kcb);
    *Needed = Name->Length + Length;
    BOOLEAN Fits = *Needed <= Name->MaximumLength;
    if (Fits) {
        CmpPutPath(Key->Kcb, Name->Buffer + Name->Length / sizeof(WCHAR));
        Name->Length = (USHORT)*Needed;
    }
    CmpUnlockShared();
    return Fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
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
        .AlwaysParse = TRUE, /* each open is a key object of its own, also that of a handle's own key */
        .IgnoreCase = TRUE,
        .Methods = {.Close = CmpCloseKeyObject,
                    .Delete = CmpDeleteKeyObject,
                    .Parse = CmpParseKey,
                    .QueryName = CmpQueryKeyName,
                    .Security = CmpKeySecurity},
    };
    NTSTATUS Status = ObCreateObjectType(&Info, &CmKeyObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, 1, (ULONG_PTR)Status, 0, 0);
}

NTSTATUS CmpMakeKeyObject(CMP_KEY **Key)
{
    PVOID Object;
    NTSTATUS Status =
        ObCreateObject(KernelMode, CmKeyObjectType, NULL, KernelMode, NULL, sizeof(CMP_KEY), 0, 0, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    *Key = Object;
    InitializeListHead(&(*Key)->Notify.Requests);
    InitializeListHead(&(*Key)->Contexts);
    return STATUS_SUCCESS;
}

NTSTATUS CmpReferenceKey(HANDLE Handle, ACCESS_MASK Access, CMP_KEY **Key)
{
    return ObReferenceObjectByHandle(Handle, Access, CmKeyObjectType, KernelMode, (PVOID *)Key, NULL);
}

/* [WDK ZwOpenKey] PASSIVE_LEVEL. The key must exist: STATUS_OBJECT_NAME_NOT_FOUND. */
NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObOpenObjectByName(ObjectAttributes, CmKeyObjectType, KernelMode, DesiredAccess, NULL, KeyHandle);
}

/* [WDK ZwOpenKeyEx] PASSIVE_LEVEL. OpenOptions: REG_OPTION_BACKUP_RESTORE, REG_OPTION_OPEN_LINK. */
NTSTATUS NTAPI ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                           ULONG OpenOptions)
{
    CMP_CREATE Open = {.Options = OpenOptions};
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (OpenOptions & ~(ULONG)(REG_OPTION_BACKUP_RESTORE | REG_OPTION_OPEN_LINK))
        return STATUS_INVALID_PARAMETER;
    return ObOpenObjectByName(ObjectAttributes, CmKeyObjectType, KernelMode, DesiredAccess, &Open, KeyHandle);
}

/* [WDK ZwCreateKey] PASSIVE_LEVEL. Opens the key, or makes it when its parent exists. TitleIndex is not used. */
NTSTATUS NTAPI ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                           ULONG TitleIndex, PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition)
{
    CMP_CREATE Create = {.Options = CreateOptions, .Create = TRUE};
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (CreateOptions & ~(ULONG)REG_LEGAL_OPTION)
        return STATUS_INVALID_PARAMETER;
    if (Class != NULL)
        Create.Class = *Class;
    if (Create.Class.Length & 1)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status =
        ObOpenObjectByName(ObjectAttributes, CmKeyObjectType, KernelMode, DesiredAccess, &Create, KeyHandle);
    if (NT_SUCCESS(Status) && Disposition != NULL)
        *Disposition = Create.Disposition;
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Key objects: the type "Key", and opening and making keys by name. */
#include "cm/cmp.h"
#include "cm/caller.h"
#include "cm_service.h"
#include "ke.h"
#include "mm_caller.h"
#include "se.h"

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
static VOID CmpCloseKeyObject(PVOID Object, POB_HANDLE_TABLE Table, LONG64 HandlesLeft)
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

/* [WDK ACCESS_MASK] what the generic rights mean for keys. Names of keys are never case-sensitive. */
VOID CmpInitKeyType(VOID)
{
    static const OB_TYPE_INFO Info = {
        .Name = L"Key",
        .PoolTag = ' yeK',
        .Mapping = CMP_KEY_MAPPING,
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

NTSTATUS CmpReferenceKey(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, CMP_KEY **Key)
{
    return ObReferenceObjectByHandle(Handle, Access, CmKeyObjectType, Mode, (PVOID *)Key, NULL);
}

/* Create: NULL, or what the parse procedure is told. */
static NTSTATUS CmpOpen(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                        CMP_CREATE *Create, KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    NTSTATUS Status = MmProbeCallerOutput(KeyHandle, sizeof(*KeyHandle), Mode);
    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByName(ObjectAttributes, CmKeyObjectType, Mode, DesiredAccess, Create, &Handle);
    return NT_SUCCESS(Status) ? ObGiveHandle(KeyHandle, Handle, Mode) : Status;
}

/* [WDK ZwOpenKeyEx] OpenOptions: REG_OPTION_BACKUP_RESTORE, REG_OPTION_OPEN_LINK. */
NTSTATUS CmOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                   ULONG OpenOptions, KPROCESSOR_MODE Mode)
{
    CMP_CREATE Open = {.Options = OpenOptions};
    if (OpenOptions & ~(ULONG)(REG_OPTION_BACKUP_RESTORE | REG_OPTION_OPEN_LINK))
        return STATUS_INVALID_PARAMETER;
    return CmpOpen(KeyHandle, DesiredAccess, ObjectAttributes, OpenOptions != 0 ? &Open : NULL, Mode);
}

/* The class and the descriptor of the caller, in the kernel's memory. */
static NTSTATUS CmpCaptureCreate(CMP_CREATE *Create, PUNICODE_STRING Class,
                                 POBJECT_ATTRIBUTES ObjectAttributes, KPROCESSOR_MODE Mode)
{
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status = MmReadCaller(&Attributes, ObjectAttributes, sizeof(Attributes), Mode);
    if (NT_SUCCESS(Status))
        Status = CmpCaptureText(Class, MAXUSHORT, Mode, &Create->ClassText);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Create->ClassText.Text != NULL)
        Create->Class = *Create->ClassText.Text;
    if (Attributes.SecurityDescriptor != NULL)
        Status = SeCaptureSecurityDescriptor(Attributes.SecurityDescriptor, Mode, PagedPool, TRUE,
                                             &Create->Security);
    return Status;
}

static VOID CmpReleaseCreate(CMP_CREATE *Create)
{
    CmpReleaseText(&Create->ClassText);
    if (Create->Security != NULL)
        SeReleaseSecurityDescriptor(Create->Security, KernelMode, TRUE);
}

/* [WDK ZwCreateKey] Opens the key, or makes it when its parent exists. Disposition may be NULL. */
NTSTATUS CmCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                     PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition, KPROCESSOR_MODE Mode)
{
    CMP_CREATE Create = {.Options = CreateOptions, .Create = TRUE};
    if (CreateOptions & ~(ULONG)REG_LEGAL_OPTION)
        return STATUS_INVALID_PARAMETER;
    if (ObjectAttributes == NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = MmProbeCaller(Disposition, sizeof(*Disposition), Mode);
    if (NT_SUCCESS(Status))
        Status = CmpCaptureCreate(&Create, Class, ObjectAttributes, Mode);
    if (NT_SUCCESS(Status))
        Status = CmpOpen(KeyHandle, DesiredAccess, ObjectAttributes, &Create, Mode);
    CmpReleaseCreate(&Create);
    if (NT_SUCCESS(Status) && Disposition != NULL)
        (void)MmWriteCaller(Disposition, &Create.Disposition, sizeof(*Disposition), Mode);
    return Status;
}

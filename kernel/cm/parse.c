/* SPDX-License-Identifier: MIT
 * From a key object and the rest of a name to the key that is meant: component by component, through symbolic links by
 * starting again with the link's target. */
#include "cm/cmp.h"
#include "kd.h"

/* Takes the next component off Rest; separators in front of it are skipped. Empty at the end of the name. */
static UNICODE_STRING CmpTakeComponent(PUNICODE_STRING Rest)
{
    ULONG Skip = 0, Count, Length = Rest->Length / sizeof(WCHAR);
    while (Skip < Length && Rest->Buffer[Skip] == OBJ_NAME_PATH_SEPARATOR)
        Skip++;
    for (Count = Skip; Count < Length && Rest->Buffer[Count] != OBJ_NAME_PATH_SEPARATOR;)
        Count++;
    UNICODE_STRING Component = {.Buffer = Rest->Buffer + Skip,
                                .Length = (USHORT)((Count - Skip) * sizeof(WCHAR))};
    Component.MaximumLength = Component.Length;
    Rest->Buffer += Count;
    Rest->Length -= (USHORT)(Count * sizeof(WCHAR));
    Rest->MaximumLength = Rest->Length;
    return Component;
}

/* The link's target with Rest behind it, for STATUS_REPARSE. [WDK ZwCreateKey] REG_OPTION_CREATE_LINK: the target is the
 * REG_LINK value SymbolicLinkValue, an absolute name without a terminator. */
static NTSTATUS CmpFollowLink(const CMP_NODE *Link, PCUNICODE_STRING Rest, PUNICODE_STRING NewName)
{
    static const uint16_t ValueName[] = u"SymbolicLinkValue";
    HIVE_VALUE Value;
    NTSTATUS Status = CmpStatus(
        HiveFindValue(&Link->Hive->Hive, &Link->Key, ValueName, RTL_NUMBER_OF(ValueName) - 1, &Value));
    if (!NT_SUCCESS(Status))
        return Status;
    ULONG Target = Value.DataLength & ~1u;
    if (Value.Type != REG_LINK || Target == 0 || Target + Rest->Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    Status = ObAllocateName(NewName, Target + Rest->Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpStatus(HiveReadData(&Link->Hive->Hive, &Value, NewName->Buffer, Target));
    if (!NT_SUCCESS(Status)) {
        ObFreeName(NewName);
        return Status;
    }
    RtlCopyMemory((PUCHAR)NewName->Buffer + Target, Rest->Buffer, Rest->Length);
    NewName->Length = (USHORT)(Target + Rest->Length);
    return STATUS_REPARSE;
}

typedef struct _CMP_WALK {
    OB_PARSE *Parse;
    CMP_CREATE *Create; /* or NULL */
    UNICODE_STRING Rest;
    CMP_KCB *Kcb; /* how far the walk has come; referenced */
} CMP_WALK;

/* [WDK OBJECT_ATTRIBUTES, ZwOpenKeyEx] OBJ_OPENLINK and REG_OPTION_OPEN_LINK open a link itself where the name ends at it. */
static BOOLEAN CmpOpensLink(const CMP_WALK *Walk)
{
    if (Walk->Rest.Length != 0)
        return FALSE;
    return (Walk->Parse->Attributes & OBJ_OPENLINK) ||
           (Walk->Create != NULL && (Walk->Create->Options & REG_OPTION_OPEN_LINK));
}

static VOID CmpAdvance(CMP_WALK *Walk, CMP_KCB *Next)
{
    CmpDereferenceKcb(Walk->Kcb);
    Walk->Kcb = Next;
}

/* The last component does not exist. */
static NTSTATUS CmpCreateLast(CMP_WALK *Walk, PCUNICODE_STRING Component)
{
    CMP_KCB *Next;
    if (Walk->Create == NULL || !Walk->Create->Create || Walk->Rest.Length != 0)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    NTSTATUS Status = CmpCreateSubKey(Walk->Kcb, Component, Walk->Create, &Next);
    if (NT_SUCCESS(Status))
        CmpAdvance(Walk, Next);
    return Status;
}

static NTSTATUS CmpWalkStep(CMP_WALK *Walk, PCUNICODE_STRING Component)
{
    CMP_NODE Parent, Node;
    CMP_KCB *Next;
    if (Component->Length > CMP_MAX_NAME_BYTES)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = CmpReadNode(Walk->Kcb, &Parent);
    if (NT_SUCCESS(Status))
        Status = CmpFindSubKey(&Parent, Component, &Node);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return CmpCreateLast(Walk, Component);
    if (!NT_SUCCESS(Status))
        return Status;
    if ((Node.Key.Flags & HIVE_KEY_LINK) && !CmpOpensLink(Walk))
        return CmpFollowLink(&Node, &Walk->Rest, &Walk->Parse->NewName);
    Status = CmpGetKcb(Walk->Kcb, &Node, &Next);
    if (NT_SUCCESS(Status))
        CmpAdvance(Walk, Next);
    return Status;
}

/* [WDK ZwCreateKey] an existing key is opened; it cannot become a link. */
static NTSTATUS CmpOpensExisting(CMP_CREATE *Create)
{
    if (Create == NULL || Create->Disposition == REG_CREATED_NEW_KEY)
        return STATUS_SUCCESS;
    Create->Disposition = REG_OPENED_EXISTING_KEY;
    return Create->Options & REG_OPTION_CREATE_LINK ? STATUS_OBJECT_NAME_COLLISION : STATUS_SUCCESS;
}

static NTSTATUS CmpWalk(CMP_WALK *Walk)
{
    NTSTATUS Status = Walk->Kcb->Deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
    while (Status == STATUS_SUCCESS) {
        UNICODE_STRING Component = CmpTakeComponent(&Walk->Rest);
        if (Component.Length == 0)
            return CmpOpensExisting(Walk->Create);
        Status = CmpWalkStep(Walk, &Component);
    }
    return Status;
}

/* The key that the name leads to, from Key; or STATUS_REPARSE. */
static NTSTATUS CmpLookUp(const CMP_KEY *Key, OB_PARSE *Parse, CMP_CREATE *Create, CMP_KEY **Found)
{
    CMP_KEY *Made; /* first, so that no key is created for which there is no object */
    CMP_WALK Walk = {Parse, Create, Parse->RemainingName, Key->Kcb};
    BOOLEAN Alone = Create != NULL && Create->Create;
    NTSTATUS Status = CmpMakeKeyObject(&Made);
    if (!NT_SUCCESS(Status))
        return Status;
    KPROCESSOR_MODE Mode = ObCheckMode(Parse->Attributes, Parse->AccessMode);
    if (Create != NULL)
        Create->Mode = Mode;
    CmpReferenceKcb(Walk.Kcb);
    if (Alone)
        CmpLockExclusive();
    else
        CmpLockShared();
    Status = CmpWalk(&Walk);
    /* who makes a key gets what he asks, as [WDK ZwCreateFile] has it for files */
    if (Status == STATUS_SUCCESS && (Create == NULL || Create->Disposition != REG_CREATED_NEW_KEY))
        Status = CmpCheckAccess(Walk.Kcb, Mode, &Parse->DesiredAccess);
    if (Alone)
        CmpUnlockExclusive();
    else
        CmpUnlockShared();
    Made->Kcb = Walk.Kcb;
    if (Status == STATUS_SUCCESS)
        *Found = Made;
    else
        ObfDereferenceObject(Made);
    return Status;
}

/* [WDK REG_CREATE_KEY_INFORMATION] the name is absolute where the walk begins at \REGISTRY, else relative to RootObject. */
static NTSTATUS CmpCompleteName(const CMP_KEY *Key, PCUNICODE_STRING Rest, PUNICODE_STRING Name)
{
    static const UNICODE_STRING Root = RTL_CONSTANT_STRING(L"\\REGISTRY");
    BOOLEAN Absolute =
        Key->Kcb->Parent == NULL && Rest->Length != 0 && Rest->Buffer[0] == OBJ_NAME_PATH_SEPARATOR;
    ULONG Length = (Absolute ? Root.Length : 0u) + Rest->Length;
    if (Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    NTSTATUS Status = ObAllocateName(Name, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Absolute)
        RtlCopyUnicodeString(Name, &Root);
    return RtlAppendUnicodeStringToString(Name, Rest);
}

/* [WDK REG_CREATE_KEY_INFORMATION] what a driver that makes an operation a success has put into *ResultObject, with a reference. */
static NTSTATUS CmpAdopt(PVOID Result, CMP_KEY **Found)
{
    if (Result == NULL)
        return STATUS_UNSUCCESSFUL;
    if (ObTypeOf(Result) != CmKeyObjectType) {
        KdLog("a registry callback put an object of type %wZ into *ResultObject, where a key belongs",
              ObTypeName(ObTypeOf(Result)));
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    *Found = Result;
    return STATUS_SUCCESS;
}

/* After the drivers were told of Status they want Told; *Found: what the look-up found, when it was a success. [WDK Handling Notifications]
 * A driver that puts another object into *ResultObject has let go of that one; else it goes here when the caller gets no key (D-214). */
static NTSTATUS CmpSettle(NTSTATUS Status, NTSTATUS Told, PVOID Result, CMP_KEY **Found)
{
    CMP_KEY *Opened = Status == STATUS_SUCCESS ? *Found : NULL;
    if (Status == STATUS_REPARSE)
        return Status;
    if (NT_SUCCESS(Told))
        return CmpAdopt(Result, Found);
    if (Opened != NULL && Result == Opened)
        ObfDereferenceObject(Opened);
    return Told;
}

/* The same, and drivers are told. A driver that answers STATUS_CALLBACK_BYPASS has put a key object into *ResultObject. */
static NTSTATUS CmpLookUpAndTell(CMP_KEY *Key, OB_PARSE *Parse, CMP_CREATE *Create, CMP_KEY **Found)
{
    UNICODE_STRING Name;
    NTSTATUS Status = CmpCompleteName(Key, &Parse->RemainingName, &Name);
    if (!NT_SUCCESS(Status))
        return Status;
    BOOLEAN Creates = Create != NULL && Create->Create;
    ULONG Disposition = 0;
    PVOID Result = NULL;
    REG_CREATE_KEY_INFORMATION_V1 Information = {
        .CompleteName = &Name,
        .RootObject = Key,
        .ObjectType = CmKeyObjectType,
        .Options = Create != NULL ? Create->Options : 0,
        .Class = Creates ? &Create->Class : NULL,
        .DesiredAccess = Parse->DesiredAccess,
        .GrantedAccess = ObMapAccess(CmKeyObjectType, Parse->DesiredAccess),
        .Disposition = &Disposition,
        .ResultObject = &Result,
        .Version = 1,
        .RemainingName = &Parse->RemainingName,
        .Attributes = Parse->Attributes,
        .CheckAccessMode = Parse->AccessMode,
    };
    CMP_CALL Call = {.Pre = Creates ? RegNtPreCreateKeyEx : RegNtPreOpenKeyEx,
                     .Post = Creates ? RegNtPostCreateKeyEx : RegNtPostOpenKeyEx,
                     .Key = Key,
                     .Information = &Information,
                     .CallContext = &Information.CallContext,
                     .ObjectContext = &Information.RootObjectContext};
    if (CmpBeginCall(&Call, &Status)) {
        Status = CmpLookUp(Key, Parse, Create, Found);
        Disposition = Create != NULL ? Create->Disposition : 0;
        Result = Status == STATUS_SUCCESS ? *Found : NULL;
        NTSTATUS Told = CmpEndCall(&Call, Result, Status);
        Status = CmpSettle(Status, Told, Result, Found);
    } else if (NT_SUCCESS(Status)) {
        Status = CmpAdopt(Result, Found);
        Parse->DesiredAccess =
            Information.GrantedAccess; /* [WDK REG_CREATE_KEY_INFORMATION_V1] it said what */
    }
    if (Status == STATUS_SUCCESS && Create != NULL)
        Create->Disposition = Disposition;
    ObFreeName(&Name);
    return Status;
}

NTSTATUS CmpParseKey(PVOID Object, OB_PARSE *Parse, PVOID *Found)
{
    CMP_KEY *Opened = NULL;
    if (Parse->ObjectType != NULL && Parse->ObjectType != CmKeyObjectType)
        return STATUS_OBJECT_TYPE_MISMATCH;
    NTSTATUS Status = CmpHasCallbacks() ? CmpLookUpAndTell(Object, Parse, Parse->Context, &Opened)
                                        : CmpLookUp(Object, Parse, Parse->Context, &Opened);
    if (Status == STATUS_SUCCESS)
        *Found = Opened;
    return Status;
}

/* SPDX-License-Identifier: MIT
 * From a key object and the rest of a name to the key that is meant: component by component, through symbolic links by
 * starting again with the link's target. */
#include "cm/cmp.h"

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

/* Path becomes Path\Name, with the spelling that the hive has. */
static NTSTATUS CmpAppendName(PUNICODE_STRING Path, const HIVE_NAME *Name)
{
    UNICODE_STRING Longer;
    ULONG Length = Path->Length + sizeof(WCHAR) + Name->Length * sizeof(WCHAR);
    if (Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_NAME_TOO_LONG;
    NTSTATUS Status = ObAllocateName(&Longer, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Longer.Buffer, Path->Buffer, Path->Length);
    PWCHAR To = Longer.Buffer + Path->Length / sizeof(WCHAR);
    *To++ = OBJ_NAME_PATH_SEPARATOR;
    for (ULONG i = 0; i < Name->Length; i++)
        *To++ = HiveNameCharacter(Name, i);
    Longer.Length = (USHORT)Length;
    ObFreeName(Path);
    *Path = Longer;
    return STATUS_SUCCESS;
}

/* The link's target with Rest behind it, for STATUS_REPARSE. [WDK ZwCreateKey] REG_OPTION_CREATE_LINK: the target is the
 * REG_LINK value SymbolicLinkValue, an absolute name without a terminator. */
static NTSTATUS CmpFollowLink(const CMP_NODE *Link, PCUNICODE_STRING Rest, PUNICODE_STRING NewName)
{
    static const uint16_t ValueName[] = u"SymbolicLinkValue";
    HIVE_VALUE Value;
    NTSTATUS Status = CmpStatus(
        HiveFindValue(CmpNodeHive(Link), &Link->Key, ValueName, RTL_NUMBER_OF(ValueName) - 1, &Value));
    if (!NT_SUCCESS(Status))
        return Status;
    ULONG Target = Value.DataLength & ~1u;
    if (Value.Type != REG_LINK || Target == 0 || Target + Rest->Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    Status = ObAllocateName(NewName, Target + Rest->Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpStatus(HiveReadData(CmpNodeHive(Link), &Value, NewName->Buffer, Target));
    if (!NT_SUCCESS(Status)) {
        ObFreeName(NewName);
        return Status;
    }
    RtlCopyMemory((PUCHAR)NewName->Buffer + Target, Rest->Buffer, Rest->Length);
    NewName->Length = (USHORT)(Target + Rest->Length);
    return STATUS_REPARSE;
}

/* Walks Rest from Node, which ends up at the key that was meant; Path grows with it. [WDK OBJECT_ATTRIBUTES] OBJ_OPENLINK opens
 * a link itself where the name ends at it. */
static NTSTATUS CmpWalk(OB_PARSE *Parse, CMP_NODE *Node, PUNICODE_STRING Path)
{
    UNICODE_STRING Rest = Parse->RemainingName;
    for (;;) {
        CMP_NODE Parent = *Node;
        UNICODE_STRING Component = CmpTakeComponent(&Rest);
        if (Component.Length == 0)
            return STATUS_SUCCESS;
        NTSTATUS Status = CmpFindSubKey(&Parent, &Component, Node);
        if (!NT_SUCCESS(Status))
            return Status;
        BOOLEAN OpensLink = Rest.Length == 0 && (Parse->Attributes & OBJ_OPENLINK);
        if ((Node->Key.Flags & HIVE_KEY_LINK) && !OpensLink)
            return CmpFollowLink(Node, &Rest, &Parse->NewName);
        Status = CmpAppendName(Path, &Node->Name);
        if (!NT_SUCCESS(Status))
            return Status;
    }
}

NTSTATUS CmpParseKey(PVOID Object, OB_PARSE *Parse, PVOID *Found)
{
    const CMP_KEY *Key = Object;
    CMP_KEY *Opened;
    CMP_NODE Node;
    UNICODE_STRING Path;
    if (Parse->ObjectType != NULL && Parse->ObjectType != CmpKeyObjectType)
        return STATUS_OBJECT_TYPE_MISMATCH;
    NTSTATUS Status = CmpReadNode(Key, &Node);
    if (NT_SUCCESS(Status))
        Status = ObAllocateName(&Path, Key->Name.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyUnicodeString(&Path, &Key->Name);
    Status = CmpWalk(Parse, &Node, &Path);
    if (Status != STATUS_SUCCESS) {
        ObFreeName(&Path);
        return Status;
    }
    Status = CmpMakeKeyObject(&Node, &Path, &Opened);
    if (NT_SUCCESS(Status))
        *Found = Opened;
    return Status;
}

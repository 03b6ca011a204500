/* SPDX-License-Identifier: MIT
 * Keys as the tree shows them: over the border of a mounted hive, and stable and volatile subkeys as one list. */
#include "cm/cmp.h"

static CMP_HIVE *const CmpHives[] = {&CmpMasterHive, &CmpSystemHive};

HIVE *CmpNodeHive(const CMP_NODE *Node)
{
    return &Node->Hive->Storage[Node->Storage];
}

ULONG CmpNodeCell(const CMP_NODE *Node)
{
    return Node->Key.Cell | (Node->Storage == CmpVolatile ? CMP_VOLATILE : 0);
}

NTSTATUS CmpReadNode(const CMP_KEY *Key, CMP_NODE *Node)
{
    Node->Hive = Key->Hive;
    Node->Storage = Key->Cell & CMP_VOLATILE ? CmpVolatile : CmpStable;
    NTSTATUS Status = CmpStatus(HiveReadKey(CmpNodeHive(Node), Key->Cell & ~CMP_VOLATILE, &Node->Key));
    Node->Name = Node->Key.Name;
    return Status;
}

/* The volatile root when Node is the stable root of a hive that has one. */
static BOOLEAN CmpVolatileRoot(const CMP_NODE *Node, CMP_NODE *Root)
{
    if (Node->Storage != CmpStable || !Node->Hive->HasVolatile || Node->Key.Cell != CmpNodeHive(Node)->Root)
        return FALSE;
    Root->Hive = Node->Hive;
    Root->Storage = CmpVolatile;
    return HiveReadRoot(CmpNodeHive(Root), &Root->Key) == HiveOk;
}

ULONG CmpSubKeyCount(const CMP_NODE *Node)
{
    CMP_NODE Root;
    return Node->Key.SubKeyCount + (CmpVolatileRoot(Node, &Root) ? Root.Key.SubKeyCount : 0);
}

/* SubKey was just read from the hive of Parent: names it, and goes on to the hive that is mounted there. */
static NTSTATUS CmpEnterSubKey(const CMP_NODE *Parent, CMP_NODE *SubKey)
{
    SubKey->Hive = Parent->Hive;
    SubKey->Storage = Parent->Storage;
    SubKey->Name = SubKey->Key.Name;
    if (!(SubKey->Key.Flags & HIVE_KEY_EXIT))
        return STATUS_SUCCESS;
    for (ULONG i = 0; i < RTL_NUMBER_OF(CmpHives); i++) {
        if (CmpHives[i]->MountHive != SubKey->Hive || CmpHives[i]->MountCell != SubKey->Key.Cell)
            continue;
        SubKey->Hive = CmpHives[i];
        SubKey->Storage = CmpStable;
        return CmpStatus(HiveReadRoot(CmpNodeHive(SubKey), &SubKey->Key));
    }
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS CmpSubKey(const CMP_NODE *Node, ULONG Index, CMP_NODE *SubKey)
{
    CMP_NODE Root;
    const CMP_NODE *Parent = Node;
    if (Index >= Node->Key.SubKeyCount) {
        if (!CmpVolatileRoot(Node, &Root))
            return STATUS_NO_MORE_ENTRIES;
        Index -= Node->Key.SubKeyCount;
        Parent = &Root;
    }
    NTSTATUS Status = CmpStatus(HiveSubKey(CmpNodeHive(Parent), &Parent->Key, Index, &SubKey->Key));
    return NT_SUCCESS(Status) ? CmpEnterSubKey(Parent, SubKey) : Status;
}

NTSTATUS CmpFindSubKey(const CMP_NODE *Node, PCUNICODE_STRING Name, CMP_NODE *SubKey)
{
    CMP_NODE Root;
    const CMP_NODE *Parent = Node;
    const uint16_t *Text = (const uint16_t *)Name->Buffer;
    ULONG Length = Name->Length / sizeof(WCHAR);
    HIVE_STATUS Status = HiveFindSubKey(CmpNodeHive(Node), &Node->Key, Text, Length, &SubKey->Key);
    if (Status == HiveNotFound && CmpVolatileRoot(Node, &Root)) {
        Parent = &Root;
        Status = HiveFindSubKey(CmpNodeHive(Parent), &Parent->Key, Text, Length, &SubKey->Key);
    }
    return Status == HiveOk ? CmpEnterSubKey(Parent, SubKey) : CmpStatus(Status);
}

/* SPDX-License-Identifier: MIT
 * Keys as the tree shows them: over the border of a mounted hive. */
#include "cm/cmp.h"

NTSTATUS CmpReadNode(const CMP_KCB *Kcb, CMP_NODE *Node)
{
    if (Kcb->Deleted)
        return STATUS_KEY_DELETED;
    Node->Hive = Kcb->Hive;
    Node->Name = (HIVE_NAME){(const uint8_t *)Kcb->Name.Buffer, Kcb->Name.Length / sizeof(WCHAR), false};
    return CmpStatus(HiveReadKey(&Kcb->Hive->Hive, Kcb->Cell, &Node->Key));
}

ULONG CmpSubKeyCount(const CMP_NODE *Node)
{
    return Node->Key.SubKeyCount + Node->Key.VolatileCount;
}

BOOLEAN CmpIsVolatile(const CMP_NODE *Node)
{
    return Node->Hive->VolatileOnly || (Node->Key.Cell & HIVE_VOLATILE);
}

/* SubKey was just read from Hive: names it, and goes on to the hive that is mounted there. In other hives than the master hive, which come
 * from files, the flag means nothing. */
static NTSTATUS CmpEnterSubKey(CMP_HIVE *Hive, CMP_NODE *SubKey)
{
    SubKey->Hive = Hive;
    SubKey->Name = SubKey->Key.Name;
    if (Hive != &CmpMasterHive || !(SubKey->Key.Flags & HIVE_KEY_EXIT))
        return STATUS_SUCCESS;
    CMP_HIVE *Mounted = CmpMountedAt(Hive, SubKey->Key.Cell);
    if (Mounted == NULL)
        return STATUS_REGISTRY_CORRUPT;
    SubKey->Hive = Mounted;
    return CmpStatus(HiveReadRoot(&Mounted->Hive, &SubKey->Key));
}

NTSTATUS CmpSubKey(const CMP_NODE *Node, ULONG Index, CMP_NODE *SubKey)
{
    NTSTATUS Status = CmpStatus(HiveSubKey(&Node->Hive->Hive, &Node->Key, Index, &SubKey->Key));
    return NT_SUCCESS(Status) ? CmpEnterSubKey(Node->Hive, SubKey) : Status;
}

NTSTATUS CmpFindSubKey(const CMP_NODE *Node, PCUNICODE_STRING Name, CMP_NODE *SubKey)
{
    NTSTATUS Status = CmpStatus(HiveFindSubKey(&Node->Hive->Hive, &Node->Key, (const uint16_t *)Name->Buffer,
                                               Name->Length / sizeof(WCHAR), &SubKey->Key));
    return NT_SUCCESS(Status) ? CmpEnterSubKey(Node->Hive, SubKey) : Status;
}

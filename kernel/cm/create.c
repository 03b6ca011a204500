/* SPDX-License-Identifier: MIT
 * Making keys. [WDK ZwCreateKey] */
#include "cm/cmp.h"
#include "se.h"

/* [WDK RegCreateKeyEx] no key directly below \Registry, \Registry\Machine and \Registry\User; below a volatile key all are volatile. */
static NTSTATUS CmpMayHaveSubKey(const CMP_NODE *Parent, const CMP_CREATE *Create)
{
    if (Parent->Hive == &CmpMasterHive)
        return STATUS_INVALID_PARAMETER;
    if (CmpIsVolatile(Parent) && !(Create->Options & REG_OPTION_VOLATILE))
        return STATUS_CHILD_MUST_BE_VOLATILE;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpAddSubKey(CMP_KCB *Parent, PCUNICODE_STRING Name, const CMP_CREATE *Create,
                             PSECURITY_DESCRIPTOR Descriptor, uint32_t *Cell)
{
    HIVE_NEW_KEY New = {.Volatile = (Create->Options & REG_OPTION_VOLATILE) && !Parent->Hive->VolatileOnly,
                        .Flags = Create->Options & REG_OPTION_CREATE_LINK ? HIVE_KEY_LINK : 0,
                        .Class = Create->Class.Buffer,
                        .ClassLength = Create->Class.Length,
                        .Time = CmpNow()};
    HIVE *Hive = &Parent->Hive->Hive;
    NTSTATUS Status = CmpStatus(HiveAddKey(Hive, Parent->Cell, (const uint16_t *)Name->Buffer,
                                           Name->Length / sizeof(WCHAR), &New, Cell));
    if (!NT_SUCCESS(Status) || Descriptor == NULL)
        return Status;
    Status = CmpStatus(
        HiveSetSecurity(Hive, *Cell, Descriptor, RtlLengthSecurityDescriptor(Descriptor), New.Time));
    if (!NT_SUCCESS(Status))
        (void)HiveDeleteKey(Hive, *Cell, New.Time);
    return Status;
}

/* What user mode may make there. [WDK ZwCreateKey] KEY_CREATE_SUB_KEY of the parent. */
static NTSTATUS CmpMayCreate(const CMP_KCB *Parent, const CMP_NODE *Node, const CMP_CREATE *Create)
{
    ACCESS_MASK Access = KEY_CREATE_SUB_KEY;
    NTSTATUS Status = CmpMayHaveSubKey(Node, Create);
    return NT_SUCCESS(Status) ? CmpCheckAccess(Parent, Create->Mode, &Access) : Status;
}

NTSTATUS CmpCreateSubKey(CMP_KCB *Parent, PCUNICODE_STRING Name, CMP_CREATE *Create, CMP_KCB **Kcb)
{
    CMP_NODE Node;
    PSECURITY_DESCRIPTOR Descriptor = NULL;
    uint32_t Cell;
    NTSTATUS Status = CmpReadNode(Parent, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpMayCreate(Parent, &Node, Create);
    if (NT_SUCCESS(Status))
        Status = CmpMakeSecurity(Parent, Create->Security, Create->Mode, &Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpAddSubKey(Parent, Name, Create, Descriptor, &Cell);
    (void)SeDeassignSecurity(&Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    HIVE *Hive = &Parent->Hive->Hive;
    Status = CmpStatus(HiveReadKey(Hive, Cell, &Node.Key));
    Node.Name = Node.Key.Name;
    if (NT_SUCCESS(Status))
        Status = CmpGetKcb(Parent, &Node, Kcb);
    if (!NT_SUCCESS(Status)) {
        (void)HiveDeleteKey(Hive, Cell, CmpNow());
        return Status;
    }
    Create->Disposition = REG_CREATED_NEW_KEY;
    CmpReportChange(Parent, REG_NOTIFY_CHANGE_NAME);
    return STATUS_SUCCESS;
}

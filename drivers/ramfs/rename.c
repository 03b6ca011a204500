/* SPDX-License-Identifier: MIT
 * Renaming. The folder of the new name was opened by the I/O manager. [WDK FILE_RENAME_INFORMATION, MS-FSA 2.1.5.14.11] */
#include "ramfs.h"

/* The last component of the name that was given. */
static UNICODE_STRING LastComponent(const FILE_RENAME_INFORMATION *Rename)
{
    ULONG End = Rename->FileNameLength / sizeof(WCHAR), Begin = End;
    while (Begin != 0 && Rename->FileName[Begin - 1] != L'\\')
        Begin--;
    USHORT Length = (USHORT)((End - Begin) * sizeof(WCHAR));
    return (UNICODE_STRING){Length, Length, (PWCHAR)Rename->FileName + Begin};
}

static BOOLEAN IsBelow(const RAMFS_NODE *Node, const RAMFS_NODE *Above)
{
    while (Node != NULL && Node != Above)
        Node = Node->Parent;
    return Node != NULL;
}

/* The next one of the tree below Top, without recursion: a tree may be deep. NULL: no more. */
static RAMFS_NODE *NextBelow(RAMFS_NODE *Node, const RAMFS_NODE *Top)
{
    if (!IsListEmpty(&Node->Children))
        return CONTAINING_RECORD(Node->Children.Flink, RAMFS_NODE, Sibling);
    while (Node != Top && Node->Sibling.Flink == &Node->Parent->Children)
        Node = Node->Parent;
    return Node == Top ? NULL : CONTAINING_RECORD(Node->Sibling.Flink, RAMFS_NODE, Sibling);
}

/* [WDK FILE_RENAME_INFORMATION] a folder is not renamed while something below it is open. */
static BOOLEAN HasOpenBelow(RAMFS_NODE *Top)
{
    for (RAMFS_NODE *Node = NextBelow(Top, Top); Node != NULL; Node = NextBelow(Node, Top)) {
        if (Node->Handles != 0)
            return TRUE;
    }
    return FALSE;
}

/* What has the new name already must let itself be replaced. */
static NTSTATUS CheckReplaced(RAMFS_NODE *Node, RAMFS_NODE *Old, BOOLEAN Replace)
{
    if (Old == NULL || Old == Node)
        return STATUS_SUCCESS;
    if (!Replace)
        return STATUS_OBJECT_NAME_COLLISION;
    if (Old->Folder || Node->Folder || (Old->Attributes & FILE_ATTRIBUTE_READONLY) || Old->Handles != 0)
        return STATUS_ACCESS_DENIED;
    return MmFlushImageSection(&Old->Sections, MmFlushForDelete) ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

static NTSTATUS CheckRename(RAMFS_NODE *Node, RAMFS_NODE *Parent, PCUNICODE_STRING Name)
{
    if (Node == RamfsRoot || Parent == NULL)
        return STATUS_INVALID_PARAMETER;
    if (Node->DeletePending || Node->Parent == NULL || Parent->DeletePending ||
        (Parent != RamfsRoot && Parent->Parent == NULL))
        return STATUS_DELETE_PENDING;
    if (!Parent->Folder || IsBelow(Parent, Node))
        return STATUS_INVALID_PARAMETER;
    if (!RamfsNameIsValid(Name))
        return STATUS_OBJECT_NAME_INVALID;
    return Node->Folder && HasOpenBelow(Node) ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

/* The last step that can fail is the name's memory. */
static NTSTATUS Move(RAMFS_NODE *Node, RAMFS_NODE *Parent, RAMFS_NODE *Old, PCUNICODE_STRING Name)
{
    UNICODE_STRING Before = Node->Name;
    BOOLEAN Same = Node->Parent == Parent;
    STRING FullName;
    NTSTATUS Status = RamfsPrepareFullName(Node, Parent, Name, &FullName);
    if (!NT_SUCCESS(Status))
        return Status;
    Node->Name = (UNICODE_STRING){0, 0, NULL}; /* kept until the watchers have heard of it */
    Status = RamfsSetName(Node, Name);
    UNICODE_STRING New = Node->Name;
    Node->Name = Before;
    if (!NT_SUCCESS(Status)) {
        RamfsFree(FullName.Buffer, FullName.MaximumLength);
        return Status;
    }
    if (Old != NULL && Old != Node) {
        RamfsNotify(Old, RamfsNameFilter(Old), FILE_ACTION_REMOVED);
        RamfsUnlink(Old);
    }
    RamfsNotify(Node, RamfsNameFilter(Node), Same ? FILE_ACTION_RENAMED_OLD_NAME : FILE_ACTION_REMOVED);
    Node->References++;
    RamfsUnlink(Node);
    Node->Name = New;
    RamfsFree(Before.Buffer, Before.MaximumLength);
    RamfsLink(Parent, Node);
    RamfsSetFullName(Node, FullName);
    RamfsTouch(Node, FALSE);
    RamfsNotify(Node, RamfsNameFilter(Node), Same ? FILE_ACTION_RENAMED_NEW_NAME : FILE_ACTION_ADDED);
    return STATUS_SUCCESS;
}

NTSTATUS RamfsRename(RAMFS_NODE *Node, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    const FILE_RENAME_INFORMATION *Rename = Irp->AssociatedIrp.SystemBuffer;
    PFILE_OBJECT Target = Stack->Parameters.SetFile.FileObject;
    if (Target != NULL && !RamfsIsOurs(Target))
        return STATUS_INVALID_PARAMETER;
    RAMFS_NODE *Parent = Target != NULL ? RamfsNode(Target) : Node->Parent;
    UNICODE_STRING Name = LastComponent(Rename);
    NTSTATUS Status = CheckRename(Node, Parent, &Name);
    if (!NT_SUCCESS(Status))
        return Status;
    RAMFS_NODE *Old = RamfsFindChild(Parent, &Name);
    Status = CheckReplaced(Node, Old, Stack->Parameters.SetFile.ReplaceIfExists);
    return NT_SUCCESS(Status) ? Move(Node, Parent, Old, &Name) : Status;
}

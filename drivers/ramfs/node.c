/* SPDX-License-Identifier: MIT
 * Files and folders, and their names. The caller holds RamfsNames. */
#include "ramfs.h"

RAMFS_NODE *RamfsRoot;
static ULONG64 LastId, LastOrder; /* (n) */

NTSTATUS RamfsMakeNode(PCUNICODE_STRING Name, BOOLEAN Folder, ULONG Attributes, RAMFS_NODE **Node)
{
    NTSTATUS Status;
    RAMFS_NODE *Made = RamfsAllocate(POOL_FLAG_NON_PAGED, sizeof(*Made), &Status);
    if (Made == NULL)
        return Status;
    Status = RamfsSetName(Made, Name);
    if (!NT_SUCCESS(Status)) {
        RamfsFree(Made, sizeof(*Made));
        return Status;
    }
    Made->Header.NodeByteSize = sizeof(*Made);
    Made->References = 1;
    Made->Folder = Folder;
    Made->Attributes = Attributes;
    Made->Id = ++LastId;
    KeQuerySystemTimePrecise(&Made->CreationTime);
    Made->LastAccessTime = Made->LastWriteTime = Made->ChangeTime = Made->CreationTime;
    InitializeListHead(&Made->Children);
    InitializeListHead(&Made->Sibling);
    FsRtlInitializeFileLock(&Made->Locks, NULL, NULL);
    *Node = Made;
    return STATUS_SUCCESS;
}

/* --- names of all folders, by folder and name: (n) --- */

#define RAMFS_BUCKETS 1024u
static RAMFS_NODE *Names[RAMFS_BUCKETS];

/* The hash fails only for arguments that are none of ours. */
static ULONG BucketOf(const RAMFS_NODE *Folder, PCUNICODE_STRING Name)
{
    ULONG Hash = 0;
    (void)RtlHashUnicodeString(Name, TRUE, HASH_STRING_ALGORITHM_X65599, &Hash);
    return (Hash + (ULONG)Folder->Id * 31) % RAMFS_BUCKETS;
}

static VOID EnterName(RAMFS_NODE *Node)
{
    Node->Bucket = BucketOf(Node->Parent, &Node->Name);
    Node->NextName = Names[Node->Bucket];
    Names[Node->Bucket] = Node;
}

static VOID RemoveName(RAMFS_NODE *Node)
{
    RAMFS_NODE **Link = &Names[Node->Bucket];
    while (*Link != Node)
        Link = &(*Link)->NextName;
    *Link = Node->NextName;
}

VOID RamfsLink(RAMFS_NODE *Parent, RAMFS_NODE *Node)
{
    Node->Parent = Parent;
    EnterName(Node);
    Node->Order = ++LastOrder;
    InsertTailList(&Parent->Children, &Node->Sibling);
    RamfsTouch(Parent, TRUE);
}

VOID RamfsUnlink(RAMFS_NODE *Node)
{
    RamfsTouch(Node->Parent, TRUE);
    RemoveName(Node);
    RemoveEntryList(&Node->Sibling);
    InitializeListHead(&Node->Sibling);
    Node->Parent = NULL;
    RamfsDereference(Node);
}

VOID RamfsDereference(RAMFS_NODE *Node)
{
    if (--Node->References != 0)
        return;
    KeAcquireGuardedMutex(&RamfsData);
    RamfsTrim(Node, 0);
    KeReleaseGuardedMutex(&RamfsData);
    FsRtlUninitializeFileLock(&Node->Locks);
    RamfsFree(Node->FullName.Buffer, Node->FullName.MaximumLength);
    RamfsFree(Node->Name.Buffer, Node->Name.MaximumLength);
    RamfsFree(Node, sizeof(*Node));
}

NTSTATUS RamfsSetName(RAMFS_NODE *Node, PCUNICODE_STRING Name)
{
    NTSTATUS Status = STATUS_SUCCESS;
    UNICODE_STRING New = {0, 0, NULL};
    if (Name->Length != 0) {
        New.Buffer = RamfsAllocate(POOL_FLAG_PAGED, Name->Length, &Status);
        if (New.Buffer == NULL)
            return Status;
        New.Length = New.MaximumLength = Name->Length;
        RtlCopyMemory(New.Buffer, Name->Buffer, Name->Length);
    }
    RamfsFree(Node->Name.Buffer, Node->Name.MaximumLength);
    Node->Name = New;
    return STATUS_SUCCESS;
}

RAMFS_NODE *RamfsFindChild(RAMFS_NODE *Folder, PCUNICODE_STRING Name)
{
    for (RAMFS_NODE *Child = Names[BucketOf(Folder, Name)]; Child != NULL; Child = Child->NextName) {
        if (Child->Parent == Folder && RtlEqualUnicodeString(&Child->Name, Name, TRUE))
            return Child;
    }
    return NULL;
}

/* [MS-FSCC 2.1.5] one component: what may not be in a name of a file. */
BOOLEAN RamfsNameIsValid(PCUNICODE_STRING Name)
{
    static const WCHAR Forbidden[] = L"\"*/:<>?\\|";
    if (Name->Length == 0 || Name->Length > RAMFS_MAX_NAME)
        return FALSE;
    if (Name->Buffer[0] == L'.' &&
        (Name->Length == sizeof(WCHAR) || (Name->Length == 2 * sizeof(WCHAR) && Name->Buffer[1] == L'.')))
        return FALSE;
    for (ULONG i = 0; i < Name->Length / sizeof(WCHAR); i++) {
        if (Name->Buffer[i] < L' ')
            return FALSE;
        for (ULONG j = 0; j < RTL_NUMBER_OF(Forbidden) - 1; j++) {
            if (Name->Buffer[i] == Forbidden[j])
                return FALSE;
        }
    }
    return TRUE;
}

/* From leaf to root, so from the end of the path to its begin. */
ULONG RamfsPath(const RAMFS_NODE *Node, PWCHAR Path, ULONG Room)
{
    ULONG Whole = 0, End;
    if (Node == RamfsRoot && Room >= sizeof(WCHAR))
        Path[0] = L'\\';
    if (Node == RamfsRoot)
        return sizeof(WCHAR);
    for (const RAMFS_NODE *At = Node; At != NULL && At != RamfsRoot; At = At->Parent)
        Whole += At->Name.Length + sizeof(WCHAR);
    End = Whole / sizeof(WCHAR);
    for (const RAMFS_NODE *At = Node; At != NULL && At != RamfsRoot; At = At->Parent) {
        ULONG Length = At->Name.Length / sizeof(WCHAR), Begin = End - Length;
        for (ULONG i = 0; i < Length && (Begin + i) < Room / sizeof(WCHAR); i++)
            Path[Begin + i] = At->Name.Buffer[i];
        if (Begin - 1 < Room / sizeof(WCHAR))
            Path[Begin - 1] = L'\\';
        End = Begin - 1;
    }
    return Whole;
}

VOID RamfsTouch(RAMFS_NODE *Node, BOOLEAN Written)
{
    KeQuerySystemTimePrecise(&Node->ChangeTime);
    if (Written)
        Node->LastWriteTime = Node->ChangeTime;
}

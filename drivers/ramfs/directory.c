/* SPDX-License-Identifier: MIT
 * Directory queries. A scan goes by the order in which names were made, so it misses nothing that stays and tells nothing twice, whatever
 * comes and goes meanwhile. [WDK IRP_MJ_DIRECTORY_CONTROL, ZwQueryDirectoryFile] */
#include "ramfs.h"

static RAMFS_NODE *ChildFrom(RAMFS_NODE *Folder, ULONG64 Order)
{
    for (PLIST_ENTRY E = Folder->Children.Flink; E != &Folder->Children; E = E->Flink) {
        RAMFS_NODE *Child = CONTAINING_RECORD(E, RAMFS_NODE, Sibling);
        if (Child->Order >= Order)
            return Child;
    }
    return NULL;
}

static RAMFS_NODE *ChildAfter(RAMFS_NODE *Folder, RAMFS_NODE *Child)
{
    PLIST_ENTRY E = Child->Sibling.Flink;
    return E == &Folder->Children ? NULL : CONTAINING_RECORD(E, RAMFS_NODE, Sibling);
}

static VOID FillEntry(RAMFS_NODE *Node, FS_ENTRY *Entry)
{
    Entry->CreationTime = Node->CreationTime;
    Entry->LastAccessTime = Node->LastAccessTime;
    Entry->LastWriteTime = Node->LastWriteTime;
    Entry->ChangeTime = Node->ChangeTime;
    Entry->FileId.QuadPart = (LONGLONG)Node->Id;
    Entry->Attributes = RamfsAttributes(Node);
    KeAcquireGuardedMutex(&RamfsData);
    Entry->EndOfFile = Node->Header.FileSize;
    Entry->AllocationSize = Node->Header.AllocationSize;
    KeReleaseGuardedMutex(&RamfsData);
}

typedef struct QUERY {
    RAMFS_NODE *Folder;
    RAMFS_NODE *Last; /* the child that this query had last; NULL: none */
} QUERY;

/* Places 0 and 1 are "." and "..", of all folders but the root; then Order of the child, plus 2. */
static BOOLEAN NextEntry(PVOID Context, ULONG64 *Place, FS_ENTRY *Entry)
{
    static const WCHAR Dots[] = L"..";
    QUERY *Query = Context;
    RAMFS_NODE *Folder = Query->Folder;
    if (*Place < 2 && Folder->Parent == NULL)
        *Place = 2;
    if (*Place < 2) {
        FillEntry(*Place == 0 ? Folder : Folder->Parent, Entry);
        Entry->Name = Dots;
        Entry->NameLength = (ULONG)(++*Place) * sizeof(WCHAR);
        return TRUE;
    }
    RAMFS_NODE *Node = Query->Last != NULL ? ChildAfter(Folder, Query->Last) : ChildFrom(Folder, *Place - 2);
    Query->Last = Node;
    if (Node == NULL)
        return FALSE;
    FillEntry(Node, Entry);
    Entry->Name = Node->Name.Buffer;
    Entry->NameLength = Node->Name.Length;
    *Place = Node->Order + 3;
    return TRUE;
}

static NTSTATUS QueryLocked(PIO_STACK_LOCATION Stack, FS_ENTRY_LIST *List)
{
    QUERY Query = {.Folder = RamfsNode(Stack->FileObject)};
    if (Query.Folder != RamfsRoot && Query.Folder->Parent == NULL)
        return STATUS_DELETE_PENDING; /* its name is gone already */
    return FsScan(&RamfsOpen(Stack->FileObject)->Scan, Stack, List, NextEntry, &Query);
}

static NTSTATUS Query(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    FS_ENTRY_LIST List;
    NTSTATUS Status = FsPrepareList(Irp, &List);
    if (!NT_SUCCESS(Status))
        return RamfsComplete(Irp, Status, 0);
    RamfsLock();
    Status = QueryLocked(Stack, &List);
    RamfsUnlock();
    return RamfsComplete(Irp, Status, NT_ERROR(Status) ? 0 : List.End);
}

NTSTATUS NTAPI RamfsDirectoryControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    RAMFS_NODE *Node = RamfsNode(Stack->FileObject);
    UNREFERENCED_PARAMETER(Device);
    if (Node == NULL || !Node->Folder)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Stack->MinorFunction == IRP_MN_QUERY_DIRECTORY)
        return Query(Irp, Stack);
    if (Stack->MinorFunction == IRP_MN_NOTIFY_CHANGE_DIRECTORY)
        return RamfsNotifyRequest(Irp, Stack);
    return RamfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}

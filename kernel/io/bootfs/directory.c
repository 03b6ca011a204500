/* SPDX-License-Identifier: MIT
 * Directory queries: the names of a folder, matched with the pattern of the first query. Nothing ever changes, so there is nothing to
 * notify of. */
#include "io/bootfs/bootfs.h"

/* That of an open, made by its first query. */
static NTSTATUS NeedScan(PFILE_OBJECT File, FS_SCAN **Scan)
{
    if (File->FsContext2 == NULL)
        File->FsContext2 = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(**Scan), BOOTFS_TAG);
    *Scan = File->FsContext2;
    return *Scan != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* [WDK ZwQueryDirectoryFile] all but the root have the names "." and ".." first. NULL: the name at this place is none of the folder's. */
static const BOOTFS_NODE *NodeAt(const BOOTFS_NODE *Folder, ULONG Place, FS_ENTRY *Entry)
{
    static const WCHAR Dots[] = L"..";
    if (Place < 2) {
        if (Folder->Parent == BOOTFS_NONE)
            return NULL;
        Entry->Name = Dots;
        Entry->NameLength = (Place + 1) * sizeof(WCHAR);
        return Place == 0 ? Folder : &BootfsIndex.Nodes[Folder->Parent];
    }
    const BOOTFS_NODE *Node = &BootfsIndex.Nodes[Place - 2];
    if (Node->Parent != BootfsNumber(Folder))
        return NULL;
    Entry->Name = (const WCHAR *)BootfsIndex.Names + Node->Name;
    Entry->NameLength = Node->NameLength * sizeof(WCHAR);
    return Node;
}

static VOID FillEntry(const BOOTFS_NODE *Node, FS_ENTRY *Entry)
{
    Entry->CreationTime = Entry->LastAccessTime = Entry->LastWriteTime = Entry->ChangeTime = BootfsTime(Node);
    Entry->EndOfFile.QuadPart = Node->Size;
    Entry->AllocationSize.QuadPart = BootfsAllocatedSize(Node);
    Entry->FileId.QuadPart = BootfsNumber(Node);
    Entry->Attributes = BootfsAttributes(Node);
}

/* Places 0 and 1 are the names "." and ".."; then the number of the node, plus 2. */
static BOOLEAN NextEntry(PVOID Context, ULONG64 *Place, FS_ENTRY *Entry)
{
    const BOOTFS_NODE *Node = NULL;
    while (Node == NULL && *Place < BootfsIndex.NodeCount + 2)
        Node = NodeAt(Context, (ULONG)(*Place)++, Entry);
    if (Node != NULL)
        FillEntry(Node, Entry);
    return Node != NULL;
}

static NTSTATUS Query(PIRP Irp, PIO_STACK_LOCATION Stack, FS_ENTRY_LIST *List)
{
    FS_SCAN *Scan;
    PFILE_OBJECT File = Stack->FileObject;
    NTSTATUS Status = FsPrepareList(Irp, List);
    if (!NT_SUCCESS(Status))
        return Status;
    KeAcquireGuardedMutex(&BootfsScanLock);
    Status = NeedScan(File, &Scan);
    if (NT_SUCCESS(Status))
        Status = FsScan(Scan, Stack, List, NextEntry, (PVOID)BootfsNode(File));
    KeReleaseGuardedMutex(&BootfsScanLock);
    return Status;
}

NTSTATUS NTAPI BootfsDirectoryControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    const BOOTFS_NODE *Node = BootfsNode(Stack->FileObject);
    FS_ENTRY_LIST List = {.End = 0};
    if (Node == NULL || !Node->Folder)
        return BootfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Stack->MinorFunction != IRP_MN_QUERY_DIRECTORY)
        return BootfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    NTSTATUS Status = Query(Irp, Stack, &List);
    return BootfsComplete(Irp, Status, NT_ERROR(Status) ? 0 : List.End);
}

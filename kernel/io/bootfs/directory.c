/* SPDX-License-Identifier: MIT
 * Directory queries: the names of a folder, matched with the pattern of the first query. Nothing ever changes, so there is nothing to
 * notify of. */
#include "io/bootfs/bootfs.h"
#include "fslib/directory_entry.h"

/* The scan of an open, made by its first query, whose pattern holds. */
static NTSTATUS GetScan(PFILE_OBJECT File, PCUNICODE_STRING Pattern, BOOTFS_SCAN **Scan)
{
    *Scan = File->FsContext2;
    if (*Scan != NULL)
        return STATUS_SUCCESS;
    ULONG Length = Pattern != NULL ? Pattern->Length : 0;
    if (Length > FS_MAX_PATTERN)
        return STATUS_OBJECT_NAME_INVALID;
    *Scan = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(**Scan) + Length, BOOTFS_TAG);
    if (*Scan == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    (*Scan)->Pattern = (UNICODE_STRING){(USHORT)Length, (USHORT)Length, (PWCHAR)(*Scan + 1)};
    if (Length != 0)
        RtlUpcaseUnicodeString(&(*Scan)->Pattern, (PUNICODE_STRING)Pattern, FALSE);
    File->FsContext2 = *Scan;
    return STATUS_SUCCESS;
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

static BOOLEAN Matches(BOOTFS_SCAN *Scan, const FS_ENTRY *Entry)
{
    UNICODE_STRING Name = {(USHORT)Entry->NameLength, (USHORT)Entry->NameLength, (PWCHAR)Entry->Name};
    return Scan->Pattern.Length == 0 || FsRtlIsNameInExpression(&Scan->Pattern, &Name, TRUE, NULL);
}

static VOID FillEntry(const BOOTFS_NODE *Node, FS_ENTRY *Entry)
{
    Entry->CreationTime = Entry->LastAccessTime = Entry->LastWriteTime = Entry->ChangeTime = BootfsTime(Node);
    Entry->EndOfFile.QuadPart = Node->Size;
    Entry->AllocationSize.QuadPart = BootfsAllocatedSize(Node);
    Entry->FileId.QuadPart = BootfsNumber(Node);
    Entry->Attributes = BootfsAttributes(Node);
}

/* Puts names from Scan->Next on; the status of the last that was tried. */
static NTSTATUS PutNames(const BOOTFS_NODE *Folder, BOOTFS_SCAN *Scan, FS_ENTRY_LIST *List, BOOLEAN Single)
{
    for (; Scan->Next < BootfsIndex.NodeCount + 2; Scan->Next++) {
        FS_ENTRY Entry;
        const BOOTFS_NODE *Node = NodeAt(Folder, Scan->Next, &Entry);
        if (Node == NULL || !Matches(Scan, &Entry))
            continue;
        FillEntry(Node, &Entry);
        NTSTATUS Status = FsPutEntry(List, &Entry);
        if (Status == STATUS_NO_MORE_ENTRIES)
            return STATUS_SUCCESS;
        if (NT_ERROR(Status))
            return Status;
        Scan->Found = TRUE;
        if (Status != STATUS_SUCCESS || Single) {
            Scan->Next++;
            return Status;
        }
    }
    /* [WDK ZwQueryDirectoryFile] nothing at all matches, or no more does */
    return List->End != 0 ? STATUS_SUCCESS : Scan->Found ? STATUS_NO_MORE_FILES : STATUS_NO_SUCH_FILE;
}

static NTSTATUS Query(PIRP Irp, PIO_STACK_LOCATION Stack, FS_ENTRY_LIST *List)
{
    BOOTFS_SCAN *Scan;
    PFILE_OBJECT File = Stack->FileObject;
    List->Class = Stack->Parameters.QueryDirectory.FileInformationClass;
    List->Length = Stack->Parameters.QueryDirectory.Length;
    List->Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (List->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeAcquireGuardedMutex(&BootfsScanLock);
    NTSTATUS Status = GetScan(File, Stack->Parameters.QueryDirectory.FileName, &Scan);
    if (NT_SUCCESS(Status)) {
        if (Stack->Flags & SL_RESTART_SCAN)
            Scan->Next = 0;
        Status = PutNames(BootfsNode(File), Scan, List, (Stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0);
    }
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

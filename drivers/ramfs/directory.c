/* SPDX-License-Identifier: MIT
 * Directory queries. A scan goes by the order in which names were made, so it misses nothing that stays and tells nothing twice, whatever
 * comes and goes meanwhile. [WDK IRP_MJ_DIRECTORY_CONTROL, ZwQueryDirectoryFile] */
#include "ramfs.h"
#include "fslib/directory_entry.h"

static NTSTATUS TakePattern(RAMFS_OPEN *Open, PUNICODE_STRING Given)
{
    NTSTATUS Status;
    if (Open->Scanned)
        return STATUS_SUCCESS;
    if (Given != NULL && Given->Length != 0) {
        if (Given->Length > FS_MAX_PATTERN)
            return STATUS_OBJECT_NAME_INVALID;
        Open->Pattern.Buffer = RamfsAllocate(POOL_FLAG_PAGED, Given->Length, &Status);
        if (Open->Pattern.Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Open->Pattern.MaximumLength = Given->Length;
        RtlUpcaseUnicodeString(&Open->Pattern, Given, FALSE);
    }
    Open->Scanned = TRUE;
    return STATUS_SUCCESS;
}

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

/* The node at the scan's place, with its name; the place moves behind it. All folders but the root have "." and "..". *Last: the child
 * that this query had last; NULL: none. */
static RAMFS_NODE *NextNode(RAMFS_NODE *Folder, ULONG64 *Place, RAMFS_NODE **Last, FS_ENTRY *Entry)
{
    static const WCHAR Dots[] = L"..";
    if (*Place < 2 && Folder->Parent == NULL)
        *Place = 2;
    if (*Place < 2) {
        Entry->Name = Dots;
        Entry->NameLength = (ULONG)(*Place + 1) * sizeof(WCHAR);
        return ++*Place == 1 ? Folder : Folder->Parent;
    }
    RAMFS_NODE *Node = *Last != NULL ? ChildAfter(Folder, *Last) : ChildFrom(Folder, *Place - 2);
    *Last = Node;
    if (Node == NULL)
        return NULL;
    Entry->Name = Node->Name.Buffer;
    Entry->NameLength = Node->Name.Length;
    *Place = Node->Order + 3;
    return Node;
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

static BOOLEAN Matches(RAMFS_OPEN *Open, const FS_ENTRY *Entry)
{
    UNICODE_STRING Name = {(USHORT)Entry->NameLength, (USHORT)Entry->NameLength, (PWCHAR)Entry->Name};
    return Open->Pattern.Length == 0 || FsRtlIsNameInExpression(&Open->Pattern, &Name, TRUE, NULL);
}

/* The status of the last that was tried. */
static NTSTATUS PutNames(RAMFS_NODE *Folder, RAMFS_OPEN *Open, FS_ENTRY_LIST *List, BOOLEAN Single)
{
    FS_ENTRY Entry;
    ULONG64 Place = Open->Next;
    RAMFS_NODE *Node, *Last = NULL;
    while ((Node = NextNode(Folder, &Place, &Last, &Entry)) != NULL) {
        if (!Matches(Open, &Entry)) {
            Open->Next = Place;
            continue;
        }
        FillEntry(Node, &Entry);
        NTSTATUS Status = FsPutEntry(List, &Entry);
        if (Status == STATUS_NO_MORE_ENTRIES)
            return STATUS_SUCCESS;
        if (NT_ERROR(Status))
            return Status;
        Open->Next = Place;
        Open->Found = TRUE;
        if (Status != STATUS_SUCCESS || Single)
            return Status;
    }
    /* [WDK ZwQueryDirectoryFile] nothing at all matches, or no more does */
    return List->End != 0 ? STATUS_SUCCESS : Open->Found ? STATUS_NO_MORE_FILES : STATUS_NO_SUCH_FILE;
}

static NTSTATUS QueryLocked(PIO_STACK_LOCATION Stack, FS_ENTRY_LIST *List)
{
    RAMFS_OPEN *Open = RamfsOpen(Stack->FileObject);
    RAMFS_NODE *Folder = RamfsNode(Stack->FileObject);
    if (Folder != RamfsRoot && Folder->Parent == NULL)
        return STATUS_DELETE_PENDING; /* its name is gone already */
    NTSTATUS Status = TakePattern(Open, Stack->Parameters.QueryDirectory.FileName);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Stack->Flags & SL_RESTART_SCAN)
        Open->Next = 0;
    return PutNames(Folder, Open, List, (Stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0);
}

static NTSTATUS Query(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    FS_ENTRY_LIST List = {.Class = Stack->Parameters.QueryDirectory.FileInformationClass,
                          .Length = Stack->Parameters.QueryDirectory.Length};
    List.Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (List.Buffer == NULL)
        return RamfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    RamfsLock();
    NTSTATUS Status = QueryLocked(Stack, &List);
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

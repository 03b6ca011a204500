/* SPDX-License-Identifier: MIT
 * Telling of changes in folders. An open of a folder collects them from its first request on, in a buffer as large as that request's; what
 * comes while no request waits is told to the next one. [WDK FsRtlNotifyFullChangeDirectory, FILE_NOTIFY_INFORMATION] */
#include "ramfs.h"

static LIST_ENTRY Watches = {&Watches, &Watches}; /* (n) */

/* Is the change, of Node, one that the watch is to hear of? */
static BOOLEAN Concerns(const RAMFS_WATCH *Watch, const RAMFS_NODE *Node, ULONG Filter)
{
    if (!(Watch->Filter & Filter))
        return FALSE;
    for (const RAMFS_NODE *Above = Node->Parent; Above != NULL; Above = Above->Parent) {
        if (Above == Watch->Folder)
            return TRUE;
        if (!Watch->Tree)
            return FALSE;
    }
    return FALSE;
}

/* Entries begin at multiples of 4. */
static VOID Append(RAMFS_WATCH *Watch, const RAMFS_NODE *Node, ULONG Action)
{
    ULONG Header = FIELD_OFFSET(FILE_NOTIFY_INFORMATION, FileName);
    ULONG Name = RamfsPath(Node, Watch->Folder, NULL, 0), At = (Watch->End + 3) & ~3u;
    if (Watch->Overflow)
        return;
    if (At > Watch->Length || Watch->Length - At < Header || Watch->Length - At - Header < Name) {
        Watch->Overflow = TRUE;
        return;
    }
    RtlZeroMemory(Watch->Buffer + Watch->End, At + Header - Watch->End);
    FILE_NOTIFY_INFORMATION *Entry = (PVOID)(Watch->Buffer + At);
    Entry->Action = Action;
    Entry->FileNameLength = Name;
    (void)RamfsPath(Node, Watch->Folder, Entry->FileName, Name);
    if (At != 0)
        ((FILE_NOTIFY_INFORMATION *)(Watch->Buffer + Watch->Last))->NextEntryOffset = At - Watch->Last;
    Watch->Last = At;
    Watch->End = At + Header + Name;
}

/* [WDK ReadDirectoryChangesW] STATUS_NOTIFY_ENUM_DIR, and nothing in the buffer: look at the folder again. */
static VOID Answer(RAMFS_WATCH *Watch, PIRP Irp, RAMFS_DONE *Done)
{
    ULONG Room = IoGetCurrentIrpStackLocation(Irp)->Parameters.NotifyDirectory.Length;
    PVOID Buffer = NULL;
    if (Irp->MdlAddress != NULL && !Watch->Overflow && Watch->End <= Room)
        Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (Buffer != NULL) {
        RtlCopyMemory(Buffer, Watch->Buffer, Watch->End);
        RamfsFinishLater(Done, Irp, STATUS_SUCCESS, Watch->End);
    } else {
        RamfsFinishLater(Done, Irp, STATUS_NOTIFY_ENUM_DIR, 0);
    }
    Watch->End = Watch->Last = 0;
    Watch->Overflow = FALSE;
}

VOID RamfsNotify(RAMFS_NODE *Node, ULONG Filter, ULONG Action, RAMFS_DONE *Done)
{
    for (PLIST_ENTRY E = Watches.Flink; E != &Watches; E = E->Flink) {
        RAMFS_WATCH *Watch = CONTAINING_RECORD(E, RAMFS_WATCH, Entry);
        if (!Concerns(Watch, Node, Filter))
            continue;
        Append(Watch, Node, Action);
        PIRP Irp = RamfsTakeOf(&RamfsNotifies, Watch->File);
        if (Irp != NULL)
            Answer(Watch, Irp, Done);
    }
}

static VOID EndRequests(PFILE_OBJECT File, NTSTATUS Status, RAMFS_DONE *Done)
{
    PIRP Irp;
    while ((Irp = RamfsTakeOf(&RamfsNotifies, File)) != NULL)
        RamfsFinishLater(Done, Irp, Status, 0);
}

VOID RamfsEndWatch(PFILE_OBJECT File, NTSTATUS Status, RAMFS_DONE *Done)
{
    RAMFS_WATCH *Watch = RamfsOpen(File)->Watch;
    if (Watch == NULL)
        return;
    EndRequests(File, Status, Done);
    RemoveEntryList(&Watch->Entry);
    RamfsFree(Watch->Buffer, Watch->Length);
    RamfsFree(Watch, sizeof(*Watch));
    RamfsOpen(File)->Watch = NULL;
}

/* [WDK FsRtlNotifyCleanupAll in spirit] STATUS_DELETE_PENDING */
VOID RamfsEndWatchesOf(RAMFS_NODE *Folder, RAMFS_DONE *Done)
{
    for (PLIST_ENTRY E = Watches.Flink; E != &Watches; E = E->Flink) {
        RAMFS_WATCH *Watch = CONTAINING_RECORD(E, RAMFS_WATCH, Entry);
        if (Watch->Folder == Folder)
            EndRequests(Watch->File, STATUS_DELETE_PENDING, Done);
    }
}

static NTSTATUS MakeWatch(PIO_STACK_LOCATION Stack, RAMFS_WATCH **Made)
{
    NTSTATUS Status;
    ULONG Length = min(Stack->Parameters.NotifyDirectory.Length, RAMFS_MAX_NOTIFY);
    RAMFS_WATCH *Watch = RamfsAllocate(POOL_FLAG_PAGED, sizeof(*Watch), &Status);
    if (Watch == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Length != 0 && (Watch->Buffer = RamfsAllocate(POOL_FLAG_PAGED, Length, &Status)) == NULL) {
        RamfsFree(Watch, sizeof(*Watch));
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Watch->Length = Length;
    Watch->File = Stack->FileObject;
    Watch->Folder = RamfsNode(Stack->FileObject);
    Watch->Filter = Stack->Parameters.NotifyDirectory.CompletionFilter;
    Watch->Tree = (Stack->Flags & SL_WATCH_TREE) != 0;
    InsertTailList(&Watches, &Watch->Entry);
    *Made = Watch;
    return STATUS_SUCCESS;
}

/* STATUS_PENDING: it waits, or was completed by Done. */
static NTSTATUS RequestLocked(PIRP Irp, PIO_STACK_LOCATION Stack, RAMFS_DONE *Done)
{
    NTSTATUS Status = STATUS_SUCCESS;
    RAMFS_OPEN *Open = RamfsOpen(Stack->FileObject);
    if (RamfsIsClosed(Stack->FileObject))
        return STATUS_NOTIFY_CLEANUP;
    if (RamfsNode(Stack->FileObject)->DeletePending)
        return STATUS_DELETE_PENDING;
    if (Open->Watch == NULL)
        Status = MakeWatch(Stack, &Open->Watch);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Open->Watch->End != 0 || Open->Watch->Overflow) {
        IoMarkIrpPending(Irp);
        Answer(Open->Watch, Irp, Done);
    } else {
        RamfsWait(&RamfsNotifies, Irp);
    }
    return STATUS_PENDING;
}

NTSTATUS RamfsNotifyRequest(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    RAMFS_DONE Done;
    RamfsLock(&Done);
    NTSTATUS Status = RequestLocked(Irp, Stack, &Done);
    RamfsUnlock(&Done);
    return Status == STATUS_PENDING ? Status : RamfsComplete(Irp, Status, 0);
}

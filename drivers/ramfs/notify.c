/* SPDX-License-Identifier: MIT
 * Telling of changes in folders: FsRtl collects them for each open. [WDK FsRtlNotifyFullChangeDirectory, FsRtlNotifyFullReportChange] */
#include "ramfs.h"

static PNOTIFY_SYNC Sync;
static LIST_ENTRY Watches = {&Watches, &Watches};
static PWCHAR Path; /* (n) room for the longest name that there is */

NTSTATUS RamfsStartNotify(VOID)
{
    Path = ExAllocatePool2(POOL_FLAG_PAGED, MAXUSHORT, RAMFS_TAG);
    if (Path == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        FsRtlNotifyInitializeSync(&Sync);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        ExFreePoolWithTag(Path, RAMFS_TAG);
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

VOID RamfsStopNotify(VOID)
{
    FsRtlNotifyUninitializeSync(&Sync);
    ExFreePoolWithTag(Path, RAMFS_TAG);
}

/* A tree may be deeper than a name is long (D-236). The root is in no folder, nor is what has lost its name. */
VOID RamfsNotify(RAMFS_NODE *Node, ULONG Filter, ULONG Action)
{
    if (Node->Parent == NULL || IsListEmpty(&Watches))
        return;
    ULONG Length = RamfsPath(Node, Path, MAXUSHORT);
    if (Length >= MAXUSHORT)
        return;
    STRING Name = {(USHORT)Length, (USHORT)Length, (PCHAR)Path};
    FsRtlNotifyFullReportChange(Sync, &Watches, &Name, (USHORT)(Length - Node->Name.Length), NULL, NULL,
                                Filter, Action, NULL);
}

VOID RamfsEndWatch(PFILE_OBJECT File)
{
    FsRtlNotifyCleanup(Sync, &Watches, RamfsOpen(File));
}

/* [WDK FsRtlNotifyFullChangeDirectory] without an IRP: STATUS_DELETE_PENDING */
VOID RamfsEndWatchesOf(RAMFS_NODE *Folder)
{
    FsRtlNotifyFullChangeDirectory(Sync, &Watches, Folder, NULL, FALSE, FALSE, 0, NULL, NULL, NULL);
}

static NTSTATUS MakeFullName(ULONG Length, STRING *Room)
{
    NTSTATUS Status;
    if (Length >= MAXUSHORT)
        return STATUS_NAME_TOO_LONG;
    *Room = (STRING){0, (USHORT)Length, RamfsAllocate(POOL_FLAG_PAGED, Length, &Status)};
    return Room->Buffer != NULL ? STATUS_SUCCESS : Status;
}

NTSTATUS RamfsPrepareFullName(const RAMFS_NODE *Node, const RAMFS_NODE *Parent, PCUNICODE_STRING Name,
                              STRING *Room)
{
    *Room = (STRING){0, 0, NULL};
    if (Node->FullName.Buffer == NULL)
        return STATUS_SUCCESS;
    return MakeFullName(RamfsPath(Parent, NULL, 0) + sizeof(WCHAR) + Name->Length, Room);
}

VOID RamfsSetFullName(RAMFS_NODE *Node, STRING Room)
{
    if (Room.Buffer == NULL)
        return;
    RamfsFree(Node->FullName.Buffer, Node->FullName.MaximumLength);
    Room.Length = (USHORT)RamfsPath(Node, (PWCHAR)Room.Buffer, Room.MaximumLength);
    Node->FullName = Room;
}

/* A name of its own, which FsRtl looks at as long as somebody watches. */
static NTSTATUS NeedFullName(RAMFS_NODE *Folder)
{
    STRING Room;
    if (Folder->FullName.Buffer != NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = MakeFullName(RamfsPath(Folder, NULL, 0), &Room);
    if (NT_SUCCESS(Status))
        RamfsSetFullName(Folder, Room);
    return Status;
}

/* [WDK IoCompletion routine] FsRtl is done with the IRP. It ends now, or when the thread lets the lock go. At DISPATCH_LEVEL a DPC may have
 * interrupted the holder. */
static NTSTATUS NTAPI EndRequest(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    if (KeGetCurrentIrql() >= DISPATCH_LEVEL || RamfsNames.Holder != KeGetCurrentThread())
        return STATUS_CONTINUE_COMPLETION;
    FsEndLater(&RamfsNames, Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* FsRtl gets a stack location of its own, below the one of this driver. */
static VOID AddLocation(PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, EndRequest, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
}

/* STATUS_PENDING: it is FsRtl's. */
static NTSTATUS RequestLocked(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    RAMFS_NODE *Folder = RamfsNode(Stack->FileObject);
    if (Folder->DeletePending)
        return STATUS_DELETE_PENDING;
    NTSTATUS Status = NeedFullName(Folder);
    if (!NT_SUCCESS(Status))
        return Status;
    AddLocation(Irp);
    FsRtlNotifyFullChangeDirectory(Sync, &Watches, RamfsOpen(Stack->FileObject), &Folder->FullName,
                                   (Stack->Flags & SL_WATCH_TREE) != 0, FALSE,
                                   Stack->Parameters.NotifyDirectory.CompletionFilter, Irp, NULL, NULL);
    return STATUS_PENDING;
}

NTSTATUS RamfsNotifyRequest(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    RamfsLock();
    NTSTATUS Status = RequestLocked(Irp, Stack);
    RamfsUnlock();
    return Status == STATUS_PENDING ? Status : RamfsComplete(Irp, Status, 0);
}

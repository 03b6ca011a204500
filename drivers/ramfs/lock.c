/* SPDX-License-Identifier: MIT
 * Locked ranges of bytes. [WDK IRP_MJ_LOCK_CONTROL, FsRtlProcessFileLock, LockFileEx] */
#include "ramfs.h"

static BOOLEAN Overlaps(const RAMFS_RANGE *Range, ULONG64 Begin, ULONG64 End)
{
    return Range->Begin < End && Begin < Range->End;
}

static BOOLEAN IsOwn(const RAMFS_RANGE *Range, PIRP Irp, ULONG Key)
{
    return Range->File == IoGetCurrentIrpStackLocation(Irp)->FileObject && Range->Key == Key &&
           Range->Process == IoGetRequestorProcess(Irp);
}

/* Reading is kept out by others' exclusive locks; writing by any lock but one's own exclusive one. */
BOOLEAN RamfsMayTransfer(RAMFS_NODE *Node, PIRP Irp, BOOLEAN Write, LONGLONG Offset, ULONG Length)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Key = Stack->Flags & SL_KEY_SPECIFIED ? Stack->Parameters.Read.Key : 0;
    for (PLIST_ENTRY E = Node->Ranges.Flink; E != &Node->Ranges; E = E->Flink) {
        RAMFS_RANGE *Range = CONTAINING_RECORD(E, RAMFS_RANGE, Entry);
        if (!Overlaps(Range, (ULONG64)Offset, (ULONG64)Offset + Length))
            continue;
        if (Range->Exclusive ? !IsOwn(Range, Irp, Key) : Write)
            return FALSE;
    }
    return TRUE;
}

typedef struct LOCK {
    ULONG64 Begin, End;
    ULONG Key;
    BOOLEAN Exclusive;
} LOCK;

/* The end is behind the last byte; a range may reach to the last offset there is. */
static NTSTATUS DecodeLock(PIO_STACK_LOCATION Stack, LOCK *Lock)
{
    ULONG64 Length = (ULONG64)Stack->Parameters.LockControl.Length->QuadPart;
    Lock->Begin = (ULONG64)Stack->Parameters.LockControl.ByteOffset.QuadPart;
    Lock->End = Lock->Begin + Length;
    Lock->Key = Stack->Parameters.LockControl.Key;
    Lock->Exclusive = (Stack->Flags & SL_EXCLUSIVE_LOCK) != 0;
    return Length > ~Lock->Begin ? STATUS_INVALID_LOCK_RANGE : STATUS_SUCCESS;
}

/* [WDK LockFileEx] an exclusive lock suffers no other below it; a shared one may lie over exclusive ones of the same owner. */
static BOOLEAN MayLock(RAMFS_NODE *Node, PIRP Irp, const LOCK *Lock)
{
    for (PLIST_ENTRY E = Node->Ranges.Flink; E != &Node->Ranges; E = E->Flink) {
        RAMFS_RANGE *Range = CONTAINING_RECORD(E, RAMFS_RANGE, Entry);
        if (!Overlaps(Range, Lock->Begin, Lock->End))
            continue;
        if (Lock->Exclusive || (Range->Exclusive && !IsOwn(Range, Irp, Lock->Key)))
            return FALSE;
    }
    return TRUE;
}

static NTSTATUS AddRange(RAMFS_NODE *Node, PIRP Irp, const LOCK *Lock)
{
    NTSTATUS Status;
    RAMFS_RANGE *Range = RamfsAllocate(POOL_FLAG_PAGED, sizeof(*Range), &Status);
    if (Range == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Range->Begin = Lock->Begin;
    Range->End = Lock->End;
    Range->Key = Lock->Key;
    Range->Exclusive = Lock->Exclusive;
    Range->File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    Range->Process = IoGetRequestorProcess(Irp);
    if (Range->Process != NULL)
        ObReferenceObject(Range->Process); /* its address names it as long as the range is there */
    if (Range->Exclusive) /* [WDK LockFileEx] the first unlock of a range ends the exclusive lock */
        InsertHeadList(&Node->Ranges, &Range->Entry);
    else
        InsertTailList(&Node->Ranges, &Range->Entry);
    return STATUS_SUCCESS;
}

static VOID FreeRange(RAMFS_RANGE *Range)
{
    RemoveEntryList(&Range->Entry);
    if (Range->Process != NULL)
        ObDereferenceObjectDeferDelete(Range->Process);
    RamfsFree(Range, sizeof(*Range));
}

/* Those that wait get what became free, in the order in which they came: each is taken, tried, and waits again behind a mark if it must. */
static VOID RetryWaiting(RAMFS_DONE *Done)
{
    LIST_ENTRY Again;
    PIRP Irp;
    InitializeListHead(&Again);
    while ((Irp = RamfsTakeOf(&RamfsLocks, NULL)) != NULL) {
        LOCK Lock;
        RAMFS_NODE *Node = RamfsNode(IoGetCurrentIrpStackLocation(Irp)->FileObject);
        (void)DecodeLock(IoGetCurrentIrpStackLocation(Irp), &Lock);
        if (MayLock(Node, Irp, &Lock))
            RamfsFinishLater(Done, Irp, AddRange(Node, Irp, &Lock), 0);
        else
            InsertTailList(&Again, &Irp->Tail.Overlay.ListEntry);
    }
    while (!IsListEmpty(&Again))
        RamfsWait(&RamfsLocks, CONTAINING_RECORD(RemoveHeadList(&Again), IRP, Tail.Overlay.ListEntry));
}

VOID RamfsUnlockFile(RAMFS_NODE *Node, PFILE_OBJECT File, RAMFS_DONE *Done)
{
    PLIST_ENTRY E = Node->Ranges.Flink;
    PIRP Irp;
    BOOLEAN Any = FALSE;
    while (E != &Node->Ranges) {
        RAMFS_RANGE *Range = CONTAINING_RECORD(E, RAMFS_RANGE, Entry);
        E = E->Flink;
        if (Range->File == File) {
            FreeRange(Range);
            Any = TRUE;
        }
    }
    while ((Irp = RamfsTakeOf(&RamfsLocks, File)) != NULL)
        RamfsFinishLater(Done, Irp, STATUS_CANCELLED, 0);
    if (Any)
        RetryWaiting(Done);
}

/* STATUS_PENDING: it waits. */
static NTSTATUS LockRange(RAMFS_NODE *Node, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    LOCK Wanted;
    NTSTATUS Status = DecodeLock(Stack, &Wanted);
    if (!NT_SUCCESS(Status))
        return Status;
    if (MayLock(Node, Irp, &Wanted))
        return AddRange(Node, Irp, &Wanted);
    if (Stack->Flags & SL_FAIL_IMMEDIATELY)
        return STATUS_LOCK_NOT_GRANTED;
    RamfsWait(&RamfsLocks, Irp);
    return STATUS_PENDING;
}

static NTSTATUS UnlockRange(RAMFS_NODE *Node, PIRP Irp, PIO_STACK_LOCATION Stack, RAMFS_DONE *Done)
{
    LOCK Given;
    NTSTATUS Status = DecodeLock(Stack, &Given);
    for (PLIST_ENTRY E = Node->Ranges.Flink; NT_SUCCESS(Status) && E != &Node->Ranges; E = E->Flink) {
        RAMFS_RANGE *Range = CONTAINING_RECORD(E, RAMFS_RANGE, Entry);
        if (Range->Begin == Given.Begin && Range->End == Given.End && IsOwn(Range, Irp, Given.Key)) {
            FreeRange(Range);
            RetryWaiting(Done);
            return STATUS_SUCCESS;
        }
    }
    return NT_SUCCESS(Status) ? STATUS_RANGE_NOT_LOCKED : Status;
}

/* All ranges of the process and file, or those with the key. */
static NTSTATUS UnlockAll(RAMFS_NODE *Node, PIRP Irp, BOOLEAN ByKey, ULONG Key, RAMFS_DONE *Done)
{
    PLIST_ENTRY E = Node->Ranges.Flink;
    while (E != &Node->Ranges) {
        RAMFS_RANGE *Range = CONTAINING_RECORD(E, RAMFS_RANGE, Entry);
        E = E->Flink;
        if (IsOwn(Range, Irp, ByKey ? Key : Range->Key))
            FreeRange(Range);
    }
    RetryWaiting(Done);
    return STATUS_SUCCESS;
}

static NTSTATUS ControlLocked(RAMFS_NODE *Node, PIRP Irp, PIO_STACK_LOCATION Stack, RAMFS_DONE *Done)
{
    if (RamfsIsClosed(Stack->FileObject))
        return STATUS_FILE_CLOSED;
    switch (Stack->MinorFunction) {
    case IRP_MN_LOCK:
        return LockRange(Node, Irp, Stack);
    case IRP_MN_UNLOCK_SINGLE:
        return UnlockRange(Node, Irp, Stack, Done);
    case IRP_MN_UNLOCK_ALL:
        return UnlockAll(Node, Irp, FALSE, 0, Done);
    case IRP_MN_UNLOCK_ALL_BY_KEY:
        return UnlockAll(Node, Irp, TRUE, Stack->Parameters.LockControl.Key, Done);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

NTSTATUS NTAPI RamfsLockControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    RAMFS_DONE Done;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    RAMFS_NODE *Node = RamfsNode(Stack->FileObject);
    UNREFERENCED_PARAMETER(Device);
    if (Node == NULL || Node->Folder)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    RamfsLock(&Done);
    NTSTATUS Status = ControlLocked(Node, Irp, Stack, &Done);
    RamfsUnlock(&Done);
    return Status == STATUS_PENDING ? Status : RamfsComplete(Irp, Status, 0);
}

/* SPDX-License-Identifier: MIT
 * Byte-range locks for file systems: FILE_LOCK, locking and unlocking, with IRPs or without. [WDK FsRtlInitializeFileLock, FsRtlProcessFileLock,
 * FsRtlFastLock, FsRtlFastUnlockSingle] */
#include "fsrtl/file_lock.h"
#include "ex.h"
#include "ke.h"

/* --- the end of a request --- */

/* Of a prepared IRP: the process that asked, referenced; its thread may be attached elsewhere by now. The stack location has room for it behind
 * LockControl. */
static PEPROCESS *FsRtlpProcessOfIrp(PIRP Irp)
{
    return (PEPROCESS *)&IoGetCurrentIrpStackLocation(Irp)->Parameters.Others.Argument4;
}
_Static_assert(RTL_SIZEOF_THROUGH_FIELD(IO_STACK_LOCATION, Parameters.LockControl) <=
                   FIELD_OFFSET(IO_STACK_LOCATION, Parameters.Others.Argument4),
               "FsRtlpProcessOfIrp");

static FSRTL_OWNER FsRtlpOwnerOfIrp(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    return (FSRTL_OWNER){.File = Stack->FileObject,
                         .Process = *FsRtlpProcessOfIrp(Irp),
                         .Key = Stack->Parameters.LockControl.Key};
}

static NTSTATUS FsRtlpDescribeIrp(PIRP Irp, FILE_LOCK_INFO *Info)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    FSRTL_OWNER Owner = FsRtlpOwnerOfIrp(Irp);
    return FsRtlpDescribeRange(Info, Stack->Parameters.LockControl.ByteOffset,
                               *Stack->Parameters.LockControl.Length, (Stack->Flags & SL_EXCLUSIVE_LOCK) != 0,
                               &Owner);
}

static NTSTATUS FsRtlpCallComplete(PCOMPLETE_LOCK_IRP_ROUTINE Routine, PVOID Context, PIRP Irp)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateFileSystem, (PVOID)Routine);
    NTSTATUS Status = Routine(Context, Irp);
    KeLeaveGate(&Gate);
    return Status;
}

static VOID FsRtlpRetryWaiting(FSRTL_LOCKS *Locks);

static VOID FsRtlpTakeBack(PFILE_LOCK FileLock, const FILE_LOCK_INFO *Info)
{
    LIST_ENTRY Removed;
    FSRTL_LOCKS *Locks = FsRtlpLocks(FileLock);
    InitializeListHead(&Removed);
    FsAcquire(&Locks->Lock);
    if (FsRtlpRemoveRange(Locks, Info, &Removed))
        FsRtlpRetryWaiting(Locks);
    FsRelease(&Locks->Lock);
    FsRtlpFreeRanges(&Removed, NULL, NULL);
}

/* [WDK PCOMPLETE_LOCK_IRP_ROUTINE] the file system completes the IRP; when it says no, the lock goes again. */
static VOID FsRtlpCompleteByRoutine(PCOMPLETE_LOCK_IRP_ROUTINE Routine, PIRP Irp)
{
    FILE_LOCK_INFO Info;
    PFILE_LOCK FileLock = Irp->Tail.Overlay.DriverContext[1];
    NTSTATUS Status = Irp->IoStatus.Status;
    BOOLEAN Granted = IoGetCurrentIrpStackLocation(Irp)->MinorFunction == IRP_MN_LOCK && NT_SUCCESS(Status);
    if (Granted)
        (void)FsRtlpDescribeIrp(Irp, &Info);
    Status = FsRtlpCallComplete(Routine, Irp->Tail.Overlay.DriverContext[0], Irp);
    if (Granted && !NT_SUCCESS(Status))
        FsRtlpTakeBack(FileLock, &Info);
}

/* The file lock may be gone, or in paged memory: it is left alone when there is no routine. */
static VOID FsRtlpCompleteLockIrp(PIRP Irp)
{
    PCOMPLETE_LOCK_IRP_ROUTINE Routine = (PCOMPLETE_LOCK_IRP_ROUTINE)Irp->Tail.Overlay.DriverContext[2];
    PEPROCESS Process = *FsRtlpProcessOfIrp(Irp);
    if (Routine != NULL)
        FsRtlpCompleteByRoutine(Routine, Irp);
    else
        IoCompleteRequest(Irp, IO_DISK_INCREMENT);
    if (Process != NULL)
        ObDereferenceObjectDeferDelete(Process);
}

/* --- requests that wait --- */

static FSRTL_LOCKS *FsRtlpLocksOfQueue(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, FSRTL_LOCKS, Queue);
}

static VOID NTAPI FsRtlpInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&FsRtlpLocksOfQueue(Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI FsRtlpRemove(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* At the cleanup of a file nobody waits on, whatever process he asked in: a kernel handle is closed in any. */
static BOOLEAN FsRtlpIsWaitOf(PIRP Irp, const FSRTL_OWNER *Owner)
{
    FSRTL_OWNER Found = FsRtlpOwnerOfIrp(Irp);
    if (Found.File != Owner->File || (!Owner->AnyKey && Found.Key != Owner->Key))
        return FALSE;
    return Found.Process == Owner->Process || (Owner->File->Flags & FO_CLEANUP_COMPLETE) != 0;
}

/* Context: an FSRTL_OWNER; NULL: any. */
static PIRP NTAPI FsRtlpPeekNext(PIO_CSQ Csq, PIRP After, PVOID Context)
{
    const FSRTL_OWNER *Owner = Context;
    PLIST_ENTRY Head = &FsRtlpLocksOfQueue(Csq)->Waiting;
    PLIST_ENTRY E = After != NULL ? After->Tail.Overlay.ListEntry.Flink : Head->Flink;
    for (; E != Head; E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, Tail.Overlay.ListEntry);
        if (Owner == NULL || FsRtlpIsWaitOf(Irp, Owner))
            return Irp;
    }
    return NULL;
}

static VOID NTAPI FsRtlpAcquireQueue(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&FsRtlpLocksOfQueue(Csq)->QueueLock, Irql);
}

static VOID NTAPI FsRtlpReleaseQueue(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&FsRtlpLocksOfQueue(Csq)->QueueLock, Irql);
}

static VOID NTAPI FsRtlpCompleteCanceled(PIO_CSQ Csq, PIRP Irp)
{
    FsEndCanceled(&FsRtlpLocksOfQueue(Csq)->Lock, Irp);
}

/* (l) held. STATUS_PENDING: it must wait. A file whose last handle is closed gets none: nobody would end it. */
static NTSTATUS FsRtlpTryLock(FSRTL_LOCKS *Locks, const FILE_LOCK_INFO *Info, BOOLEAN FailImmediately)
{
    if (Info->FileObject->Flags & FO_CLEANUP_COMPLETE)
        return STATUS_FILE_CLOSED;
    if (FsRtlpMayLock(Locks, Info))
        return FsRtlpAddRange(Locks, Info);
    return FailImmediately ? STATUS_LOCK_NOT_GRANTED : STATUS_PENDING;
}

/* (l) held. They get what became free, in the order in which they came: each is taken, tried, and waits again behind a mark if it must. */
static VOID FsRtlpRetryWaiting(FSRTL_LOCKS *Locks)
{
    LIST_ENTRY Again;
    PIRP Irp;
    InitializeListHead(&Again);
    while ((Irp = IoCsqRemoveNextIrp(&Locks->Queue, NULL)) != NULL) {
        FILE_LOCK_INFO Info;
        (void)FsRtlpDescribeIrp(Irp, &Info);
        NTSTATUS Status = FsRtlpTryLock(Locks, &Info, FALSE);
        if (Status != STATUS_PENDING)
            FsEndLater(&Locks->Lock, Irp, Status, 0);
        else
            InsertTailList(&Again, &Irp->Tail.Overlay.ListEntry);
    }
    while (!IsListEmpty(&Again)) {
        Irp = CONTAINING_RECORD(RemoveHeadList(&Again), IRP, Tail.Overlay.ListEntry);
        IoCsqInsertIrp(&Locks->Queue, Irp, NULL);
    }
}

/* (l) held. What an owner waits for is not given to him any more. */
static VOID FsRtlpEndWaitsOf(FSRTL_LOCKS *Locks, FSRTL_OWNER *Owner)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Locks->Queue, Owner)) != NULL)
        FsEndLater(&Locks->Lock, Irp, STATUS_CANCELLED, 0);
}

/* --- FILE_LOCK --- */

/* [WDK FsRtlInitializeFileLock] */
VOID NTAPI FsRtlInitializeFileLock(PFILE_LOCK FileLock, PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                   PUNLOCK_ROUTINE UnlockRoutine)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    RtlZeroMemory(FileLock, sizeof(*FileLock));
    FileLock->CompleteLockIrpRoutine = CompleteLockIrpRoutine;
    FileLock->UnlockRoutine = UnlockRoutine;
}

static FSRTL_LOCKS *FsRtlpMakeLocks(PFILE_LOCK FileLock)
{
    FSRTL_LOCKS *Locks = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Locks), FSRTL_TAG_LOCK);
    if (Locks == NULL)
        return NULL;
    FsInitializeLock(&Locks->Lock, FsRtlpCompleteLockIrp);
    Locks->FileLock = FileLock;
    InitializeListHead(&Locks->Ranges);
    KeInitializeSpinLock(&Locks->QueueLock);
    InitializeListHead(&Locks->Waiting);
    IoCsqInitialize(&Locks->Queue, FsRtlpInsert, FsRtlpRemove, FsRtlpPeekNext, FsRtlpAcquireQueue,
                    FsRtlpReleaseQueue, FsRtlpCompleteCanceled);
    return Locks;
}

/* With the first lock; who comes second takes the first one's. NULL: no memory. */
static FSRTL_LOCKS *FsRtlpNeedLocks(PFILE_LOCK FileLock)
{
    FSRTL_LOCKS *Locks = FsRtlpLocks(FileLock), *First;
    if (Locks != NULL || (Locks = FsRtlpMakeLocks(FileLock)) == NULL)
        return Locks;
    First = InterlockedCompareExchangePointer(&FileLock->LockInformation, Locks, NULL);
    if (First == NULL)
        return Locks;
    ExFreePoolWithTag(Locks, FSRTL_TAG_LOCK);
    return First;
}

/* [WDK FsRtlUninitializeFileLock] nobody uses it any more; locks that are left go without a word. */
VOID NTAPI FsRtlUninitializeFileLock(PFILE_LOCK FileLock)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_LOCKS *Locks = FsRtlpLocks(FileLock);
    PIRP Irp;
    if (Locks == NULL)
        return;
    FsAcquire(&Locks->Lock);
    while ((Irp = IoCsqRemoveNextIrp(&Locks->Queue, NULL)) != NULL)
        FsEndLater(&Locks->Lock, Irp, STATUS_CANCELLED, 0);
    FsRelease(&Locks->Lock);
    FsRtlpFreeRanges(&Locks->Ranges, NULL, NULL);
    FileLock->LockInformation = NULL;
    FileLock->FastIoIsQuestionable = FALSE;
    ExFreePoolWithTag(Locks, FSRTL_TAG_LOCK);
}

/* [WDK FsRtlAllocateFileLock] The block is the caller's: it is found when his driver is unloaded. */
DECLSPEC_NOINLINE PFILE_LOCK NTAPI FsRtlAllocateFileLock(PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                                         PUNLOCK_ROUTINE UnlockRoutine)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    PFILE_LOCK FileLock =
        ExAllocatePoolForOwner(PagedPool, sizeof(*FileLock), FSRTL_TAG_LOCK, __builtin_return_address(0));
    if (FileLock != NULL)
        FsRtlInitializeFileLock(FileLock, CompleteLockIrpRoutine, UnlockRoutine);
    return FileLock;
}

/* [WDK FsRtlFreeFileLock] */
VOID NTAPI FsRtlFreeFileLock(PFILE_LOCK FileLock)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FsRtlUninitializeFileLock(FileLock);
    ExFreePoolWithTag(FileLock, FSRTL_TAG_LOCK);
}

/* --- locking --- */

/* FsRtlpCompleteLockIrp ends what begins here. */
static VOID FsRtlpPrepareIrp(PFILE_LOCK FileLock, PIRP Irp, PVOID Context, PEPROCESS Process)
{
    if (Process != NULL)
        ObfReferenceObject(Process);
    *FsRtlpProcessOfIrp(Irp) = Process;
    Irp->Tail.Overlay.DriverContext[0] = Context;
    Irp->Tail.Overlay.DriverContext[1] = FileLock;
    Irp->Tail.Overlay.DriverContext[2] = (PVOID)FileLock->CompleteLockIrpRoutine;
}

static NTSTATUS FsRtlpEndIrp(PFILE_LOCK FileLock, PIRP Irp, PVOID Context, PEPROCESS Process, NTSTATUS Status)
{
    FsRtlpPrepareIrp(FileLock, Irp, Context, Process);
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    FsRtlpCompleteLockIrp(Irp);
    return Status;
}

static NTSTATUS FsRtlpLockIrp(PFILE_LOCK FileLock, PIRP Irp, PVOID Context, const FILE_LOCK_INFO *Info,
                              BOOLEAN FailImmediately)
{
    FSRTL_LOCKS *Locks = FsRtlpNeedLocks(FileLock);
    if (Locks == NULL)
        return FsRtlpEndIrp(FileLock, Irp, Context, Info->ProcessId, STATUS_INSUFFICIENT_RESOURCES);
    FsRtlpPrepareIrp(FileLock, Irp, Context, Info->ProcessId);
    InterlockedIncrement(&FileLock->LockRequestsInProgress);
    FsAcquire(&Locks->Lock);
    NTSTATUS Status = FsRtlpTryLock(Locks, Info, FailImmediately);
    InterlockedDecrement(
        &FileLock->LockRequestsInProgress); /* one that waits does so for a lock that is there */
    if (Status == STATUS_PENDING)
        IoCsqInsertIrp(&Locks->Queue, Irp, NULL);
    else
        FsEndLater(&Locks->Lock, Irp, Status, 0);
    FsRelease(&Locks->Lock);
    return Status;
}

static NTSTATUS FsRtlpLockNow(PFILE_LOCK FileLock, const FILE_LOCK_INFO *Info, BOOLEAN FailImmediately)
{
    FSRTL_LOCKS *Locks = FsRtlpNeedLocks(FileLock);
    if (Locks == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    FsAcquire(&Locks->Lock);
    NTSTATUS Status = FsRtlpTryLock(Locks, Info, FailImmediately);
    FsRelease(&Locks->Lock);
    return Status;
}

/* [WDK FsRtlFastLock] FALSE: it must wait, for which it needs an IRP. With one it is this IRP that ends or waits. */
BOOLEAN NTAPI FsRtlPrivateLock(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                               PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, BOOLEAN FailImmediately,
                               BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus, PIRP Irp, PVOID Context,
                               BOOLEAN AlreadySynchronized)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FILE_LOCK_INFO Info;
    FSRTL_OWNER Owner = {.File = FileObject, .Process = Process, .Key = Key};
    NTSTATUS Status = FsRtlpDescribeRange(&Info, *FileOffset, *Length, ExclusiveLock, &Owner);
    if (Irp != NULL)
        Status = NT_SUCCESS(Status) ? FsRtlpLockIrp(FileLock, Irp, Context, &Info, FailImmediately)
                                    : FsRtlpEndIrp(FileLock, Irp, Context, Process, Status);
    else if (NT_SUCCESS(Status))
        Status = FsRtlpLockNow(FileLock, &Info, FailImmediately);
    IoStatus->Status = Status;
    IoStatus->Information = 0;
    return Irp != NULL || Status != STATUS_PENDING;
}

/* --- unlocking --- */

/* [WDK FsRtlFastUnlockSingle] */
NTSTATUS NTAPI FsRtlFastUnlockSingle(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                     PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, PVOID Context,
                                     BOOLEAN AlreadySynchronized)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    LIST_ENTRY Removed;
    FILE_LOCK_INFO Info;
    FSRTL_OWNER Owner = {.File = FileObject, .Process = Process, .Key = Key};
    FSRTL_LOCKS *Locks = FsRtlpLocks(FileLock);
    NTSTATUS Status = FsRtlpDescribeRange(&Info, *FileOffset, *Length, FALSE, &Owner);
    if (Locks == NULL || !NT_SUCCESS(Status))
        return NT_SUCCESS(Status) ? STATUS_RANGE_NOT_LOCKED : Status;
    InitializeListHead(&Removed);
    FsAcquire(&Locks->Lock);
    BOOLEAN Found = FsRtlpRemoveRange(Locks, &Info, &Removed);
    if (Found)
        FsRtlpRetryWaiting(Locks);
    FsRelease(&Locks->Lock);
    FsRtlpFreeRanges(&Removed, FileLock->UnlockRoutine, Context);
    return Found ? STATUS_SUCCESS : STATUS_RANGE_NOT_LOCKED;
}

static NTSTATUS FsRtlpUnlockAll(PFILE_LOCK FileLock, FSRTL_OWNER *Owner, PVOID Context)
{
    LIST_ENTRY Removed;
    FSRTL_LOCKS *Locks = FsRtlpLocks(FileLock);
    if (Locks == NULL)
        return STATUS_RANGE_NOT_LOCKED;
    InitializeListHead(&Removed);
    FsAcquire(&Locks->Lock);
    FsRtlpRemoveOwned(Locks, Owner, &Removed);
    FsRtlpEndWaitsOf(Locks, Owner);
    BOOLEAN Any = !IsListEmpty(&Removed);
    if (Any)
        FsRtlpRetryWaiting(Locks);
    FsRelease(&Locks->Lock);
    FsRtlpFreeRanges(&Removed, FileLock->UnlockRoutine, Context);
    return Any ? STATUS_SUCCESS : STATUS_RANGE_NOT_LOCKED;
}

/* [WDK FsRtlFastUnlockAll] */
NTSTATUS NTAPI FsRtlFastUnlockAll(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process,
                                  PVOID Context)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_OWNER Owner = {.File = FileObject, .Process = Process, .AnyKey = TRUE};
    return FsRtlpUnlockAll(FileLock, &Owner, Context);
}

/* [WDK FsRtlFastUnlockAllByKey] */
NTSTATUS NTAPI FsRtlFastUnlockAllByKey(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process,
                                       ULONG Key, PVOID Context)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_OWNER Owner = {.File = FileObject, .Process = Process, .Key = Key};
    return FsRtlpUnlockAll(FileLock, &Owner, Context);
}

/* --- by IRP --- */

static NTSTATUS FsRtlpProcessUnlock(PFILE_LOCK FileLock, PIRP Irp, PEPROCESS Process, PVOID Context)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT File = Stack->FileObject;
    ULONG Key = Stack->Parameters.LockControl.Key;
    switch (Stack->MinorFunction) {
    case IRP_MN_UNLOCK_SINGLE:
        return FsRtlFastUnlockSingle(FileLock, File, &Stack->Parameters.LockControl.ByteOffset,
                                     Stack->Parameters.LockControl.Length, Process, Key, Context, FALSE);
    case IRP_MN_UNLOCK_ALL:
        return FsRtlFastUnlockAll(FileLock, File, Process, Context);
    case IRP_MN_UNLOCK_ALL_BY_KEY:
        return FsRtlFastUnlockAllByKey(FileLock, File, Process, Key, Context);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* [WDK FsRtlProcessFileLock] the IRP is not the caller's any more. */
NTSTATUS NTAPI FsRtlProcessFileLock(PFILE_LOCK FileLock, PIRP Irp, PVOID Context)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PEPROCESS Process = IoGetRequestorProcess(Irp);
    IO_STATUS_BLOCK Iosb;
    if (Stack->MinorFunction != IRP_MN_LOCK)
        return FsRtlpEndIrp(FileLock, Irp, Context, Process,
                            FsRtlpProcessUnlock(FileLock, Irp, Process, Context));
    (void)FsRtlPrivateLock(FileLock, Stack->FileObject, &Stack->Parameters.LockControl.ByteOffset,
                           Stack->Parameters.LockControl.Length, Process, Stack->Parameters.LockControl.Key,
                           (Stack->Flags & SL_FAIL_IMMEDIATELY) != 0, (Stack->Flags & SL_EXCLUSIVE_LOCK) != 0,
                           &Iosb, Irp, Context, FALSE);
    return Iosb.Status;
}

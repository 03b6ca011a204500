/* SPDX-License-Identifier: MIT
 * Watches: their beginning and end. [WDK FsRtlNotifyInitializeSync, FsRtlNotifyCleanup] */
#include "fsrtl/notify.h"
#include "ke.h"

/* [WDK FsRtlNotifyInitializeSync] raises STATUS_INSUFFICIENT_RESOURCES. */
VOID NTAPI FsRtlNotifyInitializeSync(PNOTIFY_SYNC *NotifySync)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_NOTIFY_SYNC *Sync = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Sync), FSRTL_TAG_NOTIFY);
    if (Sync == NULL)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    FsRtlpInitializeNotifyQueue(Sync);
    *NotifySync = Sync;
}

/* [WDK FsRtlNotifyUninitializeSync] the lists are empty. */
VOID NTAPI FsRtlNotifyUninitializeSync(PNOTIFY_SYNC *NotifySync)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (*NotifySync != NULL)
        ExFreePoolWithTag(*NotifySync, FSRTL_TAG_NOTIFY);
    *NotifySync = NULL;
}

static FSRTL_WATCH *FsRtlpFindWatch(PLIST_ENTRY NotifyList, PVOID FsContext)
{
    for (PLIST_ENTRY E = NotifyList->Flink; E != NotifyList; E = E->Flink) {
        FSRTL_WATCH *Watch = CONTAINING_RECORD(E, FSRTL_WATCH, Entry);
        if (Watch->FsContext == FsContext)
            return Watch;
    }
    return NULL;
}

static VOID FsRtlpFreeSubject(PSECURITY_SUBJECT_CONTEXT Subject)
{
    if (Subject == NULL)
        return;
    SeReleaseSubjectContext(Subject);
    ExFreePool(Subject);
}

static VOID FsRtlpFreeWatch(FSRTL_WATCH *Watch)
{
    if (Watch == NULL)
        return;
    FsRtlpFreeSubject(Watch->Subject);
    if (Watch->Buffer != NULL)
        ExFreePoolWithTag(Watch->Buffer, FSRTL_TAG_NOTIFY);
    ExFreePoolWithTag(Watch, FSRTL_TAG_NOTIFY);
}

/* The rest of it is the caller's. Without memory for what comes, each change says: look again. */
static FSRTL_WATCH *FsRtlpMakeWatch(ULONG Length)
{
    FSRTL_WATCH *Watch = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Watch), FSRTL_TAG_NOTIFY);
    if (Watch == NULL)
        return NULL;
    Length = min(Length, FSRTL_MAX_CHANGES);
    if (Length != 0)
        Watch->Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Length, FSRTL_TAG_NOTIFY);
    Watch->Length = Watch->Buffer != NULL ? Length : 0;
    return Watch;
}

/* (s) held. *Watch is New, and New is NULL then, when the open has none yet. STATUS_PENDING: the request waits, or is answered. */
static NTSTATUS FsRtlpRequest(FSRTL_NOTIFY_SYNC *Sync, PLIST_ENTRY NotifyList, FSRTL_WATCH **New, PIRP Irp)
{
    FSRTL_WATCH *Watch = FsRtlpFindWatch(NotifyList, (*New)->FsContext);
    if (IoGetCurrentIrpStackLocation(Irp)->FileObject->Flags & FO_CLEANUP_COMPLETE)
        return STATUS_NOTIFY_CLEANUP;
    if (Watch == NULL) {
        Watch = *New;
        InsertTailList(NotifyList, &Watch->Entry);
        *New = NULL;
    }
    if (Watch->End != 0 || Watch->Overflow) {
        FsRtlpAnswer(Sync, Watch, Irp);
        return STATUS_PENDING;
    }
    Irp->Tail.Overlay.DriverContext[0] = Watch;
    IoCsqInsertIrp(&Sync->Queue, Irp, NULL);
    return STATUS_PENDING;
}

static VOID FsRtlpEndAtOnce(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
}

/* Every request of a file whose context is this one: the folder is deleted. */
static VOID FsRtlpEndDeleted(FSRTL_NOTIFY_SYNC *Sync, PLIST_ENTRY NotifyList, PVOID FsContext)
{
    FsAcquire(&Sync->Lock);
    for (PLIST_ENTRY E = NotifyList->Flink; E != NotifyList; E = E->Flink) {
        FSRTL_WATCH *Watch = CONTAINING_RECORD(E, FSRTL_WATCH, Entry);
        if (Watch->FileContext == FsContext)
            FsRtlpEndNotifies(Sync, Watch, STATUS_DELETE_PENDING);
    }
    FsRelease(&Sync->Lock);
}

/* [WDK FsRtlNotifyFilterChangeDirectory] the IRP is not the caller's any more: he returns STATUS_PENDING. Without one: the folder whose
 * FILE_OBJECT.FsContext is FsContext is deleted. */
VOID NTAPI FsRtlNotifyFilterChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext,
                                            PSTRING FullDirectoryName, BOOLEAN WatchTree,
                                            BOOLEAN IgnoreBuffer, ULONG CompletionFilter, PIRP NotifyIrp,
                                            PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                            PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                            PFILTER_REPORT_CHANGE FilterCallback)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_NOTIFY_SYNC *Sync = NotifySync;
    if (NotifyIrp == NULL) {
        FsRtlpEndDeleted(Sync, NotifyList, FsContext);
        FsRtlpFreeSubject(SubjectContext);
        return;
    }
    IoMarkIrpPending(NotifyIrp);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(NotifyIrp);
    FSRTL_WATCH *Watch = FsRtlpMakeWatch(Stack->Parameters.NotifyDirectory.Length);
    if (Watch == NULL) {
        FsRtlpFreeSubject(SubjectContext);
        FsRtlpEndAtOnce(NotifyIrp, STATUS_INSUFFICIENT_RESOURCES);
        return;
    }
    Watch->FsContext = FsContext;
    Watch->FileContext = Stack->FileObject->FsContext;
    Watch->Name = FullDirectoryName;
    Watch->Filter = CompletionFilter;
    Watch->Tree = WatchTree;
    Watch->IgnoreBuffer = IgnoreBuffer;
    Watch->Traverse = TraverseCallback;
    Watch->Subject = SubjectContext;
    Watch->FilterCallback = FilterCallback;
    FsAcquire(&Sync->Lock);
    NTSTATUS Status = FsRtlpRequest(Sync, NotifyList, &Watch, NotifyIrp);
    FsRelease(&Sync->Lock);
    if (Status != STATUS_PENDING)
        FsRtlpEndAtOnce(NotifyIrp, Status);
    FsRtlpFreeWatch(Watch);
}

/* [WDK FsRtlNotifyFullChangeDirectory] */
VOID NTAPI FsRtlNotifyFullChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext,
                                          PSTRING FullDirectoryName, BOOLEAN WatchTree, BOOLEAN IgnoreBuffer,
                                          ULONG CompletionFilter, PIRP NotifyIrp,
                                          PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                          PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FsRtlNotifyFilterChangeDirectory(NotifySync, NotifyList, FsContext, FullDirectoryName, WatchTree,
                                     IgnoreBuffer, CompletionFilter, NotifyIrp, TraverseCallback,
                                     SubjectContext, NULL);
}

/* [WDK FsRtlNotifyCleanup] the last handle of the open is closed. */
VOID NTAPI FsRtlNotifyCleanup(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_NOTIFY_SYNC *Sync = NotifySync;
    FsAcquire(&Sync->Lock);
    FSRTL_WATCH *Watch = FsRtlpFindWatch(NotifyList, FsContext);
    if (Watch != NULL) {
        FsRtlpEndNotifies(Sync, Watch, STATUS_NOTIFY_CLEANUP);
        RemoveEntryList(&Watch->Entry);
    }
    FsRelease(&Sync->Lock);
    FsRtlpFreeWatch(Watch);
}

/* [WDK FsRtlNotifyCleanupAll] */
VOID NTAPI FsRtlNotifyCleanupAll(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_NOTIFY_SYNC *Sync = NotifySync;
    LIST_ENTRY Gone;
    InitializeListHead(&Gone);
    FsAcquire(&Sync->Lock);
    while (!IsListEmpty(NotifyList)) {
        FSRTL_WATCH *Watch = CONTAINING_RECORD(RemoveHeadList(NotifyList), FSRTL_WATCH, Entry);
        FsRtlpEndNotifies(Sync, Watch, STATUS_NOTIFY_CLEANUP);
        InsertTailList(&Gone, &Watch->Entry);
    }
    FsRelease(&Sync->Lock);
    while (!IsListEmpty(&Gone))
        FsRtlpFreeWatch(CONTAINING_RECORD(RemoveHeadList(&Gone), FSRTL_WATCH, Entry));
}

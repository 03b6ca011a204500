/* SPDX-License-Identifier: MIT
 * Requests for changes: they wait in a cancel-safe queue, and get what a watch has kept. [WDK FILE_NOTIFY_INFORMATION] */
#include "fsrtl/notify.h"

static FSRTL_NOTIFY_SYNC *FsRtlpSyncOf(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, FSRTL_NOTIFY_SYNC, Queue);
}

static VOID NTAPI FsRtlpInsertNotify(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&FsRtlpSyncOf(Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI FsRtlpRemoveNotify(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* Context: the watch. */
static PIRP NTAPI FsRtlpPeekNotify(PIO_CSQ Csq, PIRP After, PVOID Context)
{
    PLIST_ENTRY Head = &FsRtlpSyncOf(Csq)->Waiting;
    PLIST_ENTRY E = After != NULL ? After->Tail.Overlay.ListEntry.Flink : Head->Flink;
    for (; E != Head; E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, Tail.Overlay.ListEntry);
        if (Irp->Tail.Overlay.DriverContext[0] == Context)
            return Irp;
    }
    return NULL;
}

static VOID NTAPI FsRtlpAcquireNotifies(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&FsRtlpSyncOf(Csq)->QueueLock, Irql);
}

static VOID NTAPI FsRtlpReleaseNotifies(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&FsRtlpSyncOf(Csq)->QueueLock, Irql);
}

static VOID NTAPI FsRtlpNotifyCanceled(PIO_CSQ Csq, PIRP Irp)
{
    FsEndCanceled(&FsRtlpSyncOf(Csq)->Lock, Irp);
}

static VOID FsRtlpCompleteNotify(PIRP Irp)
{
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
}

VOID FsRtlpInitializeNotifyQueue(FSRTL_NOTIFY_SYNC *Sync)
{
    FsInitializeLock(&Sync->Lock, FsRtlpCompleteNotify);
    KeInitializeSpinLock(&Sync->QueueLock);
    InitializeListHead(&Sync->Waiting);
    IoCsqInitialize(&Sync->Queue, FsRtlpInsertNotify, FsRtlpRemoveNotify, FsRtlpPeekNotify,
                    FsRtlpAcquireNotifies, FsRtlpReleaseNotifies, FsRtlpNotifyCanceled);
}

PIRP FsRtlpTakeNotify(FSRTL_NOTIFY_SYNC *Sync, FSRTL_WATCH *Watch)
{
    return IoCsqRemoveNextIrp(&Sync->Queue, Watch);
}

VOID FsRtlpEndNotifies(FSRTL_NOTIFY_SYNC *Sync, FSRTL_WATCH *Watch, NTSTATUS Status)
{
    PIRP Irp;
    while ((Irp = FsRtlpTakeNotify(Sync, Watch)) != NULL)
        FsEndLater(&Sync->Lock, Irp, Status, 0);
}

/* [WDK FsRtlNotifyFullChangeDirectory] the file system has locked the caller's buffer, or buffers it: this may be another process. NULL: it has
 * done neither, or there is no room in the system's address space. */
static PVOID FsRtlpNotifyBuffer(PIRP Irp)
{
    if (Irp->MdlAddress != NULL)
        return MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    return Irp->AssociatedIrp.SystemBuffer;
}

/* [Win32 ReadDirectoryChangesW] STATUS_NOTIFY_ENUM_DIR, and nothing in the buffer: look at the folder again. */
VOID FsRtlpAnswer(FSRTL_NOTIFY_SYNC *Sync, FSRTL_WATCH *Watch, PIRP Irp)
{
    ULONG Room = IoGetCurrentIrpStackLocation(Irp)->Parameters.NotifyDirectory.Length;
    PVOID Buffer = !Watch->Overflow && Watch->End <= Room ? FsRtlpNotifyBuffer(Irp) : NULL;
    if (Buffer != NULL) {
        RtlCopyMemory(Buffer, Watch->Buffer, Watch->End);
        FsEndLater(&Sync->Lock, Irp, STATUS_SUCCESS, Watch->End);
    } else {
        FsEndLater(&Sync->Lock, Irp, STATUS_NOTIFY_ENUM_DIR, 0);
    }
    Watch->End = Watch->Last = 0;
    Watch->Overflow = FALSE;
}

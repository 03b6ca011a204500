/* SPDX-License-Identifier: MIT
 * See the header. */
#include "fslib/gather_lock.h"

VOID FsInitializeLock(FS_LOCK *Lock, FS_COMPLETE *Complete)
{
    KeInitializeGuardedMutex(&Lock->Mutex);
    Lock->Holder = NULL;
    Lock->Complete = Complete;
    InitializeListHead(&Lock->Ended);
}

VOID FsAcquire(FS_LOCK *Lock)
{
    KeAcquireGuardedMutex(&Lock->Mutex);
    Lock->Holder = KeGetCurrentThread();
}

VOID FsRelease(FS_LOCK *Lock)
{
    LIST_ENTRY Ended;
    FS_COMPLETE *Complete = Lock->Complete;
    InitializeListHead(&Ended);
    while (!IsListEmpty(&Lock->Ended))
        InsertTailList(&Ended, RemoveHeadList(&Lock->Ended));
    Lock->Holder = NULL;
    KeReleaseGuardedMutex(&Lock->Mutex);
    while (!IsListEmpty(&Ended))
        Complete(CONTAINING_RECORD(RemoveHeadList(&Ended), IRP, Tail.Overlay.ListEntry));
}

VOID FsEndLater(FS_LOCK *Lock, PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    InsertTailList(&Lock->Ended, &Irp->Tail.Overlay.ListEntry);
}

/* At DISPATCH_LEVEL a DPC may have interrupted the holder. */
VOID FsEndCanceled(FS_LOCK *Lock, PIRP Irp)
{
    if (KeGetCurrentIrql() < DISPATCH_LEVEL && Lock->Holder == KeGetCurrentThread()) {
        FsEndLater(Lock, Irp, STATUS_CANCELLED, 0);
        return;
    }
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    Lock->Complete(Irp);
}

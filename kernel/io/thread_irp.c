/* SPDX-License-Identifier: MIT
 * The IRPs that a thread has issued: cancelled when it ends. */
#include "iop.h"

/* A thread that ends waits here until its list is empty. */
typedef struct _IOP_DRAIN {
    LIST_ENTRY Entry; /* (d) */
    PETHREAD Thread;
    KEVENT Empty;
} IOP_DRAIN;

static LIST_ENTRY IopDrains = {&IopDrains, &IopDrains}; /* (d) */

VOID IopQueueThreadIrp(PIRP Irp)
{
    PETHREAD Thread = CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb);
    Irp->Tail.Overlay.Thread = Thread;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    InsertTailList(&Thread->IrpList, &Irp->ThreadListEntry);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

static VOID IopTellDrainLocked(PETHREAD Thread)
{
    for (LIST_ENTRY *E = IopDrains.Flink; E != &IopDrains; E = E->Flink) {
        IOP_DRAIN *Drain = CONTAINING_RECORD(E, IOP_DRAIN, Entry);
        if (Drain->Thread == Thread)
            KeSetEvent(&Drain->Empty, IO_NO_INCREMENT, FALSE);
    }
}

/* Nothing when the IRP is in no list. */
VOID IopDequeueThreadIrp(PIRP Irp)
{
    PETHREAD Thread = Irp->Tail.Overlay.Thread;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    if (!IsListEmpty(&Irp->ThreadListEntry)) {
        RemoveEntryList(&Irp->ThreadListEntry);
        InitializeListHead(&Irp->ThreadListEntry);
        if (IsListEmpty(&Thread->IrpList))
            IopTellDrainLocked(Thread);
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

static PIRP IopFindToCancelLocked(PETHREAD Thread)
{
    for (LIST_ENTRY *E = Thread->IrpList.Flink; E != &Thread->IrpList; E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, ThreadListEntry);
        if (!Irp->Cancel)
            return Irp;
    }
    return NULL;
}

/* Cancels one IRP of the thread; FALSE when there is none left. While the list's lock is held the IRP cannot be freed; a cancel
 * routine that we took keeps it after that. */
static BOOLEAN IopCancelOne(PETHREAD Thread)
{
    KIRQL OldIrql;
    PDRIVER_CANCEL Routine = NULL;
    IoAcquireCancelSpinLock(&OldIrql);
    ArchAcquireLockAtIrql(&IopDatabaseLock);
    PIRP Irp = IopFindToCancelLocked(Thread);
    if (Irp != NULL) {
        Irp->Cancel = TRUE;
        Irp->CancelIrql = OldIrql;
        Routine = IoSetCancelRoutine(Irp, NULL);
    }
    ArchReleaseLockFromIrql(&IopDatabaseLock);
    if (Routine != NULL)
        IopCallCancel(Routine, IoGetCurrentIrpStackLocation(Irp)->DeviceObject, Irp);
    else
        IoReleaseCancelSpinLock(OldIrql);
    return Irp != NULL;
}

VOID IoCancelThreadIo(PETHREAD Thread)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_DRAIN Drain = {.Thread = Thread};
    KeInitializeEvent(&Drain.Empty, NotificationEvent, FALSE);
    while (IopCancelOne(Thread))
        ;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    BOOLEAN Empty = IsListEmpty(&Thread->IrpList);
    if (!Empty)
        InsertTailList(&IopDrains, &Drain.Entry);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Empty)
        return;
    KeWaitForSingleObject(&Drain.Empty, Executive, KernelMode, FALSE, NULL);
    OldIrql = ArchAcquireLock(&IopDatabaseLock);
    RemoveEntryList(&Drain.Entry);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
}

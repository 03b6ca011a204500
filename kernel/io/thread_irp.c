/* SPDX-License-Identifier: MIT
 * The IRPs that a thread has issued: cancelled when it ends. Only the thread itself changes its list, at APC_LEVEL, because the end of a
 * request comes as an APC; so there is no lock. */
#include "iop.h"

VOID IopOwnIrp(PIRP Irp)
{
    PETHREAD Thread = CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb);
    IOP_IRP_STATE *State = IopIrpState(Irp);
    Irp->Tail.Overlay.Thread = Thread;
    Irp->ApcEnvironment = (CCHAR)Thread->Tcb.ApcStateIndex;
    if (State != NULL)
        State->Process = Thread->Tcb.ApcState.Process;
}

/* The process whose memory the IRP means, if it is not the one that the thread keeps alive; an address must not mean another meanwhile. */
static PEPROCESS IopBorrowedProcess(PIRP Irp, const ETHREAD *Thread)
{
    const IOP_IRP_STATE *State = IopIrpState(Irp);
    if (State == NULL || State->Process == Thread->Tcb.Process)
        return NULL;
    return CONTAINING_RECORD(State->Process, EPROCESS, Pcb);
}

VOID IopQueueThreadIrp(PIRP Irp)
{
    PETHREAD Thread = Irp->Tail.Overlay.Thread;
    PEPROCESS Borrowed = IopBorrowedProcess(Irp, Thread);
    if (Borrowed != NULL)
        ObfReferenceObject(Borrowed);
    KIRQL OldIrql = ArchRaiseIrql(APC_LEVEL);
    InsertTailList(&Thread->IrpList, &Irp->ThreadListEntry);
    ArchSetIrql(OldIrql);
}

/* Nothing when the IRP is in no list. */
VOID IopDequeueThreadIrp(PIRP Irp)
{
    PETHREAD Thread = CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb);
    if (IsListEmpty(&Irp->ThreadListEntry))
        return;
    KIRQL OldIrql = ArchRaiseIrql(APC_LEVEL);
    RemoveEntryList(&Irp->ThreadListEntry);
    InitializeListHead(&Irp->ThreadListEntry);
    ArchSetIrql(OldIrql);
    PEPROCESS Borrowed = IopBorrowedProcess(Irp, Thread);
    if (Borrowed != NULL)
        ObfDereferenceObject(Borrowed);
    if (Thread->IrpsAreGone != NULL && IsListEmpty(&Thread->IrpList))
        KeSetEvent(Thread->IrpsAreGone, IO_NO_INCREMENT, FALSE);
}

static PIRP IopFindToCancel(PETHREAD Thread, const FILE_OBJECT *File)
{
    for (LIST_ENTRY *E = Thread->IrpList.Flink; E != &Thread->IrpList; E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, ThreadListEntry);
        if (!Irp->Cancel && (File == NULL || Irp->Tail.Overlay.OriginalFileObject == File))
            return Irp;
    }
    return NULL;
}

/* At APC_LEVEL and above no IRP of the list can go away; a cancel routine that we took keeps it after that. One whose end is queued already
 * has no cancel routine, and its APC where the file was: whether it is found does not matter. */
BOOLEAN IopCancelThreadIrp(PETHREAD Thread, const FILE_OBJECT *File)
{
    KIRQL OldIrql;
    PDRIVER_CANCEL Routine = NULL;
    IoAcquireCancelSpinLock(&OldIrql);
    PIRP Irp = IopFindToCancel(Thread, File);
    if (Irp != NULL) {
        Irp->Cancel = TRUE;
        Irp->CancelIrql = OldIrql;
        Routine = IoSetCancelRoutine(Irp, NULL);
    }
    if (Routine != NULL)
        IopCallCancel(Routine, IoGetCurrentIrpStackLocation(Irp)->DeviceObject, Irp);
    else
        IoReleaseCancelSpinLock(OldIrql);
    return Irp != NULL;
}

VOID IoCancelThreadIo(PETHREAD Thread)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KEVENT Gone;
    KeInitializeEvent(&Gone, NotificationEvent, FALSE);
    while (IopCancelThreadIrp(Thread, NULL))
        ;
    KIRQL OldIrql = ArchRaiseIrql(APC_LEVEL);
    BOOLEAN Empty = IsListEmpty(&Thread->IrpList);
    Thread->IrpsAreGone = Empty ? NULL : &Gone;
    ArchSetIrql(OldIrql);
    if (!Empty)
        KeWaitForSingleObject(&Gone, Executive, KernelMode, FALSE, NULL);
    Thread->IrpsAreGone = NULL;
}

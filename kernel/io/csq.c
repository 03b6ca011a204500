/* SPDX-License-Identifier: MIT
 * Cancel-safe queues. The driver's callbacks hold its lock across calls, so they are not called through the gate: between acquire and
 * release the IRQL is the lock's. The context or the queue lies in Irp->Tail.Overlay.DriverContext[3]. */
#include "iop.h"

#define IOP_TYPE_CSQ_IRP_CONTEXT 1u
#define IOP_TYPE_CSQ 2u
#define IOP_TYPE_CSQ_EX 3u

static VOID IopDetachCsqContext(PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = Irp->Tail.Overlay.DriverContext[3];
    if (Context->Type == IOP_TYPE_CSQ_IRP_CONTEXT)
        Context->Irp = NULL;
    Irp->Tail.Overlay.DriverContext[3] = NULL;
}

static PIO_CSQ IopCsqOfIrp(PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = Irp->Tail.Overlay.DriverContext[3];
    return Context->Type == IOP_TYPE_CSQ_IRP_CONTEXT ? Context->Csq : (PIO_CSQ)Context;
}

static VOID NTAPI IopCancelCsqIrp(PDEVICE_OBJECT Device, PIRP Irp)
{
    KIRQL Irql;
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    PIO_CSQ Csq = IopCsqOfIrp(Irp);
    Csq->CsqAcquireLock(Csq, &Irql);
    Csq->CsqRemoveIrp(Csq, Irp);
    IopDetachCsqContext(Irp);
    Csq->CsqReleaseLock(Csq, Irql);
    Csq->CsqCompleteCanceledIrp(Csq, Irp);
}

/* [WDK IoCsqInitialize] */
NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP Insert, PIO_CSQ_REMOVE_IRP Remove,
                               PIO_CSQ_PEEK_NEXT_IRP Peek, PIO_CSQ_ACQUIRE_LOCK Acquire,
                               PIO_CSQ_RELEASE_LOCK Release, PIO_CSQ_COMPLETE_CANCELED_IRP CompleteCanceled)
{
    *Csq = (IO_CSQ){IOP_TYPE_CSQ, Insert, Remove, Peek, Acquire, Release, CompleteCanceled, NULL};
    return STATUS_SUCCESS;
}

/* [WDK IoCsqInitializeEx] Insert gets the InsertContext and may refuse. */
NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX Insert, PIO_CSQ_REMOVE_IRP Remove,
                                 PIO_CSQ_PEEK_NEXT_IRP Peek, PIO_CSQ_ACQUIRE_LOCK Acquire,
                                 PIO_CSQ_RELEASE_LOCK Release, PIO_CSQ_COMPLETE_CANCELED_IRP CompleteCanceled)
{
    *Csq = (IO_CSQ){IOP_TYPE_CSQ_EX, (PVOID)Insert, Remove, Peek, Acquire, Release, CompleteCanceled, NULL};
    return STATUS_SUCCESS;
}

/* The queue's lock is held: nobody can complete the IRP before it is marked pending. */
static NTSTATUS IopCsqInsertLocked(PIO_CSQ Csq, PIRP Irp, PVOID InsertContext)
{
    NTSTATUS Status = STATUS_SUCCESS;
    if (Csq->Type == IOP_TYPE_CSQ_EX)
        Status = ((PIO_CSQ_INSERT_IRP_EX)(PVOID)Csq->CsqInsertIrp)(Csq, Irp, InsertContext);
    else
        Csq->CsqInsertIrp(Csq, Irp);
    if (NT_SUCCESS(Status))
        IoMarkIrpPending(Irp);
    return Status;
}

/* The queue's lock is held. TRUE: the IRP was cancelled meanwhile and is out of the queue again. */
static BOOLEAN IopCsqArmLocked(PIO_CSQ Csq, PIRP Irp)
{
    IoSetCancelRoutine(Irp, IopCancelCsqIrp);
    if (!Irp->Cancel || IoSetCancelRoutine(Irp, NULL) == NULL)
        return FALSE;
    Csq->CsqRemoveIrp(Csq, Irp);
    IopDetachCsqContext(Irp);
    return TRUE;
}

/* [WDK IoCsqInsertIrpEx] marks the IRP pending; an IRP that is cancelled already is completed by the driver's callback. */
NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext)
{
    KIRQL Irql;
    BOOLEAN Cancelled = FALSE;
    if (Context != NULL)
        *Context = (IO_CSQ_IRP_CONTEXT){IOP_TYPE_CSQ_IRP_CONTEXT, Irp, Csq};
    Irp->Tail.Overlay.DriverContext[3] = Context != NULL ? (PVOID)Context : (PVOID)Csq;
    Csq->CsqAcquireLock(Csq, &Irql);
    NTSTATUS Status = IopCsqInsertLocked(Csq, Irp, InsertContext);
    if (NT_SUCCESS(Status))
        Cancelled = IopCsqArmLocked(Csq, Irp);
    else
        IopDetachCsqContext(Irp);
    Csq->CsqReleaseLock(Csq, Irql);
    if (Cancelled)
        Csq->CsqCompleteCanceledIrp(Csq, Irp);
    return Status;
}

/* [WDK IoCsqInsertIrp] */
VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    (void)IoCsqInsertIrpEx(Csq, Irp, Context, NULL); /* a plain queue's insertion cannot fail */
}

/* An IRP whose cancel routine is on its way belongs to that. */
static PIRP IopCsqTakeNextLocked(PIO_CSQ Csq, PVOID PeekContext)
{
    PIRP Irp = Csq->CsqPeekNextIrp(Csq, NULL, PeekContext);
    while (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL)
        Irp = Csq->CsqPeekNextIrp(Csq, Irp, PeekContext);
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopDetachCsqContext(Irp);
    }
    return Irp;
}

/* [WDK IoCsqRemoveNextIrp] NULL when the queue has none. */
PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    KIRQL Irql;
    Csq->CsqAcquireLock(Csq, &Irql);
    PIRP Irp = IopCsqTakeNextLocked(Csq, PeekContext);
    Csq->CsqReleaseLock(Csq, Irql);
    return Irp;
}

/* [WDK IoCsqRemoveIrp] NULL when the IRP is not queued any more or is being cancelled. */
PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    KIRQL Irql;
    Csq->CsqAcquireLock(Csq, &Irql);
    PIRP Irp = Context->Irp;
    if (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL)
        Irp = NULL;
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopDetachCsqContext(Irp);
    }
    Csq->CsqReleaseLock(Csq, Irql);
    return Irp;
}

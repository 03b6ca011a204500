/* SPDX-License-Identifier: MIT
 * Waiting IRPs: one cancel-safe queue over the lists of all ends. DriverContext[0] is the IRP's list, [1] how much of a write was read
 * already; [2] is the buffer of a read, or the time-out of wait.c; [3] belongs to the queue. */
#include "npfs.h"

static IO_CSQ Queue;
static KSPIN_LOCK NpQueueLock;

static NTSTATUS NTAPI Insert(PIO_CSQ Csq, PIRP Irp, PVOID First)
{
    PLIST_ENTRY List = Irp->Tail.Overlay.DriverContext[0];
    UNREFERENCED_PARAMETER(Csq);
    if (First != NULL)
        InsertHeadList(List, &Irp->Tail.Overlay.ListEntry);
    else
        InsertTailList(List, &Irp->Tail.Overlay.ListEntry);
    return STATUS_SUCCESS;
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* Context: the list. */
static PIRP NTAPI PeekNext(PIO_CSQ Csq, PIRP After, PVOID Context)
{
    PLIST_ENTRY List = Context, E = After != NULL ? After->Tail.Overlay.ListEntry.Flink : List->Flink;
    UNREFERENCED_PARAMETER(Csq);
    return E == List ? NULL : CONTAINING_RECORD(E, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeAcquireSpinLock(&NpQueueLock, Irql);
}

static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeReleaseSpinLock(&NpQueueLock, Irql);
}

VOID NpInitializeQueue(VOID)
{
    KeInitializeSpinLock(&NpQueueLock);
    IoCsqInitializeEx(&Queue, Insert, Remove, PeekNext, Acquire, Release, NpCompleteCanceled);
}

VOID NpWait(NP_END *End, NP_WAIT Kind, PIRP Irp, BOOLEAN First)
{
    Irp->Tail.Overlay.DriverContext[0] = &End->Waiting[Kind];
    (void)IoCsqInsertIrpEx(&Queue, Irp, NULL, First ? End : NULL);
}

PIRP NpTake(NP_END *End, NP_WAIT Kind)
{
    return IoCsqRemoveNextIrp(&Queue, &End->Waiting[Kind]);
}

VOID NpFinishAll(NP_END *End, NP_WAIT Kind, NTSTATUS Status)
{
    PIRP Irp;
    while ((Irp = NpTake(End, Kind)) != NULL)
        NpFinishLater(Irp, Status, 0);
}

/* An IRP in a list is there as long as the lock is held. */
ULONG NpPeekWaiting(NP_END *End, UCHAR *To, ULONG Room, PULONG Messages, PULONG First)
{
    KIRQL Irql;
    ULONG Total = 0;
    PLIST_ENTRY List = &End->Waiting[NpWaitWrite];
    KeAcquireSpinLock(&NpQueueLock, &Irql);
    for (PLIST_ENTRY E = List->Flink; E != List; E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, Tail.Overlay.ListEntry);
        ULONG Read = (ULONG)(ULONG_PTR)Irp->Tail.Overlay.DriverContext[1];
        ULONG Left = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length - Read;
        if (Total < Room)
            RtlCopyMemory(To + Total, (UCHAR *)Irp->AssociatedIrp.SystemBuffer + Read,
                          min(Left, Room - Total));
        if ((*Messages)++ == 0)
            *First = Left;
        Total += Left;
    }
    KeReleaseSpinLock(&NpQueueLock, Irql);
    return Total;
}

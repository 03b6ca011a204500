/* SPDX-License-Identifier: MIT
 * Requests that wait for a slot, or for the device to run again: a cancel-safe queue. [WDK "Cancel-Safe IRP Queues"] */
#include "blk.h"

static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CONTAINING_RECORD(Csq, BLK, Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    BLK *Blk = CONTAINING_RECORD(Csq, BLK, Csq);
    PLIST_ENTRY Next = Irp == NULL ? Blk->Waiting.Flink : Irp->Tail.Overlay.ListEntry.Flink;
    UNREFERENCED_PARAMETER(Context);
    return Next == &Blk->Waiting ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CONTAINING_RECORD(Csq, BLK, Csq)->Lock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CONTAINING_RECORD(Csq, BLK, Csq)->Lock, Irql);
}

static VOID NTAPI CsqCancelled(PIO_CSQ Csq, PIRP Irp)
{
    BlkEnd(CONTAINING_RECORD(Csq, BLK, Csq), Irp, STATUS_CANCELLED, 0);
}

VOID BlkInitWaiting(BLK *Blk)
{
    KeInitializeSpinLock(&Blk->Lock);
    InitializeListHead(&Blk->Waiting);
    IoCsqInitialize(&Blk->Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCancelled);
}

VOID BlkFailWaiting(BLK *Blk)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Blk->Csq, NULL)) != NULL)
        BlkEnd(Blk, Irp, STATUS_NO_SUCH_DEVICE, 0);
}

/* SPDX-License-Identifier: MIT
 * IRPs that wait for something to happen: cancel-safe queues. [WDK Cancel-Safe IRP Queues] */
#include "ramfs.h"

RAMFS_QUEUE RamfsNotifies, RamfsLocks;

static RAMFS_QUEUE *QueueOf(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, RAMFS_QUEUE, Csq);
}

static VOID NTAPI Insert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&QueueOf(Csq)->Irps, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* Context: the file; NULL: any. */
static PIRP NTAPI PeekNext(PIO_CSQ Csq, PIRP After, PVOID Context)
{
    PLIST_ENTRY Head = &QueueOf(Csq)->Irps;
    PLIST_ENTRY E = After != NULL ? After->Tail.Overlay.ListEntry.Flink : Head->Flink;
    for (; E != Head; E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, Tail.Overlay.ListEntry);
        if (Context == NULL || IoGetCurrentIrpStackLocation(Irp)->FileObject == Context)
            return Irp;
    }
    return NULL;
}

static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&QueueOf(Csq)->Lock, Irql);
}

static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&QueueOf(Csq)->Lock, Irql);
}

VOID RamfsInitializeQueue(RAMFS_QUEUE *Queue)
{
    KeInitializeSpinLock(&Queue->Lock);
    InitializeListHead(&Queue->Irps);
    IoCsqInitialize(&Queue->Csq, Insert, Remove, PeekNext, Acquire, Release, RamfsCompleteCanceled);
}

VOID RamfsWait(RAMFS_QUEUE *Queue, PIRP Irp)
{
    IoCsqInsertIrp(&Queue->Csq, Irp, NULL);
}

PIRP RamfsTakeOf(RAMFS_QUEUE *Queue, PFILE_OBJECT File)
{
    return IoCsqRemoveNextIrp(&Queue->Csq, File);
}

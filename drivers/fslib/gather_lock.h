/* SPDX-License-Identifier: MIT
 * A lock under which IRPs come to their end. [WDK IoCompleteRequest] completion routines are other drivers' code, so an IRP is not completed
 * with the lock held: the holder gathers what ends, and completes it when he has let go. */
#pragma once
#include <ntifs.h>

struct FS_LOCK;
/* The status is set. The lock is not held, and may be gone: only the IRP says what to do. */
typedef VOID FS_COMPLETE(PIRP Irp);

typedef struct FS_LOCK {
    KGUARDED_MUTEX Mutex;
    PKTHREAD volatile Holder; /* written by the holder; read by anybody, who can be sure of himself only */
    LIST_ENTRY Ended;         /* under Mutex: IRPs, empty when it is free */
    FS_COMPLETE *Complete;    /* constant */
} FS_LOCK;

VOID FsInitializeLock(FS_LOCK *Lock, FS_COMPLETE *Complete);

/* IRQL <= APC_LEVEL. Not recursive. */
VOID FsAcquire(FS_LOCK *Lock);
VOID FsRelease(FS_LOCK *Lock); /* completes what was gathered; the lock is not touched any more by then */

/* The caller is the holder. */
VOID FsEndLater(FS_LOCK *Lock, PIRP Irp, NTSTATUS Status, ULONG_PTR Information);

/* IRQL <= DISPATCH_LEVEL, for IO_CSQ.CsqCompleteCanceledIrp: by the holder, who let an IRP wait that was cancelled already, it ends when he
 * lets go; by anybody else it ends at once, with STATUS_CANCELLED. */
VOID FsEndCanceled(FS_LOCK *Lock, PIRP Irp);

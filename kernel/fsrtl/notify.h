/* SPDX-License-Identifier: MIT
 * Telling of changes in folders, for file systems. The list of watches is the file system's, the synchronisation object ours.
 *
 * (s) FSRTL_NOTIFY_SYNC.Lock, IRQL <= APC_LEVEL: the watches of the lists that go with it, and the names behind them. [WDK
 * FsRtlNotifyFilterChangeDirectory] The file system's two callbacks say whether a watch hears of a change: they are called with it held, and
 * must not come back here. (q) QueueLock below it: the list of waiting IRPs, for their cancellation. */
#pragma once
#include "io.h"
#include "fslib/gather_lock.h"

#define FSRTL_TAG_NOTIFY 'nFsF'
#define FSRTL_MAX_CHANGES 0x10000u /* bytes that are kept for one watch */

typedef struct _FSRTL_NOTIFY_SYNC {
    FS_LOCK Lock;
    IO_CSQ Queue;
    KSPIN_LOCK QueueLock;
    LIST_ENTRY Waiting; /* (q) IRPs; DriverContext[0] is the watch */
} FSRTL_NOTIFY_SYNC;

/* What one open of a folder is told about; from its first request on. */
typedef struct _FSRTL_WATCH {
    LIST_ENTRY Entry;  /* (s) */
    PVOID FsContext;   /* whose it is */
    PVOID FileContext; /* FILE_OBJECT.FsContext of its first request */
    PSTRING Name;      /* of the folder; the file system keeps it as long as the watch */
    ULONG Filter;
    BOOLEAN Tree, IgnoreBuffer;
    BOOLEAN Overflow;        /* (s) something did not fit: all must be looked at again */
    ULONG Length, End, Last; /* (s) of Buffer: room, used, offset of the last entry */
    PUCHAR Buffer;
    PCHECK_FOR_TRAVERSE_ACCESS Traverse;
    PSECURITY_SUBJECT_CONTEXT Subject; /* ours, with its pool; NULL: none */
    PFILTER_REPORT_CHANGE FilterCallback;
} FSRTL_WATCH;

/* notify_request.c. (s) held. NULL: no request of the watch waits. */
PIRP FsRtlpTakeNotify(FSRTL_NOTIFY_SYNC *Sync, FSRTL_WATCH *Watch);
/* The request gets what was kept. */
VOID FsRtlpAnswer(FSRTL_NOTIFY_SYNC *Sync, FSRTL_WATCH *Watch, PIRP Irp);
VOID FsRtlpInitializeNotifyQueue(FSRTL_NOTIFY_SYNC *Sync);
VOID FsRtlpEndNotifies(FSRTL_NOTIFY_SYNC *Sync, FSRTL_WATCH *Watch, NTSTATUS Status);

/* SPDX-License-Identifier: MIT
 * Locked ranges of a file, for file systems. FILE_LOCK is the file system's; what it holds comes with the first lock and lies behind
 * FILE_LOCK.LockInformation.
 *
 * (l) FSRTL_LOCKS.Lock, IRQL <= APC_LEVEL: the ranges, and who waits. (q) FSRTL_LOCKS.QueueLock below it: the list of waiting IRPs, for
 * their cancellation. The file system's routines are called with neither held. */
#pragma once
#include "io.h"
#include "fslib/gather_lock.h"

#define FSRTL_TAG_LOCK 'lFsF'

typedef struct _FSRTL_RANGE {
    LIST_ENTRY Entry; /* (l) */
    FILE_LOCK_INFO Info;
    ULONG64 Number; /* grows with each range of the file */
} FSRTL_RANGE;

typedef struct _FSRTL_LOCKS {
    FS_LOCK Lock;
    PFILE_LOCK FileLock;
    LIST_ENTRY Ranges; /* (l) exclusive ones first */
    ULONG64 LastNumber;
    IO_CSQ Queue;
    KSPIN_LOCK QueueLock;
    LIST_ENTRY
    Waiting; /* (q) IRPs. DriverContext[0] is the context, [1] the file lock, [2] the routine that completes it */
} FSRTL_LOCKS;

/* Who has ranges, or asks for them. */
typedef struct _FSRTL_OWNER {
    PFILE_OBJECT File;
    PEPROCESS Process;
    ULONG Key;
    BOOLEAN AnyKey;
} FSRTL_OWNER;

static inline FSRTL_LOCKS *FsRtlpLocks(const FILE_LOCK *FileLock)
{
    return __atomic_load_n((FSRTL_LOCKS *const *)&FileLock->LockInformation, __ATOMIC_ACQUIRE);
}

/* --- lock_range.c: (l) held, but for the first --- */

/* STATUS_INVALID_LOCK_RANGE: it reaches behind the last offset there is. Info: without ProcessId's reference. */
NTSTATUS FsRtlpDescribeRange(FILE_LOCK_INFO *Info, LARGE_INTEGER Offset, LARGE_INTEGER Length,
                             BOOLEAN Exclusive, const FSRTL_OWNER *Owner);
BOOLEAN FsRtlpMayLock(FSRTL_LOCKS *Locks, const FILE_LOCK_INFO *Wanted);
/* Length is not 0. */
BOOLEAN FsRtlpMayTransfer(FSRTL_LOCKS *Locks, BOOLEAN Write, ULONG64 Offset, ULONG64 Length,
                          const FSRTL_OWNER *Owner);
NTSTATUS FsRtlpAddRange(FSRTL_LOCKS *Locks, const FILE_LOCK_INFO *Info); /* STATUS_INSUFFICIENT_RESOURCES */
/* To Removed: the first that is exactly this one; all of the owner. */
BOOLEAN FsRtlpRemoveRange(FSRTL_LOCKS *Locks, const FILE_LOCK_INFO *Exactly, PLIST_ENTRY Removed);
VOID FsRtlpRemoveOwned(FSRTL_LOCKS *Locks, const FSRTL_OWNER *Owner, PLIST_ENTRY Removed);
/* (l) not held: the routine hears of each, and they are freed. */
VOID FsRtlpFreeRanges(PLIST_ENTRY Removed, PUNLOCK_ROUTINE Routine, PVOID Context);

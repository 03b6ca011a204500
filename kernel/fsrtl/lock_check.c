/* SPDX-License-Identifier: MIT
 * What locked ranges say to reads and writes, and which there are. [WDK FsRtlCheckLockForReadAccess, FsRtlFastCheckLockForRead,
 * FsRtlGetNextFileLock] */
#include "fsrtl/file_lock.h"
#include "ke.h"

static BOOLEAN FsRtlpCheck(PFILE_LOCK FileLock, BOOLEAN Write, LONGLONG Offset, LONGLONG Length,
                           const FSRTL_OWNER *Owner)
{
    FSRTL_LOCKS *Locks = FsRtlpLocks(FileLock);
    if (Locks == NULL || Length == 0)
        return TRUE;
    FsAcquire(&Locks->Lock);
    BOOLEAN May = FsRtlpMayTransfer(Locks, Write, (ULONG64)Offset, (ULONG64)Length, Owner);
    FsRelease(&Locks->Lock);
    return May;
}

/* [WDK FsRtlFastCheckLockForRead] */
BOOLEAN NTAPI FsRtlFastCheckLockForRead(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte,
                                        PLARGE_INTEGER Length, ULONG Key, PFILE_OBJECT FileObject,
                                        PVOID Process)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_OWNER Owner = {.File = FileObject, .Process = Process, .Key = Key};
    return FsRtlpCheck(FileLock, FALSE, StartingByte->QuadPart, Length->QuadPart, &Owner);
}

/* [WDK FsRtlFastCheckLockForWrite] */
BOOLEAN NTAPI FsRtlFastCheckLockForWrite(PFILE_LOCK FileLock, PLARGE_INTEGER StartingByte,
                                         PLARGE_INTEGER Length, ULONG Key, PFILE_OBJECT FileObject,
                                         PVOID Process)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_OWNER Owner = {.File = FileObject, .Process = Process, .Key = Key};
    return FsRtlpCheck(FileLock, TRUE, StartingByte->QuadPart, Length->QuadPart, &Owner);
}

/* Parameters of reads and writes lie alike. */
static BOOLEAN FsRtlpCheckIrp(PFILE_LOCK FileLock, PIRP Irp, BOOLEAN Write)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    FSRTL_OWNER Owner = {
        .File = Stack->FileObject, .Process = IoGetRequestorProcess(Irp), .Key = Stack->Parameters.Read.Key};
    return FsRtlpCheck(FileLock, Write, Stack->Parameters.Read.ByteOffset.QuadPart,
                       Stack->Parameters.Read.Length, &Owner);
}

/* [WDK FsRtlCheckLockForReadAccess] */
BOOLEAN NTAPI FsRtlCheckLockForReadAccess(PFILE_LOCK FileLock, PIRP Irp)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return FsRtlpCheckIrp(FileLock, Irp, FALSE);
}

/* [WDK FsRtlCheckLockForWriteAccess] */
BOOLEAN NTAPI FsRtlCheckLockForWriteAccess(PFILE_LOCK FileLock, PIRP Irp)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return FsRtlpCheckIrp(FileLock, Irp, TRUE);
}

/* [WDK FsRtlAreThereCurrentOrInProgressFileLocks] */
BOOLEAN NTAPI FsRtlAreThereCurrentOrInProgressFileLocks(PFILE_LOCK FileLock)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return FileLock->FastIoIsQuestionable || FileLock->LockRequestsInProgress != 0;
}

/* [WDK FsRtlGetNextFileLock] a copy, in the FILE_LOCK: the caller sees to it that one at a time asks. Locks that come and go meanwhile do no
 * harm: LastReturnedLock is the number of the last one, not its address. */
PFILE_LOCK_INFO NTAPI FsRtlGetNextFileLock(PFILE_LOCK FileLock, BOOLEAN Restart)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_LOCKS *Locks = FsRtlpLocks(FileLock);
    FSRTL_RANGE *Next = NULL;
    ULONG64 Last = Restart ? 0 : (ULONG64)(ULONG_PTR)FileLock->LastReturnedLock;
    if (Locks == NULL)
        return NULL;
    FsAcquire(&Locks->Lock);
    for (PLIST_ENTRY E = Locks->Ranges.Flink; E != &Locks->Ranges; E = E->Flink) {
        FSRTL_RANGE *Range = CONTAINING_RECORD(E, FSRTL_RANGE, Entry);
        if (Range->Number > Last && (Next == NULL || Range->Number < Next->Number))
            Next = Range;
    }
    if (Next != NULL) {
        FileLock->LastReturnedLockInfo = Next->Info;
        FileLock->LastReturnedLock = (PVOID)(ULONG_PTR)Next->Number;
    }
    FsRelease(&Locks->Lock);
    return Next != NULL ? &FileLock->LastReturnedLockInfo : NULL;
}

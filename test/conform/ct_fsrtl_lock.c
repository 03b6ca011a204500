/* SPDX-License-Identifier: MIT
 * Byte-range locks of FsRtl. [WDK FsRtlProcessFileLock, FsRtlFastLock, FsRtlFastCheckLockForRead, FsRtlGetNextFileLock] */
#include "ct_fsrtl.h"

static PFILE_OBJECT const First = &CtFiles[0], Second = &CtFiles[1];

static NTSTATUS LockRange(PFILE_LOCK FileLock, PFILE_OBJECT File, LONGLONG Offset, LONGLONG Bytes, ULONG Key,
                          BOOLEAN Exclusive)
{
    LARGE_INTEGER Begin = {.QuadPart = Offset}, Length = {.QuadPart = Bytes};
    IO_STATUS_BLOCK Iosb;
    CT_CHECK(FsRtlFastLock(FileLock, File, &Begin, &Length, PsGetCurrentProcess(), Key, TRUE, Exclusive,
                           &Iosb, NULL, FALSE));
    return Iosb.Status;
}

static NTSTATUS UnlockRange(PFILE_LOCK FileLock, PFILE_OBJECT File, LONGLONG Offset, LONGLONG Bytes,
                            ULONG Key)
{
    LARGE_INTEGER Begin = {.QuadPart = Offset}, Length = {.QuadPart = Bytes};
    return FsRtlFastUnlockSingle(FileLock, File, &Begin, &Length, PsGetCurrentProcess(), Key, NULL, FALSE);
}

static BOOLEAN May(PFILE_LOCK FileLock, PFILE_OBJECT File, LONGLONG Offset, LONGLONG Bytes, ULONG Key,
                   BOOLEAN Write)
{
    LARGE_INTEGER Begin = {.QuadPart = Offset}, Length = {.QuadPart = Bytes};
    return Write ? FsRtlFastCheckLockForWrite(FileLock, &Begin, &Length, Key, File, PsGetCurrentProcess())
                 : FsRtlFastCheckLockForRead(FileLock, &Begin, &Length, Key, File, PsGetCurrentProcess());
}

static VOID LockBasic(VOID)
{
    FILE_LOCK FileLock;
    LARGE_INTEGER Begin = {.QuadPart = 10}, Length = {.QuadPart = 1};
    IO_STATUS_BLOCK Iosb;
    FsRtlInitializeFileLock(&FileLock, NULL, NULL);
    CT_CHECK(!FsRtlAreThereCurrentFileLocks(&FileLock));
    CT_CHECK(May(&FileLock, Second, 0, 100, 0, TRUE));
    CT_SUCCESS(LockRange(&FileLock, First, 10, 10, 7, TRUE));
    CT_CHECK(FsRtlAreThereCurrentFileLocks(&FileLock));
    CT_STATUS(LockRange(&FileLock, Second, 19, 1, 7, FALSE), STATUS_LOCK_NOT_GRANTED);
    CT_STATUS(LockRange(&FileLock, First, 19, 1, 7, TRUE), STATUS_LOCK_NOT_GRANTED);
    CT_SUCCESS(LockRange(&FileLock, Second, 20, 1, 7, TRUE));
    CT_CHECK(!FsRtlFastLock(&FileLock, Second, &Begin, &Length, PsGetCurrentProcess(), 0, FALSE, TRUE, &Iosb,
                            NULL, FALSE)); /* it would have to wait */
    /* the owner is the file, the process and the key */
    CT_CHECK(May(&FileLock, First, 10, 1, 7, FALSE) && May(&FileLock, First, 10, 1, 7, TRUE));
    CT_CHECK(!May(&FileLock, First, 10, 1, 8, FALSE) && !May(&FileLock, Second, 10, 1, 7, FALSE));
    CT_CHECK(!May(&FileLock, Second, 0, 11, 7, FALSE) && May(&FileLock, Second, 0, 10, 7, FALSE));
    CT_CHECK(May(&FileLock, Second, 12, 0, 7, TRUE)); /* of nothing */
    /* a shared lock keeps all writers out */
    CT_SUCCESS(LockRange(&FileLock, First, 50, 1, 7, FALSE));
    CT_SUCCESS(LockRange(&FileLock, Second, 50, 1, 7, FALSE));
    CT_CHECK(May(&FileLock, Second, 50, 1, 9, FALSE) && !May(&FileLock, First, 50, 1, 7, TRUE));
    CT_STATUS(UnlockRange(&FileLock, First, 10, 10, 8), STATUS_RANGE_NOT_LOCKED);
    CT_STATUS(UnlockRange(&FileLock, First, 10, 9, 7), STATUS_RANGE_NOT_LOCKED);
    CT_SUCCESS(UnlockRange(&FileLock, First, 10, 10, 7));
    CT_CHECK(May(&FileLock, Second, 0, 20, 0, TRUE));
    CT_STATUS(LockRange(&FileLock, First, -1, 2, 0, TRUE), STATUS_INVALID_LOCK_RANGE);
    FsRtlUninitializeFileLock(&FileLock); /* what is left goes */
}

static VOID LockAll(VOID)
{
    FILE_LOCK FileLock;
    PEPROCESS Process = PsGetCurrentProcess();
    FsRtlInitializeFileLock(&FileLock, NULL, NULL);
    CT_CHECK(!FsRtlAreThereCurrentOrInProgressFileLocks(&FileLock));
    CT_STATUS(FsRtlFastUnlockAll(&FileLock, First, Process, NULL), STATUS_RANGE_NOT_LOCKED);
    for (ULONG i = 0; i < 4; i++)
        CT_SUCCESS(LockRange(&FileLock, First, i * 10, 5, i / 2, i % 2 != 0));
    CT_SUCCESS(LockRange(&FileLock, Second, 100, 1, 1, TRUE));
    CT_SUCCESS(FsRtlFastUnlockAllByKey(&FileLock, First, Process, 1, NULL));
    CT_STATUS(UnlockRange(&FileLock, First, 20, 5, 1), STATUS_RANGE_NOT_LOCKED);
    CT_STATUS(UnlockRange(&FileLock, First, 30, 5, 1), STATUS_RANGE_NOT_LOCKED);
    CT_SUCCESS(UnlockRange(&FileLock, First, 0, 5, 0));
    CT_SUCCESS(FsRtlFastUnlockAll(&FileLock, First, Process, NULL));
    CT_STATUS(UnlockRange(&FileLock, First, 10, 5, 0), STATUS_RANGE_NOT_LOCKED);
    CT_CHECK(FsRtlAreThereCurrentOrInProgressFileLocks(&FileLock));
    CT_SUCCESS(UnlockRange(&FileLock, Second, 100, 1, 1));
    CT_CHECK(!FsRtlAreThereCurrentOrInProgressFileLocks(&FileLock));
    FsRtlUninitializeFileLock(&FileLock);
}

/* --- by IRP --- */

static BOOLEAN NoThread; /* of no process */

static NTSTATUS Process(PFILE_LOCK FileLock, CT_REQUEST *Request, UCHAR Minor, PFILE_OBJECT File,
                        LONGLONG Offset, UCHAR Flags)
{
    PIO_STACK_LOCATION Stack = CtMakeRequest(Request, IRP_MJ_LOCK_CONTROL, Minor, File);
    if (Stack == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (NoThread)
        Request->Irp->Tail.Overlay.Thread = NULL;
    Request->Length.QuadPart = 10;
    Stack->Flags = Flags;
    Stack->Parameters.LockControl.Length = &Request->Length;
    Stack->Parameters.LockControl.ByteOffset.QuadPart = Offset;
    Stack->Parameters.LockControl.Key = 3;
    return FsRtlProcessFileLock(FileLock, Request->Irp, (PVOID)0x1234);
}

static BOOLEAN MayIrp(PFILE_LOCK FileLock, PFILE_OBJECT File, BOOLEAN Write)
{
    CT_REQUEST Request;
    PIO_STACK_LOCATION Stack = CtMakeRequest(&Request, Write ? IRP_MJ_WRITE : IRP_MJ_READ, 0, File);
    if (Stack == NULL)
        return FALSE;
    Stack->Parameters.Read.Length = 1;
    Stack->Parameters.Read.Key = 3;
    Stack->Parameters.Read.ByteOffset.QuadPart = 5;
    BOOLEAN Allowed = Write ? FsRtlCheckLockForWriteAccess(FileLock, Request.Irp)
                            : FsRtlCheckLockForReadAccess(FileLock, Request.Irp);
    IoFreeIrp(Request.Irp);
    return Allowed;
}

static VOID LockIrp(VOID)
{
    FILE_LOCK FileLock;
    static CT_REQUEST Held, Refused, Waits, Behind, Ends;
    FsRtlInitializeFileLock(&FileLock, NULL, NULL);
    CT_SUCCESS(Process(&FileLock, &Held, IRP_MN_LOCK, First, 0, SL_EXCLUSIVE_LOCK));
    CT_STATUS(CtStatusOf(&Held), STATUS_SUCCESS);
    CT_CHECK(MayIrp(&FileLock, First, TRUE) && MayIrp(&FileLock, First, FALSE));
    CT_CHECK(!MayIrp(&FileLock, Second, TRUE) && !MayIrp(&FileLock, Second, FALSE));
    CT_STATUS(Process(&FileLock, &Refused, IRP_MN_LOCK, Second, 5, SL_FAIL_IMMEDIATELY),
              STATUS_LOCK_NOT_GRANTED);
    CT_STATUS(CtStatusOf(&Refused), STATUS_LOCK_NOT_GRANTED);
    CtFreeRequest(&Refused);
    CT_STATUS(Process(&FileLock, &Waits, IRP_MN_LOCK, Second, 5, SL_EXCLUSIVE_LOCK), STATUS_PENDING);
    CT_STATUS(Process(&FileLock, &Behind, IRP_MN_LOCK, Second, 8, SL_EXCLUSIVE_LOCK), STATUS_PENDING);
    CT_CHECK(CtStatusOf(&Waits) == STATUS_PENDING && Waits.Irp->CancelRoutine != NULL);
    Waits.Irp->Tail.Overlay.Thread =
        NULL; /* whatever its thread does meanwhile: it is this process's request */
    CT_SUCCESS(Process(&FileLock, &Ends, IRP_MN_UNLOCK_SINGLE, First, 0, 0));
    CtFreeRequest(&Ends);
    CT_STATUS(CtStatusOf(&Waits), STATUS_SUCCESS); /* the first that waited; the second lies over it */
    CT_STATUS(CtStatusOf(&Behind), STATUS_PENDING);
    CT_CHECK(IoCancelIrp(Behind.Irp));
    CT_STATUS(CtStatusOf(&Behind), STATUS_CANCELLED);
    CtFreeRequest(&Behind);
    CT_STATUS(Process(&FileLock, &Behind, IRP_MN_LOCK, First, 8, SL_EXCLUSIVE_LOCK), STATUS_PENDING);
    CT_SUCCESS(Process(&FileLock, &Ends, IRP_MN_UNLOCK_ALL_BY_KEY, Second, 0, 0));
    CtFreeRequest(&Ends);
    CT_STATUS(CtStatusOf(&Behind), STATUS_SUCCESS);
    CT_SUCCESS(Process(&FileLock, &Ends, IRP_MN_UNLOCK_ALL, First, 0, 0));
    CtFreeRequest(&Ends);
    CT_STATUS(Process(&FileLock, &Ends, 0x77, First, 0, 0), STATUS_INVALID_DEVICE_REQUEST);
    CT_STATUS(CtStatusOf(&Ends), STATUS_INVALID_DEVICE_REQUEST);
    CtFreeRequest(&Ends);
    CtFreeRequest(&Held);
    CtFreeRequest(&Waits);
    CtFreeRequest(&Behind);
    FsRtlUninitializeFileLock(&FileLock);
}

/* A request of another process (here: of none) waits on when this one unlocks all, and not when the file is cleaned up. */
static VOID LockCleanup(VOID)
{
    FILE_LOCK FileLock;
    static CT_REQUEST Held, Waits;
    FsRtlInitializeFileLock(&FileLock, NULL, NULL);
    CT_SUCCESS(Process(&FileLock, &Held, IRP_MN_LOCK, First, 0, SL_EXCLUSIVE_LOCK));
    NoThread = TRUE;
    CT_STATUS(Process(&FileLock, &Waits, IRP_MN_LOCK, Second, 5, SL_EXCLUSIVE_LOCK), STATUS_PENDING);
    NoThread = FALSE;
    CT_STATUS(FsRtlFastUnlockAll(&FileLock, Second, PsGetCurrentProcess(), NULL), STATUS_RANGE_NOT_LOCKED);
    CT_STATUS(CtStatusOf(&Waits), STATUS_PENDING);
    Second->Flags |= FO_CLEANUP_COMPLETE;
    CT_STATUS(FsRtlFastUnlockAll(&FileLock, Second, PsGetCurrentProcess(), NULL), STATUS_RANGE_NOT_LOCKED);
    CT_STATUS(CtStatusOf(&Waits), STATUS_CANCELLED);
    Second->Flags &= ~(ULONG)FO_CLEANUP_COMPLETE;
    CtFreeRequest(&Held);
    CtFreeRequest(&Waits);
    FsRtlUninitializeFileLock(&FileLock);
}

/* --- the file system's routines --- */

static ULONG Unlocked, Completed;
static PVOID RoutineContext;
static NTSTATUS RoutineAnswer;

static VOID NTAPI NoteUnlock(PVOID Context, PFILE_LOCK_INFO Info)
{
    RoutineContext = Context;
    Unlocked += Info->StartingByte.QuadPart == 0 && Info->EndingByte.QuadPart == 9 ? 1 : 100;
}

static NTSTATUS NTAPI CompleteIt(PVOID Context, PIRP Irp)
{
    RoutineContext = Context;
    Completed++;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return RoutineAnswer;
}

static VOID LockRoutines(VOID)
{
    static CT_REQUEST Request;
    PFILE_LOCK FileLock = FsRtlAllocateFileLock(CompleteIt, NoteUnlock);
    CT_REQUIRE(FileLock != NULL);
    Unlocked = Completed = 0;
    RoutineAnswer = STATUS_SUCCESS;
    CT_SUCCESS(Process(FileLock, &Request, IRP_MN_LOCK, First, 0, 0));
    CT_CHECK(Completed == 1 && RoutineContext == (PVOID)0x1234);
    CtFreeRequest(&Request);
    RoutineContext = NULL;
    CT_SUCCESS(Process(FileLock, &Request, IRP_MN_UNLOCK_SINGLE, First, 0, 0));
    CT_CHECK(Completed == 2 && Unlocked == 1 && RoutineContext == (PVOID)0x1234);
    CtFreeRequest(&Request);
    RoutineAnswer = STATUS_ACCESS_DENIED; /* the lock is taken back */
    (void)Process(FileLock, &Request, IRP_MN_LOCK, First, 0, SL_EXCLUSIVE_LOCK);
    CtFreeRequest(&Request);
    CT_CHECK(Completed == 3 && !FsRtlAreThereCurrentFileLocks(FileLock));
    FsRtlFreeFileLock(FileLock);
}

static VOID LockNext(VOID)
{
    FILE_LOCK FileLock;
    ULONG Count = 0;
    ULONG64 Sum = 0;
    PFILE_LOCK_INFO Info;
    FsRtlInitializeFileLock(&FileLock, NULL, NULL);
    CT_CHECK(FsRtlGetNextFileLock(&FileLock, TRUE) == NULL);
    for (ULONG i = 0; i < 3; i++)
        CT_SUCCESS(LockRange(&FileLock, First, 1 << i, 1, i, i == 1));
    for (Info = FsRtlGetNextFileLock(&FileLock, TRUE); Info != NULL;
         Info = FsRtlGetNextFileLock(&FileLock, FALSE)) {
        Sum += Info->StartingByte.QuadPart;
        Count++;
        CT_CHECK(Info->FileObject == First && Info->Length.QuadPart == 1 &&
                 Info->ExclusiveLock == (Info->Key == 1) &&
                 Info->EndingByte.QuadPart == Info->StartingByte.QuadPart);
    }
    CT_EQUAL(Count, 3);
    CT_EQUAL(Sum, 7);
    FsRtlUninitializeFileLock(&FileLock);
}

static const CT_CASE Cases[] = {
    {"fsrtl_lock.basic", LockBasic},       {"fsrtl_lock.all", LockAll},   {"fsrtl_lock.irp", LockIrp},
    {"fsrtl_lock.routines", LockRoutines}, {"fsrtl_lock.next", LockNext}, {"fsrtl_lock.cleanup", LockCleanup},
};

CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * ZwLockFile and ZwUnlockFile: ranges of bytes, kept by the file system. [WDK IRP_MJ_LOCK_CONTROL] */
#include "fast_io.h"
#include "mm_caller.h"

typedef struct _IOP_RANGE {
    PLARGE_INTEGER Offset, Length;
    ULONG Key;
    UCHAR Minor, Flags;
} IOP_RANGE;

/* The stack location has the length by address: it lies in the IRP's auxiliary buffer. */
static NTSTATUS IopCaptureRange(IOP_REQUEST *Request, const IOP_RANGE *Range)
{
    PLARGE_INTEGER Length = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Length), IOP_TAG_BUFFER);
    if (Length == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Request->Irp->Tail.Overlay.AuxiliaryBuffer = (PCHAR)Length;
    LARGE_INTEGER Offset;
    NTSTATUS Status = IopReadRequestor(&Offset, Range->Offset, sizeof(Offset), Request->Mode);
    if (NT_SUCCESS(Status))
        Status = IopReadRequestor(Length, Range->Length, sizeof(*Length), Request->Mode);
    Request->Stack->MinorFunction = Range->Minor;
    Request->Stack->Flags = Range->Flags;
    Request->Stack->Parameters.LockControl.Length = Length;
    Request->Stack->Parameters.LockControl.ByteOffset = Offset;
    Request->Stack->Parameters.LockControl.Key = Range->Key;
    return Status;
}

/* FALSE: it goes on as an IRP. */
static BOOLEAN IopTryFastLock(const IOP_REQUEST *Request, PIO_STATUS_BLOCK Iosb)
{
    PIO_STACK_LOCATION Stack = Request->Stack;
    const IOP_FAST_LOCK Lock = {.File = Request->File,
                                .Offset = Stack->Parameters.LockControl.ByteOffset,
                                .Length = *Stack->Parameters.LockControl.Length,
                                .Key = Stack->Parameters.LockControl.Key,
                                .Lock = Stack->MinorFunction == IRP_MN_LOCK,
                                .FailImmediately = (Stack->Flags & SL_FAIL_IMMEDIATELY) != 0,
                                .Exclusive = (Stack->Flags & SL_EXCLUSIVE_LOCK) != 0};
    return IopFastLock(Request, &Lock, Iosb);
}

/* [WDK FILE_OBJECT] LockOperation: somebody has locked ranges, which go with the last handle of his process. */
static NTSTATUS IopLockRange(const IOP_CALLER *Caller, const IOP_RANGE *Range)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    IO_STATUS_BLOCK Iosb = {0};
    NTSTATUS Status = IopBeginRequest(&Request, Caller, IRP_MJ_LOCK_CONTROL);
    if (Status != STATUS_SUCCESS)
        return Status;
    Status = IopCaptureRange(&Request, Range);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    if (Range->Minor == IRP_MN_LOCK)
        Request.File->LockOperation = TRUE;
    if (IopTryFastLock(&Request, &Iosb))
        return IopEndFastRequest(&Request, &Iosb);
    return IopSendRequest(&Request, Range->Minor != IRP_MN_LOCK);
}

static UCHAR IopLockFlags(BOOLEAN FailImmediately, BOOLEAN ExclusiveLock)
{
    return (UCHAR)((FailImmediately ? SL_FAIL_IMMEDIATELY : 0) | (ExclusiveLock ? SL_EXCLUSIVE_LOCK : 0));
}

/* [WDK ZwLockFile] */
NTSTATUS NTAPI ZwLockFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key,
                          BOOLEAN FailImmediately, BOOLEAN ExclusiveLock)
{
    const IOP_CALLER Caller = {
        File, FILE_READ_DATA | FILE_WRITE_DATA, TRUE, Event, ApcRoutine, ApcContext, Iosb, KernelMode};
    const IOP_RANGE Range = {ByteOffset, Length, Key, IRP_MN_LOCK,
                             IopLockFlags(FailImmediately, ExclusiveLock)};
    return IopLockRange(&Caller, &Range);
}

NTSTATUS NTAPI NtLockFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key,
                          BOOLEAN FailImmediately, BOOLEAN ExclusiveLock)
{
    const IOP_CALLER Caller = {File,       FILE_READ_DATA | FILE_WRITE_DATA,
                               TRUE,       Event,
                               ApcRoutine, ApcContext,
                               Iosb,       ExGetPreviousMode()};
    const IOP_RANGE Range = {ByteOffset, Length, Key, IRP_MN_LOCK,
                             IopLockFlags(FailImmediately, ExclusiveLock)};
    return IopLockRange(&Caller, &Range);
}

/* [WDK ZwUnlockFile] the very range that was locked. */
NTSTATUS NTAPI ZwUnlockFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER ByteOffset,
                            PLARGE_INTEGER Length, ULONG Key)
{
    const IOP_CALLER Caller = {.File = File,
                               .Access = FILE_READ_DATA | FILE_WRITE_DATA,
                               .AnyAccess = TRUE,
                               .Iosb = Iosb,
                               .Mode = KernelMode};
    const IOP_RANGE Range = {ByteOffset, Length, Key, IRP_MN_UNLOCK_SINGLE, 0};
    return IopLockRange(&Caller, &Range);
}

NTSTATUS NTAPI NtUnlockFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER ByteOffset,
                            PLARGE_INTEGER Length, ULONG Key)
{
    const IOP_CALLER Caller = {.File = File,
                               .Access = FILE_READ_DATA | FILE_WRITE_DATA,
                               .AnyAccess = TRUE,
                               .Iosb = Iosb,
                               .Mode = ExGetPreviousMode()};
    const IOP_RANGE Range = {ByteOffset, Length, Key, IRP_MN_UNLOCK_SINGLE, 0};
    return IopLockRange(&Caller, &Range);
}

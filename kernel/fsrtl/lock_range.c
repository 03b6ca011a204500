/* SPDX-License-Identifier: MIT
 * Ranges of bytes: which may be locked beside which, and what they keep out. [Win32 LockFileEx] [MS-FSA 2.1.4.10] */
#include "fsrtl/file_lock.h"
#include "ke.h"

static ULONG64 FsRtlpBegin(const FILE_LOCK_INFO *Info)
{
    return (ULONG64)Info->StartingByte.QuadPart;
}

static BOOLEAN FsRtlpOverlaps(const FILE_LOCK_INFO *Info, ULONG64 Begin, ULONG64 Length)
{
    return FsRtlpBegin(Info) < Begin + Length && Begin < FsRtlpBegin(Info) + (ULONG64)Info->Length.QuadPart;
}

static BOOLEAN FsRtlpIsOwnedBy(const FILE_LOCK_INFO *Info, const FSRTL_OWNER *Owner)
{
    return Info->FileObject == Owner->File && Info->ProcessId == Owner->Process &&
           (Owner->AnyKey || Info->Key == Owner->Key);
}

static FSRTL_OWNER FsRtlpOwnerOf(const FILE_LOCK_INFO *Info)
{
    return (FSRTL_OWNER){.File = Info->FileObject, .Process = Info->ProcessId, .Key = Info->Key};
}

NTSTATUS FsRtlpDescribeRange(FILE_LOCK_INFO *Info, LARGE_INTEGER Offset, LARGE_INTEGER Length,
                             BOOLEAN Exclusive, const FSRTL_OWNER *Owner)
{
    *Info = (FILE_LOCK_INFO){.StartingByte = Offset,
                             .Length = Length,
                             .ExclusiveLock = Exclusive,
                             .Key = Owner->Key,
                             .FileObject = Owner->File,
                             .ProcessId = Owner->Process,
                             .EndingByte.QuadPart = Offset.QuadPart + Length.QuadPart - 1};
    return (ULONG64)Length.QuadPart > ~(ULONG64)Offset.QuadPart ? STATUS_INVALID_LOCK_RANGE : STATUS_SUCCESS;
}

/* An exclusive lock suffers no other below it; a shared one may lie over exclusive ones of the same owner. */
BOOLEAN FsRtlpMayLock(FSRTL_LOCKS *Locks, const FILE_LOCK_INFO *Wanted)
{
    FSRTL_OWNER Owner = FsRtlpOwnerOf(Wanted);
    for (PLIST_ENTRY E = Locks->Ranges.Flink; E != &Locks->Ranges; E = E->Flink) {
        const FILE_LOCK_INFO *There = &CONTAINING_RECORD(E, FSRTL_RANGE, Entry)->Info;
        if (!FsRtlpOverlaps(There, FsRtlpBegin(Wanted), (ULONG64)Wanted->Length.QuadPart))
            continue;
        if (Wanted->ExclusiveLock || (There->ExclusiveLock && !FsRtlpIsOwnedBy(There, &Owner)))
            return FALSE;
    }
    return TRUE;
}

/* Reading is kept out by others' exclusive locks; writing by any lock but one's own exclusive one. */
BOOLEAN FsRtlpMayTransfer(FSRTL_LOCKS *Locks, BOOLEAN Write, ULONG64 Offset, ULONG64 Length,
                          const FSRTL_OWNER *Owner)
{
    for (PLIST_ENTRY E = Locks->Ranges.Flink; E != &Locks->Ranges; E = E->Flink) {
        const FILE_LOCK_INFO *There = &CONTAINING_RECORD(E, FSRTL_RANGE, Entry)->Info;
        if (!FsRtlpOverlaps(There, Offset, Length))
            continue;
        if (There->ExclusiveLock ? !FsRtlpIsOwnedBy(There, Owner) : Write)
            return FALSE;
    }
    return TRUE;
}

NTSTATUS FsRtlpAddRange(FSRTL_LOCKS *Locks, const FILE_LOCK_INFO *Info)
{
    FSRTL_RANGE *Range = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Range), FSRTL_TAG_LOCK);
    if (Range == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Range->Info = *Info;
    Range->Number = ++Locks->LastNumber;
    if (Info->ProcessId != NULL)
        ObfReferenceObject(Info->ProcessId); /* its address names it as long as the range is there */
    if (Info->ExclusiveLock)                 /* the first unlock of a range ends the exclusive lock */
        InsertHeadList(&Locks->Ranges, &Range->Entry);
    else
        InsertTailList(&Locks->Ranges, &Range->Entry);
    Locks->FileLock->FastIoIsQuestionable = TRUE;
    return STATUS_SUCCESS;
}

static VOID FsRtlpTakeOut(FSRTL_LOCKS *Locks, FSRTL_RANGE *Range, PLIST_ENTRY Removed)
{
    RemoveEntryList(&Range->Entry);
    InsertTailList(Removed, &Range->Entry);
    if (IsListEmpty(&Locks->Ranges))
        Locks->FileLock->FastIoIsQuestionable = FALSE;
}

BOOLEAN FsRtlpRemoveRange(FSRTL_LOCKS *Locks, const FILE_LOCK_INFO *Exactly, PLIST_ENTRY Removed)
{
    FSRTL_OWNER Owner = FsRtlpOwnerOf(Exactly);
    for (PLIST_ENTRY E = Locks->Ranges.Flink; E != &Locks->Ranges; E = E->Flink) {
        FSRTL_RANGE *Range = CONTAINING_RECORD(E, FSRTL_RANGE, Entry);
        if (Range->Info.StartingByte.QuadPart == Exactly->StartingByte.QuadPart &&
            Range->Info.Length.QuadPart == Exactly->Length.QuadPart &&
            FsRtlpIsOwnedBy(&Range->Info, &Owner)) {
            FsRtlpTakeOut(Locks, Range, Removed);
            return TRUE;
        }
    }
    return FALSE;
}

VOID FsRtlpRemoveOwned(FSRTL_LOCKS *Locks, const FSRTL_OWNER *Owner, PLIST_ENTRY Removed)
{
    PLIST_ENTRY E = Locks->Ranges.Flink;
    while (E != &Locks->Ranges) {
        FSRTL_RANGE *Range = CONTAINING_RECORD(E, FSRTL_RANGE, Entry);
        E = E->Flink;
        if (FsRtlpIsOwnedBy(&Range->Info, Owner))
            FsRtlpTakeOut(Locks, Range, Removed);
    }
}

VOID FsRtlpFreeRanges(PLIST_ENTRY Removed, PUNLOCK_ROUTINE Routine, PVOID Context)
{
    while (!IsListEmpty(Removed)) {
        FSRTL_RANGE *Range = CONTAINING_RECORD(RemoveHeadList(Removed), FSRTL_RANGE, Entry);
        if (Routine != NULL) {
            KE_GATE Gate;
            KeEnterGate(&Gate, GateFileSystem, (PVOID)Routine);
            Routine(Context, &Range->Info);
            KeLeaveGate(&Gate);
        }
        if (Range->Info.ProcessId != NULL)
            ObDereferenceObjectDeferDelete(Range->Info.ProcessId);
        ExFreePoolWithTag(Range, FSRTL_TAG_LOCK);
    }
}

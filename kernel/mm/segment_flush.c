/* SPDX-License-Identifier: MIT
 * What views and requests write to the same file. Dirty pages go to the file one flush at a time. A request enters its range in the segment's
 * list while no flush is under way; pages in the range are not flushed until it has ended and they have its bytes. So neither undoes the
 * other, and no lock is held over the request, below which drivers may do anything with the file. */
#include "mm/pfn.h"
#include "mm/segment.h"
#include "ke.h"

/* --- one flush at a time ----------------------------------------------------------------------------------------------- */

BOOLEAN MiEnterFlush(PMM_SEGMENT Segment)
{
    if (__atomic_load_n(&Segment->Flusher, __ATOMIC_RELAXED) == KiCurrentThread())
        return FALSE;
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusiveEx(&Segment->FlushLock, 0);
    __atomic_store_n(&Segment->Flusher, KiCurrentThread(), __ATOMIC_RELAXED);
    return TRUE;
}

VOID MiLeaveFlush(PMM_SEGMENT Segment)
{
    __atomic_store_n(&Segment->Flusher, NULL, __ATOMIC_RELAXED);
    ExReleasePushLockExclusiveEx(&Segment->FlushLock, 0);
    KeLeaveCriticalRegion();
}

/* --- requests that write; the segment is locked ------------------------------------------------------------------------- */

/* A request that writes to a byte of the range, from Entry on. */
static MM_REQUEST_WRITE *MiNextWrite(PMM_SEGMENT Segment, PLIST_ENTRY Entry, ULONG64 Offset, ULONG64 Length)
{
    for (; Entry != &Segment->Writes; Entry = Entry->Flink) {
        MM_REQUEST_WRITE *Write = CONTAINING_RECORD(Entry, MM_REQUEST_WRITE, Entry);
        if (Write->Offset < Offset + Length && Offset < Write->Offset + Write->Length)
            return Write;
    }
    return NULL;
}

/* All who write to the page flush it when they have ended. *Wait: somebody else is among them. */
static BOOLEAN MiPostpone(PMM_SEGMENT Segment, ULONG64 Page, BOOLEAN *Wait)
{
    ULONG64 Offset = Page << PAGE_SHIFT;
    BOOLEAN Postponed = FALSE;
    MM_REQUEST_WRITE *Write = MiNextWrite(Segment, Segment->Writes.Flink, Offset, PAGE_SIZE);

    for (; Write != NULL; Write = MiNextWrite(Segment, Write->Entry.Flink, Offset, PAGE_SIZE)) {
        Write->Postponed = Postponed = TRUE;
        *Wait |= Write->Thread != KiCurrentThread();
    }
    return Postponed;
}

/* --- dirty pages -------------------------------------------------------------------------------------------------------- */

/* The next dirty page from *Page on: a share of it, so that it stays while it is written. */
static BOOLEAN MiNextDirty(PMM_SEGMENT Segment, ULONG64 *Page, ULONG64 Last, PFN_NUMBER *Frame, BOOLEAN *Wait)
{
    BOOLEAN Found = FALSE;
    MiLockSegment(Segment);
    for (; *Page <= Last && *Page < Segment->PageCount && !Found; ++*Page) {
        MI_PTE *Prototype = MiFindPrototype(Segment, *Page);
        if (Prototype == NULL || !(*Prototype & MI_PTE_DIRTY) || MiPostpone(Segment, *Page, Wait))
            continue;
        Found = MiSharePrototype(Prototype, Frame);
        if (Segment->SystemViews == 0) /* else it may be written to again unseen */
            MiUnpinPrototype(Prototype, *Frame);
    }
    MiUnlockSegment(Segment);
    return Found;
}

/* The page could not be written: it is dirty still. */
static VOID MiSetDirty(PMM_SEGMENT Segment, ULONG64 Page, PFN_NUMBER Frame)
{
    MiLockSegment(Segment);
    MiPinPrototype(MiFindPrototype(Segment, Page), Frame, MI_PTE_DIRTY);
    MiUnlockSegment(Segment);
}

/* *Wait: a page was left dirty because of another thread's request. */
static NTSTATUS MiFlushPages(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, BOOLEAN *Wait,
                             PIO_STATUS_BLOCK Iosb)
{
    ULONG64 Page = Offset >> PAGE_SHIFT, Last = (Offset + Length - 1) >> PAGE_SHIFT;
    PFN_NUMBER Frame;

    *Wait = FALSE;
    *Iosb = (IO_STATUS_BLOCK){.Status = STATUS_SUCCESS};
    while (Segment->Kind == MmSegmentFile && Length != 0 && NT_SUCCESS(Iosb->Status) &&
           MiNextDirty(Segment, &Page, Last, &Frame, Wait)) {
        ULONG64 At = (Page - 1) << PAGE_SHIFT, Left = Segment->Size - At;
        ULONG_PTR Done = 0;
        if (!MiWatchWrites(Segment, Page - 1, Frame))
            MiSetDirty(Segment, Page - 1, Frame);
        Iosb->Status = MmUpcalls->TransferPages(Segment->File, At, MmDirectMap(Frame << PAGE_SHIFT),
                                                Left < PAGE_SIZE ? (ULONG)Left : PAGE_SIZE, TRUE, &Done);
        Iosb->Information += Done;
        if (!NT_SUCCESS(Iosb->Status))
            MiSetDirty(Segment, Page - 1, Frame);
        MiReleaseFrame(Frame);
    }
    return Iosb->Status;
}

/* Who waits for a request's end. It lies on his stack. */
typedef struct _MI_WRITE_WAITER {
    LIST_ENTRY Entry; /* (Lock) */
    KEVENT Ended;
} MI_WRITE_WAITER;

static MM_REQUEST_WRITE *MiFindPostponing(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length)
{
    MM_REQUEST_WRITE *Write = MiNextWrite(Segment, Segment->Writes.Flink, Offset, Length);
    while (Write != NULL && (!Write->Postponed || Write->Thread == KiCurrentThread()))
        Write = MiNextWrite(Segment, Write->Entry.Flink, Offset, Length);
    return Write;
}

/* Asked when a page was left dirty. FALSE: it was waited for long enough. */
static BOOLEAN MiWaitForWrite(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PLARGE_INTEGER Timeout)
{
    MI_WRITE_WAITER Waiter;

    KeInitializeEvent(&Waiter.Ended, NotificationEvent, FALSE);
    MiLockSegment(Segment);
    MM_REQUEST_WRITE *Write = MiFindPostponing(Segment, Offset, Length);
    if (Write != NULL)
        InsertTailList(&Write->Waiters, &Waiter.Entry);
    MiUnlockSegment(Segment);
    if (Write == NULL)
        return TRUE; /* they have ended already */
    if (KeWaitForSingleObject(&Waiter.Ended, Executive, KernelMode, FALSE, Timeout) == STATUS_SUCCESS)
        return TRUE;
    MiLockSegment(Segment);
    BOOLEAN Ended = KeReadStateEvent(&Waiter.Ended) != 0; /* just now: the entry is in no list */
    if (!Ended)
        RemoveEntryList(&Waiter.Entry);
    MiUnlockSegment(Segment);
    return Ended;
}

NTSTATUS MmFlushSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PLARGE_INTEGER Timeout,
                        PIO_STATUS_BLOCK Iosb)
{
    ULONG64 First = Offset & ~(ULONG64)PAGE_MASK;
    ULONG64 Span = Length != 0 ? ((Offset + Length + PAGE_MASK) & ~(ULONG64)PAGE_MASK) - First : 0;

    BOOLEAN Wait;

    do {
        *Iosb = (IO_STATUS_BLOCK){.Status = STATUS_SUCCESS};
        if (!MiEnterFlush(Segment))
            return STATUS_SUCCESS;
        (void)MiFlushPages(Segment, Offset, Length, &Wait, Iosb);
        MiLeaveFlush(Segment);
    } while (NT_SUCCESS(Iosb->Status) && Wait && MiWaitForWrite(Segment, First, Span, Timeout));
    return Iosb->Status;
}

/* --- what requests write ------------------------------------------------------------------------------------------------ */

static BOOLEAN MiShareIfThere(PMM_SEGMENT Segment, ULONG64 Page, PFN_NUMBER *Frame)
{
    MiLockSegment(Segment);
    MI_PTE *Prototype = MiFindPrototype(Segment, Page);
    BOOLEAN Shared = Prototype != NULL && MiSharePrototype(Prototype, Frame);
    MiUnlockSegment(Segment);
    return Shared;
}

/* Bytes [From, To) go from what was read to the page, unless that is old. */
static BOOLEAN MiCopyIfCurrent(PMM_SEGMENT Segment, MI_FILE_READ *Read, PFN_NUMBER Target, PFN_NUMBER Source,
                               ULONG From, ULONG To)
{
    MiLockSegment(Segment);
    BOOLEAN Current = MiEndFileRead(Read);
    if (Current)
        RtlCopyMemory((PUCHAR)MmDirectMap(Target << PAGE_SHIFT) + From,
                      (PUCHAR)MmDirectMap(Source << PAGE_SHIFT) + From, To - From);
    MiUnlockSegment(Segment);
    return Current;
}

/* Bytes [From, To) of the page. What views write beside them at the same time is theirs. Each turn but the first means that another
 * request's write to the page has ended meanwhile. */
static NTSTATUS MiRefreshPage(PMM_SEGMENT Segment, ULONG64 Page, ULONG From, ULONG To, PFN_NUMBER Frame)
{
    PFN_NUMBER New = MmAllocatePhysicalPage(FALSE);
    MI_FILE_READ Read;
    NTSTATUS Status;

    if (New == MM_NO_PAGE)
        return STATUS_NO_MEMORY;
    do {
        MiBeginFileRead(Segment, Page, &Read);
        Status = MiReadFilePage(Segment, Segment->Size, Page, New);
    } while (!MiCopyIfCurrent(Segment, &Read, Frame, New, From, NT_SUCCESS(Status) ? To : From));
    MiReleaseFrame(New);
    return Status;
}

static NTSTATUS MiRefresh(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 End = min(Offset + Length, Segment->Size), Next;
    PFN_NUMBER Frame;

    for (; NT_SUCCESS(Status) && Offset < End; Offset = Next) {
        ULONG64 Page = Offset >> PAGE_SHIFT;
        Next = min((Page + 1) << PAGE_SHIFT, End);
        if (!MiShareIfThere(Segment, Page, &Frame))
            continue;
        Status = MiRefreshPage(Segment, Page, (ULONG)(Offset - (Page << PAGE_SHIFT)),
                               (ULONG)(Next - (Page << PAGE_SHIFT)), Frame);
        MiReleaseFrame(Frame);
    }
    return Status;
}

VOID MmBeginRequestWrite(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, MM_REQUEST_WRITE *Write)
{
    *Write = (MM_REQUEST_WRITE){.Offset = Offset, .Length = Length, .Thread = KiCurrentThread()};
    InitializeListHead(&Write->Waiters);
    BOOLEAN Began = MiEnterFlush(Segment);
    MiLockSegment(Segment);
    InsertTailList(&Segment->Writes, &Write->Entry);
    MiUnlockSegment(Segment);
    if (Began)
        MiLeaveFlush(Segment);
}

/* TRUE: a page of it is to be flushed now. */
static BOOLEAN MiLeaveWrites(PMM_SEGMENT Segment, MM_REQUEST_WRITE *Write)
{
    MiLockSegment(Segment);
    RemoveEntryList(&Write->Entry);
    while (!IsListEmpty(&Write->Waiters)) {
        MI_WRITE_WAITER *Waiter = CONTAINING_RECORD(RemoveHeadList(&Write->Waiters), MI_WRITE_WAITER, Entry);
        KeSetEvent(&Waiter->Ended, IO_NO_INCREMENT, FALSE);
    }
    MiUnlockSegment(Segment);
    return Write->Postponed;
}

VOID MmEndRequestWrite(PMM_SEGMENT Segment, MM_REQUEST_WRITE *Write, BOOLEAN Ended)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER AtOnce = {.QuadPart = 0};

    if (Ended) {
        MiLockSegment(Segment);
        MiMakeReadsOld(Segment, Write->Offset >> PAGE_SHIFT,
                       (Write->Offset + Write->Length - 1) >> PAGE_SHIFT);
        MiUnlockSegment(Segment);
        (void)MiRefresh(Segment, Write->Offset, Write->Length);
    }
    if (MiLeaveWrites(Segment, Write))
        (void)MmFlushSegment(Segment, Write->Offset, Write->Length, &AtOnce, &Iosb);
}

/* SPDX-License-Identifier: MIT
 * Segments: their prototype entries, and where their pages come from. */
#include "mm/segment.h"
#include "mm/pfn.h"
#include "ke.h"

const MM_UPCALLS *MmUpcalls;

VOID MiLockSegment(PMM_SEGMENT Segment)
{
    MiAcquire(&Segment->Lock);
}

VOID MiUnlockSegment(PMM_SEGMENT Segment)
{
    MiRelinquish(&Segment->Lock);
}

/* --- prototype entries; the segment is locked --- */

MI_PTE *MiFindPrototype(PMM_SEGMENT Segment, ULONG64 Page)
{
    MI_PTE *Table = Segment->Tables[Page / MI_PROTOTYPES_PER_TABLE];
    return Table != NULL ? &Table[Page % MI_PROTOTYPES_PER_TABLE] : NULL;
}

static MI_PTE *MiMakeTable(PMM_SEGMENT Segment)
{
    PFN_NUMBER Frame = MmAllocatePhysicalPage(TRUE);
    if (Frame == MM_NO_PAGE)
        return NULL;
    MI_PTE *Table = MmDirectMap(Frame << PAGE_SHIFT);
    MiCountCommit(1);
    for (ULONG I = 0; Segment->Reserved && I < MI_PROTOTYPES_PER_TABLE; I++)
        Table[I] = MI_PTE_DECOMMITTED;
    return Table;
}

MI_PTE *MiMakePrototype(PMM_SEGMENT Segment, ULONG64 Page)
{
    MI_PTE **Table = &Segment->Tables[Page / MI_PROTOTYPES_PER_TABLE];
    if (*Table == NULL)
        *Table = MiMakeTable(Segment);
    return *Table != NULL ? &(*Table)[Page % MI_PROTOTYPES_PER_TABLE] : NULL;
}

static MI_PTE MiReadPrototype(PMM_SEGMENT Segment, ULONG64 Page)
{
    MiLockSegment(Segment);
    const MI_PTE *Prototype = MiFindPrototype(Segment, Page);
    MI_PTE Value = Prototype != NULL ? *Prototype : Segment->Reserved ? MI_PTE_DECOMMITTED : 0;
    MiUnlockSegment(Segment);
    return Value;
}

BOOLEAN MiSegmentIsCommitted(PMM_SEGMENT Segment, ULONG64 Page)
{
    return !Segment->Reserved || !(MiReadPrototype(Segment, Page) & MI_PTE_DECOMMITTED);
}

BOOLEAN MiSegmentIsImage(PMM_SEGMENT Segment)
{
    return Segment->Kind == MmSegmentImage;
}

MI_ACCESS MiSegmentRights(PMM_SEGMENT Segment, ULONG64 Page)
{
    return MiRightsOf(MiReadPrototype(Segment, Page));
}

BOOLEAN MiSegmentPermits(PMM_SEGMENT Segment, MI_ACCESS Most, MI_ACCESS Rights)
{
    if (Segment->Kind == MmSegmentPhysical && (Rights & MI_USER_COPY))
        return FALSE;
    return MiRightsPermit(Most, Rights);
}

ULONG64 MiSegmentRun(PMM_SEGMENT Segment, ULONG64 Page, ULONG64 Most)
{
    ULONG64 End = min(Page + Most, Segment->PageCount), At = Page;
    if (Segment->Kind == MmSegmentImage)
        return 1;
    if (!Segment->Reserved)
        return Most;
    MiLockSegment(Segment);
    while (At < End && MiFindPrototype(Segment, At) == NULL)
        At = (At | (MI_PROTOTYPES_PER_TABLE - 1)) + 1;
    MiUnlockSegment(Segment);
    return At > Page ? min(At - Page, Most) : 1;
}

/* --- pages --- */

/* Pages of files are kept; what only memory has stays with the segment. */
VOID MiSetPrototype(PMM_SEGMENT Segment, MI_PTE *Prototype, PFN_NUMBER Frame)
{
    MI_PTE Absent = *Prototype, Present = Absent | ((MI_PTE)Frame << PAGE_SHIFT) | MI_PTE_PRESENT;
    if (Segment->Kind == MmSegmentPageFile) {
        MiShareFrame(Frame);
        MiWritePte(Prototype, Present | MI_PTE_OWNS);
    } else {
        MiWritePte(Prototype, Present);
        MiKeepFrame(Frame, Prototype, Absent);
    }
}

BOOLEAN MiSharePrototype(MI_PTE *Prototype, PFN_NUMBER *Frame)
{
    MI_PTE Value = MiReadPte(Prototype);
    *Frame = MiFrameOf(Value);
    if (!(Value & MI_PTE_PRESENT))
        return FALSE;
    if (!(Value & MI_PTE_OWNS))
        return MiReviveFrame(*Frame, Prototype);
    MiShareFrame(*Frame);
    return TRUE;
}

VOID MiPinPrototype(MI_PTE *Prototype, PFN_NUMBER Frame, MI_PTE Also)
{
    if (!(*Prototype & MI_PTE_OWNS)) {
        BOOLEAN Kept = MiForgetFrame(Frame, Prototype);
        NT_CHECK(Kept);
        (void)Kept;
        MiShareFrame(Frame);
    }
    MiWritePte(Prototype, *Prototype | MI_PTE_OWNS | Also);
}

VOID MiUnpinPrototype(MI_PTE *Prototype, PFN_NUMBER Frame)
{
    MI_PTE Clean = *Prototype & ~(MI_PTE_DIRTY | MI_PTE_OWNS);
    MiWritePte(Prototype, Clean);
    MiKeepFrame(Frame, Prototype, Clean & ~(MI_PTE_FRAME | MI_PTE_PRESENT));
    MiReleaseFrame(Frame);
}

static NTSTATUS MiFrameLocked(PMM_SEGMENT Segment, ULONG64 Page, MI_FRAME_USE Use, PFN_NUMBER *Frame)
{
    MI_PTE *Prototype = MiMakePrototype(Segment, Page);
    if (Prototype == NULL)
        return STATUS_NO_MEMORY;
    if (!MiSharePrototype(Prototype, Frame)) {
        if (Segment->Kind == MmSegmentFile || (*Prototype & MI_PTE_FILE))
            return STATUS_RETRY;
        *Frame = MmAllocatePhysicalPage(TRUE);
        if (*Frame == MM_NO_PAGE)
            return STATUS_NO_MEMORY;
        MiSetPrototype(Segment, Prototype, *Frame);
    }
    if (Use != MiFrameToRead)
        MiPinPrototype(Prototype, *Frame, Use == MiFrameToWrite ? MI_PTE_DIRTY : 0);
    return STATUS_SUCCESS;
}

NTSTATUS MiSegmentFrame(PMM_SEGMENT Segment, ULONG64 Page, MI_FRAME_USE Use, PFN_NUMBER *Frame)
{
    if (Page >= Segment->PageCount) /* the view is longer than the section */
        return STATUS_ACCESS_VIOLATION;
    if (Segment->Kind == MmSegmentPhysical) {
        *Frame = Page;
        return STATUS_SUCCESS;
    }
    MiLockSegment(Segment);
    NTSTATUS Status = MiFrameLocked(Segment, Page, Use, Frame);
    MiUnlockSegment(Segment);
    return Status;
}

VOID MiReleaseSegmentFrame(PMM_SEGMENT Segment, PFN_NUMBER Frame)
{
    if (Segment->Kind != MmSegmentPhysical)
        MiReleaseFrame(Frame);
}

/* What the page has of the file when the segment has Size bytes. Behind it there are zeroes. */
static ULONG_PTR MiFileBytesOf(PMM_SEGMENT Segment, ULONG64 Size, ULONG64 Page)
{
    ULONG64 Left = Size - (Page << PAGE_SHIFT);

    if (Segment->ImagePages != NULL)
        return Segment->ImagePages[Page].FileBytes;
    return Left < PAGE_SIZE ? Left : PAGE_SIZE;
}

/* STATUS_RETRY means something else to who asks for pages. */
static NTSTATUS MiStatusOfRead(NTSTATUS Status, BOOLEAN Whole)
{
    if (Status == STATUS_RETRY)
        return STATUS_UNEXPECTED_IO_ERROR;
    return NT_SUCCESS(Status) && !Whole ? STATUS_END_OF_FILE : Status; /* the file is shorter than it was */
}

NTSTATUS MiReadFilePage(PMM_SEGMENT Segment, ULONG64 Size, ULONG64 Page, PFN_NUMBER Frame)
{
    PUCHAR Data = MmDirectMap(Frame << PAGE_SHIFT);
    const MM_IMAGE_PAGE *Image = Segment->ImagePages != NULL ? &Segment->ImagePages[Page] : NULL;
    ULONG64 Offset = Image != NULL ? Image->FileOffset : Page << PAGE_SHIFT;
    ULONG_PTR Done = 0, Wanted = MiFileBytesOf(Segment, Size, Page);
    NTSTATUS Status = MmUpcalls->TransferPages(Segment->File, Offset, Data, PAGE_SIZE, FALSE, &Done);
    if (Status == STATUS_END_OF_FILE)
        Status = STATUS_SUCCESS;
    Status = MiStatusOfRead(Status, Done >= Wanted);
    if (NT_SUCCESS(Status))
        RtlZeroMemory(Data + Wanted, PAGE_SIZE - Wanted);
    return Status;
}

VOID MiBeginFileRead(PMM_SEGMENT Segment, ULONG64 Page, MI_FILE_READ *Read)
{
    Read->Page = Page;
    Read->Old = FALSE;
    MiLockSegment(Segment);
    InsertTailList(&Segment->Reads, &Read->Entry);
    MiUnlockSegment(Segment);
}

BOOLEAN MiEndFileRead(MI_FILE_READ *Read)
{
    RemoveEntryList(&Read->Entry);
    return !Read->Old;
}

VOID MiMakeReadsOld(PMM_SEGMENT Segment, ULONG64 First, ULONG64 Last)
{
    for (PLIST_ENTRY Entry = Segment->Reads.Flink; Entry != &Segment->Reads; Entry = Entry->Flink) {
        MI_FILE_READ *Read = CONTAINING_RECORD(Entry, MI_FILE_READ, Entry);
        Read->Old |= First <= Read->Page && Read->Page <= Last;
    }
}

/* Two may read the same page: the first one's counts. The page is kept, but nobody's when this returns: it is there for the one who asks
 * next. What the file was before a request's write is not kept: who asks next reads it again. */
NTSTATUS MiReadSegmentPage(PMM_SEGMENT Segment, ULONG64 Page)
{
    MI_FILE_READ Read;
    PFN_NUMBER Frame = MmAllocatePhysicalPage(FALSE);
    if (Frame == MM_NO_PAGE)
        return STATUS_NO_MEMORY;
    MiBeginFileRead(Segment, Page, &Read);
    NTSTATUS Status = MiReadFilePage(Segment, Segment->Size, Page, Frame);
    MiLockSegment(Segment);
    MI_PTE *Prototype = MiEndFileRead(&Read) && NT_SUCCESS(Status) ? MiFindPrototype(Segment, Page) : NULL;
    if (Prototype != NULL && !(MiReadPte(Prototype) & MI_PTE_PRESENT))
        MiSetPrototype(Segment, Prototype, Frame);
    MiUnlockSegment(Segment);
    MiReleaseFrame(Frame);
    return Status;
}

NTSTATUS MmReadSegmentPage(PMM_SEGMENT Segment, ULONG64 Page, PVOID Data)
{
    PFN_NUMBER Frame;
    NTSTATUS Status;
    while ((Status = MiSegmentFrame(Segment, Page, MiFrameToRead, &Frame)) == STATUS_RETRY) {
        Status = MiReadSegmentPage(Segment, Page);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Data, MmDirectMap(Frame << PAGE_SHIFT), PAGE_SIZE);
    MiReleaseSegmentFrame(Segment, Frame);
    return STATUS_SUCCESS;
}

/* *Tables: those that are missing. */
static ULONG64 MiCountUncommitted(PMM_SEGMENT Segment, ULONG64 First, ULONG64 Last, ULONG64 *Tables)
{
    ULONG64 Count = 0, End;
    *Tables = 0;
    for (ULONG64 Page = First; Page <= Last; Page = End) {
        const MI_PTE *Prototype = MiFindPrototype(Segment, Page);
        End = Page + 1;
        if (Prototype != NULL) {
            Count += (*Prototype & MI_PTE_DECOMMITTED) != 0;
            continue;
        }
        End = min(Page | (MI_PROTOTYPES_PER_TABLE - 1), Last) + 1;
        Count += End - Page;
        ++*Tables;
    }
    return Count;
}

static BOOLEAN MiMakePrototypes(PMM_SEGMENT Segment, ULONG64 First, ULONG64 Last)
{
    for (ULONG64 Page = First; Page <= Last; Page = (Page | (MI_PROTOTYPES_PER_TABLE - 1)) + 1)
        if (MiMakePrototype(Segment, Page) == NULL)
            return FALSE;
    return TRUE;
}

/* Charged before anything is made. A table counts by itself once it is there. */
static NTSTATUS MiCommitLocked(PMM_SEGMENT Segment, ULONG64 First, ULONG64 Last)
{
    ULONG64 Tables, Missing = MiCountUncommitted(Segment, First, Last, &Tables);
    if (!MiChargeCommit(Missing + Tables))
        return STATUS_COMMITMENT_LIMIT;
    BOOLEAN Made = MiMakePrototypes(Segment, First, Last);
    MiReturnCommit(Made ? Tables : Missing + Tables);
    if (!Made)
        return STATUS_NO_MEMORY;
    Segment->Charged += Missing;
    for (ULONG64 Page = First; Page <= Last; Page++) {
        MI_PTE *Prototype = MiFindPrototype(Segment, Page);
        MiWritePte(Prototype, *Prototype & ~MI_PTE_DECOMMITTED);
    }
    return STATUS_SUCCESS;
}

NTSTATUS MiCommitSegment(PMM_SEGMENT Segment, ULONG64 First, ULONG64 Last)
{
    if (Last >= Segment->PageCount)
        return STATUS_CONFLICTING_ADDRESSES;
    MiLockSegment(Segment);
    NTSTATUS Status = MiCommitLocked(Segment, First, Last);
    MiUnlockSegment(Segment);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Views of segments in the user half. [WDK ZwMapViewOfSection, ZwUnmapViewOfSection] */
#include "ke.h"
#include "mm/pfn.h"
#include "mm/segment.h"
#include "mm/virtual.h"

#define MI_VIEW_TYPES (MEM_TOP_DOWN | MEM_RESERVE)

/* Now, or when its protection is changed. */
static BOOLEAN MiWritesThrough(const MI_VAD *Vad)
{
    return (Vad->Most & MI_USER_WRITE) && !((Vad->Most | Vad->AllocationRights) & MI_USER_COPY);
}

static VOID MiCountView(PMM_SEGMENT Segment, const MI_VAD *Vad, LONG Change)
{
    InterlockedExchangeAdd(&Segment->UserViews, Change);
    if (MiWritesThrough(Vad))
        InterlockedExchangeAdd(&Segment->WritableUserViews, Change);
}

VOID MiReleaseView(PMM_SEGMENT Segment, const MI_VAD *Vad)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER AtOnce = {.QuadPart = 0};

    MiCountView(Segment, Vad, -1);
    if (Segment->Kind == MmSegmentFile && MiWritesThrough(Vad))
        (void)MmFlushSegment(Segment, Vad->SegmentPage << PAGE_SHIFT,
                             (Vad->Node.Last - Vad->Node.First + 1) << PAGE_SHIFT, &AtOnce, &Iosb);
    MmReleaseSegment(Segment);
}

VOID MiLockViews(PMM_SEGMENT Segment)
{
    MiAcquire(&Segment->ViewLock);
}

VOID MiUnlockViews(PMM_SEGMENT Segment)
{
    MiRelinquish(&Segment->ViewLock);
}

/* Views and the space locked. */
static VOID MiListView(MI_VAD *Vad)
{
    if (Vad->Segment->Kind == MmSegmentFile && MiWritesThrough(Vad))
        InsertTailList(&Vad->Segment->Views, &Vad->ViewEntry);
    else
        InitializeListHead(&Vad->ViewEntry);
}

VOID MiTakeUserView(PMM_ADDRESS_SPACE Space, MI_VAD *Vad)
{
    MiClearRange(Space, Vad->Node.First, Vad->Node.Last, MiClearToZero);
    MiReturnSpace(Space, Vad, Vad->Charged);
    RemoveEntryList(&Vad->ViewEntry);
}

/* The page's entry in the view does not permit writing any more; all processors know. */
static VOID MiStopWrites(const MI_VAD *Vad, ULONG64 SegmentPage, PFN_NUMBER Frame)
{
    ULONG64 Next, Page = Vad->Node.First + (SegmentPage - Vad->SegmentPage);

    if (SegmentPage < Vad->SegmentPage || Page > Vad->Node.Last)
        return;
    MiLockSpace(Vad->Space);
    MI_PTE *Pte = MiFindUserPte(Vad->Space, Page, &Next);
    if (Pte != NULL && (*Pte & MI_PTE_PRESENT) && !(*Pte & MI_PTE_OWNS) && MiFrameOf(*Pte) == Frame) {
        MiWritePte(Pte, *Pte & ~(MI_PTE_WRITE | MI_PTE_DIRTY));
        MiFlushTlbRange(Page << PAGE_SHIFT, 1);
    }
    MiUnlockSpace(Vad->Space);
}

/* Asked when the page is clean already: a view that came after that has its first write seen, one that has gone writes no more. Pages that
 * an MDL locks may be written by a device; they are locked with the space locked. */
BOOLEAN MiWatchWrites(PMM_SEGMENT Segment, ULONG64 SegmentPage, PFN_NUMBER Frame)
{
    MiLockViews(Segment);
    for (PLIST_ENTRY Entry = Segment->Views.Flink; Entry != &Segment->Views; Entry = Entry->Flink)
        MiStopWrites(CONTAINING_RECORD(Entry, MI_VAD, ViewEntry), SegmentPage, Frame);
    MiUnlockViews(Segment);
    return Segment->SystemViews == 0 && MiWordLocks(MiPfnOf(Frame)->Word) == 0;
}

/* What the view shows: from Offset, Size bytes; checked against the segment. */
static NTSTATUS MiFitView(PMM_SEGMENT Segment, MM_VIEW *View)
{
    ULONG64 Low = View->Offset & (MM_GRANULARITY - 1);
    ULONG64 Size = Segment->Kind == MmSegmentImage ? Segment->Size : View->SectionSize;

    if (View->Base > (ULONG_PTR)MmHighestUserAddress)
        return STATUS_INVALID_PARAMETER_3;
    if (View->Size > (ULONG_PTR)MmHighestUserAddress)
        return STATUS_INVALID_VIEW_SIZE;
    if (View->Offset >= Size)
        return STATUS_INVALID_VIEW_SIZE;
    if (View->Size > Size - View->Offset && BYTES_TO_PAGES(View->Offset + View->Size) > BYTES_TO_PAGES(Size))
        return STATUS_INVALID_VIEW_SIZE;
    /* [WDK ZwMapViewOfSection] says that both are rounded down to 64 KiB; Windows does so with the offset, and only when no base is given
     * (Wine's test program of ntdll's virtual memory, which is kept true there) */
    if (View->Base != 0 &&
        (((View->Base | View->Offset) & (MM_GRANULARITY - 1)) != 0 || View->Base < MM_USER_LOWEST))
        return STATUS_MAPPED_ALIGNMENT;
    View->Size = (View->Size == 0 ? Size - View->Offset : View->Size) + Low;
    if (View->Size > (ULONG_PTR)MmHighestUserAddress + 1 - View->Base)
        return STATUS_INVALID_VIEW_SIZE;
    View->Offset -= Low;
    return STATUS_SUCCESS;
}

static NTSTATUS MiCheckView(PMM_SEGMENT Segment, const MM_VIEW *View, MI_ACCESS *Rights, MI_ACCESS *Most,
                            ULONG64 *HighestPage)
{
    if (!MiHighestPageFor(View->Base, View->ZeroBits, HighestPage))
        return STATUS_INVALID_PARAMETER_4;
    if ((View->Type & ~(ULONG)MI_VIEW_TYPES) != 0)
        return (View->Type & ~(ULONG)(MI_VIEW_TYPES | MEM_LARGE_PAGES)) != 0 ? STATUS_INVALID_PARAMETER_9
                                                                             : STATUS_NOT_SUPPORTED;
    if (!MiRightsFromPage(View->Protect, Rights) || !MiRightsFromPage(View->SectionProtect, Most))
        return STATUS_INVALID_PAGE_PROTECTION;
    if ((*Rights & (MI_USER_NO_CACHE | MI_USER_COMBINE)) && Segment->Kind != MmSegmentPhysical)
        return STATUS_NOT_SUPPORTED; /* deviation D-120 */
    /* [WDK ZwMapViewOfSection] an image's pages have the protection of its sections, whatever is asked for */
    if (Segment->Kind == MmSegmentImage)
        *Rights = *Most = Segment->Rights;
    return MiSegmentPermits(Segment, *Most, *Rights) ? STATUS_SUCCESS : STATUS_SECTION_PROTECTION;
}

/* Pages that may be written for oneself alone may need as much memory. */
static NTSTATUS MiChargeView(PMM_ADDRESS_SPACE Space, MI_VAD *Vad)
{
    SIZE_T Pages = 0;
    if (Vad->Segment->Kind == MmSegmentImage) {
        for (ULONG64 Page = 0; Page < Vad->Segment->PageCount; Page++)
            Pages += (MiSegmentRights(Vad->Segment, Page) & MI_USER_COPY) != 0;
    } else if (Vad->AllocationRights & MI_USER_COPY) {
        Pages = Vad->Node.Last - Vad->Node.First + 1;
    }
    return MiChargeSpace(Space, Vad, Pages);
}

static NTSTATUS MiPlaceView(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, const MM_VIEW *View, ULONG64 HighestPage)
{
    NTSTATUS Status = MiPlaceVad(Space, Vad, View->Base, BYTES_TO_PAGES(View->Size), HighestPage,
                                 (View->Type & MEM_TOP_DOWN) != 0);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MiChargeView(Space, Vad);
    if (NT_SUCCESS(Status) && View->Commit != 0 && Vad->Segment->Reserved)
        Status = MiCommitSegment(Vad->Segment, Vad->SegmentPage,
                                 Vad->SegmentPage + BYTES_TO_PAGES(View->Commit) - 1);
    if (!NT_SUCCESS(Status)) {
        MiReturnSpace(Space, Vad, Vad->Charged);
        MiRemoveVad(Space, Vad);
    }
    return Status;
}

NTSTATUS MmMapView(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, MM_VIEW *View)
{
    MI_ACCESS Rights, Most;
    ULONG64 HighestPage;
    NTSTATUS Status = MiCheckView(Segment, View, &Rights, &Most, &HighestPage);

    if (NT_SUCCESS(Status))
        Status = MiFitView(Segment, View);
    if (!NT_SUCCESS(Status))
        return Status;
    MI_VAD *Vad = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Vad), MI_TAG_VAD);
    if (Vad == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Vad->Kind = MiVadView;
    Vad->Segment = Segment;
    Vad->Space = Space;
    Vad->SegmentPage = View->Offset >> PAGE_SHIFT;
    Vad->AllocationRights = Vad->Rights = Rights;
    Vad->Most = Most;
    Vad->NoChange = View->NoChange;
    MiLockViews(Segment);
    MiLockSpace(Space);
    Status = MiPlaceView(Space, Vad, View, HighestPage);
    if (NT_SUCCESS(Status)) {
        MmReferenceSegment(Segment);
        MiCountView(Segment, Vad, 1);
        MiListView(Vad);
        View->Base = Vad->Node.First << PAGE_SHIFT;
        View->Size = (Vad->Node.Last - Vad->Node.First + 1) << PAGE_SHIFT;
    }
    MiUnlockSpace(Space);
    MiUnlockViews(Segment);
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(Vad, MI_TAG_VAD);
    return Status;
}

/* The view of that segment at Address goes out of the space. */
static NTSTATUS MiUnmapLocked(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, ULONG_PTR Address, MI_VAD **Gone)
{
    MI_VAD *Vad = MiFindVad(Space, Address >> PAGE_SHIFT);
    if (Vad == NULL || Vad->Kind != MiVadView || Vad->Segment != Segment)
        return STATUS_NOT_MAPPED_VIEW; /* somebody was faster */
    if (MiSecuredAgainst(Space, Vad, Vad->Node.First, Vad->Node.Last, 0))
        return STATUS_INVALID_PAGE_PROTECTION;
    MiTakeUserView(Space, Vad);
    MiRemoveVad(Space, Vad);
    *Gone = Vad;
    return STATUS_SUCCESS;
}

/* [WDK ZwUnmapViewOfSection] any address inside the view; all of it goes. */
NTSTATUS MmUnmapView(PMM_ADDRESS_SPACE Space, ULONG_PTR Address)
{
    MM_VIEW View;
    MI_VAD *Gone = NULL;
    PMM_SEGMENT Segment = MmReferenceSegmentAt(Space, Address, &View);

    if (Segment == NULL)
        return STATUS_NOT_MAPPED_VIEW;
    MiLockViews(Segment);
    MiLockSpace(Space);
    NTSTATUS Status = MiUnmapLocked(Space, Segment, Address, &Gone);
    MiUnlockSpace(Space);
    MiUnlockViews(Segment);
    if (Gone != NULL) {
        MiReleaseView(Segment, Gone);
        ExFreePoolWithTag(Gone, MI_TAG_VAD);
    }
    MmReleaseSegment(Segment);
    return Status;
}

static NTSTATUS MiReplaceLocked(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, ULONG64 Page, const VOID *Data)
{
    MI_VAD *Vad = MiFindVad(Space, Page);
    if (Vad == NULL || Vad->Kind != MiVadView || Vad->Segment != Segment)
        return STATUS_CONFLICTING_ADDRESSES; /* another thread has unmapped it meanwhile */
    MI_PTE *Pte = MiMakeUserPte(Space, Page);
    if (Pte == NULL)
        return STATUS_NO_MEMORY;
    MI_ACCESS Rights = MiRightsOfPage(Vad, Page, *Pte);
    if ((Rights & (MI_USER_WRITE | MI_USER_COPY)) == MI_USER_WRITE)
        return STATUS_SUCCESS;
    Rights = MiRightsOfCopy(Rights);
    PFN_NUMBER Frame = MmAllocatePhysicalPage(FALSE);
    if (Frame == MM_NO_PAGE)
        return STATUS_NO_MEMORY;
    MiClearRange(Space, Page, Page, MiClearToZero);
    RtlCopyMemory(MmDirectMap(Frame << PAGE_SHIFT), Data, PAGE_SIZE);
    MiWritePte(Pte, MiUserEntry(Frame, Rights, (Rights & MI_USER_WRITE) != 0) | MI_PTE_OWNS);
    MiCountPage(Space);
    return STATUS_SUCCESS;
}

NTSTATUS MmReplacePage(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, ULONG_PTR Address, const VOID *Data)
{
    MiLockSpace(Space);
    NTSTATUS Status = MiReplaceLocked(Space, Segment, Address >> PAGE_SHIFT, Data);
    MiUnlockSpace(Space);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Views of segments in system space: every page is there from the start, so that they may be touched at any IRQL.
 * [WDK MmMapViewInSystemSpace] */
#include "mm/pfn.h"
#include "mm/segment.h"
#include "ke.h"

#define MI_TAG_SYSTEM_VIEW 'vsMM'

typedef struct _MI_SYSTEM_VIEW {
    LIST_ENTRY Entry; /* MiSystemViewLock */
    ULONG_PTR Base;
    SIZE_T PageCount;
    PMM_SEGMENT Segment; /* referenced */
    ULONG64 FirstPage;
} MI_SYSTEM_VIEW;

static EX_PUSH_LOCK MiSystemViewLock;
static LIST_ENTRY MiSystemViews = {&MiSystemViews, &MiSystemViews};

static VOID MiEnterView(MI_SYSTEM_VIEW *View)
{
    KeEnterGuardedRegion();
    ExAcquirePushLockExclusiveEx(&MiSystemViewLock, 0);
    InsertTailList(&MiSystemViews, &View->Entry);
    ExReleasePushLockExclusiveEx(&MiSystemViewLock, 0);
    KeLeaveGuardedRegion();
}

static MI_SYSTEM_VIEW *MiTakeView(ULONG_PTR Base)
{
    MI_SYSTEM_VIEW *Found = NULL;

    KeEnterGuardedRegion();
    ExAcquirePushLockExclusiveEx(&MiSystemViewLock, 0);
    for (PLIST_ENTRY Entry = MiSystemViews.Flink; Entry != &MiSystemViews && Found == NULL;
         Entry = Entry->Flink)
        if (CONTAINING_RECORD(Entry, MI_SYSTEM_VIEW, Entry)->Base == Base)
            Found = CONTAINING_RECORD(Entry, MI_SYSTEM_VIEW, Entry);
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ExReleasePushLockExclusiveEx(&MiSystemViewLock, 0);
    KeLeaveGuardedRegion();
    return Found;
}

/* The page stays with the segment, which the view keeps. */
static NTSTATUS MiGetFrame(PMM_SEGMENT Segment, ULONG64 Page, BOOLEAN Dirty, PFN_NUMBER *Frame)
{
    MI_FRAME_USE Use = Dirty ? MiFrameToWrite : MiFrameToPin;
    NTSTATUS Status = MiSegmentFrame(Segment, Page, Use, Frame);
    while (Status == STATUS_RETRY) {
        Status = MiReadSegmentPage(Segment, Page);
        if (NT_SUCCESS(Status))
            Status = MiSegmentFrame(Segment, Page, Use, Frame);
    }
    if (NT_SUCCESS(Status))
        MiReleaseSegmentFrame(Segment, *Frame);
    return Status;
}

/* A page of a SEC_RESERVE section that nobody has committed becomes so. */
static NTSTATUS MiFillView(MI_SYSTEM_VIEW *View, BOOLEAN Write)
{
    PMM_SEGMENT Segment = View->Segment;
    NTSTATUS Status = STATUS_SUCCESS;
    MI_PTE Template = MiTemplate(Write ? MmReadWrite : MmReadOnly, MmCached, MiUseView);
    if (Segment->Reserved)
        Status = MiCommitSegment(Segment, View->FirstPage, View->FirstPage + View->PageCount - 1);
    for (SIZE_T I = 0; I < View->PageCount && NT_SUCCESS(Status); I++) {
        PFN_NUMBER Frame;
        Status = MiGetFrame(Segment, View->FirstPage + I, Write, &Frame);
        if (NT_SUCCESS(Status))
            MiWritePte(MiPteOf(View->Base) + I, Template | ((MI_PTE)Frame << PAGE_SHIFT) |
                                                    (I == 0 ? MI_PTE_FIRST : 0) |
                                                    (I == View->PageCount - 1 ? MI_PTE_LAST : 0));
    }
    return Status;
}

static NTSTATUS MiPlaceSystemView(MI_SYSTEM_VIEW *View, BOOLEAN Write, const VOID *Owner)
{
    View->Base = MiReserveOwned(View->PageCount, Owner);
    if (View->Base == 0)
        return STATUS_NO_MEMORY;
    NTSTATUS Status = MiFillView(View, Write);
    if (NT_SUCCESS(Status))
        return Status;
    MiUnmap(View->Base, View->PageCount, MiAbsentFreedMapping);
    MiReleaseOwned(View->Base, View->PageCount);
    return Status;
}

static BOOLEAN MiFits(PMM_SEGMENT Segment, ULONG64 Offset, SIZE_T Size)
{
    ULONG64 Bytes = Segment->PageCount << PAGE_SHIFT;
    return Size != 0 && Offset < Bytes && (Offset & (MM_GRANULARITY - 1)) == 0 && Size <= Bytes - Offset;
}

/* Images and physical memory are not mapped in this way: they have functions of their own. */
NTSTATUS MmMapSystemView(PMM_SEGMENT Segment, ULONG64 Offset, BOOLEAN Write, PVOID *Base, PSIZE_T Size,
                         const VOID *Owner)
{
    if (Segment->Kind == MmSegmentPhysical || Segment->Kind == MmSegmentImage ||
        !MiFits(Segment, Offset, *Size))
        return STATUS_INVALID_VIEW_SIZE;
    MI_SYSTEM_VIEW *View = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*View), MI_TAG_SYSTEM_VIEW);
    if (View == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *View = (MI_SYSTEM_VIEW){
        .PageCount = BYTES_TO_PAGES(*Size), .Segment = Segment, .FirstPage = Offset >> PAGE_SHIFT};
    InterlockedIncrement(&Segment->SystemViews);
    NTSTATUS Status = MiPlaceSystemView(View, Write, Owner);
    if (!NT_SUCCESS(Status)) {
        InterlockedDecrement(&Segment->SystemViews);
        ExFreePoolWithTag(View, MI_TAG_SYSTEM_VIEW);
        return Status;
    }
    MmReferenceSegment(Segment);
    MiEnterView(View);
    *Base = (PVOID)View->Base;
    *Size = View->PageCount << PAGE_SHIFT;
    return STATUS_SUCCESS;
}

NTSTATUS MmUnmapSystemView(PVOID Base)
{
    MI_SYSTEM_VIEW *View = MiTakeView((ULONG_PTR)Base);

    if (View == NULL)
        return STATUS_NOT_MAPPED_VIEW;
    MiFreeOwnedMapping(View->Base, View->PageCount, MiUseView);
    InterlockedDecrement(&View->Segment->SystemViews);
    MmReleaseSegment(View->Segment);
    ExFreePoolWithTag(View, MI_TAG_SYSTEM_VIEW);
    return STATUS_SUCCESS;
}

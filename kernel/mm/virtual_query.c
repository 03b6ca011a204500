/* SPDX-License-Identifier: MIT
 * What lies at an address of the user half. [WDK ZwQueryVirtualMemory] */
#include "mm/segment.h"
#include "mm/user_space.h"
#include "mm/virtual.h"

static PVOID MiBaseOf(const MI_VAD *Vad)
{
    return (PVOID)(Vad->Node.First << PAGE_SHIFT);
}

static SIZE_T MiSizeOf(const MI_VAD *Vad)
{
    return (Vad->Node.Last - Vad->Node.First + 1) << PAGE_SHIFT;
}

static ULONG MiTypeOf(const MI_VAD *Vad)
{
    if (Vad->Kind != MiVadView)
        return MEM_PRIVATE;
    return MiSegmentIsImage(Vad->Segment) ? MEM_IMAGE : MEM_MAPPED;
}

/* The protection of a page, 0 when it is not committed. *Next: the page from which on it may be different. */
static ULONG MiProtectAt(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 Page, ULONG64 *Next)
{
    MI_ACCESS Rights;
    return MiLookAtPage(Space, Vad, Page, &Rights, Next) ? MiPageFromRights(Rights) : 0;
}

static VOID MiQueryFree(PMM_ADDRESS_SPACE Space, ULONG64 Page, MEMORY_BASIC_INFORMATION *Information)
{
    const MI_VAD_NODE *Above = MiVadFindFirst(&Space->Ranges, Page, MI_USER_HIGHEST_PAGE);
    ULONG64 End = Above != NULL ? Above->First : MI_USER_HIGHEST_PAGE + 1;

    Information->RegionSize = (End - Page) << PAGE_SHIFT;
    Information->State = MEM_FREE;
    Information->Protect = PAGE_NOACCESS;
}

static VOID MiQueryRange(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 Page,
                         MEMORY_BASIC_INFORMATION *Information)
{
    ULONG64 Next;
    ULONG Protect = MiProtectAt(Space, Vad, Page, &Next);

    Information->AllocationBase = MiBaseOf(Vad);
    Information->AllocationProtect = MiPageFromRights(Vad->AllocationRights);
    Information->State = Protect != 0 ? MEM_COMMIT : MEM_RESERVE;
    Information->Protect = Protect;
    Information->Type = MiTypeOf(Vad);
    for (ULONG64 At = Next; At <= Vad->Node.Last; At = Next) {
        if (MiProtectAt(Space, Vad, At, &Next) != Protect) {
            Next = At;
            break;
        }
    }
    if (Next > Vad->Node.Last)
        Next = Vad->Node.Last + 1;
    Information->RegionSize = (Next - Page) << PAGE_SHIFT;
}

NTSTATUS MmQueryBasic(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, MEMORY_BASIC_INFORMATION *Information)
{
    ULONG64 Page = Address >> PAGE_SHIFT;

    if (Address > (ULONG_PTR)MmHighestUserAddress)
        return STATUS_INVALID_PARAMETER;
    *Information = (MEMORY_BASIC_INFORMATION){.BaseAddress = (PVOID)(Page << PAGE_SHIFT)};
    MiLockSpace(Space);
    const MI_VAD *Vad = MiFindVad(Space, Page);
    if (Vad == NULL)
        MiQueryFree(Space, Page, Information);
    else
        MiQueryRange(Space, Vad, Page, Information);
    MiUnlockSpace(Space);
    return STATUS_SUCCESS;
}

/* [WDK MEMORY_REGION_INFORMATION] bits of RegionType */
#define MI_REGION_PRIVATE 0x1u
#define MI_REGION_DATA_FILE 0x2u
#define MI_REGION_IMAGE 0x4u
#define MI_REGION_PAGE_FILE 0x8u
#define MI_REGION_PHYSICAL 0x10u

static ULONG MiRegionType(const MI_VAD *Vad)
{
    if (Vad->Kind != MiVadView)
        return MI_REGION_PRIVATE;
    switch ((MM_SEGMENT_KIND)Vad->Segment->Kind) {
    case MmSegmentImage:
        return MI_REGION_IMAGE;
    case MmSegmentFile:
        return MI_REGION_DATA_FILE;
    case MmSegmentPhysical:
        return MI_REGION_PHYSICAL;
    default:
        return MI_REGION_PAGE_FILE;
    }
}

/* The range at Address, the space locked; NULL, and not locked: there is none. */
static const MI_VAD *MiLockRangeAt(PMM_ADDRESS_SPACE Space, ULONG_PTR Address)
{
    if (Address > (ULONG_PTR)MmHighestUserAddress)
        return NULL;
    MiLockSpace(Space);
    const MI_VAD *Vad = MiFindVad(Space, Address >> PAGE_SHIFT);
    if (Vad == NULL)
        MiUnlockSpace(Space);
    return Vad;
}

/* [WDK ZwQueryVirtualMemory] an address that is free: STATUS_INVALID_ADDRESS */
NTSTATUS MmQueryRegion(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, MEMORY_REGION_INFORMATION *Information)
{
    if (Address > (ULONG_PTR)MmHighestUserAddress)
        return STATUS_INVALID_PARAMETER;
    const MI_VAD *Vad = MiLockRangeAt(Space, Address);
    if (Vad == NULL)
        return STATUS_INVALID_ADDRESS;
    *Information = (MEMORY_REGION_INFORMATION){.AllocationBase = MiBaseOf(Vad),
                                               .AllocationProtect = MiPageFromRights(Vad->AllocationRights),
                                               .RegionType = MiRegionType(Vad),
                                               .RegionSize = MiSizeOf(Vad),
                                               .CommitSize = Vad->Charged << PAGE_SHIFT};
    MiUnlockSpace(Space);
    return STATUS_SUCCESS;
}

static ULONG64 MiQueryPageLocked(PMM_ADDRESS_SPACE Space, ULONG_PTR Address)
{
    ULONG64 Next;

    if (Address > (ULONG_PTR)MmHighestUserAddress)
        return 0;
    MI_PTE *Pte = MiFindUserPte(Space, Address >> PAGE_SHIFT, &Next), Value = Pte != NULL ? *Pte : 0;
    if (!(Value & MI_PTE_PRESENT))
        return 0;
    BOOLEAN Shared = !(Value & MI_PTE_OWNS);
    return 1 | 1 << 1 | (ULONG64)MiPageFromRights(MiRightsOf(Value)) << 4 | (ULONG64)Shared << 15 |
           (ULONG64)((Value & MI_PTE_LOCKED) != 0) << 22;
}

VOID MmQueryPages(PMM_ADDRESS_SPACE Space, MEMORY_WORKING_SET_EX_INFORMATION *Pages, ULONG Count)
{
    MiLockSpace(Space);
    for (ULONG I = 0; I < Count; I++) {
        ULONG64 Attributes = MiQueryPageLocked(Space, (ULONG_PTR)Pages[I].VirtualAddress);
        RtlCopyMemory(&Pages[I].VirtualAttributes, &Attributes, sizeof(Attributes));
    }
    MiUnlockSpace(Space);
}

PMM_SEGMENT MmReferenceSegmentAt(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, MM_VIEW *View)
{
    PMM_SEGMENT Segment = NULL;
    const MI_VAD *Vad = MiLockRangeAt(Space, Address);

    if (Vad == NULL)
        return NULL;
    if (Vad->Kind == MiVadView) {
        Segment = Vad->Segment;
        *View = (MM_VIEW){.Base = (ULONG_PTR)MiBaseOf(Vad),
                          .Size = MiSizeOf(Vad),
                          .Offset = Vad->SegmentPage << PAGE_SHIFT};
        MmReferenceSegment(Segment);
    }
    MiUnlockSpace(Space);
    return Segment;
}

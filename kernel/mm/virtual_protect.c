/* SPDX-License-Identifier: MIT
 * Changing what pages permit. [WDK ZwProtectVirtualMemory, VirtualProtect] */
#include "mm/segment.h"
#include "mm/user_space.h"
#include "mm/virtual.h"

/* The entry of a page of its own, which stays whether it may be touched or not. */
static MI_PTE MiEntryWith(MI_PTE Old, MI_ACCESS Rights)
{
    MI_PTE Kept = Old & (MI_PTE_OWNS | MI_PTE_LOCKED | MI_PTE_FRAME);
    if ((Rights & MI_USER_GUARD) || !MiRightsAllow(Rights, FALSE, FALSE))
        return Kept | MI_PTE_SOFT | MiRightsPte(Rights);
    return Kept | MiUserEntry(MiFrameOf(Old), Rights, (Rights & MI_USER_WRITE) != 0);
}

static VOID MiChangeOwn(MI_CLEARED *Cleared, ULONG64 Page, MI_PTE *Pte, MI_ACCESS Rights)
{
    MI_PTE Old = *Pte, New = MiEntryWith(Old, MiRightsOfCopy(Rights));
    MM_SPACE_COUNTERS *Counters = &Cleared->Space->Counters;
    MiWritePte(Pte, New);
    if (Old & MI_PTE_PRESENT)
        MiNoteChanged(Cleared, Page);
    Counters->WorkingSet += ((New & MI_PTE_PRESENT) != 0) - (SIZE_T)((Old & MI_PTE_PRESENT) != 0);
}

/* What a segment shows goes, and comes back by a fault. */
VOID MiChangeRights(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last, MI_ACCESS Rights)
{
    MI_CLEARED Cleared = {.Space = Space};
    ULONG64 Next;
    for (ULONG64 Page = First; Page <= Last; Page++) {
        MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
        if (*Pte & MI_PTE_OWNS)
            MiChangeOwn(&Cleared, Page, Pte, Rights);
        else
            MiClearOne(&Cleared, Page, Pte, MI_PTE_SOFT | MiRightsPte(Rights) | (*Pte & MI_PTE_LOCKED));
    }
    MiFinishCleared(&Cleared);
}

static BOOLEAN MiAllCommitted(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last)
{
    MI_ACCESS Rights;
    ULONG64 Next;
    for (ULONG64 Page = First; Page <= Last; Page = Next)
        if (!MiLookAtPage(Space, Vad, Page, &Rights, &Next))
            return FALSE;
    return TRUE;
}

static BOOLEAN MiHasOtherCacheType(const MI_VAD *Vad, MI_ACCESS Rights)
{
    return (Rights & (MI_USER_NO_CACHE | MI_USER_COMBINE)) != 0 &&
           (Vad->Segment == NULL || Vad->Segment->Kind != MmSegmentPhysical);
}

/* Pages of a view that may now be copied when they are written need as much memory: all of the view is charged, once. */
static NTSTATUS MiChargeCopies(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, MI_ACCESS Rights)
{
    ULONG64 Pages = Vad->Node.Last - Vad->Node.First + 1;
    if (!(Rights & MI_USER_COPY) || Vad->Charged >= Pages)
        return STATUS_SUCCESS;
    return MiChargeSpace(Space, Vad, Pages - Vad->Charged);
}

/* What a range permits to ask for. Writing to an image, or to a view that was mapped to be copied, means copying. */
static NTSTATUS MiRightsFor(const MI_VAD *Vad, MI_ACCESS *Rights)
{
    if (Vad->Kind == MiVadFixed || Vad->NoChange)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (Vad->Kind == MiVadPrivate)
        return *Rights & MI_USER_COPY ? STATUS_INVALID_PAGE_PROTECTION : STATUS_SUCCESS;
    if ((*Rights & MI_USER_WRITE) &&
        (MiSegmentIsImage(Vad->Segment) || (Vad->AllocationRights & MI_USER_COPY)))
        *Rights |= MI_USER_COPY;
    if (MiSegmentIsImage(Vad->Segment))
        return STATUS_SUCCESS;
    return MiSegmentPermits(Vad->Segment, Vad->Most, *Rights) ? STATUS_SUCCESS : STATUS_SECTION_PROTECTION;
}

static NTSTATUS MiProtectLocked(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last, MI_ACCESS Rights,
                                PULONG OldProtect)
{
    MI_VAD *Vad = MiFindVadOver(Space, First, Last);
    ULONG64 Next;
    if (Vad == NULL)
        return STATUS_CONFLICTING_ADDRESSES;
    if (!MiAllCommitted(Space, Vad, First, Last))
        return STATUS_NOT_COMMITTED;
    if (MiHasOtherCacheType(Vad, Rights))
        return STATUS_NOT_SUPPORTED; /* deviation D-120 */
    NTSTATUS Status = MiRightsFor(Vad, &Rights);
    if (NT_SUCCESS(Status) && MiSecuredAgainst(Space, Vad, First, Last, Rights))
        Status = STATUS_INVALID_PAGE_PROTECTION;
    if (NT_SUCCESS(Status))
        Status = MiChargeCopies(Space, Vad, Rights);
    if (NT_SUCCESS(Status))
        Status = MiMakeTables(Space, First, Last);
    if (!NT_SUCCESS(Status))
        return Status;
    *OldProtect = MiPageFromRights(MiRightsOfPage(Vad, First, *MiFindUserPte(Space, First, &Next)));
    MiChangeRights(Space, Vad, First, Last, Rights);
    return STATUS_SUCCESS;
}

NTSTATUS MmProtectVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size, ULONG Protect,
                          PULONG OldProtect)
{
    MI_ACCESS Rights;
    ULONG64 First, Last;

    if (!MiRightsFromPage(Protect, &Rights))
        return STATUS_INVALID_PAGE_PROTECTION;
    if ((ULONG_PTR)*Base > (ULONG_PTR)MmHighestUserAddress)
        return STATUS_INVALID_PARAMETER_2;
    if (!MiPagesOf((ULONG_PTR)*Base, *Size, &First, &Last))
        return STATUS_INVALID_PARAMETER_3;
    MiLockSpace(Space);
    NTSTATUS Status = MiProtectLocked(Space, First, Last, Rights, OldProtect);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        *Base = (PVOID)(First << PAGE_SHIFT);
        *Size = (Last - First + 1) << PAGE_SHIFT;
    }
    return Status;
}

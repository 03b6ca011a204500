/* SPDX-License-Identifier: MIT
 * Reserving and committing private memory. [WDK ZwAllocateVirtualMemory] */
#include "mm/user_space.h"
#include "mm/segment.h"
#include "mm/virtual.h"

#define MI_ALLOCATION_TYPES (MEM_COMMIT | MEM_RESERVE | MEM_RESET | MEM_TOP_DOWN | MEM_RESET_UNDO)

/* What the caller asked for, checked. */
typedef struct _MI_ALLOCATION {
    ULONG_PTR Base;
    SIZE_T Size;
    ULONG Type;
    BOOLEAN TopDown;
    MI_ACCESS Rights;
    ULONG64 HighestPage;
} MI_ALLOCATION;

/* MEM_WRITE_WATCH, MEM_PHYSICAL, MEM_LARGE_PAGES and other cache types are not there (deviation D-120). */
static NTSTATUS MiCheckType(ULONG Type)
{
    ULONG Main = Type & ~(ULONG)MEM_TOP_DOWN;
    if ((Type & ~(ULONG)MI_ALLOCATION_TYPES) != 0)
        return (Type & ~(ULONG)(MI_ALLOCATION_TYPES | MI_MEM_UNSUPPORTED)) != 0 ? STATUS_INVALID_PARAMETER_5
                                                                                : STATUS_NOT_SUPPORTED;
    if (Main == MEM_RESET || Main == MEM_RESET_UNDO)
        return STATUS_SUCCESS;
    return Main != 0 && (Main & ~(ULONG)(MEM_COMMIT | MEM_RESERVE)) == 0 ? STATUS_SUCCESS
                                                                         : STATUS_INVALID_PARAMETER_5;
}

static NTSTATUS MiCheckAllocation(MI_ALLOCATION *Allocation, ULONG_PTR ZeroBits, ULONG Protect)
{
    if (!MiHighestPageFor(Allocation->Base, ZeroBits, &Allocation->HighestPage))
        return STATUS_INVALID_PARAMETER_3;
    NTSTATUS Status = MiCheckType(Allocation->Type);
    if (!NT_SUCCESS(Status))
        return Status;
    /* no page of a private range is copied when it is written */
    if (!MiRightsFromPage(Protect, &Allocation->Rights) || (Allocation->Rights & MI_USER_COPY))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (Allocation->Rights & (MI_USER_NO_CACHE | MI_USER_COMBINE))
        return STATUS_NOT_SUPPORTED;
    if (Allocation->Base > (ULONG_PTR)MmHighestUserAddress)
        return STATUS_INVALID_PARAMETER_2;
    if (Allocation->Size == 0 || Allocation->Size > (ULONG_PTR)MmHighestUserAddress + 1 - Allocation->Base)
        return STATUS_INVALID_PARAMETER_4;
    Allocation->TopDown = (Allocation->Type & MEM_TOP_DOWN) != 0;
    Allocation->Type &= ~(ULONG)MEM_TOP_DOWN;
    if (Allocation->Base == 0 && Allocation->Type == MEM_COMMIT)
        Allocation->Type |= MEM_RESERVE;
    return STATUS_SUCCESS;
}

/* --- reserve, and commit at once --- */

static NTSTATUS MiPlaceReserved(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, const MI_ALLOCATION *Allocation)
{
    ULONG_PTR Base = Allocation->Base & ~(ULONG_PTR)(MM_GRANULARITY - 1);
    ULONG64 Pages = BYTES_TO_PAGES(Allocation->Base - Base + Allocation->Size);
    if (Allocation->Base != 0 && Base < MM_USER_LOWEST)
        return STATUS_INVALID_PARAMETER_2;
    NTSTATUS Status = MiPlaceVad(Space, Vad, Base, Pages, Allocation->HighestPage, Allocation->TopDown);
    if (!NT_SUCCESS(Status) || !Vad->Committed)
        return Status;
    Status = MiChargeSpace(Space, Vad, Pages);
    if (!NT_SUCCESS(Status))
        MiRemoveVad(Space, Vad);
    return Status;
}

static NTSTATUS MiReserveRange(PMM_ADDRESS_SPACE Space, MI_ALLOCATION *Allocation)
{
    MI_VAD *Vad = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Vad), MI_TAG_VAD);
    if (Vad == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Vad->Kind = MiVadPrivate;
    Vad->Rights = Vad->AllocationRights = Allocation->Rights;
    Vad->Committed = (Allocation->Type & MEM_COMMIT) != 0;
    MiLockSpace(Space);
    NTSTATUS Status = MiPlaceReserved(Space, Vad, Allocation);
    if (NT_SUCCESS(Status)) {
        Allocation->Base = Vad->Node.First << PAGE_SHIFT;
        Allocation->Size = (Vad->Node.Last - Vad->Node.First + 1) << PAGE_SHIFT;
    }
    MiUnlockSpace(Space);
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(Vad, MI_TAG_VAD);
    return Status;
}

/* --- commit what is reserved --- */

/* Every entry says so for itself. Tables were made before: nothing fails any more. */
static VOID MiWriteCommitted(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last,
                             MI_ACCESS Rights)
{
    ULONG64 Next;
    for (ULONG64 Page = First; Page <= Last; Page++) {
        MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
        if (!MiIsCommitted(Vad, Page, *Pte))
            MiWritePte(Pte, MI_PTE_SOFT | MiRightsPte(Rights));
    }
}

/* A range of which nothing was committed is committed as a whole, without an entry. */
static BOOLEAN MiCommitsWhole(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last)
{
    ULONG64 Next;
    if (Vad->Charged != 0 || First != Vad->Node.First || Last != Vad->Node.Last)
        return FALSE;
    for (ULONG64 Page = First; Page <= Last;) {
        MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
        if (Pte != NULL && *Pte != 0)
            return FALSE;
        Page = Pte != NULL ? Page + 1 : Next;
    }
    return TRUE;
}

NTSTATUS MiMakeTablesAnyway(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    for (ULONG64 Page = First; Page <= Last; Page = (Page | 0x1ff) + 1)
        if (MiMakeUserPte(Space, Page) == NULL)
            return STATUS_NO_MEMORY;
    return STATUS_SUCCESS;
}

/* Charged before they are made, so that too many are refused with nothing made. A table counts by itself once it is there. */
NTSTATUS MiMakeTables(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    ULONG64 Missing = MiCountMissingTables(Space, First, Last);
    if (!MiChargeCommit(Missing))
        return STATUS_COMMITMENT_LIMIT;
    NTSTATUS Status = MiMakeTablesAnyway(Space, First, Last);
    MiReturnCommit(Missing);
    return Status;
}

/* [WDK ZwAllocateVirtualMemory] what is committed already stays, with the new protection. */
static NTSTATUS MiCommitPrivate(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 First, ULONG64 Last,
                                MI_ACCESS Rights)
{
    ULONG64 Missing = Last - First + 1 - MiCountCommitted(Space, Vad, First, Last);
    BOOLEAN Whole = MiCommitsWhole(Space, Vad, First, Last);
    NTSTATUS Status = MiChargeSpace(Space, Vad, Missing);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Whole) {
        Vad->Committed = TRUE;
        Vad->Rights = Rights;
        return STATUS_SUCCESS;
    }
    Status = MiMakeTables(Space, First, Last);
    if (!NT_SUCCESS(Status)) {
        MiReturnSpace(Space, Vad, Missing);
        return Status;
    }
    MiWriteCommitted(Space, Vad, First, Last, Rights);
    MiChangeRights(Space, Vad, First, Last, Rights);
    return STATUS_SUCCESS;
}

static NTSTATUS MiCommitView(MI_VAD *Vad, ULONG64 First, ULONG64 Last)
{
    ULONG64 Offset = Vad->SegmentPage - Vad->Node.First;
    return Vad->Segment->Reserved ? MiCommitSegment(Vad->Segment, First + Offset, Last + Offset)
                                  : STATUS_ALREADY_COMMITTED;
}

static NTSTATUS MiCommitLocked(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last, MI_ACCESS Rights)
{
    MI_VAD *Vad = MiFindVadOver(Space, First, Last);
    if (Vad == NULL || Vad->Kind == MiVadFixed || Vad->Kind == MiVadMdl)
        return STATUS_CONFLICTING_ADDRESSES;
    if (MiSecuredAgainst(Space, Vad, First, Last, Rights))
        return STATUS_INVALID_PAGE_PROTECTION;
    return Vad->Kind == MiVadPrivate ? MiCommitPrivate(Space, Vad, First, Last, Rights)
                                     : MiCommitView(Vad, First, Last);
}

/* [WDK ZwAllocateVirtualMemory, MEM_RESET] The contents are of no interest any more; they may stay, and do. Only whole pages, and only
 * committed ones of private memory. */
static NTSTATUS MiResetLocked(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    MI_VAD *Vad = MiFindVadOver(Space, First, Last);
    if (Vad == NULL || Vad->Kind == MiVadFixed || Vad->Kind == MiVadMdl)
        return STATUS_CONFLICTING_ADDRESSES;
    if (Vad->Kind == MiVadPrivate && MiCountCommitted(Space, Vad, First, Last) != Last - First + 1)
        return STATUS_CONFLICTING_ADDRESSES;
    return STATUS_SUCCESS;
}

static NTSTATUS MiCommitRange(PMM_ADDRESS_SPACE Space, MI_ALLOCATION *Allocation)
{
    ULONG64 First, Last;
    if (!MiPagesOf(Allocation->Base, Allocation->Size, &First, &Last))
        return STATUS_INVALID_PARAMETER_4;
    MiLockSpace(Space);
    NTSTATUS Status = Allocation->Type == MEM_COMMIT ? MiCommitLocked(Space, First, Last, Allocation->Rights)
                                                     : MiResetLocked(Space, First, Last);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        Allocation->Base = First << PAGE_SHIFT;
        Allocation->Size = (Last - First + 1) << PAGE_SHIFT;
    }
    return Status;
}

NTSTATUS MmAllocateVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, ULONG_PTR ZeroBits, PSIZE_T Size, ULONG Type,
                           ULONG Protect)
{
    MI_ALLOCATION Allocation = {.Base = (ULONG_PTR)*Base, .Size = *Size, .Type = Type};
    NTSTATUS Status = MiCheckAllocation(&Allocation, ZeroBits, Protect);

    if (NT_SUCCESS(Status))
        Status = Allocation.Type & MEM_RESERVE ? MiReserveRange(Space, &Allocation)
                                               : MiCommitRange(Space, &Allocation);
    if (NT_SUCCESS(Status)) {
        *Base = (PVOID)Allocation.Base;
        *Size = Allocation.Size;
    }
    return Status;
}

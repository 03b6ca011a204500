/* SPDX-License-Identifier: MIT
 * Decommitting and releasing private memory. [WDK ZwFreeVirtualMemory] */
#include "mm/user_space.h"
#include "mm/virtual.h"

/* What is left of the range below and above [First, Last] stays reserved or committed as it is. Upper: memory for a range more, used
 * when both sides are left (then it is NULL afterwards). The range that is [First, Last] alone is returned, out of the tree. */
static MI_VAD *MiCutOut(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 First, ULONG64 Last, MI_VAD **Spare)
{
    if (First > Vad->Node.First) {
        MI_VAD *Upper = *Spare;
        *Spare = NULL;
        *Upper = *Vad;
        MiVadSplit(&Space->Ranges, &Vad->Node, &Upper->Node, First);
        Upper->Charged = MiCountCommitted(Space, Upper, First, Upper->Node.Last);
        Vad->Charged -= Upper->Charged;
        Vad = Upper;
    }
    return Vad;
}

/* Commitment of the pages that go. */
static VOID MiReleasePages(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 First, ULONG64 Last, MI_CLEAR To)
{
    ULONG64 Committed = MiCountCommitted(Space, Vad, First, Last);
    MiClearRange(Space, First, Last, To);
    MiReturnSpace(Space, Vad, Committed);
}

/* Releases [First, Last] of Vad, all or part. *Gone: memory to be freed. */
static VOID MiReleaseRange(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 First, ULONG64 Last, MI_VAD **Spare,
                           MI_VAD **Gone)
{
    MiReleasePages(Space, Vad, First, Last, MiClearToZero);
    if (First == Vad->Node.First && Last == Vad->Node.Last) {
        MiRemoveVad(Space, Vad);
        *Gone = Vad;
        return;
    }
    Space->Hint = NULL;
    Space->Counters.VirtualPages -= Last - First + 1;
    if (First == Vad->Node.First) {
        MiVadResize(&Space->Ranges, &Vad->Node, Last + 1, Vad->Node.Last);
    } else if (Last == Vad->Node.Last) {
        MiVadResize(&Space->Ranges, &Vad->Node, Vad->Node.First, First - 1);
    } else {
        MI_VAD *Upper = MiCutOut(Space, Vad, Last + 1, Vad->Node.Last, Spare);
        NT_CHECK(Upper != Vad);
        MiVadResize(&Space->Ranges, &Vad->Node, Vad->Node.First, First - 1);
    }
    MiTrimHole(Space, First, Last);
}

/* Base and size 0: the whole range, which must begin there. */
static NTSTATUS MiFindFreed(PMM_ADDRESS_SPACE Space, ULONG_PTR Base, SIZE_T Size, MI_VAD **Found,
                            ULONG64 *First, ULONG64 *Last)
{
    MI_VAD *Vad = MiFindVad(Space, Base >> PAGE_SHIFT);
    if (Vad == NULL)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (Vad->Kind != MiVadPrivate)
        return STATUS_UNABLE_TO_DELETE_SECTION;
    *First = Base >> PAGE_SHIFT;
    *Last = Size == 0 ? Vad->Node.Last : (Base + Size - 1) >> PAGE_SHIFT;
    if (Size == 0 && *First != Vad->Node.First)
        return STATUS_FREE_VM_NOT_AT_BASE;
    if (*Last > Vad->Node.Last)
        return STATUS_UNABLE_TO_FREE_VM;
    *Found = Vad;
    return MiSecuredAgainst(Space, Vad, *First, *Last, 0) ? STATUS_INVALID_PAGE_PROTECTION : STATUS_SUCCESS;
}

/* Each page of a range that is committed as a whole gets an entry that says the opposite, unless all go. */
static NTSTATUS MiDecommit(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 First, ULONG64 Last)
{
    if (Vad->Committed && First == Vad->Node.First && Last == Vad->Node.Last) {
        MiReleasePages(Space, Vad, First, Last, MiClearToZero);
        Vad->Committed = FALSE;
        return STATUS_SUCCESS;
    }
    NTSTATUS Status = Vad->Committed ? MiMakeTablesAnyway(Space, First, Last) : STATUS_SUCCESS;
    if (!NT_SUCCESS(Status))
        return Status;
    MiReleasePages(Space, Vad, First, Last, Vad->Committed ? MiClearToDecommitted : MiClearToZero);
    return STATUS_SUCCESS;
}

NTSTATUS MmFreeVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size, ULONG Type)
{
    ULONG_PTR Address = (ULONG_PTR)*Base;
    MI_VAD *Vad = NULL, *Gone = NULL;
    ULONG64 First = 0, Last = 0;

    if (Type != MEM_DECOMMIT && Type != MEM_RELEASE)
        return STATUS_INVALID_PARAMETER_4;
    if (Address > (ULONG_PTR)MmHighestUserAddress)
        return STATUS_INVALID_PARAMETER_2;
    if (*Size > (ULONG_PTR)MmHighestUserAddress + 1 - Address)
        return STATUS_INVALID_PARAMETER_3;
    MI_VAD *Spare = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Spare), MI_TAG_VAD);
    if (Spare == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    MiLockSpace(Space);
    NTSTATUS Status = MiFindFreed(Space, Address, *Size, &Vad, &First, &Last);
    if (NT_SUCCESS(Status) && Type == MEM_DECOMMIT)
        Status = MiDecommit(Space, Vad, First, Last);
    else if (NT_SUCCESS(Status))
        MiReleaseRange(Space, Vad, First, Last, &Spare, &Gone);
    MiUnlockSpace(Space);
    if (Spare != NULL)
        ExFreePoolWithTag(Spare, MI_TAG_VAD);
    if (Gone != NULL)
        ExFreePoolWithTag(Gone, MI_TAG_VAD);
    if (NT_SUCCESS(Status)) {
        *Base = (PVOID)(First << PAGE_SHIFT);
        *Size = (Last - First + 1) << PAGE_SHIFT;
    }
    return Status;
}

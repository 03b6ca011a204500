/* SPDX-License-Identifier: MIT
 * The ranges of an address space: found, placed, removed. The space is locked. */
#include "ke.h"
#include "mm/user_space.h"

#define MI_GRANULARITY_PAGES (MM_GRANULARITY >> PAGE_SHIFT)

MI_VAD *MiFindVad(PMM_ADDRESS_SPACE Space, ULONG64 Page)
{
    MI_VAD *Hint = Space->Hint;
    if (Hint != NULL && Page >= Hint->Node.First && Page <= Hint->Node.Last)
        return Hint;
    MI_VAD_NODE *Node = MiVadFind(&Space->Ranges, Page);
    if (Node == NULL)
        return NULL;
    Space->Hint = CONTAINING_RECORD(Node, MI_VAD, Node);
    return Space->Hint;
}

MI_VAD *MiFindVadOver(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    MI_VAD *Vad = MiFindVad(Space, First);
    return Vad != NULL && Last <= Vad->Node.Last ? Vad : NULL;
}

BOOLEAN MiPagesOf(ULONG_PTR Base, SIZE_T Size, ULONG64 *First, ULONG64 *Last)
{
    if (Size == 0 || Base + Size - 1 < Base || Base + Size - 1 > (ULONG_PTR)MmHighestUserAddress)
        return FALSE;
    *First = Base >> PAGE_SHIFT;
    *Last = (Base + Size - 1) >> PAGE_SHIFT;
    return TRUE;
}

/* [WDK ZwAllocateVirtualMemory] ZeroBits: so many high bits of a 32-bit address must be zero, less than 21; above 32 it is a mask of
 * those that need not. An address that is given must comply (as Wine's test programs, true on Windows, have it). */
BOOLEAN MiHighestPageFor(ULONG_PTR Base, ULONG_PTR ZeroBits, ULONG64 *HighestPage)
{
    ULONG64 Highest = ZeroBits < 32 ? (1ull << (32 - ZeroBits)) - 1 : (~0ull >> __builtin_clzll(ZeroBits));

    *HighestPage = MI_USER_HIGHEST_PAGE;
    if (ZeroBits >= 21 && ZeroBits <= 32)
        return FALSE;
    if (ZeroBits != 0 && Highest >> PAGE_SHIFT < MI_USER_HIGHEST_PAGE)
        *HighestPage = ((Highest + 1) >> PAGE_SHIFT) - 1;
    return ZeroBits == 0 || (Highest >= PAGE_MASK && Base >> PAGE_SHIFT <= *HighestPage);
}

static VOID MiCountVirtual(PMM_ADDRESS_SPACE Space, ULONG64 Pages)
{
    Space->Counters.VirtualPages += Pages;
    if (Space->Counters.VirtualPages > Space->Counters.PeakVirtualPages)
        Space->Counters.PeakVirtualPages = Space->Counters.VirtualPages;
}

NTSTATUS MiPlaceVad(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 Base, ULONG64 Pages, ULONG64 HighestPage,
                    BOOLEAN TopDown)
{
    MI_VAD_WISH Wish = {Pages, MM_USER_LOWEST >> PAGE_SHIFT, HighestPage, MI_GRANULARITY_PAGES, TopDown};
    ULONG64 First = Base >> PAGE_SHIFT;

    if (Base == 0) {
        First = MiVadFindGap(&Space->Ranges, &Wish);
        if (First == MI_VAD_NONE)
            return STATUS_NO_MEMORY;
    }
    if (First > HighestPage || Pages > HighestPage - First + 1)
        return STATUS_CONFLICTING_ADDRESSES;
    Vad->Node.First = First;
    Vad->Node.Last = First + Pages - 1;
    if (!MiVadInsert(&Space->Ranges, &Vad->Node))
        return STATUS_CONFLICTING_ADDRESSES;
    Vad->Owner = KiCurrentThread()->GateRoutine;
    MiCountVirtual(Space, Pages);
    return STATUS_SUCCESS;
}

VOID MiTrimHole(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    const ULONG64 Span = 0x200; /* pages of a table */
    ULONG64 Low = First & ~(Span - 1), End = (Last | (Span - 1)) + 1;

    if (MiVadFindFirst(&Space->Ranges, Low, First) != NULL)
        Low += Span;
    if (MiVadFindFirst(&Space->Ranges, Last, End - 1) != NULL)
        End -= Span;
    if (Low < End)
        MiTrimTables(Space, Low, End - 1);
}

VOID MiRemoveVad(PMM_ADDRESS_SPACE Space, MI_VAD *Vad)
{
    Space->Hint = NULL;
    MiVadRemove(&Space->Ranges, &Vad->Node);
    Space->Counters.VirtualPages -= Vad->Node.Last - Vad->Node.First + 1;
    MiTrimHole(Space, Vad->Node.First, Vad->Node.Last);
}

/* SPDX-License-Identifier: MIT
 * Pages of the user half, many at once: what they are, and taking them away. Pages are freed after every processor was told. */
#include "mm/pfn.h"
#include "mm/user_space.h"
#include "mm/segment.h"

VOID MiCountPage(PMM_ADDRESS_SPACE Space)
{
    Space->Counters.WorkingSet++;
    if (Space->Counters.WorkingSet > Space->Counters.PeakWorkingSet)
        Space->Counters.PeakWorkingSet = Space->Counters.WorkingSet;
}

MI_PTE MiUserEntry(PFN_NUMBER Frame, MI_ACCESS Rights, BOOLEAN Writable)
{
    MI_PTE Entry =
        ((MI_PTE)Frame << PAGE_SHIFT) | MiRightsPte(Rights) | MI_PTE_PRESENT | MI_PTE_USER | MI_PTE_ACCESSED;
    if (Writable)
        Entry |= MI_PTE_WRITE | MI_PTE_DIRTY;
    if (!(Rights & MI_USER_EXECUTE))
        Entry |= MI_PTE_NX;
    return Entry;
}

BOOLEAN MiIsCommitted(const MI_VAD *Vad, ULONG64 Page, MI_PTE Pte)
{
    if (Pte != 0)
        return (Pte & MI_PTE_PRESENT) || !(Pte & MI_PTE_DECOMMITTED);
    if (Vad->Kind == MiVadView)
        return MiSegmentIsCommitted(Vad->Segment, Vad->SegmentPage + (Page - Vad->Node.First));
    return Vad->Kind == MiVadFixed || Vad->Committed;
}

MI_ACCESS MiRightsOfPage(const MI_VAD *Vad, ULONG64 Page, MI_PTE Pte)
{
    if (Pte != 0)
        return MiRightsOf(Pte);
    if (Vad->Kind == MiVadView && MiSegmentIsImage(Vad->Segment))
        return MiSegmentRights(Vad->Segment, Vad->SegmentPage + (Page - Vad->Node.First));
    return Vad->Rights;
}

BOOLEAN MiLookAtPage(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 Page, MI_ACCESS *Rights,
                     ULONG64 *Next)
{
    MI_PTE *Pte = MiFindUserPte(Space, Page, Next), Value = Pte != NULL ? *Pte : 0;
    if (Pte != NULL)
        *Next = Page + 1;
    else if (Vad->Kind == MiVadView)
        *Next = Page + MiSegmentRun(Vad->Segment, Vad->SegmentPage + (Page - Vad->Node.First), *Next - Page);
    *Rights = MiRightsOfPage(Vad, Page, Value);
    return MiIsCommitted(Vad, Page, Value);
}

ULONG64 MiCountCommitted(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last)
{
    ULONG64 Count = Vad->Committed ? Last - First + 1 : 0, Next;
    for (ULONG64 Page = First; Page <= Last;) {
        MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
        if (Pte == NULL) {
            Page = Next;
            continue;
        }
        if (*Pte != 0 && MiIsCommitted(Vad, Page, *Pte) != Vad->Committed)
            Count += Vad->Committed ? -1ull : 1;
        Page++;
    }
    return Count;
}

/* RAM that is an entry's or a segment's, or device memory that a view of physical memory has shown. */
VOID MiReleaseShown(PFN_NUMBER Frame)
{
    if (MiIsManaged(Frame))
        MiReleaseFrame(Frame);
    else
        MiReleaseDevice(Frame, 1);
}

VOID MiFinishCleared(MI_CLEARED *Cleared)
{
    if (Cleared->Changed)
        MiFlushTlbRange(Cleared->First << PAGE_SHIFT, Cleared->Last - Cleared->First + 1);
    for (ULONG I = 0; I < Cleared->Count; I++)
        MiReleaseShown(Cleared->Frames[I]);
    Cleared->Changed = FALSE;
    Cleared->Count = 0;
}

VOID MiNoteChanged(MI_CLEARED *Cleared, ULONG64 Page)
{
    if (!Cleared->Changed)
        Cleared->First = Page;
    Cleared->Changed = TRUE;
    Cleared->Last = Page;
}

VOID MiClearOne(MI_CLEARED *Cleared, ULONG64 Page, MI_PTE *Pte, MI_PTE New)
{
    MM_SPACE_COUNTERS *Counters = &Cleared->Space->Counters;
    MI_PTE Old = *Pte;
    MiWritePte(Pte, New);
    if (Old & MI_PTE_PRESENT) {
        MiNoteChanged(Cleared, Page);
        Counters->WorkingSet--;
    }
    if ((Old & MI_PTE_LOCKED) && !(New & MI_PTE_LOCKED))
        Counters->LockedPages--;
    if ((Old & MI_PTE_OWNS) || ((Old & MI_PTE_PRESENT) && (Old & MI_PTE_SHARE)))
        Cleared->Frames[Cleared->Count++] = MiFrameOf(Old);
    if (Cleared->Count == RTL_NUMBER_OF(Cleared->Frames))
        MiFinishCleared(Cleared);
}

VOID MiClearRange(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last, MI_CLEAR To)
{
    MI_CLEARED Cleared = {.Space = Space};
    MI_PTE New = To == MiClearToDecommitted ? MI_PTE_SOFT | MI_PTE_DECOMMITTED : 0;
    ULONG64 Next;
    for (ULONG64 Page = First; Page <= Last;) {
        MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
        if (Pte == NULL) {
            Page = Next;
            continue;
        }
        if (*Pte != New)
            MiClearOne(&Cleared, Page, Pte, New);
        Page++;
    }
    MiFinishCleared(&Cleared);
}

/* SPDX-License-Identifier: MIT
 * Counting who uses a page, and what becomes of it when nobody does any more: pfn.h draws it. */
#include "pfn.h"
#include "ke.h"

typedef MI_STEP MI_WORD_STEP(uint64_t Old, uint64_t *New);

static inline MI_STEP MiStep(MI_PFN *Pfn, MI_WORD_STEP *Next, ULONG64 *Seen)
{
    ULONG64 New = 0;
    MI_STEP Step;
    *Seen = Pfn->Word;
    do {
        Step = Next(*Seen, &New);
        if (Step == MiStepWrong)
            return Step;
    } while (!__atomic_compare_exchange_n(&Pfn->Word, Seen, New, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return Step;
}

/* [WDK Bug Check 0x4E] 0x99: a PFN is corrupted. Frame, state */
static DECLSPEC_NORETURN VOID MiCorruptFrame(PFN_NUMBER Frame, ULONG64 Word)
{
    KeBugCheckEx(PFN_LIST_CORRUPT, 0x99, Frame, MiWordState(Word), 0);
}

/* --- standby list: MiPhysicalLock ------------------------------------------------------------------------------------ */

MI_STANDBY MiStandby = {MI_PFN_END, MI_PFN_END, 0};

static VOID MiAppendStandbyLocked(PFN_NUMBER Frame)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    Pfn->Next = MI_PFN_END;
    Pfn->Previous = MiStandby.Last;
    if (MiStandby.Last != MI_PFN_END)
        MiPfnOf(MiStandby.Last)->Next = (ULONG)Frame;
    else
        MiStandby.First = (ULONG)Frame;
    MiStandby.Last = (ULONG)Frame;
    MiStandby.Count++;
    Pfn->Word = MiWordWithState(Pfn->Word, MiFrameStandby);
}

static VOID MiRemoveStandbyLocked(PFN_NUMBER Frame)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    if (Pfn->Previous != MI_PFN_END)
        MiPfnOf(Pfn->Previous)->Next = Pfn->Next;
    else
        MiStandby.First = Pfn->Next;
    if (Pfn->Next != MI_PFN_END)
        MiPfnOf(Pfn->Next)->Previous = Pfn->Previous;
    else
        MiStandby.Last = Pfn->Previous;
    MiStandby.Count--;
    Pfn->Word = MiWordWithState(Pfn->Word, MiFrameActive);
}

VOID MiTakeStandbyPageLocked(PFN_NUMBER Frame)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    MiRemoveStandbyLocked(Frame);
    MiWritePte(Pfn->Entry, Pfn->Original);
    Pfn->Entry = NULL;
    Pfn->Word &= ~MI_WORD_KEEP;
}

PFN_NUMBER MiTakeStandbyLocked(VOID)
{
    PFN_NUMBER Frame = MiStandby.First;
    if (Frame == MI_PFN_END)
        return MM_NO_PAGE;
    MiTakeStandbyPageLocked(Frame);
    return Frame;
}

/* The last user is gone. Somebody may have revived a kept page meanwhile, or have put it away before us: looked at again under the
 * lock. */
static VOID MiPutAway(PFN_NUMBER Frame)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    if (MiWordIsUnused(Pfn->Word)) {
        if (Pfn->Word & MI_WORD_KEEP)
            MiAppendStandbyLocked(Frame);
        else
            MiPutFreeLocked(Frame);
    }
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
}

/* --- counts ------------------------------------------------------------------------------------------------------------ */

VOID MiShareFrame(PFN_NUMBER Frame)
{
    ULONG64 Seen;
    if (MiStep(MiPfnOf(Frame), MiWordShare, &Seen) == MiStepWrong)
        MiCorruptFrame(Frame, Seen);
}

BOOLEAN MiShareLockedFrame(PFN_NUMBER Frame)
{
    ULONG64 Seen;
    return MiStep(MiPfnOf(Frame), MiWordShareLocked, &Seen) == MiStepDone;
}

VOID MiReleaseFrame(PFN_NUMBER Frame)
{
    ULONG64 Seen;
    MI_STEP Step = MiStep(MiPfnOf(Frame), MiWordRelease, &Seen);
    if (Step == MiStepWrong)
        MiCorruptFrame(Frame, Seen);
    if (Step == MiStepUnused)
        MiPutAway(Frame);
}

BOOLEAN MiLockFrame(PFN_NUMBER Frame)
{
    ULONG64 Seen;
    return MiStep(MiPfnOf(Frame), MiWordLock, &Seen) == MiStepDone;
}

VOID MiUnlockFrame(PFN_NUMBER Frame)
{
    ULONG64 Seen;
    MI_STEP Step = MiStep(MiPfnOf(Frame), MiWordUnlock, &Seen);
    if (Step == MiStepWrong)
        KeBugCheckEx(PFN_LIST_CORRUPT, 7, Frame, MiWordShares(Seen), 0);
    if (Step == MiStepUnused)
        MiPutAway(Frame);
}

/* --- kept pages ---------------------------------------------------------------------------------------------------------- */

VOID MiKeepFrame(PFN_NUMBER Frame, MI_PTE *Entry, MI_PTE Original)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    NT_CHECK(MiWordShares(Pfn->Word) != 0);
    Pfn->Entry = Entry;
    Pfn->Original = Original;
    __atomic_or_fetch(&Pfn->Word, MI_WORD_KEEP, __ATOMIC_RELEASE);
}

/* MiPhysicalLock held, which keeps the page from being put on the list or taken off it; counts may change. */
static VOID MiReviveLocked(PFN_NUMBER Frame)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    ULONG64 Old = Pfn->Word, New;
    if (MiWordState(Old) == MiFrameStandby) {
        MiRemoveStandbyLocked(Frame);
        Old = Pfn->Word;
    }
    do {
        New = MiWordWithState(Old, MiFrameActive) + MI_WORD_SHARE;
    } while (!__atomic_compare_exchange_n(&Pfn->Word, &Old, New, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

/* Does the entry still name the page? MiPhysicalLock held. */
static BOOLEAN MiIsKeptFor(PFN_NUMBER Frame, const MI_PTE *Entry)
{
    return (MiPfnOf(Frame)->Word & MI_WORD_KEEP) && MiPfnOf(Frame)->Entry == Entry;
}

BOOLEAN MiReviveFrame(PFN_NUMBER Frame, MI_PTE *Entry)
{
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    BOOLEAN Kept = MiIsKeptFor(Frame, Entry);
    if (Kept)
        MiReviveLocked(Frame);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    return Kept;
}

BOOLEAN MiForgetFrame(PFN_NUMBER Frame, MI_PTE *Entry)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    BOOLEAN Kept = MiIsKeptFor(Frame, Entry);
    if (Kept) {
        __atomic_and_fetch(&Pfn->Word, ~MI_WORD_KEEP, __ATOMIC_ACQ_REL);
        Pfn->Entry = NULL;
        if (MiWordState(Pfn->Word) == MiFrameStandby)
            MiRemoveStandbyLocked(Frame);
        if (MiWordIsUnused(Pfn->Word))
            MiPutFreeLocked(Frame);
    }
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    return Kept;
}

BOOLEAN MmIsPageLocked(const void *Address)
{
    ULONG64 Physical;
    return MmTranslate(Address, &Physical) && MiIsManaged(Physical >> PAGE_SHIFT) &&
           MiWordLocks(MiPfnOf(Physical >> PAGE_SHIFT)->Word) != 0;
}

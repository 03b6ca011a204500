/* SPDX-License-Identifier: MIT
 * Regions of kernel addresses: reserving them, filling and clearing their entries. */
#include "mi.h"
#include "ke_failure.h"

ARCH_LOCK MiSystemSpaceLock = ARCH_LOCK_INIT("system space", LockRankMmSystemSpace, DISPATCH_LEVEL);
MI_SPACE MiImageSpace, MiSystemPteSpace, MiPoolSpace[MmAllPoolRegions];

/* The first FirstFree pages are taken for good. The region's top-level entry is made now, so that every
 * address space that copies the kernel half sees all that will ever be mapped there. */
VOID MiInitSpace(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount, SIZE_T FirstFree)
{
    Space->Base = Base;
    Space->PageCount = PageCount;
    Space->TableEnd = FirstFree;
    MiBitmapInit(&Space->Map, PageCount, MiAllocateBootMemory(MiBitmapBytes(PageCount)));
    MiBitmapFree(&Space->Map, FirstFree, PageCount - FirstFree);
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    BOOLEAN Done = MiEnsureTablesLocked(Base + FirstFree * PAGE_SIZE, 1);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    if (!Done)
        MiInstallMoreMemory();
}

/* Tables stay: those of the addresses below the highest that was reserved are there. */
static BOOLEAN MiHasTablesLocked(MI_SPACE *Space, SIZE_T First, SIZE_T PageCount)
{
    if (First + PageCount <= Space->TableEnd)
        return TRUE;
    SIZE_T Begin = min(First, Space->TableEnd);
    if (!MiEnsureTablesLocked(Space->Base + Begin * PAGE_SIZE, First + PageCount - Begin))
        return FALSE;
    Space->TableEnd = First + PageCount;
    return TRUE;
}

ULONG_PTR MiReserve(MI_SPACE *Space, SIZE_T PageCount)
{
    return MiReserveFrom(Space, PageCount, 0);
}

ULONG_PTR MiReserveFrom(MI_SPACE *Space, SIZE_T PageCount, SIZE_T From)
{
    ULONG_PTR Base = 0;
    if (KE_DENY_ALLOCATION(__builtin_return_address(0)))
        return 0;
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    ULONG64 First = MiBitmapFindRun(&Space->Map, PageCount, From, Space->PageCount, 0);
    if (First == MI_BITMAP_NONE && From != 0)
        First = MiBitmapFindRun(&Space->Map, PageCount, 0, Space->PageCount, 0);
    if (First != MI_BITMAP_NONE && MiHasTablesLocked(Space, First, PageCount)) {
        MiBitmapTake(&Space->Map, First, PageCount);
        Base = Space->Base + First * PAGE_SIZE;
    }
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    if (Base != 0 && Space == &MiSystemPteSpace)
        MiCountSystemPtes((LONG64)PageCount);
    return Base;
}

VOID MiRelease(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount)
{
    SIZE_T First = (Base - Space->Base) / PAGE_SIZE;
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    NT_CHECK(MiBitmapIsTaken(&Space->Map, First, PageCount));
    MiBitmapFree(&Space->Map, First, PageCount);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    if (Space == &MiSystemPteSpace)
        MiCountSystemPtes(-(LONG64)PageCount);
}

MI_PTE MiEntry(MI_PTE Template, PFN_NUMBER Frame, SIZE_T Index, SIZE_T PageCount)
{
    return Template | (Frame << PAGE_SHIFT) | (Index == 0 ? MI_PTE_FIRST : 0) |
           (Index == PageCount - 1 ? MI_PTE_LAST : 0);
}

BOOLEAN MiMapNewPages(ULONG_PTR Base, SIZE_T PageCount, MI_PTE Template, BOOLEAN Zero)
{
    MI_PTE *Pte = MiPteOf(Base);
    for (SIZE_T I = 0; I < PageCount; I++) {
        PFN_NUMBER Frame = MmAllocatePhysicalPage(Zero);
        if (Frame == MM_NO_PAGE) {
            if (I != 0)
                MiUnmap(Base, I, MiAbsentNever);
            return FALSE;
        }
        MiWritePte(&Pte[I], MiEntry(Template | MI_PTE_OWNS, Frame, I, PageCount));
    }
    return TRUE;
}

VOID MiMapRun(ULONG_PTR Base, SIZE_T PageCount, MI_PTE Template, PFN_NUMBER First)
{
    MI_PTE *Pte = MiPteOf(Base);
    for (SIZE_T I = 0; I < PageCount; I++)
        MiWritePte(&Pte[I], MiEntry(Template, First + I, I, PageCount));
}

/* Entries that own their page keep it until nobody can see it any more. */
static VOID MiClearEntries(MI_PTE *Pte, SIZE_T PageCount, MI_ABSENT Absent, SIZE_T *Cleared, SIZE_T *Owning)
{
    for (SIZE_T I = 0; I < PageCount; I++) {
        MI_PTE Old = MiReadPte(&Pte[I]), New = MI_ABSENT_PTE(Absent, 0);
        if (!MiIsMapped(Old))
            continue;
        if (Old & MI_PTE_OWNS) {
            New |= Old & (MI_PTE_FRAME | MI_PTE_OWNS);
            ++*Owning;
        }
        MiWritePte(&Pte[I], New);
        ++*Cleared;
    }
}

/* Frees the pages that cleared entries own, neighbours together. */
static VOID MiFreeOwned(MI_PTE *Pte, SIZE_T PageCount, MI_ABSENT Absent)
{
    for (SIZE_T I = 0; I < PageCount;) {
        MI_PTE Old = MiReadPte(&Pte[I]);
        SIZE_T Length = 1;
        if ((Old & (MI_PTE_PRESENT | MI_PTE_OWNS)) == MI_PTE_OWNS && MI_ABSENT_KIND(Old) == Absent) {
            while (I + Length < PageCount && (MiReadPte(&Pte[I + Length]) & MI_PTE_OWNS) &&
                   MiFrameOf(MiReadPte(&Pte[I + Length])) == MiFrameOf(Old) + Length)
                Length++;
            MmFreePhysicalPages(MiFrameOf(Old), Length);
        }
        I += Length;
    }
}

static VOID MiForgetFrames(MI_PTE *Pte, SIZE_T PageCount, MI_ABSENT Absent)
{
    for (SIZE_T I = 0; I < PageCount; I++)
        if (!(MiReadPte(&Pte[I]) & MI_PTE_PRESENT) && MI_ABSENT_KIND(MiReadPte(&Pte[I])) == Absent)
            MiWritePte(&Pte[I], MI_ABSENT_PTE(Absent, 0));
}

/* The processors are told once, whatever the size. */
VOID MiUnmap(ULONG_PTR Base, SIZE_T PageCount, MI_ABSENT Absent)
{
    MI_PTE *Pte = MiPteOf(Base);
    SIZE_T Cleared = 0, Owning = 0;
    MiClearEntries(Pte, PageCount, Absent, &Cleared, &Owning);
    if (Cleared != 0)
        MiFlushTlbRange(Base, PageCount);
    if (Owning == 0)
        return;
    MiFreeOwned(Pte, PageCount, Absent);
    MiForgetFrames(Pte, PageCount, Absent);
}

/* Base is inside the space. */
static BOOLEAN MiIsMappingStart(const MI_SPACE *Space, ULONG_PTR Base)
{
    if ((Base - Space->Base) >> PAGE_SHIFT >= Space->TableEnd)
        return FALSE;
    MI_PTE Entry = MiReadPte(MiPteOf(Base));
    return MiIsMapped(Entry) && (Entry & MI_PTE_FIRST);
}

SIZE_T MiMeasure(const MI_SPACE *Space, ULONG_PTR Base, MI_USE Use)
{
    ULONG_PTR End = Space->Base + Space->PageCount * PAGE_SIZE;
    if ((Base & PAGE_MASK) != 0 || Base < Space->Base || Base >= End || !MiIsMappingStart(Space, Base))
        return 0;
    for (ULONG_PTR At = Base; At < End; At += PAGE_SIZE) {
        MI_PTE Pte = MiReadPte(MiPteOf(At));
        if (!MiIsMapped(Pte) || ((Pte >> MI_PTE_USE_SHIFT) & 0xf) != (MI_PTE)Use ||
            (At != Base && (Pte & MI_PTE_FIRST)))
            return 0;
        if (Pte & MI_PTE_LAST)
            return (At - Base) / PAGE_SIZE + 1;
    }
    return 0;
}

VOID MiProtect(ULONG_PTR Base, SIZE_T PageCount, MM_PROTECTION Protection)
{
    MI_PTE Bits = MiProtectionBits(Protection);
    MI_PTE *Pte = MiPteOf(Base);
    for (SIZE_T I = 0; I < PageCount; I++)
        if (MiIsMapped(MiReadPte(&Pte[I])))
            MiWritePte(&Pte[I], (MiReadPte(&Pte[I]) & ~MI_PTE_PROTECTION) | Bits);
    MiFlushTlbRange(Base, PageCount);
}

VOID MiUnmapWhole(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount, MI_USE Use, MI_ABSENT Absent)
{
    SIZE_T Mapped = MiMeasure(Space, Base, Use);
    /* [WDK Bug Check 0xDA] 0x303: a range that was not reserved; 0x305: the wrong number of mappings */
    if (Mapped == 0)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x303, Base, PageCount, 0);
    if (Mapped != PageCount)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x305, Base, PageCount, Mapped);
    MiUnmap(Base, PageCount, Absent);
}

VOID MiFreeMapping(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount, MI_USE Use, MI_ABSENT Absent)
{
    MiUnmapWhole(Space, Base, PageCount, Use, Absent);
    MiRelease(Space, Base, PageCount);
}

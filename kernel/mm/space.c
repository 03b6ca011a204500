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
    Space->Lowest = FirstFree;
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

/* From that page on, or from the first. 0: there are none. */
static ULONG_PTR MiFindAndTakeLocked(MI_SPACE *Space, SIZE_T PageCount, SIZE_T From)
{
    ULONG64 First = MiBitmapFindRun(&Space->Map, PageCount, max(From, Space->Lowest), Space->PageCount, 0);
    if (First == MI_BITMAP_NONE && From > Space->Lowest)
        First = MiBitmapFindRun(&Space->Map, PageCount, Space->Lowest, Space->PageCount, 0);
    if (First == MI_BITMAP_NONE || !MiHasTablesLocked(Space, First, PageCount))
        return 0;
    MiBitmapTake(&Space->Map, First, PageCount);
    if (First == Space->Lowest)
        Space->Lowest = First + PageCount;
    return Space->Base + First * PAGE_SIZE;
}

ULONG_PTR MiReserve(MI_SPACE *Space, SIZE_T PageCount)
{
    return MiReserveFrom(Space, PageCount, 0);
}

DECLSPEC_NOINLINE ULONG_PTR MiReserveFrom(MI_SPACE *Space, SIZE_T PageCount, SIZE_T From)
{
    ULONG_PTR Base;
    if (KE_DENY_ALLOCATION(__builtin_return_address(0)))
        return 0;
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    if (From == 0 && Space->Lowest + PageCount <= Space->TableEnd &&
        MiBitmapTakeShort(&Space->Map, Space->Lowest, PageCount)) {
        Base = Space->Base + Space->Lowest * PAGE_SIZE;
        Space->Lowest += PageCount;
    } else {
        Base = MiFindAndTakeLocked(Space, PageCount, From);
    }
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    return Base;
}

VOID MiRelease(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount)
{
    SIZE_T First = (Base - Space->Base) / PAGE_SIZE;
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    NT_CHECK(MiBitmapIsTaken(&Space->Map, First, PageCount));
    if (!MiBitmapFreeShort(&Space->Map, First, PageCount))
        MiBitmapFree(&Space->Map, First, PageCount);
    Space->Lowest = min(Space->Lowest, First);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
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

/* A page of a mapping of that use; only its first one is marked as such. */
static BOOLEAN MiIsPageOf(MI_PTE Pte, MI_USE Use, BOOLEAN First)
{
    const MI_PTE Mark = 0xfull << MI_PTE_USE_SHIFT | MI_PTE_FIRST;
    return MiIsMapped(Pte) && (Pte & Mark) == ((MI_PTE)Use << MI_PTE_USE_SHIFT | (First ? MI_PTE_FIRST : 0));
}

SIZE_T MiMeasure(const MI_SPACE *Space, ULONG_PTR Base, MI_USE Use)
{
    SIZE_T Page = (Base - Space->Base) >> PAGE_SHIFT; /* enormous below the space */
    if ((Base & PAGE_MASK) != 0 || Page >= Space->TableEnd)
        return 0;
    const MI_PTE *Pte = MiPteOf(Base);
    for (SIZE_T I = 0; Page + I < Space->TableEnd && MiIsPageOf(MiReadPte(&Pte[I]), Use, I == 0); I++)
        if (MiReadPte(&Pte[I]) & MI_PTE_LAST)
            return I + 1;
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

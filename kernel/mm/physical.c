/* SPDX-License-Identifier: MIT
 * Which physical pages are free: bit trees over all pages up to the highest one, and what takes pages from them and gives them back. Boot
 * costs a few bits per page; no page is touched before it is used. */
#include "pfn.h"
#include "ke_bugcheck.h"
#include "ke_failure.h"
#include "mm/memory_map.h"

#define MI_MEGABYTE_PAGE (0x100000 >> PAGE_SHIFT)
#define MI_DMA_END_PAGE (0x1000000 >> PAGE_SHIFT) /* what ISA devices reach: used last */

LOADER_MEMORY_RANGE *MiMemoryMap;
ULONG MiMemoryMapCount;

#define MI_MOST_PAGES ((PFN_NUMBER)MI_PFN_END) /* frame numbers of RAM have 32 bits: 16 TiB */

ARCH_LOCK MiPhysicalLock = ARCH_LOCK_INIT("free pages", LockRankMmPhysical, DISPATCH_LEVEL);
static MI_BITMAP MiFreePages;   /* MiPhysicalLock */
static MI_BITMAP MiZeroedPages; /* MiPhysicalLock; some of the free ones */
static PFN_NUMBER MiInZeroing;  /* MiPhysicalLock; 1: a free page is out of the trees while it is zeroed */
static PFN_NUMBER MiTotalPages, MiLowestPage, MiHighestPage;

VOID MiInstallMoreMemory(VOID)
{
    /* [WDK Bug Check 0x7D] number of pages found, lowest, highest */
    KeBugCheckEx(INSTALL_MORE_MEMORY, MiTotalPages, MiLowestPage, MiHighestPage, 0);
}

SIZE_T MiRunOfKind(PFN_NUMBER First, SIZE_T Count, BOOLEAN *Ram)
{
    bool IsRam;
    SIZE_T Run = MiMapRunOfKind((MI_MEMORY_MAP){MiMemoryMap, MiMemoryMapCount}, First, Count, &IsRam);
    *Ram = IsRam;
    return Run;
}

BOOLEAN MmNextRamRange(PFN_NUMBER *Frame, PFN_NUMBER *Count)
{
    return MiMapNextRam((MI_MEMORY_MAP){MiMemoryMap, MiMemoryMapCount}, MI_PFN_MOST, Frame, Count);
}

/* Last page + 1 of a range, as far as the direct map reaches; the first page if it does not reach it at all.
 */
static PFN_NUMBER MiReachableEnd(const LOADER_MEMORY_RANGE *Range, ULONG64 DirectMapLength)
{
    ULONG64 End = Range->Base + Range->Length;
    if (End > DirectMapLength)
        End = DirectMapLength > Range->Base ? DirectMapLength : Range->Base;
    return min(End >> PAGE_SHIFT, MI_MOST_PAGES);
}

static VOID MiMeasureMemory(const LOADER_BLOCK *Block)
{
    const LOADER_MEMORY_RANGE *Map = (const LOADER_MEMORY_RANGE *)Block->MemoryMap;
    MiLowestPage = MM_NO_PAGE;
    for (ULONG I = 0; I < Block->MemoryMapCount; I++) {
        if (!MiIsRam(&Map[I]) || Map[I].Length == 0)
            continue;
        if (Map[I].Base >> PAGE_SHIFT < MiLowestPage)
            MiLowestPage = Map[I].Base >> PAGE_SHIFT;
        MiTotalPages += Map[I].Length >> PAGE_SHIFT;
        MiHighestPage = ((Map[I].Base + Map[I].Length) >> PAGE_SHIFT) - 1;
    }
}

/* The largest free range, from whose end our own tables are taken. */
static ULONG MiFindCarve(const LOADER_MEMORY_RANGE *Map, ULONG Count, PFN_NUMBER Pages,
                         ULONG64 DirectMapLength)
{
    ULONG Best = Count;
    for (ULONG I = 0; I < Count; I++) {
        ULONG64 Reachable = (MiReachableEnd(&Map[I], DirectMapLength) << PAGE_SHIFT) - Map[I].Base;
        if (Map[I].Type == LoaderMemoryFree && Reachable == Map[I].Length &&
            Reachable >> PAGE_SHIFT >= Pages && (Best == Count || Map[I].Length > Map[Best].Length))
            Best = I;
    }
    if (Best == Count)
        MiInstallMoreMemory();
    return Best;
}

/* Our copy of the loader's map, with what we take from the end of range Carve as a range of its own. */
static VOID MiCopyMap(const LOADER_MEMORY_RANGE *Map, ULONG Count, ULONG Carve, PFN_NUMBER Pages)
{
    MiMemoryMapCount = Count + 1;
    for (ULONG I = 0; I < Count; I++)
        MiMemoryMap[I + (I > Carve)] = Map[I];
    LOADER_MEMORY_RANGE *Cut = &MiMemoryMap[Carve];
    Cut->Length -= Pages << PAGE_SHIFT;
    Cut[1] = (LOADER_MEMORY_RANGE){Cut->Base + Cut->Length, Pages << PAGE_SHIFT, LoaderMemoryPageTables, 0};
}

/* Before the first lock is asked for: nobody else is there. */
static VOID MiUseFrames(PFN_NUMBER First, PFN_NUMBER End)
{
    if (First >= End)
        return;
    if (!MiBackFramesLocked(First, End - First))
        MiInstallMoreMemory();
    for (PFN_NUMBER Frame = First; Frame < End; Frame++)
        MiPfnOf(Frame)->Word = MiWord(MiFrameActive, MiCacheBack, 1);
}

/* Page 0 is nobody's: a physical address of 0 means none. */
static PFN_NUMBER MiFirstFrame(const LOADER_MEMORY_RANGE *Range)
{
    return max(Range->Base >> PAGE_SHIFT, 1);
}

/* Boot images, page tables, the archive and what the loader still needs have an owner from the start. */
static VOID MiAdoptRanges(ULONG64 DirectMapLength)
{
    for (ULONG I = 0; I < MiMemoryMapCount; I++)
        if (MiIsRam(&MiMemoryMap[I]) && MiMemoryMap[I].Type != LoaderMemoryFree)
            MiUseFrames(MiFirstFrame(&MiMemoryMap[I]), MiReachableEnd(&MiMemoryMap[I], DirectMapLength));
}

static VOID MiAddFreeRanges(ULONG64 DirectMapLength)
{
    for (ULONG I = 0; I < MiMemoryMapCount; I++) {
        PFN_NUMBER First = MiFirstFrame(&MiMemoryMap[I]),
                   End = MiReachableEnd(&MiMemoryMap[I], DirectMapLength);
        if (MiMemoryMap[I].Type == LoaderMemoryFree && First < End)
            MiBitmapFree(&MiFreePages, First, End - First);
    }
}

static PFN_NUMBER MiDatabaseSize(ULONG64 DirectMapLength)
{
    PFN_NUMBER Limit = min(DirectMapLength >> PAGE_SHIFT, MI_MOST_PAGES);
    return min(MiHighestPage + 1, Limit);
}

VOID MiInitPhysical(const LOADER_BLOCK *Block)
{
    LOADER_MEMORY_RANGE *Map = (LOADER_MEMORY_RANGE *)Block->MemoryMap;
    ULONG Count = Block->MemoryMapCount;
    MiMeasureMemory(Block);
    if (MiTotalPages == 0)
        MiInstallMoreMemory();

    PFN_NUMBER Size = MiDatabaseSize(Block->DirectMapLength);
    SIZE_T MapBytes = (Count + 1) * sizeof(*Map), TreeBytes = MiBitmapBytes(Size);
    PFN_NUMBER Pages = BYTES_TO_PAGES(MapBytes + 2 * TreeBytes + MiPfnStoreBytes(Size));
    ULONG Carve = MiFindCarve(Map, Count, Pages, Block->DirectMapLength);
    PUCHAR Storage = MmDirectMap(Map[Carve].Base + Map[Carve].Length - (Pages << PAGE_SHIFT));

    MiMemoryMap = (LOADER_MEMORY_RANGE *)Storage;
    MiCopyMap(Map, Count, Carve, Pages);
    MiBitmapInit(&MiFreePages, Size, Storage + MapBytes);
    MiBitmapInit(&MiZeroedPages, Size, Storage + MapBytes + TreeBytes);
    MiInitPfnStore(Size, Storage + MapBytes + 2 * TreeBytes);
    MiAddFreeRanges(Block->DirectMapLength);
    MiAdoptRanges(Block->DirectMapLength);
}

VOID MiZeroFrame(PFN_NUMBER Frame)
{
    PVOID Page = MmDirectMap(Frame << PAGE_SHIFT);
    ULONG64 Count = PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(Page), "+c"(Count) : "a"(0ull) : "memory");
}

/* --- taking and giving back: MiPhysicalLock held --------------------------------------------------------------------- */

/* TRUE: all of them were zeroed. */
static BOOLEAN MiTakeFreeLocked(PFN_NUMBER First, PFN_NUMBER Count)
{
    PFN_NUMBER Zeroed = 0;
    MiBitmapTake(&MiFreePages, First, Count);
    if (MiZeroedPages.Free == 0)
        return FALSE;
    for (PFN_NUMBER At = MiBitmapFind(&MiZeroedPages, First); At < First + Count;
         At = MiBitmapFind(&MiZeroedPages, At + 1)) {
        MiBitmapTake(&MiZeroedPages, At, 1);
        Zeroed++;
    }
    return Zeroed == Count;
}

VOID MiPutFreeLocked(PFN_NUMBER Frame)
{
    MiPfnOf(Frame)->Word = MiWord(MiFrameFree, MiCacheNone, 0);
    MiBitmapFree(&MiFreePages, Frame, 1);
}

PFN_NUMBER MiTakeMetaPageLocked(VOID)
{
    BOOLEAN Zeroed = FALSE;
    PFN_NUMBER Frame = MiBitmapFind(&MiFreePages, MI_DMA_END_PAGE);
    if (Frame == MM_NO_PAGE)
        Frame = MiBitmapFind(&MiFreePages, MI_MEGABYTE_PAGE);
    if (Frame != MM_NO_PAGE)
        Zeroed = MiTakeFreeLocked(Frame, 1);
    else
        Frame = MiTakeStandbyLocked();
    if (Frame != MM_NO_PAGE && !Zeroed)
        MiZeroFrame(Frame);
    return Frame;
}

/* Pages that were taken from the tree get their owner; given back when their entries cannot be made. */
static BOOLEAN MiActivateLocked(PFN_NUMBER First, PFN_NUMBER Count)
{
    if (!MiBackFramesLocked(First, Count)) {
        MiBitmapFree(&MiFreePages, First, Count);
        return FALSE;
    }
    for (PFN_NUMBER I = 0; I < Count; I++)
        MiPfnOf(First + I)->Word = MiWord(MiFrameActive, MiCacheBack, 1);
    return TRUE;
}

/* What somebody wants: Count pages in [Lowest, End) that cross no multiple of Boundary (0: may cross). */
typedef struct _MI_RUN {
    PFN_NUMBER Count, Lowest, End, Boundary;
} MI_RUN;

/* First fit, but the first 16 MiB only when nothing else is left, and the first MiB only for those who ask
 * for it. */
static PFN_NUMBER MiFindRunLocked(const MI_RUN *Run)
{
    PFN_NUMBER Lowest = Run->Lowest;
    if (Lowest < MI_MEGABYTE_PAGE && Run->End > MI_MEGABYTE_PAGE)
        Lowest = MI_MEGABYTE_PAGE;
    if (Lowest < MI_DMA_END_PAGE && Run->End > MI_DMA_END_PAGE) {
        ULONG64 Found = MiBitmapFindRun(&MiFreePages, Run->Count, MI_DMA_END_PAGE, Run->End, Run->Boundary);
        if (Found != MI_BITMAP_NONE)
            return Found;
    }
    return MiBitmapFindRun(&MiFreePages, Run->Count, Lowest, Run->End, Run->Boundary);
}

_Static_assert(MI_BITMAP_NONE == MM_NO_PAGE, "no page and no bit are the same number");

/* --- runs out of the standby list: pages with contents that nobody uses are free pages to those who need a run ------------ */

#define MI_STANDBY_AT_ONCE 64 /* pages; other processors want the lock */

/* Is there such a run of RAM at all, and as many pages that are free or could be? */
static BOOLEAN MiMayFindRunLocked(const MI_RUN *Run)
{
    PFN_NUMBER First = Run->Lowest, Length = 0;
    if (Run->Count > MiFreePages.Free + MiStandby.Count || (Run->Boundary != 0 && Run->Count > Run->Boundary))
        return FALSE;
    while (Length < Run->Count &&
           MiMapNextRam((MI_MEMORY_MAP){MiMemoryMap, MiMemoryMapCount}, Run->End, &First, &Length))
        First += Length;
    return Length >= Run->Count;
}

/* Frees those of the next standby pages from At on that lie within the limits. Returns where to go on. */
static ULONG MiFreeStandbyLocked(const MI_RUN *Run, ULONG At)
{
    for (ULONG I = 0; I < MI_STANDBY_AT_ONCE && At != MI_PFN_END; I++) {
        PFN_NUMBER Frame = At;
        At = MiPfnOf(Frame)->Next;
        if (Frame < Run->Lowest || Frame >= Run->End)
            continue;
        MiTakeStandbyPageLocked(Frame);
        MiPutFreeLocked(Frame);
    }
    return At;
}

/* Lets others have the lock. Where to go on: somebody may have taken that page meanwhile. */
static ULONG MiPauseLocked(ULONG At, KIRQL *OldIrql)
{
    ArchReleaseLock(&MiPhysicalLock, *OldIrql);
    *OldIrql = ArchAcquireLock(&MiPhysicalLock);
    return MiWordState(MiPfnOf(At)->Word) == MiFrameStandby ? At : MiStandby.First;
}

/* The oldest pages within the limits go, some at a time, until there is a run. The lock is not held all the time. */
static PFN_NUMBER MiMakeRunLocked(const MI_RUN *Run, KIRQL *OldIrql)
{
    PFN_NUMBER Found = MM_NO_PAGE;
    ULONG At = MiMayFindRunLocked(Run) ? MiStandby.First : MI_PFN_END;
    while (At != MI_PFN_END && Found == MM_NO_PAGE) {
        At = MiFreeStandbyLocked(Run, At);
        Found = MiFindRunLocked(Run);
        if (At != MI_PFN_END && Found == MM_NO_PAGE)
            At = MiPauseLocked(At, OldIrql);
    }
    return Found;
}

DECLSPEC_NOINLINE PFN_NUMBER MmAllocatePhysicalPages(PFN_NUMBER Count, PFN_NUMBER Lowest, PFN_NUMBER Highest,
                                                     PFN_NUMBER Boundary)
{
    PFN_NUMBER End = Highest >= MiFreePages.Size ? MiFreePages.Size : Highest + 1;
    const MI_RUN Run = {Count, Lowest, End, Boundary};
    if (KE_DENY_ALLOCATION(__builtin_return_address(0)))
        return MM_NO_PAGE;
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    PFN_NUMBER Found = MiFindRunLocked(&Run);
    if (Found == MM_NO_PAGE)
        Found = MiMakeRunLocked(&Run, &OldIrql);
    if (Found != MM_NO_PAGE) {
        MiTakeFreeLocked(Found, Count);
        if (!MiActivateLocked(Found, Count))
            Found = MM_NO_PAGE;
    }
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    return Found;
}

/* Zeroed pages are for those who need them. */
static PFN_NUMBER MiFindPageLocked(BOOLEAN Zero)
{
    PFN_NUMBER Found = MM_NO_PAGE;
    if (Zero)
        Found = MiBitmapFind(&MiZeroedPages, MI_DMA_END_PAGE);
    else if (MiZeroedPages.Free != 0)
        Found = MiBitmapFindWithout(&MiFreePages, &MiZeroedPages, MI_DMA_END_PAGE);
    if (Found == MM_NO_PAGE)
        Found = MiBitmapFind(&MiFreePages, MI_DMA_END_PAGE);
    if (Found == MM_NO_PAGE)
        Found = MiBitmapFind(&MiFreePages, MI_MEGABYTE_PAGE);
    return Found;
}

/* A free page, or one from the standby list, which has an entry already; *Zeroed: it is all zero. */
static PFN_NUMBER MiTakePageLocked(BOOLEAN Zero, BOOLEAN *Zeroed)
{
    PFN_NUMBER Found = MiFindPageLocked(Zero);
    if (Found != MM_NO_PAGE) {
        *Zeroed = MiTakeFreeLocked(Found, 1);
        if (MiActivateLocked(Found, 1))
            return Found;
    }
    *Zeroed = FALSE;
    Found = MiTakeStandbyLocked();
    if (Found != MM_NO_PAGE)
        MiPfnOf(Found)->Word = MiWord(MiFrameActive, MiCacheBack, 1);
    return Found;
}

DECLSPEC_NOINLINE PFN_NUMBER MmAllocatePhysicalPage(BOOLEAN Zero)
{
    BOOLEAN Zeroed;
    if (KE_DENY_ALLOCATION(__builtin_return_address(0)))
        return MM_NO_PAGE;
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    PFN_NUMBER Found = MiTakePageLocked(Zero, &Zeroed);
    BOOLEAN Wake = Zero && MiShouldZeroLocked(MiZeroedPages.Free);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    if (Wake)
        MiWakeZeroThread();
    if (Zero && !Zeroed && Found != MM_NO_PAGE)
        MiZeroFrame(Found);
    return Found;
}

/* --- for the zero-page thread --------------------------------------------------------------------------------------------- */

/* Making its entry may take the page itself. */
static PFN_NUMBER MiFindPageToZeroLocked(VOID)
{
    for (;;) {
        PFN_NUMBER Frame = MiBitmapFindWithout(&MiFreePages, &MiZeroedPages, MI_DMA_END_PAGE);
        if (Frame == MM_NO_PAGE || !MiBackFramesLocked(Frame, 1))
            return MM_NO_PAGE;
        if (MiBitmapIsFree(&MiFreePages, Frame, 1))
            return Frame;
    }
}

PFN_NUMBER MiTakePageToZero(PFN_NUMBER Most, PFN_NUMBER Spare)
{
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    PFN_NUMBER Frame = MM_NO_PAGE;
    if (MiZeroedPages.Free < Most && MiFreePages.Free > MiZeroedPages.Free + Spare)
        Frame = MiFindPageToZeroLocked();
    if (Frame != MM_NO_PAGE) {
        MiBitmapTake(&MiFreePages, Frame, 1);
        MiInZeroing = 1;
    } else {
        MiZeroThreadRestsLocked();
    }
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    return Frame;
}

VOID MiPutZeroedPage(PFN_NUMBER Frame)
{
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    MiPfnOf(Frame)->Word = MiWord(MiFrameZeroed, MiCacheNone, 0);
    MiBitmapFree(&MiFreePages, Frame, 1);
    MiBitmapFree(&MiZeroedPages, Frame, 1);
    MiInZeroing = 0;
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
}

/* [WDK Bug Check 0x4E] 0x9A: freed while locked for I/O; 0x99: a PFN is corrupted, here: it is free, or others share it. */
static VOID MiRequireLastUse(PFN_NUMBER Frame, ULONG64 Word)
{
    if (MiWordLocks(Word) != 0)
        KeBugCheckBlaming(NULL, PFN_LIST_CORRUPT, 0x9a, Frame, MiWordState(Word), MiWordLocks(Word),
                          "memory was freed while an MDL still had its pages locked");
    if (MiWordState(Word) != MiFrameActive || MiWordShares(Word) != 1)
        KeBugCheckEx(PFN_LIST_CORRUPT, 0x99, Frame, MiWordState(Word), 0);
}

VOID MmFreePhysicalPages(PFN_NUMBER First, PFN_NUMBER Count)
{
    if (!MiAreBacked(First, Count))
        KeBugCheckEx(PFN_LIST_CORRUPT, 0x99, First, Count, 0);
    MiRestoreCache(First, Count);
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    if (!MiBitmapIsTaken(&MiFreePages, First, Count))
        KeBugCheckEx(PFN_LIST_CORRUPT, 0x99, First, Count, 0);
    for (PFN_NUMBER Frame = First; Frame < First + Count; Frame++) {
        ULONG64 Free = MiWord(MiFrameFree, MiCacheNone, 0);
        MiRequireLastUse(Frame, __atomic_exchange_n(&MiPfnOf(Frame)->Word, Free, __ATOMIC_ACQ_REL));
    }
    MiBitmapFree(&MiFreePages, First, Count);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
}

PVOID MiAllocateBootMemory(SIZE_T Bytes)
{
    PFN_NUMBER First = MmAllocatePhysicalPages(BYTES_TO_PAGES(Bytes), 0, MM_ANY_PAGE, 0);
    if (First == MM_NO_PAGE)
        MiInstallMoreMemory();
    return MmDirectMap(First << PAGE_SHIFT);
}

static volatile LONG64 MiTablePages;

VOID MiCountTable(VOID)
{
    InterlockedExchangeAdd64(&MiTablePages, 1);
}

VOID MmQueryCounters(MM_COUNTERS *Counters)
{
    *Counters = (MM_COUNTERS){
        .TotalPages = MiTotalPages,
        .FreePages = MiFreePages.Free + MiInZeroing + MiStandby.Count,
        .ZeroedPages = MiZeroedPages.Free,
        .StandbyPages = MiStandby.Count,
        .LowestPage = MiLowestPage,
        .HighestPage = MiHighestPage,
        .TablePages = (PFN_NUMBER)MiTablePages + MiPfnStorePages,
        .PfnPages = MiPfnStorePages,
        .SystemPtes = MiSystemPteSpace.PageCount - MiSystemPteSpace.Map.Free,
    };
}

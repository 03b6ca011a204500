/* SPDX-License-Identifier: MIT
 * Free physical pages: one bit tree over all pages up to the highest free one. Boot costs one bit per page,
 * no page is touched before it is used. */
#include "mi.h"

#define MI_MEGABYTE_PAGE (0x100000 >> PAGE_SHIFT)
#define MI_DMA_END_PAGE (0x1000000 >> PAGE_SHIFT) /* what ISA devices reach: used last */

LOADER_MEMORY_RANGE *MiMemoryMap;
ULONG MiMemoryMapCount;

static ARCH_LOCK MiPhysicalLock = ARCH_LOCK_INIT("free pages", LockRankMmPhysical, DISPATCH_LEVEL);
static MI_BITMAP MiFreePages; /* MiPhysicalLock */
static PFN_NUMBER MiTotalPages, MiLowestPage, MiHighestPage;

VOID MiInstallMoreMemory(VOID)
{
    /* [WDK Bug Check 0x7D] number of pages found, lowest, highest */
    KeBugCheckEx(INSTALL_MORE_MEMORY, MiTotalPages, MiLowestPage, MiHighestPage, 0);
}

static BOOLEAN MiIsRam(const LOADER_MEMORY_RANGE *Range)
{
    return Range->Type != LoaderMemoryReserved && Range->Type != LoaderMemoryBad &&
           Range->Type != LoaderMemoryAcpiNvs;
}

/* Last page + 1 of a range, as far as the direct map reaches; the first page if it does not reach it at all.
 */
static PFN_NUMBER MiReachableEnd(const LOADER_MEMORY_RANGE *Range, ULONG64 DirectMapLength)
{
    ULONG64 End = Range->Base + Range->Length;
    if (End > DirectMapLength)
        End = DirectMapLength > Range->Base ? DirectMapLength : Range->Base;
    return End >> PAGE_SHIFT;
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

/* Takes Pages from the end of the largest free range for our own tables; the range is cut. */
static PFN_NUMBER MiCarve(LOADER_MEMORY_RANGE *Map, ULONG Count, PFN_NUMBER Pages, ULONG64 DirectMapLength)
{
    LOADER_MEMORY_RANGE *Best = NULL;
    for (ULONG I = 0; I < Count; I++) {
        ULONG64 Reachable = (MiReachableEnd(&Map[I], DirectMapLength) << PAGE_SHIFT) - Map[I].Base;
        if (Map[I].Type == LoaderMemoryFree && Reachable == Map[I].Length &&
            Reachable >> PAGE_SHIFT >= Pages && (Best == NULL || Map[I].Length > Best->Length))
            Best = &Map[I];
    }
    if (Best == NULL)
        MiInstallMoreMemory();
    Best->Length -= Pages << PAGE_SHIFT;
    return (Best->Base + Best->Length) >> PAGE_SHIFT;
}

VOID MiInitPhysical(const LOADER_BLOCK *Block)
{
    LOADER_MEMORY_RANGE *Map = (LOADER_MEMORY_RANGE *)Block->MemoryMap;
    ULONG Count = Block->MemoryMapCount;
    MiMeasureMemory(Block);
    if (MiTotalPages == 0)
        MiInstallMoreMemory();

    PFN_NUMBER Limit = Block->DirectMapLength >> PAGE_SHIFT;
    PFN_NUMBER Size = MiHighestPage + 1 < Limit ? MiHighestPage + 1 : Limit;
    SIZE_T MapBytes = (SIZE_T)Count * sizeof(*Map);
    PFN_NUMBER Pages = BYTES_TO_PAGES(MapBytes + MiBitmapBytes(Size));
    PUCHAR Storage = MmDirectMap(MiCarve(Map, Count, Pages, Block->DirectMapLength) << PAGE_SHIFT);

    MiMemoryMap = (LOADER_MEMORY_RANGE *)Storage;
    MiMemoryMapCount = Count;
    MiBitmapInit(&MiFreePages, Size, Storage + MapBytes);
    for (ULONG I = 0; I < Count; I++) {
        MiMemoryMap[I] = Map[I];
        PFN_NUMBER First = Map[I].Base >> PAGE_SHIFT, End = MiReachableEnd(&Map[I], Block->DirectMapLength);
        First += First == 0; /* page 0 is nobody's: a physical address of 0 means none */
        if (Map[I].Type == LoaderMemoryFree && First < End)
            MiBitmapFree(&MiFreePages, First, End - First);
    }
}

VOID MiZeroFrame(PFN_NUMBER Frame)
{
    PVOID Page = MmDirectMap(Frame << PAGE_SHIFT);
    ULONG64 Count = PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(Page), "+c"(Count) : "a"(0ull) : "memory");
}

/* First fit, but the first 16 MiB only when nothing else is left, and the first MiB only for those who ask
 * for it. */
static PFN_NUMBER MiFindPagesLocked(PFN_NUMBER Count, PFN_NUMBER Lowest, PFN_NUMBER End, PFN_NUMBER Boundary)
{
    if (Lowest < MI_MEGABYTE_PAGE && End > MI_MEGABYTE_PAGE)
        Lowest = MI_MEGABYTE_PAGE;
    if (Lowest < MI_DMA_END_PAGE && End > MI_DMA_END_PAGE) {
        ULONG64 Found = MiBitmapFindRun(&MiFreePages, Count, MI_DMA_END_PAGE, End, Boundary);
        if (Found != MI_BITMAP_NONE)
            return Found;
    }
    return MiBitmapFindRun(&MiFreePages, Count, Lowest, End, Boundary);
}

_Static_assert(MI_BITMAP_NONE == MM_NO_PAGE, "no page and no bit are the same number");

PFN_NUMBER MmAllocatePhysicalPages(PFN_NUMBER Count, PFN_NUMBER Lowest, PFN_NUMBER Highest,
                                   PFN_NUMBER Boundary)
{
    PFN_NUMBER End = Highest >= MiFreePages.Size ? MiFreePages.Size : Highest + 1;
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    PFN_NUMBER Found = MiFindPagesLocked(Count, Lowest, End, Boundary);
    if (Found != MM_NO_PAGE)
        MiBitmapTake(&MiFreePages, Found, Count);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    return Found;
}

PFN_NUMBER MmAllocatePhysicalPage(BOOLEAN Zero)
{
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    PFN_NUMBER Found = MiBitmapFind(&MiFreePages, MI_DMA_END_PAGE);
    if (Found == MM_NO_PAGE)
        Found = MiBitmapFind(&MiFreePages, MI_MEGABYTE_PAGE);
    if (Found != MM_NO_PAGE)
        MiBitmapTake(&MiFreePages, Found, 1);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    if (Zero && Found != MM_NO_PAGE)
        MiZeroFrame(Found);
    return Found;
}

VOID MmFreePhysicalPages(PFN_NUMBER First, PFN_NUMBER Count)
{
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    if (!MiBitmapIsTaken(&MiFreePages, First, Count))
        KeBugCheckEx(PFN_LIST_CORRUPT, 0x99, First, Count, 0); /* [WDK Bug Check 0x4E] a PFN is corrupted */
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

static volatile LONG64 MiSystemPtes, MiTablePages;

VOID MiCountSystemPtes(LONG64 Pages)
{
    InterlockedExchangeAdd64(&MiSystemPtes, Pages);
}

VOID MiCountTable(VOID)
{
    InterlockedExchangeAdd64(&MiTablePages, 1);
}

VOID MmQueryCounters(MM_COUNTERS *Counters)
{
    *Counters = (MM_COUNTERS){
        .TotalPages = MiTotalPages,
        .FreePages = MiFreePages.Free,
        .LowestPage = MiLowestPage,
        .HighestPage = MiHighestPage,
        .TablePages = (PFN_NUMBER)MiTablePages,
        .SystemPtes = (PFN_NUMBER)MiSystemPtes,
    };
}

/* SPDX-License-Identifier: MIT
 * One cache type per physical page: [WDK MEMORY_CACHING_TYPE] two mappings of a page with different types are undefined behaviour of the
 * processor, and [Intel SDM volume 3, 12.12.4 "Programming the PAT"] asks software to see to it. So the direct map of a page follows its
 * type: its large page is split for good, page by page of device memory and noncached RAM, of which there is little.
 *
 * Lock: MiSystemSpaceLock: entries of the direct map, and counts and types of device pages. */
#include "pfn.h"
#include "ke.h"

#define MI_DIRECT_TABLE (MI_PTE_PRESENT | MI_PTE_WRITE | MI_PTE_ACCESSED)
#define MI_PTE_CACHE (MI_PTE_WRITE_THROUGH | MI_PTE_CACHE_DISABLE | MI_PTE_PAT)
#define MI_CACHE_LINE 64

BOOLEAN MiCacheOf(MEMORY_CACHING_TYPE Type, MI_CACHE *Cache)
{
    switch (Type) {
    case MmCached:
        *Cache = MiCacheBack;
        return TRUE;
    case MmNonCached:
    case MmNonCachedUnordered: /* [WDK MEMORY_CACHING_TYPE] ordering is stronger than asked for */
        *Cache = MiCacheOff;
        return TRUE;
    case MmWriteCombined:
        *Cache = MiCacheCombine;
        return TRUE;
    default:
        return FALSE;
    }
}

/* Indexes of the page attribute table as MmInitProcessor fills it: 0 write-back, 3 uncached, 4 write-combining. */
MI_PTE MiCacheBits(MI_CACHE Cache)
{
    return Cache == MiCacheOff       ? MI_PTE_CACHE_DISABLE | MI_PTE_WRITE_THROUGH
           : Cache == MiCacheCombine ? MI_PTE_PAT
                                     : 0;
}

static VOID MiSetWordCache(PFN_NUMBER Frame, MI_CACHE Cache)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    ULONG64 Old = Pfn->Word, New;
    do {
        New = (Old & ~MI_WORD_CACHE) | (ULONG64)Cache << MI_WORD_CACHE_SHIFT;
    } while (!__atomic_compare_exchange_n(&Pfn->Word, &Old, New, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

/* --- the direct map: MiSystemSpaceLock held --------------------------------------------------------------------------- */

/* A large page becomes a table of the next smaller ones. Step: bytes of one of them. */
static BOOLEAN MiSplitLocked(MI_PTE *Entry, ULONG64 Step)
{
    MI_PTE Old = MiReadPte(Entry);
    if (!(Old & MI_PTE_LARGE))
        return TRUE;
    PFN_NUMBER Frame = MmAllocatePhysicalPage(FALSE);
    if (Frame == MM_NO_PAGE)
        return FALSE;
    MI_PTE *Table = MmDirectMap(Frame << PAGE_SHIFT);
    MI_PTE Part = Step == PAGE_SIZE ? Old & ~MI_PTE_LARGE : Old;
    for (ULONG I = 0; I < 512; I++)
        MiWritePte(&Table[I], Part + I * Step);
    MiWritePte(Entry, (Frame << PAGE_SHIFT) | MI_DIRECT_TABLE);
    MiCountTable();
    return TRUE;
}

/* 0: the direct map does not reach the page. */
static ULONG_PTR MiDirectAddress(PFN_NUMBER Frame)
{
    ULONG_PTR Address = (ULONG_PTR)MmDirectMap(Frame << PAGE_SHIFT);
    return Address >= MM_DIRECT_MAP_BASE && Address < MM_DIRECT_MAP_END ? Address : 0;
}

/* The page gets an entry of its own, if the direct map has it. */
static BOOLEAN MiSplitDirectLocked(PFN_NUMBER Frame)
{
    ULONG Shift;
    MI_PTE Absent;
    ULONG_PTR Address = MiDirectAddress(Frame);
    if (Address == 0 || MiLookUp(Address, &Shift, &Absent) == 0 || Shift == PAGE_SHIFT)
        return TRUE;
    return MiSplitLocked(MiDirectoryPointerOf(Address), 1ull << 21) &&
           MiSplitLocked(MiDirectoryOf(Address), PAGE_SIZE);
}

/* TRUE: the processors must be told. A page of a large page has the type of all large ones. */
static BOOLEAN MiWriteDirectLocked(PFN_NUMBER Frame, MI_CACHE Cache)
{
    ULONG Shift;
    MI_PTE Absent;
    ULONG_PTR Address = MiDirectAddress(Frame);
    MI_PTE Old = Address != 0 ? MiLookUp(Address, &Shift, &Absent) : 0;
    if (Old == 0 || Shift != PAGE_SHIFT || (Old & MI_PTE_CACHE) == MiCacheBits(Cache))
        return FALSE;
    MiWritePte(MiPteOf(Address), (Old & ~MI_PTE_CACHE) | MiCacheBits(Cache));
    return TRUE;
}

/* What caches hold of RAM must not be written back over what is written past them. The page has its new type already. */
static VOID MiFlushCacheOfFrame(PFN_NUMBER Frame)
{
    PUCHAR Line = MmDirectMap(Frame << PAGE_SHIFT);
    for (ULONG I = 0; I < PAGE_SIZE; I += MI_CACHE_LINE)
        __asm__ volatile("clflush (%0)" : : "r"(Line + I) : "memory");
}

/* --- RAM ----------------------------------------------------------------------------------------------------------------- */

#define MI_CACHE_AT_ONCE 128 /* pages; other processors want the lock */

static BOOLEAN MiSplitSome(const PFN_NUMBER *Frames, SIZE_T Count)
{
    BOOLEAN Done = TRUE;
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    for (SIZE_T I = 0; I < Count && Done; I++)
        Done = MiSplitDirectLocked(Frames[I]);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    return Done;
}

static BOOLEAN MiSplitAll(const PFN_NUMBER *Frames, SIZE_T Count)
{
    BOOLEAN Split = TRUE;
    for (SIZE_T Done = 0; Done < Count && Split; Done += MI_CACHE_AT_ONCE)
        Split = MiSplitSome(Frames + Done, min(Count - Done, MI_CACHE_AT_ONCE));
    return Split;
}

static VOID MiSetSome(const PFN_NUMBER *Frames, SIZE_T Count, MI_CACHE Cache, MI_FLUSH_BATCH *Batch)
{
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    for (SIZE_T I = 0; I < Count; I++) {
        MiSetWordCache(Frames[I], Cache);
        if (MiWriteDirectLocked(Frames[I], Cache))
            MiAddToFlush(Batch, (ULONG_PTR)MmDirectMap(Frames[I] << PAGE_SHIFT), 1);
    }
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
}

BOOLEAN MiSetCache(const PFN_NUMBER *Frames, SIZE_T Count, MI_CACHE Cache)
{
    MI_FLUSH_BATCH Batch;
    BOOLEAN Cached = Cache == MiCacheBack || Cache == MiCacheNone;
    if (!Cached && !MiSplitAll(Frames, Count))
        return FALSE;
    MiBeginFlush(&Batch);
    for (SIZE_T Done = 0; Done < Count; Done += MI_CACHE_AT_ONCE)
        MiSetSome(Frames + Done, min(Count - Done, MI_CACHE_AT_ONCE), Cache, &Batch);
    MiFlushBatch(&Batch);
    for (SIZE_T I = 0; I < Count && !Cached; I++)
        MiFlushCacheOfFrame(Frames[I]);
    return TRUE;
}

BOOLEAN MiSetCacheOfRun(PFN_NUMBER First, SIZE_T Count, MI_CACHE Cache)
{
    enum { Batch = 32 };
    PFN_NUMBER Frames[Batch];
    for (SIZE_T Done = 0; Done < Count; Done += Batch) {
        SIZE_T Now = min(Count - Done, Batch);
        for (SIZE_T I = 0; I < Now; I++)
            Frames[I] = First + Done + I;
        if (!MiSetCache(Frames, Now, Cache)) {
            MiRestoreCache(First, Done);
            return FALSE;
        }
    }
    return TRUE;
}

static BOOLEAN MiIsOtherCache(PFN_NUMBER Frame)
{
    return MiIsManaged(Frame) && MiWordCache(MiPfnOf(Frame)->Word) > MiCacheBack;
}

/* How many of these pages, from the first on, are not written back. */
static SIZE_T MiOtherRun(const PFN_NUMBER *Frames, SIZE_T Count)
{
    SIZE_T Run = 0;
    while (Run < Count && MiIsOtherCache(Frames[Run]))
        Run++;
    return Run;
}

/* Pages that are written back already, and what is nobody's, stay as they are. */
static VOID MiRestorePages(const PFN_NUMBER *Frames, SIZE_T Count)
{
    MI_FLUSH_BATCH Batch;
    SIZE_T Run;
    MiBeginFlush(&Batch);
    for (SIZE_T I = 0; I < Count; I += max(Run, 1)) {
        Run = MiOtherRun(Frames + I, min(Count - I, MI_CACHE_AT_ONCE));
        if (Run != 0)
            MiSetSome(Frames + I, Run, MiCacheBack, &Batch);
    }
    MiFlushBatch(&Batch);
}

BOOLEAN MmSetPagesCaching(const PFN_NUMBER *Frames, SIZE_T Count, MEMORY_CACHING_TYPE Type)
{
    MI_CACHE Cache = MiCacheNone;
    if (Type != MmNotMapped && !MiCacheOf(Type, &Cache))
        return FALSE;
    if (Cache != MiCacheBack)
        return MiSetCache(Frames, Count, Cache);
    MiRestorePages(Frames, Count);
    return TRUE;
}

VOID MiRestoreCache(PFN_NUMBER First, SIZE_T Count)
{
    for (PFN_NUMBER Frame = First; Frame < First + Count; Frame++) {
        SIZE_T Length = 0;
        while (Frame + Length < First + Count && MiWordCache(MiPfnOf(Frame + Length)->Word) > MiCacheBack)
            Length++;
        if (Length != 0)
            (void)MiSetCacheOfRun(Frame, Length, MiCacheBack); /* cannot fail: nothing is split */
        Frame += Length;
    }
}

/* --- mappings -------------------------------------------------------------------------------------------------------------- */

static MI_PTE MiCacheBitsOfStranger(PFN_NUMBER Frame)
{
    BOOLEAN Ram;
    ULONG64 Physical;
    (void)MiRunOfKind(Frame, 1, &Ram);
    return !Ram && Frame < MI_PFN_MOST && MmTranslate(MiPfnOf(Frame), &Physical) ? MiCacheBitsOfDevice(Frame)
                                                                                 : 0;
}

/* RAM that nobody owns is written back like all RAM; so is device memory that nobody else maps. */
MI_PTE MiCacheBitsOfFrame(PFN_NUMBER Frame, MI_CACHE Wanted)
{
    if (!MiIsManaged(Frame))
        return MiCacheBitsOfStranger(Frame);
    MI_CACHE Cache = MiWordCache(MiPfnOf(Frame)->Word);
    if (Cache != MiCacheNone)
        return MiCacheBits(Cache);
    if (!MiSetCache(&Frame, 1, Wanted))
        (void)MiSetCache(&Frame, 1, MiCacheBack);
    return MiCacheBits(MiWordCache(MiPfnOf(Frame)->Word));
}

/* MiSystemSpaceLock held, for this and the next four. */
static VOID MiReleaseDevicePageLocked(PFN_NUMBER Frame, MI_FLUSH_BATCH *Batch)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    NT_CHECK(MiWordState(Pfn->Word) == MiFrameDevice && MiWordShares(Pfn->Word) != 0);
    Pfn->Word -= MI_WORD_SHARE;
    if (MiWordShares(Pfn->Word) != 0)
        return;
    if (MiWriteDirectLocked(Frame, MiCacheBack))
        MiAddToFlush(Batch, (ULONG_PTR)MmDirectMap(Frame << PAGE_SHIFT), 1);
    Pfn->Word = MiWord(MiFrameFree, MiCacheNone, 0);
}

static VOID MiReleaseDeviceLocked(PFN_NUMBER First, SIZE_T Count, MI_FLUSH_BATCH *Batch)
{
    BOOLEAN Ram;
    for (SIZE_T Done = 0, Run; Done < Count; Done += Run) {
        Run = MiRunOfKind(First + Done, Count - Done, &Ram);
        for (SIZE_T I = Done; I < Done + Run && !Ram; I++)
            MiReleaseDevicePageLocked(First + I, Batch);
    }
}

static BOOLEAN MiShareDevicePageLocked(PFN_NUMBER Frame, MI_CACHE Wanted, MI_FLUSH_BATCH *Batch)
{
    MI_PFN *Pfn = MiPfnOf(Frame);
    if (MiWordState(Pfn->Word) == MiFrameDevice) {
        Pfn->Word += MI_WORD_SHARE;
        return TRUE;
    }
    if (Wanted != MiCacheBack && !MiSplitDirectLocked(Frame))
        return FALSE;
    if (MiWriteDirectLocked(Frame, Wanted))
        MiAddToFlush(Batch, (ULONG_PTR)MmDirectMap(Frame << PAGE_SHIFT), 1);
    Pfn->Word = MiWord(MiFrameDevice, Wanted, 1);
    return TRUE;
}

/* Returns how many pages it did. */
static SIZE_T MiShareRunLocked(PFN_NUMBER First, SIZE_T Count, MI_CACHE Wanted, MI_FLUSH_BATCH *Batch)
{
    for (SIZE_T I = 0; I < Count; I++)
        if (!MiShareDevicePageLocked(First + I, Wanted, Batch))
            return I;
    return Count;
}

static SIZE_T MiShareDeviceLocked(PFN_NUMBER First, SIZE_T Count, MI_CACHE Wanted, MI_FLUSH_BATCH *Batch)
{
    BOOLEAN Ram;
    for (SIZE_T Done = 0, Run; Done < Count; Done += Run) {
        Run = MiRunOfKind(First + Done, Count - Done, &Ram);
        SIZE_T Shared = Ram ? Run : MiShareRunLocked(First + Done, Run, Wanted, Batch);
        if (Shared < Run)
            return Done + Shared;
    }
    return Count;
}

static BOOLEAN MiBackDevice(PFN_NUMBER First, SIZE_T Count)
{
    KIRQL OldIrql = ArchAcquireLock(&MiPhysicalLock);
    BOOLEAN Backed = MiBackFramesLocked(First, Count);
    ArchReleaseLock(&MiPhysicalLock, OldIrql);
    return Backed;
}

/* The processors are told under the lock: no two types of a page follow each other unseen. */
BOOLEAN MiShareDevice(PFN_NUMBER First, SIZE_T Count, MI_CACHE Wanted)
{
    MI_FLUSH_BATCH Batch;
    if (!MiBackDevice(First, Count))
        return FALSE;
    MiBeginFlush(&Batch);
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    SIZE_T Done = MiShareDeviceLocked(First, Count, Wanted, &Batch);
    if (Done < Count)
        MiReleaseDeviceLocked(First, Done, &Batch);
    MiFlushBatch(&Batch);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    return Done == Count;
}

VOID MiReleaseDevice(PFN_NUMBER First, SIZE_T Count)
{
    MI_FLUSH_BATCH Batch;
    MiBeginFlush(&Batch);
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    MiReleaseDeviceLocked(First, Count, &Batch);
    MiFlushBatch(&Batch);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
}

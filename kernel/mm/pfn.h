/* SPDX-License-Identifier: MIT
 * Tier 3 of mm: the page frame database, one MI_PFN for each page of RAM that is or was in use, and for each page of device memory that
 * is mapped. It is an array at MM_PFN_DATABASE_BASE, indexed by frame number, backed by memory when a page of the neighbourhood is
 * first used (pfn_store.c): untouched RAM costs nothing. Which pages are free is said by bit trees (physical.c); a page
 * that comes from there is Active with one share, its owner's.
 *
 *            MmAllocatePhysicalPage(s)              last MiReleaseFrame, no lock
 *    Free  ---------------------------->  Active  ---------------------------------> Free, or Standby if it is kept
 *   Zeroed                                  | ^
 *                last share gone, but locks | | MiReviveFrame, MiShareLockedFrame
 *                                           v |
 *                                       Transition  --- last MiUnlockFrame --------> Free, or Standby if it is kept
 *
 *    Free --- zero-page thread ---> Zeroed          Standby --- MiReviveFrame ---> Active
 *                                                   Standby --- memory is short (*Entry = Original) ---> Active, another owner's
 *
 * Locks: Word is changed by compare-exchange, any IRQL <= DISPATCH_LEVEL, no lock. Entry and Original belong to who holds the page
 * Active (set them before MiKeepFrame); Next and Previous to MiPhysicalLock, which also guards the way onto the standby list and
 * off it. A kept page's *Entry is written under MiPhysicalLock when the page is taken away, so it is in memory that is never paged. */
#pragma once
#include "mi.h"
#include "pfn_word.h"

typedef struct _MI_PFN {
    volatile ULONG64 Word; /* (atomic) pfn_word.h */
    MI_PTE *Entry;         /* who maps it: the (prototype) entry. Whose that is, the page's user knows */
    MI_PTE Original;       /* what *Entry becomes when the page is taken from the standby list */
    ULONG Next, Previous;  /* (MiPhysicalLock) standby list, MI_PFN_END at its ends */
} MI_PFN;
ASSERT_SIZE(MI_PFN, 32);

#define MI_PFN_MOST (MM_REGION_SIZE / sizeof(MI_PFN)) /* frames: 64 TiB of addresses */
#define MI_PFN_END 0xffffffffu

/* The entry of a page that its caller got from this manager (its own, or one that a valid kernel or user entry maps and that
 * MiIsManaged says is RAM). */
static inline MI_PFN *MiPfnOf(PFN_NUMBER Frame)
{
    return (MI_PFN *)MM_PFN_DATABASE_BASE + Frame;
}

#define MI_GROUP_FRAMES 4096u    /* whose entries come into being together */
extern PFN_NUMBER MiStoreFrames; /* (c) frames below are RAM and backed by groups */
extern volatile ULONG64
    *MiStoreGroups; /* (MiPhysicalLock; read without) one bit per group: all its entries exist */

static inline BOOLEAN MiIsGroupBacked(ULONG64 Group)
{
    return (MiStoreGroups[Group / 64] >> (Group % 64)) & 1;
}

/* Is the frame RAM that this database counts? FALSE for device memory, holes and RAM that nobody has used yet. Any IRQL. */
static inline BOOLEAN MiIsManaged(PFN_NUMBER Frame)
{
    if (Frame >= MiStoreFrames || !MiIsGroupBacked(Frame / MI_GROUP_FRAMES))
        return FALSE;
    MI_FRAME_STATE State = MiWordState(MiPfnOf(Frame)->Word);
    return State != MiFrameDevice && State != MiFrameFree;
}

/* Do all of these have entries? RAM that was used, and its neighbours. Count > 0. */
BOOLEAN MiAreBacked(PFN_NUMBER First, PFN_NUMBER Count);

/* One more entry maps the page, which somebody (the caller, who knows of it) uses already. */
VOID MiShareFrame(PFN_NUMBER Frame);

/* One more entry maps a page of an MDL, which keeps it there whether others use it still or not. FALSE: nobody keeps it. */
BOOLEAN MiShareLockedFrame(PFN_NUMBER Frame);

/* One entry less, after the TLBs were told. The last share of a page without locks: the page is free, or on the standby list if it is kept;
 * with locks that happens at the last unlock. */
VOID MiReleaseFrame(PFN_NUMBER Frame);

/* Keeps a page that is in use where it is, whoever releases it (MDLs). FALSE: 2^24 locks already, or nobody uses it. */
BOOLEAN MiLockFrame(PFN_NUMBER Frame);

/* [WDK Bug Check 0x4E] 7: unlocked more often than locked. */
VOID MiUnlockFrame(PFN_NUMBER Frame);

/* io_space.c: behind the last physical address that the processor and our database know. */
ULONG64 MiPhysicalEnd(VOID);

/* --- cache types: cache.c -------------------------------------------------------------------------------------------------
 * A physical page has one cache type while it is mapped, in all its mappings and in the direct map. RAM is MiCacheBack unless its owner says
 * otherwise before it is mapped (MiSetCache); MiCacheNone there means that the first mapping decides. Device memory gets the type of its
 * first mapping and loses it with the last. Who asks for another type gets the one that is there. */

/* FALSE: no such type. */
BOOLEAN MiCacheOf(MEMORY_CACHING_TYPE Type, MI_CACHE *Cache);
#define MI_IS_CACHE_TYPE(Type) ((ULONG)(Type) < MmMaximumCacheType) /* what the documentation has */
MI_PTE MiCacheBits(MI_CACHE Cache);                                 /* of an entry; none for MiCacheNone */

/* The bits of a mapping's entry for the page: those of its own type, which becomes Wanted if it has none yet. RAM only for MiCacheNone. IRQL
 * <= DISPATCH_LEVEL, no spin lock of mm held: it takes MiSystemSpaceLock. */
MI_PTE MiCacheBitsOfFrame(PFN_NUMBER Frame, MI_CACHE Wanted);

/* The caller owns these pages and nobody maps them. FALSE, and all as before, when there is no memory for page tables. */
BOOLEAN MiSetCache(const PFN_NUMBER *Frames, SIZE_T Count, MI_CACHE Cache);
BOOLEAN MiSetCacheOfRun(PFN_NUMBER First, SIZE_T Count, MI_CACHE Cache);

/* Pages that are about to be freed: MiCacheBack again. */
VOID MiRestoreCache(PFN_NUMBER First, SIZE_T Count);

/* Device memory (what is RAM in the range is passed by): one mapping more, and one less. FALSE: memory is short. */
BOOLEAN MiShareDevice(PFN_NUMBER First, SIZE_T Count, MI_CACHE Wanted);
VOID MiReleaseDevice(PFN_NUMBER First, SIZE_T Count);

/* Of a page of device memory that is mapped. */
static inline MI_PTE MiCacheBitsOfDevice(PFN_NUMBER Frame)
{
    return MiCacheBits(MiWordCache(MiPfnOf(Frame)->Word));
}

/* physical.c: how many of these pages are, like the first, RAM by the memory map, or like it not. Count > 0. */
SIZE_T MiRunOfKind(PFN_NUMBER First, SIZE_T Count, BOOLEAN *Ram);

/* --- pages whose contents can be asked for again: prototype entries of sections ------------------------------------- */

/* The page is Active and the caller's: unused, it goes to the standby list from now on. *Entry is what names the page and gets Original when
 * memory is short; it stays valid until MiForgetFrame. */
VOID MiKeepFrame(PFN_NUMBER Frame, MI_PTE *Entry, MI_PTE Original);

/* The page that *Entry named a moment ago, in whatever state: one share more, Active. FALSE: it was taken away meanwhile, *Entry is Original. */
BOOLEAN MiReviveFrame(PFN_NUMBER Frame, MI_PTE *Entry);

/* *Entry goes away, or the page is dirty: it is not kept any more. On the standby list it is freed; in use it is freed after its last use. FALSE: it
 * was taken away before. */
BOOLEAN MiForgetFrame(PFN_NUMBER Frame, MI_PTE *Entry);

/* --- for physical.c: MiPhysicalLock held ------------------------------------------------------------------------------- */

typedef struct _MI_STANDBY {
    ULONG First, Last; /* oldest first */
    PFN_NUMBER Count;
} MI_STANDBY;
extern MI_STANDBY MiStandby; /* MiPhysicalLock */

/* Takes the oldest standby page, or this one, away from its entry; MM_NO_PAGE when there is none. Its word is that of an unused page. */
PFN_NUMBER MiTakeStandbyLocked(VOID);
VOID MiTakeStandbyPageLocked(PFN_NUMBER Frame);

/* pfn_store.c: makes the entries of the frames [First, First + Count) exist. FALSE: memory is short. Meta pages come from MiTakeMetaPageLocked. */
BOOLEAN MiBackFramesLocked(PFN_NUMBER First, PFN_NUMBER Count);
VOID MiInitPfnStore(PFN_NUMBER Frames,
                    PVOID GroupBits); /* GroupBits: MiPfnStoreBytes(Frames), any contents */
SIZE_T MiPfnStoreBytes(PFN_NUMBER Frames);
extern PFN_NUMBER MiPfnStorePages;

/* physical.c */
extern ARCH_LOCK MiPhysicalLock;
PFN_NUMBER MiTakeMetaPageLocked(VOID);  /* free or standby, its entry has no owner yet; zeroed */
VOID MiPutFreeLocked(PFN_NUMBER Frame); /* an unused page becomes free */

/* A free page that is not zero, out of the free ones; MM_NO_PAGE when Most are zeroed or no more than Spare others are free: the thread then
 * rests. */
PFN_NUMBER MiTakePageToZero(PFN_NUMBER Most, PFN_NUMBER Spare);
VOID MiPutZeroedPage(PFN_NUMBER Frame);

extern BOOLEAN MiZeroResting; /* MiPhysicalLock: the thread waits or is about to, and nobody has woken it */

/* zero_page.c. The first two: MiPhysicalLock held. Who is told that it should be woken does that, without the lock. */
BOOLEAN MiShouldZeroLocked(PFN_NUMBER Zeroed);
VOID MiZeroThreadRestsLocked(VOID);
VOID MiWakeZeroThread(VOID);

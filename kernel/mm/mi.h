/* SPDX-License-Identifier: MIT
 * Tier 3 of mm: page-table entries, address regions, and who may call whom inside the folder.
 *
 * Locks: MiSystemSpaceLock (which addresses are taken, which page tables exist) before MiPhysicalLock (which
 * pages are free), because making a table needs a page. Entries of a reserved range belong to who reserved
 * it: no lock. Page tables of the kernel half are never freed, so that tables can be read without a lock at
 * any IRQL. */
#pragma once
#include <bugcodes.h>
#include "mm.h"
#include "arch.h"
#include "bitmap.h"

/* layout.c: fills MmLayout. First of all. */
VOID MiInitLayout(const LOADER_BLOCK *Block);

/* --- entries -------------------------------------------------------------------------------------------- */

typedef ULONG64 MI_PTE;

#define MI_PTE_PRESENT 0x1ull
#define MI_PTE_WRITE 0x2ull
#define MI_PTE_WRITE_THROUGH 0x8ull
#define MI_PTE_CACHE_DISABLE 0x10ull
#define MI_PTE_ACCESSED 0x20ull
#define MI_PTE_DIRTY 0x40ull
#define MI_PTE_LARGE 0x80ull /* in a directory: maps a large page */
#define MI_PTE_PAT 0x80ull   /* in a page table: upper half of the page attribute table */
#define MI_PTE_GLOBAL 0x100ull
#define MI_PTE_FIRST 0x200ull /* ours: first and last page of one mapping */
#define MI_PTE_LAST 0x400ull
#define MI_PTE_OWNS 0x800ull /* ours: its page is freed with the mapping */
#define MI_PTE_FRAME 0x000ffffffffff000ull
#define MI_PTE_USE_SHIFT 52           /* ours: bits 52-55, MI_USE */
#define MI_PTE_KEY_PAGED (1ull << 59) /* bits 59-62: protection key, 1 for paged pool */
#define MI_PTE_NX (1ull << 63)
#define MI_CR4_GLOBAL (1ull << 7) /* MI_PTE_GLOBAL counts */

/* What a present page of system space is for: a free function accepts its own kind only. */
typedef enum _MI_USE {
    MiUseNone,
    MiUsePages,
    MiUseStack,
    MiUseIoSpace,
    MiUseMdl,
    MiUseContiguous,
    MiUseNonCached,
    MiUsePool,
    MiUseImage,
    MiUseReserved, /* addresses of MmAllocateMappingAddress */
    MiUseView,
} MI_USE;

/* An entry that is not present says why, in bits 56-58. A stack guard has the pages of its stack in bits 12 up; an entry whose
 * protection is MmNoAccess keeps all its other bits, the mapping lives on. */
typedef enum _MI_ABSENT {
    MiAbsentNever,
    MiAbsentStackGuard,
    MiAbsentFreedPool,
    MiAbsentFreedImage,
    MiAbsentFreedMapping,
    MiAbsentNoAccess,
    MiAbsentReserved, /* in front of a reserved mapping address: how many pages, and its tag; mdl_map.c */
    MiAbsentOwner, /* behind a driver's mapping; bits 12 up: offset of the code that asked for it, owner.c */
} MI_ABSENT;
#define MI_ABSENT_SHIFT 56
#define MI_ABSENT_PTE(Kind, Pages) (((ULONG64)(Kind) << MI_ABSENT_SHIFT) | ((ULONG64)(Pages) << PAGE_SHIFT))
#define MI_ABSENT_KIND(Pte) ((MI_ABSENT)(((Pte) >> MI_ABSENT_SHIFT) & 7))
#define MI_ABSENT_PAGES(Pte) (((Pte) & MI_PTE_FRAME) >> PAGE_SHIFT)

static inline BOOLEAN MiIsMapped(MI_PTE Pte)
{
    return (Pte & MI_PTE_PRESENT) || MI_ABSENT_KIND(Pte) == MiAbsentNoAccess;
}

/* Addresses of the entries that map an address, through the recursive slot. */
static inline MI_PTE *MiPteOf(ULONG_PTR Address)
{
    return (MI_PTE *)(MM_PAGE_TABLES_BASE + ((Address >> 9) & 0x7ffffffff8ull));
}

static inline MI_PTE *MiDirectoryOf(ULONG_PTR Address)
{
    return MiPteOf((ULONG_PTR)MiPteOf(Address));
}

static inline MI_PTE *MiDirectoryPointerOf(ULONG_PTR Address)
{
    return MiPteOf((ULONG_PTR)MiDirectoryOf(Address));
}

static inline MI_PTE *MiTopOf(ULONG_PTR Address)
{
    return MiPteOf((ULONG_PTR)MiDirectoryPointerOf(Address));
}

/* The index of an address in the top-level table. */
static inline ULONG MiSlotOf(ULONG_PTR Address)
{
    return (Address >> 39) & 511;
}

static inline MI_PTE MiReadPte(const MI_PTE *Pte)
{
    return *(const volatile MI_PTE *)Pte;
}

static inline VOID MiWritePte(MI_PTE *Pte, MI_PTE Value)
{
    *(volatile MI_PTE *)Pte = Value;
}

static inline PFN_NUMBER MiFrameOf(MI_PTE Pte)
{
    return (Pte & MI_PTE_FRAME) >> PAGE_SHIFT;
}

/* pagetable.c. All bits but frame, FIRST and LAST; 0 for a cache type that does not exist. Not for MmNoAccess. */
#define MI_PTE_PROTECTION                                                                                    \
    (MI_PTE_PRESENT | MI_PTE_WRITE | MI_PTE_DIRTY | MI_PTE_NX | (7ull << MI_ABSENT_SHIFT))
MI_PTE MiProtectionBits(MM_PROTECTION Protection);
#define MI_TEMPLATE(Rights, Use)                                                                             \
    ((Rights) | MI_PTE_ACCESSED | MI_PTE_GLOBAL | ((MI_PTE)(Use) << MI_PTE_USE_SHIFT)) /* MmCached */
MI_PTE MiTemplate(MM_PROTECTION Protection, MEMORY_CACHING_TYPE Cache, MI_USE Use);

/* Makes the tables for the range. MiSystemSpaceLock held. FALSE when memory is short; tables made so far
 * stay. */
BOOLEAN MiEnsureTablesLocked(ULONG_PTR Base, SIZE_T PageCount);

/* The entry that maps Address, of a large page too (its size in *Shift: 12, 21 or 30). 0 when there is none:
 * then *Shift is 12 only if a page table exists, and *Absent is its entry. Any IRQL. */
MI_PTE MiLookUp(ULONG_PTR Address, ULONG *Shift, MI_PTE *Absent);

/* The one place that tells the processors, all of them, about changed entries: one interrupt to each for a whole range. Interrupts on,
 * IRQL <= DISPATCH_LEVEL. */
VOID MiFlushTlbRange(ULONG_PTR Base, SIZE_T PageCount);
VOID MiFlushTlbAll(VOID);
VOID MiFlushTlbHere(VOID); /* the calling processor only */

/* Changed entries of several ranges, told of with one interrupt: neighbours are one range, too many are everything. */
#define MI_FLUSH_RANGES 8
typedef struct _MI_FLUSH_BATCH {
    ULONG Count;
    SIZE_T PageCount; /* of all ranges */
    struct {
        ULONG_PTR Base;
        SIZE_T PageCount;
    } Range[MI_FLUSH_RANGES];
} MI_FLUSH_BATCH;
static inline VOID MiBeginFlush(MI_FLUSH_BATCH *Batch)
{
    Batch->Count = 0;
    Batch->PageCount = 0;
}
VOID MiAddToFlush(MI_FLUSH_BATCH *Batch, ULONG_PTR Base, SIZE_T PageCount);
VOID MiFlushBatch(const MI_FLUSH_BATCH *Batch);

/* --- address regions: space.c
 * ------------------------------------------------------------------------------------ */

typedef struct _MI_SPACE {
    ULONG_PTR Base;
    SIZE_T PageCount;
    MI_BITMAP Map; /* MiSystemSpaceLock */
    SIZE_T Lowest; /* MiSystemSpaceLock; all pages below are taken */
    SIZE_T
    TableEnd; /* MiSystemSpaceLock, read without; grows only: pages from the first free one on to here have page tables */
} MI_SPACE;

extern ARCH_LOCK MiSystemSpaceLock;
extern MI_SPACE MiImageSpace, MiSystemPteSpace, MiPoolSpace[MmAllPoolRegions];

VOID MiInitSpace(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount, SIZE_T FirstFree);

/* Page-aligned address of PageCount pages that nobody uses, with page tables; 0 when there are none. IRQL <=
 * DISPATCH_LEVEL. */
ULONG_PTR MiReserve(MI_SPACE *Space, SIZE_T PageCount);
ULONG_PTR MiReserveFrom(MI_SPACE *Space, SIZE_T PageCount,
                        SIZE_T From); /* from that page of the region on, if there are any */
VOID MiRelease(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount);

/* One entry of a mapping of PageCount pages. */
static inline MI_PTE MiEntry(MI_PTE Template, PFN_NUMBER Frame, SIZE_T Index, SIZE_T PageCount)
{
    return Template | (Frame << PAGE_SHIFT) | (Index == 0 ? MI_PTE_FIRST : 0) |
           (Index == PageCount - 1 ? MI_PTE_LAST : 0);
}

/* Fill entries of a reserved range. The first kind allocates its pages: FALSE and nothing mapped when they
 * are short. */
BOOLEAN MiMapNewPages(ULONG_PTR Base, SIZE_T PageCount, MI_PTE Template, BOOLEAN Zero);
VOID MiMapRun(ULONG_PTR Base, SIZE_T PageCount, MI_PTE Template, PFN_NUMBER First);

/* Undoes the above: flushes, then frees the pages that the mapping owns. Absent entries are left alone. */
VOID MiUnmap(ULONG_PTR Base, SIZE_T PageCount, MI_ABSENT Absent);

/* Pages of the mapping of that use that starts at Base; 0 when none does. */
SIZE_T MiMeasure(const MI_SPACE *Space, ULONG_PTR Base, MI_USE Use);

/* New protection for PageCount pages of mappings of any kind; what is not mapped stays so. */
VOID MiProtect(ULONG_PTR Base, SIZE_T PageCount, MM_PROTECTION Protection);

/* MiMeasure, MiUnmap, MiRelease; a PageCount that is not the mapping's is SYSTEM_PTE_MISUSE. */
VOID MiFreeMapping(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount, MI_USE Use, MI_ABSENT Absent);

/* The same without MiRelease. */
VOID MiUnmapWhole(MI_SPACE *Space, ULONG_PTR Base, SIZE_T PageCount, MI_USE Use, MI_ABSENT Absent);

/* --- mappings of drivers in MiSystemPteSpace: owner.c. Owner: return address in who asked for it
 * ------------------------------------------ */

ULONG_PTR MiReserveOwned(SIZE_T PageCount, const void *Owner); /* as MiReserve */
VOID MiReleaseOwned(ULONG_PTR Base, SIZE_T PageCount);         /* nothing is mapped there */
VOID MiFreeOwnedMapping(ULONG_PTR Base, SIZE_T PageCount, MI_USE Use);
#define MI_RESERVED_HEAD 2 /* pages in front of addresses of MmAllocateMappingAddress: mdl_map.c */

/* --- physical pages: physical.c
 * -------------------------------------------------------------------------------------- */

extern LOADER_MEMORY_RANGE *MiMemoryMap; /* (c) sorted copy of the loader's */
extern ULONG MiMemoryMapCount;           /* (c) */

VOID MiInitPhysical(const LOADER_BLOCK *Block);
VOID MiZeroFrame(PFN_NUMBER Frame);

/* Pages for our own tables at boot, seen through the direct map, zeroed by the bitmap that lives there. Never
 * fails: stops with INSTALL_MORE_MEMORY. */
PVOID MiAllocateBootMemory(SIZE_T Bytes);
DECLSPEC_NORETURN VOID MiInstallMoreMemory(VOID);

/* mdl_map.c: Passed pages and Bytes bytes at the front of the MDL go. */
VOID MiShrinkMdlMapping(PMDL Mdl, SIZE_T Passed, ULONG Bytes);

VOID MiCountTable(VOID);

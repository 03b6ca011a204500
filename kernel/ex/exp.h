/* SPDX-License-Identifier: MIT
 * Tier 3 of ex, pools: their structures.
 *
 * A pool is a region of addresses. Requests up to EXP_SMALL_MAX come from pages that are cut into blocks of
 * one class; larger ones are whole pages. One record per page, outside the pool, says what the page is, so
 * that no pointer that a driver frees is believed before it has been looked up.
 *
 *   small page   | header | block ...... | header | block ...... | ... | rest |
 *   record       State Small, Class, free blocks of the page (chained through their first bytes)
 *   large        page-aligned, no header; the record of the first page has tag, size, owner
 *
 * Freed blocks go to the cache of the freeing processor (an SLIST per class, no lock); when it is full, back
 * to the page under the pool's lock. Pages that are all free go back to mm, which unmaps them.
 *
 * Lock: Pool->Lock (LockRankExPool): page lists of all classes and the free chains of pages. mm's locks come
 * after it. */
#pragma once
#include <bugcodes.h>
#include "ex.h"
#include "mm.h"
#include "ke.h"
#include "ke_checks.h"

/* --- structures --------------------------------------------------------------------------------------------
 */

#define EXP_HEADER_SIZE 16u
#define EXP_GUARD_MIN                                                                                        \
    (NTBOX_CHECKED ? 8u : 0u) /* checked kernel: bytes behind a block, compared when it is freed */
#define EXP_GUARD_MAX 16u
#define EXP_CLASSES 22
#define EXP_LARGEST_BLOCK 2048u
#define EXP_SMALL_MAX (EXP_LARGEST_BLOCK - EXP_HEADER_SIZE - EXP_GUARD_MIN)
#define EXP_CACHES                                                                                           \
    8 /* per-processor caches; more processors share them, which is correct and only slower                  \
       */
#define EXP_CACHE_BYTES 4096u                         /* what one list of a cache may hold */
#define EXP_PAGE_CACHE_DEPTH (NTBOX_CHECKED ? 0 : 16) /* checked kernel: freed pages are unmapped at once */
#define EXP_NO_PAGE 0xffffffffu

#define EXP_GUARD_BYTE 0xb5
#define EXP_FREED_WORD KE_FREED_POOL_WORD

/* Values far from each other and from what strings and small numbers look like. */
typedef enum _EXP_BLOCK_STATE { ExpBlockAllocated = 0xa7, ExpBlockFree = 0xf1 } EXP_BLOCK_STATE;

/* In front of each small block. */
typedef struct _EXP_HEADER {
    ULONG Tag;
    USHORT Size; /* bytes asked for */
    UCHAR Reserved;
    UCHAR State; /* EXP_BLOCK_STATE; changed atomically when freed */
    PVOID Owner; /* code address of the allocation */
} EXP_HEADER;
ASSERT_SIZE(EXP_HEADER, EXP_HEADER_SIZE);

/* Freed: first page of a large block that is gone; the record tells of its last life. */
typedef enum _EXP_PAGE_STATE {
    ExpPageUnused,
    ExpPageSmall,
    ExpPageLarge,
    ExpPageLargeRest,
    ExpPageFreed
} EXP_PAGE_STATE;

typedef struct _EXP_PAGE {
    UCHAR State;      /* EXP_PAGE_STATE */
    UCHAR Class;      /* small */
    USHORT FreeCount; /* small: blocks in the chain (lock) */
    USHORT FirstFree; /* small: offset of the first free block, valid if FreeCount > 0 (lock) */
    USHORT Reserved;
    union {
        struct {
            ULONG Next, Previous; /* small: pages of the class that have free blocks (lock) */
        };
        struct {
            ULONG Tag, PageCount; /* large */
        };
    };
    SIZE_T Size; /* large: bytes asked for */
    PVOID Owner; /* large */
} EXP_PAGE;
ASSERT_SIZE(EXP_PAGE, 32);

typedef struct _EXP_POOL {
    ARCH_LOCK Lock;
    MM_POOL_REGION Region;         /* (c) */
    POOL_TYPE Type;                /* (c) NonPagedPoolNx or PagedPool */
    ULONG_PTR Base;                /* (c) */
    SIZE_T PageCount;              /* (c) */
    EXP_PAGE *Records;             /* (c) one per page, backed up to RecordEnd */
    volatile LONG64 RecordEnd;     /* grows only */
    ULONG Partial[EXP_CLASSES];    /* (lock) first page that has free blocks, EXP_NO_PAGE if none */
    ULONG EmptyPages[EXP_CLASSES]; /* (lock) of those, pages without a live block; one is kept */
    SLIST_HEADER Cache[EXP_CACHES][EXP_CLASSES]; /* free blocks */
    SLIST_HEADER Pages[EXP_CACHES];              /* free single pages */
} EXP_POOL;

extern EXP_POOL ExpPools[MmPoolRegions];

/* --- classes: pool_class.c
 * ------------------------------------------------------------------------------------ */

extern const USHORT ExpBlockSize[EXP_CLASSES];
extern USHORT ExpCacheDepth[EXP_CLASSES];
extern UCHAR
    ExpClassOfUnits[EXP_LARGEST_BLOCK / 16 + 1]; /* by size in 16-byte units, header and guard included */

VOID ExpInitializeClasses(VOID);

static inline ULONG ExpClassOf(SIZE_T Size)
{
    return ExpClassOfUnits[(Size + EXP_HEADER_SIZE + EXP_GUARD_MIN + 15) / 16];
}

static inline EXP_POOL *ExpPoolOf(const void *Address)
{
    ULONG64 Slot = ((ULONG64)Address - MM_NONPAGED_POOL_BASE) / MM_REGION_SIZE;
    return Slot < MmPoolRegions ? &ExpPools[Slot] : NULL;
}

static inline EXP_HEADER *ExpHeaderOf(const void *Block)
{
    return (EXP_HEADER *)((ULONG_PTR)Block - EXP_HEADER_SIZE);
}

static inline SIZE_T ExpPageIndex(const EXP_POOL *Pool, const void *Address)
{
    return ((ULONG_PTR)Address - Pool->Base) / PAGE_SIZE;
}

static inline ULONG ExpCacheIndex(VOID)
{
    return KeGetPrcb()->Number % EXP_CACHES;
}

/* --- parts: pool_small.c, pool_large.c, pool_check.c
 * ------------------------------------------------------------ */

/* A block from a page of the class, or NULL. Its header's State is ExpBlockFree. */
EXP_HEADER *ExpTakeBlock(EXP_POOL *Pool, ULONG Class);
VOID ExpGiveBlock(EXP_POOL *Pool, EXP_HEADER *Header);

/* Everything that the caches hold goes back to pages and to mm. */
VOID ExpTrimCaches(EXP_POOL *Pool);

/* Block is the first page of a large block that is allocated. Tag 0: any. */
PVOID ExpAllocateLarge(EXP_POOL *Pool, SIZE_T Size, ULONG Tag, PVOID Owner);
VOID ExpFreeLarge(EXP_POOL *Pool, PVOID Block, ULONG Tag, const void *Freer);

/* Backs the records of pages [First, First + Count). */
BOOLEAN ExpCommitRecords(EXP_POOL *Pool, SIZE_T First, SIZE_T Count);

/* Patterns behind and inside blocks. Room is the bytes that the block could hold. */
#if NTBOX_CHECKED
VOID ExpSetGuard(PVOID Block, SIZE_T Size, SIZE_T Room);
VOID ExpCheckGuard(PVOID Block, SIZE_T Size, SIZE_T Room);
VOID ExpFillFreed(EXP_HEADER *Header, ULONG Class);
VOID ExpCheckFreed(EXP_HEADER *Header, ULONG Class);
VOID ExpCheckNoResource(PVOID Block, SIZE_T Size); /* resource.c */
#else
#define ExpSetGuard(Block, Size, Room) ((void)0)
#define ExpCheckGuard(Block, Size, Room) ((void)0)
#define ExpFillFreed(Header, Class) ((void)0)
#define ExpCheckFreed(Header, Class) ((void)0)
#define ExpCheckNoResource(Block, Size) ((void)0)
#endif

/* Stop the machine; the log says whose block it is. */
DECLSPEC_NORETURN VOID ExpBadPointer(EXP_POOL *Pool, PVOID Block);
DECLSPEC_NORETURN VOID ExpBadHeader(EXP_POOL *Pool, EXP_HEADER *Header);
DECLSPEC_NORETURN VOID ExpWrongTag(PVOID Block, ULONG Allocated, ULONG Freed);

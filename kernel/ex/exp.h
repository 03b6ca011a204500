/* SPDX-License-Identifier: MIT
 * Tier 3 of ex, pools: their structures.
 *
 * A pool is a region of addresses. Requests up to EXP_SMALL_MAX come from pages that are cut into blocks of
 * one class (pool_page.h); larger ones are whole pages. One record per page, outside the pool, says what the page is, so
 * that no pointer that a driver frees is believed before it has been looked up.
 *
 *   record       small: class, which blocks are free; large: the record of the first page has tag, size, owner
 *
 * Freed blocks go to a magazine of the freeing processor, one per class, which nobody else touches: it is used with
 * interrupts off, which costs less than a lock and less than a change of the IRQL. What does not fit goes back to its
 * page under the pool's lock. Pages that are all free go back to mm, which unmaps them.
 *
 * Locks: ExpTrimLock (LockRankExPoolTrim; who takes the magazines of others away), then Pool->Lock (LockRankExPool): page
 * lists of all classes and the sets of free blocks. Under it no block is touched: those of paged pool must not be at
 * DISPATCH_LEVEL. mm's locks come after it, and are not taken under it. */
#pragma once
#include <bugcodes.h>
#include "ex.h"
#include "mm.h"
#include "ke.h"
#include "ke_checks.h"
#include "pool_page.h"

/* --- structures -------------------------------------------------------------------------------------------- */

#define EXP_GUARD_MIN                                                                                        \
    (NTBOX_CHECKED ? 8u                                                                                      \
                   : 0u)  /* checked kernel: of a small block, a copy of its header at the end of its room */
#define EXP_GUARD_MAX 16u /* checked kernel: bytes behind a block that are compared when it is freed */
#define EXP_SMALL_MAX (EXP_LARGEST_BLOCK - EXP_HEADER_SIZE - EXP_GUARD_MIN)
#define EXP_NO_PAGE 0xffffffffu

#define EXP_GUARD_BYTE 0xb5
#define EXP_FREED_WORD KE_FREED_POOL_WORD

/* Values far from each other and from what strings and small numbers look like. */
typedef enum _EXP_BLOCK_STATE {
    ExpBlockAllocated = 0xa7,
    ExpBlockFree = 0xf1,
    ExpBlockChanging = 0x5c /* the header is being written: it says nothing */
} EXP_BLOCK_STATE;

/* Whose a block is. Free kernel: the code address that allocated it. Checked kernel: the call chain that did, in the upper
 * half the one that freed it (pool_trace.c). 0: nobody knows. */
typedef ULONG64 EXP_OWNER;

/* In front of each small block. In the checked kernel what is written there by others is found, to the last byte: an underrun of the
 * block, or an overrun of the one before it. */
typedef struct _EXP_HEADER {
    ULONG Tag;
    USHORT Size; /* bytes asked for */
    UCHAR Zero;
    UCHAR State; /* EXP_BLOCK_STATE; changed atomically when freed */
#if NTBOX_CHECKED
    USHORT Allocator, Freer; /* numbers of call chains; Freer is 0 while it is allocated */
    ULONG Seal;              /* follows from all others and from the address */
#else
    EXP_OWNER Owner;
#endif
} EXP_HEADER;
ASSERT_SIZE(EXP_HEADER, EXP_HEADER_SIZE);
#if !NTBOX_CHECKED
ASSERT_OFFSET(EXP_HEADER, Owner, EXP_HEADER_SIZE - sizeof(EXP_OWNER)); /* ExSetPoolOwner */
#endif

#if NTBOX_CHECKED
ULONG ExpSealOf(const EXP_HEADER *Header, const void *Place); /* Place: where the header lies */
#define ExpHeaderOwner(Header) ((Header)->Allocator | (EXP_OWNER)(Header)->Freer << 32)
#else
#define ExpHeaderOwner(Header) ((Header)->Owner)
#endif

/* The block is the caller's alone. */
static inline VOID ExpWriteHeader(EXP_HEADER *Header, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
#if NTBOX_CHECKED
    __atomic_store_n(&Header->State, ExpBlockChanging, __ATOMIC_RELAXED);
    Header->Allocator = (USHORT)Owner;
    Header->Freer = 0;
#else
    Header->Owner = Owner;
#endif
    Header->Tag = Tag;
    Header->Size = (USHORT)Size;
#if NTBOX_CHECKED
    Header->Seal = ExpSealOf(Header, Header);
    __atomic_store_n(&Header->State, ExpBlockAllocated, __ATOMIC_RELEASE);
#else
    Header->State = ExpBlockAllocated;
#endif
}

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
    UCHAR Class;      /* small; special pool: EXP_TYPE_PAGED or 0 */
    USHORT FreeCount; /* small: blocks in Free (lock) */
    union {
        ULONG PageCount; /* large */
        ULONG Magazine;  /* small: offset of the magazine in an EXP_CACHE, and of the row in ExpBlockAt */
    };
    union {
        struct {
            ULONG Next, Previous; /* small: pages of the class that have free blocks (lock) */
        };
        struct {
            ULONG Tag;    /* large */
            ULONG Offset; /* special pool: of the block in the first page */
        };
    };
    union {
        EXP_BLOCK_SET Free; /* small (lock) */
        struct {
            SIZE_T Size;     /* large: bytes asked for */
            EXP_OWNER Owner; /* large */
        };
    };
} EXP_PAGE;
ASSERT_SIZE(EXP_PAGE, 32);

typedef struct _EXP_POOL {
    ARCH_LOCK Lock;
    MM_POOL_REGION Region;         /* (c) */
    POOL_TYPE Type;                /* (c) NonPagedPoolNx or PagedPool */
    ULONG_PTR Base;                /* (c) */
    SIZE_T PageCount;              /* (c) */
    EXP_PAGE *Records;             /* (c) one per page, backed as far as ExpRecordEnds says */
    ULONG Partial[EXP_CLASSES];    /* (lock) first page that has free blocks, EXP_NO_PAGE if none */
    ULONG EmptyPages[EXP_CLASSES]; /* (lock) of those, pages without a live block; one is kept */
} EXP_POOL;

extern EXP_POOL ExpPools[MmAllPoolRegions];

/* Records of all pools are one array, region after region: addresses are plenty. */
#define EXP_RECORDS ((EXP_PAGE *)MM_POOL_RECORDS_BASE)
#define EXP_REGION_PAGES (MM_REGION_SIZE / PAGE_SIZE)
extern volatile LONG64 ExpRecordEnds[MmAllPoolRegions]; /* index in the array; grows only */

/* Of the pool, all that are backed. */
static inline ULONG64 ExpRecordCount(const EXP_POOL *Pool)
{
    return (ULONG64)ExpRecordEnds[Pool->Region] - Pool->Region * EXP_REGION_PAGES;
}

static inline EXP_POOL *ExpPoolOf(const void *Address)
{
    ULONG64 Slot = ((ULONG64)Address - MM_NONPAGED_POOL_BASE) / MM_REGION_SIZE;
    return Slot < MmPoolRegions ? &ExpPools[Slot] : NULL;
}

/* Special pool too. */
EXP_POOL *ExpAnyPoolOf(const void *Address);

static inline EXP_HEADER *ExpHeaderOf(const void *Block)
{
    return (EXP_HEADER *)((ULONG_PTR)Block - EXP_HEADER_SIZE);
}

static inline SIZE_T ExpPageIndex(const EXP_POOL *Pool, const void *Address)
{
    return ((ULONG_PTR)Address - Pool->Base) / PAGE_SIZE;
}

static inline ULONG ExpClassOf(SIZE_T Size)
{
    return ExpClassOfUnits[(Size + EXP_HEADER_SIZE + EXP_GUARD_MIN + 15) / 16];
}

/* --- magazines: pool_cache.c --------------------------------------------------------------------------------- */

#define EXP_MAGAZINE_ROOM 31u
#define EXP_MAGAZINE_BYTES 8192u                  /* so much a magazine may hold */
#define EXP_PAGE_CLASS EXP_CLASSES                /* the magazine of single pages */
#define EXP_PAGE_DEPTH (NTBOX_CHECKED ? 0u : 16u) /* checked kernel: freed pages are unmapped at once */

/* Free blocks, last in first out. With interrupts off, by the processor that it belongs to. */
typedef struct _EXP_MAGAZINE {
    ULONG Count;
    ULONG Depth; /* (c) as long as the cache is in use */
    PVOID Block[EXP_MAGAZINE_ROOM];
} EXP_MAGAZINE;
ASSERT_SIZE(EXP_MAGAZINE, EXP_UNITS); /* as a row of ExpBlockAt */
_Static_assert(EXP_ROWS == MmPoolRegions, "a row for each pool");

/* One processor's. KPRCB.PoolCache leads to it. */
typedef struct _EXP_CACHE {
    EXP_MAGAZINE Magazines[EXP_CLASSES + 1][MmPoolRegions];
} EXP_CACHE;

static inline EXP_CACHE *ExpOwnCache(VOID)
{
    EXP_CACHE *Cache;
    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(Cache) : "i"(0x180 + __builtin_offsetof(KPRCB, PoolCache)));
    return Cache;
}

static inline EXP_MAGAZINE *ExpMagazine(ULONG Class, ULONG Region)
{
    return &ExpOwnCache()->Magazines[Class][Region];
}

/* NULL when the magazine is empty. */
static inline PVOID ExpPop(ULONG Class, ULONG Region)
{
    PVOID Block = NULL;
    BOOLEAN Enabled = ArchDisableInterrupts();
    EXP_MAGAZINE *Magazine = ExpMagazine(Class, Region);
    ULONG64 Count = Magazine->Count;

    if (__builtin_expect(Count != 0, 1)) {
        Block = Magazine->Block[Count - 1];
        Magazine->Count = (ULONG)Count - 1;
    }
    ArchRestoreInterrupts(Enabled);
    return Block;
}

/* FALSE when it is full. */
static inline BOOLEAN ExpPush(ULONG Class, ULONG Region, PVOID Block)
{
    BOOLEAN Enabled = ArchDisableInterrupts();
    EXP_MAGAZINE *Magazine = ExpMagazine(Class, Region);
    ULONG64 Count = Magazine->Count;
    BOOLEAN Room = Count < Magazine->Depth;

    if (__builtin_expect(Room, 1)) {
        Magazine->Block[Count] = Block;
        Magazine->Count = (ULONG)Count + 1;
    }
    ArchRestoreInterrupts(Enabled);
    return Room;
}

VOID ExpInitializeCaches(VOID);
VOID ExpKeepNothing(VOID); /* free kernel: so that every block goes the general way; at start */

/* The magazine was empty: one block from the pages, NULL when there are none, and more into the magazine. */
PVOID ExpRefill(EXP_POOL *Pool, ULONG Class);

/* The magazine is full: half of it and Block go to their pages. */
VOID ExpDrain(EXP_POOL *Pool, ULONG Class, PVOID Block);

/* What all magazines hold goes back to pages and to mm. IRQL <= DISPATCH_LEVEL. */
VOID ExpTrimCaches(VOID);

/* --- allocating and freeing: pool.c ------------------------------------------------------------------------------- */

/* Bits of POOL_TYPE that the headers have no name for. */
#define EXP_TYPE_PAGED 1u
#define EXP_TYPE_MUST_SUCCEED 2u
#define EXP_TYPE_CACHE_ALIGNED 4u
#define EXP_TYPE_UNDERRUN 0x10000000u /* ours: in special pool the block begins behind its guard page */
#define EXP_TAG_DESTROYED 0x3f3f3f3fu /* "????", of a block whose header tells nothing any more */
#define EXP_NO_TAG 0x656e6f4eu        /* "None", what ExAllocatePool uses */

/* The general way: every kind and size. NULL when there is no memory, or an exception with POOL_RAISE_IF_ALLOCATION_FAILURE. */
PVOID ExpAllocateTyped(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner);
/* The same, from this processor's free blocks if that will do. */
PVOID ExpAllocateForCaller(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner);
VOID ExpFreeChecked(PVOID Block, ULONG Tag, EXP_OWNER Freer);

/* --- pages: pool_small.c, pool_large.c ------------------------------------------------------------------------ */

/* Up to Count blocks of the class; a page is added when there are none. 0: no memory. Their headers' State is ExpBlockFree. */
ULONG ExpTakeBlocks(EXP_POOL *Pool, ULONG Class, PVOID *Blocks, ULONG Count);
VOID ExpGiveBlocks(EXP_POOL *Pool, PVOID *Blocks, ULONG Count);

/* Block is the first page of a large block that is allocated. Tag 0: any. */
PVOID ExpAllocateLarge(EXP_POOL *Pool, SIZE_T Size, ULONG Tag, EXP_OWNER Owner);
VOID ExpFreeLarge(EXP_POOL *Pool, PVOID Block, ULONG Tag, EXP_OWNER Freer);

/* Backs the records of pages [First, First + Count). */
BOOLEAN ExpCommitRecords(EXP_POOL *Pool, SIZE_T First, SIZE_T Count);

/* --- special pool: pool_special.c ----------------------------------------------------------------------------------- */

extern BOOLEAN ExpSpecialInUse; /* (c) after start */

/* NULL also when the block is not one that was asked for: ordinary pool then. */
VOID ExpCheckSpecialIrql(ULONG Type, SIZE_T Size, ULONG Tag,
                         EXP_OWNER Owner); /* of a block that is to lie in it */
PVOID ExpAllocateSpecial(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner);
VOID ExpFreeSpecial(PVOID Block, ULONG Tag, EXP_OWNER Freer); /* an address in its region */

/* --- owners: pool_trace.c --------------------------------------------------------------------------------------- */

/* The caller of the exported function in whose body this stands. */
#if NTBOX_CHECKED
#define EXP_CALLER() ExpCapture((PVOID *)_AddressOfReturnAddress(), NULL)
#define EXP_CALLER_FOR(Code) ExpCapture((PVOID *)_AddressOfReturnAddress(), (Code))
EXP_OWNER ExpCapture(PVOID *ReturnAddress, PVOID Code); /* Code: what is above it is left out */
PVOID ExpOwnerCode(
    EXP_OWNER Owner); /* the code that allocated the block; NULL: not known, or its driver is unloaded */
PCSTR ExpGoneOwner(EXP_OWNER Owner); /* name of the unloaded driver that allocated it; NULL: none */
VOID ExpDescribeTrace(ULONG Number, PCHAR Text, SIZE_T Room); /* "a.sys!F+0x10 < b.sys!G+0x20" */
/* PASSIVE_LEVEL, one at a time: the module is unloaded. Before it ExpMarkTraces is called for every block, freed ones too. */
VOID ExpForgetModule(PIM_MODULE Module);
VOID ExpMarkTraces(const EX_POOL_BLOCK *Block);
#define EXP_TRACE_TEXT 384u
VOID ExpCheckFreedMdl(PVOID Block); /* mdl.c; any block that is about to be freed */
#define ExpNoteFreer(Owner, Freer) (*(Owner) = (ULONG) * (Owner) | (Freer) << 32)
#define ExpFreer(Owner) ((Owner) >> 32)
#else
#define EXP_CALLER() ((EXP_OWNER)__builtin_return_address(0))
#define EXP_CALLER_FOR(Code) ((EXP_OWNER)(Code))
#define ExpOwnerCode(Owner) ((PVOID)(Owner))
#define ExpNoteFreer(Owner, Freer) ((void)0)
#define ExpDescribeTrace(Number, Text, Room) ((Text)[0] = 0)
#define ExpForgetModule(Module) ((void)0)
#define ExpMarkTraces(Block) ((void)0)
#define ExpGoneOwner(Owner) ((PCSTR)NULL)
#define EXP_TRACE_TEXT 1u
#define ExpCheckFreedMdl(Block) ((void)0)
#endif

/* --- lookaside lists: lookaside_depth.c --------------------------------------------------------------------------------------- */

#define EXP_LOOKASIDE_DEPTH 4 /* at the beginning, and at least */
#define EXP_LOOKASIDE_MAXIMUM 256

/* A list that was initialised by the code before Maker, or that is about to be deleted. IRQL <= DISPATCH_LEVEL, no lock of LockRankExPool or above. */
VOID ExpNoteLookaside(GENERAL_LOOKASIDE_POOL *List, const void *Maker);
VOID ExpForgetLookaside(GENERAL_LOOKASIDE_POOL *List);

/* The depth after a second with so many allocations, Misses of which found the list empty. */
USHORT ExpNextDepth(USHORT Depth, USHORT Maximum, ULONG Allocates, ULONG Misses);

/* --- checks: pool_check.c, pool_header.c --------------------------------------------------------------------------------------- */

/* Patterns behind and inside blocks. Room is the bytes that the block could hold. */
#if NTBOX_CHECKED
VOID ExpSetGuard(PVOID Block, SIZE_T Size, SIZE_T Room);
VOID ExpCheckGuard(PVOID Block, SIZE_T Size, SIZE_T Room);
const UCHAR *ExpFindGuardChange(const void *Block, SIZE_T Size, SIZE_T Room);        /* NULL: none */
const UCHAR *ExpFindSmallChange(const EXP_HEADER *Header, SIZE_T Size, ULONG Class); /* the copy included */
const UCHAR *ExpFindSpecialChange(const EXP_PAGE *Record);                           /* pool_special.c */
VOID ExpSetSmallGuard(const EXP_HEADER *Header, ULONG Class); /* and the copy of the header */
VOID ExpCheckSmallGuard(const EXP_HEADER *Header, ULONG Class);
BOOLEAN ExpIsOverrun(const EXP_HEADER *Header,
                     ULONG Class); /* somebody wrote to the last bytes of its room */
DECLSPEC_NORETURN VOID ExpOverrun(PVOID Block, SIZE_T Size, UCHAR Byte);
VOID ExpSealFreed(EXP_HEADER *Header, EXP_OWNER Freer); /* State: ExpBlockChanging, afterwards ExpBlockFree */
VOID ExpCheckHeader(EXP_HEADER *Header, ULONG Class);   /* in use or free */
EXP_HEADER ExpBelieve(const EXP_HEADER *Header, ULONG Class); /* what it says, or once said */
VOID ExpFillFreed(EXP_HEADER *Header, ULONG Class);
VOID ExpCheckFreed(const EXP_HEADER *Header, ULONG Class);
VOID ExpCheckNoResource(PVOID Block, SIZE_T Size);  /* resource.c */
VOID ExpCheckNoLookaside(PVOID Block, SIZE_T Size); /* lookaside_depth.c */
VOID ExpCheckIrql(const EXP_POOL *Pool, ULONG Kind, ULONG_PTR SizeOrAddress);
#else
#define ExpSetGuard(Block, Size, Room) ((void)0)
#define ExpSetSmallGuard(Header, Class) ((void)0)
#define ExpCheckSmallGuard(Header, Class) ((void)0)
#define ExpSealFreed(Header, Freer) ((Header)->State = ExpBlockFree)
#define ExpCheckHeader(Header, Class) ((void)0)
#define ExpBelieve(Header, Class) (*(Header))
#define ExpIsOverrun(Header, Class) FALSE
#define ExpCheckGuard(Block, Size, Room) ((void)0)
#define ExpFillFreed(Header, Class) ((void)0)
#define ExpCheckFreed(Header, Class) ((void)0)
#define ExpCheckNoResource(Block, Size) ((void)0)
#define ExpCheckNoLookaside(Block, Size) ((void)0)
#define ExpCheckIrql(Pool, Kind, SizeOrAddress) ((void)0)
#endif

/* Each block, also freed ones as far as something is known of them, with the pool's lock held. pool_query.c */
typedef VOID EXP_VISIT(const EX_POOL_BLOCK *Block, PVOID Context);
VOID ExpVisitPool(EXP_POOL *Pool, EXP_VISIT *Visit, PVOID Context);

/* Before the image goes: unlocks what MDLs of the module have locked, or its memory could never be freed. PASSIVE_LEVEL. mdl_leak.c */
VOID ExpUnlockLeakedMdls(PIM_MODULE Module);

/* Stop the machine; the log says whose block it is. */
VOID ExpLogBlock(PCSTR What, const void *Address); /* only that */
VOID ExpLogTraces(const EX_POOL_BLOCK *Block);
DECLSPEC_NORETURN VOID ExpBadPointer(EXP_POOL *Pool, PVOID Block);
DECLSPEC_NORETURN VOID ExpBadHeader(EXP_POOL *Pool, EXP_HEADER *Header);

/* ExpBadHeader, not declared so: as an ordinary call at the end of a function it is a jump, and who makes no other call needs no
 * frame. */
PVOID ExpUseDamaged(EXP_HEADER *Header);
DECLSPEC_NORETURN VOID ExpWrongTag(PVOID Block, ULONG Allocated, ULONG Freed);

/* SPDX-License-Identifier: MIT
 * Special pool: each block has pages of its own, ends at an unmapped page (or begins behind one), and its addresses are
 * unmapped when it is freed. Chosen by driver or tag for a whole run.
 *
 *   overrun    | pattern | block | rounding | guard page          underrun    guard page | block | pattern |
 *
 * [WDK "Special Pool"] [WDK Bug Check 0xC1]. The region's records are EXP_PAGE of the first page of a block. */
#include "exp.h"
#include "crt.h"
#include "ke_bugcheck.h"

#define EXP_SPECIAL_BYTE 0x5e
#define EXP_SPECIAL_REST 64u /* bytes compared in front of the block */

static CHAR ExpWanted[64]; /* (c) after start; lower case when it names a driver */
static BOOLEAN ExpWantsDriver;
BOOLEAN ExpSpecialInUse; /* (c) after start */

static CHAR ExpLower(CHAR Letter)
{
    return Letter >= 'A' && Letter <= 'Z' ? (CHAR)(Letter + 'a' - 'A') : Letter;
}

/* * any characters, ? one. Both end with a zero. */
static BOOLEAN ExpMatches(PCSTR Pattern, PCSTR Text)
{
    for (; *Pattern != '*'; Pattern++, Text++) {
        if (*Text == 0)
            return *Pattern == 0;
        if (*Pattern != '?' && *Pattern != *Text)
            return FALSE;
    }
    for (;; Text++) {
        if (ExpMatches(Pattern + 1, Text))
            return TRUE;
        if (*Text == 0)
            return FALSE;
    }
}

VOID ExUseSpecialPool(PCSTR Wanted)
{
    SIZE_T Length = 0;

    for (; Length < sizeof(ExpWanted) - 1 && Wanted[Length] != 0 && Wanted[Length] != ' '; Length++)
        ExpWanted[Length] = Wanted[Length];
    ExpWantsDriver = strchr(ExpWanted, '.') != NULL;
    for (SIZE_T I = 0; ExpWantsDriver && I < Length; I++)
        ExpWanted[I] = ExpLower(ExpWanted[I]);
    ExpSpecialInUse = TRUE;
    ExpKeepNothing();
}

static BOOLEAN ExpIsWanted(ULONG Tag, EXP_OWNER Owner)
{
    CHAR Text[5] = {0};
    KI_SYMBOL Symbol;

    if (ExpWanted[0] == 0)
        return TRUE;
    if (!ExpWantsDriver) {
        memcpy(Text, &Tag, sizeof(Tag));
        return ExpMatches(ExpWanted, Text);
    }
    KiUpcalls->Symbolize(ExpOwnerCode(Owner), &Symbol);
    return ExpMatches(ExpWanted, Symbol.Module);
}

/* --- blocks ------------------------------------------------------------------------------------------------------ */

static PUCHAR ExpSpecialPage(const EXP_PAGE *Record)
{
    const EXP_POOL *Pool = &ExpPools[MmSpecialPoolRegion];

    return (PUCHAR)(Pool->Base + (ULONG_PTR)(Record - Pool->Records) * PAGE_SIZE);
}

/* The two ranges of a block's pages that are not the block: in front of it (what is compared of it), and behind it. */
typedef struct _EXP_REST {
    PUCHAR Front, Block, Back, End;
} EXP_REST;

static EXP_REST ExpRestOf(const EXP_PAGE *Record)
{
    PUCHAR Page = ExpSpecialPage(Record), Block = Page + Record->Offset;
    ULONG Front = min(Record->Offset, EXP_SPECIAL_REST);

    return (EXP_REST){Block - Front, Block, Block + Record->Size, Page + Record->PageCount * PAGE_SIZE};
}

/* [WDK Bug Check 0xC1] 0x30 and 0x31: special pool is allocated or freed at an IRQL that the pool does not permit. */
static VOID ExpRequireIrql(ULONG Paged, ULONG_PTR SizeOrAddress, ULONG_PTR Kind)
{
    if (ArchGetIrql() > (Paged ? APC_LEVEL : DISPATCH_LEVEL))
        KeBugCheckEx(SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION, ArchGetIrql(), Paged ? PagedPool : NonPagedPool,
                     SizeOrAddress, Kind);
}

VOID ExpCheckSpecialIrql(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    if (ExpIsWanted(Tag, Owner))
        ExpRequireIrql(Type & EXP_TYPE_PAGED, Size, 0x30);
}

PVOID ExpAllocateSpecial(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    EXP_POOL *Pool = &ExpPools[MmSpecialPoolRegion];
    SIZE_T PageCount = BYTES_TO_PAGES(Size) + (Size == 0);
    ULONG Align = Type & EXP_TYPE_CACHE_ALIGNED ? 64 : 16;

    if (PageCount >= Pool->PageCount || !ExpIsWanted(Tag, Owner))
        return NULL;
    PUCHAR Page = MmAllocateSpecialPages(PageCount, (Type & EXP_TYPE_PAGED) != 0);
    if (Page == NULL)
        return NULL;
    if (!ExpCommitRecords(Pool, ExpPageIndex(Pool, Page), PageCount + 1)) {
        MmFreeSpecialPages(Page, PageCount);
        return NULL;
    }
    EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Page)];
    SIZE_T Rounded = (max(Size, 1) + Align - 1) & ~(SIZE_T)(Align - 1);
    BOOLEAN AtStart = (Type & EXP_TYPE_UNDERRUN) != 0 || Size >= PAGE_SIZE || Rounded > PAGE_SIZE;
    for (SIZE_T I = 1; I < PageCount; I++)
        Record[I].State = ExpPageLargeRest;
    Record[PageCount].State = ExpPageUnused; /* the guard page */
    Record->Class = (UCHAR)(Type & EXP_TYPE_PAGED);
    Record->PageCount = (ULONG)PageCount;
    Record->Tag = Tag;
    Record->Offset = AtStart ? 0 : (ULONG)(PAGE_SIZE - Rounded);
    Record->Size = Size;
    Record->Owner = Owner;
    EXP_REST Rest = ExpRestOf(Record);
    memset(Rest.Front, EXP_SPECIAL_BYTE, (SIZE_T)(Rest.Block - Rest.Front));
    memset(Rest.Back, EXP_SPECIAL_BYTE, (SIZE_T)(Rest.End - Rest.Back));
    Record->State = ExpPageLarge;
    return Rest.Block;
}

/* --- freeing: [WDK Bug Check 0xC1] parameter 4 says what is wrong ---------------------------------------------------- */

static DECLSPEC_NORETURN VOID ExpBadSpecial(PVOID Block, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR Kind,
                                            PCSTR What)
{
    ExpLogBlock(What, Block);
    KeBugCheckBlaming(NULL, SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION, (ULONG_PTR)Block, P2, P3, Kind, What);
}

/* One bit of all these bytes: memory that does not hold what is written to it more likely than a driver. */
static BOOLEAN ExpIsOneBit(const UCHAR *First, const UCHAR *End)
{
    ULONG Bits = 0;

    for (const UCHAR *At = First; At < End; At++)
        Bits += (ULONG)__builtin_popcount(*At ^ EXP_SPECIAL_BYTE);
    return Bits == 1;
}

static VOID ExpCheckRest(PVOID Block, PUCHAR First, PUCHAR End, ULONG_PTR Kind, PCSTR What)
{
    for (PUCHAR At = First; At < End; At++)
        if (*At != EXP_SPECIAL_BYTE)
            ExpBadSpecial(Block, (ULONG_PTR)At, 0, Kind, What);
}

#if NTBOX_CHECKED
const UCHAR *ExpFindSpecialChange(const EXP_PAGE *Record)
{
    EXP_REST Rest = ExpRestOf(Record);
    for (const UCHAR *At = Rest.Back; At < Rest.End; At++)
        if (*At != EXP_SPECIAL_BYTE)
            return At;
    return NULL;
}
#endif

VOID ExpFreeSpecial(PVOID Block, ULONG Tag, EXP_OWNER Freer)
{
    EXP_POOL *Pool = &ExpPools[MmSpecialPoolRegion];
    EX_POOL_BLOCK Known;

    if (!ExQueryPoolBlock(Block, &Known) || !Known.Allocated)
        ExpBadSpecial(Block, 0, 0, 0x20, "special pool is freed that is not allocated");
    if (Known.Base != Block)
        ExpBadSpecial(Block, Known.Size, (ULONG_PTR)Known.Base, 0x21,
                      "the address that is freed is not that of a block of special pool");
    if (Tag != 0 && Tag != Known.Tag)
        ExpWrongTag(Block, Known.Tag, Tag);
    ExpRequireIrql(Known.PoolType == PagedPool, (ULONG_PTR)Block, 0x31);
    EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, (PVOID)((ULONG_PTR)Block & ~(ULONG_PTR)PAGE_MASK))];
    EXP_REST Rest = ExpRestOf(Record);
    if (ExpIsOneBit(Rest.Front, Rest.Block))
        ExpCheckRest(Block, Rest.Front, Rest.Block, 0x32,
                     "a single bit before a block of special pool has changed");
    ExpCheckRest(Block, Rest.Front, Rest.Block, 0x23,
                 "bytes before a block of special pool were overwritten");
    ExpCheckRest(Block, Rest.Back, Rest.End, 0x24, "bytes behind a block of special pool were overwritten");
    KeCheckFreedMemory(Block, Known.Size, ExpOwnerCode(Freer));
    ExpCheckNoResource(Block, Known.Size);
    ExpCheckNoLookaside(Block, Known.Size);
    if (__atomic_exchange_n(&Record->State, ExpPageFreed, __ATOMIC_ACQ_REL) != ExpPageLarge)
        ExpBadSpecial(Block, 0, 0, 0x20, "special pool is freed that is not allocated");
    ExpNoteFreer(&Record->Owner, Freer);
    MmFreeSpecialPages(ExpSpecialPage(Record), Record->PageCount);
}

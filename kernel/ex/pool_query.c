/* SPDX-License-Identifier: MIT
 * Whose block is this, how much is there: reading the pools. */
#include "exp.h"
#include "crt.h"
#include "ke_paged.h"

/* --- one address ------------------------------------------------------------------------------------------------ */

EXP_POOL *ExpAnyPoolOf(const void *Address)
{
    if ((ULONG64)Address - MM_SPECIAL_POOL_BASE < MM_REGION_SIZE)
        return &ExpPools[MmSpecialPoolRegion];
    return ExpPoolOf(Address);
}

static BOOLEAN ExpDescribeSmall(const EXP_POOL *Pool, const EXP_PAGE *Record, const void *Address,
                                EX_POOL_BLOCK *Block)
{
    ULONG Number = (ULONG)((ULONG_PTR)Address & PAGE_MASK) / ExpBlockSize[Record->Class];
    ULONG_PTR Page = (ULONG_PTR)Address & ~(ULONG_PTR)PAGE_MASK;
    ULONG64 Physical;
    if (Number >= ExpBlocksPerPage(Record->Class) || !MmTranslate(Address, &Physical))
        return FALSE;
    const EXP_HEADER *Place = ExpHeaderOf((PVOID)(Page + ExpBlockOffset(Record->Class, Number)));
    const EXP_HEADER Header = ExpBelieve(Place, Record->Class);
    *Block = (EX_POOL_BLOCK){.Base = (PVOID)(Place + 1),
                             .Size = Header.Size,
                             .Tag = Header.Tag,
                             .Owner = ExpOwnerCode(ExpHeaderOwner(&Header)),
                             .Traces = ExpHeaderOwner(&Header),
                             .PoolType = Pool->Type,
                             .Allocated = Header.State == ExpBlockAllocated};
    return TRUE;
}

static BOOLEAN ExpDescribeLarge(const EXP_POOL *Pool, SIZE_T Index, EX_POOL_BLOCK *Block)
{
    while (Pool->Records[Index].State == ExpPageLargeRest && Index > 0)
        Index--;
    const EXP_PAGE *Record = &Pool->Records[Index];
    if (Record->State != ExpPageLarge && Record->State != ExpPageFreed)
        return FALSE;
    BOOLEAN Special = Pool->Region == MmSpecialPoolRegion;
    ULONG Offset = Special ? Record->Offset : 0;
    POOL_TYPE Type = Special && Record->Class == EXP_TYPE_PAGED ? PagedPool : Pool->Type;
    *Block = (EX_POOL_BLOCK){.Base = (PVOID)(Pool->Base + Index * PAGE_SIZE + Offset),
                             .Size = Record->Size,
                             .Tag = Record->Tag,
                             .Owner = ExpOwnerCode(Record->Owner),
                             .Traces = Record->Owner,
                             .PoolType = Type,
                             .Allocated = Record->State == ExpPageLarge};
    return TRUE;
}

BOOLEAN ExQueryPoolBlock(const void *Address, EX_POOL_BLOCK *Block)
{
    const EXP_POOL *Pool = ExpAnyPoolOf(Address);
    if (Pool == NULL || ExpPageIndex(Pool, Address) >= ExpRecordCount(Pool))
        return FALSE;
    SIZE_T Index = ExpPageIndex(Pool, Address);
    if (Pool->Records[Index].State == ExpPageSmall)
        return ExpDescribeSmall(Pool, &Pool->Records[Index], Address, Block);
    return ExpDescribeLarge(Pool, Index, Block);
}

/* What a fault at Address is about: of special pool also the block whose guard page it hit. */
static BOOLEAN ExpFindBlockNear(const void *Address, EX_POOL_BLOCK *Block)
{
    ULONG_PTR At = (ULONG_PTR)Address;

    if (ExQueryPoolBlock(Address, Block))
        return TRUE;
    return ExpAnyPoolOf(Address) == &ExpPools[MmSpecialPoolRegion] &&
           (ExQueryPoolBlock((PVOID)(At - PAGE_SIZE), Block) ||
            ExQueryPoolBlock((PVOID)(At + PAGE_SIZE), Block));
}

/* The last live block in front of an address in pool where there is none. A few pages back: further off it has nothing to do with it. */
#define EXP_PAGES_BEFORE 8u

static BOOLEAN ExpFindLastLive(const EXP_POOL *Pool, SIZE_T Index, EX_POOL_BLOCK *Block)
{
    const EXP_PAGE *Record = &Pool->Records[Index];
    ULONG_PTR Page = Pool->Base + Index * PAGE_SIZE;
    ULONG Step = Record->State == ExpPageSmall ? ExpBlockSize[Record->Class] : PAGE_SIZE;

    if (Record->State == ExpPageUnused)
        return FALSE;
    for (ULONG Count = PAGE_SIZE / Step; Count-- > 0;)
        if (ExQueryPoolBlock((PVOID)(Page + Count * Step), Block) && Block->Allocated)
            return TRUE;
    return FALSE;
}

static BOOLEAN ExpFindBlockBefore(const void *Address, EX_POOL_BLOCK *Block)
{
    const EXP_POOL *Pool = ExpAnyPoolOf(Address);
    SIZE_T Index = Pool != NULL ? ExpPageIndex(Pool, Address) : 0;

    for (SIZE_T Back = 1; Back <= EXP_PAGES_BEFORE && Back <= Index; Back++)
        if (Index - Back < ExpRecordCount(Pool) && ExpFindLastLive(Pool, Index - Back, Block))
            return TRUE;
    return FALSE;
}

static PCSTR ExpNameOwner(const EX_POOL_BLOCK *Block, KI_SYMBOL *Symbol)
{
    PCSTR Gone = ExpGoneOwner(Block->Traces);

    if (Block->Owner == NULL)
        return Gone != NULL ? Gone : "an unknown driver";
    KiUpcalls->Symbolize((PUCHAR)Block->Owner - 1, Symbol);
    return Symbol->Text;
}

VOID ExDescribePoolAddress(const void *Address, PCHAR Text, SIZE_T Room)
{
    EX_POOL_BLOCK Block;
    KI_SYMBOL Symbol;

    Text[0] = 0;
    KePermitPagedPool();
    BOOLEAN Near = ExpFindBlockNear(Address, &Block);
    if (!Near && !ExpFindBlockBefore(Address, &Block))
        return;
    CHAR Before[48] = "";
    if (!Near)
        _snprintf(Before, sizeof(Before), "0x%llx bytes behind ",
                  (unsigned long long)((ULONG_PTR)Address - (ULONG_PTR)Block.Base - Block.Size));
    _snprintf(Text, Room, "%s%llu bytes of %s pool, tag '%.4s', %s by %s", Before,
              (unsigned long long)Block.Size, Block.PoolType == PagedPool ? "paged" : "nonpaged",
              (PCSTR)&Block.Tag, Block.Allocated ? "allocated" : "freed, once allocated",
              ExpNameOwner(&Block, &Symbol));
    Text[Room - 1] = 0;
    ExpLogTraces(&Block);
}

/* --- all blocks, freed ones too --------------------------------------------------------------------------------- */

static VOID ExpVisitPage(const EXP_POOL *Pool, SIZE_T Index, EXP_VISIT *Visit, PVOID Context)
{
    const EXP_PAGE *Record = &Pool->Records[Index];
    ULONG_PTR Page = Pool->Base + Index * PAGE_SIZE;
    ULONG Step = Record->State == ExpPageSmall ? ExpBlockSize[Record->Class] : PAGE_SIZE;
    EX_POOL_BLOCK Block;
    if (Record->State == ExpPageUnused || Record->State == ExpPageLargeRest)
        return;
    for (ULONG Offset = 0; Offset + Step <= PAGE_SIZE; Offset += Step)
        if (ExQueryPoolBlock((PVOID)(Page + Offset), &Block))
            Visit(&Block, Context);
}

/* The lock keeps small pages mapped; of large blocks only the records are read. */
VOID ExpVisitPool(EXP_POOL *Pool, EXP_VISIT *Visit, PVOID Context)
{
    KIRQL OldIrql = ArchAcquireLock(&Pool->Lock);
    KePermitPagedPool();
    for (SIZE_T Index = 0; Index < ExpRecordCount(Pool); Index++)
        ExpVisitPage(Pool, Index, Visit, Context);
    ArchReleaseLock(&Pool->Lock, OldIrql);
}

typedef struct _EXP_COUNT {
    EX_POOL_COUNTERS Counters;
    POOL_TYPE Type;
} EXP_COUNT;

static VOID ExpCountBlock(const EX_POOL_BLOCK *Block, PVOID Context)
{
    EXP_COUNT *Count = Context;
    if (!Block->Allocated || Block->PoolType != Count->Type)
        return;
    Count->Counters.Blocks++;
    Count->Counters.Bytes += Block->Size;
}

VOID ExQueryPoolCounters(POOL_TYPE PoolType, EX_POOL_COUNTERS *Counters)
{
    EXP_COUNT Count = {{0}, PoolType & 1 ? PagedPool : NonPagedPoolNx};
    for (ULONG Region = 0; Region < MmAllPoolRegions; Region++)
        ExpVisitPool(&ExpPools[Region], ExpCountBlock, &Count);
    *Counters = Count.Counters;
}

/* SPDX-License-Identifier: MIT
 * Whose block is this, what does a driver still hold: reading the pools. */
#include "exp.h"
#include "kd.h"

/* --- one address
 * ------------------------------------------------------------------------------------------------ */

static BOOLEAN ExpDescribeSmall(const EXP_POOL *Pool, const EXP_PAGE *Record, const void *Address,
                                EX_POOL_BLOCK *Block)
{
    ULONG Size = ExpBlockSize[Record->Class], Offset = (ULONG)((ULONG_PTR)Address & PAGE_MASK);
    ULONG64 Physical;
    if (Offset / Size >= PAGE_SIZE / Size || !MmTranslate(Address, &Physical))
        return FALSE;
    const EXP_HEADER *Header = (const EXP_HEADER *)((ULONG_PTR)Address - Offset % Size);
    *Block = (EX_POOL_BLOCK){.Base = (PVOID)(Header + 1),
                             .Size = Header->Size,
                             .Tag = Header->Tag,
                             .Owner = Header->Owner,
                             .PoolType = Pool->Type,
                             .Allocated = Header->State == ExpBlockAllocated};
    return TRUE;
}

static BOOLEAN ExpDescribeLarge(const EXP_POOL *Pool, SIZE_T Index, EX_POOL_BLOCK *Block)
{
    while (Pool->Records[Index].State == ExpPageLargeRest && Index > 0)
        Index--;
    const EXP_PAGE *Record = &Pool->Records[Index];
    if (Record->State != ExpPageLarge && Record->State != ExpPageFreed)
        return FALSE;
    *Block = (EX_POOL_BLOCK){.Base = (PVOID)(Pool->Base + Index * PAGE_SIZE),
                             .Size = Record->Size,
                             .Tag = Record->Tag,
                             .Owner = Record->Owner,
                             .PoolType = Pool->Type,
                             .Allocated = Record->State == ExpPageLarge};
    return TRUE;
}

BOOLEAN ExQueryPoolBlock(const void *Address, EX_POOL_BLOCK *Block)
{
    const EXP_POOL *Pool = ExpPoolOf(Address);
    if (Pool == NULL || ExpPageIndex(Pool, Address) >= (ULONG64)Pool->RecordEnd)
        return FALSE;
    SIZE_T Index = ExpPageIndex(Pool, Address);
    if (Pool->Records[Index].State == ExpPageSmall)
        return ExpDescribeSmall(Pool, &Pool->Records[Index], Address, Block);
    return ExpDescribeLarge(Pool, Index, Block);
}

/* --- all live blocks
 * --------------------------------------------------------------------------------------------- */

typedef VOID EXP_VISIT(const EX_POOL_BLOCK *Block, PVOID Context);

static VOID ExpVisitPage(const EXP_POOL *Pool, SIZE_T Index, EXP_VISIT *Visit, PVOID Context)
{
    const EXP_PAGE *Record = &Pool->Records[Index];
    ULONG_PTR Page = Pool->Base + Index * PAGE_SIZE;
    ULONG Step = Record->State == ExpPageSmall ? ExpBlockSize[Record->Class] : PAGE_SIZE;
    EX_POOL_BLOCK Block;
    if (Record->State != ExpPageSmall && Record->State != ExpPageLarge)
        return;
    for (ULONG Offset = 0; Offset + Step <= PAGE_SIZE; Offset += Step)
        if (ExQueryPoolBlock((PVOID)(Page + Offset), &Block))
            Visit(&Block, Context);
}

/* The lock keeps small pages mapped; of large blocks only the records are read. */
static VOID ExpVisitPool(EXP_POOL *Pool, EXP_VISIT *Visit, PVOID Context)
{
    KIRQL OldIrql = ArchAcquireLock(&Pool->Lock);
    for (SIZE_T Index = 0; Index < (SIZE_T)Pool->RecordEnd; Index++)
        ExpVisitPage(Pool, Index, Visit, Context);
    ArchReleaseLock(&Pool->Lock, OldIrql);
}

static VOID ExpCountBlock(const EX_POOL_BLOCK *Block, PVOID Context)
{
    EX_POOL_COUNTERS *Counters = Context;
    if (!Block->Allocated)
        return;
    Counters->Blocks++;
    Counters->Bytes += Block->Size;
}

VOID ExQueryPoolCounters(POOL_TYPE PoolType, EX_POOL_COUNTERS *Counters)
{
    EXP_POOL *Pool = &ExpPools[PoolType & 1 ? MmPagedPoolRegion : MmNonPagedPoolRegion];
    *Counters = (EX_POOL_COUNTERS){0};
    ExpVisitPool(Pool, ExpCountBlock, Counters);
}

/* So many blocks are named one by one; what a driver that loses memory in a loop leaves besides is added up. */
#define EXP_LEAKS_SHOWN 32

typedef struct _EXP_LEAKS {
    PIM_MODULE Module;
    ULONG Count;
    ULONG64 MoreBytes; /* of the blocks that are not named */
} EXP_LEAKS;

/* The image goes: what another one allocates at its address later is not its. A freed block may be allocated again meanwhile. */
static VOID ExpDisown(const EX_POOL_BLOCK *Block)
{
    EXP_POOL *Pool = ExpPoolOf(Block->Base);
    EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block->Base)];
    PVOID *Owner = Record->State == ExpPageSmall ? &ExpHeaderOf(Block->Base)->Owner : &Record->Owner;
    InterlockedCompareExchangePointer(Owner, NULL, Block->Owner);
}

/* What the I/O manager allocates for a driver has a name of its own. */
static PCSTR ExpKindOf(ULONG Tag)
{
    switch (Tag) {
    case EX_IRP_TAG:
        return "IRP";
    case EX_MDL_TAG:
        return "MDL";
    default:
        return "pool";
    }
}

static VOID ExpReportLeak(const EX_POOL_BLOCK *Block, PVOID Context)
{
    EXP_LEAKS *Leaks = Context;
    PIM_MODULE Module = Leaks->Module;
    ULONG64 Offset = (ULONG64)((PUCHAR)Block->Owner - Module->Base);
    if (Offset >= Module->Size)
        return;
    ExpDisown(Block);
    if (!Block->Allocated)
        return;
    if (++Leaks->Count > EXP_LEAKS_SHOWN) {
        Leaks->MoreBytes += Block->Size;
        return;
    }
    KdLog("%s: leaked %s: %llu bytes of %s pool, tag '%.4s', allocated at %s+0x%llx", Module->Name,
          ExpKindOf(Block->Tag), (ULONG64)Block->Size, Block->PoolType == PagedPool ? "paged" : "nonpaged",
          (PCSTR)&Block->Tag, Module->Name, Offset);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name),
             KD_TEXT(ReportKeyKind, ExpKindOf(Block->Tag)),
             KD_TEXTN(ReportKeyTag, &Block->Tag, sizeof(Block->Tag)), KD_NUMBER(ReportKeySize, Block->Size),
             KD_TEXT(ReportKeyModule, Module->Name), KD_NUMBER(ReportKeyOffset, Offset));
}

static VOID ExpReportMoreLeaks(const EXP_LEAKS *Leaks)
{
    ULONG More = Leaks->Count - EXP_LEAKS_SHOWN;
    KdLog("%s: leaked %u more blocks of pool, %llu bytes", Leaks->Module->Name, (unsigned)More,
          Leaks->MoreBytes);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Leaks->Module->Name), KD_TEXT(ReportKeyKind, "more pool"),
             KD_NUMBER(ReportKeyCount, More), KD_NUMBER(ReportKeySize, Leaks->MoreBytes));
}

ULONG ExReportDriverLeaks(PIM_MODULE Module)
{
    EXP_LEAKS Leaks = {Module, 0, 0};
    for (ULONG I = 0; I < MmPoolRegions; I++)
        ExpVisitPool(&ExpPools[I], ExpReportLeak, &Leaks);
    if (Leaks.Count > EXP_LEAKS_SHOWN)
        ExpReportMoreLeaks(&Leaks);
    return Leaks.Count;
}

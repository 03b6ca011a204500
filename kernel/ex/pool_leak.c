/* SPDX-License-Identifier: MIT
 * What a driver leaves behind when it is unloaded: blocks that it still has, and freed ones that it has written to. */
#include "exp.h"
#include "kd.h"

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
#if !NTBOX_CHECKED
    EXP_POOL *Pool = ExpAnyPoolOf(Block->Base);
    EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block->Base)];
    EXP_OWNER *Owner = Record->State == ExpPageSmall ? &ExpHeaderOf(Block->Base)->Owner : &Record->Owner;
    InterlockedCompareExchange64((volatile LONG64 *)Owner, 0, (LONG64)Block->Owner);
#endif
}

/* Whose block it is, is not asked: what is overwritten need not say so any more. */
static VOID ExpCheckSeal(const EX_POOL_BLOCK *Block)
{
#if NTBOX_CHECKED
    EXP_POOL *Pool = ExpAnyPoolOf(Block->Base);
    const EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block->Base)];
    if (Record->State == ExpPageSmall)
        ExpCheckHeader(ExpHeaderOf(Block->Base), Record->Class);
#endif
}

/* A free block that lies in its page is nobody's to change while the pool is locked. */
static VOID ExpCheckLeft(const EX_POOL_BLOCK *Block)
{
#if NTBOX_CHECKED
    EXP_POOL *Pool = ExpAnyPoolOf(Block->Base);
    const EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block->Base)];
    ULONG Offset = (ULONG)((ULONG_PTR)Block->Base & PAGE_MASK);
    if (Record->State == ExpPageSmall &&
        ExpIsInSet(&Record->Free, ExpBlockNumberAt(Record->Class, Offset) - 1))
        ExpCheckFreed(ExpHeaderOf(Block->Base), Record->Class);
#endif
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
    ExpCheckSeal(Block);
    ExpMarkTraces(Block);
    if (Offset >= Module->Size)
        return;
    if (!Block->Allocated)
        ExpCheckLeft(Block);
    ExpDisown(Block);
    if (!Block->Allocated)
        return;
    if (++Leaks->Count > EXP_LEAKS_SHOWN) {
        Leaks->MoreBytes += Block->Size;
        return;
    }
    CHAR Trace[EXP_TRACE_TEXT];
    ExpDescribeTrace((ULONG)Block->Traces, Trace, sizeof(Trace));
    KdLog("%s: leaked %s: %llu bytes of %s pool, tag '%.4s', allocated at %s+0x%llx%s%s", Module->Name,
          ExpKindOf(Block->Tag), (ULONG64)Block->Size, Block->PoolType == PagedPool ? "paged" : "nonpaged",
          (PCSTR)&Block->Tag, Module->Name, Offset, Trace[0] != 0 ? ": " : "", Trace);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name),
             KD_TEXT(ReportKeyKind, ExpKindOf(Block->Tag)),
             KD_TEXTN(ReportKeyTag, &Block->Tag, sizeof(Block->Tag)), KD_NUMBER(ReportKeySize, Block->Size),
             KD_TEXT(ReportKeyModule, Module->Name), KD_NUMBER(ReportKeyOffset, Offset),
             KD_TEXT(ReportKeyText, Trace));
    KdMeasureLeak(1, 0);
}

static VOID ExpReportMoreLeaks(const EXP_LEAKS *Leaks)
{
    ULONG More = Leaks->Count - EXP_LEAKS_SHOWN;
    KdLog("%s: leaked %u more blocks of pool, %llu bytes", Leaks->Module->Name, (unsigned)More,
          Leaks->MoreBytes);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Leaks->Module->Name), KD_TEXT(ReportKeyKind, "more pool"),
             KD_NUMBER(ReportKeyCount, More), KD_NUMBER(ReportKeySize, Leaks->MoreBytes));
    KdMeasureLeak(More, 0);
}

ULONG ExReportDriverLeaks(PIM_MODULE Module)
{
    EXP_LEAKS Leaks = {Module, 0, 0};
    ExpUnlockLeakedMdls(Module);
    if (NTBOX_CHECKED)
        ExpTrimCaches(); /* what was freed lies in its page then */
    for (ULONG I = 0; I < MmAllPoolRegions; I++)
        ExpVisitPool(&ExpPools[I], ExpReportLeak, &Leaks);
    if (Leaks.Count > EXP_LEAKS_SHOWN)
        ExpReportMoreLeaks(&Leaks);
    ExpForgetModule(Module);
    return Leaks.Count;
}

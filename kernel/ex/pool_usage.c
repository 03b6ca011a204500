/* SPDX-License-Identifier: MIT
 * Who holds how much pool: live blocks added up by driver, tag and pool. Nothing is counted while a driver runs. */
#include "exp.h"
#include "kd.h"

#define EXP_USAGE_PAGES 8u

typedef struct _EXP_USAGES {
    EX_POOL_USAGE *Rows;
    ULONG Count, Room;
} EXP_USAGES;

/* The last row takes what has no room. */
static VOID ExpAddUsage(const EX_POOL_BLOCK *Block, PVOID Context)
{
    EXP_USAGES *Usages = Context;
    PCSTR Driver = Block->Owner != NULL ? KdModuleNameOf(Block->Owner) : ExpGoneOwner(Block->Traces);
    ULONG I = 0;

    if (!Block->Allocated)
        return;
    while (I < Usages->Count && (Usages->Rows[I].Driver != Driver || Usages->Rows[I].Tag != Block->Tag ||
                                 Usages->Rows[I].Type != Block->PoolType))
        I++;
    if (I == Usages->Room)
        I--;
    else if (I == Usages->Count)
        Usages->Rows[Usages->Count++] = (EX_POOL_USAGE){Driver, Block->Tag, Block->PoolType, 0, 0};
    Usages->Rows[I].Count++;
    Usages->Rows[I].Bytes += Block->Size;
}

static VOID ExpReportRow(const EX_POOL_USAGE *Row)
{
    PCSTR Driver = Row->Driver != NULL ? Row->Driver : "",
          Kind = Row->Type == PagedPool ? "paged" : "nonpaged";

    KdLog("pool: %s: tag '%.4s': %llu blocks, %llu bytes of %s pool", Row->Driver != NULL ? Driver : "nobody",
          (PCSTR)&Row->Tag, Row->Count, Row->Bytes, Kind);
    KdReport(ReportPool, KD_TEXT(ReportKeyDriver, Driver),
             KD_TEXTN(ReportKeyTag, &Row->Tag, sizeof(Row->Tag)), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeyCount, Row->Count), KD_NUMBER(ReportKeySize, Row->Bytes));
}

ULONG ExQueryPoolUsage(EX_POOL_USAGE *Rows, ULONG Room)
{
    EXP_USAGES Usages = {.Rows = Rows, .Room = Room};

    for (ULONG Region = 0; Region < MmAllPoolRegions; Region++)
        ExpVisitPool(&ExpPools[Region], ExpAddUsage, &Usages);
    return Usages.Count;
}

VOID ExReportPoolUsage(VOID)
{
    EX_POOL_USAGE *Rows = MmAllocateSystemPages(EXP_USAGE_PAGES, MmReadWrite);

    if (Rows == NULL) {
        KdLogError("pool: there is no memory for the report of who holds what");
        return;
    }
    ULONG Count = ExQueryPoolUsage(Rows, EXP_USAGE_PAGES * PAGE_SIZE / sizeof(EX_POOL_USAGE));
    for (ULONG I = 0; I < Count; I++)
        ExpReportRow(&Rows[I]);
    MmFreeSystemPages(Rows, EXP_USAGE_PAGES);
}

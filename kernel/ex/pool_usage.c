/* SPDX-License-Identifier: MIT
 * Who holds how much pool: live blocks added up by driver, tag and pool. Nothing is counted while a driver runs. */
#include "exp.h"
#include "kd.h"

#define EXP_USAGE_PAGES 8u

typedef struct _EXP_USAGE {
    PCSTR Driver; /* NULL: not known */
    ULONG Tag;
    POOL_TYPE Type;
    ULONG64 Count, Bytes;
} EXP_USAGE;

typedef struct _EXP_USAGES {
    EXP_USAGE *Rows;
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
        Usages->Rows[Usages->Count++] = (EXP_USAGE){Driver, Block->Tag, Block->PoolType, 0, 0};
    Usages->Rows[I].Count++;
    Usages->Rows[I].Bytes += Block->Size;
}

static VOID ExpReportRow(const EXP_USAGE *Row)
{
    PCSTR Driver = Row->Driver != NULL ? Row->Driver : "",
          Kind = Row->Type == PagedPool ? "paged" : "nonpaged";

    KdLog("pool: %s: tag '%.4s': %llu blocks, %llu bytes of %s pool", Row->Driver != NULL ? Driver : "nobody",
          (PCSTR)&Row->Tag, Row->Count, Row->Bytes, Kind);
    KdReport(ReportPool, KD_TEXT(ReportKeyDriver, Driver),
             KD_TEXTN(ReportKeyTag, &Row->Tag, sizeof(Row->Tag)), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeyCount, Row->Count), KD_NUMBER(ReportKeySize, Row->Bytes));
}

VOID ExReportPoolUsage(VOID)
{
    EXP_USAGES Usages = {.Rows = MmAllocateSystemPages(EXP_USAGE_PAGES, MmReadWrite),
                         .Room = EXP_USAGE_PAGES * PAGE_SIZE / sizeof(EXP_USAGE)};

    if (Usages.Rows == NULL) {
        KdLogError("pool: there is no memory for the report of who holds what");
        return;
    }
    for (ULONG Region = 0; Region < MmAllPoolRegions; Region++)
        ExpVisitPool(&ExpPools[Region], ExpAddUsage, &Usages);
    for (ULONG I = 0; I < Usages.Count; I++)
        ExpReportRow(&Usages.Rows[I]);
    MmFreeSystemPages(Usages.Rows, EXP_USAGE_PAGES);
}

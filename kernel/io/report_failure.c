/* SPDX-License-Identifier: MIT
 * The agent's hand on allocations that fail (ntbox/failure.h), and the ledger that tells whether something was lost then. */
#include "iop.h"
#include "ex.h"
#include "kd.h"
#include "ke_failure.h"
#include "mm.h"

static KD_LEAKS IopLeaksBefore; /* one plan at a time */

static VOID NTAPI IopBeginFailure(const NTBOX_FAILURE_PLAN *Plan)
{
    IopLeaksBefore = KdLeaks;
    KeBeginFailure(Plan);
}

static VOID NTAPI IopEndFailure(NTBOX_FAILURE_RESULT *Result)
{
    KeEndFailure(Result);
}

static VOID NTAPI IopTakeStock(NTBOX_LEDGER *Ledger)
{
    EX_POOL_COUNTERS NonPaged, Paged;
    MM_COUNTERS Memory;

    ExSettle();
    ExQueryPoolCounters(NonPagedPoolNx, &NonPaged);
    ExQueryPoolCounters(PagedPool, &Paged);
    MmQueryCounters(&Memory);
    *Ledger = (NTBOX_LEDGER){NonPaged.Blocks + Paged.Blocks, NonPaged.Bytes + Paged.Bytes, Memory.SystemPtes};
}

/* What a driver has lost, and is reported for, is missing in the ledger too. Of devices, threads and the like nobody knows how much that is: then
 * the kernel is not blamed. */
static VOID IopReportLost(LONG64 Blocks, LONG64 Pages)
{
    KD_LEAKS Leaks = KdLeaks;
    if (Leaks.Count - IopLeaksBefore.Count != Leaks.Measured - IopLeaksBefore.Measured)
        return;
    Blocks -= Leaks.Blocks - IopLeaksBefore.Blocks;
    Pages -= Leaks.Pages - IopLeaksBefore.Pages;
    if (Blocks > 0)
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, "ntoskrnl.exe"),
                 KD_TEXT(ReportKeyKind, "pool after a failed allocation"), KD_NUMBER(ReportKeyCount, Blocks));
    if (Pages > 0)
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, "ntoskrnl.exe"),
                 KD_TEXT(ReportKeyKind, "system pages after a failed allocation"),
                 KD_NUMBER(ReportKeyCount, Pages));
}

static VOID NTAPI IopReportPass(ULONG64 Pass, const NTBOX_FAILURE_RESULT *Result, LONG64 LeakedBlocks,
                                LONG64 LeakedPages)
{
    KdReport(ReportPassEnd, KD_NUMBER(ReportKeyCount, Pass), KD_NUMBER(ReportKeyTotal, Result->Seen),
             KD_NUMBER(ReportKeyInformation, Result->Failed), KD_TEXT(ReportKeyModule, Result->Module),
             KD_TEXT(ReportKeySymbol, Result->Function), KD_NUMBER(ReportKeyOffset, Result->Offset));
    IopReportLost(LeakedBlocks, LeakedPages);
}

const NTBOX_FAILURE_INTERFACE IopFailureInterface = {IopBeginFailure, IopEndFailure, IopTakeStock,
                                                     IopReportPass};

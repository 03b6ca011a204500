/* SPDX-License-Identifier: MIT
 * Which exports a test case called, by the counters of the bindings (`bind=count`). */
#include "imp.h"

static CHAR ImpCase[96];

static VOID ImpResetCount(PCSTR Name, volatile ULONG64 *Count)
{
    __atomic_store_n(Count, 0, __ATOMIC_RELAXED);
}

static VOID ImpReportCount(PCSTR Name, volatile ULONG64 *Count)
{
    ULONG64 Calls = __atomic_exchange_n(Count, 0, __ATOMIC_RELAXED);

    if (Calls != 0)
        KdReport(ReportCall, KD_TEXT(ReportKeyCase, ImpCase), KD_TEXT(ReportKeySymbol, Name),
                 KD_NUMBER(ReportKeyCount, Calls));
}

static VOID ImpResetModule(PIM_MODULE Module)
{
    ImpForEachThunk(Module->Thunks, ImpResetCount);
}

static VOID ImpReportModule(PIM_MODULE Module)
{
    ImpForEachThunk(Module->Thunks, ImpReportCount);
}

VOID ImBeginCase(PCSTR Case, ULONG Length)
{
    if (!ImpOptions.CountCalls)
        return;
    Length = min(Length, sizeof(ImpCase) - 1);
    memcpy(ImpCase, Case, Length);
    ImpCase[Length] = 0;
    ImpForEachModule(ImpResetModule);
    ImpForEachThunk(ImpRoutineThunks, ImpResetCount);
}

VOID ImEndCase(VOID)
{
    if (!ImpOptions.CountCalls || ImpCase[0] == 0)
        return;
    ImpForEachModule(ImpReportModule);
    ImpForEachThunk(ImpRoutineThunks, ImpReportCount);
    ImpCase[0] = 0;
}

/* SPDX-License-Identifier: MIT
 * Allocations that fail on purpose: counting them, and deciding which one. */
#include "ki.h"
#include "crt.h"
#include "kd.h"
#include "ke_failure.h"

#if NTBOX_CHECKED

volatile BOOLEAN KeFailureOn;

static NTBOX_FAILURE_PLAN KiFailurePlan; /* constant while it is on */
static volatile LONG64 KiFailureSeen, KiFailureFailed;
static KI_SYMBOL KiFailureCaller; /* named at once: its image may be gone later */

static ULONG64 KiScramble(ULONG64 Value) /* splitmix64 */
{
    Value += 0x9e3779b97f4a7c15ull;
    Value = (Value ^ (Value >> 30)) * 0xbf58476d1ce4e5b9ull;
    Value = (Value ^ (Value >> 27)) * 0x94d049bb133111ebull;
    return Value ^ (Value >> 31);
}

static BOOLEAN KiFails(ULONG64 Number)
{
    if (KiFailurePlan.Mode == NtboxFailNth)
        return Number == KiFailurePlan.Number;
    return KiFailurePlan.Mode == NtboxFailRandom &&
           (KiScramble(KiFailurePlan.Seed + Number) & 0xffff) < KiFailurePlan.Number;
}

static BOOLEAN KiCounts(const void *Caller)
{
    if (KiFailurePlan.Only[0] == 0)
        return TRUE;
    PCSTR Name = KdModuleNameOf != NULL ? KdModuleNameOf(Caller) : NULL;
    return Name != NULL && strcmp(Name, KiFailurePlan.Only) == 0;
}

BOOLEAN KeIsAllocationDenied(const void *Caller)
{
    if (!KiCounts(Caller) || !KiFails((ULONG64)InterlockedIncrement64(&KiFailureSeen)))
        return FALSE;
    InterlockedIncrement64(&KiFailureFailed);
    KiUpcalls->Symbolize(Caller, &KiFailureCaller);
    return TRUE;
}

BOOLEAN KeBeginFailure(const NTBOX_FAILURE_PLAN *Plan)
{
    KiFailurePlan = *Plan;
    KiFailureSeen = KiFailureFailed = 0;
    KiFailureCaller = (KI_SYMBOL){};
    __atomic_store_n(&KeFailureOn, TRUE, __ATOMIC_RELEASE);
    return TRUE;
}

VOID KeReportFailure(VOID)
{
    if (!KeFailureOn)
        return;
    KdLog("%llu of %llu allocations failed on purpose%s%s", (ULONG64)KiFailureFailed, (ULONG64)KiFailureSeen,
          KiFailureFailed != 0 ? "; who asked for the last one: " : "",
          KiFailureFailed != 0 ? KiFailureCaller.Text : "");
    KdReport(ReportDenied, KD_NUMBER(ReportKeyTotal, (ULONG64)KiFailureSeen),
             KD_NUMBER(ReportKeyInformation, (ULONG64)KiFailureFailed),
             KD_TEXT(ReportKeyModule, KiFailureCaller.Module),
             KD_TEXT(ReportKeySymbol, KiFailureCaller.Function),
             KD_NUMBER(ReportKeyOffset, KiFailureCaller.Offset));
}

VOID KeEndFailure(NTBOX_FAILURE_RESULT *Result)
{
    __atomic_store_n(&KeFailureOn, FALSE, __ATOMIC_RELEASE);
    *Result = (NTBOX_FAILURE_RESULT){
        .Seen = (ULONG64)KiFailureSeen, .Failed = (ULONG64)KiFailureFailed, .Offset = KiFailureCaller.Offset};
    memcpy(Result->Module, KiFailureCaller.Module, sizeof(Result->Module));
    memcpy(Result->Function, KiFailureCaller.Function, sizeof(Result->Function));
}

#else

BOOLEAN KeBeginFailure(const NTBOX_FAILURE_PLAN *Plan)
{
    return FALSE;
}

VOID KeReportFailure(VOID)
{
}

VOID KeEndFailure(NTBOX_FAILURE_RESULT *Result)
{
    *Result = (NTBOX_FAILURE_RESULT){0};
}

#endif

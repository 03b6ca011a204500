/* SPDX-License-Identifier: MIT
 * Checked kernel: the IRQL contract is the first statement of a function, after it comes what its arguments may be; breaking it
 * names the function and, through the back-trace, the caller. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "arch_lock.h"
#include "ke_checks.h"
#include "crt.h"
#include "rtl.h"

BOOLEAN KeChecksOff;

VOID KeSwitchChecksOff(VOID)
{
    KeChecksOff = TRUE;
    ArchLockHooks = NULL;
}

#if NTBOX_CHECKED

static DECLSPEC_NORETURN VOID KiIrqlViolation(KIRQL Expected, PCSTR Rule, PCSTR Function)
{
    KIRQL Irql = ArchGetIrql();
    CHAR Text[160];
    CONTEXT Context;

    _snprintf(Text, sizeof(Text), "%s was called at IRQL %u; its contract says %s %u", Function,
              (unsigned)Irql, Rule, (unsigned)Expected);
    RtlCaptureContext(&Context);
    KiBugCheck(IRQL_UNEXPECTED_VALUE, ((ULONG64)Irql << 16) | ((ULONG64)Expected << 8), 0, 0, 0, &Context,
               Text);
}

VOID KiCheckIrqlAtMost(KIRQL Irql, PCSTR Function)
{
    if (!KeChecksOff && ArchGetIrql() > Irql)
        KiIrqlViolation(Irql, "at most", Function);
}

VOID KiCheckIrqlAtLeast(KIRQL Irql, PCSTR Function)
{
    if (!KeChecksOff && ArchGetIrql() < Irql)
        KiIrqlViolation(Irql, "at least", Function);
}

VOID KiCheckIrqlExactly(KIRQL Irql, PCSTR Function)
{
    if (!KeChecksOff && ArchGetIrql() != Irql)
        KiIrqlViolation(Irql, "exactly", Function);
}

VOID KiCheckArgument(BOOLEAN Valid, PCSTR Name, LONG64 Value, PCSTR Function)
{
    CHAR Text[160];

    if (Valid || KeChecksOff)
        return;
    _snprintf(Text, sizeof(Text), "%s was called with %lld as its argument %s", Function, (long long)Value,
              Name);
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_ARGUMENT, (ULONG_PTR)Value, 0, 0,
                      Text);
}

#endif

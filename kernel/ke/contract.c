/* SPDX-License-Identifier: MIT
 * Checked kernel: the IRQL contract is the first statement of a function; breaking it names the function and, through the
 * back-trace, the caller. */
#include "ki.h"

#if NTBOX_CHECKED

static DECLSPEC_NORETURN VOID KiIrqlViolation(KIRQL Expected, PCSTR Function)
{
    KIRQL Irql = ArchGetIrql();

    KdLog("%s was called at IRQL %u; its contract says %u", Function, (unsigned)Irql, (unsigned)Expected);
    KeBugCheckEx(IRQL_UNEXPECTED_VALUE, ((ULONG_PTR)Irql << 16) | ((ULONG_PTR)Expected << 8), 0, 0, 0);
}

VOID KiCheckIrqlAtMost(KIRQL Irql, PCSTR Function)
{
    if (ArchGetIrql() > Irql)
        KiIrqlViolation(Irql, Function);
}

VOID KiCheckIrqlExactly(KIRQL Irql, PCSTR Function)
{
    if (ArchGetIrql() != Irql)
        KiIrqlViolation(Irql, Function);
}

#endif

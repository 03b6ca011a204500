/* SPDX-License-Identifier: MIT
 * IRQL by function. Drivers inline `mov cr8`; these exports do the same for those that call. */
#include "ki.h"

/* [WDK KeRaiseIrql] NewIrql >= current; bug check IRQL_NOT_GREATER_OR_EQUAL otherwise. */
KIRQL KiExportRaiseIrql(KIRQL NewIrql)
{
    KIRQL OldIrql = ArchGetIrql();

    if (NTBOX_CHECKED && NewIrql < OldIrql)
        KeBugCheckEx(IRQL_NOT_GREATER_OR_EQUAL, OldIrql, NewIrql, 0, 0);
    ArchSetIrql(NewIrql);
    return OldIrql;
}

/* [WDK KeLowerIrql] NewIrql <= current; bug check IRQL_NOT_LESS_OR_EQUAL otherwise. */
DECLSPEC_NOINLINE VOID KiExportLowerIrql(KIRQL NewIrql)
{
    if (NTBOX_CHECKED && NewIrql > ArchGetIrql())
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, 0, ArchGetIrql(), NewIrql,
                     (ULONG_PTR)__builtin_return_address(0));
    if (NewIrql < DISPATCH_LEVEL)
        KiCheckLocksBelow(NewIrql);
    ArchSetIrql(NewIrql);
}

KIRQL KiExportRaiseIrqlToDpcLevel(VOID)
{
    return KiExportRaiseIrql(DISPATCH_LEVEL);
}

KIRQL KiExportGetCurrentIrql(VOID)
{
    return ArchGetIrql();
}

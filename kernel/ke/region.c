/* SPDX-License-Identifier: MIT
 * Critical and guarded regions: counters of the current thread. */
#include "ki.h"

/* [WDK KeEnterCriticalRegion] IRQL <= APC_LEVEL. */
#undef KeEnterCriticalRegion
VOID NTAPI KeEnterCriticalRegion(VOID)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KiCurrentThread()->KernelApcDisable--;
}

/* [WDK KeLeaveCriticalRegion] */
#undef KeLeaveCriticalRegion
VOID NTAPI KeLeaveCriticalRegion(VOID)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(APC_LEVEL);
    if (NTBOX_CHECKED && Thread->KernelApcDisable >= 0)
        KeBugCheckEx(APC_INDEX_MISMATCH, (ULONG_PTR)__builtin_return_address(0), 0, (ULONG_PTR)(LONG_PTR)Thread->KernelApcDisable, 0);
    Thread->KernelApcDisable++;
}

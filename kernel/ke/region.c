/* SPDX-License-Identifier: MIT
 * Critical and guarded regions: counters of the current thread. */
#include "ki.h"
#include "ke_checks.h"

/* [WDK KeEnterCriticalRegion] IRQL <= APC_LEVEL. */
VOID NTAPI KeEnterCriticalRegion(VOID)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KiCurrentThread()->KernelApcDisable--;
}

/* [WDK KeLeaveCriticalRegion] */
DECLSPEC_NOINLINE_CHECKED VOID NTAPI KeLeaveCriticalRegion(VOID)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(APC_LEVEL);
    if (NTBOX_CHECKED && Thread->KernelApcDisable >= 0)
        KeBugCheckEx(APC_INDEX_MISMATCH, (ULONG_PTR)__builtin_return_address(0), 0,
                     (ULONG_PTR)(LONG_PTR)Thread->KernelApcDisable, 0);
    if (++Thread->KernelApcDisable == 0)
        KiCheckPendingApcs(Thread);
}

/* [WDK KeEnterGuardedRegion] Disables special kernel APCs too. */
VOID NTAPI KeEnterGuardedRegion(VOID)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KiCurrentThread()->SpecialApcDisable--;
}

DECLSPEC_NOINLINE_CHECKED VOID NTAPI KeLeaveGuardedRegion(VOID)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(APC_LEVEL);
    if (NTBOX_CHECKED && Thread->SpecialApcDisable >= 0)
        KeBugCheckEx(APC_INDEX_MISMATCH, (ULONG_PTR)__builtin_return_address(0), 0, 0,
                     (ULONG_PTR)(LONG_PTR)Thread->SpecialApcDisable);
    if (++Thread->SpecialApcDisable == 0)
        KiCheckPendingApcs(Thread);
}

/* [WDK KeAreApcsDisabled] TRUE inside a critical or guarded region or at IRQL >= APC_LEVEL. */
BOOLEAN NTAPI KeAreApcsDisabled(VOID)
{
    PKTHREAD Thread = KiCurrentThread();

    return Thread->KernelApcDisable != 0 || Thread->SpecialApcDisable != 0 || ArchGetIrql() >= APC_LEVEL;
}

/* [WDK KeAreAllApcsDisabled] TRUE inside a guarded region or at IRQL >= APC_LEVEL: special kernel APCs wait, too. */
BOOLEAN NTAPI KeAreAllApcsDisabled(VOID)
{
    return KiCurrentThread()->SpecialApcDisable != 0 || ArchGetIrql() >= APC_LEVEL;
}

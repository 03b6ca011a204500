/* SPDX-License-Identifier: MIT
 * The bounds of the current thread's kernel stack. */
#include "iop.h"

/* [WDK IoGetStackLimits] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoGetStackLimits(PULONG_PTR Low, PULONG_PTR High)
{
    PKTHREAD Thread = KiCurrentThread();
    *Low = (ULONG_PTR)Thread->StackLimit;
    *High = (ULONG_PTR)Thread->StackBase;
}

PVOID NTAPI IoGetInitialStack(VOID)
{
    return KeInitialStackOf(KiCurrentThread());
}

/* [WDK IoWithinStackLimits] does the region lie in the stack that the caller runs on, a thread's or an interrupt's? Any IRQL. */
ULONG NTAPI IoWithinStackLimits(ULONG_PTR RegionStart, SIZE_T RegionSize)
{
    ULONG64 Low, High;
    if (!KeFindStack((ULONG64)__builtin_frame_address(0), &Low, &High))
        return FALSE;
    return RegionStart >= Low && RegionStart < High && RegionSize <= High - RegionStart;
}

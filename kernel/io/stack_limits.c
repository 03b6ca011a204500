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
    return KiCurrentThread()->StackBase;
}

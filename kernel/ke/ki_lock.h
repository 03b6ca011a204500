/* SPDX-License-Identifier: MIT
 * Tier 3, ke only: what the driver-visible spin locks share. */
#pragma once
#include "arch_lock.h"
#include "ki.h"

/* The end of every release that returns to an IRQL. */
static inline VOID KiLowerFromLock(KIRQL NewIrql)
{
    if (NewIrql < DISPATCH_LEVEL)
        KiCheckLocksBelow(NewIrql);
    ArchSetIrql(NewIrql);
}

/* SPDX-License-Identifier: MIT
 * Imports from cycle_b.sys, which imports from here. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI OfCycleB(VOID);
LONG NTAPI OfCycleA(VOID);

LONG NTAPI OfCycleA(VOID)
{
    return 0;
}

QUIET_DRIVER(OfCycleB())

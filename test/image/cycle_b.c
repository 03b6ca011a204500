/* SPDX-License-Identifier: MIT
 * Imports from cycle_a.sys, which imports from here. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI OfCycleA(VOID);
LONG NTAPI OfCycleB(VOID);

LONG NTAPI OfCycleB(VOID)
{
    return 0;
}

QUIET_DRIVER(OfCycleA())

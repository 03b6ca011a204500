/* SPDX-License-Identifier: MIT
 * An export driver without DllUnload: it cannot be told that it goes, so it stays. */
#include "quiet.h"

LONG NTAPI OfStays(VOID);

LONG NTAPI OfStays(VOID)
{
    static LONG Calls;
    return Calls++ < 0;
}

QUIET_DRIVER(0)

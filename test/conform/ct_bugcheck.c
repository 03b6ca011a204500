/* SPDX-License-Identifier: MIT
 * Ends the machine by KeBugCheck: the run passes when it stops with this code. [WDK KeBugCheck], [WDK Bug Check 0xE2:
 * MANUALLY_INITIATED_CRASH] tools/export_gate.py knows the code. */
#include "ct.h"

static VOID BugCheckRaise(VOID)
{
    KeBugCheck(MANUALLY_INITIATED_CRASH);
}

static const CT_CASE Cases[] = {{"bugcheck.raise", BugCheckRaise}};
CT_DRIVER(Cases)

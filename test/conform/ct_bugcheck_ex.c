/* SPDX-License-Identifier: MIT
 * Ends the machine by KeBugCheckEx: the run passes when it stops with this code and these parameters.
 * [WDK KeBugCheckEx] tools/export_gate.py knows them. */
#include "ct.h"

static VOID BugCheckRaiseEx(VOID)
{
    KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0x4E54424F58 /* "NTBOX" */, 1, 2, 3);
}

static const CT_CASE Cases[] = {{"bugcheck.raise_ex", BugCheckRaiseEx}};
CT_DRIVER(Cases)

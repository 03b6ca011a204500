/* SPDX-License-Identifier: MIT
 * Ends the machine as a call of a pure virtual function does; tools/export_gate.py knows the bug check (D-192). */
#include "ct.h"
#include <stdlib.h>

static VOID BugCheckPureCall(VOID)
{
    _purecall();
}

static const CT_CASE Cases[] = {{"bugcheck.pure_call", BugCheckPureCall}};
CT_DRIVER(Cases)

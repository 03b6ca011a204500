/* SPDX-License-Identifier: MIT
 * The exported variables by which a driver asks for a kernel debugger: none is attached. [WDK KD_DEBUGGER_ENABLED] */
#include "kdp.h"

#undef KdDebuggerEnabled
#undef KdDebuggerNotPresent
BOOLEAN KdDebuggerEnabled = FALSE;
BOOLEAN KdDebuggerNotPresent = TRUE;

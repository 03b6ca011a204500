/* SPDX-License-Identifier: MIT
 * Imports from fails_late.sys and so cannot be loaded. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI OfFailsLate(VOID);
QUIET_DRIVER(OfFailsLate() - 42)

/* SPDX-License-Identifier: MIT
 * Imports from init_fails.sys and so cannot be loaded. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI OfInitFails(VOID);
QUIET_DRIVER(OfInitFails())

/* SPDX-License-Identifier: MIT
 * Imports from init_pends.sys which breaks a rule. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI OfInitPends(VOID);
QUIET_DRIVER(OfInitPends())

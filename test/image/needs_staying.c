/* SPDX-License-Identifier: MIT
 * Imports from stays.sys. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI OfStays(VOID);
QUIET_DRIVER(OfStays())

/* SPDX-License-Identifier: MIT
 * Imports a forwarder: from FORWARDS.SYS, and so from exporter.sys. The sum of both clients grows by 0 here. */
#include "quiet.h"

DECLSPEC_IMPORT LONG NTAPI ForwardedAdd(LONG Amount);
QUIET_DRIVER(ForwardedAdd(10) == 0)

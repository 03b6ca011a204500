/* SPDX-License-Identifier: MIT
 * Tier 2, cm: the registry. What it offers are the ZwXxxKey names of the DDK headers; this header is for init. The registry
 * is read-only so far. */
#pragma once
#include "nt.h"

/* PASSIVE_LEVEL, once, when \SystemRoot can be read: makes the object \Registry and mounts the file
 * \SystemRoot\System32\config\SYSTEM as \Registry\Machine\System. [WDK Bug Check 0x74] A hive that is missing or damaged is one
 * sentence in the log and BAD_SYSTEM_CONFIG_INFO. */
VOID CmInitSystem(VOID);

/* SPDX-License-Identifier: MIT
 * Tier 2, cm: the registry. What it offers are the ZwXxxKey, RtlXxxRegistryXxx and CmXxx names of the DDK headers. */
#pragma once
#include "nt.h"

/* PASSIVE_LEVEL, once, when \SystemRoot can be read: makes the object \Registry and the keys that every system has, and mounts the
 * file \SystemRoot\System32\config\SYSTEM as \Registry\Machine\System. [WDK Bug Check 0x74] A hive that is missing or damaged is one
 * sentence in the log and BAD_SYSTEM_CONFIG_INFO. */
VOID CmInitSystem(VOID);

/* PASSIVE_LEVEL, while file systems still take requests: hives that changed are flushed, and not again by themselves. */
VOID CmShutdownSystem(VOID);

/* PASSIVE_LEVEL. The bytes of the SYSTEM hive as a file go out through the report channel. */
VOID CmReportSystemHive(VOID);

/* PASSIVE_LEVEL, after a driver's unload routine: its registry callbacks would run code that is gone. They are taken out, reported and
 * counted. */
ULONG CmReportDriverCallbacks(PCSTR Driver, const void *Base, SIZE_T Size);

/* PASSIVE_LEVEL, after a driver's unload routine: its ZwNotifyChangeKey that are not over and would queue its work item or write its status
 * block. They are taken out without being told, reported and counted. */
ULONG CmReportDriverNotifications(PCSTR Driver, const void *Base, SIZE_T Size);

/* PASSIVE_LEVEL, after a driver's unload routine: hives that it has loaded and not unloaded are reported and counted. */
ULONG CmReportDriverHives(PCSTR Driver, const void *Base, SIZE_T Size);

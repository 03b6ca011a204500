/* SPDX-License-Identifier: MIT
 * The hive library for host programs (meson: cm_dep): hive.h with malloc and free, and words for its
 * statuses. */
#pragma once
#include "cm/hive_builder.h"

/* For HiveBuilderCreate; what HiveBuilderFinish returns is freed with free(). */
extern const HIVE_MEMORY HiveHeap;

/* "out of memory"; static text. */
const char *HiveStatusText(HIVE_STATUS Status);

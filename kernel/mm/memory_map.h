/* SPDX-License-Identifier: MIT
 * Tier 3 of mm, pure: questions about the loader's memory map, which is sorted and may have holes. In pages. Builds on the host
 * (test/unit/mm/memory_map_test.c). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "osloader/loader_block.h"

typedef struct _MI_MEMORY_MAP {
    const LOADER_MEMORY_RANGE *Ranges;
    uint32_t Count;
} MI_MEMORY_MAP;

bool MiIsRam(const LOADER_MEMORY_RANGE *Range);

/* How many of the Count > 0 pages from First on are surely, like the first, RAM or, like it, not: at least one. What no range names is no
 * RAM. Neighbouring runs may be of the same kind. */
uint64_t MiMapRunOfKind(MI_MEMORY_MAP Map, uint64_t First, uint64_t Count, bool *Ram);

/* All of the first run of RAM at or after *Frame and below End: where it begins, and its pages. FALSE: no more. */
bool MiMapNextRam(MI_MEMORY_MAP Map, uint64_t End, uint64_t *Frame, uint64_t *Count);

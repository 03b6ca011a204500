/* SPDX-License-Identifier: MIT
 * Private to osloader, pure: the memory map as one sorted list of ranges without overlaps. The firmware's
 * ranges and osloader's own claims go through the same insertion, so what is handed to the kernel needs no
 * second pass. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "osloader/loader_block.h"

#define OSL_PAGE_SIZE 4096u
#define OSL_MAP_RANGES 512u

typedef struct OSL_MAP {
    uint32_t Count;
    bool Overflow; /* more than OSL_MAP_RANGES: the map is not to be used */
    LOADER_MEMORY_RANGE Ranges[OSL_MAP_RANGES];
} OSL_MAP;

/* Adds a range in bytes. Free memory shrinks to whole pages, everything else grows. Where ranges overlap the
 * stronger type stays: claims over bad over reserved over NVS over ACPI over free memory; of two equals the
 * later one. */
void OslMapInsert(OSL_MAP *Map, uint64_t Base, uint64_t Length, LOADER_MEMORY_TYPE Type);

/* Claims Length bytes (whole pages) at the lowest free address from 1 MiB that is a multiple of Alignment (a
 * power of two, at least a page) and ends at or below Limit. Returns 0 if there is none. */
uint64_t OslMapClaim(OSL_MAP *Map, uint64_t Length, uint64_t Alignment, uint64_t Limit,
                     LOADER_MEMORY_TYPE Type);

/* Joins neighbours of one type. */
void OslMapCoalesce(OSL_MAP *Map);

/* End of the highest range that is RAM (free, ACPI, NVS or claimed); 0 for an empty map. */
uint64_t OslMapTopOfRam(const OSL_MAP *Map);

/* SPDX-License-Identifier: MIT
 * Private to osloader: what the boot protocols tell, in one form. The parsers are pure: they read the given
 * bytes only and check every length; a fault is one sentence. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "osloader/loader_block.h"
#include "osloader/memory_map.h"

#define OSL_COMMAND_LINE_MAX 4096u /* with its NUL */
#define OSL_RSDP_MAX 64u

/* Physical addresses; what they name stays where the boot loader put it. */
typedef struct OSL_BOOT_INFO {
    uint32_t Protocol;       /* LOADER_BOOT_PROTOCOL */
    const char *CommandLine; /* NUL-terminated, never null */
    uint32_t ModuleCount;
    uint64_t Module; /* the first one */
    uint64_t ModuleLength;
    LOADER_SCREEN Screen;
    uint64_t EfiSystemTable;
    uint64_t Rsdp;           /* address in memory; 0 = not told */
    const uint8_t *RsdpCopy; /* Multiboot2 passes a copy instead; NULL = none */
    uint32_t RsdpCopyLength; /* at most OSL_RSDP_MAX */
    OSL_MAP *Map;            /* filled by the parser */
} OSL_BOOT_INFO;

/* Bytes at a physical address, or NULL if osloader cannot reach them. */
typedef const void *OSL_PHYSICAL(uint64_t Address, uint64_t Length);

/* Info: the Multiboot2 information structure, of which 8 bytes are readable; it gives its own length. Sets
 * *Length to that. Boot has Map set and everything else zero. Returns NULL or the sentence that says what is
 * wrong. */
const char *OslParseMultiboot2(const void *Info, OSL_BOOT_INFO *Boot, uint32_t *Length);

/* Info: the PVH start information at its physical address, reached through Physical. The structures that it
 * names are claimed in the map. Returns NULL or the sentence that says what is wrong. */
const char *OslParsePvh(uint64_t Info, OSL_PHYSICAL *Physical, OSL_BOOT_INFO *Boot);

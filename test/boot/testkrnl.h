/* SPDX-License-Identifier: MIT
 * Private to the test kernel that osloader boots in test/e2e/osloader_test.py. It judges the hand-over from
 * the kernel's side and tells the result on COM1 and by the exit port. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osloader/loader_block.h"

/* Prints "FAIL <What>" and counts it. Returns Good. */
bool Check(bool Good, const char *What);
/* Same, with the value that was wrong. */
bool CheckValue(bool Good, const char *What, uint64_t Value);
/* "<Key>=<hexadecimal Value>" for the test script. */
void Tell(const char *Key, uint64_t Value);
void TellText(const char *Key, const char *Value);

/* Block->DirectMapBase */
extern uint64_t DirectMapBase;

static inline void *Direct(uint64_t Physical)
{
    return (void *)(uintptr_t)(DirectMapBase + Physical);
}

/* Walks the tables from Root in software. The leaf entry with the NX and write bits of all levels combined as
 * the processor does, or 0; *PageSize is that of the leaf. */
uint64_t WalkTables(uint64_t Root, uint64_t Virtual, uint64_t *PageSize);
#define PTE_PRESENT 1ull
#define PTE_WRITE 2ull
#define PTE_LARGE 0x80ull
#define PTE_NO_EXECUTE 0x8000000000000000ull
#define PTE_ADDRESS 0x000ffffffffff000ull

void CheckProcessorState(const LOADER_BLOCK *Block);
void CheckMemoryMap(const LOADER_BLOCK *Block);
void CheckAddressSpace(const LOADER_BLOCK *Block);
void CheckImages(const LOADER_BLOCK *Block);
void CheckArchive(const LOADER_BLOCK *Block);
void CheckBinding(const LOADER_BLOCK *Block);

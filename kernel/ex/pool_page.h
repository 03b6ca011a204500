/* SPDX-License-Identifier: MIT
 * Tier 3 of ex, pure: sizes of small blocks, and which blocks of a page are free. No locks, no allocation, builds on the host
 * (test/unit/ex/pool_page_test.c).
 *
 *   small page   | header | block ...... | header | block ...... | ... | rest |     blocks of one class, numbered from 0
 *
 * The bits of free blocks lie in the page's record, not in the blocks: what a driver writes to memory that it has freed leads
 * nobody astray. */
#pragma once
#include <stdint.h>

#define EXP_PAGE_SIZE 4096u
#define EXP_HEADER_SIZE 16u
#define EXP_CLASSES 22u
#define EXP_LARGEST_BLOCK 2048u /* header included */
#define EXP_UNITS (EXP_PAGE_SIZE / 16u)
#define EXP_MOST_BLOCKS 128u /* of a page */

extern const uint16_t ExpBlockSize[EXP_CLASSES];
extern uint8_t
    ExpClassOfUnits[EXP_LARGEST_BLOCK / 16 + 1]; /* by size in units of 16 bytes, header included */

/* By offset in the page of what the header precedes, in units: number of the block plus one; 0: none begins there. Each class
 * has as many equal rows as there are pools, so that the fast path needs one number for row and magazine. */
#define EXP_ROWS 2u
extern uint8_t ExpBlockAt[EXP_CLASSES][EXP_ROWS][EXP_UNITS];

void ExpInitializeClasses(void);

static inline uint32_t ExpBlocksPerPage(uint32_t Class)
{
    return EXP_PAGE_SIZE / ExpBlockSize[Class];
}

/* Number of the block whose contents begin at that offset of a page, plus one; 0: none does. */
static inline uint32_t ExpBlockNumberAt(uint32_t Class, uint32_t Offset)
{
    return Offset % 16 == 0 && Offset < EXP_PAGE_SIZE ? ExpBlockAt[Class][0][Offset / 16] : 0;
}

static inline uint32_t ExpBlockOffset(uint32_t Class, uint32_t Number)
{
    return Number * ExpBlockSize[Class] + EXP_HEADER_SIZE;
}

/* --- free blocks of one page ------------------------------------------------------------------------------ */

typedef struct _EXP_BLOCK_SET {
    uint64_t Words[EXP_MOST_BLOCKS / 64];
} EXP_BLOCK_SET;

/* All blocks of a page of the class. */
EXP_BLOCK_SET ExpFullSet(uint32_t Class);

static inline int ExpIsInSet(const EXP_BLOCK_SET *Set, uint32_t Number)
{
    return (Set->Words[Number / 64] >> Number % 64) & 1;
}

static inline void ExpAddToSet(EXP_BLOCK_SET *Set, uint32_t Number)
{
    Set->Words[Number / 64] |= 1ull << Number % 64;
}

/* The lowest; the set is not empty. */
static inline uint32_t ExpTakeFromSet(EXP_BLOCK_SET *Set)
{
    uint32_t Word = Set->Words[0] == 0, Bit = (uint32_t)__builtin_ctzll(Set->Words[Word]);

    Set->Words[Word] &= Set->Words[Word] - 1;
    return Word * 64 + Bit;
}

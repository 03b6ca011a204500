/* SPDX-License-Identifier: MIT
 * Which entries of the top-level page table (512 GiB each) the regions of the kernel half get: chosen at random, so that no address
 * of data can be known before the boot. osloader places the direct map and the recursive slot, the kernel all others. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_FIRST_SLOT 0x100u
#define LAYOUT_SLOT_SIZE (1ull << 39)
#define LAYOUT_END_SLOT 0x1efu /* from here on addresses are fixed by NT: KUSER_SHARED_DATA, images */

typedef struct LAYOUT {
    uint64_t Taken[8]; /* a bit per entry of the table */
    uint64_t Random;   /* state of the generator */
} LAYOUT;

static inline uint64_t LayoutSlotAddress(uint32_t Slot)
{
    return 0xffff000000000000ull | (uint64_t)Slot << 39;
}

/* splitmix64 */
static inline uint64_t LayoutNextRandom(uint64_t *State)
{
    *State += 0x9e3779b97f4a7c15ull;
    uint64_t Mix = *State;
    Mix = (Mix ^ Mix >> 30) * 0xbf58476d1ce4e5b9ull;
    Mix = (Mix ^ Mix >> 27) * 0x94d049bb133111ebull;
    return Mix ^ Mix >> 31;
}

static inline bool LayoutIsFree(const LAYOUT *Layout, uint32_t Slot, uint32_t Count)
{
    for (uint32_t i = Slot; i < Slot + Count; i++)
        if (Layout->Taken[i / 64] >> i % 64 & 1)
            return false;
    return true;
}

static inline void LayoutTake(LAYOUT *Layout, uint32_t Slot, uint32_t Count)
{
    for (uint32_t i = Slot; i < Slot + Count; i++)
        Layout->Taken[i / 64] |= 1ull << i % 64;
}

static inline uint32_t LayoutCountPlaces(const LAYOUT *Layout, uint32_t Count)
{
    uint32_t Places = 0;
    for (uint32_t Slot = LAYOUT_FIRST_SLOT; Slot + Count <= LAYOUT_END_SLOT; Slot++)
        Places += LayoutIsFree(Layout, Slot, Count);
    return Places;
}

/* Takes Count neighbouring entries, each possible place as likely as any other; returns the first, 0 when there is no place. */
static inline uint32_t LayoutPick(LAYOUT *Layout, uint32_t Count)
{
    uint32_t Places = LayoutCountPlaces(Layout, Count);
    if (Places == 0)
        return 0;
    uint32_t Wanted = (uint32_t)(LayoutNextRandom(&Layout->Random) % Places);
    uint32_t Slot = LAYOUT_FIRST_SLOT;
    while (!LayoutIsFree(Layout, Slot, Count) || Wanted-- != 0)
        Slot++;
    LayoutTake(Layout, Slot, Count);
    return Slot;
}

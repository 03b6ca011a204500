/* SPDX-License-Identifier: MIT
 * Where the regions of the kernel half lie in this boot. */
#include "mi.h"
#include "osloader/layout.h"

MM_LAYOUT MmLayout;

static ULONG64 MiPlaceRegion(LAYOUT *Layout, ULONG Slots)
{
    ULONG Slot = LayoutPick(Layout, Slots);
    NT_CHECK(Slot != 0); /* 64 TiB of memory, the most that osloader maps, leave room for all of them */
    return LayoutSlotAddress(Slot);
}

VOID MiInitLayout(const LOADER_BLOCK *Block)
{
    LAYOUT Layout = {.Random = ~Block->Seed};
    ULONG DirectSlots = (ULONG)((Block->DirectMapLength + MM_REGION_SIZE - 1) / MM_REGION_SIZE);

    MmLayout.DirectMap = Block->DirectMapBase;
    MmLayout.DirectMapEnd = Block->DirectMapBase + Block->DirectMapLength;
    MmLayout.PageTables = LayoutSlotAddress(Block->RecursiveSlot);
    LayoutTake(&Layout, MiSlotOf(Block->DirectMapBase), DirectSlots);
    LayoutTake(&Layout, Block->RecursiveSlot, 1);
#define MI_PLACE(Name, Slots, Text) MmLayout.Name = MiPlaceRegion(&Layout, Slots);
    MM_RANDOM_REGIONS(MI_PLACE)
#undef MI_PLACE
}

/* SPDX-License-Identifier: MIT
 * Which physical addresses are RAM, as a list in pool. [WDK MmGetPhysicalMemoryRanges] */
#include "ex.h"
#include "mm.h"

#define EXP_RANGES_TAG 'hPmM'

static ULONG ExpFillRanges(PHYSICAL_MEMORY_RANGE *Ranges)
{
    ULONG Found = 0;
    PFN_NUMBER Count;
    for (PFN_NUMBER Frame = 0; MmNextRamRange(&Frame, &Count); Frame += Count, Found++)
        if (Ranges != NULL) {
            Ranges[Found].BaseAddress.QuadPart = (LONG64)(Frame << PAGE_SHIFT);
            Ranges[Found].NumberOfBytes.QuadPart = (LONG64)(Count << PAGE_SHIFT);
        }
    return Found;
}

/* PASSIVE_LEVEL. [WDK MmGetPhysicalMemoryRanges] sorted; a range of no bytes ends the list, which the caller frees with ExFreePool. NULL: no
 * memory. */
PPHYSICAL_MEMORY_RANGE NTAPI MmGetPhysicalMemoryRanges(VOID)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);

    SIZE_T Size = (ExpFillRanges(NULL) + 1) * sizeof(PHYSICAL_MEMORY_RANGE);
    PPHYSICAL_MEMORY_RANGE Ranges = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, EXP_RANGES_TAG);
    if (Ranges != NULL)
        ExpFillRanges(Ranges);
    return Ranges;
}

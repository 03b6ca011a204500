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

static PPHYSICAL_MEMORY_RANGE ExpGetRanges(VOID)
{
    SIZE_T Size = (ExpFillRanges(NULL) + 1) * sizeof(PHYSICAL_MEMORY_RANGE);
    PPHYSICAL_MEMORY_RANGE Ranges = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, EXP_RANGES_TAG);
    if (Ranges != NULL)
        ExpFillRanges(Ranges);
    return Ranges;
}

/* PASSIVE_LEVEL. [WDK MmGetPhysicalMemoryRanges] sorted; a range of no bytes ends the list, which the caller frees with ExFreePool. NULL: no
 * memory. */
PPHYSICAL_MEMORY_RANGE NTAPI MmGetPhysicalMemoryRanges(VOID)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);

    return ExpGetRanges();
}

/* PASSIVE_LEVEL. [WDK MmGetPhysicalMemoryRangesEx2] the same of a partition of memory; NULL is the system's. There is no other, so any other
 * pointer is none. */
PPHYSICAL_MEMORY_RANGE NTAPI MmGetPhysicalMemoryRangesEx(PVOID PartitionObject)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);

    return PartitionObject == NULL ? ExpGetRanges() : NULL;
}

#define EXP_RANGE_FLAGS                                                                                      \
    (MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_FILE_ONLY | MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_ALL_PARTITIONS)

/* PASSIVE_LEVEL. [WDK MmGetPhysicalMemoryRangesEx2] Flags: also ranges that hold files alone, which there are none of, and those of all
 * partitions. NULL for flags that do not exist. */
PPHYSICAL_MEMORY_RANGE NTAPI MmGetPhysicalMemoryRangesEx2(PVOID PartitionObject, ULONG Flags)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);

    return PartitionObject == NULL && (Flags & ~(ULONG)EXP_RANGE_FLAGS) == 0 ? ExpGetRanges() : NULL;
}

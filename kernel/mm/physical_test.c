/* SPDX-License-Identifier: MIT
 * Physical pages: limits, zeroing, giving back. */
#include "kt.h"
#include "mm.h"

static PFN_NUMBER FreePages(VOID)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    return Counters.FreePages +
           Counters.TablePages; /* a new neighbourhood of pages gets entries in the page frame database */
}

KT_TEST(mm_page_is_zeroed_and_given_back)
{
    PFN_NUMBER Before = FreePages(), Page = MmAllocatePhysicalPage(FALSE);
    KT_EXPECT(Page != MM_NO_PAGE && FreePages() == Before - 1);
    PULONG64 Contents = MmDirectMap(Page << PAGE_SHIFT);
    Contents[0] = Contents[511] = 0x1234;
    MmFreePhysicalPages(Page, 1);
    Page = MmAllocatePhysicalPage(TRUE);
    Contents = MmDirectMap(Page << PAGE_SHIFT);
    for (ULONG I = 0; I < 512; I++)
        KT_EXPECT(Contents[I] == 0);
    MmFreePhysicalPages(Page, 1);
    KT_EXPECT(FreePages() == Before);
}

KT_TEST(mm_run_keeps_its_limits)
{
    PFN_NUMBER Before = FreePages();
    PFN_NUMBER Low = MmAllocatePhysicalPages(16, 0, 0xfff, 16);
    KT_EXPECT(Low != MM_NO_PAGE && Low + 15 <= 0xfff && Low % 16 == 0);
    PFN_NUMBER High = MmAllocatePhysicalPages(3, 0x1800, 0x1fff, 0);
    KT_EXPECT(High >= 0x1800 && High + 2 <= 0x1fff);
    PFN_NUMBER Lowest = MmAllocatePhysicalPages(1, 0, 0xff, 0);
    KT_EXPECT(Lowest == MM_NO_PAGE || (Lowest > 0 && Lowest <= 0xff));
    KT_EXPECT(MmAllocatePhysicalPages(1ull << 40, 0, MM_ANY_PAGE, 0) == MM_NO_PAGE);
    KT_EXPECT(MmAllocatePhysicalPages(8, 0, MM_ANY_PAGE, 4) == MM_NO_PAGE);
    if (Lowest != MM_NO_PAGE)
        MmFreePhysicalPages(Lowest, 1);
    MmFreePhysicalPages(High, 3);
    MmFreePhysicalPages(Low, 16);
    KT_EXPECT(FreePages() == Before);
}

KT_TEST(mm_ordinary_pages_come_from_above_16_mib)
{
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    KT_EXPECT(Page >= 0x1000);
    MmFreePhysicalPages(Page, 1);
}

/* SPDX-License-Identifier: MIT
 * Start-up of the memory manager: takes over what osloader built, and lets go of what only osloader needed.
 */
#include "mi.h"
#include "mm/user_space.h"

#define MI_MSR_PAT 0x277
/* Entries 0-3 as at reset (write-back, write-through, uncached-, uncached), entry 4 write-combining, 5-7 as
 * at reset. */
#define MI_PAT_VALUE 0x0007040100070406ull
#define MI_SYSTEM_PTE_PAGES ((4ull << 30) >> PAGE_SHIFT) /* and as many as there is memory */
#define MI_POOL_EXTRA_PAGES ((128ull << 20) >> PAGE_SHIFT)
#define MI_SPECIAL_POOL_PAGES ((1ull << 30) >> PAGE_SHIFT)
#define MI_IMAGE_PAGES ((1ull << 30) >> PAGE_SHIFT)

static PFN_NUMBER
    MiRootFrame; /* (c) the page table that osloader made; all address spaces share its upper half */

VOID MmInitProcessor(VOID)
{
    ArchWriteMsr(MI_MSR_PAT, MI_PAT_VALUE);
    ArchWriteCr4(ArchReadCr4() | MI_CR4_GLOBAL);
    MiFlushTlbHere();
}

/* Pages of image space that the boot images use, from its base. */
static SIZE_T MiBootImagePages(const LOADER_BLOCK *Block)
{
    ULONG64 End = MM_IMAGE_BASE;
    for (ULONG I = 0; I < Block->ImageCount; I++)
        if (Block->Images[I].Base + Block->Images[I].Size > End)
            End = Block->Images[I].Base + Block->Images[I].Size;
    return (End - MM_IMAGE_BASE) >> PAGE_SHIFT;
}

/* The boot images' pages become ours like those of any driver: INIT sections can be discarded. */
static VOID MiAdoptImage(const LOADER_IMAGE *Image)
{
    SIZE_T Count = BYTES_TO_PAGES(Image->Size);
    MI_PTE Bits = MI_PTE_OWNS | MI_PTE_GLOBAL | ((MI_PTE)MiUseImage << MI_PTE_USE_SHIFT);
    MI_PTE *Pte = MiPteOf(Image->Base);
    for (SIZE_T I = 0; I < Count; I++)
        if (MiReadPte(&Pte[I]) & MI_PTE_PRESENT)
            MiWritePte(&Pte[I], MiReadPte(&Pte[I]) | Bits | (I == 0 ? MI_PTE_FIRST : 0) |
                                    (I == Count - 1 ? MI_PTE_LAST : 0));
}

static SIZE_T MiRegionPages(SIZE_T Pages)
{
    const SIZE_T Most = MM_REGION_SIZE >> PAGE_SHIFT;
    return Pages < Most ? Pages : Most;
}

static VOID MiInitSpaces(const LOADER_BLOCK *Block)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    SIZE_T Memory = Counters.TotalPages;

    MiInitSpace(&MiImageSpace, MM_IMAGE_BASE, MiBootImagePages(Block) + MI_IMAGE_PAGES,
                MiBootImagePages(Block));
    MiInitSpace(&MiSystemPteSpace, MM_SYSTEM_PTE_BASE, MiRegionPages(Memory + MI_SYSTEM_PTE_PAGES), 0);
    MiInitSpace(&MiPoolSpace[MmNonPagedPoolRegion], MM_NONPAGED_POOL_BASE,
                MiRegionPages(Memory + MI_POOL_EXTRA_PAGES), 0);
    MiInitSpace(&MiPoolSpace[MmPagedPoolRegion], MM_PAGED_POOL_BASE,
                MiRegionPages(Memory + MI_POOL_EXTRA_PAGES), 0);
    MiInitSpace(&MiPoolSpace[MmSpecialPoolRegion], MM_SPECIAL_POOL_BASE, MI_SPECIAL_POOL_PAGES, 1);
    for (ULONG I = 0; I < Block->ImageCount; I++)
        MiAdoptImage(&Block->Images[I]);
}

/* The shared data page at its fixed address, and the table of the pool records' region, which ex fills on
 * demand. */
static VOID MiMapFixed(VOID)
{
    MI_PTE *Self = (MI_PTE *)MmDirectMap(MiRootFrame << PAGE_SHIFT) + MiSlotOf(MM_PAGE_TABLES_BASE);
    MiWritePte(Self, MiReadPte(Self) | MI_PTE_NX); /* tables seen through it are data */
    KIRQL OldIrql = ArchAcquireLock(&MiSystemSpaceLock);
    BOOLEAN Done =
        MiEnsureTablesLocked(MM_SHARED_DATA_BASE, 1) && MiEnsureTablesLocked(MM_POOL_RECORDS_BASE, 1);
    ArchReleaseLock(&MiSystemSpaceLock, OldIrql);
    if (!Done || !MiMapNewPages(MM_SHARED_DATA_BASE, 1, MiTemplate(MmReadWrite, MmCached, MiUsePages), TRUE))
        MiInstallMoreMemory();
}

VOID MmInitSystem(const LOADER_BLOCK *Block)
{
    MiRootFrame = Block->PageTableRoot >> PAGE_SHIFT;
    MiInitLayout(Block);
    MiInitPhysical(Block);
    MiInitSpaces(Block);
    MiMapFixed();
    MiInitSystemSpace(Block->PageTableRoot);
    MmInitProcessor();
}

/* Is the stack that we run on inside a range of physical memory, by the direct map? */
static BOOLEAN MiStackLiesIn(const LOADER_MEMORY_RANGE *Range)
{
    ULONG64 Stack = (ULONG64)__builtin_frame_address(0);
    return Stack >= MM_DIRECT_MAP_BASE + Range->Base &&
           Stack < MM_DIRECT_MAP_BASE + Range->Base + Range->Length;
}

VOID MmReleaseLoaderMemory(VOID)
{
    MI_PTE *Root = MmDirectMap(MiRootFrame << PAGE_SHIFT);
    for (ULONG I = 0; I < 256; I++)
        MiWritePte(&Root[I], 0);
    MiFlushTlbAll();
    for (ULONG I = 0; I < MiMemoryMapCount; I++) {
        LOADER_MEMORY_RANGE *Range = &MiMemoryMap[I];
        if (Range->Type != LoaderMemoryLoader || Range->Length == 0)
            continue;
        if (MiStackLiesIn(Range))
            KeBugCheckEx(MEMORY_MANAGEMENT, 0x8888, Range->Base, Range->Length, 0);
        PFN_NUMBER First = Range->Base >> PAGE_SHIFT, End = (Range->Base + Range->Length) >> PAGE_SHIFT;
        First += First == 0; /* page 0 stays nobody's */
        if (First < End)
            MmFreePhysicalPages(First, End - First);
        Range->Type = LoaderMemoryFree;
    }
}

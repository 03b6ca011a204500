/* SPDX-License-Identifier: MIT
 * One cache type per physical page: every mapping of a page and the direct map agree, whatever was asked for. */
#include "kt.h"
#include "mm_section.h"
#include "pfn.h"

#define CACHE_BITS (MI_PTE_WRITE_THROUGH | MI_PTE_CACHE_DISABLE | MI_PTE_PAT)
#define OFF_BITS (MI_PTE_WRITE_THROUGH | MI_PTE_CACHE_DISABLE)
#define COMBINE_BITS MI_PTE_PAT

/* Of the entry that maps the address; those of a large page are at other bits and always zero here. */
static MI_PTE BitsAt(const VOID *Address)
{
    ULONG Shift;
    MI_PTE Absent, Entry = MiLookUp((ULONG_PTR)Address, &Shift, &Absent);
    return Entry == 0 ? ~0ull : Shift != PAGE_SHIFT ? Entry & OFF_BITS : Entry & CACHE_BITS;
}

static MI_PTE DirectBits(const VOID *Address)
{
    return BitsAt(MmDirectMap((ULONG64)MmGetPhysicalAddress((PVOID)Address).QuadPart));
}

static BOOLEAN BothAre(const UCHAR *Address, SIZE_T Pages, MI_PTE Bits)
{
    for (SIZE_T I = 0; I < Pages; I++)
        if (BitsAt(Address + I * PAGE_SIZE) != Bits || DirectBits(Address + I * PAGE_SIZE) != Bits)
            return FALSE;
    return TRUE;
}

BOOLEAN KtIsCached(const VOID *Address, SIZE_T Size, MEMORY_CACHING_TYPE Type)
{
    static const MI_PTE Bits[] = {[MmNonCached] = OFF_BITS, [MmCached] = 0, [MmWriteCombined] = COMBINE_BITS};
    return BothAre(Address, BYTES_TO_PAGES(Size), Bits[Type]);
}

static PVOID Contiguous(MEMORY_CACHING_TYPE Type, SIZE_T Pages)
{
    PHYSICAL_ADDRESS Zero = {0}, Highest = {.QuadPart = MAXLONG64};
    return MmAllocateContiguousMemorySpecifyCache(Pages * PAGE_SIZE, Zero, Highest, Zero, Type);
}

KT_TEST(mm_cache_type_of_contiguous_memory)
{
    PUCHAR Off = Contiguous(MmNonCached, 40), Combine = Contiguous(MmWriteCombined, 3),
           Back = Contiguous(MmCached, 2);
    KT_EXPECT(Off != NULL && Combine != NULL && Back != NULL);
    KT_EXPECT(BothAre(Off, 40, OFF_BITS) && BothAre(Combine, 3, COMBINE_BITS) && BothAre(Back, 2, 0));
    PVOID Physical = MmDirectMap((ULONG64)MmGetPhysicalAddress(Off).QuadPart);
    PFN_NUMBER Frame = (PFN_NUMBER)MmGetPhysicalAddress(Combine).QuadPart >> PAGE_SHIFT;
    KT_EXPECT(MiWordCache(MiPfnOf(Frame)->Word) == MiCacheCombine);
    Off[5] = 0x31;
    KT_EXPECT(((PUCHAR)Physical)[5] == 0x31);
    MmFreeContiguousMemory(Off);
    MmFreeContiguousMemory(Combine);
    MmFreeContiguousMemory(Back);
    KT_EXPECT(BitsAt(Physical) == 0 && BitsAt(MmDirectMap(Frame << PAGE_SHIFT)) == 0);
    KT_EXPECT(Contiguous(MmHardwareCoherentCached, 1) == NULL && Contiguous(MmUSWCCached, 1) == NULL);
}

KT_TEST(mm_cache_type_of_noncached_memory)
{
    PUCHAR Memory = MmAllocateNonCachedMemory(3 * PAGE_SIZE);
    KT_EXPECT(Memory != NULL && BothAre(Memory, 3, OFF_BITS));
    PVOID Direct = MmDirectMap((ULONG64)MmGetPhysicalAddress(Memory).QuadPart);
    MmFreeNonCachedMemory(Memory, 3 * PAGE_SIZE);
    KT_EXPECT(BitsAt(Direct) == 0);
}

/* RAM that is in use is written back: who maps it as device memory gets that. */
KT_TEST(mm_cache_type_of_ram_mapped_as_device)
{
    PUCHAR Off = Contiguous(MmNonCached, 1);
    PFN_NUMBER Page = MmAllocatePhysicalPage(FALSE);
    PHYSICAL_ADDRESS Ram = {.QuadPart = (LONG64)(Page << PAGE_SHIFT)};
    PUCHAR View = MmMapIoSpace(Ram, PAGE_SIZE, MmNonCached);
    KT_EXPECT(View != NULL && BothAre(View, 1, 0));
    PUCHAR Other = MmMapIoSpace(MmGetPhysicalAddress(Off), PAGE_SIZE, MmCached);
    KT_EXPECT(Other != NULL && BothAre(Other, 1, OFF_BITS));
    MmUnmapIoSpace(View, PAGE_SIZE);
    MmUnmapIoSpace(Other, PAGE_SIZE);
    KT_EXPECT(BothAre(Off, 1, OFF_BITS));
    MmFreePhysicalPages(Page, 1);
    MmFreeContiguousMemory(Off);
}

/* [WDK MmAllocatePagesForMdl] pages that have no type until they are mapped: a mapping in the user half decides too. */
KT_TEST(mm_cache_type_of_a_user_mapping)
{
    PHYSICAL_ADDRESS Zero = {.QuadPart = 0}, Highest = {.QuadPart = -1};
    PMDL Mdl = MmAllocatePagesForMdl(Zero, Highest, Zero, PAGE_SIZE);
    PFN_NUMBER Page = MmGetMdlPfnArray(Mdl)[0];
    PUCHAR View = MmMapLockedPagesSpecifyCache(Mdl, UserMode, MmNonCached, NULL, FALSE, NormalPagePriority);
    KT_EXPECT((ULONG_PTR)View < MM_USER_END && BitsAt(View) == OFF_BITS);
    KT_EXPECT(BitsAt(MmDirectMap(Page << PAGE_SHIFT)) == OFF_BITS);
    KT_EXPECT(MiWordCache(MiPfnOf(Page)->Word) == MiCacheOff);
    MmUnmapLockedPages(View, Mdl);
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
}

/* Device memory: the first mapping decides, until the last is gone. The HPET's page, which the kernel may have mapped, is not touched: this
 * is where q35 has nothing. */
KT_TEST(mm_cache_type_of_device_memory)
{
    PHYSICAL_ADDRESS Device = {.QuadPart = 0xfe000000},
                     Far = {.QuadPart = (LONG64)MiPhysicalEnd() - 2 * PAGE_SIZE};
    PUCHAR First = MmMapIoSpace(Device, 4 * PAGE_SIZE, MmWriteCombined);
    Device.QuadPart += 2 * PAGE_SIZE;
    PUCHAR Second = MmMapIoSpace(Device, 4 * PAGE_SIZE, MmNonCached);
    KT_EXPECT(First != NULL && Second != NULL && BothAre(First, 4, COMBINE_BITS));
    KT_EXPECT(BothAre(Second, 2, COMBINE_BITS) && BothAre(Second + 2 * PAGE_SIZE, 2, OFF_BITS));
    MmUnmapIoSpace(First, 4 * PAGE_SIZE);
    KT_EXPECT(BothAre(Second, 2, COMBINE_BITS));
    MmUnmapIoSpace(Second, 4 * PAGE_SIZE);
    KT_EXPECT(BitsAt(MmDirectMap(0xfe002000)) == 0);
    First = MmMapIoSpace(Device, PAGE_SIZE, MmNonCached);
    KT_EXPECT(First != NULL && BothAre(First, 1, OFF_BITS));
    MmUnmapIoSpace(First, PAGE_SIZE);
    First = MmMapIoSpace(Far, 2 * PAGE_SIZE, MmNonCached);
    KT_EXPECT(First != NULL && BitsAt(First) == OFF_BITS);
    MmUnmapIoSpace(First, 2 * PAGE_SIZE);
    Far.QuadPart = (LONG64)MiPhysicalEnd();
    KT_EXPECT(MmMapIoSpace(Far, PAGE_SIZE, MmNonCached) == NULL);
}

/* --- all of it: no page of system space has a type that is not the page's ---------------------------------------------- */

static ULONG64 Conflicts(const MI_PTE *Table, ULONG Shift)
{
    ULONG64 Found = 0;
    for (ULONG I = 0; I < 512; I++) {
        MI_PTE Entry = MiReadPte(&Table[I]);
        if (!(Entry & MI_PTE_PRESENT))
            continue;
        if (Shift > PAGE_SHIFT && !(Entry & MI_PTE_LARGE))
            Found += Conflicts(MmDirectMap(Entry & MI_PTE_FRAME), Shift - 9);
        else if (Shift == PAGE_SHIFT && MiIsManaged(MiFrameOf(Entry)))
            Found += (Entry & CACHE_BITS) != MiCacheBits(MiWordCache(MiPfnOf(MiFrameOf(Entry))->Word));
    }
    return Found;
}

KT_TEST(mm_cache_types_agree_everywhere)
{
    PUCHAR Off = Contiguous(MmNonCached, 5);
    const MI_PTE *Root = MmDirectMap(ArchReadCr3() & MI_PTE_FRAME);
    ULONG64 Found = 0;
    for (ULONG I = 256; I < 512; I++)
        if ((Root[I] & MI_PTE_PRESENT) && MiFrameOf(Root[I]) != MiFrameOf(ArchReadCr3()))
            Found += Conflicts(MmDirectMap(Root[I] & MI_PTE_FRAME), 30);
    KT_EXPECT(Off != NULL && Found == 0);
    MmFreeContiguousMemory(Off);
}

/* A page of device memory in a view of physical memory: not cached unless it is mapped otherwise already. */
static BOOLEAN DeviceViewIs(PMM_SEGMENT Segment, ULONG64 Physical, MI_PTE Bits)
{
    MM_VIEW View = {.Offset = Physical,
                    .Size = PAGE_SIZE,
                    .Protect = PAGE_READONLY,
                    .SectionProtect = PAGE_READWRITE,
                    .SectionSize = MmSegmentSize(Segment),
                    .Inherit = ViewUnmap};
    if (MmMapView(MmSystemAddressSpace(), Segment, &View) != STATUS_SUCCESS)
        return FALSE;
    (VOID) * (const volatile ULONG *)View.Base;
    BOOLEAN Right =
        BothAre((PUCHAR)View.Base, 1, Bits) && MiWordShares(MiPfnOf(Physical >> PAGE_SHIFT)->Word) != 0;
    return MmUnmapView(MmSystemAddressSpace(), View.Base) == STATUS_SUCCESS && Right;
}

KT_TEST(mm_cache_type_of_a_view_of_device_memory)
{
    PHYSICAL_ADDRESS Rom = {.QuadPart = 0xffff0000};
    PMM_SEGMENT Segment;
    KT_EXPECT(MmCreatePhysicalSegment(&Segment) == STATUS_SUCCESS);
    KT_EXPECT(DeviceViewIs(Segment, (ULONG64)Rom.QuadPart, OFF_BITS));
    PUCHAR Io = MmMapIoSpace(Rom, PAGE_SIZE, MmWriteCombined);
    KT_EXPECT(Io != NULL && DeviceViewIs(Segment, (ULONG64)Rom.QuadPart, COMBINE_BITS));
    MmUnmapIoSpace(Io, PAGE_SIZE);
    KT_EXPECT(DeviceViewIs(Segment, (ULONG64)Rom.QuadPart, OFF_BITS));
    MmReleaseSegment(Segment);
}

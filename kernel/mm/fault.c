/* SPDX-License-Identifier: MIT
 * What a page fault hit, in words: the entry that is not present says what was there. Reads only, any IRQL.
 */
#include "mi.h"

#define MI_FAULT_PROTECTION 1u
#define MI_FAULT_WRITE 2u
#define MI_FAULT_FETCH 16u
#define MI_FAULT_KEY 32u
#define MI_NULL_END 0x10000u

static const char *const MiFaultText[] = {
    [MmFaultNonCanonical] = "a non-canonical address",
    [MmFaultUser] = "a user-mode address that is not mapped",
    [MmFaultNull] = "an address near NULL",
    [MmFaultUnmapped] = "a kernel address where nothing was ever mapped",
    [MmFaultStackGuard] = "the guard page below a kernel stack (stack overflow)",
    [MmFaultFreedPool] = "pool memory that is free: freed, or never allocated",
    [MmFaultPagedPool] = "paged pool, which may be paged out, touched at DISPATCH_LEVEL or above",
    [MmFaultSpecialFreed] = "a block of special pool that has been freed",
    [MmFaultSpecialGuard] = "the guard page of a block of special pool",
    [MmFaultFreedImage] = "an image that has been unloaded, or its discarded INIT section",
    [MmFaultFreedMapping] = "a system mapping that has been undone",
    [MmFaultNoAccess] = "memory whose protection permits no access",
    [MmFaultReadOnly] = "read-only memory, written",
    [MmFaultNoExecute] = "memory that is not executable, executed",
    [MmFaultMapped] = "memory that is mapped for this access",
};

static MM_REGION MiRegionOf(ULONG64 Address)
{
    const struct {
        ULONG64 First, End;
        MM_REGION Region;
    } Regions[] = {
        {0, MM_USER_END, MmRegionUser},
        {MM_DIRECT_MAP_BASE, MM_DIRECT_MAP_END, MmRegionDirectMap},
        {MM_NONPAGED_POOL_BASE, MM_NONPAGED_POOL_BASE + MM_REGION_SIZE, MmRegionNonPagedPool},
        {MM_PAGED_POOL_BASE, MM_PAGED_POOL_BASE + MM_REGION_SIZE, MmRegionPagedPool},
        {MM_SPECIAL_POOL_BASE, MM_SPECIAL_POOL_BASE + MM_REGION_SIZE, MmRegionSpecialPool},
        {MM_PAGE_TABLES_BASE, MM_PAGE_TABLES_BASE + MM_REGION_SIZE, MmRegionPageTables},
        {MM_SHARED_DATA_BASE, MM_SHARED_DATA_BASE + PAGE_SIZE, MmRegionSharedData},
        {MM_IMAGE_BASE, MM_IMAGE_BASE + MM_REGION_SIZE, MmRegionImages},
        {MM_SYSTEM_PTE_BASE, MM_SYSTEM_PTE_BASE + MM_REGION_SIZE, MmRegionSystemPtes},
        {MM_PFN_DATABASE_BASE, MM_PFN_DATABASE_BASE + MM_REGION_SIZE, MmRegionPfnDatabase},
    };
    for (ULONG I = 0; I < RTL_NUMBER_OF(Regions); I++)
        if (Address >= Regions[I].First && Address < Regions[I].End)
            return Regions[I].Region;
    return MmRegionNone;
}

static MM_FAULT_KIND MiKindOfAbsent(ULONG64 Address, MI_PTE Absent)
{
    BOOLEAN Special = MiRegionOf(Address) == MmRegionSpecialPool;
    switch (MI_ABSENT_KIND(Absent)) {
    case MiAbsentStackGuard:
        return MmFaultStackGuard;
    case MiAbsentFreedPool:
        return Special ? MmFaultSpecialFreed : MmFaultFreedPool;
    case MiAbsentFreedImage:
        return MmFaultFreedImage;
    case MiAbsentNoAccess:
        return MmFaultNoAccess;
    case MiAbsentFreedMapping:
        return MmFaultFreedMapping;
    default:
        return Special ? MmFaultSpecialGuard : MmFaultUnmapped;
    }
}

static MM_FAULT_KIND MiKindOf(ULONG64 Address, ULONG64 ErrorCode, MI_PTE *Absent)
{
    ULONG Shift;
    *Absent = 0;
    if ((ULONG64)((LONG64)(Address << 16) >> 16) != Address)
        return MmFaultNonCanonical;
    MI_PTE Entry = MiLookUp(Address, &Shift, Absent);
    if (Entry == 0 && Address < MM_USER_END)
        return Address < MI_NULL_END ? MmFaultNull : MmFaultUser;
    if (Entry == 0)
        return MiKindOfAbsent(Address, *Absent);
    if (ErrorCode & MI_FAULT_KEY)
        return MmFaultPagedPool;
    if (!(ErrorCode & MI_FAULT_PROTECTION))
        return MmFaultMapped;
    return ErrorCode & MI_FAULT_FETCH   ? MmFaultNoExecute
           : ErrorCode & MI_FAULT_WRITE ? MmFaultReadOnly
                                        : MmFaultMapped;
}

static MI_PTE MiEntryOf(ULONG64 Address)
{
    ULONG Shift;
    MI_PTE Absent = 0;
    if ((ULONG64)((LONG64)(Address << 16) >> 16) != Address)
        return 0;
    MI_PTE Entry = MiLookUp(Address, &Shift, &Absent);
    return Entry != 0 ? Entry : Absent;
}

VOID MmClassifyFault(const void *Address, ULONG64 ErrorCode, MM_FAULT *Fault)
{
    MI_PTE Absent;
    *Fault = (MM_FAULT){.Region = MiRegionOf((ULONG64)Address)};
    Fault->Kind = MiKindOf((ULONG64)Address, ErrorCode, &Absent);
    Fault->Text = MiFaultText[Fault->Kind];
    Fault->Entry = MiEntryOf((ULONG64)Address);
    if (Fault->Kind == MmFaultStackGuard) {
        Fault->Base = (PVOID)(((ULONG_PTR)Address & ~(ULONG_PTR)PAGE_MASK) + PAGE_SIZE);
        Fault->Size = MI_ABSENT_PAGES(Absent) * PAGE_SIZE;
    }
}

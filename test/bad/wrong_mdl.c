/* SPDX-License-Identifier: MIT
 * What no driver may do with MDLs, locked pages and reserved mapping addresses. */
#define DEVICE_NAME L"\\Device\\NtboxMdl"
#include "rules.h"

#define TAG 'ldMB'

static PMDL Mdl;
static UCHAR *Memory, *Range;

/* Two pages, locked by an MDL, and addresses for them. */
static VOID Prepare(VOID)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = -1};
    Memory = MmAllocateContiguousMemory(2 * PAGE_SIZE, Highest);
    Range = MmAllocateMappingAddress(2 * PAGE_SIZE, TAG);
    Mdl = IoAllocateMdl(Memory, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
}

BREAKS UnlockTwice(VOID)
{
    MmUnlockPages(Mdl);
    MmUnlockPages(Mdl);
}

BREAKS FreeLocked(VOID)
{
    MmFreeContiguousMemory(Memory);
}

BREAKS LockTwice(VOID)
{
    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
}

BREAKS FreeWithOtherTag(VOID)
{
    MmFreeMappingAddress(Range, TAG + 1);
}

BREAKS FreeMapped(VOID)
{
    MmMapLockedPagesWithReservedMapping(Range, TAG, Mdl, MmCached);
    MmFreeMappingAddress(Range, TAG);
}

BREAKS MapNowhere(VOID)
{
    MmMapLockedPagesWithReservedMapping(Memory, TAG, Mdl, MmCached);
}

BREAKS UnmapTwice(VOID)
{
    MmMapLockedPagesWithReservedMapping(Range, TAG, Mdl, MmCached);
    MmUnmapReservedMapping(Range, TAG, Mdl);
    MmUnmapReservedMapping(Range, TAG, Mdl);
}

/* --- cache types that do not exist --------------------------------------------------------------------------------- */

#define NO_TYPE ((MEMORY_CACHING_TYPE)77)
static const PHYSICAL_ADDRESS Lowest = {.QuadPart = 0}, Highest = {.QuadPart = -1},
                              Device = {.QuadPart = 0xfee00000};

BREAKS MapOfType(VOID)
{
    (VOID) MmMapLockedPagesSpecifyCache(Mdl, KernelMode, NO_TYPE, NULL, FALSE, NormalPagePriority);
}

BREAKS MapReservedOfType(VOID)
{
    (VOID) MmMapLockedPagesWithReservedMapping(Range, TAG, Mdl, NO_TYPE);
}

BREAKS PagesOfType(VOID)
{
    (VOID) MmAllocatePagesForMdlEx(Lowest, Highest, Lowest, PAGE_SIZE, NO_TYPE, 0);
}

BREAKS ContiguousOfType(VOID)
{
    (VOID) MmAllocateContiguousMemorySpecifyCache(PAGE_SIZE, Lowest, Highest, Lowest, NO_TYPE);
}

BREAKS NodeOfType(VOID)
{
    (VOID) MmAllocateContiguousMemorySpecifyCacheNode(PAGE_SIZE, Lowest, Highest, Lowest, NO_TYPE, 0);
}

BREAKS FreeOfType(VOID)
{
    (VOID) MmFreeContiguousMemorySpecifyCache(Memory, 2 * PAGE_SIZE, NO_TYPE);
}

BREAKS IoSpaceOfType(VOID)
{
    (VOID) MmMapIoSpace(Device, PAGE_SIZE, NO_TYPE);
}

/* --- at DISPATCH_LEVEL ---------------------------------------------------------------------------------------------- */

static VOID LockUser(VOID)
{
    PMDL Users = IoAllocateMdl((PVOID)0x10000, PAGE_SIZE, FALSE, FALSE, NULL);
    MmProbeAndLockPages(Users, UserMode, IoReadAccess);
}

BREAKS MapUserRaised(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    (VOID) MmMapLockedPages(Mdl, UserMode);
    KeLowerIrql(Old);
}

BREAKS MapUserCacheRaised(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    (VOID) MmMapLockedPagesSpecifyCache(Mdl, UserMode, MmCached, NULL, FALSE, NormalPagePriority);
    KeLowerIrql(Old);
}

BREAKS ReserveRaised(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    (VOID) MmAllocateMappingAddress(PAGE_SIZE, TAG);
    KeLowerIrql(Old);
}

BREAKS LockUserRaised(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    (VOID) LockUser();
    KeLowerIrql(Old);
}

static VOID (*const Rules[])(VOID) = {
    UnlockTwice, FreeLocked,    LockTwice,         FreeWithOtherTag,   FreeMapped,       MapNowhere,
    UnmapTwice,  MapOfType,     MapReservedOfType, PagesOfType,        ContiguousOfType, NodeOfType,
    FreeOfType,  IoSpaceOfType, MapUserRaised,     MapUserCacheRaised, ReserveRaised,    LockUserRaised};
RULES(Rules, Prepare())

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

static VOID (*const Rules[])(VOID) = {UnlockTwice, FreeLocked, LockTwice, FreeWithOtherTag,
                                      FreeMapped,  MapNowhere, UnmapTwice};
RULES(Rules, Prepare())

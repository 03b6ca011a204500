/* SPDX-License-Identifier: MIT
 * Mappings of MDLs that are undone in another way than they were made. */
#define DEVICE_NAME L"\\Device\\NtboxMapping"
#include "rules.h"

#define TAG 'pMdB'

static PMDL Mdl, Other;
static UCHAR *Range;

/* An MDL that is mapped at reserved addresses, and one as long that is not. */
static VOID Prepare(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, 2 * PAGE_SIZE, TAG);
    Range = MmAllocateMappingAddress(PAGE_SIZE, TAG);
    Mdl = IoAllocateMdl(Block, PAGE_SIZE, FALSE, FALSE, NULL);
    Other = IoAllocateMdl(Block + PAGE_SIZE, PAGE_SIZE, FALSE, FALSE, NULL);
    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
    MmProbeAndLockPages(Other, KernelMode, IoWriteAccess);
    MmMapLockedPagesWithReservedMapping(Range, TAG, Mdl, MmCached);
}

BREAKS UnmapReserved(VOID)
{
    MmUnmapLockedPages(Range, Mdl);
}

BREAKS UnlockReserved(VOID)
{
    MmUnlockPages(Mdl);
}

BREAKS UnmapOther(VOID)
{
    MmUnmapReservedMapping(Range, TAG, Other);
}

static VOID (*const Rules[])(VOID) = {UnmapReserved, UnlockReserved, UnmapOther};
RULES(Rules, Prepare())

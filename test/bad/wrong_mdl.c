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

#define AT_DISPATCH_LEVEL(Name, Call)                                                                        \
    BREAKS Name(VOID)                                                                                        \
    {                                                                                                        \
        KIRQL Old;                                                                                           \
        KeRaiseIrql(DISPATCH_LEVEL, &Old);                                                                   \
        (VOID)(Call);                                                                                        \
        KeLowerIrql(Old);                                                                                    \
    }

AT_DISPATCH_LEVEL(MapUserRaised, MmMapLockedPages(Mdl, UserMode))
AT_DISPATCH_LEVEL(MapUserCacheRaised,
                  MmMapLockedPagesSpecifyCache(Mdl, UserMode, MmCached, NULL, FALSE, NormalPagePriority))
AT_DISPATCH_LEVEL(ReserveRaised, MmAllocateMappingAddress(PAGE_SIZE, TAG))
AT_DISPATCH_LEVEL(LockUserRaised, LockUser())

/* --- what is locked or mapped still ---------------------------------------------------------------------------------- */

BREAKS FreeMdlLocked(VOID)
{
    IoFreeMdl(Mdl);
}

static PMDL LockedUserPage(VOID)
{
    PVOID Base = NULL;
    SIZE_T Size = PAGE_SIZE;
    ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE);
    PMDL User = IoAllocateMdl(Base, PAGE_SIZE, FALSE, FALSE, NULL);
    MmProbeAndLockPages(User, UserMode, IoWriteAccess);
    return User;
}

/* A user's pages, by an MDL that nobody can unlock any more. */
BREAKS FreeUserMdlLocked(VOID)
{
    IoFreeMdl(LockedUserPage());
}

BREAKS FreeMdlMapped(VOID)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    PMDL Pool = IoAllocateMdl(Block, 100, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Pool);
    MmMapLockedPagesSpecifyCache(Pool, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    IoFreeMdl(Pool);
}

/* A copy of an MDL has locked nothing of its process. */
BREAKS UnlockCopy(VOID)
{
    PMDL User = LockedUserPage(), Copy = IoAllocateMdl(User->StartVa, PAGE_SIZE, FALSE, FALSE, NULL);
    RtlCopyMemory(Copy, User, MmSizeOfMdl(User->StartVa, PAGE_SIZE));
    MmUnlockPages(Copy);
}

/* MmFreePagesFromMdl is missing. */
BREAKS FreePoolOfPages(VOID)
{
    ExFreePool(MmAllocatePagesForMdlEx(Lowest, Highest, Lowest, 4 * PAGE_SIZE, MmCached, 0));
}

BREAKS MapForNobody(VOID)
{
    (VOID) MmMapLockedPagesSpecifyCache(Mdl, 9, MmCached, NULL, FALSE, NormalPagePriority);
}

BREAKS DescribePaged(VOID)
{
    PVOID Block = ExAllocatePoolWithTag(PagedPool, 100, TAG);
    PMDL Pool = IoAllocateMdl(Block, 100, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Pool);
}

static VOID (*const Rules[])(VOID) = {
    UnlockTwice,        FreeLocked,    LockTwice,       FreeWithOtherTag,  FreeMapped,
    MapNowhere,         UnmapTwice,    MapOfType,       MapReservedOfType, PagesOfType,
    ContiguousOfType,   NodeOfType,    FreeOfType,      IoSpaceOfType,     MapUserRaised,
    MapUserCacheRaised, ReserveRaised, LockUserRaised,  FreeMdlLocked,     FreeMdlMapped,
    FreeUserMdlLocked,  UnlockCopy,    FreePoolOfPages, MapForNobody,      DescribePaged};
RULES(Rules, Prepare())

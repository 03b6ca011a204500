/* SPDX-License-Identifier: MIT
 * MDLs: the same bytes seen through another address; parts, chains, and pages without an address. */
#include "kt.h"
#include "ex.h"
#include "mm.h"

#define TAG 0x74736554u /* "Test" */

KT_TEST(mdl_second_view_shows_the_same_bytes)
{
    PUCHAR Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, 3 * PAGE_SIZE, TAG);
    PMDL Mdl = IoAllocateMdl(Buffer + 100, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    KT_EXPECT(Buffer != NULL && Mdl != NULL && Mdl->ByteOffset == 100 && Mdl->ByteCount == 2 * PAGE_SIZE);
    MmProbeAndLockPages(Mdl, KernelMode, IoModifyAccess);
    PUCHAR View = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    KT_EXPECT(View != NULL && View != Buffer + 100);
    for (ULONG I = 0; I < 2 * PAGE_SIZE; I += 512) {
        Buffer[100 + I] = (UCHAR)(I / 512);
        KT_EXPECT(View[I] == (UCHAR)(I / 512));
    }
    KT_EXPECT(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) == View);
    MmUnlockPages(Mdl);
    KT_EXPECT(!MmIsAddressValid(View) && !(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA)));
    IoFreeMdl(Mdl);
    ExFreePool(Buffer);
}

KT_TEST(mdl_part_of_a_nonpaged_buffer)
{
    PUCHAR Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, 4 * PAGE_SIZE, TAG);
    PMDL Whole = IoAllocateMdl(Buffer, 4 * PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL Part = IoAllocateMdl(Buffer + PAGE_SIZE + 8, PAGE_SIZE, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Whole);
    IoBuildPartialMdl(Whole, Part, Buffer + PAGE_SIZE + 8, PAGE_SIZE);
    KT_EXPECT(MmGetSystemAddressForMdlSafe(Part, NormalPagePriority) == Buffer + PAGE_SIZE + 8);
    KT_EXPECT(MmGetMdlPfnArray(Part)[0] == MmGetMdlPfnArray(Whole)[1]);
    KT_EXPECT(MmGetMdlPfnArray(Part)[1] == MmGetMdlPfnArray(Whole)[2]);
    IoFreeMdl(Part);
    IoFreeMdl(Whole);
    ExFreePool(Buffer);
}

KT_TEST(mdl_part_gets_a_mapping_that_goes_with_it)
{
    PUCHAR Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, 2 * PAGE_SIZE, TAG);
    PMDL Whole = IoAllocateMdl(Buffer, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL Part = IoAllocateMdl(Buffer + PAGE_SIZE, 16, FALSE, FALSE, NULL);
    MmProbeAndLockPages(Whole, KernelMode, IoWriteAccess);
    IoBuildPartialMdl(Whole, Part, Buffer + PAGE_SIZE, 16);
    Buffer[PAGE_SIZE] = 0x77;
    PUCHAR View = MmGetSystemAddressForMdlSafe(Part, NormalPagePriority);
    KT_EXPECT(View != NULL && *View == 0x77);
    IoFreeMdl(Part);
    KT_EXPECT(!MmIsAddressValid(View));
    MmUnlockPages(Whole);
    IoFreeMdl(Whole);
    ExFreePool(Buffer);
}

KT_TEST(mdl_pages_have_their_limits)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = 0x1000000}, High = {.QuadPart = 0x2ffffff}, Skip = {0};
    MM_COUNTERS Before, After;
    MmQueryCounters(&Before);
    PMDL Mdl = MmAllocatePagesForMdlEx(Low, High, Skip, 8 * PAGE_SIZE, MmCached,
                                       MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS);
    KT_EXPECT(Mdl != NULL && MmGetMdlByteCount(Mdl) == 8 * PAGE_SIZE);
    PPFN_NUMBER Frames = MmGetMdlPfnArray(Mdl);
    for (ULONG I = 0; I < 8; I++)
        KT_EXPECT(Frames[I] == Frames[0] + I && Frames[I] >= 0x1000 && Frames[I] <= 0x2fff);
    PULONG64 View =
        MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmWriteCombined, NULL, FALSE, NormalPagePriority);
    KT_EXPECT(View != NULL);
    for (ULONG I = 0; I < 8 * PAGE_SIZE / 8; I++)
        KT_EXPECT(View[I] == 0);
    KT_EXPECT(MmProtectMdlSystemAddress(Mdl, PAGE_NOACCESS) == STATUS_SUCCESS && !MmIsAddressValid(View));
    KT_EXPECT(MmProtectMdlSystemAddress(Mdl, PAGE_READONLY) == STATUS_SUCCESS && MmIsAddressValid(View));
    KT_EXPECT(MmProtectMdlSystemAddress(Mdl, PAGE_EXECUTE_READWRITE) == STATUS_INVALID_PAGE_PROTECTION);
    MmUnmapLockedPages(View, Mdl);
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
    MmQueryCounters(&After);
    KT_EXPECT(After.SystemPtes == Before.SystemPtes);
}

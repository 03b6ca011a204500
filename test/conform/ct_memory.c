/* SPDX-License-Identifier: MIT
 * MDLs, mappings and pages. [WDK Using MDLs, MmProbeAndLockPages, MmMapLockedPagesSpecifyCache, IoBuildPartialMdl,
 * MmAllocatePagesForMdlEx, MmGetSystemRoutineAddress, MmMapIoSpace, MmAllocateContiguousMemory, ProbeForRead] */
#include "ct.h"

#define TAG 'mmTC'
#define LENGTH (3 * PAGE_SIZE)

static const PHYSICAL_ADDRESS Highest = {.QuadPart = -1};
static const PHYSICAL_ADDRESS Zero;

/* The structure's fields as the headers' macros read them. */
static VOID MdlAllocate(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    PMDL Mdl = IoAllocateMdl(Block + 100, PAGE_SIZE, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_EQUAL(MmGetMdlByteCount(Mdl), PAGE_SIZE);
    CT_EQUAL(MmGetMdlByteOffset(Mdl), 100);
    CT_EQUAL(MmGetMdlVirtualAddress(Mdl), Block + 100);
    CT_EQUAL(Mdl->Next, 0);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static VOID MdlNonPaged(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    PMDL Mdl = IoAllocateMdl(Block + 8, LENGTH - 8, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    MmBuildMdlForNonPagedPool(Mdl);
    CT_CHECK(Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL);
    CT_EQUAL(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), Block + 8);
    for (ULONG i = 0; i < LENGTH / PAGE_SIZE; i++)
        CT_EQUAL(MmGetMdlPfnArray(Mdl)[i],
                 MmGetPhysicalAddress(Block + i * PAGE_SIZE).QuadPart >> PAGE_SHIFT);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static NTSTATUS LockPages(PVOID Mdl)
{
    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
    return STATUS_SUCCESS;
}

/* Raises STATUS_ACCESS_VIOLATION when the range is not there. */
static VOID MdlLock(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(PagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    PMDL Mdl = IoAllocateMdl(Block, LENGTH, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_SUCCESS(NtboxGuardedCall(LockPages, Mdl));
    CT_CHECK(Mdl->MdlFlags & MDL_PAGES_LOCKED);
    CT_EQUAL(MmGetMdlPfnArray(Mdl)[1], MmGetPhysicalAddress(Block + PAGE_SIZE).QuadPart >> PAGE_SHIFT);
    MmUnlockPages(Mdl);
    CT_CHECK(!(Mdl->MdlFlags & MDL_PAGES_LOCKED));
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
    Mdl = IoAllocateMdl((PVOID)0x10000, PAGE_SIZE, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_STATUS(NtboxGuardedCall(LockPages, Mdl), STATUS_ACCESS_VIOLATION);
    IoFreeMdl(Mdl);
}

/* A second mapping of the same pages: what is written through one is seen through the other. */
static VOID MdlMap(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(PagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    PMDL Mdl = IoAllocateMdl(Block + 16, LENGTH - 16, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_SUCCESS(NtboxGuardedCall(LockPages, Mdl));
    volatile UCHAR *View = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE,
                                                        NormalPagePriority | MdlMappingNoExecute);
    CT_REQUIRE(View != NULL);
    CT_EQUAL(BYTE_OFFSET(View), 16);
    CT_CHECK(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    View[0] = 0x5A;
    View[2 * PAGE_SIZE] = 0xA5;
    CT_CHECK(Block[16] == 0x5A && Block[16 + 2 * PAGE_SIZE] == 0xA5);
    MmUnmapLockedPages((PVOID)View, Mdl);
    CT_CHECK(!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
    View = MmMapLockedPages(Mdl, KernelMode);
    CT_EQUAL(View[0], 0x5A);
    MmUnmapLockedPages((PVOID)View, Mdl);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static VOID MdlPartial(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    PMDL Source = IoAllocateMdl(Block, LENGTH, FALSE, FALSE, NULL);
    PMDL Target = IoAllocateMdl(Block, LENGTH, FALSE, FALSE, NULL);
    CT_REQUIRE(Source != NULL && Target != NULL);
    MmBuildMdlForNonPagedPool(Source);
    IoBuildPartialMdl(Source, Target, Block + PAGE_SIZE + 4, 100);
    CT_EQUAL(MmGetMdlByteCount(Target), 100);
    CT_EQUAL(MmGetMdlVirtualAddress(Target), Block + PAGE_SIZE + 4);
    CT_EQUAL(MmGetMdlPfnArray(Target)[0], MmGetMdlPfnArray(Source)[1]);
    IoFreeMdl(Target);
    IoFreeMdl(Source);
    ExFreePoolWithTag(Block, TAG);
}

/* The structure and one PFN for each page that the range touches. */
static VOID MdlSize(VOID)
{
    CT_EQUAL(MmSizeOfMdl((PVOID)0x1000, 1), sizeof(MDL) + sizeof(PFN_NUMBER));
    CT_EQUAL(MmSizeOfMdl((PVOID)0x1FFF, 2), sizeof(MDL) + 2 * sizeof(PFN_NUMBER));
    CT_EQUAL(MmSizeOfMdl((PVOID)0x1000, 3 * PAGE_SIZE), sizeof(MDL) + 3 * sizeof(PFN_NUMBER));
}

static VOID CheckZeroPages(PMDL Mdl)
{
    CT_REQUIRE(Mdl != NULL);
    CT_EQUAL(MmGetMdlByteCount(Mdl), LENGTH);
    UCHAR *View = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    if (CT_CHECK(View != NULL)) {
        for (ULONG i = 0; i < LENGTH; i += 64)
            CT_CHECK(View[i] == 0);
        RtlFillMemory(View, LENGTH, 0xCC);
        MmUnmapLockedPages(View, Mdl);
    }
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
}

/* Zeroed pages from anywhere, described by an MDL that the caller frees with ExFreePool. */
static VOID MdlPages(VOID)
{
    CheckZeroPages(MmAllocatePagesForMdl(Zero, Highest, Zero, LENGTH));
    CheckZeroPages(MmAllocatePagesForMdlEx(Zero, Highest, Zero, LENGTH, MmCached, 0));
}

/* There is one node, 0. */
static VOID MdlNode(VOID)
{
    CheckZeroPages(MmAllocateNodePagesForMdlEx(Zero, Highest, Zero, LENGTH, MmCached, 0, 0));
    CT_CHECK(MmAllocateNodePagesForMdlEx(Zero, Highest, Zero, LENGTH, MmCached,
                                         KeQueryHighestNodeNumber() + 1u, 0) == NULL);
    PMDL Mdl = MmAllocateNodePagesForMdlEx(Zero, Highest, Zero, LENGTH, MmCached, 0,
                                           MM_ALLOCATE_FULLY_REQUIRED | MM_ALLOCATE_FROM_LOCAL_NODE_ONLY);
    CT_REQUIRE(Mdl != NULL);
    CT_EQUAL(MmGetMdlByteCount(Mdl), (LENGTH + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
}

/* A buffer of the current process, by its name. */
static NTSTATUS LockProcessPages(PVOID Mdl)
{
    MmProbeAndLockProcessPages(Mdl, PsGetCurrentProcess(), KernelMode, IoReadAccess);
    return STATUS_SUCCESS;
}

static VOID MdlProcess(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    PMDL Mdl = IoAllocateMdl(Block, LENGTH, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_SUCCESS(NtboxGuardedCall(LockProcessPages, Mdl));
    CT_EQUAL(MmGetMdlPfnArray(Mdl)[2], MmGetPhysicalAddress(Block + 2 * PAGE_SIZE).QuadPart >> PAGE_SHIFT);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    Mdl = IoAllocateMdl((PVOID)0x10000, PAGE_SIZE, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_STATUS(NtboxGuardedCall(LockProcessPages, Mdl), STATUS_ACCESS_VIOLATION);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static FILE_SEGMENT_ELEMENT Segments[3];

static NTSTATUS LockSelectedPages(PVOID Mdl)
{
    MmProbeAndLockSelectedPages(Mdl, Segments, KernelMode, IoWriteAccess);
    return STATUS_SUCCESS;
}

/* Pages in any order; the view shows them in the order of the array. */
static VOID MdlSelected(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    for (ULONG i = 0; i < 3; i++) {
        Block[i * PAGE_SIZE] = (UCHAR)(i + 1);
        Segments[i].Buffer = Block + (2 - i) * PAGE_SIZE;
    }
    PMDL Mdl = IoAllocateMdl(NULL, LENGTH, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_SUCCESS(NtboxGuardedCall(LockSelectedPages, Mdl));
    const UCHAR *View = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    if (CT_CHECK(View != NULL))
        CT_CHECK(View[0] == 3 && View[PAGE_SIZE] == 2 && View[2 * PAGE_SIZE] == 1);
    MmUnlockPages(Mdl);
    Segments[1].Buffer = (PVOID)0x10000;
    CT_STATUS(NtboxGuardedCall(LockSelectedPages, Mdl), STATUS_ACCESS_VIOLATION);
    CT_CHECK(!(Mdl->MdlFlags & MDL_PAGES_LOCKED));
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

/* The beginning moves, the end stays; pages that are passed are unlocked. */
static VOID MdlAdvance(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    CT_REQUIRE(Block != NULL);
    PMDL Mdl = IoAllocateMdl(Block + 8, LENGTH - 8, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_SUCCESS(NtboxGuardedCall(LockPages, Mdl));
    UCHAR *View = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    CT_CHECK(View != NULL);
    CT_STATUS(MmAdvanceMdl(Mdl, LENGTH), STATUS_INVALID_PARAMETER_2);
    CT_SUCCESS(MmAdvanceMdl(Mdl, 100));
    CT_EQUAL(MmGetMdlVirtualAddress(Mdl), Block + 108);
    CT_SUCCESS(MmAdvanceMdl(Mdl, PAGE_SIZE));
    CT_EQUAL(MmGetMdlVirtualAddress(Mdl), Block + 108 + PAGE_SIZE);
    CT_EQUAL(MmGetMdlByteCount(Mdl), LENGTH - 108 - PAGE_SIZE);
    CT_EQUAL(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), View + 100 + PAGE_SIZE);
    CT_EQUAL(MmGetMdlPfnArray(Mdl)[0], MmGetPhysicalAddress(Block + PAGE_SIZE).QuadPart >> PAGE_SHIFT);
    View[100 + PAGE_SIZE] = 0x77;
    CT_EQUAL(Block[108 + PAGE_SIZE], 0x77);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

/* Addresses that were reserved serve one MDL after the other; one that is too long gets none. */
static VOID MdlReserved(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    UCHAR *Range = MmAllocateMappingAddress(2 * PAGE_SIZE, TAG);
    PMDL Short = IoAllocateMdl(Block + 16, PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL Long = IoAllocateMdl(Block, LENGTH, FALSE, FALSE, NULL);
    CT_REQUIRE(Block != NULL && Range != NULL && Short != NULL && Long != NULL);
    CT_CHECK(!MmIsAddressValid(Range));
    CT_SUCCESS(NtboxGuardedCall(LockPages, Short));
    CT_SUCCESS(NtboxGuardedCall(LockPages, Long));
    CT_EQUAL(MmMapLockedPagesWithReservedMapping(Range, TAG, Long, MmCached), 0);
    for (ULONG i = 0; i < 3; i++) {
        CT_EQUAL(MmMapLockedPagesWithReservedMapping(Range, TAG, Short, MmCached), Range + 16);
        Range[16] = (UCHAR)(i + 5);
        CT_EQUAL(Block[16], i + 5);
        CT_EQUAL(Short->MappedSystemVa, Range);
        MmUnmapReservedMapping(Range + 16, TAG, Short);
        CT_CHECK(!MmIsAddressValid(Range));
    }
    MmFreeMappingAddress(Range, TAG);
    MmUnlockPages(Short);
    MmUnlockPages(Long);
    IoFreeMdl(Short);
    IoFreeMdl(Long);
    ExFreePoolWithTag(Block, TAG);
}

/* An MDL that moves on leaves the pages behind it; its mapping at reserved addresses has no byte offset, they stay reserved. */
static VOID MdlReservedAdvance(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    UCHAR *Range = MmAllocateMappingAddress(LENGTH, TAG);
    PMDL Mdl = IoAllocateMdl(Block + 16, LENGTH - 16, FALSE, FALSE, NULL);
    PMDL Part = IoAllocateMdl(Block, LENGTH, FALSE, FALSE, NULL);
    CT_REQUIRE(Block != NULL && Range != NULL && Mdl != NULL && Part != NULL);
    CT_SUCCESS(NtboxGuardedCall(LockPages, Mdl));
    for (ULONG i = 0; i < 2; i++) {
        CT_EQUAL(MmMapLockedPagesWithReservedMapping(Range, TAG, Mdl, MmCached), Range + 16);
        IoBuildPartialMdl(Mdl, Part, Block + 100, 8);
        CT_EQUAL(MmGetSystemAddressForMdlSafe(Part, NormalPagePriority), Range + 100);
        MmUnmapReservedMapping(Range + 16, TAG, Mdl);
    }
    CT_EQUAL(MmMapLockedPagesWithReservedMapping(Range, TAG, Mdl, MmCached), Range + 16);
    CT_SUCCESS(MmAdvanceMdl(Mdl, 100));
    CT_EQUAL(Mdl->MappedSystemVa, Range);
    CT_SUCCESS(MmAdvanceMdl(Mdl, PAGE_SIZE));
    CT_EQUAL(Mdl->MappedSystemVa, Range + PAGE_SIZE);
    Block[PAGE_SIZE + 116] = 0x33;
    CT_CHECK(!MmIsAddressValid(Range) && Range[PAGE_SIZE + 116] == 0x33);
    MmUnmapReservedMapping(Range, TAG, Mdl);
    CT_CHECK(!MmIsAddressValid(Range + PAGE_SIZE) && !(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
    CT_EQUAL(MmMapLockedPagesWithReservedMapping(Range, TAG, Mdl, MmCached), Range + 116);
    CT_SUCCESS(MmAdvanceMdl(Mdl, MmGetMdlByteCount(Mdl))); /* nothing is left to be unmapped */
    CT_CHECK(!MmIsAddressValid(Range) && !(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
    MmUnlockPages(Mdl);
    MmFreeMappingAddress(Range, TAG);
    IoFreeMdl(Part);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static volatile UCHAR *ReadOnlyView;

static NTSTATUS WriteView(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    *ReadOnlyView = 1;
    return STATUS_SUCCESS;
}

static VOID MdlProtect(VOID)
{
    PMDL Mdl = MmAllocatePagesForMdl(Zero, Highest, Zero, PAGE_SIZE);
    CT_REQUIRE(Mdl != NULL);
    ReadOnlyView = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    CT_REQUIRE(ReadOnlyView != NULL);
    CT_SUCCESS(NtboxGuardedCall(WriteView, NULL));
    CT_SUCCESS(MmProtectMdlSystemAddress(Mdl, PAGE_READONLY));
    CT_EQUAL(*ReadOnlyView, 1);
    CT_SUCCESS(MmProtectMdlSystemAddress(Mdl, PAGE_READWRITE));
    CT_SUCCESS(NtboxGuardedCall(WriteView, NULL));
    MmUnmapLockedPages((PVOID)ReadOnlyView, Mdl);
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);
}

/* Exports of ntoskrnl.exe and hal.dll by name; NULL for what neither has. */
static VOID MemoryRoutine(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"KeQueryTimeIncrement"),
                   Hal = RTL_CONSTANT_STRING(L"KeStallExecutionProcessor"),
                   None = RTL_CONSTANT_STRING(L"ThisFunctionDoesNotExist");
    ULONG(NTAPI * Routine)(VOID) = (ULONG(NTAPI *)(VOID))MmGetSystemRoutineAddress(&Name);
    CT_REQUIRE(Routine != NULL);
    CT_EQUAL(Routine(), KeQueryTimeIncrement());
    CT_CHECK(MmGetSystemRoutineAddress(&Hal) != NULL);
    CT_EQUAL(MmGetSystemRoutineAddress(&None), 0);
}

static VOID MemoryValid(VOID)
{
    ULONG OnStack = 0;
    CT_CHECK(MmIsAddressValid(&OnStack));
    CT_CHECK(MmIsAddressValid((PVOID)(ULONG_PTR)MemoryValid));
    CT_CHECK(!MmIsAddressValid(NULL));
    CT_CHECK(!MmIsAddressValid((PVOID)0x0000900000000000ull)); /* not canonical */
}

static VOID MemoryPhysical(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TAG);
    CT_REQUIRE(Block != NULL);
    PHYSICAL_ADDRESS First = MmGetPhysicalAddress(Block), Second = MmGetPhysicalAddress(Block + 123);
    CT_CHECK(First.QuadPart != 0 && BYTE_OFFSET(First.QuadPart) == 0);
    CT_EQUAL(Second.QuadPart - First.QuadPart, 123);
    ExFreePoolWithTag(Block, TAG);
}

/* The local APIC's page, whose version register (offset 0x30) every x64 machine has. */
static VOID MemoryIoSpace(VOID)
{
    PHYSICAL_ADDRESS Apic = {.QuadPart = 0xFEE00030};
    volatile ULONG *Version = MmMapIoSpace(Apic, sizeof(ULONG), MmNonCached);
    CT_REQUIRE(Version != NULL);
    CT_EQUAL(BYTE_OFFSET(Version), 0x30);
    ULONG First = *Version;
    CT_CHECK((First & 0xFF) >= 0x10 && (First & 0xFF) <= 0x1F);
    MmUnmapIoSpace((PVOID)Version, sizeof(ULONG));
    Version = MmMapIoSpaceEx(Apic, sizeof(ULONG), PAGE_READWRITE | PAGE_NOCACHE);
    CT_REQUIRE(Version != NULL);
    CT_EQUAL(*Version, First);
    MmUnmapIoSpace((PVOID)Version, sizeof(ULONG));
}

/* [Intel SDM 3, tables 12-10 and 12-11] memory types, as a PAT entry names them. */
#define TYPE_UNCACHEABLE 0
#define TYPE_WRITE_COMBINING 1
#define TYPE_WRITE_BACK 6
#define TYPE_NONE 0xff

#define MSR_PAT 0x277

static ULONG64 ReadPhysical(ULONG64 Address)
{
    MM_COPY_ADDRESS Source = {.PhysicalAddress.QuadPart = (LONGLONG)Address};
    ULONG64 Entry = 0;
    SIZE_T Done;
    CT_SUCCESS(MmCopyMemory(&Entry, Source, sizeof(Entry), MM_COPY_MEMORY_PHYSICAL, &Done));
    return Entry;
}

/* [Intel SDM 3, 4.5 and 4.9.2] The memory type of an address: its entry of the page tables, and the PAT entry that this selects. */
static UCHAR MemoryType(const VOID *Address)
{
    const ULONG64 Present = 1, Large = 0x80, Frame = 0x000ffffffffff000;
    ULONG64 Entry = __readcr3();
    ULONG Shift = 48;
    do {
        Shift -= 9;
        Entry = ReadPhysical((Entry & Frame) + ((ULONG64)Address >> Shift & 511) * sizeof(Entry));
        if (!(Entry & Present))
            return TYPE_NONE;
    } while (Shift > PAGE_SHIFT && !(Entry & Large && Shift < 39));
    ULONG Pat = Shift > PAGE_SHIFT ? Entry >> 12 & 1 : Entry >> 7 & 1;
    return __readmsr(MSR_PAT) >> (Pat << 2 | (Entry >> 3 & 3)) * 8;
}

/* [WDK MmAllocateContiguousMemorySpecifyCache] adjacent pages of the cache type. FALSE: there is nothing to free. */
static BOOLEAN CheckContiguous(UCHAR *Block, UCHAR Type)
{
    if (!CT_CHECK(Block != NULL))
        return FALSE;
    LONGLONG First = MmGetPhysicalAddress(Block).QuadPart;
    for (ULONG i = 0; i < 4; i++) {
        CT_EQUAL(MmGetPhysicalAddress(Block + i * PAGE_SIZE).QuadPart, First + i * PAGE_SIZE);
        CT_EQUAL(MemoryType(Block + i * PAGE_SIZE), Type);
    }
    CT_CHECK(BYTE_OFFSET(Block) == 0);
    RtlFillMemory(Block, 4 * PAGE_SIZE, 0x11);
    return TRUE;
}

/* Adjacent pages below the given address; nothing when there can be none. */
static VOID MemoryContiguous(VOID)
{
    PHYSICAL_ADDRESS FourGig = {.QuadPart = 0xFFFFFFFF}, Tiny = {.QuadPart = 0};
    UCHAR *Block = MmAllocateContiguousMemory(4 * PAGE_SIZE, FourGig);
    CT_REQUIRE(CheckContiguous(Block, TYPE_WRITE_BACK));
    CT_CHECK(MmGetPhysicalAddress(Block).QuadPart + 4 * PAGE_SIZE - 1 <= FourGig.QuadPart);
    MmFreeContiguousMemory(Block);
    static const struct {
        MEMORY_CACHING_TYPE Cache;
        UCHAR Type;
    } Rows[] = {{MmCached, TYPE_WRITE_BACK},
                {MmNonCached, TYPE_UNCACHEABLE},
                {MmWriteCombined, TYPE_WRITE_COMBINING}};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Rows); i++) {
        Block = MmAllocateContiguousMemorySpecifyCache(4 * PAGE_SIZE, Zero, FourGig, Zero, Rows[i].Cache);
        if (CheckContiguous(Block, Rows[i].Type))
            MmFreeContiguousMemorySpecifyCache(Block, 4 * PAGE_SIZE, Rows[i].Cache);
    }
    CT_EQUAL(MmAllocateContiguousMemory(4 * PAGE_SIZE, Tiny), 0);
}

/* The machine has node 0. */
static VOID MemoryContiguousNode(VOID)
{
    UCHAR *Block =
        MmAllocateContiguousMemorySpecifyCacheNode(4 * PAGE_SIZE, Zero, Highest, Zero, MmCached, 0);
    if (CheckContiguous(Block, TYPE_WRITE_BACK))
        MmFreeContiguousMemory(Block);
    Block = MmAllocateContiguousMemorySpecifyCacheNode(4 * PAGE_SIZE, Zero, Highest, Zero, MmNonCached,
                                                       MM_ANY_NODE_OK);
    if (CheckContiguous(Block, TYPE_UNCACHEABLE))
        MmFreeContiguousMemory(Block);
    Block = MmAllocateContiguousNodeMemory(4 * PAGE_SIZE, Zero, Highest, Zero,
                                           PAGE_READWRITE | PAGE_WRITECOMBINE, MM_ANY_NODE_OK);
    if (CheckContiguous(Block, TYPE_WRITE_COMBINING))
        MmFreeContiguousMemory(Block);
    CT_EQUAL(MmAllocateContiguousNodeMemory(PAGE_SIZE, Zero, Highest, Zero, PAGE_READONLY, MM_ANY_NODE_OK),
             0);
}

static NTSTATUS Copy(PVOID Target, PVOID Virtual, LONG64 Physical, ULONG Flags, SIZE_T *Done)
{
    MM_COPY_ADDRESS Source = {.VirtualAddress = Virtual};
    if (Flags == MM_COPY_MEMORY_PHYSICAL)
        Source.PhysicalAddress.QuadPart = Physical;
    return MmCopyMemory(Target, Source, 2 * PAGE_SIZE, Flags, Done);
}

/* Any address can be read from, and what cannot is an error status. */
static VOID MemoryCopy(VOID)
{
    UCHAR *Block = ExAllocatePoolWithTag(NonPagedPool, 4 * PAGE_SIZE, TAG), *Target = Block + 2 * PAGE_SIZE;
    SIZE_T Done;
    CT_REQUIRE(Block != NULL);
    for (ULONG i = 0; i < 2 * PAGE_SIZE; i++)
        Block[i] = (UCHAR)(i * 7);
    CT_SUCCESS(Copy(Target, Block, 0, MM_COPY_MEMORY_VIRTUAL, &Done));
    CT_EQUAL(Done, 2 * PAGE_SIZE);
    CT_EQUAL(RtlCompareMemory(Target, Block, 2 * PAGE_SIZE), 2 * PAGE_SIZE);
    RtlZeroMemory(Target, PAGE_SIZE);
    (void)Copy(Target, NULL, MmGetPhysicalAddress(Block).QuadPart, MM_COPY_MEMORY_PHYSICAL, &Done);
    CT_CHECK(Done >= PAGE_SIZE && RtlCompareMemory(Target, Block, PAGE_SIZE) == PAGE_SIZE);
    CT_CHECK(!NT_SUCCESS(Copy(Target, NULL, 0xFEE00000, MM_COPY_MEMORY_PHYSICAL, &Done)) &&
             Done == 0); /* the APIC */
    CT_CHECK(!NT_SUCCESS(Copy(Target, NULL, 0, MM_COPY_MEMORY_VIRTUAL, &Done)) && Done == 0);
    CT_CHECK(!NT_SUCCESS(Copy(Target, (PVOID)0x0000900000000000ull, 0, MM_COPY_MEMORY_VIRTUAL, &Done)) &&
             Done == 0);
    CT_CHECK(!NT_SUCCESS(Copy(Target, Block, 0, MM_COPY_MEMORY_PHYSICAL | MM_COPY_MEMORY_VIRTUAL, &Done)));
    ExFreePoolWithTag(Block, TAG);
}

/* Sorted ranges that do not touch, ended by an empty one; this driver's memory lies in one of them. */
static VOID MemoryRanges(VOID)
{
    PPHYSICAL_MEMORY_RANGE Ranges = MmGetPhysicalMemoryRanges();
    ULONG OnStack = 0x1234, Found = 0, i = 0;
    PHYSICAL_ADDRESS Mine = MmGetPhysicalAddress(&OnStack);
    CT_REQUIRE(Ranges != NULL);
    for (; Ranges[i].NumberOfBytes.QuadPart != 0; i++) {
        LONG64 First = Ranges[i].BaseAddress.QuadPart, Length = Ranges[i].NumberOfBytes.QuadPart;
        CT_CHECK(Length > 0 && BYTE_OFFSET(First) == 0 && BYTE_OFFSET(Length) == 0);
        if (i > 0)
            CT_CHECK(First > Ranges[i - 1].BaseAddress.QuadPart + Ranges[i - 1].NumberOfBytes.QuadPart);
        Found += Mine.QuadPart >= First && Mine.QuadPart < First + Length;
    }
    CT_CHECK(i > 0 && Found == 1);
    ExFreePool(Ranges);
    const ULONG *Seen = MmGetVirtualForPhysical(Mine);
    if (CT_CHECK(Seen != NULL))
        CT_EQUAL(*Seen, 0x1234);
}

/* The system's partition is the only one: the same ranges, whatever is asked of it. */
static VOID MemoryRangesOf(VOID)
{
    PPHYSICAL_MEMORY_RANGE Lists[] = {
        MmGetPhysicalMemoryRanges(), MmGetPhysicalMemoryRangesEx(NULL), MmGetPhysicalMemoryRangesEx2(NULL, 0),
        MmGetPhysicalMemoryRangesEx2(NULL, MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_FILE_ONLY |
                                               MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_ALL_PARTITIONS)};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Lists); i++) {
        ULONG Count = 0;
        if (!CT_CHECK(Lists[i] != NULL) || !CT_CHECK(Lists[0] != NULL))
            continue;
        while (Lists[0][Count++].NumberOfBytes.QuadPart != 0)
            ;
        CT_EQUAL(RtlCompareMemory(Lists[i], Lists[0], Count * sizeof(**Lists)), Count * sizeof(**Lists));
        if (i != 0)
            ExFreePool(Lists[i]);
    }
    if (Lists[0] != NULL)
        ExFreePool(Lists[0]);
    CT_CHECK(MmGetPhysicalMemoryRangesEx2(NULL, 0x80000000) == NULL);
}

static VOID MemoryNonCached(VOID)
{
    volatile UCHAR *Block = MmAllocateNonCachedMemory(PAGE_SIZE + 1);
    CT_REQUIRE(Block != NULL);
    Block[0] = 1;
    Block[PAGE_SIZE] = 2;
    CT_CHECK(Block[0] == 1 && Block[PAGE_SIZE] == 2);
    CT_EQUAL(MemoryType((PVOID)Block), TYPE_UNCACHEABLE);
    MmFreeNonCachedMemory((PVOID)Block, PAGE_SIZE + 1);
}

static VOID MemorySize(VOID)
{
    MM_SYSTEMSIZE Size = MmQuerySystemSize();
    CT_CHECK(Size == MmSmallSystem || Size == MmMediumSystem || Size == MmLargeSystem);
}

static NTSTATUS ProbeKernelAddress(PVOID Context)
{
    ProbeForRead(Context, 16, 1);
    return STATUS_SUCCESS;
}

static NTSTATUS ProbeForWriteKernelAddress(PVOID Context)
{
    ProbeForWrite(Context, 16, 1);
    return STATUS_SUCCESS;
}

static NTSTATUS ProbeMisaligned(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ProbeForRead((PVOID)0x10001, 16, 4);
    return STATUS_SUCCESS;
}

static NTSTATUS ProbeNothing(PVOID Context)
{
    ProbeForRead(Context, 0, 1);
    ProbeForWrite(Context, 0, 1);
    return STATUS_SUCCESS;
}

/* Only user addresses are good; a length of zero is never checked. */
static VOID MemoryProbe(VOID)
{
    ULONG OnStack[4] = {0};
    CT_STATUS(NtboxGuardedCall(ProbeKernelAddress, OnStack), STATUS_ACCESS_VIOLATION);
    CT_STATUS(NtboxGuardedCall(ProbeForWriteKernelAddress, OnStack), STATUS_ACCESS_VIOLATION);
    CT_STATUS(NtboxGuardedCall(ProbeMisaligned, NULL), STATUS_DATATYPE_MISALIGNMENT);
    CT_SUCCESS(NtboxGuardedCall(ProbeNothing, OnStack));
}

static const CT_CASE Cases[] = {
    {"mdl.allocate", MdlAllocate},
    {"mdl.nonpaged", MdlNonPaged},
    {"mdl.lock", MdlLock},
    {"mdl.map", MdlMap},
    {"mdl.partial", MdlPartial},
    {"mdl.size", MdlSize},
    {"mdl.pages", MdlPages},
    {"mdl.node", MdlNode},
    {"mdl.protect", MdlProtect},
    {"mdl.process", MdlProcess},
    {"mdl.selected", MdlSelected},
    {"mdl.advance", MdlAdvance},
    {"mdl.reserved", MdlReserved},
    {"mdl.reserved_advance", MdlReservedAdvance},
    {"memory.copy", MemoryCopy},
    {"memory.ranges", MemoryRanges},
    {"memory.ranges_of", MemoryRangesOf},
    {"memory.node", MemoryContiguousNode},
    {"memory.routine", MemoryRoutine},
    {"memory.valid", MemoryValid},
    {"memory.physical", MemoryPhysical},
    {"memory.iospace", MemoryIoSpace},
    {"memory.contiguous", MemoryContiguous},
    {"memory.noncached", MemoryNonCached},
    {"memory.size", MemorySize},
    {"memory.probe", MemoryProbe},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * Pages of MDLs in the user half of the current process. [WDK MmMapLockedPagesSpecifyCache, AccessMode UserMode] */
#include "ct.h"

#define TAG 'mUtC'
#define SYSTEM_START ((PVOID)0xffff800000000000)

typedef struct USER_MAP {
    PMDL Mdl;
    MEMORY_CACHING_TYPE Cache;
    PVOID Address; /* in, out */
} USER_MAP;

static NTSTATUS MapGuarded(PVOID Context)
{
    USER_MAP *Map = Context;
    Map->Address =
        MmMapLockedPagesSpecifyCache(Map->Mdl, UserMode, Map->Cache, Map->Address, FALSE, NormalPagePriority);
    return STATUS_SUCCESS;
}

static NTSTATUS LockGuarded(PVOID Mdl)
{
    MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
    return STATUS_SUCCESS;
}

/* An MDL that has locked pages of the process shows them when the process has freed them too. */
static VOID UserMapFreed(VOID)
{
    PVOID Base = NULL;
    SIZE_T Size = 2 * PAGE_SIZE, All = 0;
    CT_REQUIRE(CT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 0, &Size,
                                                  MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)));
    *(volatile UCHAR *)Base = 0x5a;
    USER_MAP Map = {IoAllocateMdl(Base, 2 * PAGE_SIZE, FALSE, FALSE, NULL), MmCached, NULL};
    CT_REQUIRE(Map.Mdl != NULL && CT_SUCCESS(NtboxGuardedCall(LockGuarded, Map.Mdl)));
    CT_SUCCESS(ZwFreeVirtualMemory(ZwCurrentProcess(), &Base, &All, MEM_RELEASE));
    for (ULONG i = 0; i < 2; i++) { /* nobody's, shared by nobody, nobody's again */
        Map.Address = NULL;
        CT_REQUIRE(CT_SUCCESS(NtboxGuardedCall(MapGuarded, &Map)));
        CT_CHECK(Map.Address < SYSTEM_START && *(volatile UCHAR *)Map.Address == 0x5a + i);
        *(volatile UCHAR *)Map.Address = (UCHAR)(0x5b + i);
        MmUnmapLockedPages(Map.Address, Map.Mdl);
    }
    const UCHAR *View = MmGetSystemAddressForMdlSafe(Map.Mdl, NormalPagePriority | MdlMappingNoExecute);
    CT_CHECK(View != NULL && *View == 0x5c);
    MmUnlockPages(Map.Mdl);
    IoFreeMdl(Map.Mdl);
}

/* "The system might round down the requested address": to the allocation granularity. */
static VOID UserMapPlace(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TAG);
    CT_REQUIRE(Block != NULL);
    USER_MAP Map = {IoAllocateMdl(Block + 8, 100, FALSE, FALSE, NULL), MmCached, (PVOID)0x20001234};
    CT_REQUIRE(Map.Mdl != NULL);
    MmBuildMdlForNonPagedPool(Map.Mdl);
    if (CT_SUCCESS(NtboxGuardedCall(MapGuarded, &Map))) {
        CT_EQUAL((ULONG_PTR)Map.Address, 0x20000008);
        MmUnmapLockedPages(Map.Address, Map.Mdl);
    }
    Map.Address = (PVOID)0x1000; /* rounded down it would be the null pointer */
    CT_CHECK(!NT_SUCCESS(NtboxGuardedCall(MapGuarded, &Map)));
    IoFreeMdl(Map.Mdl);
    ExFreePoolWithTag(Block, TAG);
}

/* Device memory: the local APIC's page, whose version register (offset 0x30) every x64 machine has. */
static VOID UserMapDevice(VOID)
{
    PHYSICAL_ADDRESS Apic = {.QuadPart = 0xFEE00000};
    volatile ULONG *Registers = MmMapIoSpace(Apic, PAGE_SIZE, MmNonCached);
    CT_REQUIRE(Registers != NULL);
    USER_MAP Map = {IoAllocateMdl((PVOID)Registers, PAGE_SIZE, FALSE, FALSE, NULL), MmNonCached, NULL};
    CT_REQUIRE(Map.Mdl != NULL);
    MmBuildMdlForNonPagedPool(Map.Mdl);
    if (CT_SUCCESS(NtboxGuardedCall(MapGuarded, &Map))) {
        ULONG Version = ((volatile ULONG *)Map.Address)[0x30 / sizeof(ULONG)];
        CT_CHECK(Map.Address < SYSTEM_START);
        CT_EQUAL(Version, Registers[0x30 / sizeof(ULONG)]);
        MmUnmapLockedPages(Map.Address, Map.Mdl);
    }
    IoFreeMdl(Map.Mdl);
    MmUnmapIoSpace((PVOID)Registers, PAGE_SIZE);
}

static const CT_CASE Cases[] = {
    {"user_map.freed", UserMapFreed},
    {"user_map.place", UserMapPlace},
    {"user_map.device", UserMapDevice},
};
CT_DRIVER(Cases)

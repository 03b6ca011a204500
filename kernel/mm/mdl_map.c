/* SPDX-License-Identifier: MIT
 * Mapping what an MDL describes into system space. */
#include "pfn.h"
#include "mm/user_space.h"

static PVOID MiMapMdl(PMDL Mdl, MM_PROTECTION Protection, MEMORY_CACHING_TYPE CacheType, const void *Owner)
{
    SIZE_T PageCount = BYTES_TO_PAGES((SIZE_T)Mdl->ByteOffset + Mdl->ByteCount);
    MI_PTE Template = MiTemplate(Protection, MmCached, MiUseMdl);
    MI_CACHE Wanted;
    if (PageCount == 0 || !MiCacheOf(CacheType, &Wanted))
        return NULL;
    ULONG_PTR Base = MiReserveOwned(PageCount, Owner);
    if (Base == 0)
        return NULL;
    const PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);
    for (SIZE_T I = 0; I < PageCount; I++)
        MiWritePte(MiPteOf(Base) + I,
                   MiEntry(Template | MiCacheBitsOfFrame(Frames[I], Wanted), Frames[I], I, PageCount));
    Mdl->MappedSystemVa = (PVOID)(Base + Mdl->ByteOffset);
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if (Mdl->MdlFlags & MDL_PARTIAL)
        Mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    return Mdl->MappedSystemVa;
}

/* [WDK MmMapLockedPagesSpecifyCache] into the current process; raises when it cannot be done. The MDL keeps no trace of it. */
static PVOID MiMapMdlForUser(PMDL Mdl, PVOID BaseAddress, BOOLEAN Write)
{
    SIZE_T PageCount = BYTES_TO_PAGES((SIZE_T)Mdl->ByteOffset + Mdl->ByteCount);
    ULONG_PTR Base = (ULONG_PTR)BaseAddress;
    NTSTATUS Status = MiMapUserPages(&Base, MmGetMdlPfnArray(Mdl), PageCount, Write);

    if (!NT_SUCCESS(Status))
        ExRaiseStatus(Status);
    return (PVOID)(Base + Mdl->ByteOffset);
}

/* IRQL <= DISPATCH_LEVEL (KernelMode), <= APC_LEVEL (UserMode). [WDK MmMapLockedPagesSpecifyCache] one system mapping per MDL. NULL,
 * or a bug check if BugCheckOnFailure, when there is no space. Never executable, with or without MdlMappingNoExecute (deviation D-032). */
static PVOID MiMapLockedPages(PMDL Mdl, KPROCESSOR_MODE AccessMode, MEMORY_CACHING_TYPE CacheType,
                              PVOID BaseAddress, ULONG BugCheckOnFailure, MM_PAGE_PRIORITY Priority,
                              const void *Owner)
{
    MM_PROTECTION Protection = (ULONG)Priority & MdlMappingNoWrite ? MmReadOnly : MmReadWrite;
    /* [WDK Bug Check 0x1A] 0x1233: a page that was not locked; twice mapped is what Windows calls a flawed
     * MDL */
    if (!(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL | MDL_SOURCE_IS_NONPAGED_POOL)))
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x1233, MmGetMdlPfnArray(Mdl)[0], 0, 0);
    if (AccessMode != KernelMode)
        return MiMapMdlForUser(Mdl, BaseAddress, Protection == MmReadWrite);
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x61946, (ULONG_PTR)Mdl, (USHORT)Mdl->MdlFlags, 0);
    PVOID Address = MiMapMdl(Mdl, Protection, CacheType, Owner);
    if (Address == NULL && BugCheckOnFailure)
        KeBugCheckEx(NO_MORE_SYSTEM_PTES, 0, BYTES_TO_PAGES(Mdl->ByteOffset + Mdl->ByteCount), 0, 0);
    return Address;
}

PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDLX MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                                         MEMORY_CACHING_TYPE CacheType, PVOID BaseAddress,
                                         ULONG BugCheckOnFailure, MM_PAGE_PRIORITY Priority)
{
    return MiMapLockedPages(MemoryDescriptorList, AccessMode, CacheType, BaseAddress, BugCheckOnFailure,
                            Priority, __builtin_return_address(0));
}

/* [WDK MmMapLockedPages] obsolete; a failure of a kernel mapping is a bug check. */
PVOID NTAPI MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
    return MiMapLockedPages(MemoryDescriptorList, AccessMode, MmCached, NULL, TRUE, HighPagePriority,
                            __builtin_return_address(0));
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmUnmapLockedPages] BaseAddress is what the mapping call returned.
 * [WDK Bug Check 0xDA] 6: the MDL is not mapped; 3: the address is not its mapping's */
VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    SIZE_T PageCount = BYTES_TO_PAGES((SIZE_T)Mdl->ByteOffset + Mdl->ByteCount);
    if ((ULONG_PTR)BaseAddress < MM_USER_END) {
        if (!MiUnmapUserPages((ULONG_PTR)BaseAddress - Mdl->ByteOffset, PageCount))
            KeBugCheckEx(SYSTEM_PTE_MISUSE, 6, (ULONG_PTR)Mdl, (ULONG_PTR)BaseAddress, PageCount);
        return;
    }
    if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 6, (ULONG_PTR)Mdl, (ULONG_PTR)BaseAddress, PageCount);
    if (Mdl->MappedSystemVa != BaseAddress)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 3, 0, (ULONG_PTR)Mdl->MappedSystemVa, (ULONG_PTR)BaseAddress);
    MiFreeOwnedMapping((ULONG_PTR)BaseAddress - Mdl->ByteOffset, PageCount, MiUseMdl);
    Mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    Mdl->MappedSystemVa = NULL;
}

static BOOLEAN MiProtectionOf(ULONG Protect, MM_PROTECTION *Protection)
{
    switch (Protect) {
    case PAGE_NOACCESS:
        *Protection = MmNoAccess;
        return TRUE;
    case PAGE_READONLY:
        *Protection = MmReadOnly;
        return TRUE;
    case PAGE_READWRITE:
        *Protection = MmReadWrite;
        return TRUE;
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
        *Protection = MmExecuteRead;
        return TRUE;
    default:
        return FALSE;
    }
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmProtectMdlSystemAddress] for a mapping that MmMapLockedPagesSpecifyCache made:
 * STATUS_NOT_MAPPED_VIEW without one, STATUS_INVALID_PAGE_PROTECTION for other protections, PAGE_EXECUTE_READWRITE among
 * them (deviation D-032). */
NTSTATUS NTAPI MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG NewProtect)
{
    PMDL Mdl = MemoryDescriptorList;
    MM_PROTECTION Protection;
    ULONG_PTR Base = (ULONG_PTR)Mdl->MappedSystemVa - Mdl->ByteOffset;
    if (!MiProtectionOf(NewProtect, &Protection))
        return STATUS_INVALID_PAGE_PROTECTION;
    SIZE_T PageCount =
        Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA ? MiMeasure(&MiSystemPteSpace, Base, MiUseMdl) : 0;
    if (PageCount == 0)
        return STATUS_NOT_MAPPED_VIEW;
    MiProtect(Base, PageCount, Protection);
    return STATUS_SUCCESS;
}

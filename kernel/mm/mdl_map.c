/* SPDX-License-Identifier: MIT
 * Mapping what an MDL describes into system space. */
#include "pfn.h"
#include "ke.h"
#include "mm/user_space.h"
#include "mm_mdl.h"
#include "ke_bugcheck.h"

/* Entries of the MDL's pages from Base on, each with the cache type that its page has. Use: MiUseMdl, or MiUseReserved for a mapping at addresses
 * that are not its own. */
static VOID MiEnterMdlPages(PMDL Mdl, ULONG_PTR Base, SIZE_T PageCount, MM_PROTECTION Protection, MI_USE Use,
                            MI_CACHE Wanted)
{
    MI_PTE *Pte = MiPteOf(Base), Template = MI_TEMPLATE(MiProtectionBits(Protection), Use);
    const PFN_NUMBER *Frames = MmGetMdlPfnArray(Mdl);
    for (SIZE_T I = 0; I < PageCount; I++)
        MiWritePte(&Pte[I],
                   MiEntry(Template | MiCacheBitsOfFrame(Frames[I], Wanted), Frames[I], I, PageCount));
}

static PVOID MiMapMdl(PMDL Mdl, MM_PROTECTION Protection, MEMORY_CACHING_TYPE CacheType, const void *Owner)
{
    SIZE_T PageCount = MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount);
    MI_CACHE Wanted;
    if (PageCount == 0 || !MiCacheOf(CacheType, &Wanted))
        return NULL;
    ULONG_PTR Base = MiReserveOwned(PageCount, Owner);
    if (Base == 0)
        return NULL;
    MiEnterMdlPages(Mdl, Base, PageCount, Protection, MiUseMdl, Wanted);
    Mdl->MappedSystemVa = (PVOID)(Base + Mdl->ByteOffset);
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if (Mdl->MdlFlags & MDL_PARTIAL)
        Mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    return Mdl->MappedSystemVa;
}

/* [WDK Bug Check 0x1A] 0x1233: a page that was not locked */
static VOID MiRequireLocked(PMDL Mdl)
{
    if (!(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL | MDL_SOURCE_IS_NONPAGED_POOL)))
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x1233, MmGetMdlPfnArray(Mdl)[0], 0, 0);
}

/* Twice mapped is what Windows calls a flawed MDL. */
static VOID MiRequireUnmapped(PMDL Mdl)
{
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x61946, (ULONG_PTR)Mdl, (USHORT)Mdl->MdlFlags, 0);
}

/* [WDK MmMapLockedPagesSpecifyCache] into the current process; raises when it cannot be done. The MDL keeps no trace of it. */
static PVOID MiMapMdlForUser(PMDL Mdl, MEMORY_CACHING_TYPE CacheType, PVOID BaseAddress, BOOLEAN Write)
{
    SIZE_T PageCount = MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount);
    ULONG_PTR Base = (ULONG_PTR)BaseAddress;
    MI_CACHE Wanted;
    NTSTATUS Status = STATUS_INVALID_PARAMETER;

    if (MiCacheOf(CacheType, &Wanted))
        Status = MiMapUserPages(&Base, MmGetMdlPfnArray(Mdl), PageCount, Write, Wanted);
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
    MiRequireLocked(Mdl);
    if (AccessMode != KernelMode)
        return MiMapMdlForUser(Mdl, CacheType, BaseAddress, Protection == MmReadWrite);
    MiRequireUnmapped(Mdl);
    PVOID Address = MiMapMdl(Mdl, Protection, CacheType, Owner);
    if (Address == NULL && BugCheckOnFailure)
        KeBugCheckEx(NO_MORE_SYSTEM_PTES, 0, MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount), 0, 0);
    return Address;
}

DECLSPEC_NOINLINE PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDLX MemoryDescriptorList,
                                                           KPROCESSOR_MODE AccessMode,
                                                           MEMORY_CACHING_TYPE CacheType, PVOID BaseAddress,
                                                           ULONG BugCheckOnFailure, MM_PAGE_PRIORITY Priority)
{
    KI_REQUIRE_IRQL(AccessMode != KernelMode ? APC_LEVEL : DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(AccessMode == KernelMode || AccessMode == UserMode, AccessMode);
    KI_REQUIRE_ARGUMENT(MI_IS_CACHE_TYPE(CacheType), CacheType);

    return MiMapLockedPages(MemoryDescriptorList, AccessMode, CacheType, BaseAddress, BugCheckOnFailure,
                            Priority, __builtin_return_address(0));
}

/* [WDK MmMapLockedPages] obsolete; a failure of a kernel mapping is a bug check. */
DECLSPEC_NOINLINE PVOID NTAPI MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
    KI_REQUIRE_IRQL(AccessMode != KernelMode ? APC_LEVEL : DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(AccessMode == KernelMode || AccessMode == UserMode, AccessMode);

    return MiMapLockedPages(MemoryDescriptorList, AccessMode, MmCached, NULL, TRUE, HighPagePriority,
                            __builtin_return_address(0));
}

/* Is the MDL mapped at addresses of MmAllocateMappingAddress? Those are not to be freed with the mapping. */
static BOOLEAN MiIsMappedReserved(const MDL *Mdl)
{
    return (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) &&
           MiMeasure(&MiSystemPteSpace, (ULONG_PTR)PAGE_ALIGN(Mdl->MappedSystemVa), MiUseReserved) != 0;
}

static VOID MiForgetMapping(PMDL Mdl)
{
    Mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    Mdl->MappedSystemVa = NULL;
}

/* [WDK Bug Check 0xDA] 6: the MDL is not mapped, or not in this way; 3: the address is not its mapping's; 0x303: nothing is mapped there;
 * 0x305: the wrong number of pages */
static DECLSPEC_NORETURN VOID MiRefuseUnmap(const MDL *Mdl, ULONG_PTR Address, SIZE_T PageCount)
{
    ULONG_PTR Base = Address - Mdl->ByteOffset;
    SIZE_T Mapped = MiMeasure(&MiSystemPteSpace, Base, MiUseMdl);

    if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 6, (ULONG_PTR)Mdl, Address, PageCount);
    if (MiIsMappedReserved(Mdl))
        KeBugCheckBlaming(NULL, SYSTEM_PTE_MISUSE, 6, (ULONG_PTR)Mdl, Address, PageCount,
                          "the MDL is mapped at a reserved address: only MmUnmapReservedMapping unmaps it");
    if ((ULONG_PTR)Mdl->MappedSystemVa != Address)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 3, 0, (ULONG_PTR)Mdl->MappedSystemVa, Address);
    KeBugCheckEx(SYSTEM_PTE_MISUSE, Mapped == 0 ? 0x303 : 0x305, Base, PageCount, Mapped);
}

/* IRQL <= DISPATCH_LEVEL, of a user address <= APC_LEVEL. [WDK MmUnmapLockedPages] BaseAddress is what the mapping call returned. */
VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    KI_REQUIRE_IRQL((ULONG_PTR)BaseAddress < MM_USER_END ? APC_LEVEL : DISPATCH_LEVEL);

    PMDL Mdl = MemoryDescriptorList;
    SIZE_T PageCount = MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount);
    if ((ULONG_PTR)BaseAddress < MM_USER_END) {
        if (!MiUnmapUserPages((ULONG_PTR)BaseAddress - Mdl->ByteOffset, PageCount))
            KeBugCheckEx(SYSTEM_PTE_MISUSE, 6, (ULONG_PTR)Mdl, (ULONG_PTR)BaseAddress, PageCount);
        return;
    }
    ULONG_PTR Base = (ULONG_PTR)BaseAddress - Mdl->ByteOffset;
    if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || Mdl->MappedSystemVa != BaseAddress ||
        MiMeasure(&MiSystemPteSpace, Base, MiUseMdl) != PageCount)
        MiRefuseUnmap(Mdl, (ULONG_PTR)BaseAddress, PageCount);
    MiUnmap(Base, PageCount, MiAbsentFreedMapping);
    MiReleaseOwned(Base, PageCount);
    MiForgetMapping(Mdl);
}

/* The first pages of a mapping go; the next one begins it. */
static VOID MiUnmapFirst(ULONG_PTR Base, SIZE_T Passed, SIZE_T PageCount)
{
    MI_PTE *First = MiPteOf(Base) + Passed;
    if (Passed < PageCount)
        MiWritePte(First, MiReadPte(First) | MI_PTE_FIRST);
    MiUnmap(Base, Passed, MiAbsentFreedMapping);
}

/* Its addresses stay reserved, and MappedSystemVa has no byte offset. */
static VOID MiShrinkReserved(PMDL Mdl, SIZE_T Passed, SIZE_T PageCount)
{
    ULONG_PTR Base = (ULONG_PTR)PAGE_ALIGN(Mdl->MappedSystemVa);
    MiUnmapFirst(Base, Passed, PageCount);
    Mdl->MappedSystemVa = (PVOID)(Base + Passed * PAGE_SIZE);
    if (Passed == PageCount)
        MiForgetMapping(Mdl);
}

/* For MmAdvanceMdl: the first pages leave a mapping that is the MDL's own; another's only moves on. */
VOID MiShrinkMdlMapping(PMDL Mdl, SIZE_T Passed, ULONG Bytes)
{
    BOOLEAN Own =
        (Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_PARENT_MAPPED_SYSTEM_VA)) == MDL_MAPPED_TO_SYSTEM_VA;
    SIZE_T PageCount = MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount);
    if (!(Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)))
        return;
    if (Own && MiIsMappedReserved(Mdl)) {
        MiShrinkReserved(Mdl, Passed, PageCount);
        return;
    }
    if (Own && Passed == PageCount) {
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
        return;
    }
    ULONG_PTR Base = (ULONG_PTR)Mdl->MappedSystemVa - Mdl->ByteOffset;
    Mdl->MappedSystemVa = (PUCHAR)Mdl->MappedSystemVa + Bytes;
    if (!Own || Passed == 0)
        return;
    MiUnmapFirst(Base, Passed, PageCount);
    MiRelease(&MiSystemPteSpace, Base, Passed);
}

/* --- reserved mapping addresses ----------------------------------------------------------------------------------------
 * MI_RESERVED_HEAD pages in front, never mapped, say what the range is: the first how many pages, the second the tag. */

static MI_PTE MiReservedPte(ULONG64 Value)
{
    return MI_ABSENT_PTE(MiAbsentReserved, Value) | MI_PTE_FIRST |
           ((MI_PTE)MiUseReserved << MI_PTE_USE_SHIFT);
}

/* IRQL <= APC_LEVEL. [WDK MmAllocateMappingAddress] addresses without memory; NULL when there are none. [WDK Bug Check 0xDA] 0x100: no bytes */
DECLSPEC_NOINLINE PVOID NTAPI MmAllocateMappingAddress(SIZE_T NumberOfBytes, ULONG PoolTag)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    const void *Caller = __builtin_return_address(0);
    SIZE_T PageCount = BYTES_TO_PAGES(NumberOfBytes);
    if (NumberOfBytes == 0)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x100, 0, PoolTag, (ULONG_PTR)Caller);
    if (PageCount >= MiSystemPteSpace.PageCount)
        return NULL;
    ULONG_PTR Head = MiReserveOwned(PageCount + MI_RESERVED_HEAD, Caller);
    if (Head == 0)
        return NULL;
    for (SIZE_T I = MI_RESERVED_HEAD; I < PageCount + MI_RESERVED_HEAD; I++)
        MiWritePte(MiPteOf(Head) + I, MI_ABSENT_PTE(MiAbsentFreedMapping, 0));
    MiWritePte(MiPteOf(Head), MiReservedPte(PageCount));
    MiWritePte(MiPteOf(Head) + 1, MiReservedPte(PoolTag));
    return (PVOID)(Head + MI_RESERVED_HEAD * PAGE_SIZE);
}

/* Pages of the reserved range that begins at Base, 0 if none does; its tag. */
static SIZE_T MiReservedPages(ULONG_PTR Base, ULONG *Tag)
{
    ULONG Shift;
    MI_PTE Count, Second;
    ULONG_PTR Head = Base - MI_RESERVED_HEAD * PAGE_SIZE;
    if ((Base & PAGE_MASK) != 0 || Head < MiSystemPteSpace.Base ||
        Head >= MiSystemPteSpace.Base + MiSystemPteSpace.PageCount * PAGE_SIZE)
        return 0;
    if (MiLookUp(Head, &Shift, &Count) != 0 || MI_ABSENT_KIND(Count) != MiAbsentReserved ||
        MiLookUp(Head + PAGE_SIZE, &Shift, &Second) != 0 || MI_ABSENT_KIND(Second) != MiAbsentReserved)
        return 0;
    *Tag = (ULONG)MI_ABSENT_PAGES(Second);
    return MI_ABSENT_PAGES(Count);
}

static SIZE_T MiFindMapped(ULONG_PTR Base, SIZE_T PageCount)
{
    for (SIZE_T I = 0; I < PageCount; I++)
        if (MiIsMapped(MiReadPte(MiPteOf(Base) + I)))
            return I;
    return PageCount;
}

/* IRQL <= APC_LEVEL. [WDK MmFreeMappingAddress] [WDK Bug Check 0xDA] 0x102: not such a range; 0x101: another's; 0x103: still mapped */
VOID NTAPI MmFreeMappingAddress(PVOID BaseAddress, ULONG PoolTag)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    ULONG Tag = 0;
    ULONG_PTR Base = (ULONG_PTR)BaseAddress, Head = Base - MI_RESERVED_HEAD * PAGE_SIZE;
    SIZE_T PageCount = MiReservedPages(Base, &Tag);
    if (PageCount == 0)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x102, Base, PoolTag, 0);
    if (Tag != PoolTag)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x101, Base, PoolTag, Tag);
    SIZE_T Mapped = MiFindMapped(Base, PageCount);
    if (Mapped != PageCount)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x103, Base + Mapped * PAGE_SIZE, PoolTag, PageCount);
    for (SIZE_T I = 0; I < MI_RESERVED_HEAD; I++)
        MiWritePte(MiPteOf(Head) + I, MI_ABSENT_PTE(MiAbsentFreedMapping, 0));
    MiReleaseOwned(Head, PageCount + MI_RESERVED_HEAD);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmMapLockedPagesWithReservedMapping] the address with the MDL's byte offset, which MappedSystemVa then is
 * without; NULL when the range is too small. [WDK Bug Check 0xDA] 0x105: not such a range; 0x104: another's; 0x107: mapped already */
PVOID NTAPI MmMapLockedPagesWithReservedMapping(PVOID MappingAddress, ULONG PoolTag,
                                                PMDLX MemoryDescriptorList, MEMORY_CACHING_TYPE CacheType)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(MI_IS_CACHE_TYPE(CacheType), CacheType);

    PMDL Mdl = MemoryDescriptorList;
    ULONG Tag = 0;
    MI_CACHE Wanted;
    ULONG_PTR Base = (ULONG_PTR)MappingAddress;
    SIZE_T Needed = MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount), Has = MiReservedPages(Base, &Tag);
    if (Has == 0)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x105, Base, PoolTag, 0);
    if (Tag != PoolTag)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x104, Base, PoolTag, Tag);
    if (Needed > Has || Needed == 0 || !MiCacheOf(CacheType, &Wanted))
        return NULL;
    SIZE_T Mapped = MiFindMapped(Base, Has);
    if (Mapped != Has)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x107, Base, Base + Mapped * PAGE_SIZE, Base + (Has - 1) * PAGE_SIZE);
    MiRequireLocked(Mdl);
    MiRequireUnmapped(Mdl);
    MiEnterMdlPages(Mdl, Base, Needed, MmReadWrite, MiUseReserved, Wanted);
    Mdl->MappedSystemVa = (PVOID)Base;
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    return (PVOID)(Base + Mdl->ByteOffset);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmUnmapReservedMapping] [WDK Bug Check 0xDA] 0x109: nothing is mapped in such a range; 0x108: another's; 0x10C: not the
 * pages of this MDL */
VOID NTAPI MmUnmapReservedMapping(PVOID BaseAddress, ULONG PoolTag, PMDLX MemoryDescriptorList)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    PMDL Mdl = MemoryDescriptorList;
    ULONG Tag = 0;
    ULONG_PTR Base = (ULONG_PTR)PAGE_ALIGN(BaseAddress);
    SIZE_T Needed = MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount), Has = MiReservedPages(Base, &Tag);
    SIZE_T Passed = MiFindMapped(Base, Has);
    ULONG_PTR First = Base + Passed * PAGE_SIZE; /* MmAdvanceMdl has taken those in front */
    if (Passed == Has)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x109, Base, PoolTag, 0);
    if (Tag != PoolTag)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x108, Base, PoolTag, Tag);
    if (MiMeasure(&MiSystemPteSpace, First, MiUseReserved) != Needed || Mdl->MappedSystemVa != (PVOID)First)
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 0x10c, Base, PoolTag, Needed);
    MiUnmap(First, Needed, MiAbsentFreedMapping);
    MiForgetMapping(Mdl);
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
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    PMDL Mdl = MemoryDescriptorList;
    MM_PROTECTION Protection;
    ULONG_PTR Base = (ULONG_PTR)PAGE_ALIGN(Mdl->MappedSystemVa);
    SIZE_T PageCount = 0;
    if (!MiProtectionOf(NewProtect, &Protection))
        return STATUS_INVALID_PAGE_PROTECTION;
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        PageCount = MiMeasure(&MiSystemPteSpace, Base, MiIsMappedReserved(Mdl) ? MiUseReserved : MiUseMdl);
    if (PageCount == 0)
        return STATUS_NOT_MAPPED_VIEW;
    MiProtect(Base, PageCount, Protection);
    return STATUS_SUCCESS;
}

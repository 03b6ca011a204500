/* SPDX-License-Identifier: MIT
 * Allocating and freeing pool. The free kernel takes a shortcut for small blocks: a block of the processor's magazine, or
 * back into it, in a function that makes no call. Whatever is not ordinary goes the general way, and so does the checked
 * kernel always. */
#include "exp.h"
#include "ke_failure.h"

EXP_POOL ExpPools[MmAllPoolRegions];
volatile LONG64 ExpRecordEnds[MmAllPoolRegions];

static VOID ExpInitializePool(EXP_POOL *Pool, MM_POOL_REGION Region, POOL_TYPE Type, ULONG_PTR Base,
                              PCSTR Name)
{
    Pool->Lock = (ARCH_LOCK)ARCH_LOCK_INIT(Name, LockRankExPool, DISPATCH_LEVEL);
    Pool->Region = Region;
    Pool->Type = Type;
    Pool->Base = Base;
    Pool->PageCount = MmPoolRegionPages(Region);
    Pool->Records = EXP_RECORDS + Region * EXP_REGION_PAGES;
    ExpRecordEnds[Region] = (LONG64)(Region * EXP_REGION_PAGES);
    for (ULONG Class = 0; Class < EXP_CLASSES; Class++)
        Pool->Partial[Class] = EXP_NO_PAGE;
}

VOID ExInitializePools(VOID)
{
    ExpInitializeClasses();
    ExpInitializeCaches();
    ExpInitializePool(&ExpPools[MmNonPagedPoolRegion], MmNonPagedPoolRegion, NonPagedPoolNx,
                      MM_NONPAGED_POOL_BASE, "nonpaged pool");
    ExpInitializePool(&ExpPools[MmPagedPoolRegion], MmPagedPoolRegion, PagedPool, MM_PAGED_POOL_BASE,
                      "paged pool");
    ExpInitializePool(&ExpPools[MmSpecialPoolRegion], MmSpecialPoolRegion, NonPagedPoolNx,
                      MM_SPECIAL_POOL_BASE, "special pool");
}

/* --- allocate: the general way ----------------------------------------------------------------------------------- */

/* Block is a free block of the class; what is behind it may have been overwritten by its neighbour. */
static PVOID ExpUseBlock(EXP_POOL *Pool, PVOID Block, ULONG Class, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    EXP_HEADER *Header = ExpHeaderOf(Block);

    ExpCheckHeader(Header, Class);
    if (Header->State != ExpBlockFree)
        ExpBadHeader(Pool, Header);
    ExpCheckFreed(Header, Class);
    ExpWriteHeader(Header, Size, Tag, Owner);
    ExpSetSmallGuard(Header, Class);
    return Block;
}

/* A block that must begin on a cache line is given a page: aligned, and rare enough. */
static PVOID ExpTryAllocate(EXP_POOL *Pool, ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    PVOID Special = ExpSpecialInUse ? ExpAllocateSpecial(Type, Size, Tag, Owner) : NULL;
    if (Special != NULL)
        return Special;
    if (Size > EXP_SMALL_MAX || (Type & EXP_TYPE_CACHE_ALIGNED))
        return ExpAllocateLarge(Pool, Size, Tag, Owner);
    ULONG Class = ExpClassOf(Size);
    PVOID Block = ExpPop(Class, Pool->Region);
    if (Block == NULL)
        Block = ExpRefill(Pool, Class);
    return Block != NULL ? ExpUseBlock(Pool, Block, Class, Size, Tag, Owner) : NULL;
}

/* [WDK Bug Check 0xC2] 0x9A: must-succeed pool, no longer supported; 0x9B, checked kernel: no tag */
static VOID ExpCheckRequest(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    if (Type & EXP_TYPE_MUST_SUCCEED)
        KeBugCheckEx(BAD_POOL_CALLER, 0x9a, Type, Size, Tag);
    if (NTBOX_CHECKED && Tag == 0)
        KeBugCheckEx(BAD_POOL_CALLER, 0x9b, Type, Size, (ULONG_PTR)ExpOwnerCode(Owner));
}

/* When memory is short, what the magazines hold is given back first. */
PVOID ExpAllocateTyped(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    EXP_POOL *Pool = &ExpPools[Type & EXP_TYPE_PAGED ? MmPagedPoolRegion : MmNonPagedPoolRegion];

    if (ExpSpecialInUse)
        ExpCheckSpecialIrql(Type, Size, Tag, Owner);
    ExpCheckIrql(Pool, 8, Size);
    ExpCheckRequest(Type, Size, Tag, Owner);
    BOOLEAN Denied = KE_DENY_ALLOCATION(ExpOwnerCode(Owner)); /* the checked kernel always comes here */
    PVOID Block = Denied ? NULL : ExpTryAllocate(Pool, Type, Size, Tag, Owner);
    if (Block == NULL && !Denied) {
        ExpTrimCaches();
        Block = ExpTryAllocate(Pool, Type, Size, Tag, Owner);
    }
    if (Block == NULL && (Type & POOL_RAISE_IF_ALLOCATION_FAILURE))
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return Block;
}

/* --- allocate: the shortcut --------------------------------------------------------------------------------------- */

#define EXP_TYPE_ORDINARY (EXP_TYPE_PAGED | (ULONG)NonPagedPoolNx)

/* A page of the processor's magazine. */
static DECLSPEC_NOINLINE PVOID ExpAllocatePage(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    PVOID Page = ExpPop(EXP_PAGE_CLASS, Type & EXP_TYPE_PAGED);

    if (Page == NULL)
        return ExpAllocateTyped(Type, Size, Tag, Owner);
    EXP_PAGE *Record = &EXP_RECORDS[((ULONG64)Page - MM_NONPAGED_POOL_BASE) / PAGE_SIZE];
    Record->Tag = Tag;
    Record->PageCount = 1;
    Record->Size = Size;
    Record->Owner = Owner;
    Record->State = ExpPageLarge;
    return Page;
}

__attribute__((always_inline)) static inline PVOID ExpAllocate(ULONG Type, SIZE_T Size, ULONG Tag,
                                                               EXP_OWNER Owner)
{
    if (NTBOX_CHECKED || __builtin_expect((Type & ~EXP_TYPE_ORDINARY) != 0, 0))
        return ExpAllocateTyped(Type, Size, Tag, Owner);
    if (__builtin_expect(Size > EXP_SMALL_MAX, 0))
        return (Size <= PAGE_SIZE ? ExpAllocatePage : ExpAllocateTyped)(Type, Size, Tag, Owner);
    ULONG Class = ExpClassOf(Size);
    BOOLEAN Enabled = ArchDisableInterrupts();
    EXP_MAGAZINE *Magazine = ExpMagazine(Class, Type & EXP_TYPE_PAGED);
    LONG64 Count = (LONG64)(ULONG64)Magazine->Count - 1;
    if (__builtin_expect(Count < 0, 0)) {
        ArchRestoreInterrupts(Enabled);
        return ExpAllocateTyped(Type, Size, Tag, Owner);
    }
    PVOID Block = Magazine->Block[Count];
    Magazine->Count = (ULONG)Count;
    ArchRestoreInterrupts(Enabled);
    EXP_HEADER *Header = ExpHeaderOf(Block);
    if (__builtin_expect(Header->State != ExpBlockFree, 0))
        return ExpUseDamaged(Header);
    ExpWriteHeader(Header, Size, Tag, Owner);
    return Block;
}

PVOID ExpAllocateForCaller(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    return ExpAllocate(Type, Size, Tag, Owner);
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    return ExpAllocate((ULONG)PoolType, NumberOfBytes, Tag, EXP_CALLER_FOR(Owner));
}

/* IRQL <= DISPATCH_LEVEL; paged pool <= APC_LEVEL. [WDK ExAllocatePoolWithTag] 16-byte aligned, page-aligned
 * from a page up; NULL when memory is short. Nonpaged pool is never executable (deviation D-030). */
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExpAllocate((ULONG)PoolType, NumberOfBytes, Tag, EXP_CALLER());
}

/* [WDK ExAllocatePool] the same without a tag. */
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ExpAllocate((ULONG)PoolType, NumberOfBytes, EXP_NO_TAG, EXP_CALLER());
}

/* --- free: the general way ------------------------------------------------------------------------------------------ */

/* The address was looked up: a block of this page begins there. */
static VOID ExpFreeSmall(EXP_POOL *Pool, ULONG Class, PVOID Block, ULONG Tag, EXP_OWNER Freer)
{
    EXP_HEADER *Header = ExpHeaderOf(Block);

    ExpCheckHeader(Header, Class);
    if (!NTBOX_CHECKED && Header->State != ExpBlockAllocated && Header->State != ExpBlockFree)
        ExpBadHeader(Pool, Header);
    if (Header->State == ExpBlockAllocated) {
        if (Tag != 0 && Tag != Header->Tag)
            ExpWrongTag(Block, Header->Tag, Tag);
        KeCheckFreedMemory(Block, Header->Size, ExpOwnerCode(Freer));
    }
    UCHAR State = __atomic_exchange_n(&Header->State, ExpBlockChanging, __ATOMIC_ACQ_REL);
    if (State != ExpBlockAllocated) {
        Header->State = ExpBlockFree; /* so the report names it */
        ExpBadPointer(Pool, Block);
    }
    ExpCheckSmallGuard(Header, Class);
    ExpCheckNoResource(Block, Header->Size);
    ExpCheckNoLookaside(Block, Header->Size);
    ExpFillFreed(Header, Class);
    ExpSealFreed(Header, Freer);
    if (!ExpPush(Class, Pool->Region, Block))
        ExpDrain(Pool, Class, Block);
}

VOID ExpFreeChecked(PVOID Block, ULONG Tag, EXP_OWNER Freer)
{
    EXP_POOL *Pool = ExpAnyPoolOf(Block);

    ExpCheckFreedMdl(Block);
    if (Pool == &ExpPools[MmSpecialPoolRegion]) {
        ExpFreeSpecial(Block, Tag, Freer);
        return;
    }
    if (Pool == NULL || ExpPageIndex(Pool, Block) >= ExpRecordCount(Pool))
        ExpBadPointer(Pool, Block);
    ExpCheckIrql(Pool, 9, (ULONG_PTR)Block);
    const EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block)];
    ULONG Offset = (ULONG)((ULONG_PTR)Block & PAGE_MASK);
    if (Record->State == ExpPageSmall && ExpBlockNumberAt(Record->Class, Offset) != 0)
        ExpFreeSmall(Pool, Record->Class, Block, Tag, Freer);
    else if (Record->State == ExpPageLarge && Offset == 0)
        ExpFreeLarge(Pool, Block, Tag, Freer);
    else
        ExpBadPointer(Pool, Block);
}

/* --- free: the shortcut --------------------------------------------------------------------------------------------- */

/* Only the checked kernel wants to know who frees. */
#define EXP_FREER() (NTBOX_CHECKED ? EXP_CALLER() : 0)

/* The shortcut of the free kernel: FALSE when the block is not for it. An address that is no multiple of 16 has no header that
 * says so much. */
__attribute__((always_inline)) static inline BOOLEAN ExpFreeFast(PVOID Block, ULONG Tag, BOOLEAN AnyTag)
{
    ULONG64 Page = ((ULONG64)Block - MM_NONPAGED_POOL_BASE) / PAGE_SIZE;
    ULONG64 Unit = (ULONG_PTR)Block / 16 % EXP_UNITS;

    if (Page >= MmPoolRegions * EXP_REGION_PAGES || Page >= (ULONG64)ExpRecordEnds[Page / EXP_REGION_PAGES])
        return FALSE;
    const EXP_PAGE *Record = &EXP_RECORDS[Page];
    EXP_HEADER *Header = ExpHeaderOf(Block);
    ULONG64 Offset = Record->Magazine;
    if (Record->State != ExpPageSmall || (&ExpBlockAt[0][0][0])[Offset + Unit] == 0 ||
        Header->State != ExpBlockAllocated || (!AnyTag && Header->Tag != Tag))
        return FALSE;
    BOOLEAN Enabled = ArchDisableInterrupts();
    EXP_MAGAZINE *Magazine = (EXP_MAGAZINE *)((PUCHAR)ExpOwnCache() + Offset);
    ULONG64 Count = Magazine->Count;
    if (__builtin_expect(Count >= Magazine->Depth, 0)) {
        ArchRestoreInterrupts(Enabled);
        return FALSE;
    }
    Header->State = ExpBlockFree;
    Magazine->Block[Count] = Block;
    Magazine->Count = (ULONG)Count + 1;
    ArchRestoreInterrupts(Enabled);
    return TRUE;
}

/* The same for a block of one page. */
static DECLSPEC_NOINLINE VOID ExpFreePage(PVOID Block, ULONG Tag, EXP_OWNER Freer)
{
    ULONG64 Page = ((ULONG64)Block - MM_NONPAGED_POOL_BASE) / PAGE_SIZE;

    if (Page < MmPoolRegions * EXP_REGION_PAGES && Page < (ULONG64)ExpRecordEnds[Page / EXP_REGION_PAGES] &&
        ((ULONG_PTR)Block & PAGE_MASK) == 0) {
        EXP_PAGE *Record = &EXP_RECORDS[Page];
        if (Record->State == ExpPageLarge && Record->PageCount == 1 && (Tag == 0 || Tag == Record->Tag)) {
            Record->State = ExpPageFreed; /* before anybody can have it */
            if (ExpPush(EXP_PAGE_CLASS, (ULONG)(Page / EXP_REGION_PAGES), Block))
                return;
            Record->State = ExpPageLarge;
        }
    }
    ExpFreeChecked(Block, Tag, Freer);
}

__attribute__((always_inline)) static inline VOID ExpFree(PVOID Block, ULONG Tag, BOOLEAN AnyTag,
                                                          EXP_OWNER Freer)
{
    if (NTBOX_CHECKED)
        ExpFreeChecked(Block, Tag, Freer);
    else if (!ExpFreeFast(Block, Tag, AnyTag))
        ExpFreePage(Block, Tag, Freer);
}

/* IRQL <= DISPATCH_LEVEL; paged pool <= APC_LEVEL. [WDK ExFreePoolWithTag] a tag other than 0 must be the
 * allocation's. */
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    ExpFree(P, Tag, FALSE, EXP_FREER());
}

/* [WDK ExFreePool] */
VOID NTAPI ExFreePool(PVOID P)
{
    ExpFree(P, 0, TRUE, EXP_FREER());
}

/* [WDK ExFreePool2] the parameters matter for secure pool only, which does not exist here. */
VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                       ULONG ExtendedParametersCount)
{
    ExpFree(P, Tag, FALSE, EXP_FREER());
}

/* SPDX-License-Identifier: MIT
 * Allocating and freeing pool: the fast path and the names that drivers call. */
#include "exp.h"
#include "ke_failure.h"

#define EXP_TYPE_PAGED 1u
#define EXP_TYPE_MUST_SUCCEED 2u
#define EXP_TYPE_CACHE_ALIGNED 4u
#define EXP_NO_TAG 0x656e6f4eu /* "None", what ExAllocatePool uses */

EXP_POOL ExpPools[MmPoolRegions];

static VOID ExpInitializePool(EXP_POOL *Pool, MM_POOL_REGION Region, POOL_TYPE Type, ULONG_PTR Base,
                              PCSTR Name)
{
    Pool->Lock = (ARCH_LOCK)ARCH_LOCK_INIT(Name, LockRankExPool, DISPATCH_LEVEL);
    Pool->Region = Region;
    Pool->Type = Type;
    Pool->Base = Base;
    Pool->PageCount = MmPoolRegionPages(Region);
    for (ULONG Class = 0; Class < EXP_CLASSES; Class++)
        Pool->Partial[Class] = EXP_NO_PAGE;
}

VOID ExInitializePools(VOID)
{
    ExpInitializeClasses();
    ExpInitializePool(&ExpPools[MmNonPagedPoolRegion], MmNonPagedPoolRegion, NonPagedPoolNx,
                      MM_NONPAGED_POOL_BASE, "nonpaged pool");
    ExpInitializePool(&ExpPools[MmPagedPoolRegion], MmPagedPoolRegion, PagedPool, MM_PAGED_POOL_BASE,
                      "paged pool");
    ExpPools[MmNonPagedPoolRegion].Records = (EXP_PAGE *)MM_POOL_RECORDS_BASE;
    ExpPools[MmPagedPoolRegion].Records =
        (EXP_PAGE *)MM_POOL_RECORDS_BASE + ExpPools[MmNonPagedPoolRegion].PageCount;
}

/* --- allocate
 * ----------------------------------------------------------------------------------------------- */

/* Header is a free block of the class; what is behind it may have been overwritten by its neighbour. */
static inline PVOID ExpUseBlock(EXP_POOL *Pool, EXP_HEADER *Header, ULONG Class, SIZE_T Size, ULONG Tag,
                                PVOID Owner)
{
    if (__builtin_expect(Header->State != ExpBlockFree, 0))
        ExpBadHeader(Pool, Header);
    ExpCheckFreed(Header, Class);
    ExpSetGuard(Header + 1, Size, ExpBlockSize[Class] - EXP_HEADER_SIZE);
    Header->Tag = Tag;
    Header->Size = (USHORT)Size;
    Header->Owner = Owner;
    Header->State = ExpBlockAllocated;
    return Header + 1;
}

/* A block that must begin on a cache line is given a page: aligned, and rare enough. */
static PVOID ExpAllocateUncached(EXP_POOL *Pool, SIZE_T Size, BOOLEAN CacheAligned, ULONG Tag, PVOID Owner)
{
    if (Size > EXP_SMALL_MAX || CacheAligned)
        return ExpAllocateLarge(Pool, Size, Tag, Owner);
    ULONG Class = ExpClassOf(Size);
    EXP_HEADER *Header = ExpTakeBlock(Pool, Class);
    return Header != NULL ? ExpUseBlock(Pool, Header, Class, Size, Tag, Owner) : NULL;
}

/* When memory is short, what the caches hold is given back first. */
__attribute__((noinline)) static PVOID ExpAllocateSlowly(EXP_POOL *Pool, SIZE_T Size, BOOLEAN CacheAligned,
                                                         ULONG Tag, PVOID Owner)
{
    PVOID Block = ExpAllocateUncached(Pool, Size, CacheAligned, Tag, Owner);
    if (Block != NULL)
        return Block;
    for (ULONG I = 0; I < MmPoolRegions; I++)
        ExpTrimCaches(&ExpPools[I]);
    return ExpAllocateUncached(Pool, Size, CacheAligned, Tag, Owner);
}

/* The hot path: a block of the processor's cache. Inlined into each entry so that it costs one frame. */
__attribute__((always_inline)) static inline PVOID ExpAllocate(EXP_POOL *Pool, SIZE_T Size,
                                                               BOOLEAN CacheAligned, ULONG Tag, PVOID Owner)
{
    if (KE_DENY_ALLOCATION(Owner))
        return NULL;
    if (__builtin_expect(Size <= EXP_SMALL_MAX && !CacheAligned, 1)) {
        ULONG Class = ExpClassOf(Size);
        PSLIST_ENTRY Entry = ExpInterlockedPopEntrySList(&Pool->Cache[ExpCacheIndex()][Class]);
        if (__builtin_expect(Entry != NULL, 1))
            return ExpUseBlock(Pool, ExpHeaderOf(Entry), Class, Size, Tag, Owner);
    }
    return ExpAllocateSlowly(Pool, Size, CacheAligned, Tag, Owner);
}

/* [WDK Bug Check 0xC2] 8: allocating at an IRQL that the pool type does not permit; 9: freeing at one; 0x9B:
 * no tag */
#if NTBOX_CHECKED
static VOID ExpCheckIrql(const EXP_POOL *Pool, ULONG Kind, ULONG_PTR SizeOrAddress)
{
    KIRQL Irql = ArchGetIrql();
    if (Irql > (Pool->Type == PagedPool ? APC_LEVEL : DISPATCH_LEVEL))
        KeBugCheckEx(BAD_POOL_CALLER, Kind, Irql, Pool->Type, SizeOrAddress);
}

static VOID ExpCheckTag(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Owner)
{
    if (Tag == 0)
        KeBugCheckEx(BAD_POOL_CALLER, 0x9b, PoolType, Size, (ULONG_PTR)Owner);
}
#else
#define ExpCheckIrql(Pool, Kind, SizeOrAddress) ((void)0)
#define ExpCheckTag(PoolType, Size, Tag, Owner) ((void)0)
#endif

__attribute__((always_inline)) static inline PVOID ExpAllocateTyped(ULONG PoolType, SIZE_T Size, ULONG Tag,
                                                                    PVOID Owner)
{
    EXP_POOL *Pool = &ExpPools[PoolType & EXP_TYPE_PAGED ? MmPagedPoolRegion : MmNonPagedPoolRegion];
    ExpCheckIrql(Pool, 8, Size);
    ExpCheckTag(PoolType, Size, Tag, Owner);
    if (__builtin_expect(PoolType & EXP_TYPE_MUST_SUCCEED,
                         0)) /* [WDK Bug Check 0xC2] 0x9A: no longer supported */
        KeBugCheckEx(BAD_POOL_CALLER, 0x9a, PoolType, Size, Tag);
    PVOID Block = ExpAllocate(Pool, Size, (PoolType & EXP_TYPE_CACHE_ALIGNED) != 0, Tag, Owner);
    if (__builtin_expect(Block == NULL && (PoolType & POOL_RAISE_IF_ALLOCATION_FAILURE), 0))
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return Block;
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    return ExpAllocateTyped(PoolType, NumberOfBytes, Tag, Owner);
}

/* IRQL <= DISPATCH_LEVEL; paged pool <= APC_LEVEL. [WDK ExAllocatePoolWithTag] 16-byte aligned, page-aligned
 * from a page up; NULL when memory is short. Nonpaged pool is never executable (deviation D-030). */
PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExpAllocateTyped(PoolType, NumberOfBytes, Tag, __builtin_return_address(0));
}

/* [WDK ExAllocatePool] the same without a tag. */
PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ExpAllocateTyped(PoolType, NumberOfBytes, EXP_NO_TAG, __builtin_return_address(0));
}

/* [WDK ExAllocatePoolWithTagPriority] the priority is a hint for when memory is short; special-pool bits wait
 * for special pool. */
PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                          EX_POOL_PRIORITY Priority)
{
    return ExpAllocateTyped(PoolType, NumberOfBytes, Tag, __builtin_return_address(0));
}

/* [WDK ExAllocatePoolWithQuotaTag] raises on failure unless POOL_QUOTA_FAIL_INSTEAD_OF_RAISE. The system
 * process is not charged. */
PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    ULONG Type = (ULONG)PoolType & ~(ULONG)POOL_QUOTA_FAIL_INSTEAD_OF_RAISE;
    PVOID Block = ExpAllocateTyped(Type, NumberOfBytes, Tag, __builtin_return_address(0));
    if (Block == NULL && !((ULONG)PoolType & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE))
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return Block;
}

/* --- ExAllocatePool2 and 3
 * --------------------------------------------------------------------------------------- */

#define EXP_FLAG_KINDS (POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED)
#define EXP_FLAGS_KNOWN                                                                                      \
    (EXP_FLAG_KINDS | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_SESSION |                    \
     POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_RAISE_ON_FAILURE)
#define EXP_FLAGS_REQUIRED (POOL_FLAG_REQUIRED_END | (POOL_FLAG_REQUIRED_END - 1))

/* [WDK POOL_FLAGS] exactly one kind of pool; a required flag (bits 0-31) that is not known is an error,
 * others are hints. */
static BOOLEAN ExpFlagsAreValid(POOL_FLAGS Flags)
{
    POOL_FLAGS Kind = Flags & EXP_FLAG_KINDS;
    return Kind != 0 && (Kind & (Kind - 1)) == 0 && (Flags & EXP_FLAGS_REQUIRED & ~EXP_FLAGS_KNOWN) == 0;
}

static VOID ExpZero(PVOID Block, SIZE_T Size)
{
    ULONG64 Words = Size / 8, Bytes = Size % 8;
    __asm__ volatile("rep stosq\n\tmovq %2, %%rcx\n\trep stosb"
                     : "+D"(Block), "+c"(Words)
                     : "r"(Bytes), "a"(0ull)
                     : "memory");
}

static PVOID ExpAllocateFlags(POOL_FLAGS Flags, SIZE_T Size, ULONG Tag, PVOID Owner)
{
    EXP_POOL *Pool = &ExpPools[Flags & POOL_FLAG_PAGED ? MmPagedPoolRegion : MmNonPagedPoolRegion];
    PVOID Block = NULL;
    NTSTATUS Reason = STATUS_INVALID_PARAMETER;
    ExpCheckIrql(Pool, 8, Size);
    if (Tag != 0 && Size != 0 && ExpFlagsAreValid(Flags)) {
        Reason = STATUS_INSUFFICIENT_RESOURCES;
        Block = ExpAllocate(Pool, Size, (Flags & POOL_FLAG_CACHE_ALIGNED) != 0, Tag, Owner);
    }
    if (Block == NULL && (Flags & POOL_FLAG_RAISE_ON_FAILURE))
        ExRaiseStatus(Reason);
    if (Block != NULL && !(Flags & POOL_FLAG_UNINITIALIZED))
        ExpZero(Block, Size);
    return Block;
}

/* IRQL <= DISPATCH_LEVEL; paged pool <= APC_LEVEL. [WDK ExAllocatePool2] zeroed unless
 * POOL_FLAG_UNINITIALIZED; NULL, or an exception with POOL_FLAG_RAISE_ON_FAILURE, for a tag of 0, invalid
 * flags or no memory. */
PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExpAllocateFlags(Flags, NumberOfBytes, Tag, __builtin_return_address(0));
}

/* [WDK ExAllocatePool3] Priority and NUMA node are hints; a required parameter that we do not have (secure
 * pool) fails. */
PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                            PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount)
{
    for (ULONG I = 0; I < ExtendedParametersCount; I++) {
        ULONG64 Type = ExtendedParameters[I].Type;
        if (Type == PoolExtendedParameterPriority || Type == PoolExtendedParameterNumaNode ||
            ExtendedParameters[I].Optional)
            continue;
        if (Flags & POOL_FLAG_RAISE_ON_FAILURE)
            ExRaiseStatus(STATUS_INVALID_PARAMETER);
        return NULL;
    }
    return ExpAllocateFlags(Flags, NumberOfBytes, Tag, __builtin_return_address(0));
}

/* --- free
 * ----------------------------------------------------------------------------------------------------- */

/* Of the exported function: only the checked kernel wants to know. */
#define EXP_FREER() (NTBOX_CHECKED ? __builtin_return_address(0) : NULL)

/* The address was looked up: it is where a block of this page may begin. */
__attribute__((always_inline)) static inline VOID ExpFreeSmall(EXP_POOL *Pool, const EXP_PAGE *Record,
                                                               PVOID Block, ULONG Tag, const void *Freer)
{
    EXP_HEADER *Header = ExpHeaderOf(Block);
    ULONG Class = Record->Class;
    if (Header->State != ExpBlockAllocated && Header->State != ExpBlockFree)
        ExpBadHeader(Pool, Header);
    if (Tag != 0 && Tag != Header->Tag && Header->State == ExpBlockAllocated)
        ExpWrongTag(Block, Header->Tag, Tag);
    if (Header->State == ExpBlockAllocated)
        KeCheckFreedMemory(Block, Header->Size, Freer);
    if (__atomic_exchange_n(&Header->State, ExpBlockFree, __ATOMIC_ACQ_REL) != ExpBlockAllocated)
        ExpBadPointer(Pool, Block);
    ExpCheckGuard(Block, Header->Size, ExpBlockSize[Class] - EXP_HEADER_SIZE);
    ExpCheckNoResource(Block, Header->Size);
    ExpFillFreed(Header, Class);
    PSLIST_HEADER Cache = &Pool->Cache[ExpCacheIndex()][Class];
    if ((USHORT)Cache->Alignment < ExpCacheDepth[Class])
        ExpInterlockedPushEntrySList(Cache, Block);
    else
        ExpGiveBlock(Pool, Header);
}

__attribute__((always_inline)) static inline VOID ExpFree(PVOID Block, ULONG Tag, const void *Freer)
{
    EXP_POOL *Pool = ExpPoolOf(Block);
    if (Pool == NULL || ExpPageIndex(Pool, Block) >= (ULONG64)Pool->RecordEnd)
        ExpBadPointer(Pool, Block);
    ExpCheckIrql(Pool, 9, (ULONG_PTR)Block);
    const EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block)];
    ULONG Offset = (ULONG)((ULONG_PTR)Block & PAGE_MASK);
    if (Record->State == ExpPageSmall && Offset % ExpBlockSize[Record->Class] == EXP_HEADER_SIZE)
        ExpFreeSmall(Pool, Record, Block, Tag, Freer);
    else if (Record->State == ExpPageLarge && Offset == 0)
        ExpFreeLarge(Pool, Block, Tag, Freer);
    else
        ExpBadPointer(Pool, Block);
}

/* IRQL <= DISPATCH_LEVEL; paged pool <= APC_LEVEL. [WDK ExFreePoolWithTag] a tag other than 0 must be the
 * allocation's. */
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    ExpFree(P, Tag, EXP_FREER());
}

/* [WDK ExFreePool] */
VOID NTAPI ExFreePool(PVOID P)
{
    ExpFree(P, 0, EXP_FREER());
}

/* [WDK ExFreePool2] the parameters matter for secure pool only, which does not exist here. */
VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                       ULONG ExtendedParametersCount)
{
    ExpFree(P, Tag, EXP_FREER());
}

/* SPDX-License-Identifier: MIT
 * The names with flags, quota and priority. */
#include "exp.h"

/* [WDK ExAllocatePoolWithTagPriority] A request of low priority fails while memory is low, one of normal priority while
 * there is next to none, so that others find some. Parts of all memory. */
#define EXP_LOW_PART 16
#define EXP_NORMAL_PART 256

/* The first MiB is for those who ask for it by address: its pages are free, and no use to a pool. */
#define EXP_NOT_FOR_POOL (0x100000 >> PAGE_SHIFT)

/* FALSE: memory is so low that the request is not to have any. */
static BOOLEAN ExpIsWanted(EX_POOL_PRIORITY Priority, SIZE_T Size)
{
    MM_COUNTERS Counters;

    if (Priority >= HighPoolPriority)
        return TRUE;
    MmQueryCounters(&Counters);
    ULONG Part = Priority >= NormalPoolPriority ? EXP_NORMAL_PART : EXP_LOW_PART;
    return Counters.FreePages > Counters.TotalPages / Part + EXP_NOT_FOR_POOL + BYTES_TO_PAGES(Size);
}

/* Bit 3 of a priority: special pool; bit 0: underruns are looked for. */
static ULONG ExpPlacement(EX_POOL_PRIORITY Priority)
{
    return (Priority & 9) == 9 ? EXP_TYPE_UNDERRUN : 0;
}

DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                                            ULONG Tag, EX_POOL_PRIORITY Priority)
{
    EXP_OWNER Owner = EXP_CALLER();

    if (ExpIsWanted(Priority, NumberOfBytes))
        return ExpAllocateForCaller((ULONG)PoolType | ExpPlacement(Priority), NumberOfBytes, Tag, Owner);
    if ((ULONG)PoolType & POOL_RAISE_IF_ALLOCATION_FAILURE)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return NULL;
}

/* [WDK ExAllocatePoolWithQuotaTag] raises on failure unless POOL_QUOTA_FAIL_INSTEAD_OF_RAISE. No process has a quota (D-110). */
static PVOID ExpAllocateQuota(ULONG Type, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    if (!(Type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE))
        Type |= POOL_RAISE_IF_ALLOCATION_FAILURE;
    return ExpAllocateForCaller(Type & ~(ULONG)POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, Size, Tag, Owner);
}

DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExpAllocateQuota((ULONG)PoolType, NumberOfBytes, Tag, EXP_CALLER());
}

/* [WDK ExAllocatePoolWithQuota] the same without a tag. */
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ExpAllocateQuota((ULONG)PoolType, NumberOfBytes, EXP_NO_TAG, EXP_CALLER());
}

/* --- ExAllocatePool2 and 3 -------------------------------------------------------------------------------- */

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

static ULONG ExpTypeOfFlags(POOL_FLAGS Flags)
{
    return (Flags & POOL_FLAG_PAGED ? EXP_TYPE_PAGED : (ULONG)NonPagedPoolNx) |
           (Flags & POOL_FLAG_CACHE_ALIGNED ? EXP_TYPE_CACHE_ALIGNED : 0);
}

static PVOID ExpAllocateFlags(POOL_FLAGS Flags, SIZE_T Size, ULONG Tag, EX_POOL_PRIORITY Priority,
                              EXP_OWNER Owner)
{
    PVOID Block = NULL;
    NTSTATUS Reason = STATUS_INVALID_PARAMETER;

    if (Tag != 0 && Size != 0 && ExpFlagsAreValid(Flags)) {
        Reason = STATUS_INSUFFICIENT_RESOURCES;
        if (ExpIsWanted(Priority, Size))
            Block = ExpAllocateForCaller(ExpTypeOfFlags(Flags) | ExpPlacement(Priority), Size, Tag, Owner);
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
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExpAllocateFlags(Flags, NumberOfBytes, Tag, HighPoolPriority, EXP_CALLER());
}

/* [WDK POOL_EXTENDED_PARAMETER] The preferred node is a hint, and there is one node; a required parameter that
 * we do not have (secure pool) is an error. */
static BOOLEAN ExpReadParameters(PCPOOL_EXTENDED_PARAMETER Parameters, ULONG Count,
                                 EX_POOL_PRIORITY *Priority)
{
    for (ULONG I = 0; I < Count; I++) {
        if (Parameters[I].Type == PoolExtendedParameterPriority)
            *Priority = Parameters[I].Priority;
        else if (Parameters[I].Type != PoolExtendedParameterNumaNode && !Parameters[I].Optional)
            return FALSE;
    }
    return TRUE;
}

/* [WDK ExAllocatePool3] ExAllocatePool2 with extended parameters. */
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                                              PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                                              ULONG ExtendedParametersCount)
{
    EXP_OWNER Owner = EXP_CALLER();
    EX_POOL_PRIORITY Priority = HighPoolPriority;

    if (ExpReadParameters(ExtendedParameters, ExtendedParametersCount, &Priority))
        return ExpAllocateFlags(Flags, NumberOfBytes, Tag, Priority, Owner);
    if (Flags & POOL_FLAG_RAISE_ON_FAILURE)
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    return NULL;
}

/* SPDX-License-Identifier: MIT
 * MDLs that come with physical pages and no address. [WDK MmAllocatePagesForMdlEx] */
#include <bugcodes.h>
#include "ex.h"
#include "mm.h"
#include "rtl.h"

#define EXP_MDL_TAG 0x206c644du /* "Mdl " */
#define EXP_MDL_MOST_BYTES (0x100000000ull - PAGE_SIZE)
#define EXP_KNOWN_FLAGS                                                                                      \
    (MM_DONT_ZERO_ALLOCATION | MM_ALLOCATE_FROM_LOCAL_NODE_ONLY | MM_ALLOCATE_FULLY_REQUIRED |               \
     MM_ALLOCATE_NO_WAIT | MM_ALLOCATE_PREFER_CONTIGUOUS | MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS)

typedef struct _EXP_PAGE_REQUEST {
    PPFN_NUMBER Frames;
    SIZE_T Got, Wanted;
    SIZE_T Chunk;        /* pages that must be consecutive, and begin at a multiple of Boundary */
    PFN_NUMBER Boundary; /* 0: anywhere */
} EXP_PAGE_REQUEST;

/* Takes what one range of addresses has. */
static VOID ExpTakePages(EXP_PAGE_REQUEST *Request, PFN_NUMBER Lowest, PFN_NUMBER Highest)
{
    while (Request->Wanted - Request->Got >= Request->Chunk) {
        PFN_NUMBER First = MmAllocatePhysicalPages(Request->Chunk, Lowest, Highest, Request->Boundary);
        if (First == MM_NO_PAGE)
            return;
        for (SIZE_T I = 0; I < Request->Chunk; I++)
            Request->Frames[Request->Got++] = First + I;
        if (Request->Got == Request->Wanted)
            return;
    }
}

/* The ranges: [Low, High], then both advanced by SkipBytes, as long as there is memory. */
static VOID ExpTakeFromRanges(EXP_PAGE_REQUEST *Request, ULONG64 Low, ULONG64 High, ULONG64 Skip)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    PFN_NUMBER Lowest = BYTES_TO_PAGES(Low), Highest = High >> PAGE_SHIFT;
    if ((High & PAGE_MASK) != PAGE_MASK && Highest != 0)
        Highest--; /* the last page counts when all of it lies in the range */
    while (Request->Got < Request->Wanted && Lowest <= Counters.HighestPage) {
        ExpTakePages(Request, Lowest, Highest);
        if (Skip < PAGE_SIZE)
            break;
        Lowest += Skip >> PAGE_SHIFT;
        Highest += Skip >> PAGE_SHIFT;
    }
}

static BOOLEAN ExpChunksAreValid(ULONG64 Skip, SIZE_T TotalBytes)
{
    return Skip == 0 || (Skip >= PAGE_SIZE && (Skip & (Skip - 1)) == 0 && TotalBytes % Skip == 0);
}

static VOID ExpFreeFrames(const PFN_NUMBER *Frames, SIZE_T Count)
{
    for (SIZE_T I = 0; I < Count; I++)
        MmFreePhysicalPages(Frames[I], 1);
}

static PMDL ExpAllocatePagesMdl(ULONG64 Low, ULONG64 High, ULONG64 Skip, SIZE_T TotalBytes, ULONG Flags,
                                MEMORY_CACHING_TYPE CacheType, PVOID Owner)
{
    SIZE_T Wanted = BYTES_TO_PAGES(TotalBytes);
    EXP_PAGE_REQUEST Request = {.Wanted = Wanted, .Chunk = 1};
    if (Wanted == 0 || TotalBytes > EXP_MDL_MOST_BYTES || (Flags & ~(ULONG)EXP_KNOWN_FLAGS))
        return NULL;
    if (Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) {
        if (!ExpChunksAreValid(Skip, TotalBytes))
            return NULL;
        Request.Boundary = Skip >> PAGE_SHIFT;
        Request.Chunk = Skip != 0 ? Request.Boundary : Wanted;
        Skip = 0; /* it says the size of a chunk here, all in one range */
    }
    PMDL Mdl =
        ExAllocatePoolForOwner(NonPagedPoolNx, MmSizeOfMdl(NULL, Wanted * PAGE_SIZE), EXP_MDL_TAG, Owner);
    if (Mdl == NULL)
        return NULL;
    MmInitializeMdl(Mdl, NULL, Wanted * PAGE_SIZE);
    Request.Frames = MmGetMdlPfnArray(Mdl);
    ExpTakeFromRanges(&Request, Low, High, Skip);
    for (SIZE_T I = 0; I < Request.Got && !(Flags & MM_DONT_ZERO_ALLOCATION); I++)
        RtlZeroMemory(MmDirectMap(Request.Frames[I] << PAGE_SHIFT), PAGE_SIZE);
    if (Request.Got == 0 || ((Flags & MM_ALLOCATE_FULLY_REQUIRED) && Request.Got < Wanted) ||
        !MmSetPagesCaching(Request.Frames, Request.Got, CacheType)) {
        ExpFreeFrames(Request.Frames, Request.Got);
        ExFreePoolWithTag(Mdl, EXP_MDL_TAG);
        return NULL;
    }
    Mdl->ByteCount = (ULONG)(Request.Got * PAGE_SIZE);
    Mdl->MdlFlags = MDL_PAGES_LOCKED;
    Mdl->Process = NULL; /* nobody's pages */
    return Mdl;
}

/* IRQL <= DISPATCH_LEVEL. The MDL may describe less than was asked for; the caller frees the pages with
 * MmFreePagesFromMdl and the MDL with ExFreePool. NULL for a cache type that does not exist here. */
DECLSPEC_NOINLINE PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
                                                     PHYSICAL_ADDRESS HighAddress, PHYSICAL_ADDRESS SkipBytes,
                                                     SIZE_T TotalBytes, MEMORY_CACHING_TYPE CacheType,
                                                     ULONG Flags)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(CacheType == MmNotMapped || (ULONG)CacheType < MmMaximumCacheType, CacheType);

    return ExpAllocatePagesMdl((ULONG64)LowAddress.QuadPart, (ULONG64)HighAddress.QuadPart,
                               (ULONG64)SkipBytes.QuadPart, TotalBytes, Flags, CacheType,
                               __builtin_return_address(0));
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmAllocateNodePagesForMdlEx] the same, from one node if possible: valid numbers end with
 * KeQueryHighestNodeNumber, and there is one node here. */
DECLSPEC_NOINLINE PMDL NTAPI MmAllocateNodePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
                                                         PHYSICAL_ADDRESS HighAddress,
                                                         PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
                                                         MEMORY_CACHING_TYPE CacheType, ULONG IdealNode,
                                                         ULONG Flags)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(CacheType == MmNotMapped || (ULONG)CacheType < MmMaximumCacheType, CacheType);

    if (IdealNode > KeQueryHighestNodeNumber())
        return NULL;
    return ExpAllocatePagesMdl((ULONG64)LowAddress.QuadPart, (ULONG64)HighAddress.QuadPart,
                               (ULONG64)SkipBytes.QuadPart, TotalBytes, Flags, CacheType,
                               __builtin_return_address(0));
}

/* [WDK MmAllocatePagesForMdl] the same without flags; the first mapping says of what cache type the pages are. */
DECLSPEC_NOINLINE PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                                   PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    return ExpAllocatePagesMdl((ULONG64)LowAddress.QuadPart, (ULONG64)HighAddress.QuadPart,
                               (ULONG64)SkipBytes.QuadPart, TotalBytes, 0, MmNotMapped,
                               __builtin_return_address(0));
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmFreePagesFromMdl] not while they are mapped: [WDK Bug Check 0x4E] 0x9A */
VOID NTAPI MmFreePagesFromMdl(PMDLX MemoryDescriptorList)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    PMDL Mdl = MemoryDescriptorList;
    if ((Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || !(Mdl->MdlFlags & MDL_PAGES_LOCKED))
        KeBugCheckEx(PFN_LIST_CORRUPT, 0x9a, MmGetMdlPfnArray(Mdl)[0], (USHORT)Mdl->MdlFlags, 0);
    (void)MmSetPagesCaching(MmGetMdlPfnArray(Mdl), Mdl->ByteCount >> PAGE_SHIFT, MmCached); /* all at once */
    ExpFreeFrames(MmGetMdlPfnArray(Mdl), Mdl->ByteCount >> PAGE_SHIFT);
    Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}

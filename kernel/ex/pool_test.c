/* SPDX-License-Identifier: MIT
 * Pools: alignment, contents, diagnosis, and many random operations against a list of what is allocated. */
#include "kt.h"
#include "ex.h"
#include "mm.h"

#define TAG 0x74736554u /* "Test" */

static BOOLEAN IsFilledWith(const UCHAR *Bytes, SIZE_T Count, UCHAR Value)
{
    for (SIZE_T I = 0; I < Count; I++)
        if (Bytes[I] != Value)
            return FALSE;
    return TRUE;
}

static VOID Fill(PUCHAR Bytes, SIZE_T Count, UCHAR Value)
{
    for (SIZE_T I = 0; I < Count; I++)
        Bytes[I] = Value;
}

KT_TEST(pool_blocks_are_aligned)
{
    for (SIZE_T Size = 0; Size < 3 * PAGE_SIZE; Size += Size < 300 ? 1 : 97) {
        PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, Size, TAG);
        KT_EXPECT(Block != NULL && ((ULONG_PTR)Block & 15) == 0);
        KT_EXPECT(Size < PAGE_SIZE || ((ULONG_PTR)Block & PAGE_MASK) == 0);
        KT_EXPECT(Size == 0 || Size > PAGE_SIZE ||
                  (ULONG_PTR)Block / PAGE_SIZE == ((ULONG_PTR)Block + Size - 1) / PAGE_SIZE);
        Fill(Block, Size, 0xff);
        ExFreePoolWithTag(Block, TAG);
    }
}

KT_TEST(pool_cache_aligned_blocks_are)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolCacheAligned, 24, TAG);
    PVOID Block2 = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_CACHE_ALIGNED, 100, TAG);
    KT_EXPECT(Block != NULL && ((ULONG_PTR)Block & 63) == 0);
    KT_EXPECT(Block2 != NULL && ((ULONG_PTR)Block2 & 63) == 0 && IsFilledWith(Block2, 100, 0));
    ExFreePool(Block);
    ExFreePool(Block2);
}

KT_TEST(pool2_zeroes_what_was_used)
{
    for (SIZE_T Size = 1; Size < 5000; Size += Size < 70 ? 1 : 613) {
        PUCHAR Block = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, Size, TAG);
        KT_EXPECT(Block != NULL);
        Fill(Block, Size, 0xee);
        ExFreePool2(Block, TAG, NULL, 0);
        Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, TAG);
        KT_EXPECT(Block != NULL && IsFilledWith(Block, Size, 0));
        ExFreePool2(Block, TAG, NULL, 0);
    }
}

KT_TEST(pool2_refuses_wrong_flags)
{
    KT_EXPECT(ExAllocatePool2(0, 16, TAG) == NULL);
    KT_EXPECT(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED, 16, TAG) == NULL);
    KT_EXPECT(ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x10000, 16, TAG) == NULL);
    KT_EXPECT(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 0) == NULL);
    KT_EXPECT(ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, TAG) == NULL);
    PVOID Block = ExAllocatePool2(POOL_FLAG_NON_PAGED | (1ull << 40), 16, TAG);
    KT_EXPECT(Block != NULL); /* unknown optional flags are ignored */
    ExFreePool(Block);
}

KT_TEST(pool_too_much_is_refused)
{
    KT_EXPECT(ExAllocatePoolWithTag(NonPagedPoolNx, MAXULONG64, TAG) == NULL);
    KT_EXPECT(ExAllocatePoolWithTag(PagedPool, MAXULONG64 - PAGE_SIZE, TAG) == NULL);
    KT_EXPECT(ExAllocatePoolWithTag(NonPagedPoolNx, 1ull << 46, TAG) == NULL);
}

KT_TEST(pool_block_is_described)
{
    EX_POOL_BLOCK Found;
    PUCHAR Small = ExAllocatePoolWithTag(PagedPool, 77, TAG),
           Large = ExAllocatePoolWithTag(NonPagedPoolNx, 9000, TAG);
    KT_EXPECT(ExQueryPoolBlock(Small + 50, &Found) && Found.Allocated && Found.Base == Small &&
              Found.Size == 77);
    KT_EXPECT(Found.Tag == TAG && Found.PoolType == PagedPool && Found.Owner != NULL);
    KT_EXPECT(ExQueryPoolBlock(Large + 8999, &Found) && Found.Allocated && Found.Base == Large &&
              Found.Size == 9000);
    ExFreePool(Large);
    ExFreePool(Small);
    KT_EXPECT(ExQueryPoolBlock(Small, &Found) && !Found.Allocated && Found.Tag == TAG);
    KT_EXPECT(ExQueryPoolBlock(Large, &Found) && !Found.Allocated && Found.Base == Large);
    KT_EXPECT(!MmIsAddressValid(Large));
    KT_EXPECT(!ExQueryPoolBlock(&Found, &Found));
}

/* --- random operations ------------------------------------------------------------------------------------------- */

typedef struct OWNED {
    PUCHAR Block;
    SIZE_T Size;
    UCHAR Value;
} OWNED;

static ULONG64 Random(PULONG64 State)
{
    *State = *State * 6364136223846793005ull + 1442695040888963407ull;
    return *State >> 33;
}

static BOOLEAN Turn(OWNED *Slot, PULONG64 State)
{
    if (Slot->Block != NULL) {
        BOOLEAN Intact = IsFilledWith(Slot->Block, Slot->Size, Slot->Value);
        ExFreePoolWithTag(Slot->Block, TAG);
        Slot->Block = NULL;
        return Intact;
    }
    Slot->Size = Random(State) % (Random(State) % 10 == 0 ? 20000 : 600);
    Slot->Value = (UCHAR)Random(State);
    Slot->Block = ExAllocatePoolWithTag(Random(State) & 1 ? PagedPool : NonPagedPoolNx, Slot->Size, TAG);
    if (Slot->Block != NULL)
        Fill(Slot->Block, Slot->Size, Slot->Value);
    return Slot->Block != NULL;
}

KT_TEST(pool_random_operations_keep_contents)
{
    static OWNED Slots[200];
    ULONG64 State = 4711;
    EX_POOL_COUNTERS Before, During, After;
    ExQueryPoolCounters(PagedPool, &Before);
    for (ULONG Step = 0; Step < 20000; Step++)
        KT_EXPECT(Turn(&Slots[Random(&State) % 200], &State));
    ExQueryPoolCounters(PagedPool, &During);
    KT_EXPECT(During.Blocks > Before.Blocks);
    for (ULONG I = 0; I < 200; I++)
        KT_EXPECT(Slots[I].Block == NULL || Turn(&Slots[I], &State));
    ExQueryPoolCounters(PagedPool, &After);
    KT_EXPECT(After.Blocks == Before.Blocks && After.Bytes == Before.Bytes);
}

/* All memory is taken, page by page; the pool says no and works again afterwards. */
/* Free pages once the magazines are empty: nobody can have so much, and before that is said they are emptied. */
static PFN_NUMBER FreePagesAfter(PVOID *Blocks, ULONG Count)
{
    MM_COUNTERS Counters;
    for (ULONG I = 0; I < Count; I++)
        Blocks[I] = ExAllocatePoolWithTag(NonPagedPoolNx, 200, TAG);
    for (ULONG I = 0; I < Count; I++)
        if (Blocks[I] != NULL)
            ExFreePoolWithTag(Blocks[I], TAG);
    (VOID) ExAllocatePoolWithTag(NonPagedPoolNx, (SIZE_T)1 << 46, TAG);
    MmQueryCounters(&Counters);
    return Counters.FreePages;
}

/* The first round makes what stays: tables, records. Other threads may have taken a page or two meanwhile. */
KT_TEST(pool_pages_of_freed_blocks_come_back)
{
    static PVOID Blocks[4000];
    PFN_NUMBER Before = FreePagesAfter(Blocks, RTL_NUMBER_OF(Blocks));
    PFN_NUMBER After = FreePagesAfter(Blocks, RTL_NUMBER_OF(Blocks));
    KT_EXPECT(After + 8 >= Before);
}

KT_TEST(pool_survives_exhaustion)
{
    PVOID *Chain = NULL, *Block;
    ULONG64 Count = 0;
    while ((Block = ExAllocatePoolWithTag(PagedPool, 64 * PAGE_SIZE, TAG)) != NULL) {
        *Block = Chain;
        Chain = Block;
        Count++;
    }
    while ((Block = ExAllocatePoolWithTag(NonPagedPoolNx, 2000, TAG)) != NULL) {
        *Block = Chain;
        Chain = Block;
    }
    PVOID Small = ExAllocatePoolWithTag(NonPagedPoolNx, 1024, TAG);
    for (; Chain != NULL; Chain = Block) {
        Block = *Chain;
        ExFreePoolWithTag(Chain, TAG);
    }
    if (Small != NULL)
        ExFreePoolWithTag(Small, TAG);
    KT_EXPECT(Count > 4);
    Block = ExAllocatePoolWithTag(PagedPool, 64 * PAGE_SIZE, TAG);
    KT_EXPECT(Block != NULL);
    ExFreePoolWithTag(Block, TAG);
}

/* --- owners of many drivers, one after the other --------------------------------------------------------------------- */

#define CODE_SIZE 0x8000u
#define LOADS 5u /* with the chains of as many drivers as these the room would be used up twice */

static UCHAR CodePages[CODE_SIZE]; /* stands for the image of a driver: nobody runs it */

static PVOID OwnerOf(PVOID Block)
{
    EX_POOL_BLOCK Known;
    return ExQueryPoolBlock(Block, &Known) ? Known.Owner : NULL;
}

/* Each byte of the image allocates once. */
static VOID LoadAndUnload(KT_CONTEXT *Kt, PIM_MODULE Module)
{
    for (ULONG I = 0; I < Module->Size; I++) {
        PVOID Block = ExAllocatePoolForOwner(NonPagedPoolNx, 8, TAG, &Module->Base[I]);
        KT_EXPECT(Block != NULL && OwnerOf(Block) == &Module->Base[I]);
        ExFreePoolWithTag(Block, TAG);
    }
    KT_EXPECT(ExReportDriverLeaks(Module) == 0);
}

KT_TEST(pool_owners_outlive_many_drivers)
{
    IM_MODULE Module = {.Base = CodePages, .Size = CODE_SIZE / 2, .Name = "gone.sys"};
    PVOID Stays = ExAllocatePoolForOwner(NonPagedPoolNx, 8, TAG, &CodePages[CODE_SIZE - 1]);

    for (ULONG I = 0; I < LOADS; I++)
        LoadAndUnload(Kt, &Module);
    KT_EXPECT(OwnerOf(Stays) == &CodePages[CODE_SIZE - 1]);
    ExFreePoolWithTag(Stays, TAG);
}

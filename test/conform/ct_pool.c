/* SPDX-License-Identifier: MIT
 * Pools, lookaside lists, interlocked lists and fast mutexes. [WDK ExAllocatePoolWithTag, ExAllocatePool2,
 * ExAllocatePool3, Using Lookaside Lists, Singly and Doubly Linked Lists, ExAcquireFastMutex] */
#include "ct.h"

#define TAG 'tsTC'

static BOOLEAN Fill(PVOID Block, SIZE_T Size)
{
    volatile UCHAR *Bytes = Block;
    for (SIZE_T i = 0; i < Size; i++)
        Bytes[i] = (UCHAR)i;
    for (SIZE_T i = 0; i < Size; i++)
        if (Bytes[i] != (UCHAR)i)
            return FALSE;
    return TRUE;
}

static BOOLEAN IsZero(PVOID Block, SIZE_T Size)
{
    for (SIZE_T i = 0; i < Size; i++)
        if (((UCHAR *)Block)[i] != 0)
            return FALSE;
    return TRUE;
}

/* Blocks of a page or more are page-aligned, others 16-byte aligned and inside one page. */
static VOID PoolTag(VOID)
{
    static const SIZE_T Sizes[] = {1, 16, 100, 2000, 4000, 4096, 5000, 70000};
    static const POOL_TYPE Types[] = {NonPagedPool, PagedPool, NonPagedPoolNx};
    for (ULONG t = 0; t < RTL_NUMBER_OF(Types); t++)
        for (ULONG i = 0; i < RTL_NUMBER_OF(Sizes); i++) {
            PUCHAR Block = ExAllocatePoolWithTag(Types[t], Sizes[i], TAG);
            CT_REQUIRE(Block != NULL);
            CT_CHECK(((ULONG_PTR)Block & (Sizes[i] >= PAGE_SIZE ? PAGE_SIZE - 1 : 15)) == 0);
            CT_CHECK(Sizes[i] >= PAGE_SIZE || PAGE_ALIGN(Block) == PAGE_ALIGN(Block + Sizes[i] - 1));
            CT_CHECK(Fill(Block, Sizes[i]));
            ExFreePoolWithTag(Block, TAG);
        }
    CT_EQUAL(ExAllocatePoolWithTag(NonPagedPool, (SIZE_T)1 << 46, TAG), 0);
}

static VOID PoolUntagged(VOID)
{
    PVOID Block = ExAllocatePool(NonPagedPool, 64);
    CT_REQUIRE(Block != NULL);
    CT_CHECK(Fill(Block, 64));
    ExFreePool(Block);
}

/* Low, normal and high, each with its two kinds of special pool. */
static const EX_POOL_PRIORITY Priorities[] = {
    LowPoolPriority,    LowPoolPrioritySpecialPoolOverrun,    LowPoolPrioritySpecialPoolUnderrun,
    NormalPoolPriority, NormalPoolPrioritySpecialPoolOverrun, NormalPoolPrioritySpecialPoolUnderrun,
    HighPoolPriority,   HighPoolPrioritySpecialPoolOverrun,   HighPoolPrioritySpecialPoolUnderrun};

/* Bit per priority with which a block can be had. */
static ULONG PrioritiesServed(VOID)
{
    ULONG Served = 0;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Priorities); i++) {
        PVOID Block = ExAllocatePoolWithTagPriority(NonPagedPoolNx, 64, TAG, Priorities[i]);
        if (Block == NULL)
            continue;
        Served |= 1u << i;
        CT_CHECK(Fill(Block, 64));
        ExFreePoolWithTag(Block, TAG);
    }
    return Served;
}

/* Memory that is taken away from all others: MDLs in a chain. */
static PMDL Taken;

static BOOLEAN TakeMemory(SIZE_T Bytes)
{
    const PHYSICAL_ADDRESS Zero = {.QuadPart = 0}, Highest = {.QuadPart = -1};
    PMDL Mdl = MmAllocatePagesForMdlEx(Zero, Highest, Zero, Bytes, MmCached, MM_DONT_ZERO_ALLOCATION);
    if (Mdl == NULL)
        return FALSE;
    Mdl->Next = Taken;
    Taken = Mdl;
    return TRUE;
}

static VOID GiveMemory(VOID)
{
    while (Taken != NULL) {
        PMDL Mdl = Taken;
        Taken = Mdl->Next;
        MmFreePagesFromMdl(Mdl);
        ExFreePool(Mdl);
    }
}

static LONG64 AllMemory(VOID)
{
    PPHYSICAL_MEMORY_RANGE Ranges = MmGetPhysicalMemoryRanges();
    LONG64 Bytes = 0;
    for (ULONG i = 0; Ranges != NULL && Ranges[i].NumberOfBytes.QuadPart != 0; i++)
        Bytes += Ranges[i].NumberOfBytes.QuadPart;
    if (Ranges != NULL)
        ExFreePool(Ranges);
    return Bytes;
}

/* Takes memory, so much at a time, until the priorities that are served are not those any more; what they are then. */
static ULONG TakeWhileServed(ULONG Served, SIZE_T Step)
{
    ULONG Now;
    while ((Now = PrioritiesServed()) == Served && TakeMemory(Step))
        ;
    return Now;
}

/* [WDK ExAllocatePoolWithTagPriority] LowPoolPriority: may fail when the system is low on resources; NormalPoolPriority: when it is very low;
 * HighPoolPriority: not before the system is completely out of resources. */
static VOID PoolPriority(VOID)
{
    const ULONG All = 0x1ff, NotLow = 0x1f8, High = 0x1c0;
    SIZE_T Step = BYTES_TO_PAGES(AllMemory()) / 1024 * PAGE_SIZE;
    CT_EQUAL(PrioritiesServed(), All);
    ULONG First = TakeWhileServed(All, 8 * Step), Second = TakeWhileServed(NotLow, Step);
    GiveMemory();
    CT_EQUAL(First, NotLow);
    CT_EQUAL(Second, High);
    CT_EQUAL(PrioritiesServed(), All);
    CT_EQUAL(ExAllocatePoolWithTagPriority(PagedPool, (SIZE_T)1 << 46, TAG, HighPoolPriority), 0);
}

/* The low bits of the type say that a block begins on a cache line; other sizes and pools as always. */
static VOID PoolCacheAligned(VOID)
{
    static const POOL_TYPE Types[] = {NonPagedPoolCacheAligned, PagedPoolCacheAligned,
                                      NonPagedPoolNxCacheAligned};
    for (ULONG t = 0; t < RTL_NUMBER_OF(Types); t++)
        for (SIZE_T Size = 1; Size < 9000; Size = Size * 3 + 5) {
            PVOID Block = ExAllocatePoolWithTag(Types[t], Size, TAG);
            CT_REQUIRE(Block != NULL);
            CT_CHECK(((ULONG_PTR)Block & 63) == 0);
            CT_CHECK(Fill(Block, Size));
            ExFreePoolWithTag(Block, TAG);
        }
}

/* --- blocks that one processor allocates and another one frees, more of them than any cache keeps --- */

#define BLOCKS 400

static PUCHAR Blocks[BLOCKS];

static SIZE_T BlockSize(ULONG i)
{
    return 16 + 11 * i;
}

/* Every byte tells the block and the round in which it was allocated: blocks that overlap, or one that two have, show. */
static UCHAR Stamp(ULONG i, ULONG Round)
{
    return (UCHAR)(i * 7 + Round * 31 + 1);
}

static VOID FreeBlock(ULONG i, ULONG Round)
{
    PUCHAR Block = Blocks[i];
    Blocks[i] = NULL;
    if (Block == NULL)
        return;
    for (SIZE_T At = 0; At < BlockSize(i); At++)
        if (!CT_CHECK(Block[At] == Stamp(i, Round)))
            break;
    ExFreePoolWithTag(Block, TAG);
}

static VOID TakeBlock(ULONG i, ULONG Round)
{
    Blocks[i] = ExAllocatePoolWithTag(i % 2 ? PagedPool : NonPagedPoolNx, BlockSize(i), TAG);
    if (CT_CHECK(Blocks[i] != NULL))
        RtlFillMemory(Blocks[i], BlockSize(i), Stamp(i, Round));
}

/* Each round on the next processor; on a machine with one, all rounds are there. */
static VOID PoolOtherProcessor(VOID)
{
    ULONG Processors = KeQueryActiveProcessorCount(NULL), Rounds = 2 * Processors;
    for (ULONG Round = 0; Round < Rounds; Round++) {
        KeSetSystemAffinityThread((KAFFINITY)1 << Round % Processors);
        CT_EQUAL(KeGetCurrentProcessorNumberEx(NULL), Round % Processors);
        for (ULONG i = 0; i < BLOCKS; i++) {
            FreeBlock(i, Round - 1);
            TakeBlock(i, Round);
        }
    }
    KeRevertToUserAffinityThread();
    for (ULONG i = 0; i < BLOCKS; i++)
        FreeBlock(i, Rounds - 1);
}

static NTSTATUS QuotaTooMuch(PVOID Context)
{
    *(PVOID *)Context = ExAllocatePoolWithQuotaTag(NonPagedPool, (SIZE_T)1 << 46, TAG);
    return STATUS_SUCCESS;
}

/* Raises when it fails, unless POOL_QUOTA_FAIL_INSTEAD_OF_RAISE is in the type. */
static VOID PoolQuota(VOID)
{
    PVOID Block = ExAllocatePoolWithQuotaTag(NonPagedPool, 64, TAG), None = NULL;
    CT_REQUIRE(Block != NULL);
    ExFreePoolWithTag(Block, TAG);
    NTSTATUS Status = NtboxGuardedCall(QuotaTooMuch, &None);
    CT_CHECK(Status == STATUS_INSUFFICIENT_RESOURCES || Status == STATUS_QUOTA_EXCEEDED);
    Block = ExAllocatePoolWithQuota(PagedPool, 64);
    CT_REQUIRE(Block != NULL);
    CT_CHECK(Fill(Block, 64));
    ExFreePool(Block);
    CT_EQUAL(
        ExAllocatePoolWithQuotaTag(NonPagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, (SIZE_T)1 << 46, TAG), 0);
}

static NTSTATUS Pool2TooMuch(PVOID Context)
{
    *(PVOID *)Context =
        ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, (SIZE_T)1 << 46, TAG);
    return STATUS_SUCCESS;
}

/* Zeroed unless POOL_FLAG_UNINITIALIZED; unknown required flags and no size fail; raises only if asked to. */
static VOID PoolPool2(VOID)
{
    static const POOL_FLAGS Flags[] = {POOL_FLAG_NON_PAGED, POOL_FLAG_PAGED, POOL_FLAG_NON_PAGED_EXECUTE};
    PVOID None = NULL;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Flags); i++) {
        PVOID First = ExAllocatePool2(Flags[i] | POOL_FLAG_UNINITIALIZED, 200, TAG);
        CT_REQUIRE(First != NULL);
        CT_CHECK(Fill(First, 200));
        ExFreePoolWithTag(First, TAG);
        PVOID Second = ExAllocatePool2(Flags[i], 200, TAG);
        CT_REQUIRE(Second != NULL);
        CT_CHECK(IsZero(Second, 200));
        ExFreePoolWithTag(Second, TAG);
    }
    CT_EQUAL(ExAllocatePool2(0, 64, TAG), 0); /* no pool named */
    CT_EQUAL(ExAllocatePool2(POOL_FLAG_NON_PAGED, (SIZE_T)1 << 46, TAG), 0);
    CT_STATUS(NtboxGuardedCall(Pool2TooMuch, &None), STATUS_INSUFFICIENT_RESOURCES);
}

static VOID PoolPool3(VOID)
{
    POOL_EXTENDED_PARAMETER Parameter = {.Type = PoolExtendedParameterPriority,
                                         .Priority = NormalPoolPriority};
    PVOID Block = ExAllocatePool3(POOL_FLAG_NON_PAGED, 300, TAG, &Parameter, 1);
    CT_REQUIRE(Block != NULL);
    CT_CHECK(IsZero(Block, 300));
    ExFreePool2(Block, TAG, NULL, 0);
    Block = ExAllocatePool3(POOL_FLAG_PAGED, 300, TAG, NULL, 0);
    CT_REQUIRE(Block != NULL);
    ExFreePool2(Block, TAG, NULL, 0);
    POOL_EXTENDED_PARAMETER Node = {.Type = PoolExtendedParameterNumaNode, .PreferredNode = 0};
    Block = ExAllocatePool3(POOL_FLAG_NON_PAGED | POOL_FLAG_USE_QUOTA | POOL_FLAG_CACHE_ALIGNED, 300, TAG,
                            &Node, 1);
    CT_REQUIRE(Block != NULL);
    CT_CHECK(((ULONG_PTR)Block & 63) == 0 && IsZero(Block, 300));
    ExFreePool2(Block, TAG, NULL, 0);
    /* a parameter that nobody knows is an error, unless it is optional */
    POOL_EXTENDED_PARAMETER Unknown = {.Type = PoolExtendedParameterMax};
    CT_EQUAL(ExAllocatePool3(POOL_FLAG_NON_PAGED, 300, TAG, &Unknown, 1), 0);
    Unknown.Optional = 1;
    Block = ExAllocatePool3(POOL_FLAG_NON_PAGED, 300, TAG, &Unknown, 1);
    CT_REQUIRE(Block != NULL);
    ExFreePool2(Block, TAG, NULL, 0);
}

/* --- lookaside lists --- */

/* What was freed last comes again; deleting the list gives all back (the leak check would see it). */
static VOID LookasideNpaged(VOID)
{
    NPAGED_LOOKASIDE_LIST List;
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 96, TAG, 0);
    PVOID First = ExAllocateFromNPagedLookasideList(&List);
    CT_REQUIRE(First != NULL);
    CT_CHECK(Fill(First, 96));
    ExFreeToNPagedLookasideList(&List, First);
    PVOID Second = ExAllocateFromNPagedLookasideList(&List);
    CT_CHECK(Second == First);
    ExFreeToNPagedLookasideList(&List, Second);
    CT_EQUAL(List.L.TotalAllocates, 2);
    ExDeleteNPagedLookasideList(&List);
}

static VOID LookasidePaged(VOID)
{
    PAGED_LOOKASIDE_LIST List;
    ExInitializePagedLookasideList(&List, NULL, NULL, 0, 96, TAG, 0);
    PVOID First = ExAllocateFromPagedLookasideList(&List);
    CT_REQUIRE(First != NULL);
    CT_CHECK(Fill(First, 96));
    ExFreeToPagedLookasideList(&List, First);
    ExDeletePagedLookasideList(&List);
}

static ULONG Made, Given;

static PVOID NTAPI MakeOne(POOL_TYPE Type, SIZE_T Size, ULONG Tag, PLOOKASIDE_LIST_EX List)
{
    UNREFERENCED_PARAMETER(List);
    Made++;
    return ExAllocatePoolWithTag(Type, Size, Tag);
}

static VOID NTAPI GiveOne(PVOID Block, PLOOKASIDE_LIST_EX List)
{
    UNREFERENCED_PARAMETER(List);
    Given++;
    ExFreePool(Block);
}

/* The driver's own routines make and free the entries; flushing empties the list. */
static VOID LookasideEx(VOID)
{
    LOOKASIDE_LIST_EX List;
    Made = Given = 0;
    CT_REQUIRE(
        NT_SUCCESS(ExInitializeLookasideListEx(&List, MakeOne, GiveOne, NonPagedPoolNx, 0, 80, TAG, 0)));
    PVOID Entry = ExAllocateFromLookasideListEx(&List);
    CT_REQUIRE(Entry != NULL);
    CT_EQUAL(Made, 1);
    ExFreeToLookasideListEx(&List, Entry);
    ExFlushLookasideListEx(&List);
    CT_EQUAL(Given, 1);
    ExDeleteLookasideListEx(&List);
    CT_EQUAL(Made, Given);
}

/* [WDK Using Lookaside Lists] the depth follows the use: here nearly every allocation finds the list empty, for up to 5 s. */
static VOID LookasideDepth(VOID)
{
    static NPAGED_LOOKASIDE_LIST List;
    PVOID Blocks[64] = {0};
    LARGE_INTEGER Step = {.QuadPart = -500000};
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 96, TAG, 0);
    CT_EQUAL(List.L.Depth, 4);
    CT_EQUAL(List.L.MaximumDepth, 256);
    for (ULONG Round = 0; Round < 100 && List.L.Depth == 4; Round++) {
        for (ULONG I = 0; I < 64; I++)
            Blocks[I] = ExAllocateFromNPagedLookasideList(&List);
        for (ULONG I = 0; I < 64; I++)
            if (Blocks[I] != NULL)
                ExFreeToNPagedLookasideList(&List, Blocks[I]);
        CT_CHECK(ExQueryDepthSList(&List.L.ListHead) <= List.L.Depth);
        KeDelayExecutionThread(KernelMode, FALSE, &Step);
    }
    CT_CHECK(List.L.Depth > 4);
    ExDeleteNPagedLookasideList(&List);
}

/* --- lists --- */

typedef struct ITEM {
    DECLSPEC_ALIGN(16) SLIST_ENTRY Entry;
} ITEM;

static VOID SListInit(VOID)
{
    SLIST_HEADER Head;
    RtlFillMemory(&Head, sizeof(Head), 0xCC);
    InitializeSListHead(&Head);
    CT_EQUAL(ExQueryDepthSList(&Head), 0);
    CT_EQUAL(ExpInterlockedPopEntrySList(&Head), 0);
}

/* Last in, first out; push returns the entry that was first before. */
static VOID SListPush(VOID)
{
    SLIST_HEADER Head;
    ITEM Items[2];
    InitializeSListHead(&Head);
    CT_EQUAL(ExpInterlockedPushEntrySList(&Head, &Items[0].Entry), 0);
    CT_EQUAL(ExpInterlockedPushEntrySList(&Head, &Items[1].Entry), &Items[0].Entry);
    CT_EQUAL(ExQueryDepthSList(&Head), 2);
}

static VOID SListPop(VOID)
{
    SLIST_HEADER Head;
    ITEM Items[2];
    InitializeSListHead(&Head);
    ExpInterlockedPushEntrySList(&Head, &Items[0].Entry);
    ExpInterlockedPushEntrySList(&Head, &Items[1].Entry);
    CT_EQUAL(ExpInterlockedPopEntrySList(&Head), &Items[1].Entry);
    CT_EQUAL(ExpInterlockedPopEntrySList(&Head), &Items[0].Entry);
    CT_EQUAL(ExpInterlockedPopEntrySList(&Head), 0);
}

static VOID SListFlush(VOID)
{
    SLIST_HEADER Head;
    ITEM Items[2];
    InitializeSListHead(&Head);
    ExpInterlockedPushEntrySList(&Head, &Items[0].Entry);
    ExpInterlockedPushEntrySList(&Head, &Items[1].Entry);
    PSLIST_ENTRY Chain = ExpInterlockedFlushSList(&Head);
    CT_EQUAL(Chain, &Items[1].Entry);
    CT_EQUAL(Chain->Next, &Items[0].Entry);
    CT_EQUAL(Chain->Next->Next, 0);
    CT_EQUAL(ExQueryDepthSList(&Head), 0);
}

static VOID SListDepth(VOID)
{
    SLIST_HEADER Head;
    ITEM Items[3];
    InitializeSListHead(&Head);
    for (ULONG i = 0; i < 3; i++) {
        ExpInterlockedPushEntrySList(&Head, &Items[i].Entry);
        CT_EQUAL(ExQueryDepthSList(&Head), i + 1);
    }
}

/* Return the entry that was at that end before, NULL when the list was empty. */
static VOID ListInsert(VOID)
{
    LIST_ENTRY Head, A, B, C;
    KSPIN_LOCK Lock;
    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Head);
    CT_EQUAL(ExInterlockedInsertHeadList(&Head, &A, &Lock), 0);
    CT_EQUAL(ExInterlockedInsertHeadList(&Head, &B, &Lock), &A);
    CT_EQUAL(ExInterlockedInsertTailList(&Head, &C, &Lock), &A);
    CT_CHECK(Head.Flink == &B && B.Flink == &A && A.Flink == &C && C.Flink == &Head);
}

static VOID ListRemove(VOID)
{
    LIST_ENTRY Head, A;
    KSPIN_LOCK Lock;
    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Head);
    InsertTailList(&Head, &A);
    CT_EQUAL(ExInterlockedRemoveHeadList(&Head, &Lock), &A);
    CT_EQUAL(ExInterlockedRemoveHeadList(&Head, &Lock), 0);
    CT_CHECK(IsListEmpty(&Head));
}

static VOID ListSingle(VOID)
{
    SINGLE_LIST_ENTRY Head = {NULL}, A, B;
    KSPIN_LOCK Lock;
    KeInitializeSpinLock(&Lock);
    CT_EQUAL(ExInterlockedPushEntryList(&Head, &A, &Lock), 0);
    CT_EQUAL(ExInterlockedPushEntryList(&Head, &B, &Lock), &A);
    CT_EQUAL(ExInterlockedPopEntryList(&Head, &Lock), &B);
    CT_EQUAL(ExInterlockedPopEntryList(&Head, &Lock), &A);
    CT_EQUAL(ExInterlockedPopEntryList(&Head, &Lock), 0);
}

/* Return the value before. */
static VOID ListAdd(VOID)
{
    KSPIN_LOCK Lock;
    LARGE_INTEGER Large = {.QuadPart = 0xFFFFFFFFLL}, Step = {.QuadPart = 2};
    ULONG Small = 5;
    KeInitializeSpinLock(&Lock);
    CT_EQUAL(ExInterlockedAddLargeInteger(&Large, Step, &Lock).QuadPart, 0xFFFFFFFFLL);
    CT_EQUAL(Large.QuadPart, 0x100000001LL);
    CT_EQUAL(ExInterlockedAddUlong(&Small, 3, &Lock), 5);
    CT_EQUAL(Small, 8);
}

/* --- fast mutexes --- */

/* The holder runs at APC_LEVEL. */
static VOID FastMutexAcquire(VOID)
{
    FAST_MUTEX Mutex;
    ExInitializeFastMutex(&Mutex);
    for (ULONG i = 0; i < 2; i++) {
        ExAcquireFastMutex(&Mutex);
        KIRQL Held = KeGetCurrentIrql();
        PVOID Owner = Mutex.Owner;
        ExReleaseFastMutex(&Mutex);
        CT_EQUAL(Held, APC_LEVEL);
        CT_EQUAL(Owner, KeGetCurrentThread());
        CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    }
}

static VOID FastMutexTry(VOID)
{
    FAST_MUTEX Mutex;
    ExInitializeFastMutex(&Mutex);
    BOOLEAN First = ExTryToAcquireFastMutex(&Mutex);
    BOOLEAN Second = ExTryToAcquireFastMutex(&Mutex);
    ExReleaseFastMutex(&Mutex);
    CT_CHECK(First && !Second);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

/* Neither changes the IRQL: the caller keeps APCs away by other means. */
static VOID FastMutexUnsafe(VOID)
{
    FAST_MUTEX Mutex;
    ExInitializeFastMutex(&Mutex);
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&Mutex);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    ExReleaseFastMutexUnsafe(&Mutex);
    KeLeaveCriticalRegion();
    BOOLEAN Free = ExTryToAcquireFastMutex(&Mutex);
    if (Free)
        ExReleaseFastMutex(&Mutex);
    CT_CHECK(Free);
}

/* The IRQL stays; APCs are off between. [WDK KeAcquireGuardedMutex, KeTryToAcquireGuardedMutex] */
static VOID GuardedMutexAcquire(VOID)
{
    KGUARDED_MUTEX Mutex;
    KeInitializeGuardedMutex(&Mutex);
    for (ULONG i = 0; i < 2; i++) {
        KeAcquireGuardedMutex(&Mutex);
        KIRQL Held = KeGetCurrentIrql();
        BOOLEAN ApcsOff = KeAreAllApcsDisabled();
        KeReleaseGuardedMutex(&Mutex);
        CT_EQUAL(Held, PASSIVE_LEVEL);
        CT_CHECK(ApcsOff && !KeAreAllApcsDisabled());
    }
}

static VOID GuardedMutexTry(VOID)
{
    KGUARDED_MUTEX Mutex;
    KeInitializeGuardedMutex(&Mutex);
    BOOLEAN First = KeTryToAcquireGuardedMutex(&Mutex);
    BOOLEAN Second = KeTryToAcquireGuardedMutex(&Mutex);
    KeReleaseGuardedMutex(&Mutex);
    CT_CHECK(First && !Second);
    CT_CHECK(!KeAreAllApcsDisabled()); /* the try in vain left nothing */
}

/* The caller has switched APCs off. */
static VOID GuardedMutexUnsafe(VOID)
{
    KGUARDED_MUTEX Mutex;
    KeInitializeGuardedMutex(&Mutex);
    KeEnterGuardedRegion();
    KeAcquireGuardedMutexUnsafe(&Mutex);
    BOOLEAN Taken = !KeTryToAcquireGuardedMutex(&Mutex);
    KeReleaseGuardedMutexUnsafe(&Mutex);
    KeLeaveGuardedRegion();
    CT_CHECK(Taken && !KeAreAllApcsDisabled());
}

static const CT_CASE Cases[] = {
    {"pool.tag", PoolTag},
    {"pool.untagged", PoolUntagged},
    {"pool.priority", PoolPriority},
    {"pool.quota", PoolQuota},
    {"pool.cache_aligned", PoolCacheAligned},
    {"pool.processors", PoolOtherProcessor},
    {"pool.pool2", PoolPool2},
    {"pool.pool3", PoolPool3},
    {"lookaside.npaged", LookasideNpaged},
    {"lookaside.paged", LookasidePaged},
    {"lookaside.ex", LookasideEx},
    {"lookaside.depth", LookasideDepth},
    {"slist.init", SListInit},
    {"slist.push", SListPush},
    {"slist.pop", SListPop},
    {"slist.flush", SListFlush},
    {"slist.depth", SListDepth},
    {"list.insert", ListInsert},
    {"list.remove", ListRemove},
    {"list.single", ListSingle},
    {"list.add", ListAdd},
    {"fastmutex.acquire", FastMutexAcquire},
    {"fastmutex.try", FastMutexTry},
    {"fastmutex.unsafe", FastMutexUnsafe},
    {"guardedmutex.acquire", GuardedMutexAcquire},
    {"guardedmutex.try", GuardedMutexTry},
    {"guardedmutex.unsafe", GuardedMutexUnsafe},
};
CT_DRIVER(Cases)

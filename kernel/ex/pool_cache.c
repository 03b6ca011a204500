/* SPDX-License-Identifier: MIT
 * Magazines: each processor's free blocks, between the fast path and the pages. A cache is taken away from its
 * processor by another by making KPRCB.PoolCache lead to the cache that holds nothing; after a call to all processors
 * nobody is at work on it any more. */
#include "exp.h"

static EXP_CACHE ExpNoCache; /* every magazine empty and without room */
static EXP_CACHE ExpBootCache;
static EXP_CACHE *ExpCaches[KI_MAX_PROCESSORS]; /* (c) after the processors were started */
static ARCH_LOCK ExpTrimLock = ARCH_LOCK_INIT("pool trim", LockRankExPoolTrim, DISPATCH_LEVEL);

static ULONG ExpDepthOf(ULONG Class)
{
    if (!NTBOX_CHECKED && ExpSpecialInUse)
        return 0;
    if (Class == EXP_PAGE_CLASS)
        return EXP_PAGE_DEPTH;
    return min(EXP_MAGAZINE_ROOM, EXP_MAGAZINE_BYTES / ExpBlockSize[Class]);
}

static VOID ExpUseCache(PKPRCB Prcb, EXP_CACHE *Cache)
{
    for (ULONG Class = 0; Class <= EXP_PAGE_CLASS; Class++)
        for (ULONG Region = 0; Region < MmPoolRegions; Region++)
            Cache->Magazines[Class][Region].Depth = ExpDepthOf(Class);
    ExpCaches[Prcb->Number] = Cache;
    Prcb->PoolCache = Cache;
}

VOID ExpInitializeCaches(VOID)
{
    ExpUseCache(KeGetPrcb(), &ExpBootCache);
}

VOID ExpKeepNothing(VOID)
{
    ExpTrimCaches();
    ExpInitializeCaches();
}

/* Without memory for a cache the processor goes to the pages each time. */
VOID ExPrepareProcessor(PKPRCB Prcb)
{
    EXP_CACHE *Cache = MmAllocateSystemPages(BYTES_TO_PAGES(sizeof(EXP_CACHE)), MmReadWrite);

    Prcb->PoolCache = &ExpNoCache;
    if (Cache != NULL)
        ExpUseCache(Prcb, Cache);
}

/* --- between a magazine and the pages ------------------------------------------------------------------------------ */

PVOID ExpRefill(EXP_POOL *Pool, ULONG Class)
{
    PVOID Blocks[EXP_MAGAZINE_ROOM];
    ULONG Count = ExpTakeBlocks(Pool, Class, Blocks, max(1, ExpDepthOf(Class) / 2));

    if (Count == 0)
        return NULL;
    while (Count > 1 && ExpPush(Class, Pool->Region, Blocks[Count - 1]))
        Count--;
    if (Count > 1)
        ExpGiveBlocks(Pool, &Blocks[1], Count - 1);
    return Blocks[0];
}

VOID ExpDrain(EXP_POOL *Pool, ULONG Class, PVOID Block)
{
    PVOID Blocks[EXP_MAGAZINE_ROOM + 1];
    ULONG Count = 1, Most = ExpDepthOf(Class) / 2;

    Blocks[0] = Block;
    while (Count <= Most && (Blocks[Count] = ExpPop(Class, Pool->Region)) != NULL)
        Count++;
    ExpGiveBlocks(Pool, Blocks, Count);
}

/* --- taking all ------------------------------------------------------------------------------------------------------ */

static VOID ExpEmptyMagazine(EXP_POOL *Pool, ULONG Class, EXP_MAGAZINE *Magazine)
{
    if (Class < EXP_CLASSES)
        ExpGiveBlocks(Pool, Magazine->Block, Magazine->Count);
    else
        for (ULONG I = 0; I < Magazine->Count; I++)
            MmFreePoolPages(Pool->Region, Magazine->Block[I], 1);
    Magazine->Count = 0;
}

static VOID ExpEmptyCache(EXP_CACHE *Cache)
{
    for (ULONG Class = 0; Class <= EXP_PAGE_CLASS; Class++)
        for (ULONG Region = 0; Region < MmPoolRegions; Region++)
            ExpEmptyMagazine(&ExpPools[Region], Class, &Cache->Magazines[Class][Region]);
}

static VOID ExpNothing(PVOID Context)
{
}

/* With interrupts off other processors cannot be waited for: then the own cache only. */
static BOOLEAN ExpReachesOthers(VOID)
{
    return KeActiveProcessorCount == 1 || ArchInterruptsEnabled();
}

VOID ExpTrimCaches(VOID)
{
    KIRQL OldIrql = ArchAcquireLock(&ExpTrimLock);
    ULONG Own = KeGetPrcb()->Number, Count = ExpReachesOthers() ? KeActiveProcessorCount : Own + 1;
    ULONG First = ExpReachesOthers() ? 0 : Own;

    for (ULONG I = First; I < Count; I++)
        __atomic_store_n(&KiProcessorBlock[I]->PoolCache, &ExpNoCache, __ATOMIC_RELEASE);
    if (Count - First > 1)
        KeCallAllProcessors(ExpNothing, NULL);
    for (ULONG I = First; I < Count; I++) {
        if (ExpCaches[I] == NULL)
            continue;
        ExpEmptyCache(ExpCaches[I]);
        __atomic_store_n(&KiProcessorBlock[I]->PoolCache, ExpCaches[I], __ATOMIC_RELEASE);
    }
    ArchReleaseLock(&ExpTrimLock, OldIrql);
}

/* SPDX-License-Identifier: MIT
 * Pages that are cut into blocks of one class: what the magazines are filled from and emptied to. */
#include "exp.h"

static PUCHAR ExpPageAddress(const EXP_POOL *Pool, ULONG Page)
{
    return (PUCHAR)(Pool->Base + (ULONG_PTR)Page * PAGE_SIZE);
}

/* --- the list of a class's pages that have free blocks; lock held ------------------------------------------------ */

static VOID ExpLinkPage(EXP_POOL *Pool, ULONG Class, ULONG Page)
{
    EXP_PAGE *Record = &Pool->Records[Page];
    Record->Previous = EXP_NO_PAGE;
    Record->Next = Pool->Partial[Class];
    if (Record->Next != EXP_NO_PAGE)
        Pool->Records[Record->Next].Previous = Page;
    Pool->Partial[Class] = Page;
}

static VOID ExpUnlinkPage(EXP_POOL *Pool, ULONG Class, ULONG Page)
{
    EXP_PAGE *Record = &Pool->Records[Page];
    if (Record->Next != EXP_NO_PAGE)
        Pool->Records[Record->Next].Previous = Record->Previous;
    if (Record->Previous != EXP_NO_PAGE)
        Pool->Records[Record->Previous].Next = Record->Next;
    else
        Pool->Partial[Class] = Record->Next;
}

/* --- taking ----------------------------------------------------------------------------------------------------------- */

/* The page is nobody's yet: no lock. */
static VOID ExpCutPage(EXP_PAGE *Record, PUCHAR Page, ULONG Class, ULONG Region)
{
    for (ULONG I = 0; I < ExpBlocksPerPage(Class); I++) {
        EXP_HEADER *Header = ExpHeaderOf(Page + ExpBlockOffset(Class, I));
        *Header = (EXP_HEADER){.State = ExpBlockChanging};
        ExpFillFreed(Header, Class);
        ExpSealFreed(Header, 0);
    }
    *Record = (EXP_PAGE){.State = ExpPageSmall,
                         .Class = (UCHAR)Class,
                         .Magazine = FIELD_OFFSET(EXP_CACHE, Magazines[Class][Region]),
                         .FreeCount = (USHORT)ExpBlocksPerPage(Class),
                         .Free = ExpFullSet(Class)};
}

static BOOLEAN ExpAddPage(EXP_POOL *Pool, ULONG Class)
{
    PUCHAR Page = MmAllocatePoolPages(Pool->Region, 1);
    if (Page == NULL)
        return FALSE;
    ULONG Index = (ULONG)ExpPageIndex(Pool, Page);
    if (!ExpCommitRecords(Pool, Index, 1)) {
        MmFreePoolPages(Pool->Region, Page, 1);
        return FALSE;
    }
    ExpCutPage(&Pool->Records[Index], Page, Class, Pool->Region);
    KIRQL OldIrql = ArchAcquireLock(&Pool->Lock);
    ExpLinkPage(Pool, Class, Index);
    Pool->EmptyPages[Class]++;
    ArchReleaseLock(&Pool->Lock, OldIrql);
    return TRUE;
}

static PVOID ExpTakeBlockLocked(EXP_POOL *Pool, ULONG Class, ULONG Index)
{
    EXP_PAGE *Record = &Pool->Records[Index];
    if (Record->FreeCount == ExpBlocksPerPage(Class))
        Pool->EmptyPages[Class]--;
    if (--Record->FreeCount == 0)
        ExpUnlinkPage(Pool, Class, Index);
    return ExpPageAddress(Pool, Index) + ExpBlockOffset(Class, ExpTakeFromSet(&Record->Free));
}

static ULONG ExpTakePresent(EXP_POOL *Pool, ULONG Class, PVOID *Blocks, ULONG Count)
{
    ULONG Taken = 0;
    KIRQL OldIrql = ArchAcquireLock(&Pool->Lock);
    while (Taken < Count && Pool->Partial[Class] != EXP_NO_PAGE)
        Blocks[Taken++] = ExpTakeBlockLocked(Pool, Class, Pool->Partial[Class]);
    ArchReleaseLock(&Pool->Lock, OldIrql);
    return Taken;
}

/* Another processor may have taken all blocks of the page that was added. */
ULONG ExpTakeBlocks(EXP_POOL *Pool, ULONG Class, PVOID *Blocks, ULONG Count)
{
    ULONG Taken;
    while ((Taken = ExpTakePresent(Pool, Class, Blocks, Count)) == 0)
        if (!ExpAddPage(Pool, Class))
            return 0;
    return Taken;
}

/* --- giving back ----------------------------------------------------------------------------------------------------- */

/* One page without a live block is kept per class, so that a lone block that comes and goes does not map and
 * unmap. The others are chained through Next: nobody finds them any more. */
static VOID ExpGiveBlockLocked(EXP_POOL *Pool, const void *Block, PULONG Gone)
{
    ULONG Index = (ULONG)ExpPageIndex(Pool, Block);
    EXP_PAGE *Record = &Pool->Records[Index];
    ULONG Class = Record->Class;
    if (Record->FreeCount++ == 0)
        ExpLinkPage(Pool, Class, Index);
    ExpAddToSet(&Record->Free, ExpBlockNumberAt(Class, (ULONG)((ULONG_PTR)Block & PAGE_MASK)) - 1);
    if (Record->FreeCount != ExpBlocksPerPage(Class))
        return;
    if (Pool->EmptyPages[Class] == 0) {
        Pool->EmptyPages[Class]++;
        return;
    }
    ExpUnlinkPage(Pool, Class, Index);
    *Record = (EXP_PAGE){.State = ExpPageUnused, .Next = *Gone};
    *Gone = Index;
}

VOID ExpGiveBlocks(EXP_POOL *Pool, PVOID *Blocks, ULONG Count)
{
    ULONG Gone = EXP_NO_PAGE;
    KIRQL OldIrql = ArchAcquireLock(&Pool->Lock);
    for (ULONG I = 0; I < Count; I++)
        ExpGiveBlockLocked(Pool, Blocks[I], &Gone);
    ArchReleaseLock(&Pool->Lock, OldIrql);
    while (Gone != EXP_NO_PAGE) {
        PVOID Page = ExpPageAddress(Pool, Gone);
        Gone = Pool->Records[Gone].Next;
        MmFreePoolPages(Pool->Region, Page, 1);
    }
}

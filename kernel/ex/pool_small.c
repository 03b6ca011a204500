/* SPDX-License-Identifier: MIT
 * Pages that are cut into blocks of one class: the slow path behind the per-processor caches. */
#include "exp.h"

static PUCHAR ExpPageAddress(const EXP_POOL *Pool, ULONG Page)
{
    return (PUCHAR)(Pool->Base + (ULONG_PTR)Page * PAGE_SIZE);
}

static ULONG ExpBlocksPerPage(ULONG Class)
{
    return PAGE_SIZE / ExpBlockSize[Class];
}

/* --- the list of a class's pages that have free blocks; lock held
 * ------------------------------------------------ */

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

/* --- the chain of a page's free blocks, through the first bytes of their contents; lock held
 * ------------------------ */

static VOID ExpChain(EXP_PAGE *Record, PUCHAR Page, USHORT Offset)
{
    *(PUSHORT)(Page + Offset + EXP_HEADER_SIZE) = Record->FirstFree;
    Record->FirstFree = Offset;
    Record->FreeCount++;
}

static EXP_HEADER *ExpUnchain(EXP_PAGE *Record, PUCHAR Page)
{
    EXP_HEADER *Header = (EXP_HEADER *)(Page + Record->FirstFree);
    Record->FirstFree = *(PUSHORT)(Header + 1);
    Record->FreeCount--;
    return Header;
}

static VOID ExpCutPage(EXP_PAGE *Record, PUCHAR Page, ULONG Class)
{
    *Record = (EXP_PAGE){.State = ExpPageSmall, .Class = (UCHAR)Class};
    for (ULONG I = ExpBlocksPerPage(Class); I-- > 0;) {
        EXP_HEADER *Header = (EXP_HEADER *)(Page + I * ExpBlockSize[Class]);
        *Header = (EXP_HEADER){.State = ExpBlockFree};
        ExpFillFreed(Header, Class);
        ExpChain(Record, Page, (USHORT)(I * ExpBlockSize[Class]));
    }
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
    ExpCutPage(&Pool->Records[Index], Page, Class);
    ExpLinkPage(Pool, Class, Index);
    Pool->EmptyPages[Class]++;
    return TRUE;
}

static EXP_HEADER *ExpTakeBlockLocked(EXP_POOL *Pool, ULONG Class)
{
    if (Pool->Partial[Class] == EXP_NO_PAGE && !ExpAddPage(Pool, Class))
        return NULL;
    ULONG Index = Pool->Partial[Class];
    EXP_PAGE *Record = &Pool->Records[Index];
    if (Record->FreeCount == ExpBlocksPerPage(Class))
        Pool->EmptyPages[Class]--;
    EXP_HEADER *Header = ExpUnchain(Record, ExpPageAddress(Pool, Index));
    if (Record->FreeCount == 0)
        ExpUnlinkPage(Pool, Class, Index);
    return Header;
}

EXP_HEADER *ExpTakeBlock(EXP_POOL *Pool, ULONG Class)
{
    KIRQL OldIrql = ArchAcquireLock(&Pool->Lock);
    EXP_HEADER *Header = ExpTakeBlockLocked(Pool, Class);
    ArchReleaseLock(&Pool->Lock, OldIrql);
    return Header;
}

/* One page without a live block is kept per class, so that a lone block that comes and goes does not map and
 * unmap. */
static VOID ExpGiveBlockLocked(EXP_POOL *Pool, EXP_HEADER *Header)
{
    ULONG Index = (ULONG)ExpPageIndex(Pool, Header);
    EXP_PAGE *Record = &Pool->Records[Index];
    ULONG Class = Record->Class;
    PUCHAR Page = ExpPageAddress(Pool, Index);
    if (Record->FreeCount == 0)
        ExpLinkPage(Pool, Class, Index);
    ExpChain(Record, Page, (USHORT)((PUCHAR)Header - Page));
    if (Record->FreeCount != ExpBlocksPerPage(Class))
        return;
    if (Pool->EmptyPages[Class] == 0) {
        Pool->EmptyPages[Class]++;
        return;
    }
    ExpUnlinkPage(Pool, Class, Index);
    *Record = (EXP_PAGE){.State = ExpPageUnused};
    MmFreePoolPages(Pool->Region, Page, 1);
}

VOID ExpGiveBlock(EXP_POOL *Pool, EXP_HEADER *Header)
{
    KIRQL OldIrql = ArchAcquireLock(&Pool->Lock);
    ExpGiveBlockLocked(Pool, Header);
    ArchReleaseLock(&Pool->Lock, OldIrql);
}

static VOID ExpTrimList(EXP_POOL *Pool, PSLIST_HEADER List, BOOLEAN Pages)
{
    PSLIST_ENTRY Next, Entry = ExpInterlockedFlushSList(List);
    for (; Entry != NULL; Entry = Next) {
        Next = Entry->Next;
        if (Pages)
            MmFreePoolPages(Pool->Region, Entry, 1);
        else
            ExpGiveBlock(Pool, ExpHeaderOf(Entry));
    }
}

VOID ExpTrimCaches(EXP_POOL *Pool)
{
    for (ULONG Cache = 0; Cache < EXP_CACHES; Cache++) {
        for (ULONG Class = 0; Class < EXP_CLASSES; Class++)
            ExpTrimList(Pool, &Pool->Cache[Cache][Class], FALSE);
        ExpTrimList(Pool, &Pool->Pages[Cache], TRUE);
    }
}

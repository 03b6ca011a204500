/* SPDX-License-Identifier: MIT
 * Allocations of whole pages, and the records of pool pages. */
#include "exp.h"

/* All records below the end are backed, also those of pages that were never used. */
BOOLEAN ExpCommitRecords(EXP_POOL *Pool, SIZE_T First, SIZE_T Count)
{
    volatile LONG64 *RecordEnd = &ExpRecordEnds[Pool->Region];
    LONG64 End = (LONG64)(Pool->Region * EXP_REGION_PAGES + First + Count), Known = *RecordEnd;
    if (End > Known && !MmCommitPoolRecords(&EXP_RECORDS[Known], (SIZE_T)(End - Known) * sizeof(EXP_PAGE)))
        return FALSE;
    while (Known < End) {
        LONG64 Seen = InterlockedCompareExchange64(RecordEnd, End, Known);
        if (Seen == Known)
            break;
        Known = Seen;
    }
    return TRUE;
}

static PVOID ExpGetPages(EXP_POOL *Pool, SIZE_T PageCount)
{
    if (PageCount == 1) {
        PVOID Page = ExpPop(EXP_PAGE_CLASS, Pool->Region);
        if (Page != NULL)
            return Page;
    }
    PVOID Base = MmAllocatePoolPages(Pool->Region, PageCount);
    if (Base == NULL)
        return NULL;
    if (!ExpCommitRecords(Pool, ExpPageIndex(Pool, Base), PageCount)) {
        MmFreePoolPages(Pool->Region, Base, PageCount);
        return NULL;
    }
    return Base;
}

PVOID ExpAllocateLarge(EXP_POOL *Pool, SIZE_T Size, ULONG Tag, EXP_OWNER Owner)
{
    SIZE_T PageCount = BYTES_TO_PAGES(Size) + (Size == 0);
    if (PageCount >= Pool->PageCount)
        return NULL;
    PVOID Base = ExpGetPages(Pool, PageCount);
    if (Base == NULL)
        return NULL;
    EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Base)];
    for (SIZE_T I = 1; I < PageCount; I++)
        Record[I].State = ExpPageLargeRest;
    Record->Tag = Tag;
    Record->PageCount = (ULONG)PageCount;
    Record->Size = Size;
    Record->Owner = Owner;
    __atomic_store_n(&Record->State, ExpPageLarge, __ATOMIC_RELEASE);
    ExpSetGuard(Base, Size, PageCount * PAGE_SIZE);
    return Base;
}

VOID ExpFreeLarge(EXP_POOL *Pool, PVOID Block, ULONG Tag, EXP_OWNER Freer)
{
    EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block)];
    SIZE_T PageCount = Record->PageCount;
    if (Tag != 0 && Tag != Record->Tag)
        ExpWrongTag(Block, Record->Tag, Tag);
    KeCheckFreedMemory(Block, Record->Size, ExpOwnerCode(Freer));
    ExpCheckGuard(Block, Record->Size, PageCount * PAGE_SIZE);
    ExpCheckNoResource(Block, Record->Size);
    ExpCheckNoLookaside(Block, Record->Size);
    if (__atomic_exchange_n(&Record->State, ExpPageFreed, __ATOMIC_ACQ_REL) != ExpPageLarge)
        ExpBadPointer(Pool, Block);
    ExpNoteFreer(&Record->Owner, Freer);
    for (SIZE_T I = 1; I < PageCount; I++)
        Record[I].State = ExpPageUnused;
    if (PageCount != 1 || !ExpPush(EXP_PAGE_CLASS, Pool->Region, Block))
        MmFreePoolPages(Pool->Region, Block, PageCount);
}

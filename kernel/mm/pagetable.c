/* SPDX-License-Identifier: MIT
 * Page-table entries of the kernel half: their bits, making tables, looking addresses up, telling the
 * processor. */
#include "pfn.h"
#include "ke.h"

#define MI_TABLE_BITS (MI_PTE_PRESENT | MI_PTE_WRITE | MI_PTE_ACCESSED)
#define MI_FLUSH_ALL_ABOVE 64 /* pages; more are cheaper by dropping everything */

/* All bits that say what may be done with the page (MI_PTE_PROTECTION). */
MI_PTE MiProtectionBits(MM_PROTECTION Protection)
{
    switch (Protection) {
    case MmReadOnly:
        return MI_PTE_PRESENT | MI_PTE_NX;
    case MmReadWrite:
        return MI_PTE_PRESENT | MI_PTE_WRITE | MI_PTE_DIRTY | MI_PTE_NX;
    case MmExecuteRead:
        return MI_PTE_PRESENT;
    default:
        return MI_ABSENT_PTE(MiAbsentNoAccess, 0);
    }
}

MI_PTE MiTemplate(MM_PROTECTION Protection, MEMORY_CACHING_TYPE Cache, MI_USE Use)
{
    MI_CACHE Type;
    if (!MiCacheOf(Cache, &Type))
        return 0;
    return MiCacheBits(Type) | MI_PTE_ACCESSED | MI_PTE_GLOBAL | ((MI_PTE)Use << MI_PTE_USE_SHIFT) |
           MiProtectionBits(Protection);
}

static BOOLEAN MiEnsureTable(MI_PTE *Entry)
{
    if (MiReadPte(Entry) & MI_PTE_PRESENT)
        return TRUE;
    PFN_NUMBER Frame = MmAllocatePhysicalPage(TRUE);
    if (Frame == MM_NO_PAGE)
        return FALSE;
    MiWritePte(Entry, (Frame << PAGE_SHIFT) | MI_TABLE_BITS);
    MiCountTable();
    return TRUE;
}

BOOLEAN MiEnsureTablesLocked(ULONG_PTR Base, SIZE_T PageCount)
{
    const ULONG_PTR TableSpan = 1ull << 21;
    ULONG_PTR Last = Base + (PageCount - 1) * PAGE_SIZE;
    for (ULONG_PTR At = Base & ~(TableSpan - 1); At <= Last; At += TableSpan)
        if (!MiEnsureTable(MiTopOf(At)) || !MiEnsureTable(MiDirectoryPointerOf(At)) ||
            !MiEnsureTable(MiDirectoryOf(At)))
            return FALSE;
    return TRUE;
}

MI_PTE MiLookUp(ULONG_PTR Address, ULONG *Shift, MI_PTE *Absent)
{
    *Absent = 0;
    *Shift = 39;
    if (!(MiReadPte(MiTopOf(Address)) & MI_PTE_PRESENT))
        return 0;
    *Shift = 30;
    MI_PTE Entry = MiReadPte(MiDirectoryPointerOf(Address));
    if (!(Entry & MI_PTE_PRESENT) || (Entry & MI_PTE_LARGE))
        return Entry & MI_PTE_PRESENT ? Entry : 0;
    *Shift = 21;
    Entry = MiReadPte(MiDirectoryOf(Address));
    if (!(Entry & MI_PTE_PRESENT) || (Entry & MI_PTE_LARGE))
        return Entry & MI_PTE_PRESENT ? Entry : 0;
    *Shift = 12;
    Entry = MiReadPte(MiPteOf(Address));
    if (Entry & MI_PTE_PRESENT)
        return Entry;
    *Absent = Entry;
    return 0;
}

static BOOLEAN MiIsCanonical(ULONG_PTR Address)
{
    return (ULONG_PTR)((LONG64)(Address << 16) >> 16) == Address;
}

BOOLEAN MmTranslate(const void *Address, ULONG64 *Physical)
{
    ULONG Shift;
    MI_PTE Absent;
    if (!MiIsCanonical((ULONG_PTR)Address))
        return FALSE;
    MI_PTE Entry = MiLookUp((ULONG_PTR)Address, &Shift, &Absent);
    if (Entry == 0)
        return FALSE;
    ULONG64 Offset = (1ull << Shift) - 1;
    *Physical = (Entry & MI_PTE_FRAME & ~Offset) | ((ULONG_PTR)Address & Offset);
    return TRUE;
}

VOID MiFlushTlbHere(VOID)
{
    BOOLEAN Enabled = ArchDisableInterrupts();
    ULONG64 Cr4 = ArchReadCr4();
    ArchWriteCr4(Cr4 ^ MI_CR4_GLOBAL); /* [Intel SDM 3, 4.10.4.1] a change of PGE drops global entries too */
    ArchWriteCr4(Cr4);
    ArchRestoreInterrupts(Enabled);
}

/* On each processor. */
static VOID MiFlushBatchHere(PVOID Context)
{
    const MI_FLUSH_BATCH *Batch = Context;
    if (Batch->PageCount > MI_FLUSH_ALL_ABOVE) {
        MiFlushTlbHere();
        return;
    }
    for (ULONG R = 0; R < Batch->Count; R++)
        for (SIZE_T I = 0; I < Batch->Range[R].PageCount; I++)
            ArchInvalidatePage(Batch->Range[R].Base + I * PAGE_SIZE);
}

VOID MiAddToFlush(MI_FLUSH_BATCH *Batch, ULONG_PTR Base, SIZE_T PageCount)
{
    ULONG Last = Batch->Count - 1;
    Batch->PageCount += PageCount;
    if (Batch->Count != 0 && Batch->Range[Last].Base + Batch->Range[Last].PageCount * PAGE_SIZE == Base) {
        Batch->Range[Last].PageCount += PageCount;
    } else if (Batch->Count < MI_FLUSH_RANGES) {
        Batch->Range[Batch->Count].Base = Base;
        Batch->Range[Batch->Count++].PageCount = PageCount;
    } else {
        Batch->PageCount += MI_FLUSH_ALL_ABOVE; /* too many ranges: everything */
    }
}

VOID MiFlushBatch(const MI_FLUSH_BATCH *Batch)
{
    if (Batch->Count != 0)
        KeCallAllProcessors(MiFlushBatchHere, (PVOID)Batch);
}

VOID MiFlushTlbRange(ULONG_PTR Base, SIZE_T PageCount)
{
    MI_FLUSH_BATCH Batch;
    Batch.Count = 1;
    Batch.PageCount = PageCount;
    Batch.Range[0].Base = Base;
    Batch.Range[0].PageCount = PageCount;
    KeCallAllProcessors(MiFlushBatchHere, &Batch);
}

VOID MiFlushTlbAll(VOID)
{
    MiFlushTlbRange(0, MI_FLUSH_ALL_ABOVE + 1);
}

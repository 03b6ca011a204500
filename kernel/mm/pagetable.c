/* SPDX-License-Identifier: MIT
 * Page-table entries of the kernel half: their bits, making tables, looking addresses up, telling the
 * processor. */
#include "mi.h"
#include "ke.h"

#define MI_TABLE_BITS (MI_PTE_PRESENT | MI_PTE_WRITE | MI_PTE_ACCESSED)
#define MI_FLUSH_ALL_ABOVE 64 /* pages; more are cheaper by dropping everything */
#define MI_CR4_GLOBAL (1ull << 7)

/* Indexes of the page attribute table as MmInitProcessor fills it: 0 write-back, 3 uncached, 4
 * write-combining. */
static BOOLEAN MiCacheBits(MEMORY_CACHING_TYPE Cache, MI_PTE *Bits)
{
    switch (Cache) {
    case MmCached:
        *Bits = 0;
        return TRUE;
    case MmNonCached:
    case MmNonCachedUnordered: /* [WDK MEMORY_CACHING_TYPE] ordering is stronger than asked for */
        *Bits = MI_PTE_CACHE_DISABLE | MI_PTE_WRITE_THROUGH;
        return TRUE;
    case MmWriteCombined:
        *Bits = MI_PTE_PAT;
        return TRUE;
    default:
        return FALSE;
    }
}

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
    MI_PTE Bits;
    if (!MiCacheBits(Cache, &Bits))
        return 0;
    Bits |=
        MI_PTE_ACCESSED | MI_PTE_GLOBAL | ((MI_PTE)Use << MI_PTE_USE_SHIFT) | MiProtectionBits(Protection);
    return Bits;
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

typedef struct _MI_FLUSH {
    ULONG_PTR Base;
    SIZE_T PageCount;
} MI_FLUSH;

/* On each processor. */
static VOID MiFlushRangeHere(PVOID Context)
{
    const MI_FLUSH *Flush = Context;
    if (Flush->PageCount > MI_FLUSH_ALL_ABOVE) {
        MiFlushTlbHere();
        return;
    }
    for (SIZE_T I = 0; I < Flush->PageCount; I++)
        ArchInvalidatePage(Flush->Base + I * PAGE_SIZE);
}

VOID MiFlushTlbRange(ULONG_PTR Base, SIZE_T PageCount)
{
    MI_FLUSH Flush = {Base, PageCount};
    KeCallAllProcessors(MiFlushRangeHere, &Flush);
}

VOID MiFlushTlbAll(VOID)
{
    MiFlushTlbRange(0, MI_FLUSH_ALL_ABOVE + 1);
}

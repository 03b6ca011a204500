/* SPDX-License-Identifier: MIT
 * Page tables of the user half, seen through the direct map: found, made, freed when they show nothing any more. */
#include "mm/user_space.h"

#define MI_LEVELS 4
#define MI_USER_TABLE_BITS (MI_PTE_PRESENT | MI_PTE_WRITE | MI_PTE_USER | MI_PTE_ACCESSED)
#define MI_TABLE_ENTRIES 512u

/* Level 3 is the root's. */
static inline ULONG MiIndex(ULONG64 Page, ULONG Level)
{
    return (ULONG)(Page >> (9 * Level)) & (MI_TABLE_ENTRIES - 1);
}

static inline MI_PTE *MiTableAt(MI_PTE Entry)
{
    return MmDirectMap(Entry & MI_PTE_FRAME);
}

/* The lowest table that there is for the page; *Level is its own: 0 has pages. */
static MI_PTE *MiLowestTable(PMM_ADDRESS_SPACE Space, ULONG64 Page, ULONG *Level)
{
    MI_PTE *Table = MmDirectMap(Space->Root);
    for (*Level = MI_LEVELS - 1; *Level > 0; --*Level) {
        MI_PTE Entry = Table[MiIndex(Page, *Level)];
        if (!(Entry & MI_PTE_PRESENT))
            break;
        Table = MiTableAt(Entry);
    }
    return Table;
}

/* The first page behind what an entry of that level shows. */
static inline ULONG64 MiEndOfEntry(ULONG64 Page, ULONG Level)
{
    return ((Page >> (9 * Level)) + 1) << (9 * Level);
}

MI_PTE *MiFindUserPte(PMM_ADDRESS_SPACE Space, ULONG64 Page, ULONG64 *Next)
{
    ULONG Level;
    MI_PTE *Table = MiLowestTable(Space, Page, &Level);
    if (Level == 0)
        return &Table[MiIndex(Page, 0)];
    *Next = MiEndOfEntry(Page, Level);
    return NULL;
}

ULONG64 MiCountMissingTables(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    ULONG64 Count = 0, End;
    for (ULONG64 Page = First; Page <= Last; Page = End) {
        ULONG Level;
        (void)MiLowestTable(Space, Page, &Level);
        End = min(MiEndOfEntry(Page, max(Level, 1)), Last + 1);
        for (; Level > 0; Level--)
            Count += ((End - 1) >> (9 * Level)) - (Page >> (9 * Level)) + 1;
    }
    return Count;
}

MI_PTE *MiMakeUserPte(PMM_ADDRESS_SPACE Space, ULONG64 Page)
{
    MI_PTE *Table = MmDirectMap(Space->Root);
    for (ULONG Level = MI_LEVELS - 1; Level > 0; Level--) {
        MI_PTE *Entry = &Table[MiIndex(Page, Level)];
        if (!(*Entry & MI_PTE_PRESENT)) {
            PFN_NUMBER Frame = MmAllocatePhysicalPage(TRUE);
            if (Frame == MM_NO_PAGE)
                return NULL;
            MiWritePte(Entry, ((MI_PTE)Frame << PAGE_SHIFT) | MI_USER_TABLE_BITS);
            MiCountCommit(1);
            Space->Counters.TablePages++;
        }
        Table = MiTableAt(*Entry);
    }
    return &Table[MiIndex(Page, 0)];
}

static VOID MiFreeTable(PMM_ADDRESS_SPACE Space, MI_PTE *Entry)
{
    PFN_NUMBER Frame = MiFrameOf(*Entry);
    MiWritePte(Entry, 0);
    MmFreePhysicalPages(Frame, 1);
    MiReturnCommit(1);
    Space->Counters.TablePages--;
}

/* The table behind Entry and all below it. Level is the table's own: 0 has pages. */
static VOID MiFreeTree(PMM_ADDRESS_SPACE Space, MI_PTE *Entry, ULONG Level)
{
    MI_PTE *Table = MiTableAt(*Entry);
    for (ULONG I = 0; Level > 0 && I < MI_TABLE_ENTRIES; I++)
        if (Table[I] & MI_PTE_PRESENT)
            MiFreeTree(Space, &Table[I], Level - 1);
    MiFreeTable(Space, Entry);
}

VOID MiFreeUserTables(PMM_ADDRESS_SPACE Space)
{
    MI_PTE *Root = MmDirectMap(Space->Root);
    for (ULONG I = 0; I < MI_TABLE_ENTRIES / 2; I++)
        if (Root[I] & MI_PTE_PRESENT)
            MiFreeTree(Space, &Root[I], MI_LEVELS - 2);
}

typedef struct _MI_CUT {
    ULONG64 First, Last;
    ULONG Count;
    struct {
        MI_PTE Entry;
        ULONG Level; /* of the table behind it */
    } Tables[32];
} MI_CUT;

/* Cuts tables off whose pages all lie in [First, Last]. FALSE: no more room to remember them. */
static BOOLEAN MiCutBelow(MI_CUT *Cut, MI_PTE *Table, ULONG64 TableFirst, ULONG Level)
{
    ULONG64 Span = 1ull << (9 * Level);
    for (ULONG I = 0; I < MI_TABLE_ENTRIES; I++) {
        ULONG64 Begin = TableFirst + I * Span, End = Begin + Span - 1;
        if (End < Cut->First || Begin > Cut->Last || !(Table[I] & MI_PTE_PRESENT))
            continue;
        if (Begin < Cut->First || End > Cut->Last) {
            if (Level > 1 && !MiCutBelow(Cut, MiTableAt(Table[I]), Begin, Level - 1))
                return FALSE;
            continue;
        }
        if (Cut->Count == RTL_NUMBER_OF(Cut->Tables))
            return FALSE;
        Cut->Tables[Cut->Count].Entry = Table[I];
        Cut->Tables[Cut->Count++].Level = Level - 1;
        MiWritePte(&Table[I], 0);
    }
    return TRUE;
}

/* A processor may still walk a table that was cut off, until it was told: one page's flush drops all that it remembers of tables. */
VOID MiTrimTables(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    BOOLEAN Done;
    do {
        MI_CUT Cut = {.First = First, .Last = Last};
        Done = MiCutBelow(&Cut, MmDirectMap(Space->Root), 0, MI_LEVELS - 1);
        if (Cut.Count != 0)
            MiFlushTlbRange(First << PAGE_SHIFT, 1);
        for (ULONG I = 0; I < Cut.Count; I++)
            MiFreeTree(Space, &Cut.Tables[I].Entry, Cut.Tables[I].Level);
    } while (!Done);
}

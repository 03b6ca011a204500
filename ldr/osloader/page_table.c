/* SPDX-License-Identifier: MIT
 * The kernel's first address space (drawn in loader_block.h). All tables lie in one claim, so that none is
 * lost. */
#include "osloader/osl.h"

#define PRESENT 0x1ull
#define ACCESSED 0x20ull
#define DIRTY 0x40ull
#define LARGE 0x80ull
#define GLOBAL 0x100ull
#define ADDRESS_MASK 0x000ffffffffff000ull
#define TWO_MIB 0x200000ull
#define ONE_GIB 0x40000000ull
#define POINTER_TABLE_SPAN (512 * ONE_GIB)

/* A leaf of the direct map. Accessed and dirty are set: the processor then need not write them. */
#define DIRECT_LEAF (PRESENT | OSL_PAGE_WRITE | ACCESSED | DIRTY | LARGE | GLOBAL | OSL_PAGE_NO_EXECUTE)

static uint64_t *Entries(uint64_t Table)
{
    return (uint64_t *)(uintptr_t)(Table & ADDRESS_MASK);
}

static uint32_t IndexOf(uint64_t Virtual, uint32_t Level)
{
    return (uint32_t)(Virtual >> (12 + 9 * (Level - 1))) & 511;
}

static uint64_t NewTable(OSL_PAGE_TABLES *Tables)
{
    if (Tables->Next == Tables->End)
        OslFail("the page tables outgrew their memory; this is a fault of osloader");
    uint64_t Table = Tables->Next;
    Tables->Next += OSL_PAGE_SIZE;
    memset(Entries(Table), 0, OSL_PAGE_SIZE);
    return Table;
}

/* The table below an entry, which is made if need be. */
static uint64_t Descend(OSL_PAGE_TABLES *Tables, uint64_t Table, uint32_t Index)
{
    uint64_t *Entry = &Entries(Table)[Index];
    if (!(*Entry & PRESENT))
        *Entry = NewTable(Tables) | PRESENT | OSL_PAGE_WRITE | ACCESSED;
    return *Entry & ADDRESS_MASK;
}

static void MapDirectly(OSL_PAGE_TABLES *Tables, const LOADER_BLOCK *Block, bool Gigabyte)
{
    for (uint64_t At = 0; At < Block->DirectMapLength; At += ONE_GIB) {
        uint64_t Virtual = Block->DirectMapBase + At;
        uint64_t Pointers = Descend(Tables, Tables->Root, IndexOf(Virtual, 4));
        if (Gigabyte) {
            Entries(Pointers)[IndexOf(Virtual, 3)] = At | DIRECT_LEAF;
            continue;
        }
        uint64_t *Directory = Entries(Descend(Tables, Pointers, IndexOf(Virtual, 3)));
        for (uint64_t i = 0; i < 512; i++)
            Directory[i] = (At + i * TWO_MIB) | DIRECT_LEAF;
    }
}

void OslMapPage(OSL_PAGE_TABLES *Tables, uint64_t Virtual, uint64_t Physical, uint64_t Flags)
{
    uint64_t Table = Tables->Root;
    for (uint32_t Level = 4; Level > 1; Level--)
        Table = Descend(Tables, Table, IndexOf(Virtual, Level));
    uint64_t Dirty = Flags & OSL_PAGE_WRITE ? DIRTY : 0;
    Entries(Table)[IndexOf(Virtual, 1)] = Physical | Flags | PRESENT | ACCESSED | Dirty | GLOBAL;
}

static uint64_t CountTables(uint64_t DirectMapLength, bool Gigabyte, uint64_t ImageFirst, uint64_t ImageEnd)
{
    uint64_t Direct = (DirectMapLength + POINTER_TABLE_SPAN - 1) / POINTER_TABLE_SPAN;
    if (!Gigabyte)
        Direct += DirectMapLength / ONE_GIB;
    uint64_t Image = (ImageEnd - 1) / TWO_MIB - ImageFirst / TWO_MIB + 1; /* page tables */
    Image += (ImageEnd - 1) / ONE_GIB - ImageFirst / ONE_GIB + 1;         /* directories */
    return 1 + Direct + Image + 1; /* PML4, ..., the images' pointer table */
}

void OslCreatePageTables(OSL_PAGE_TABLES *Tables, OSL_MAP *Map, const LOADER_BLOCK *Block)
{
    bool Gigabyte = OslHasGigabytePages();
    const LOADER_IMAGE *Last = &Block->Images[Block->ImageCount - 1];
    uint64_t Length = OSL_PAGE_SIZE * CountTables(Block->DirectMapLength, Gigabyte, Block->Images[0].Base,
                                                  Last->Base + Last->Size);
    Tables->Next = (uint64_t)(uintptr_t)OslClaim(Map, Length, LoaderMemoryPageTables, "the page tables");
    Tables->End = Tables->Next + Length;
    Tables->Root = NewTable(Tables);
    uint64_t *Root = Entries(Tables->Root);
    Root[0] = (uint64_t)(uintptr_t)OslIdentityTables | PRESENT | OSL_PAGE_WRITE | ACCESSED;
    Root[Block->RecursiveSlot] =
        Tables->Root | PRESENT | OSL_PAGE_WRITE | ACCESSED | DIRTY | OSL_PAGE_NO_EXECUTE;
    MapDirectly(Tables, Block, Gigabyte);
}

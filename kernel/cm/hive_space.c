/* SPDX-License-Identifier: MIT
 * Cells of a writable hive. The bins lie in one block of memory that grows; what is free in them is found through lists by size, which
 * run through the free cells themselves. Neighbours that are free become one cell.
 *
 *   block:      header of the file (4096) | bins, Capacity bytes | one byte for each page of them: does a bin begin here?
 *   free cell:  size, next, previous   (8 bytes: size only, in no list) */
#include "cm/hive_private.h"

#define PAGE 4096u
#define PAGE_BIN 1u /* a bin begins here */
#define SMALLEST_LISTED 16u
#define SMALLEST_STORE (4 * PAGE)

static uint8_t *Bytes(const HIVE_STORE *Store)
{
    return Store->Block + HIVE_HEADER_SIZE;
}

static uint8_t *Pages(const HIVE_STORE *Store)
{
    return Bytes(Store) + Store->Capacity;
}

void HiveInitStores(HIVE *Hive)
{
    memset(Hive, 0, sizeof(*Hive));
    for (uint32_t i = 0; i < HIVE_STORES; i++) {
        memset(Hive->Stores[i].Free, 0xff, sizeof(Hive->Stores[i].Free));
        Hive->Stores[i].Security = HIVE_NO_CELL;
    }
}

/* The volatile store belongs to no file. */
static void MarkDirty(HIVE *Hive, const HIVE_STORE *Store)
{
    Hive->Dirty |= Store == &Hive->Stores[0];
}

HIVE_STATUS HiveReserve(HIVE *Hive, uint32_t Index, uint32_t Size)
{
    HIVE_STORE *Store = &Hive->Stores[Index];
    if (Size > HIVE_MAX_BINS - Store->Length)
        return HiveTooLarge;
    uint32_t Needed = (Store->Length + Size + PAGE - 1) & ~(PAGE - 1);
    if (Store->Block && Needed <= Store->Capacity)
        return HiveOk;
    uint32_t Capacity = Store->Capacity < HIVE_MAX_BINS / 2 ? Store->Capacity * 2 : HIVE_MAX_BINS;
    if (Capacity < Needed)
        Capacity = Needed;
    if (Capacity < SMALLEST_STORE)
        Capacity = SMALLEST_STORE;
    size_t Total = HIVE_HEADER_SIZE + (size_t)Capacity + Capacity / PAGE;
    uint8_t *Block = Hive->Memory.Allocate(Hive->Memory.Context, Total);
    if (!Block)
        return HiveNoMemory;
    memset(Block, 0, Total);
    if (Store->Block) {
        memcpy(Block, Store->Block, HIVE_HEADER_SIZE + (size_t)Store->Length);
        memcpy(Block + HIVE_HEADER_SIZE + Capacity, Pages(Store), Store->Length / PAGE);
        Hive->Memory.Free(Hive->Memory.Context, Store->Block);
    }
    Store->Block = Block;
    Store->Capacity = Capacity;
    Store->Bins = Bytes(Store);
    return HiveOk;
}

/* --- lists of free cells ------------------------------------------------------------------------------------ */

static uint32_t ListOf(uint32_t Size)
{
    uint32_t List = 0;
    for (Size /= 2 * SMALLEST_LISTED; Size && List < HIVE_FREE_LISTS - 1; Size /= 2)
        List++;
    return List;
}

/* The cell at Offset is free, of Size bytes. */
static void PutFree(HIVE_STORE *Store, uint32_t Offset, uint32_t Size)
{
    uint8_t *At = Bytes(Store) + Offset;
    HiveStore32(At, Size);
    if (Size < SMALLEST_LISTED)
        return;
    uint32_t *Head = &Store->Free[ListOf(Size)];
    HiveStore32(At + 4, *Head);
    HiveStore32(At + 8, HIVE_NO_CELL);
    if (*Head != HIVE_NO_CELL)
        HiveStore32(Bytes(Store) + *Head + 8, Offset);
    *Head = Offset;
}

static void TakeFree(HIVE_STORE *Store, uint32_t Offset, uint32_t Size)
{
    if (Size < SMALLEST_LISTED)
        return;
    const uint8_t *At = Bytes(Store) + Offset;
    uint32_t Next = HiveLoad32(At + 4), Previous = HiveLoad32(At + 8);
    if (Next != HIVE_NO_CELL)
        HiveStore32(Bytes(Store) + Next + 8, Previous);
    if (Previous != HIVE_NO_CELL)
        HiveStore32(Bytes(Store) + Previous + 4, Next);
    else
        Store->Free[ListOf(Size)] = Next;
}

/* A free cell of at least Size bytes, still in its list. */
static uint32_t FindFree(const HIVE_STORE *Store, uint32_t Size)
{
    for (uint32_t List = ListOf(Size); List < HIVE_FREE_LISTS; List++) {
        for (uint32_t At = Store->Free[List]; At != HIVE_NO_CELL; At = HiveLoad32(Bytes(Store) + At + 4)) {
            if (HiveLoad32(Bytes(Store) + At) >= Size)
                return At;
        }
    }
    return HIVE_NO_CELL;
}

void HiveIndexStore(HIVE *Hive, uint32_t Index)
{
    HIVE_STORE *Store = &Hive->Stores[Index];
    for (uint32_t Bin = 0; Bin < Store->Length;) {
        uint32_t End = Bin + HiveLoad32(Store->Bins + Bin + HBIN_SIZE);
        Pages(Store)[Bin / PAGE] |= PAGE_BIN;
        for (uint32_t At = Bin + HIVE_BIN_HEADER; At < End; At += HiveCellSize(Store->Bins, At)) {
            if (!(HiveLoad32(Store->Bins + At) & 0x80000000u))
                PutFree(Store, At, HiveLoad32(Store->Bins + At));
        }
        Bin = End;
    }
}

/* --- cells --------------------------------------------------------------------------------------------------- */

/* A bin with one free cell of at least CellSize bytes. */
static HIVE_STATUS AddBin(HIVE *Hive, uint32_t Index, uint32_t CellSize)
{
    HIVE_STORE *Store = &Hive->Stores[Index];
    uint32_t Size = (HIVE_BIN_HEADER + CellSize + PAGE - 1) & ~(PAGE - 1);
    HIVE_STATUS Status = HiveReserve(Hive, Index, Size);
    if (Status != HiveOk)
        return Status;
    uint32_t Bin = Store->Length;
    uint8_t *At = Bytes(Store) + Bin;
    memcpy(At, "hbin", 4);
    HiveStore32(At + HBIN_OFFSET, Bin);
    HiveStore32(At + HBIN_SIZE, Size);
    Pages(Store)[Bin / PAGE] |= PAGE_BIN;
    Store->Length += Size;
    PutFree(Store, Bin + HIVE_BIN_HEADER, Size - HIVE_BIN_HEADER);
    MarkDirty(Hive, Store);
    return HiveOk;
}

HIVE_STATUS HiveNewCell(HIVE *Hive, uint32_t Index, uint32_t Size, uint32_t *Cell)
{
    HIVE_STORE *Store = &Hive->Stores[Index];
    if (Size > HIVE_MAX_BINS - 2 * PAGE)
        return HiveTooLarge;
    uint32_t CellSize = (Size + 4 + 7) & ~7u;
    if (CellSize < SMALLEST_LISTED)
        CellSize = SMALLEST_LISTED;
    uint32_t At = FindFree(Store, CellSize);
    if (At == HIVE_NO_CELL) {
        HIVE_STATUS Status = AddBin(Hive, Index, CellSize);
        if (Status != HiveOk)
            return Status;
        At = FindFree(Store, CellSize);
    }
    uint32_t Found = HiveLoad32(Bytes(Store) + At);
    TakeFree(Store, At, Found);
    if (Found > CellSize)
        PutFree(Store, At + CellSize, Found - CellSize);
    MarkDirty(Hive, Store);
    HiveStore32(Bytes(Store) + At, 0u - CellSize);
    memset(Bytes(Store) + At + 4, 0, CellSize - 4);
    *Cell = At | Index << 31;
    return HiveOk;
}

/* The free cell right before Offset, or HIVE_NO_CELL; *End: of the bin. */
static uint32_t FreeBefore(const HIVE_STORE *Store, uint32_t Offset, uint32_t *End)
{
    uint32_t Page = Offset / PAGE, Before = HIVE_NO_CELL;
    while (!(Pages(Store)[Page] & PAGE_BIN))
        Page--;
    uint32_t Bin = Page * PAGE;
    *End = Bin + HiveLoad32(Store->Bins + Bin + HBIN_SIZE);
    for (uint32_t At = Bin + HIVE_BIN_HEADER; At < Offset; At += HiveCellSize(Store->Bins, At))
        Before = At;
    if (Before == HIVE_NO_CELL || (HiveLoad32(Store->Bins + Before) & 0x80000000u))
        return HIVE_NO_CELL;
    return Before;
}

void HiveFreeCell(HIVE *Hive, uint32_t Cell)
{
    if (Cell == HIVE_NO_CELL)
        return;
    HIVE_STORE *Store = &Hive->Stores[HiveStoreOf(Cell)];
    uint32_t At = Cell & ~HIVE_VOLATILE, Size = HiveCellSize(Store->Bins, At), End;
    MarkDirty(Hive, Store);
    uint32_t Before = FreeBefore(Store, At, &End), Next = At + Size;
    if (Next < End && !(HiveLoad32(Store->Bins + Next) & 0x80000000u)) {
        uint32_t NextSize = HiveLoad32(Store->Bins + Next);
        TakeFree(Store, Next, NextSize);
        Size += NextSize;
    }
    if (Before != HIVE_NO_CELL) {
        uint32_t BeforeSize = HiveLoad32(Store->Bins + Before);
        TakeFree(Store, Before, BeforeSize);
        Size += BeforeSize;
        At = Before;
    }
    PutFree(Store, At, Size);
}

uint32_t HiveCellRoom(const HIVE *Hive, uint32_t Cell)
{
    return HiveCellSize(Hive->Stores[HiveStoreOf(Cell)].Bins, Cell & ~HIVE_VOLATILE) - 4;
}

uint8_t *HiveModify(HIVE *Hive, uint32_t Cell)
{
    HIVE_STORE *Store = &Hive->Stores[HiveStoreOf(Cell)];
    uint32_t At = Cell & ~HIVE_VOLATILE;
    MarkDirty(Hive, Store);
    return Bytes(Store) + At + 4;
}

void HiveDestroy(HIVE *Hive)
{
    for (uint32_t i = 0; i < HIVE_STORES; i++) {
        if (Hive->Stores[i].Block)
            Hive->Memory.Free(Hive->Memory.Context, Hive->Stores[i].Block);
    }
    memset(Hive, 0, sizeof(*Hive));
}

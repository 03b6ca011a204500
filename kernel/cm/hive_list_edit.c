/* SPDX-License-Identifier: MIT
 * Changing the lists of subkeys. They are sorted by upper-case name. A leaf that is full is split and an ri list leads to the halves;
 * leaves that have become small are merged; an ri list with one leaf left gives way to it. */
#include "cm/hive_private.h"

#define LEAF_LIMIT 507u  /* entries of one lh list: it fits into one bin of 4096 bytes */
#define MERGE_LIMIT 253u /* two leaves with as many entries together become one */
#define ROOT_LIMIT 0xffffu

/* Where a key stands, or is to stand. */
typedef struct PLACE {
    bool Root;       /* List is an ri list */
    uint32_t Number; /* of the leaf in it */
    uint32_t Leaves; /* in it */
    uint32_t Index;  /* in the leaf */
    HIVE_LEAF Leaf;
} PLACE;

typedef struct ENTRY {
    uint32_t Key; /* cell */
    const uint16_t *Name;
    uint32_t Length;
} ENTRY;

static uint32_t EntryCell(const HIVE_LEAF *Leaf, uint32_t Index)
{
    return HiveLoad32(Leaf->Entries + (size_t)Index * Leaf->Stride);
}

/* Negative: the entry's name comes before Name. */
static HIVE_STATUS Compare(HIVE *Hive, const HIVE_LEAF *Leaf, uint32_t Index, const ENTRY *Entry, int *Order)
{
    HIVE_KEY Key;
    HIVE_STATUS Status = HiveReadKeyFrom(Hive, Leaf->Cell, EntryCell(Leaf, Index), &Key);
    if (Status == HiveOk)
        *Order = HiveCompareName(&Key.Name, Entry->Name, Entry->Length);
    return Status;
}

/* The first entry of the leaf whose name comes after Entry's. */
static HIVE_STATUS SearchLeaf(HIVE *Hive, const HIVE_LEAF *Leaf, const ENTRY *Entry, uint32_t *Index)
{
    uint32_t Low = 0, High = Leaf->Count;
    while (Low < High) {
        int Order;
        uint32_t Middle = Low + (High - Low) / 2;
        HIVE_STATUS Status = Compare(Hive, Leaf, Middle, Entry, &Order);
        if (Status != HiveOk)
            return Status;
        if (Order < 0)
            Low = Middle + 1;
        else
            High = Middle;
    }
    *Index = Low;
    return HiveOk;
}

/* The leaf whose last name comes after Entry's, else the last leaf. */
static HIVE_STATUS FindPlace(HIVE *Hive, uint32_t List, const ENTRY *Entry, PLACE *Place)
{
    HIVE_LEAF_WALK Walk;
    HIVE_STATUS Status = HiveBeginLeaves(Hive, HIVE_NO_CELL, List, &Walk);
    Place->Root = Status == HiveOk && Walk.Next != NULL;
    Place->Leaves = Status == HiveOk ? Walk.Leaves : 0;
    Place->Number = 0;
    while (Status == HiveOk) {
        int Order = 1;
        Status = HiveNextLeaf(&Walk, &Place->Leaf);
        if (Status == HiveOk && Walk.Leaves)
            Status = Compare(Hive, &Place->Leaf, Place->Leaf.Count - 1, Entry, &Order);
        if (Status != HiveOk)
            return Status;
        if (Order > 0)
            return SearchLeaf(Hive, &Place->Leaf, Entry, &Place->Index);
        Place->Number += 1;
    }
    return Status;
}

/* --- writing leaves ------------------------------------------------------------------------------------------ */

static HIVE_STATUS NewLeaf(HIVE *Hive, uint32_t Store, const uint8_t *Kind, uint32_t Stride, uint32_t Room,
                           uint32_t *Cell)
{
    uint8_t Magic[2] = {Kind[0], Kind[1]}; /* Kind may lie in the hive, which may move */
    HIVE_STATUS Status = HiveNewCell(Hive, Store, LIST_ENTRIES + Room * Stride, Cell);
    if (Status == HiveOk)
        memcpy(HiveModify(Hive, *Cell), Magic, 2);
    return Status;
}

/* lf: the first four characters; lh: the hash. */
static void StoreEntry(uint8_t *At, const HIVE_LEAF *Leaf, const ENTRY *Entry)
{
    HiveStore32(At, Entry->Key);
    if (Leaf->Stride == 4)
        return;
    if (Leaf->Hashed) {
        HiveStore32(At + 4, HiveHashText(Entry->Name, Entry->Length));
        return;
    }
    for (uint32_t i = 0; i < 4; i++)
        At[4 + i] = i < Entry->Length && Entry->Name[i] < 0x100 ? (uint8_t)Entry->Name[i] : 0;
}

/* The leaf has room for it. */
static void PutEntry(HIVE *Hive, HIVE_LEAF *Leaf, uint32_t Index, const ENTRY *Entry)
{
    uint8_t *List = HiveModify(Hive, Leaf->Cell);
    uint8_t *At = List + LIST_ENTRIES + (size_t)Index * Leaf->Stride;
    memmove(At + Leaf->Stride, At, (size_t)(Leaf->Count - Index) * Leaf->Stride);
    StoreEntry(At, Leaf, Entry);
    HiveStore16(List + LIST_COUNT, (uint16_t)(Leaf->Count + 1));
}

static void SetLeaf(HIVE *Hive, uint32_t Root, uint32_t Number, uint32_t Leaf)
{
    HiveStore32(HiveModify(Hive, Root) + LIST_ENTRIES + (size_t)Number * 4, Leaf);
}

/* Copies Count entries, beginning with First, to the end of the leaf To. */
static void CopyEntries(HIVE *Hive, const HIVE_LEAF *Leaf, uint32_t First, uint32_t Count, uint32_t To)
{
    uint8_t *List = HiveModify(Hive, To);
    const uint8_t *From = HiveModify(Hive, Leaf->Cell) + LIST_ENTRIES + (size_t)First * Leaf->Stride;
    uint32_t Had = HiveLoad16(List + LIST_COUNT);
    memcpy(List + LIST_ENTRIES + (size_t)Had * Leaf->Stride, From, (size_t)Count * Leaf->Stride);
    HiveStore16(List + LIST_COUNT, (uint16_t)(Had + Count));
}

/* --- inserting ----------------------------------------------------------------------------------------------- */

static HIVE_STATUS FirstLeaf(HIVE *Hive, uint32_t Store, uint32_t *List, const ENTRY *Entry)
{
    HIVE_LEAF Leaf = {.Stride = 8, .Hashed = Hive->Version >= 5};
    HIVE_STATUS Status = NewLeaf(Hive, Store, (const uint8_t *)(Leaf.Hashed ? "lh" : "lf"), 8, 1, &Leaf.Cell);
    if (Status != HiveOk)
        return Status;
    PutEntry(Hive, &Leaf, 0, Entry);
    *List = Leaf.Cell;
    return HiveOk;
}

/* The leaf moves to a cell with room for a quarter more. */
static HIVE_STATUS GrowLeaf(HIVE *Hive, uint32_t Store, uint32_t *List, PLACE *Place)
{
    uint32_t Room = Place->Leaf.Count + Place->Leaf.Count / 4 + 2, Cell;
    if (Room > LEAF_LIMIT && Place->Leaf.Count < LEAF_LIMIT)
        Room = LEAF_LIMIT;
    HIVE_STATUS Status =
        NewLeaf(Hive, Store, Place->Leaf.Entries - LIST_ENTRIES, Place->Leaf.Stride, Room, &Cell);
    if (Status != HiveOk)
        return Status;
    CopyEntries(Hive, &Place->Leaf, 0, Place->Leaf.Count, Cell);
    HiveFreeCell(Hive, Place->Leaf.Cell);
    Place->Leaf.Cell = Cell;
    if (Place->Root)
        SetLeaf(Hive, *List, Place->Number, Cell);
    else
        *List = Cell;
    return HiveOk;
}

/* An ri list with room for one leaf more than there are; *Root is the old one when it has that room. */
static HIVE_STATUS RoomyRoot(HIVE *Hive, uint32_t Store, uint32_t List, const PLACE *Place, uint32_t *Root)
{
    if (Place->Leaves == ROOT_LIMIT) /* the count has 16 bits, whatever room the cell has */
        return HiveTooLarge;
    if (Place->Root && (HiveCellRoom(Hive, List) - LIST_ENTRIES) / 4 > Place->Leaves) {
        *Root = List;
        return HiveOk;
    }
    uint32_t Room = Place->Leaves + Place->Leaves / 4 + 2;
    return NewLeaf(Hive, Store, (const uint8_t *)"ri", 4, Room, Root);
}

/* Root holds the leaves that there were, and Right after the one at Place. */
static void LinkHalf(HIVE *Hive, uint32_t *List, const PLACE *Place, uint32_t Root, uint32_t Right)
{
    uint8_t *To = HiveModify(Hive, Root);
    if (!Place->Root)
        HiveStore32(To + LIST_ENTRIES, Place->Leaf.Cell);
    else if (Root != *List)
        memcpy(To + LIST_ENTRIES, HiveModify(Hive, *List) + LIST_ENTRIES, (size_t)Place->Leaves * 4);
    uint8_t *At = To + LIST_ENTRIES + (size_t)(Place->Number + 1) * 4;
    memmove(At + 4, At, (size_t)(Place->Leaves - Place->Number - 1) * 4);
    HiveStore32(At, Right);
    HiveStore16(To + LIST_COUNT, (uint16_t)(Place->Leaves + 1));
    if (Place->Root && Root != *List)
        HiveFreeCell(Hive, *List);
    *List = Root;
}

static HIVE_STATUS SplitLeaf(HIVE *Hive, uint32_t Store, uint32_t *List, PLACE *Place)
{
    HIVE_LEAF *Leaf = &Place->Leaf;
    uint32_t Right, Root, Half = Leaf->Count / 2;
    uint32_t Room = Leaf->Count - Half < LEAF_LIMIT ? LEAF_LIMIT : Leaf->Count - Half + 1;
    HIVE_STATUS Status = NewLeaf(Hive, Store, Leaf->Entries - LIST_ENTRIES, Leaf->Stride, Room, &Right);
    if (Status != HiveOk)
        return Status;
    Status = RoomyRoot(Hive, Store, *List, Place, &Root);
    if (Status != HiveOk) {
        HiveFreeCell(Hive, Right);
        return Status;
    }
    CopyEntries(Hive, Leaf, Half, Leaf->Count - Half, Right);
    HiveStore16(HiveModify(Hive, Leaf->Cell) + LIST_COUNT, (uint16_t)Half);
    LinkHalf(Hive, List, Place, Root, Right);
    return HiveOk;
}

HIVE_STATUS HiveListInsert(HIVE *Hive, uint32_t Store, uint32_t *List, uint32_t Key, const uint16_t *Name,
                           uint32_t Length)
{
    PLACE Place;
    ENTRY Entry = {Key, Name, Length};
    if (*List == HIVE_NO_CELL)
        return FirstLeaf(Hive, Store, List, &Entry);
    HIVE_STATUS Status = FindPlace(Hive, *List, &Entry, &Place);
    if (Status == HiveOk && Place.Leaf.Count >= LEAF_LIMIT) {
        Status = SplitLeaf(Hive, Store, List, &Place);
        if (Status == HiveOk)
            Status = FindPlace(Hive, *List, &Entry, &Place);
    }
    if (Status == HiveOk && Place.Leaf.Count == Place.Leaf.Room)
        Status = GrowLeaf(Hive, Store, List, &Place);
    if (Status == HiveOk)
        PutEntry(Hive, &Place.Leaf, Place.Index, &Entry);
    return Status;
}

/* --- removing ------------------------------------------------------------------------------------------------ */

static HIVE_STATUS FindKey(HIVE *Hive, uint32_t List, uint32_t Key, PLACE *Place)
{
    HIVE_LEAF_WALK Walk;
    HIVE_STATUS Status = HiveBeginLeaves(Hive, HIVE_NO_CELL, List, &Walk);
    Place->Root = Status == HiveOk && Walk.Next != NULL;
    Place->Leaves = Status == HiveOk ? Walk.Leaves : 0;
    for (Place->Number = 0; Status == HiveOk; Place->Number++) {
        Status = HiveNextLeaf(&Walk, &Place->Leaf);
        for (uint32_t i = 0; Status == HiveOk && i < Place->Leaf.Count; i++) {
            if (EntryCell(&Place->Leaf, i) != Key)
                continue;
            Place->Index = i;
            return HiveOk;
        }
    }
    return HiveReport(Hive, Key, "a key is missing in its parent's list");
}

/* Takes leaf Number, which is free, out of the ri list; the last one left takes its place. */
static void DropLeaf(HIVE *Hive, uint32_t *List, uint32_t Number, uint32_t Leaves)
{
    uint8_t *Root = HiveModify(Hive, *List);
    uint8_t *At = Root + LIST_ENTRIES + (size_t)Number * 4;
    memmove(At, At + 4, (size_t)(Leaves - Number - 1) * 4);
    HiveStore16(Root + LIST_COUNT, (uint16_t)(Leaves - 1));
    if (Leaves != 2)
        return;
    uint32_t Last = HiveLoad32(Root + LIST_ENTRIES);
    HiveFreeCell(Hive, *List);
    *List = Last;
}

/* The leaf after the one at Place joins it when both are small, of a kind, and it has the room. */
static void MergeNext(HIVE *Hive, uint32_t *List, const PLACE *Place)
{
    HIVE_LEAF Left, Right;
    const uint8_t *Next = HiveModify(Hive, *List) + LIST_ENTRIES + (size_t)(Place->Number + 1) * 4;
    if (HiveReadLeaf(Hive, *List, Place->Leaf.Cell, &Left) != HiveOk ||
        HiveReadLeaf(Hive, *List, HiveLoad32(Next), &Right) != HiveOk)
        return;
    uint32_t Total = Left.Count + Right.Count;
    bool SameKind = Left.Stride == Right.Stride && Left.Hashed == Right.Hashed;
    if (!SameKind || Total > MERGE_LIMIT || Total > Left.Room)
        return;
    CopyEntries(Hive, &Right, 0, Right.Count, Left.Cell);
    HiveFreeCell(Hive, Right.Cell);
    DropLeaf(Hive, List, Place->Number + 1, Place->Leaves);
}

HIVE_STATUS HiveListRemove(HIVE *Hive, uint32_t *List, uint32_t Key)
{
    PLACE Place;
    HIVE_STATUS Status = FindKey(Hive, *List, Key, &Place);
    if (Status != HiveOk)
        return Status;
    HIVE_LEAF *Leaf = &Place.Leaf;
    if (Leaf->Count > 1) {
        uint8_t *Cell = HiveModify(Hive, Leaf->Cell);
        uint8_t *At = Cell + LIST_ENTRIES + (size_t)Place.Index * Leaf->Stride;
        memmove(At, At + Leaf->Stride, (size_t)(Leaf->Count - Place.Index - 1) * Leaf->Stride);
        HiveStore16(Cell + LIST_COUNT, (uint16_t)(Leaf->Count - 1));
        if (Place.Root && Place.Number + 1 < Place.Leaves)
            MergeNext(Hive, List, &Place);
        return HiveOk;
    }
    HiveFreeCell(Hive, Leaf->Cell);
    if (Place.Root && Place.Leaves > 1) {
        DropLeaf(Hive, List, Place.Number, Place.Leaves);
        return HiveOk;
    }
    if (Place.Root)
        HiveFreeCell(Hive, *List);
    *List = HIVE_NO_CELL;
    return HiveOk;
}

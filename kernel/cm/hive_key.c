/* SPDX-License-Identifier: MIT
 * Keys of an open hive: nk cells and the lists that lead to subkeys (lf, lh, li, and ri lists of those). */
#include "cm/hive_private.h"

#define SMALLEST_KEY 80u /* bytes of an nk cell with a name of one character */

/* An nk cell's name, checked: not empty, not too long, no backslash. */
static bool ReadName(const uint8_t *Cell, uint32_t Length, HIVE_KEY *Key)
{
    uint32_t Stored = HiveLoad16(Cell + NK_NAME_LENGTH);
    Key->Name.Compressed = (Key->Flags & NK_FLAG_COMPRESSED) != 0;
    Key->Name.Bytes = Cell + NK_NAME;
    Key->Name.Length = (uint16_t)(Key->Name.Compressed ? Stored : Stored / 2);
    if (Stored > Length - NK_NAME || Key->Name.Length == 0 || Key->Name.Length > HIVE_MAX_KEY_NAME)
        return false;
    if (!Key->Name.Compressed && Stored % 2)
        return false;
    for (uint32_t i = 0; i < Key->Name.Length; i++) {
        if (HiveNameCharacter(&Key->Name, i) == '\\')
            return false;
    }
    return true;
}

static HIVE_STATUS ReadKeyFrom(HIVE *Hive, uint32_t From, uint32_t Cell, HIVE_KEY *Key)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, From, Cell, NK_NAME, &Length);
    if (!At)
        return HiveDamaged;
    if (memcmp(At, "nk", 2) != 0)
        return HiveReport(Hive, Cell, "a reference to a key leads to a cell that is no key (nk)");
    Key->Cell = Cell;
    Key->Flags = HiveLoad16(At + NK_FLAGS);
    Key->LastWriteTime = HiveLoad64(At + NK_TIME);
    Key->Parent = HiveLoad32(At + NK_PARENT);
    Key->SubKeyCount = HiveLoad32(At + NK_SUBKEY_COUNT);
    Key->SubKeyList = HiveLoad32(At + NK_SUBKEY_LIST);
    Key->ValueCount = HiveLoad32(At + NK_VALUE_COUNT);
    Key->ValueList = HiveLoad32(At + NK_VALUE_LIST);
    Key->Class = HiveLoad32(At + NK_CLASS);
    Key->ClassLength = HiveLoad16(At + NK_CLASS_LENGTH);
    if (!ReadName(At, Length, Key))
        return HiveReport(Hive, Cell, "a key's name is empty, too long for its cell, or holds a backslash");
    if (Key->SubKeyCount > Hive->BinsLength / SMALLEST_KEY)
        return HiveReport(Hive, Cell, "a key counts more subkeys than the hive can hold");
    if (Key->ValueCount > Hive->BinsLength / 4)
        return HiveReport(Hive, Cell, "a key counts more values than the hive can hold");
    return HiveOk;
}

HIVE_STATUS HiveReadRoot(HIVE *Hive, HIVE_KEY *Key)
{
    return ReadKeyFrom(Hive, HIVE_NO_CELL, Hive->Root, Key);
}

HIVE_STATUS HiveReadKey(HIVE *Hive, uint32_t Cell, HIVE_KEY *Key)
{
    return ReadKeyFrom(Hive, Cell < Hive->BinsLength ? Cell : HIVE_NO_CELL, Cell, Key);
}

/* One lf, lh or li list. */
typedef struct LEAF {
    uint32_t Cell;
    const uint8_t *Entries;
    uint32_t Count;
    uint32_t Stride; /* bytes of an entry; the subkey's cell comes first */
    bool Hashed;     /* lh: the word after the cell is the name's hash */
} LEAF;

static HIVE_STATUS ReadLeaf(HIVE *Hive, uint32_t From, uint32_t Cell, LEAF *Leaf)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, From, Cell, LIST_ENTRIES, &Length);
    if (!At)
        return HiveDamaged;
    Leaf->Hashed = memcmp(At, "lh", 2) == 0;
    Leaf->Stride = memcmp(At, "li", 2) == 0 ? 4 : 8;
    if (!Leaf->Hashed && Leaf->Stride == 8 && memcmp(At, "lf", 2) != 0)
        return HiveReport(Hive, Cell, "a list of subkeys is no lf, lh or li cell");
    Leaf->Cell = Cell;
    Leaf->Entries = At + LIST_ENTRIES;
    Leaf->Count = HiveLoad16(At + LIST_COUNT);
    if (Leaf->Count == 0 || Leaf->Count > (Length - LIST_ENTRIES) / Leaf->Stride)
        return HiveReport(Hive, Cell, "a list of subkeys is empty or longer than its cell");
    return HiveOk;
}

/* The leaves of one key, one after the other. */
typedef struct LEAF_WALK {
    HIVE *Hive;
    uint32_t List;       /* the key's list */
    const uint8_t *Next; /* entry of the ri list; NULL when the list is a leaf itself */
    uint32_t Leaves;     /* still to come */
} LEAF_WALK;

static HIVE_STATUS BeginLeaves(HIVE *Hive, const HIVE_KEY *Key, LEAF_WALK *Walk)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, Key->Cell, Key->SubKeyList, LIST_ENTRIES, &Length);
    if (!At)
        return HiveDamaged;
    *Walk = (LEAF_WALK){Hive, Key->SubKeyList, NULL, 1};
    if (memcmp(At, "ri", 2) != 0)
        return HiveOk;
    Walk->Next = At + LIST_ENTRIES;
    Walk->Leaves = HiveLoad16(At + LIST_COUNT);
    if (Walk->Leaves > (Length - LIST_ENTRIES) / 4)
        return HiveReport(Hive, Key->SubKeyList, "a list of lists is longer than its cell");
    return HiveOk;
}

/* HiveNoMoreEntries after the last leaf. */
static HIVE_STATUS NextLeaf(LEAF_WALK *Walk, LEAF *Leaf)
{
    if (Walk->Leaves == 0)
        return HiveNoMoreEntries;
    Walk->Leaves -= 1;
    if (!Walk->Next)
        return ReadLeaf(Walk->Hive, Walk->List, Walk->List, Leaf);
    uint32_t Cell = HiveLoad32(Walk->Next);
    Walk->Next += 4;
    return ReadLeaf(Walk->Hive, Walk->List, Cell, Leaf);
}

static HIVE_STATUS TooFew(HIVE *Hive, const HIVE_KEY *Key, HIVE_STATUS Status)
{
    if (Status != HiveNoMoreEntries)
        return Status;
    return HiveReport(Hive, Key->Cell, "a key counts more subkeys than its lists hold");
}

HIVE_STATUS HiveSubKey(HIVE *Hive, const HIVE_KEY *Key, uint32_t Index, HIVE_KEY *SubKey)
{
    if (Index >= Key->SubKeyCount)
        return HiveNoMoreEntries;
    LEAF_WALK Walk;
    LEAF Leaf;
    HIVE_STATUS Status = BeginLeaves(Hive, Key, &Walk);
    if (Status == HiveOk)
        Status = NextLeaf(&Walk, &Leaf);
    while (Status == HiveOk && Index >= Leaf.Count) {
        Index -= Leaf.Count;
        Status = NextLeaf(&Walk, &Leaf);
    }
    if (Status != HiveOk)
        return TooFew(Hive, Key, Status);
    Status = ReadKeyFrom(Hive, Leaf.Cell, HiveLoad32(Leaf.Entries + (size_t)Index * Leaf.Stride), SubKey);
    if (Status == HiveOk && SubKey->Parent != Key->Cell)
        return HiveReport(Hive, SubKey->Cell, "a subkey names another parent than the key that lists it");
    return Status;
}

static bool IsAscii(const uint16_t *Name, uint32_t Length)
{
    for (uint32_t i = 0; i < Length; i++) {
        if (Name[i] >= 0x80)
            return false;
    }
    return true;
}

/* Searches Count entries of one leaf. The hash decides only for ASCII names: for others the writer's case
 * table may differ from ours. */
static HIVE_STATUS SearchLeaf(HIVE *Hive, const LEAF *Leaf, uint32_t Count, const uint16_t *Name,
                              uint32_t Length, HIVE_KEY *SubKey)
{
    bool UseHash = Leaf->Hashed && IsAscii(Name, Length);
    uint32_t Hash = HiveHashText(Name, Length);
    for (uint32_t i = 0; i < Count; i++) {
        const uint8_t *Entry = Leaf->Entries + (size_t)i * Leaf->Stride;
        if (UseHash && HiveLoad32(Entry + 4) != Hash)
            continue;
        HIVE_STATUS Status = ReadKeyFrom(Hive, Leaf->Cell, HiveLoad32(Entry), SubKey);
        if (Status != HiveOk)
            return Status;
        if (HiveNameEquals(&SubKey->Name, Name, Length))
            return HiveOk;
    }
    return HiveNotFound;
}

/* Looks at no more entries than the key counts, so lists that repeat a leaf cannot make the search long. */
HIVE_STATUS HiveFindSubKey(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                           HIVE_KEY *SubKey)
{
    if (Key->SubKeyCount == 0)
        return HiveNotFound;
    LEAF_WALK Walk;
    LEAF Leaf;
    HIVE_STATUS Status = BeginLeaves(Hive, Key, &Walk);
    for (uint32_t Left = Key->SubKeyCount; Status == HiveOk && Left;) {
        Status = NextLeaf(&Walk, &Leaf);
        if (Status != HiveOk)
            return TooFew(Hive, Key, Status);
        uint32_t Count = Leaf.Count < Left ? Leaf.Count : Left;
        Left -= Count;
        Status = SearchLeaf(Hive, &Leaf, Count, Name, Length, SubKey);
        if (Status == HiveOk && SubKey->Parent != Key->Cell)
            return HiveReport(Hive, SubKey->Cell, "a subkey names another parent than the key that lists it");
        if (Status != HiveNotFound)
            return Status;
        Status = HiveOk;
    }
    return Status == HiveOk ? HiveNotFound : Status;
}

HIVE_STATUS HiveReadClass(HIVE *Hive, const HIVE_KEY *Key, const uint8_t **Bytes)
{
    uint32_t Length;
    *Bytes = NULL;
    if (Key->ClassLength == 0)
        return HiveOk;
    if (Key->ClassLength % 2)
        return HiveReport(Hive, Key->Cell, "a key's class name has an odd number of bytes");
    *Bytes = HiveCell(Hive, Key->Cell, Key->Class, Key->ClassLength, &Length);
    return *Bytes ? HiveOk : HiveDamaged;
}

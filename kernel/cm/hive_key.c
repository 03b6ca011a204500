/* SPDX-License-Identifier: MIT
 * Keys of an open hive: nk cells, and their subkeys by number and by name. */
#include "cm/hive_private.h"

#define SMALLEST_KEY 80u /* bytes of an nk cell with a name of one character */

/* An nk cell's name, checked: not empty, not too long, no backslash. */
static bool ReadName(const HIVE *Hive, const uint8_t *Cell, uint32_t Length, HIVE_KEY *Key)
{
    uint32_t Stored = HiveLoad16(Cell + NK_NAME_LENGTH);
    Key->Name.Compressed = (Key->Flags & NK_FLAG_COMPRESSED) != 0;
    Key->Name.Bytes = Cell + NK_NAME;
    Key->Name.Length = (uint16_t)(Key->Name.Compressed ? Stored : Stored / 2);
    if (Stored > Length - NK_NAME || Key->Name.Length == 0 || Key->Name.Length > HIVE_MAX_KEY_NAME)
        return false;
    if (!Key->Name.Compressed && Stored % 2)
        return false;
    for (uint32_t i = 0; !Hive->Checked && i < Key->Name.Length; i++) {
        if (HiveNameCharacter(&Key->Name, i) == '\\')
            return false;
    }
    return true;
}

HIVE_STATUS HiveReadKeyFrom(HIVE *Hive, uint32_t From, uint32_t Cell, HIVE_KEY *Key)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, From, Cell, NK_NAME, &Length);
    if (!At)
        return HiveDamaged;
    if (HiveLoad16(At) != NK_MAGIC)
        return HiveReport(Hive, Cell, "a reference to a key leads to a cell that is no key (nk)");
    Key->Cell = Cell;
    Key->Flags = HiveLoad16(At + NK_FLAGS);
    Key->LastWriteTime = HiveLoad64(At + NK_TIME);
    Key->Parent = HiveLoad32(At + NK_PARENT);
    Key->SubKeyCount = HiveLoad32(At + NK_SUBKEY_COUNT);
    Key->SubKeyList = HiveLoad32(At + NK_SUBKEY_LIST);
    bool HasVolatile =
        Hive->Stores[1].Length != 0; /* else these fields are left from when the file was in use */
    Key->VolatileCount = HasVolatile ? HiveLoad32(At + NK_VOLATILE_COUNT) : 0;
    Key->VolatileList = HiveLoad32(At + NK_VOLATILE_LIST);
    Key->ValueCount = HiveLoad32(At + NK_VALUE_COUNT);
    Key->ValueList = HiveLoad32(At + NK_VALUE_LIST);
    Key->Security = HiveLoad32(At + NK_SECURITY);
    Key->Class = HiveLoad32(At + NK_CLASS);
    Key->ClassLength = HiveLoad16(At + NK_CLASS_LENGTH);
    if (!ReadName(Hive, At, Length, Key))
        return HiveReport(Hive, Cell, "a key's name is empty, too long for its cell, or holds a backslash");
    if (Key->SubKeyCount > Hive->Stores[0].Length / SMALLEST_KEY ||
        Key->VolatileCount > Hive->Stores[1].Length / SMALLEST_KEY)
        return HiveReport(Hive, Cell, "a key counts more subkeys than the hive can hold");
    if (Key->ValueCount > Hive->Stores[HiveStoreOf(Cell)].Length / 4)
        return HiveReport(Hive, Cell, "a key counts more values than the hive can hold");
    return HiveOk;
}

HIVE_STATUS HiveReadRoot(HIVE *Hive, HIVE_KEY *Key)
{
    return HiveReadKeyFrom(Hive, HIVE_NO_CELL, Hive->Root, Key);
}

HIVE_STATUS HiveReadKey(HIVE *Hive, uint32_t Cell, HIVE_KEY *Key)
{
    bool Inside = (Cell & ~HIVE_VOLATILE) < Hive->Stores[HiveStoreOf(Cell)].Length;
    return HiveReadKeyFrom(Hive, Inside ? Cell : HIVE_NO_CELL, Cell, Key);
}

static HIVE_STATUS TooFew(HIVE *Hive, const HIVE_KEY *Key, HIVE_STATUS Status)
{
    if (Status != HiveNoMoreEntries)
        return Status;
    return HiveReport(Hive, Key->Cell, "a key counts more subkeys than its lists hold");
}

static HIVE_STATUS Listed(HIVE *Hive, const HIVE_KEY *Key, const HIVE_KEY *SubKey)
{
    if (SubKey->Parent == Key->Cell)
        return HiveOk;
    return HiveReport(Hive, SubKey->Cell, "a subkey names another parent than the key that lists it");
}

HIVE_STATUS HiveSubKey(HIVE *Hive, const HIVE_KEY *Key, uint32_t Index, HIVE_KEY *SubKey)
{
    if (Index >= Key->SubKeyCount + Key->VolatileCount)
        return HiveNoMoreEntries;
    HIVE_LEAF_WALK Walk;
    HIVE_LEAF Leaf;
    bool Volatile = Index >= Key->SubKeyCount;
    Index -= Volatile ? Key->SubKeyCount : 0;
    HIVE_STATUS Status =
        HiveBeginLeaves(Hive, Key->Cell, Volatile ? Key->VolatileList : Key->SubKeyList, &Walk);
    if (Status == HiveOk)
        Status = HiveNextLeaf(&Walk, &Leaf);
    while (Status == HiveOk && Index >= Leaf.Count) {
        Index -= Leaf.Count;
        Status = HiveNextLeaf(&Walk, &Leaf);
    }
    if (Status != HiveOk)
        return TooFew(Hive, Key, Status);
    Status = HiveReadKeyFrom(Hive, Leaf.Cell, HiveLoad32(Leaf.Entries + (size_t)Index * Leaf.Stride), SubKey);
    return Status == HiveOk ? Listed(Hive, Key, SubKey) : Status;
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
static HIVE_STATUS SearchLeaf(HIVE *Hive, const HIVE_LEAF *Leaf, uint32_t Count, const uint16_t *Name,
                              uint32_t Length, HIVE_KEY *SubKey)
{
    bool UseHash = Leaf->Hashed && IsAscii(Name, Length);
    uint32_t Hash = HiveHashText(Name, Length);
    for (uint32_t i = 0; i < Count; i++) {
        const uint8_t *Entry = Leaf->Entries + (size_t)i * Leaf->Stride;
        if (UseHash && HiveLoad32(Entry + 4) != Hash)
            continue;
        HIVE_STATUS Status = HiveReadKeyFrom(Hive, Leaf->Cell, HiveLoad32(Entry), SubKey);
        if (Status != HiveOk)
            return Status;
        if (HiveNameEquals(&SubKey->Name, Name, Length))
            return HiveOk;
    }
    return HiveNotFound;
}

/* Looks at no more entries than the key counts, so lists that repeat a leaf cannot make the search long. */
static HIVE_STATUS SearchList(HIVE *Hive, const HIVE_KEY *Key, uint32_t List, uint32_t Left,
                              const uint16_t *Name, uint32_t Length, HIVE_KEY *SubKey)
{
    HIVE_LEAF_WALK Walk;
    HIVE_LEAF Leaf;
    HIVE_STATUS Status = HiveBeginLeaves(Hive, Key->Cell, List, &Walk);
    while (Status == HiveOk && Left) {
        Status = HiveNextLeaf(&Walk, &Leaf);
        if (Status != HiveOk)
            return TooFew(Hive, Key, Status);
        uint32_t Count = Leaf.Count < Left ? Leaf.Count : Left;
        Left -= Count;
        Status = SearchLeaf(Hive, &Leaf, Count, Name, Length, SubKey);
        if (Status == HiveOk)
            return Listed(Hive, Key, SubKey);
        if (Status == HiveNotFound)
            Status = HiveOk;
    }
    return Status == HiveOk ? HiveNotFound : Status;
}

HIVE_STATUS HiveFindSubKey(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                           HIVE_KEY *SubKey)
{
    HIVE_STATUS Status = HiveNotFound;
    if (Key->SubKeyCount)
        Status = SearchList(Hive, Key, Key->SubKeyList, Key->SubKeyCount, Name, Length, SubKey);
    if (Status == HiveNotFound && Key->VolatileCount)
        Status = SearchList(Hive, Key, Key->VolatileList, Key->VolatileCount, Name, Length, SubKey);
    return Status;
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

HIVE_STATUS HiveReadSecurity(HIVE *Hive, const HIVE_KEY *Key, const uint8_t **Bytes, uint32_t *Length)
{
    uint32_t Room;
    *Length = 0;
    *Bytes = NULL;
    if (Key->Security == HIVE_NO_CELL)
        return HiveOk;
    const uint8_t *At = HiveCell(Hive, Key->Cell, Key->Security, SK_DESCRIPTOR, &Room);
    if (!At)
        return HiveDamaged;
    if (memcmp(At, "sk", 2) != 0 || HiveLoad32(At + SK_LENGTH) > Room - SK_DESCRIPTOR)
        return HiveReport(Hive, Key->Security, "a key's security reference leads to a cell that is no sk");
    *Bytes = At + SK_DESCRIPTOR;
    *Length = HiveLoad32(At + SK_LENGTH);
    return HiveOk;
}

/* SPDX-License-Identifier: MIT
 * Making, deleting and renaming keys. All cells are made before anything that is in use changes. */
#include "cm/hive_private.h"

static bool IsKeyName(const uint16_t *Name, uint32_t Length)
{
    if (Length == 0 || Length > HIVE_MAX_KEY_NAME)
        return false;
    for (uint32_t i = 0; i < Length; i++) {
        if (Name[i] == '\\')
            return false;
    }
    return true;
}

/* Levels from the root to the key, both counted. */
static HIVE_STATUS Depth(HIVE *Hive, uint32_t Cell, uint32_t *Levels)
{
    HIVE_KEY Key;
    HIVE_STATUS Status = HiveOk;
    for (*Levels = 1; Cell != Hive->Root && *Levels <= HIVE_MAX_DEPTH && Status == HiveOk; *Levels += 1) {
        Status = HiveReadKey(Hive, Cell, &Key);
        Cell = Key.Parent;
    }
    return Status;
}

/* --- what a key has of its parent ----------------------------------------------------------------------------- */

static void StoreMaximum(uint8_t *Key, uint32_t Field, uint32_t Value)
{
    if (HiveLoad32(Key + Field) < Value)
        HiveStore32(Key + Field, Value);
}

/* Puts the key into its parent's list, the only step that can fail; then its parent knows it. */
static HIVE_STATUS Enlist(HIVE *Hive, uint32_t Parent, uint32_t Cell, const uint16_t *Name, uint32_t Length)
{
    HIVE_KEY Key;
    bool Volatile = HiveStoreOf(Cell) != 0;
    HIVE_STATUS Status = HiveReadKey(Hive, Parent, &Key);
    if (Status != HiveOk)
        return Status;
    uint32_t Count = Volatile ? Key.VolatileCount : Key.SubKeyCount;
    uint32_t List = Volatile ? Key.VolatileList : Key.SubKeyList;
    if (Count == 0)
        List = HIVE_NO_CELL;
    Status = HiveListInsert(Hive, HiveStoreOf(Cell), &List, Cell, Name, Length);
    if (Status != HiveOk)
        return Status;
    uint8_t *At = HiveModify(Hive, Parent);
    HiveStore32(At + (Volatile ? NK_VOLATILE_COUNT : NK_SUBKEY_COUNT), Count + 1);
    HiveStore32(At + (Volatile ? NK_VOLATILE_LIST : NK_SUBKEY_LIST), List);
    StoreMaximum(At, NK_MAX_NAME, Length * 2);
    return HiveOk;
}

static HIVE_STATUS Delist(HIVE *Hive, uint32_t Parent, uint32_t Cell, uint64_t Time)
{
    HIVE_KEY Key;
    bool Volatile = HiveStoreOf(Cell) != 0;
    HIVE_STATUS Status = HiveReadKey(Hive, Parent, &Key);
    if (Status != HiveOk)
        return Status;
    uint32_t List = Volatile ? Key.VolatileList : Key.SubKeyList;
    Status = HiveListRemove(Hive, &List, Cell);
    if (Status != HiveOk)
        return Status;
    uint8_t *At = HiveModify(Hive, Parent);
    uint32_t Count = Volatile ? Key.VolatileCount : Key.SubKeyCount;
    HiveStore32(At + (Volatile ? NK_VOLATILE_COUNT : NK_SUBKEY_COUNT), Count - 1);
    HiveStore32(At + (Volatile ? NK_VOLATILE_LIST : NK_SUBKEY_LIST), List);
    HiveStore64(At + NK_TIME, Time);
    return HiveOk;
}

/* --- making --------------------------------------------------------------------------------------------------- */

/* The cells of a key that is being made. */
typedef struct PARTS {
    uint32_t Key, Class, Security;
} PARTS;

static void DropParts(HIVE *Hive, const PARTS *Parts)
{
    HiveFreeCell(Hive, Parts->Key);
    HiveFreeCell(Hive, Parts->Class);
    HiveReleaseSecurity(Hive, Parts->Security);
}

static HIVE_STATUS InheritSecurity(HIVE *Hive, uint32_t Parent, uint32_t Store, uint32_t *Cell)
{
    HIVE_KEY Key;
    const uint8_t *Descriptor;
    uint32_t Length;
    HIVE_STATUS Status = HiveReadKey(Hive, Parent, &Key);
    if (Status == HiveOk)
        Status = HiveReadSecurity(Hive, &Key, &Descriptor, &Length);
    return Status == HiveOk && Length ? HiveShareSecurity(Hive, Store, Descriptor, Length, Cell) : Status;
}

static HIVE_STATUS MakeParts(HIVE *Hive, uint32_t Parent, uint32_t Stored, const HIVE_NEW_KEY *New,
                             PARTS *Parts)
{
    uint32_t Store = New->Volatile ? 1 : 0;
    *Parts = (PARTS){HIVE_NO_CELL, HIVE_NO_CELL, HIVE_NO_CELL};
    HIVE_STATUS Status = HiveNewCell(Hive, Store, NK_NAME + Stored, &Parts->Key);
    if (Status == HiveOk && New->ClassLength)
        Status = HiveNewCell(Hive, Store, New->ClassLength, &Parts->Class);
    if (Status == HiveOk)
        Status = InheritSecurity(Hive, Parent, Store, &Parts->Security);
    if (Status != HiveOk)
        DropParts(Hive, Parts);
    return Status;
}

static void FillKey(HIVE *Hive, uint32_t Parent, const uint16_t *Name, uint32_t Length,
                    const HIVE_NEW_KEY *New, const PARTS *Parts)
{
    uint8_t *Key = HiveModify(Hive, Parts->Key);
    uint16_t Compressed = HiveCompressible(Name, Length) ? NK_FLAG_COMPRESSED : 0;
    memcpy(Key, "nk", 2);
    HiveStore16(Key + NK_FLAGS, New->Flags | Compressed);
    HiveStore64(Key + NK_TIME, New->Time);
    HiveStore32(Key + NK_PARENT, Parent);
    HiveStore32(Key + NK_SUBKEY_LIST, HIVE_NO_CELL);
    HiveStore32(Key + NK_VOLATILE_LIST, HIVE_NO_CELL);
    HiveStore32(Key + NK_VALUE_LIST, HIVE_NO_CELL);
    HiveStore32(Key + NK_SECURITY, Parts->Security);
    HiveStore32(Key + NK_CLASS, Parts->Class);
    HiveStore16(Key + NK_NAME_LENGTH, (uint16_t)HiveStoredLength(Name, Length));
    HiveStore16(Key + NK_CLASS_LENGTH, New->ClassLength);
    HiveStoreName(Key + NK_NAME, Name, Length);
    if (New->ClassLength)
        memcpy(HiveModify(Hive, Parts->Class), New->Class, New->ClassLength);
}

HIVE_STATUS HiveAddKey(HIVE *Hive, uint32_t Parent, const uint16_t *Name, uint32_t Length,
                       const HIVE_NEW_KEY *New, uint32_t *Cell)
{
    PARTS Parts;
    uint32_t Levels;
    if (!IsKeyName(Name, Length))
        return HiveBadName;
    HIVE_STATUS Status = Depth(Hive, Parent, &Levels);
    if (Status == HiveOk && Levels >= HIVE_MAX_DEPTH)
        Status = HiveBadName;
    if (Status == HiveOk)
        Status = MakeParts(Hive, Parent, HiveStoredLength(Name, Length), New, &Parts);
    if (Status != HiveOk)
        return Status;
    FillKey(Hive, Parent, Name, Length, New, &Parts);
    Status = Enlist(Hive, Parent, Parts.Key, Name, Length);
    if (Status != HiveOk) {
        DropParts(Hive, &Parts);
        return Status;
    }
    uint8_t *At = HiveModify(Hive, Parent);
    StoreMaximum(At, NK_MAX_CLASS, New->ClassLength);
    HiveStore64(At + NK_TIME, New->Time);
    *Cell = Parts.Key;
    return HiveOk;
}

/* --- deleting ------------------------------------------------------------------------------------------------- */

HIVE_STATUS HiveDeleteKey(HIVE *Hive, uint32_t Cell, uint64_t Time)
{
    HIVE_KEY Key;
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Key);
    if (Status != HiveOk)
        return Status;
    if (Key.SubKeyCount || Key.VolatileCount)
        return HiveNotEmpty;
    Status = Delist(Hive, Key.Parent, Cell, Time);
    if (Status == HiveOk)
        Status = HiveFreeValues(Hive, &Key);
    if (Status != HiveOk)
        return Status;
    DropParts(Hive, &(PARTS){Cell, Key.ClassLength ? Key.Class : HIVE_NO_CELL, Key.Security});
    return HiveOk;
}

/* --- renaming ------------------------------------------------------------------------------------------------- */

static HIVE_STATUS Reparent(HIVE *Hive, const HIVE_KEY *Key, uint32_t NewParent)
{
    HIVE_KEY SubKey, Old = *Key;
    for (uint32_t i = 0; i < Key->SubKeyCount + Key->VolatileCount; i++) {
        /* the subkey still names the old cell */
        HIVE_STATUS Status = HiveSubKey(Hive, &Old, i, &SubKey);
        if (Status != HiveOk)
            return Status;
        HiveStore32(HiveModify(Hive, SubKey.Cell) + NK_PARENT, NewParent);
    }
    return HiveOk;
}

HIVE_STATUS HiveRenameKey(HIVE *Hive, uint32_t Cell, const uint16_t *Name, uint32_t Length, uint64_t Time,
                          uint32_t *NewCell)
{
    HIVE_KEY Key;
    uint32_t Stored = HiveStoredLength(Name, Length);
    if (!IsKeyName(Name, Length))
        return HiveBadName;
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Key);
    if (Status == HiveOk)
        Status = HiveNewCell(Hive, HiveStoreOf(Cell), NK_NAME + Stored, NewCell);
    if (Status != HiveOk)
        return Status;
    uint8_t *At = HiveModify(Hive, *NewCell);
    memcpy(At, HiveModify(Hive, Cell), NK_NAME);
    uint16_t Compressed = HiveCompressible(Name, Length) ? NK_FLAG_COMPRESSED : 0;
    HiveStore16(At + NK_FLAGS, (uint16_t)((Key.Flags & ~NK_FLAG_COMPRESSED) | Compressed));
    HiveStore16(At + NK_NAME_LENGTH, (uint16_t)Stored);
    HiveStore64(At + NK_TIME, Time);
    HiveStoreName(At + NK_NAME, Name, Length);
    Status = Enlist(Hive, Key.Parent, *NewCell, Name, Length);
    if (Status != HiveOk) {
        HiveFreeCell(Hive, *NewCell);
        return Status;
    }
    Status = Delist(Hive, Key.Parent, Cell, Time);
    if (Status == HiveOk)
        Status = HiveReadKey(Hive, Cell, &Key);
    if (Status == HiveOk)
        Status = Reparent(Hive, &Key, *NewCell);
    HiveFreeCell(Hive, Cell);
    return Status;
}

/* --- small changes -------------------------------------------------------------------------------------------- */

HIVE_STATUS HiveSetKeyFlags(HIVE *Hive, uint32_t Cell, uint16_t Flags)
{
    HIVE_KEY Key;
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Key);
    if (Status == HiveOk)
        HiveStore16(HiveModify(Hive, Cell) + NK_FLAGS, Flags);
    return Status;
}

HIVE_STATUS HiveSetKeyTime(HIVE *Hive, uint32_t Cell, uint64_t Time)
{
    HIVE_KEY Key;
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Key);
    if (Status == HiveOk)
        HiveStore64(HiveModify(Hive, Cell) + NK_TIME, Time);
    return Status;
}

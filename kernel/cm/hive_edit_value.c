/* SPDX-License-Identifier: MIT
 * Setting and deleting values. Data of up to 4 bytes lies in the value's cell, more in a cell of its own, more than HIVE_SEGMENT in
 * segments (db), which versions before 1.4 do not have. */
#include "cm/hive_private.h"

static HIVE_STATUS FreeOne(void *Context, uint32_t From, uint32_t Cell)
{
    (void)From;
    HiveFreeCell(Context, Cell);
    return HiveOk;
}

/* Segments from the last level up, so that nothing is read after it was freed. As many as the data needs: HiveLoad has seen no
 * others. */
static HIVE_STATUS FreeData(HIVE *Hive, const HIVE_VALUE *Value)
{
    uint32_t Length;
    if (Value->Inline || !Value->Segmented)
        return HiveVisitData(Hive, Value, FreeOne, Hive);
    const uint8_t *Header = HiveCell(Hive, Value->Cell, Value->DataCell, DB_SIZE, &Length);
    uint32_t List = Header ? HiveLoad32(Header + DB_LIST) : HIVE_NO_CELL;
    uint32_t Count = Header ? (Value->DataLength - 1) / HIVE_SEGMENT + 1 : 0;
    for (uint32_t i = 0; i < Count; i++) {
        const uint8_t *Entries = HiveCell(Hive, Value->DataCell, List, Count * 4, &Length);
        if (!Entries)
            return HiveDamaged;
        HiveFreeCell(Hive, HiveLoad32(Entries + (size_t)i * 4));
    }
    HiveFreeCell(Hive, List);
    HiveFreeCell(Hive, Value->DataCell);
    return HiveOk;
}

HIVE_STATUS HiveFreeValues(HIVE *Hive, const HIVE_KEY *Key)
{
    HIVE_VALUE Value;
    for (uint32_t i = 0; i < Key->ValueCount; i++) {
        HIVE_STATUS Status = HiveValue(Hive, Key, i, &Value);
        if (Status == HiveOk)
            Status = FreeData(Hive, &Value);
        if (Status != HiveOk)
            return Status;
        HiveFreeCell(Hive, Value.Cell);
    }
    if (Key->ValueCount)
        HiveFreeCell(Hive, Key->ValueList);
    return HiveOk;
}

/* --- data ----------------------------------------------------------------------------------------------------- */

/* Frees the first Count segments, the list and the header of segmented data that is not finished. */
static void DropSegments(HIVE *Hive, uint32_t Header, uint32_t List, uint32_t Count)
{
    for (uint32_t i = 0; i < Count; i++)
        HiveFreeCell(Hive, HiveLoad32(HiveModify(Hive, List) + (size_t)i * 4));
    HiveFreeCell(Hive, List);
    HiveFreeCell(Hive, Header);
}

static HIVE_STATUS FillSegments(HIVE *Hive, uint32_t Store, uint32_t List, const uint8_t *Data,
                                uint32_t Length, uint32_t *Count)
{
    for (*Count = 0; Length; *Count += 1) {
        uint32_t Part = Length < HIVE_SEGMENT ? Length : HIVE_SEGMENT, Segment;
        HIVE_STATUS Status = HiveNewCell(Hive, Store, Part + 4, &Segment);
        if (Status != HiveOk)
            return Status;
        memcpy(HiveModify(Hive, Segment), Data, Part);
        HiveStore32(HiveModify(Hive, List) + (size_t)*Count * 4, Segment);
        Data += Part;
        Length -= Part;
    }
    return HiveOk;
}

static HIVE_STATUS NewSegments(HIVE *Hive, uint32_t Store, const void *Data, uint32_t Length, uint32_t *Cell)
{
    uint32_t Count = (Length + HIVE_SEGMENT - 1) / HIVE_SEGMENT, Done = 0, List = HIVE_NO_CELL;
    if (Count > 0xffff)
        return HiveTooLarge;
    HIVE_STATUS Status = HiveNewCell(Hive, Store, DB_SIZE, Cell);
    if (Status != HiveOk)
        return Status;
    Status = HiveNewCell(Hive, Store, Count * 4, &List);
    if (Status == HiveOk)
        Status = FillSegments(Hive, Store, List, Data, Length, &Done);
    if (Status != HiveOk) {
        DropSegments(Hive, *Cell, List, Done);
        return Status;
    }
    uint8_t *Header = HiveModify(Hive, *Cell);
    memcpy(Header, "db", 2);
    HiveStore16(Header + DB_COUNT, (uint16_t)Count);
    HiveStore32(Header + DB_LIST, List);
    return HiveOk;
}

/* *Field: what the value's cell is to hold, a cell or the data itself. */
static HIVE_STATUS NewData(HIVE *Hive, uint32_t Store, const void *Data, uint32_t Length, uint32_t *Field)
{
    *Field = 0;
    if (Length > HIVE_SEGMENT && Hive->Version >= 4)
        return NewSegments(Hive, Store, Data, Length, Field);
    if (Length <= 4) {
        if (Length)
            memcpy(Field, Data, Length);
        return HiveOk;
    }
    HIVE_STATUS Status = HiveNewCell(Hive, Store, Length, Field);
    if (Status == HiveOk)
        memcpy(HiveModify(Hive, *Field), Data, Length);
    return Status;
}

static void StoreData(HIVE *Hive, uint32_t Value, uint32_t Type, uint32_t Length, uint32_t Field)
{
    uint8_t *At = HiveModify(Hive, Value);
    HiveStore32(At + VK_DATA_LENGTH, Length > 4 ? Length : Length | HIVE_INLINE);
    HiveStore32(At + VK_DATA, Field);
    HiveStore32(At + VK_TYPE, Type);
}

/* As a value of a key in memory: for FreeData after a failure. */
static void DropData(HIVE *Hive, uint32_t Store, uint32_t Length, uint32_t Field)
{
    HIVE_VALUE Value = {.Cell = Store << 31, .DataLength = Length, .DataCell = Field, .Inline = Length <= 4};
    Value.Segmented = Length > HIVE_SEGMENT && Hive->Version >= 4;
    (void)FreeData(Hive, &Value);
}

/* --- values --------------------------------------------------------------------------------------------------- */

static HIVE_STATUS ReplaceData(HIVE *Hive, const HIVE_VALUE *Value, uint32_t Type, const void *Data,
                               uint32_t Length)
{
    bool SameCell = !Value->Inline && !Value->Segmented && Length > 4 && Length <= HIVE_SEGMENT &&
                    Length <= HiveCellRoom(Hive, Value->DataCell) &&
                    Length >= HiveCellRoom(Hive, Value->DataCell) / 2;
    if (SameCell) {
        memcpy(HiveModify(Hive, Value->DataCell), Data, Length);
        StoreData(Hive, Value->Cell, Type, Length, Value->DataCell);
        return HiveOk;
    }
    uint32_t Field;
    HIVE_STATUS Status = NewData(Hive, HiveStoreOf(Value->Cell), Data, Length, &Field);
    if (Status != HiveOk)
        return Status;
    Status = FreeData(Hive, Value);
    StoreData(Hive, Value->Cell, Type, Length, Field);
    return Status;
}

/* A list of values with room for one more: the key's own, or a longer one, which *List then is. */
static HIVE_STATUS RoomyList(HIVE *Hive, const HIVE_KEY *Key, uint32_t *List)
{
    uint32_t Count = Key->ValueCount;
    *List = Count ? Key->ValueList : HIVE_NO_CELL;
    if (Count && HiveCellRoom(Hive, *List) / 4 > Count)
        return HiveOk;
    HIVE_STATUS Status = HiveNewCell(Hive, HiveStoreOf(Key->Cell), (Count + Count / 4 + 1) * 4, List);
    if (Status == HiveOk && Count)
        memcpy(HiveModify(Hive, *List), HiveModify(Hive, Key->ValueList), (size_t)Count * 4);
    return Status;
}

static void FillValue(HIVE *Hive, uint32_t Cell, const uint16_t *Name, uint32_t Length)
{
    uint8_t *At = HiveModify(Hive, Cell);
    memcpy(At, "vk", 2);
    HiveStore16(At + VK_NAME_LENGTH, (uint16_t)HiveStoredLength(Name, Length));
    HiveStore16(At + VK_FLAGS, HiveCompressible(Name, Length) ? VK_FLAG_COMPRESSED : 0);
    HiveStoreName(At + VK_NAME, Name, Length);
}

static void EnlistValue(HIVE *Hive, const HIVE_KEY *Key, uint32_t List, uint32_t Value)
{
    HiveStore32(HiveModify(Hive, List) + (size_t)Key->ValueCount * 4, Value);
    if (Key->ValueCount && List != Key->ValueList)
        HiveFreeCell(Hive, Key->ValueList);
    uint8_t *At = HiveModify(Hive, Key->Cell);
    HiveStore32(At + NK_VALUE_LIST, List);
    HiveStore32(At + NK_VALUE_COUNT, Key->ValueCount + 1);
}

static HIVE_STATUS AddValue(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                            uint32_t Type, const void *Data, uint32_t DataLength)
{
    uint32_t Store = HiveStoreOf(Key->Cell), Value, Field, List;
    HIVE_STATUS Status = HiveNewCell(Hive, Store, VK_NAME + HiveStoredLength(Name, Length), &Value);
    if (Status != HiveOk)
        return Status;
    Status = NewData(Hive, Store, Data, DataLength, &Field);
    if (Status != HiveOk) {
        HiveFreeCell(Hive, Value);
        return Status;
    }
    Status = RoomyList(Hive, Key, &List);
    if (Status != HiveOk) {
        DropData(Hive, Store, DataLength, Field);
        HiveFreeCell(Hive, Value);
        return Status;
    }
    FillValue(Hive, Value, Name, Length);
    StoreData(Hive, Value, Type, DataLength, Field);
    EnlistValue(Hive, Key, List, Value);
    return HiveOk;
}

static void Touch(HIVE *Hive, uint32_t Cell, uint32_t NameLength, uint32_t DataLength, uint64_t Time)
{
    uint8_t *At = HiveModify(Hive, Cell);
    if (HiveLoad32(At + NK_MAX_VALUE_NAME) < NameLength * 2)
        HiveStore32(At + NK_MAX_VALUE_NAME, NameLength * 2);
    if (HiveLoad32(At + NK_MAX_VALUE_DATA) < DataLength)
        HiveStore32(At + NK_MAX_VALUE_DATA, DataLength);
    HiveStore64(At + NK_TIME, Time);
}

HIVE_STATUS HiveSetValue(HIVE *Hive, uint32_t Cell, const uint16_t *Name, uint32_t Length, uint32_t Type,
                         const void *Data, uint32_t DataLength, uint64_t Time)
{
    HIVE_KEY Key;
    HIVE_VALUE Value;
    if (Length > HIVE_MAX_VALUE_NAME)
        return HiveBadName;
    if (DataLength > HIVE_MAX_BINS)
        return HiveTooLarge;
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Key);
    if (Status == HiveOk)
        Status = HiveFindValue(Hive, &Key, Name, Length, &Value);
    if (Status == HiveOk)
        Status = ReplaceData(Hive, &Value, Type, Data, DataLength);
    else if (Status == HiveNotFound)
        Status = AddValue(Hive, &Key, Name, Length, Type, Data, DataLength);
    if (Status == HiveOk)
        Touch(Hive, Cell, Length, DataLength, Time);
    return Status;
}

HIVE_STATUS HiveDeleteValue(HIVE *Hive, uint32_t Cell, const uint16_t *Name, uint32_t Length, uint64_t Time)
{
    HIVE_KEY Key;
    HIVE_VALUE Value;
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Key);
    if (Status == HiveOk)
        Status = HiveFindValue(Hive, &Key, Name, Length, &Value);
    if (Status == HiveOk)
        Status = FreeData(Hive, &Value);
    if (Status != HiveOk)
        return Status;
    uint8_t *List = HiveModify(Hive, Key.ValueList);
    uint32_t Index = 0;
    while (HiveLoad32(List + (size_t)Index * 4) != Value.Cell)
        Index++;
    memmove(List + (size_t)Index * 4, List + (size_t)(Index + 1) * 4,
            (size_t)(Key.ValueCount - Index - 1) * 4);
    HiveFreeCell(Hive, Value.Cell);
    if (Key.ValueCount == 1)
        HiveFreeCell(Hive, Key.ValueList);
    uint8_t *At = HiveModify(Hive, Cell);
    HiveStore32(At + NK_VALUE_COUNT, Key.ValueCount - 1);
    if (Key.ValueCount == 1)
        HiveStore32(At + NK_VALUE_LIST, HIVE_NO_CELL);
    HiveStore64(At + NK_TIME, Time);
    return HiveOk;
}

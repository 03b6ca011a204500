/* SPDX-License-Identifier: MIT
 * Values of an open hive: vk cells, and data in place, in one cell, or in segments (db). */
#include "cm/hive_private.h"

static bool ReadName(const uint8_t *Cell, uint32_t Length, HIVE_VALUE *Value)
{
    uint32_t Stored = HiveLoad16(Cell + VK_NAME_LENGTH);
    Value->Name.Compressed = (HiveLoad16(Cell + VK_FLAGS) & VK_FLAG_COMPRESSED) != 0;
    Value->Name.Bytes = Cell + VK_NAME;
    Value->Name.Length = (uint16_t)(Value->Name.Compressed ? Stored : Stored / 2);
    return Stored <= Length - VK_NAME && Value->Name.Length <= HIVE_MAX_VALUE_NAME &&
           (Value->Name.Compressed || Stored % 2 == 0);
}

/* Segmented data is known by its db cell, which is too small to be the data itself. */
static HIVE_STATUS ReadDataReference(HIVE *Hive, HIVE_VALUE *Value)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, Value->Cell, Value->DataCell, 4, &Length);
    if (!At)
        return HiveDamaged;
    if (Value->DataLength > Hive->Stores[HiveStoreOf(Value->Cell)].Length)
        return HiveReport(Hive, Value->Cell, "a value's data is longer than the hive");
    if (Value->DataLength <= Length)
        return HiveOk;
    Value->Segmented = Value->DataLength > HIVE_SEGMENT && Hive->Version >= 4 && memcmp(At, "db", 2) == 0;
    if (!Value->Segmented)
        return HiveReport(Hive, Value->Cell, "a value's data is longer than its cell");
    return HiveOk;
}

static HIVE_STATUS ReadValue(HIVE *Hive, uint32_t From, uint32_t Cell, HIVE_VALUE *Value)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, From, Cell, VK_NAME, &Length);
    if (!At)
        return HiveDamaged;
    if (HiveLoad16(At) != VK_MAGIC)
        return HiveReport(Hive, Cell, "a reference to a value leads to a cell that is no value (vk)");
    uint32_t Data = HiveLoad32(At + VK_DATA_LENGTH);
    Value->Cell = Cell;
    Value->Type = HiveLoad32(At + VK_TYPE);
    Value->DataLength = Data & ~HIVE_INLINE;
    Value->DataCell = HiveLoad32(At + VK_DATA);
    Value->Inline = (Data & HIVE_INLINE) != 0 || Data == 0;
    Value->Segmented = false;
    if (!ReadName(At, Length, Value))
        return HiveReport(Hive, Cell, "a value's name is too long for its cell");
    if (!Value->Inline)
        return ReadDataReference(Hive, Value);
    if (Value->DataLength > 4)
        return HiveReport(Hive, Cell, "a value has more than 4 bytes of data in place");
    return HiveOk;
}

/* The key's value list: cells of vk. */
static const uint8_t *ValueList(HIVE *Hive, uint32_t Key, uint32_t List, uint32_t Count)
{
    uint32_t Length;
    return HiveCell(Hive, Key, List, Count * 4, &Length);
}

HIVE_STATUS HiveValue(HIVE *Hive, const HIVE_KEY *Key, uint32_t Index, HIVE_VALUE *Value)
{
    if (Index >= Key->ValueCount)
        return HiveNoMoreEntries;
    const uint8_t *List = ValueList(Hive, Key->Cell, Key->ValueList, Key->ValueCount);
    if (!List)
        return HiveDamaged;
    return ReadValue(Hive, Key->ValueList, HiveLoad32(List + (size_t)Index * 4), Value);
}

/* In a hive that was checked: a value whose name has another length need not be looked at further. */
static bool MayHaveName(const uint8_t *Value, uint32_t Length)
{
    uint32_t Stored = HiveLoad16(Value + 4 + VK_NAME_LENGTH);
    return Stored == ((HiveLoad16(Value + 4 + VK_FLAGS) & VK_FLAG_COMPRESSED) ? Length : Length * 2);
}

/* Among the Count values that the cell ListCell lists. */
static HIVE_STATUS FindValue(HIVE *Hive, const uint8_t *List, uint32_t ListCell, uint32_t Count,
                             const uint16_t *Name, uint32_t Length, HIVE_VALUE *Value)
{
    const uint8_t *Bins[HIVE_STORES] = {Hive->Stores[0].Bins, Hive->Stores[1].Bins};
    for (const uint8_t *At = List, *End = List + (size_t)Count * 4; At != End; At += 4) {
        uint32_t Cell = HiveLoad32(At);
        if (Hive->Checked && !MayHaveName(Bins[HiveStoreOf(Cell)] + (Cell & ~HIVE_VOLATILE), Length))
            continue;
        HIVE_STATUS Status = ReadValue(Hive, ListCell, Cell, Value);
        if (Status != HiveOk)
            return Status;
        if (HiveNameEquals(&Value->Name, Name, Length))
            return HiveOk;
    }
    return HiveNotFound;
}

HIVE_STATUS HiveFindValue(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                          HIVE_VALUE *Value)
{
    if (Key->ValueCount == 0)
        return HiveNotFound;
    const uint8_t *List = ValueList(Hive, Key->Cell, Key->ValueList, Key->ValueCount);
    if (!List)
        return HiveDamaged;
    return FindValue(Hive, List, Key->ValueList, Key->ValueCount, Name, Length, Value);
}

HIVE_STATUS HiveFindValueOf(HIVE *Hive, uint32_t Key, const uint16_t *Name, uint32_t Length,
                            HIVE_VALUE *Value)
{
    const uint8_t *At = Hive->Stores[HiveStoreOf(Key)].Bins + (Key & ~HIVE_VOLATILE) + 4;
    uint32_t Count = HiveLoad32(At + NK_VALUE_COUNT), ListCell = HiveLoad32(At + NK_VALUE_LIST);
    if (Count == 0)
        return HiveNotFound;
    const uint8_t *List = ValueList(Hive, Key, ListCell, Count);
    return List ? FindValue(Hive, List, ListCell, Count, Name, Length, Value) : HiveDamaged;
}

/* The list of a db cell's segments; *Count is what Value->DataLength needs, no more. */
static const uint8_t *SegmentList(HIVE *Hive, const HIVE_VALUE *Value, uint32_t *ListCell, uint32_t *Count)
{
    uint32_t Length;
    const uint8_t *Header = HiveCell(Hive, Value->Cell, Value->DataCell, DB_LIST + 4, &Length);
    if (!Header)
        return NULL;
    *ListCell = HiveLoad32(Header + DB_LIST);
    *Count = (Value->DataLength - 1) / HIVE_SEGMENT + 1;
    if (HiveLoad16(Header + DB_COUNT) < *Count) {
        HiveReport(Hive, Value->DataCell, "a db cell has fewer segments than its value's data needs");
        return NULL;
    }
    return HiveCell(Hive, Value->DataCell, *ListCell, *Count * 4, &Length);
}

/* Visits the segments; copies the first Length bytes to Buffer, or only checks all when Buffer is NULL. */
static HIVE_STATUS ReadSegments(HIVE *Hive, const HIVE_VALUE *Value, uint8_t *Buffer, uint32_t Length)
{
    uint32_t ListCell, Count, Size;
    const uint8_t *List = SegmentList(Hive, Value, &ListCell, &Count);
    if (!List)
        return HiveDamaged;
    for (uint32_t i = 0; i < Count && Length; i++) {
        uint32_t Part = Length < HIVE_SEGMENT ? Length : HIVE_SEGMENT;
        const uint8_t *Segment = HiveCell(Hive, ListCell, HiveLoad32(List + (size_t)i * 4), Part, &Size);
        if (!Segment)
            return HiveDamaged;
        if (Buffer)
            memcpy(Buffer + (size_t)i * HIVE_SEGMENT, Segment, Part);
        Length -= Part;
    }
    return HiveOk;
}

HIVE_STATUS HiveVisitData(HIVE *Hive, const HIVE_VALUE *Value, HIVE_VISIT Visit, void *Context)
{
    uint32_t ListCell, Count, Length;
    if (Value->Inline)
        return HiveOk;
    HIVE_STATUS Status = Value->Segmented ? ReadSegments(Hive, Value, NULL, Value->DataLength) : HiveOk;
    if (Status == HiveOk && Visit)
        Status = Visit(Context, Value->Cell, Value->DataCell);
    if (Status != HiveOk || !Value->Segmented || !Visit)
        return Status;
    const uint8_t *List = SegmentList(Hive, Value, &ListCell, &Count);
    Status = List ? Visit(Context, Value->DataCell, ListCell) : HiveDamaged;
    for (uint32_t i = 0; i < Count && Status == HiveOk; i++) {
        List = HiveCell(Hive, Value->DataCell, ListCell, Count * 4, &Length);
        Status = List ? Visit(Context, ListCell, HiveLoad32(List + (size_t)i * 4)) : HiveDamaged;
    }
    return Status;
}

HIVE_STATUS HiveReadData(HIVE *Hive, const HIVE_VALUE *Value, void *Buffer, uint32_t Length)
{
    if (Length == 0)
        return HiveOk;
    if (Value->Inline && Length == sizeof(Value->DataCell)) {
        HiveStore32(Buffer, Value->DataCell); /* most are numbers */
        return HiveOk;
    }
    if (Value->Inline) {
        memcpy(Buffer, &Value->DataCell, Length);
        return HiveOk;
    }
    if (Value->Segmented)
        return ReadSegments(Hive, Value, Buffer, Length);
    uint32_t Size;
    const uint8_t *Data = HiveCell(Hive, Value->Cell, Value->DataCell, Length, &Size);
    if (!Data)
        return HiveDamaged;
    memcpy(Buffer, Data, Length);
    return HiveOk;
}

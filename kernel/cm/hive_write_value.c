/* SPDX-License-Identifier: MIT
 * Names and values as a hive stores them: Latin-1 or UTF-16 names, data in place, in a cell or in segments.
 */
#include "cm/hive_writer.h"

/* --- names ------------------------------------------------------------------------------------------------
 */

bool HiveCompressible(const uint16_t *Name, uint32_t Length)
{
    for (uint32_t i = 0; i < Length; i++) {
        if (Name[i] > 0xff)
            return false;
    }
    return true;
}

uint32_t HiveStoredLength(const uint16_t *Name, uint32_t Length)
{
    return HiveCompressible(Name, Length) ? Length : Length * 2;
}

void HiveStoreName(uint8_t *To, const uint16_t *Name, uint32_t Length)
{
    if (!HiveCompressible(Name, Length)) {
        memcpy(To, Name, Length * sizeof(uint16_t));
        return;
    }
    for (uint32_t i = 0; i < Length; i++)
        To[i] = (uint8_t)Name[i];
}

/* --- values -----------------------------------------------------------------------------------------------
 */

/* A db cell, its list and its segments. The segments come last: each needs a bin of its own. */
static uint32_t WriteSegments(HIVE_WRITER *Writer, const HIVE_NEW_VALUE *Value)
{
    uint32_t Count = (Value->Length + HIVE_SEGMENT - 1) / HIVE_SEGMENT;
    if (Count > 0xffff) {
        Writer->Status = HiveTooLarge;
        return HIVE_NO_CELL;
    }
    uint32_t Header = HiveNewCell(Writer, DB_SIZE);
    uint32_t List = HiveNewCell(Writer, Count * 4);
    if (List == HIVE_NO_CELL)
        return HIVE_NO_CELL;
    memcpy(HiveWriterAt(Writer, Header), "db", 2);
    HiveStore16(HiveWriterAt(Writer, Header) + DB_COUNT, (uint16_t)Count);
    HiveStore32(HiveWriterAt(Writer, Header) + DB_LIST, List);
    for (uint32_t i = 0; i < Count; i++) {
        uint32_t Done = i * HIVE_SEGMENT;
        uint32_t Length = Value->Length - Done < HIVE_SEGMENT ? Value->Length - Done : HIVE_SEGMENT;
        uint32_t Segment = HiveNewCellOf(Writer, Value->Data + Done, Length, Length + 4);
        if (Segment == HIVE_NO_CELL)
            return HIVE_NO_CELL;
        HiveStore32(HiveWriterAt(Writer, List) + i * 4, Segment);
    }
    return Header;
}

static uint32_t WriteValue(HIVE_WRITER *Writer, const HIVE_NEW_VALUE *Value)
{
    uint32_t Stored = HiveStoredLength(Value->Name, Value->NameLength);
    uint32_t Cell = HiveNewCell(Writer, VK_NAME + Stored);
    uint32_t Data = 0;
    if (Value->Length > HIVE_SEGMENT)
        Data = WriteSegments(Writer, Value);
    else if (Value->Length > 4)
        Data = HiveNewCellOf(Writer, Value->Data, Value->Length, Value->Length);
    else if (Value->Length)
        memcpy(&Data, Value->Data, Value->Length);
    if (Writer->Status != HiveOk)
        return HIVE_NO_CELL;

    uint8_t *To = HiveWriterAt(Writer, Cell);
    memcpy(To, "vk", 2);
    HiveStore16(To + VK_NAME_LENGTH, (uint16_t)Stored);
    HiveStore32(To + VK_DATA_LENGTH, Value->Length > 4 ? Value->Length : Value->Length | HIVE_INLINE);
    HiveStore32(To + VK_DATA, Data);
    HiveStore32(To + VK_TYPE, Value->Type);
    HiveStore16(To + VK_FLAGS, HiveCompressible(Value->Name, Value->NameLength) ? VK_FLAG_COMPRESSED : 0);
    HiveStoreName(To + VK_NAME, Value->Name, Value->NameLength);
    return Cell;
}

uint32_t HiveWriteValues(HIVE_WRITER *Writer, const HIVE_NODE *Node)
{
    if (Node->ValueCount == 0)
        return HIVE_NO_CELL;
    uint32_t List = HiveNewCell(Writer, Node->ValueCount * 4);
    uint32_t Index = 0;
    for (const HIVE_NEW_VALUE *Value = Node->Values; Value; Value = Value->Next) {
        uint32_t Cell = WriteValue(Writer, Value);
        if (Cell == HIVE_NO_CELL)
            return HIVE_NO_CELL;
        HiveStore32(HiveWriterAt(Writer, List) + 4 * Index++, Cell);
    }
    return List;
}

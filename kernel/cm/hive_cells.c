/* SPDX-License-Identifier: MIT
 * The file that the builder writes: bins that grow at its end, cells cut from the last bin one after the
 * other. */
#include "cm/hive_writer.h"

uint8_t *HiveWriterAt(const HIVE_WRITER *Writer, uint32_t Cell)
{
    return Writer->Bytes + HIVE_HEADER_SIZE + Cell + 4;
}

/* Makes room for Size more bytes of bins; new memory is zero. */
static bool Reserve(HIVE_WRITER *Writer, uint32_t Size)
{
    if (Size > HIVE_MAX_BINS - Writer->Length) {
        Writer->Status = HiveTooLarge;
        return false;
    }
    uint32_t Needed = HIVE_HEADER_SIZE + Writer->Length + Size;
    if (Needed <= Writer->Capacity)
        return true;
    uint32_t Capacity = Writer->Capacity < HIVE_MAX_BINS / 2 ? Writer->Capacity * 2 : Needed;
    if (Capacity < Needed)
        Capacity = Needed;
    uint8_t *Bytes = Writer->Memory->Allocate(Writer->Memory->Context, Capacity);
    if (!Bytes) {
        Writer->Status = HiveNoMemory;
        return false;
    }
    memcpy(Bytes, Writer->Bytes, Writer->Capacity);
    memset(Bytes + Writer->Capacity, 0, Capacity - Writer->Capacity);
    Writer->Memory->Free(Writer->Memory->Context, Writer->Bytes);
    Writer->Bytes = Bytes;
    Writer->Capacity = Capacity;
    return true;
}

void HiveCloseBin(HIVE_WRITER *Writer)
{
    if (Writer->Next < Writer->Length)
        HiveStore32(Writer->Bytes + HIVE_HEADER_SIZE + Writer->Next, Writer->Length - Writer->Next);
    Writer->Next = Writer->Length;
}

static bool AddBin(HIVE_WRITER *Writer, uint32_t CellSize)
{
    uint32_t Size = (HIVE_BIN_HEADER + CellSize + 4095) & ~4095u;
    HiveCloseBin(Writer);
    if (!Reserve(Writer, Size))
        return false;
    uint8_t *Bin = Writer->Bytes + HIVE_HEADER_SIZE + Writer->Length;
    memcpy(Bin, "hbin", 4);
    HiveStore32(Bin + HBIN_OFFSET, Writer->Length);
    HiveStore32(Bin + HBIN_SIZE, Size);
    if (Writer->Length == 0)
        HiveStore64(Bin + HBIN_TIME, Writer->Time);
    Writer->Next = Writer->Length + HIVE_BIN_HEADER;
    Writer->Length += Size;
    return true;
}

uint32_t HiveNewCell(HIVE_WRITER *Writer, uint32_t Size)
{
    if (Writer->Status != HiveOk)
        return HIVE_NO_CELL;
    if (Size > HIVE_MAX_BINS - 8192) {
        Writer->Status = HiveTooLarge;
        return HIVE_NO_CELL;
    }
    uint32_t CellSize = (Size + 4 + 7) & ~7u;
    if (CellSize > Writer->Length - Writer->Next && !AddBin(Writer, CellSize))
        return HIVE_NO_CELL;
    uint32_t Cell = Writer->Next;
    HiveStore32(Writer->Bytes + HIVE_HEADER_SIZE + Cell, 0u - CellSize);
    Writer->Next += CellSize;
    return Cell;
}

uint32_t HiveNewCellOf(HIVE_WRITER *Writer, const void *Data, uint32_t Length, uint32_t Size)
{
    uint32_t Cell = HiveNewCell(Writer, Size);
    if (Cell != HIVE_NO_CELL)
        memcpy(HiveWriterAt(Writer, Cell), Data, Length);
    return Cell;
}

/* SPDX-License-Identifier: MIT
 * Tier 3, the writer's parts: cells of a growing file, names as they are stored, values. */
#pragma once
#include "cm/hive_private.h"

/* The file under construction. A failure latches in Status; cells handed out after it are meaningless. */
typedef struct HIVE_WRITER {
    const HIVE_MEMORY *Memory;
    uint8_t *Bytes; /* header and bins */
    uint32_t Capacity;
    uint32_t Length; /* bins so far, without the header */
    uint32_t Next;   /* free byte in the last bin */
    uint32_t *Cells; /* key cell by pre-order number */
    uint32_t Security;
    uint64_t Time;
    HIVE_STATUS Status;
} HIVE_WRITER;

/* The contents of a cell; valid until the next cell is made. */
uint8_t *HiveWriterAt(const HIVE_WRITER *Writer, uint32_t Cell);
/* A cell for Size bytes of contents, all zero. HIVE_NO_CELL when that failed. */
uint32_t HiveNewCell(HIVE_WRITER *Writer, uint32_t Size);
/* The same, its first Length bytes copied from Data. */
uint32_t HiveNewCellOf(HIVE_WRITER *Writer, const void *Data, uint32_t Length, uint32_t Size);
/* What is left of the last bin becomes one free cell. */
void HiveCloseBin(HIVE_WRITER *Writer);

/* A name is stored in Latin-1 where that is possible, else in UTF-16. */
bool HiveCompressible(const uint16_t *Name, uint32_t Length);
uint32_t HiveStoredLength(const uint16_t *Name, uint32_t Length); /* bytes */
void HiveStoreName(uint8_t *To, const uint16_t *Name, uint32_t Length);

/* All values of a key; the cell of their list, HIVE_NO_CELL when there are none or it failed. */
uint32_t HiveWriteValues(HIVE_WRITER *Writer, const HIVE_NODE *Node);

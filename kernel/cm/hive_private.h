/* SPDX-License-Identifier: MIT
 * Tier 3, hive_*.c only: the tree that the builder keeps, names, and access to checked cells. */
#pragma once
#include "cm/hive.h"
#include "cm/hive_format.h"

typedef struct HIVE_NEW_VALUE {
    struct HIVE_NEW_VALUE *Next;
    uint32_t Type;
    uint32_t Length;
    uint8_t *Data; /* NULL when Length is 0 */
    uint32_t NameLength;
    uint16_t Name[];
} HIVE_NEW_VALUE;

typedef struct HIVE_NODE {
    struct HIVE_NODE *Parent;
    struct HIVE_NODE *Children; /* ascending by upper-case name */
    struct HIVE_NODE *Next;     /* sibling */
    HIVE_NEW_VALUE *Values;     /* in order of arrival */
    uint32_t ChildCount;
    uint32_t ValueCount;
    uint32_t Number; /* place in pre-order, set while the hive is written */
    uint16_t Flags;
    uint16_t NameLength;
    uint16_t Name[];
} HIVE_NODE;

struct HIVE_BUILDER {
    HIVE_MEMORY Memory;
    HIVE_NODE *Root;
    uint32_t KeyCount;
};

/* The next node in pre-order, NULL after the last. */
HIVE_NODE *HiveNextNode(HIVE_NODE *Node);

int HiveCompareText(const uint16_t *A, uint32_t LengthA, const uint16_t *B, uint32_t LengthB);
uint32_t HiveHashText(const uint16_t *Text, uint32_t Length);

/* The contents of a cell in use at least Least bytes long (without the size field), or NULL and Hive->Error.
 * From is the cell that holds the reference (HIVE_NO_CELL: the header), for the error. */
const uint8_t *HiveCell(HIVE *Hive, uint32_t From, uint32_t Cell, uint32_t Least, uint32_t *Length);
HIVE_STATUS HiveReport(HIVE *Hive, uint32_t Cell, const char *Rule);
/* Checks that all of the value's data can be read. */
HIVE_STATUS HiveCheckData(HIVE *Hive, const HIVE_VALUE *Value);

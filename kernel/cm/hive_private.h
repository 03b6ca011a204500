/* SPDX-License-Identifier: MIT
 * Tier 3, hive_*.c only: names, checked access to cells, lists, and the editor's parts. */
#pragma once
#include "cm/hive.h"
#include "cm/hive_format.h"

/* --- names: hive_name.c ----------------------------------------------------------------------------------- */

int HiveCompareName(const HIVE_NAME *A, const uint16_t *B, uint32_t LengthB);
uint32_t HiveHashText(const uint16_t *Text, uint32_t Length);
/* A name is stored in Latin-1 where that is possible, else in UTF-16. */
bool HiveCompressible(const uint16_t *Name, uint32_t Length);
uint32_t HiveStoredLength(const uint16_t *Name, uint32_t Length); /* bytes */
void HiveStoreName(uint8_t *To, const uint16_t *Name, uint32_t Length);

/* --- reading ---------------------------------------------------------------------------------------------- */

static inline uint32_t HiveStoreOf(uint32_t Cell)
{
    return Cell >> 31;
}

/* The contents of a cell in use at least Least bytes long (without the size field), or NULL and Hive->Error.
 * From is the cell that holds the reference (HIVE_NO_CELL: the header), for the error. */
const uint8_t *HiveCell(HIVE *Hive, uint32_t From, uint32_t Cell, uint32_t Least, uint32_t *Length);
HIVE_STATUS HiveReport(HIVE *Hive, uint32_t Cell, const char *Rule);
/* Size of the cell whose size field is at Bins + Offset, in use or free; 0 for the one value that has no size. */
uint32_t HiveCellSize(const uint8_t *Bins, uint32_t Offset);
HIVE_STATUS HiveReadKeyFrom(HIVE *Hive, uint32_t From, uint32_t Cell, HIVE_KEY *Key);

/* One lf, lh or li list. */
typedef struct HIVE_LEAF {
    uint32_t Cell;
    const uint8_t *Entries;
    uint32_t Count;
    uint32_t Room;   /* entries that the cell has room for */
    uint32_t Stride; /* bytes of an entry; the subkey's cell comes first */
    bool Hashed;     /* lh: the word after the cell is the name's hash */
} HIVE_LEAF;
HIVE_STATUS HiveReadLeaf(HIVE *Hive, uint32_t From, uint32_t Cell, HIVE_LEAF *Leaf);

/* The leaves of one list, one after the other. */
typedef struct HIVE_LEAF_WALK {
    HIVE *Hive;
    uint32_t List;       /* the key's list */
    const uint8_t *Next; /* entry of the ri list; NULL when the list is a leaf itself */
    uint32_t Leaves;     /* still to come */
} HIVE_LEAF_WALK;
HIVE_STATUS HiveBeginLeaves(HIVE *Hive, uint32_t From, uint32_t List, HIVE_LEAF_WALK *Walk);
HIVE_STATUS HiveNextLeaf(HIVE_LEAF_WALK *Walk, HIVE_LEAF *Leaf); /* HiveNoMoreEntries after the last leaf */

/* Visits the cells of a value's data: its cell, or the db cell, its list and the segments. Visit may be NULL; what it returns other
 * than HiveOk ends the walk. */
typedef HIVE_STATUS (*HIVE_VISIT)(void *Context, uint32_t From, uint32_t Cell);
HIVE_STATUS HiveVisitData(HIVE *Hive, const HIVE_VALUE *Value, HIVE_VISIT Visit, void *Context);

/* The bookkeeping of HiveLoad, one bit for eight bytes of the bins: cells in use that nothing has referred to yet, and the sk cells
 * that were found. */
typedef struct HIVE_CLAIMS {
    uint8_t *Cells, *Securities;
} HIVE_CLAIMS;
HIVE_STATUS HiveCheckClaims(HIVE *Hive, HIVE_CLAIMS *Claims);

/* --- cells of a writable hive: hive_space.c ---------------------------------------------------------------- */

void HiveInitStores(HIVE *Hive);
/* Makes room for Size bytes of bins. */
HIVE_STATUS HiveReserve(HIVE *Hive, uint32_t Store, uint32_t Size);
/* Puts all free cells of the store into its lists, and marks where bins begin. */
void HiveIndexStore(HIVE *Hive, uint32_t Store);
/* A cell for Size bytes of contents, all zero. */
HIVE_STATUS HiveNewCell(HIVE *Hive, uint32_t Store, uint32_t Size, uint32_t *Cell);
void HiveFreeCell(HIVE *Hive, uint32_t Cell); /* nothing for HIVE_NO_CELL */
/* The contents, to be written: marks them dirty. Valid until a cell is made. */
uint8_t *HiveModify(HIVE *Hive, uint32_t Cell);
uint32_t HiveCellRoom(const HIVE *Hive, uint32_t Cell); /* bytes of contents */

/* --- editing ------------------------------------------------------------------------------------------------ */

/* hive_list_edit.c: *List is the key's list, which may become another cell, or HIVE_NO_CELL when it is empty. Removing cannot fail
 * in a hive that HiveLoad accepted. */
HIVE_STATUS HiveListInsert(HIVE *Hive, uint32_t Store, uint32_t *List, uint32_t Key, const uint16_t *Name,
                           uint32_t Length);
HIVE_STATUS HiveListRemove(HIVE *Hive, uint32_t *List, uint32_t Key);

/* hive_security.c: a cell of the store for the descriptor, one reference more. */
HIVE_STATUS HiveShareSecurity(HIVE *Hive, uint32_t Store, const void *Descriptor, uint32_t Length,
                              uint32_t *Cell);
void HiveReleaseSecurity(HIVE *Hive, uint32_t Cell);
void HiveLinkSecurity(HIVE *Hive, uint32_t Cell); /* into its store's ring, with no reference */
HIVE_STATUS HiveDefaultSecurity(HIVE *Hive, uint32_t *Cell);

/* hive_edit_value.c: frees the cells of a key's values. */
HIVE_STATUS HiveFreeValues(HIVE *Hive, const HIVE_KEY *Key);

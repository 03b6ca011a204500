/* SPDX-License-Identifier: MIT
 * Security cells (sk): one for each different descriptor of a store, in a ring, counted by the keys that use it. */
#include "cm/hive_private.h"

/* Of a new hive's root, self-relative: owner Administrators, group SYSTEM; SYSTEM and Administrators
 * may do all (KEY_ALL_ACCESS), everyone may read (KEY_READ); inherited by subkeys. */
/* clang-format off */
static const uint8_t Default[] = {
    /* revision, control, offsets of owner, group, no SACL, DACL */
    1, 0, 0x04, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
    /* at 20: S-1-5-32-544; at 36: S-1-5-18 */
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 0x02, 0, 0,
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    /* at 48: ACL of three entries: SYSTEM, Administrators, S-1-1-0 */
    2, 0, 72, 0, 3, 0, 0, 0,
    0, 2, 20, 0, 0x3f, 0, 0x0f, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    0, 2, 24, 0, 0x3f, 0, 0x0f, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 0x02, 0, 0,
    0, 2, 20, 0, 0x19, 0, 0x02, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
};
_Static_assert(sizeof(Default) == 48 + 72, "the descriptor's offsets and lengths");
/* clang-format on */

static uint32_t Load(HIVE *Hive, uint32_t Cell, uint32_t Field)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, HIVE_NO_CELL, Cell, SK_DESCRIPTOR, &Length);
    return At ? HiveLoad32(At + Field) : HIVE_NO_CELL;
}

void HiveLinkSecurity(HIVE *Hive, uint32_t Cell)
{
    uint32_t *Ring = &Hive->Stores[HiveStoreOf(Cell)].Security;
    uint32_t Next = *Ring == HIVE_NO_CELL ? Cell : *Ring;
    uint32_t Previous = *Ring == HIVE_NO_CELL ? Cell : Load(Hive, Next, SK_BACKWARD);
    uint8_t *At = HiveModify(Hive, Cell);
    HiveStore32(At + SK_FORWARD, Next);
    HiveStore32(At + SK_BACKWARD, Previous);
    HiveStore32(At + SK_REFERENCES, 0);
    HiveStore32(HiveModify(Hive, Next) + SK_BACKWARD, Cell);
    HiveStore32(HiveModify(Hive, Previous) + SK_FORWARD, Cell);
    *Ring = Cell;
}

static uint32_t FindEqual(HIVE *Hive, uint32_t Store, const void *Descriptor, uint32_t Length)
{
    uint32_t Cell = Hive->Stores[Store].Security, Room;
    if (Cell == HIVE_NO_CELL)
        return HIVE_NO_CELL;
    do {
        const uint8_t *At = HiveCell(Hive, HIVE_NO_CELL, Cell, SK_DESCRIPTOR, &Room);
        if (!At)
            return HIVE_NO_CELL;
        if (HiveLoad32(At + SK_LENGTH) == Length && memcmp(At + SK_DESCRIPTOR, Descriptor, Length) == 0)
            return Cell;
        Cell = HiveLoad32(At + SK_FORWARD);
    } while (Cell != Hive->Stores[Store].Security);
    return HIVE_NO_CELL;
}

static HIVE_STATUS NewSecurity(HIVE *Hive, uint32_t Store, const void *Descriptor, uint32_t Length,
                               uint32_t *Cell)
{
    HIVE_STATUS Status = HiveNewCell(Hive, Store, SK_DESCRIPTOR + Length, Cell);
    if (Status != HiveOk)
        return Status;
    uint8_t *At = HiveModify(Hive, *Cell);
    memcpy(At, "sk", 2);
    HiveStore32(At + SK_LENGTH, Length);
    memcpy(At + SK_DESCRIPTOR, Descriptor, Length);
    HiveLinkSecurity(Hive, *Cell);
    return HiveOk;
}

/* Descriptor may lie in the hive itself: in the other store, or when Store has an equal one, which Descriptor then is. */
HIVE_STATUS HiveShareSecurity(HIVE *Hive, uint32_t Store, const void *Descriptor, uint32_t Length,
                              uint32_t *Cell)
{
    *Cell = FindEqual(Hive, Store, Descriptor, Length);
    HIVE_STATUS Status = *Cell == HIVE_NO_CELL ? NewSecurity(Hive, Store, Descriptor, Length, Cell) : HiveOk;
    if (Status != HiveOk)
        return Status;
    uint8_t *At = HiveModify(Hive, *Cell);
    HiveStore32(At + SK_REFERENCES, HiveLoad32(At + SK_REFERENCES) + 1);
    return HiveOk;
}

void HiveReleaseSecurity(HIVE *Hive, uint32_t Cell)
{
    if (Cell == HIVE_NO_CELL)
        return;
    uint32_t References = Load(Hive, Cell, SK_REFERENCES);
    if (References > 1) {
        HiveStore32(HiveModify(Hive, Cell) + SK_REFERENCES, References - 1);
        return;
    }
    uint32_t *Ring = &Hive->Stores[HiveStoreOf(Cell)].Security;
    uint32_t Next = Load(Hive, Cell, SK_FORWARD), Previous = Load(Hive, Cell, SK_BACKWARD);
    HiveStore32(HiveModify(Hive, Next) + SK_BACKWARD, Previous);
    HiveStore32(HiveModify(Hive, Previous) + SK_FORWARD, Next);
    *Ring = Next == Cell ? HIVE_NO_CELL : Next;
    HiveFreeCell(Hive, Cell);
}

HIVE_STATUS HiveDefaultSecurity(HIVE *Hive, uint32_t *Cell)
{
    return HiveShareSecurity(Hive, 0, Default, sizeof(Default), Cell);
}

HIVE_STATUS HiveSetSecurity(HIVE *Hive, uint32_t Cell, const void *Descriptor, uint32_t Length, uint64_t Time)
{
    HIVE_KEY Key;
    uint32_t New;
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Key);
    if (Status == HiveOk)
        Status = HiveShareSecurity(Hive, HiveStoreOf(Cell), Descriptor, Length, &New);
    if (Status != HiveOk)
        return Status;
    HiveStore32(HiveModify(Hive, Cell) + NK_SECURITY, New);
    HiveStore64(HiveModify(Hive, Cell) + NK_TIME, Time);
    HiveReleaseSecurity(Hive, Key.Security);
    return HiveOk;
}

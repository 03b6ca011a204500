/* SPDX-License-Identifier: MIT
 * The lists that lead to subkeys: lf, lh, li, and ri lists of those. */
#include "cm/hive_private.h"

HIVE_STATUS HiveReadLeaf(HIVE *Hive, uint32_t From, uint32_t Cell, HIVE_LEAF *Leaf)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, From, Cell, LIST_ENTRIES, &Length);
    if (!At)
        return HiveDamaged;
    Leaf->Hashed = memcmp(At, "lh", 2) == 0;
    Leaf->Stride = memcmp(At, "li", 2) == 0 ? 4 : 8;
    if (!Leaf->Hashed && Leaf->Stride == 8 && memcmp(At, "lf", 2) != 0)
        return HiveReport(Hive, Cell, "a list of subkeys is no lf, lh or li cell");
    Leaf->Cell = Cell;
    Leaf->Entries = At + LIST_ENTRIES;
    Leaf->Count = HiveLoad16(At + LIST_COUNT);
    Leaf->Room = (Length - LIST_ENTRIES) / Leaf->Stride;
    if (Leaf->Count == 0 || Leaf->Count > Leaf->Room)
        return HiveReport(Hive, Cell, "a list of subkeys is empty or longer than its cell");
    return HiveOk;
}

HIVE_STATUS HiveBeginLeaves(HIVE *Hive, uint32_t From, uint32_t List, HIVE_LEAF_WALK *Walk)
{
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, From, List, LIST_ENTRIES, &Length);
    if (!At)
        return HiveDamaged;
    *Walk = (HIVE_LEAF_WALK){Hive, List, NULL, 1};
    if (memcmp(At, "ri", 2) != 0)
        return HiveOk;
    Walk->Next = At + LIST_ENTRIES;
    Walk->Leaves = HiveLoad16(At + LIST_COUNT);
    if (Walk->Leaves > (Length - LIST_ENTRIES) / 4)
        return HiveReport(Hive, List, "a list of lists is longer than its cell");
    return HiveOk;
}

HIVE_STATUS HiveNextLeaf(HIVE_LEAF_WALK *Walk, HIVE_LEAF *Leaf)
{
    if (Walk->Leaves == 0)
        return HiveNoMoreEntries;
    Walk->Leaves -= 1;
    if (!Walk->Next)
        return HiveReadLeaf(Walk->Hive, Walk->List, Walk->List, Leaf);
    uint32_t Cell = HiveLoad32(Walk->Next);
    Walk->Next += 4;
    return HiveReadLeaf(Walk->Hive, Walk->List, Cell, Leaf);
}

/* SPDX-License-Identifier: MIT
 * The walk over a whole hive, once after it was opened. It ends for every input: a subkey must name the key
 * that lists it as parent, the depth is limited, and no more keys and values are visited than the hive has
 * room for. */
#include "cm/hive_private.h"

#define SMALLEST_KEY_CELL 80u
#define SMALLEST_VALUE_CELL 24u

typedef struct LEVEL {
    uint32_t Cell;
    uint32_t Next; /* index of the subkey to visit */
} LEVEL;

typedef struct CHECK {
    HIVE *Hive;
    uint32_t KeysLeft;
    uint32_t ValuesLeft;
    uint32_t Depth;
    LEVEL Levels[HIVE_MAX_DEPTH];
} CHECK;

static HIVE_STATUS CheckValues(CHECK *Check, const HIVE_KEY *Key)
{
    HIVE_VALUE Value;
    if (Key->ValueCount > Check->ValuesLeft)
        return HiveReport(Check->Hive, Key->Cell, "the keys list more values than the hive can hold");
    Check->ValuesLeft -= Key->ValueCount;
    for (uint32_t i = 0; i < Key->ValueCount; i++) {
        HIVE_STATUS Status = HiveValue(Check->Hive, Key, i, &Value);
        if (Status == HiveOk)
            Status = HiveCheckData(Check->Hive, &Value);
        if (Status != HiveOk)
            return Status;
    }
    return HiveOk;
}

/* The sk cell and the frame of its self-relative descriptor: revision 1 and four offsets inside. */
static HIVE_STATUS CheckSecurity(CHECK *Check, const HIVE_KEY *Key)
{
    HIVE *Hive = Check->Hive;
    uint32_t Length;
    const uint8_t *At = HiveCell(Hive, HIVE_NO_CELL, Key->Cell, NK_NAME, &Length);
    if (!At)
        return HiveDamaged;
    uint32_t Cell = HiveLoad32(At + NK_SECURITY);
    if (Cell == HIVE_NO_CELL)
        return HiveOk;
    At = HiveCell(Hive, Key->Cell, Cell, SK_DESCRIPTOR, &Length);
    if (!At)
        return HiveDamaged;
    uint32_t Size = HiveLoad32(At + SK_LENGTH);
    if (memcmp(At, "sk", 2) != 0)
        return HiveReport(Hive, Cell, "a key's security reference leads to a cell that is no sk");
    if (Size < 20 || Size > Length - SK_DESCRIPTOR || At[SK_DESCRIPTOR] != 1)
        return HiveReport(Hive, Cell,
                          "a security descriptor does not fit into its cell or is not revision 1");
    for (uint32_t Part = 4; Part < 20; Part += 4) {
        if (HiveLoad32(At + SK_DESCRIPTOR + Part) >= Size)
            return HiveReport(Hive, Cell, "a part of a security descriptor lies outside it");
    }
    return HiveOk;
}

/* Checks what belongs to one key itself and makes it the deepest level. */
static HIVE_STATUS EnterKey(CHECK *Check, const HIVE_KEY *Key)
{
    const uint8_t *Class;
    if (Check->Depth == HIVE_MAX_DEPTH)
        return HiveReport(Check->Hive, Key->Cell, "keys are nested deeper than 512 levels");
    if (Check->KeysLeft == 0)
        return HiveReport(Check->Hive, Key->Cell, "more keys are listed than the hive can hold");
    Check->KeysLeft -= 1;
    HIVE_STATUS Status = HiveReadClass(Check->Hive, Key, &Class);
    if (Status == HiveOk)
        Status = CheckSecurity(Check, Key);
    if (Status == HiveOk)
        Status = CheckValues(Check, Key);
    Check->Levels[Check->Depth++] = (LEVEL){Key->Cell, 0};
    return Status;
}

HIVE_STATUS HiveCheck(HIVE *Hive)
{
    CHECK Check;
    HIVE_KEY Key, SubKey;
    Check.Hive = Hive;
    Check.KeysLeft = Hive->BinsLength / SMALLEST_KEY_CELL;
    Check.ValuesLeft = Hive->BinsLength / SMALLEST_VALUE_CELL;
    Check.Depth = 0;

    HIVE_STATUS Status = HiveReadRoot(Hive, &Key);
    if (Status == HiveOk)
        Status = EnterKey(&Check, &Key);
    while (Status == HiveOk && Check.Depth) {
        LEVEL *Level = &Check.Levels[Check.Depth - 1];
        Status = HiveReadKey(Hive, Level->Cell, &Key);
        if (Status != HiveOk)
            break;
        Status = HiveSubKey(Hive, &Key, Level->Next++, &SubKey);
        if (Status == HiveOk) {
            Status = EnterKey(&Check, &SubKey);
        } else if (Status == HiveNoMoreEntries) {
            Check.Depth -= 1;
            Status = HiveOk;
        }
    }
    return Status;
}

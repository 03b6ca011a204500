/* SPDX-License-Identifier: MIT
 * The walk over a whole hive, once after it was opened. It ends for every input: a subkey must name the key
 * that lists it as parent, the depth is limited, and no more keys and values are visited than the hive has
 * room for. For the editor it also claims each cell: one that two things refer to could not be freed. */
#include "cm/hive_private.h"

#define SMALLEST_KEY_CELL 80u
#define SMALLEST_VALUE_CELL 24u

typedef struct LEVEL {
    uint32_t Cell;
    uint32_t Next; /* index of the subkey to visit */
} LEVEL;

typedef struct CHECK {
    HIVE *Hive;
    HIVE_CLAIMS *Claims; /* NULL: nothing is claimed */
    uint32_t KeysLeft;
    uint32_t ValuesLeft;
    uint32_t Depth;
    LEVEL Levels[HIVE_MAX_DEPTH];
} CHECK;

/* Changes Cell's bit; what it was. */
static bool Flip(uint8_t *Bits, uint32_t Cell, bool To)
{
    uint8_t Bit = (uint8_t)(1u << (Cell / 8 % 8));
    bool Was = Bits[Cell / 64] & Bit;
    Bits[Cell / 64] = (uint8_t)(To ? Bits[Cell / 64] | Bit : Bits[Cell / 64] & ~Bit);
    return Was;
}

/* Cell was read through HiveCell, so it lies in the bins. */
static HIVE_STATUS Claim(void *Context, uint32_t From, uint32_t Cell)
{
    CHECK *Check = Context;
    if (!Check->Claims || Flip(Check->Claims->Cells, Cell, false))
        return HiveOk;
    return HiveReport(Check->Hive, From,
                      "a reference in this cell leads into a cell, or to one that belongs to another");
}

static HIVE_STATUS CheckValue(CHECK *Check, const HIVE_KEY *Key, uint32_t Index)
{
    HIVE_VALUE Value;
    HIVE_STATUS Status = HiveValue(Check->Hive, Key, Index, &Value);
    if (Status == HiveOk)
        Status = Claim(Check, Key->ValueList, Value.Cell);
    if (Status == HiveOk)
        Status = HiveVisitData(Check->Hive, &Value, Claim, Check);
    return Status;
}

static HIVE_STATUS CheckValues(CHECK *Check, const HIVE_KEY *Key)
{
    if (Key->ValueCount == 0)
        return HiveOk;
    if (Key->ValueCount > Check->ValuesLeft)
        return HiveReport(Check->Hive, Key->Cell, "the keys list more values than the hive can hold");
    Check->ValuesLeft -= Key->ValueCount;
    HIVE_STATUS Status = HiveOk;
    for (uint32_t i = 0; i < Key->ValueCount && Status == HiveOk; i++)
        Status = CheckValue(Check, Key, i);
    return Status == HiveOk ? Claim(Check, Key->Cell, Key->ValueList) : Status;
}

/* The editor trusts that the lists hold as many subkeys as the key counts. */
static HIVE_STATUS ClaimLists(CHECK *Check, const HIVE_KEY *Key)
{
    HIVE_LEAF_WALK Walk;
    HIVE_LEAF Leaf;
    uint64_t Count = 0;
    if (!Check->Claims || Key->SubKeyCount == 0)
        return HiveOk;
    HIVE_STATUS Status = HiveBeginLeaves(Check->Hive, Key->Cell, Key->SubKeyList, &Walk);
    if (Status == HiveOk && Walk.Next)
        Status = Claim(Check, Key->Cell, Key->SubKeyList);
    while (Status == HiveOk) {
        Status = HiveNextLeaf(&Walk, &Leaf);
        if (Status == HiveOk)
            Status = Claim(Check, Key->SubKeyList, Leaf.Cell);
        if (Status == HiveOk)
            Count += Leaf.Count;
    }
    if (Status == HiveNoMoreEntries && Count != Key->SubKeyCount)
        return HiveReport(Check->Hive, Key->Cell, "a key counts fewer subkeys than its lists hold");
    return Status == HiveNoMoreEntries ? HiveOk : Status;
}

/* The frame of a self-relative descriptor: revision 1 and four offsets inside. */
static HIVE_STATUS CheckDescriptor(HIVE *Hive, uint32_t Cell, const uint8_t *Descriptor, uint32_t Size)
{
    if (Size < 20 || Descriptor[0] != 1)
        return HiveReport(Hive, Cell,
                          "a security descriptor does not fit into its cell or is not revision 1");
    for (uint32_t Part = 4; Part < 20; Part += 4) {
        if (HiveLoad32(Descriptor + Part) >= Size)
            return HiveReport(Hive, Cell, "a part of a security descriptor lies outside it");
    }
    return HiveOk;
}

/* Keys share sk cells: the first one claims it, and each counts. */
static HIVE_STATUS ClaimSecurity(CHECK *Check, const HIVE_KEY *Key)
{
    HIVE *Hive = Check->Hive;
    if (!Flip(Check->Claims->Securities, Key->Security, true)) {
        HIVE_STATUS Status = Claim(Check, Key->Cell, Key->Security);
        if (Status != HiveOk)
            return Status;
        HiveLinkSecurity(Hive, Key->Security);
    }
    uint8_t *Security = HiveModify(Hive, Key->Security);
    HiveStore32(Security + SK_REFERENCES, HiveLoad32(Security + SK_REFERENCES) + 1);
    return HiveOk;
}

static HIVE_STATUS CheckSecurity(CHECK *Check, const HIVE_KEY *Key)
{
    const uint8_t *Descriptor;
    uint32_t Size;
    if (Key->Security == HIVE_NO_CELL)
        return HiveOk;
    HIVE_STATUS Status = HiveReadSecurity(Check->Hive, Key, &Descriptor, &Size);
    if (Status == HiveOk)
        Status = CheckDescriptor(Check->Hive, Key->Security, Descriptor, Size);
    return Status == HiveOk && Check->Claims ? ClaimSecurity(Check, Key) : Status;
}

/* What was volatile when the file was written is gone. */
static HIVE_STATUS ClaimKey(CHECK *Check, const HIVE_KEY *Key)
{
    if (!Check->Claims)
        return HiveOk;
    HIVE_STATUS Status = Claim(Check, Key->Parent, Key->Cell);
    if (Status == HiveOk && Key->ClassLength)
        Status = Claim(Check, Key->Cell, Key->Class);
    if (Status != HiveOk)
        return Status;
    uint8_t *At = HiveModify(Check->Hive, Key->Cell);
    HiveStore32(At + NK_VOLATILE_COUNT, 0);
    HiveStore32(At + NK_VOLATILE_LIST, HIVE_NO_CELL);
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
        Status = ClaimKey(Check, Key);
    if (Status == HiveOk)
        Status = CheckSecurity(Check, Key);
    if (Status == HiveOk)
        Status = CheckValues(Check, Key);
    if (Status == HiveOk)
        Status = ClaimLists(Check, Key);
    Check->Levels[Check->Depth++] = (LEVEL){Key->Cell, 0};
    return Status;
}

HIVE_STATUS HiveCheckClaims(HIVE *Hive, HIVE_CLAIMS *Claims)
{
    CHECK Check;
    HIVE_KEY Key, SubKey;
    Check.Hive = Hive;
    Check.Claims = Claims;
    Check.KeysLeft = Hive->Stores[0].Length / SMALLEST_KEY_CELL;
    Check.ValuesLeft = Hive->Stores[0].Length / SMALLEST_VALUE_CELL;
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

HIVE_STATUS HiveCheck(HIVE *Hive)
{
    return HiveCheckClaims(Hive, NULL);
}

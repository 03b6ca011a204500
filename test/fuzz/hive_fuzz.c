/* SPDX-License-Identifier: MIT
 * libFuzzer over the hive reader and editor: any bytes are refused with a sentence or read; a hive that passed HiveCheck
 * is readable throughout, and one that was loaded stays so whatever is edited. The checksum is mended first, so that the
 * mutations get past the header. What follows the bins are edits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cm/hive_format.h"
#include "cm/hive_host.h"
#include "hive_walk.h"

#define MOST_EDITS 64u
#define MOST_CELLS 32u

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

/* Keys that can be named by a byte. */
typedef struct TARGETS {
    uint32_t Cells[MOST_CELLS];
    uint32_t Count;
} TARGETS;

static void Collect(HIVE *Hive, uint32_t Cell, uint32_t Depth, TARGETS *Targets)
{
    HIVE_KEY Key, SubKey;
    if (Depth == 4 || Targets->Count == MOST_CELLS || HiveReadKey(Hive, Cell, &Key) != HiveOk)
        return;
    Targets->Cells[Targets->Count++] = Cell;
    for (uint32_t i = 0; i < 6 && HiveSubKey(Hive, &Key, i, &SubKey) == HiveOk; i++)
        Collect(Hive, SubKey.Cell, Depth + 1, Targets);
}

/* Four bytes: what, which key, which name, how much. */
static void Edit(HIVE *Hive, const uint8_t *Bytes)
{
    static uint8_t Data[0x10000];
    uint16_t Name[2] = {(uint16_t)('a' + Bytes[2] % 16), Bytes[2]};
    uint32_t Length = Bytes[2] & 0x80 ? 2 : 1, Cell, Size = Bytes[3] * (Bytes[3] & 1 ? 1u : 256u);
    HIVE_NEW_KEY New = {.Volatile = Bytes[3] & 1, .Class = Data, .ClassLength = Bytes[3] & 0x3e};
    HIVE_KEY Parent, Found;
    TARGETS Targets = {.Count = 0};
    Collect(Hive, Hive->Root, 0, &Targets);
    Cell = Targets.Cells[Bytes[1] % Targets.Count];
    if (HiveReadKey(Hive, Cell, &Parent) != HiveOk)
        abort();
    switch (Bytes[0] % 6) {
    case 0:
        New.Volatile |= Cell >> 31;
        if (HiveFindSubKey(Hive, &Parent, Name, Length, &Found) == HiveNotFound)
            (void)HiveAddKey(Hive, Cell, Name, Length, &New, &Cell);
        break;
    case 1:
        if (Cell != Hive->Root)
            (void)HiveDeleteKey(Hive, Cell, 1);
        break;
    case 2:
        if (Cell != Hive->Root && HiveReadKey(Hive, Parent.Parent, &Parent) == HiveOk &&
            HiveFindSubKey(Hive, &Parent, Name, Length, &Found) == HiveNotFound)
            (void)HiveRenameKey(Hive, Cell, Name, Length, 1, &Cell);
        break;
    case 3:
        (void)HiveDeleteValue(Hive, Cell, Name, Length, 1);
        break;
    default:
        (void)HiveSetValue(Hive, Cell, Name, Length, Bytes[3], Data, Size, 1);
    }
}

static void EditLoaded(const uint8_t *Bytes, size_t Length)
{
    HIVE Hive;
    HIVE_STATUS Status = HiveLoad(&Hive, &HiveHeap, Bytes, Length);
    if (Status != HiveOk)
        return;
    size_t At = HIVE_HEADER_SIZE + Hive.Stores[0].Length;
    for (uint32_t i = 0; i < MOST_EDITS && Length - At >= 4; i++, At += 4)
        Edit(&Hive, Bytes + At);
    const uint8_t *Sealed;
    uint32_t SealedLength;
    HiveSeal(&Hive, 1, &Sealed, &SealedLength);
    if (Hive.Error.Rule || WalkEverything(Sealed, SealedLength) != HiveOk)
        abort();
    HiveDestroy(&Hive);
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    uint8_t *Copy = malloc(Length + 1);
    if (!Copy)
        return 0;
    memcpy(Copy, Data, Length);
    if (Length >= HIVE_HEADER_SIZE)
        HiveStore32(Copy + REGF_CHECKSUM, HiveChecksum(Copy));
    (void)WalkEverything(Copy, Length);
    EditLoaded(Copy, Length);
    free(Copy);
    return 0;
}

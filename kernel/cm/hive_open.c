/* SPDX-License-Identifier: MIT
 * Opening a hive: header, bins, the frame of each cell; and HiveCell, through which every later read goes. */
#include "cm/hive_private.h"

static HIVE_STATUS HeaderDamage(HIVE *Hive, uint32_t Offset, const char *Rule)
{
    Hive->Error.Offset = Offset;
    Hive->Error.Rule = Rule;
    return HiveDamaged;
}

HIVE_STATUS HiveReport(HIVE *Hive, uint32_t Cell, const char *Rule)
{
    uint32_t Offset = HIVE_HEADER_SIZE + (Cell & ~HIVE_VOLATILE);
    return HeaderDamage(Hive, Cell == HIVE_NO_CELL ? REGF_ROOT : Offset, Rule);
}

static HIVE_STATUS CheckHeader(HIVE *Hive, const uint8_t *Header, uint64_t Length)
{
    if (Length < HIVE_HEADER_SIZE)
        return HeaderDamage(Hive, 0, "the file is shorter than a hive header");
    if (memcmp(Header, "regf", 4) != 0)
        return HeaderDamage(Hive, 0, "the magic is not regf");
    if (HiveLoad32(Header + REGF_CHECKSUM) != HiveChecksum(Header))
        return HeaderDamage(Hive, REGF_CHECKSUM, "the header's checksum is wrong");
    if (HiveLoad32(Header + REGF_PRIMARY) != HiveLoad32(Header + REGF_SECONDARY))
        return HeaderDamage(Hive, REGF_PRIMARY,
                            "the sequence numbers differ: the hive was not written to its end");
    Hive->Version = HiveLoad32(Header + REGF_MINOR);
    if (HiveLoad32(Header + REGF_MAJOR) != 1 || Hive->Version < 3 || Hive->Version > 6)
        return HeaderDamage(Hive, REGF_MAJOR, "the version is not 1.3 to 1.6");
    if (HiveLoad32(Header + REGF_TYPE) != 0 || HiveLoad32(Header + REGF_FORMAT) != 1)
        return HeaderDamage(Hive, REGF_TYPE, "the file is no primary hive");

    uint32_t Bins = HiveLoad32(Header + REGF_BINS_LENGTH);
    if (Bins == 0 || Bins % 4096 || Bins > HIVE_MAX_BINS)
        return HeaderDamage(Hive, REGF_BINS_LENGTH,
                            "the length of the bins is not a multiple of 4096 below 2 GiB");
    if (Bins > Length - HIVE_HEADER_SIZE)
        return HeaderDamage(Hive, REGF_BINS_LENGTH, "the file is shorter than its header says");
    Hive->Stores[0].Bins = Header + HIVE_HEADER_SIZE;
    Hive->Stores[0].Length = Bins;
    Hive->Root = HiveLoad32(Header + REGF_ROOT);
    return HiveOk;
}

uint32_t HiveCellSize(const uint8_t *Bins, uint32_t Offset)
{
    uint32_t Size = HiveLoad32(Bins + Offset);
    return Size & 0x80000000u ? 0u - Size : Size;
}

static HIVE_STATUS CheckCells(HIVE *Hive, uint32_t Bin, uint32_t BinSize)
{
    uint32_t End = Bin + BinSize;
    for (uint32_t Cell = Bin + HIVE_BIN_HEADER; Cell < End;) {
        uint32_t Size = HiveCellSize(Hive->Stores[0].Bins, Cell);
        if (Size < 8 || Size % 8 || Size > End - Cell)
            return HiveReport(Hive, Cell, "a cell's size is no multiple of 8 or passes the end of its bin");
        Cell += Size;
    }
    return HiveOk;
}

static HIVE_STATUS CheckBins(HIVE *Hive)
{
    const HIVE_STORE *Store = &Hive->Stores[0];
    for (uint32_t Bin = 0; Bin < Store->Length;) {
        const uint8_t *Header = Store->Bins + Bin;
        uint32_t Size = HiveLoad32(Header + HBIN_SIZE);
        if (memcmp(Header, "hbin", 4) != 0)
            return HiveReport(Hive, Bin, "the magic of a bin is not hbin");
        if (HiveLoad32(Header + HBIN_OFFSET) != Bin)
            return HiveReport(Hive, Bin + HBIN_OFFSET, "a bin does not name its own offset");
        if (Size == 0 || Size % 4096 || Size > Store->Length - Bin)
            return HiveReport(Hive, Bin + HBIN_SIZE,
                              "a bin's size is no multiple of 4096 or passes the end of the file");
        HIVE_STATUS Status = CheckCells(Hive, Bin, Size);
        if (Status != HiveOk)
            return Status;
        Bin += Size;
    }
    return HiveOk;
}

HIVE_STATUS HiveOpen(HIVE *Hive, const void *Bytes, uint64_t Length)
{
    HIVE_KEY Root;
    memset(Hive, 0, sizeof(*Hive));
    HIVE_STATUS Status = CheckHeader(Hive, Bytes, Length);
    if (Status == HiveOk)
        Status = CheckBins(Hive);
    if (Status == HiveOk)
        Status = HiveReadRoot(Hive, &Root);
    return Status;
}

const uint8_t *HiveCell(HIVE *Hive, uint32_t From, uint32_t Cell, uint32_t Least, uint32_t *Length)
{
    const HIVE_STORE *Store = &Hive->Stores[HiveStoreOf(Cell)];
    uint32_t At = Cell & ~HIVE_VOLATILE;
    if (At < HIVE_BIN_HEADER || At % 8 || At >= Store->Length) {
        HiveReport(Hive, From, "a reference in this cell names no cell");
        return NULL;
    }
    uint32_t Size = HiveLoad32(Store->Bins + At);
    if (!(Size & 0x80000000u)) {
        HiveReport(Hive, Cell, "a cell that is in use is marked free");
        return NULL;
    }
    Size = 0u - Size;
    if (Size < 8 || Size > Store->Length - At || Size - 4 < Least) {
        HiveReport(Hive, Cell, "a cell is too small for its contents or passes the end of the hive");
        return NULL;
    }
    *Length = Size - 4;
    return Store->Bins + At + 4;
}

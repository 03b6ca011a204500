/* SPDX-License-Identifier: MIT
 * Writable hives: an empty one, one from a file's bytes, and back to those. */
#include "cm/hive_private.h"

static void *Allocate(HIVE *Hive, size_t Size)
{
    return Hive->Memory.Allocate(Hive->Memory.Context, Size);
}

static void Release(HIVE *Hive, void *Block)
{
    if (Block)
        Hive->Memory.Free(Hive->Memory.Context, Block);
}

/* --- from bytes ---------------------------------------------------------------------------------------------- */

/* Every cell in use is still to be claimed. */
static void MarkCells(const HIVE_STORE *Store, uint8_t *Cells)
{
    for (uint32_t Bin = 0; Bin < Store->Length;) {
        uint32_t End = Bin + HiveLoad32(Store->Bins + Bin + HBIN_SIZE);
        for (uint32_t At = Bin + HIVE_BIN_HEADER; At < End; At += HiveCellSize(Store->Bins, At)) {
            if (HiveLoad32(Store->Bins + At) & 0x80000000u)
                Cells[At / 64] |= (uint8_t)(1u << (At / 8 % 8));
        }
        Bin = End;
    }
}

static HIVE_STATUS CheckOwnership(HIVE *Hive)
{
    size_t Size = Hive->Stores[0].Length / 64;
    HIVE_CLAIMS Claims;
    Claims.Cells = Allocate(Hive, 2 * Size);
    if (!Claims.Cells)
        return HiveNoMemory;
    memset(Claims.Cells, 0, 2 * Size);
    Claims.Securities = Claims.Cells + Size;
    MarkCells(&Hive->Stores[0], Claims.Cells);
    HIVE_STATUS Status = HiveCheckClaims(Hive, &Claims);
    Release(Hive, Claims.Cells);
    return Status;
}

HIVE_STATUS HiveLoad(HIVE *Hive, const HIVE_MEMORY *Memory, const void *Bytes, uint64_t Length)
{
    HIVE File;
    HIVE_STATUS Status = HiveOpen(&File, Bytes, Length);
    HiveInitStores(Hive);
    Hive->Error = File.Error;
    if (Status != HiveOk)
        return Status;
    Hive->Memory = *Memory;
    Hive->Root = File.Root;
    Hive->Version = File.Version;
    Status = HiveReserve(Hive, 0, File.Stores[0].Length);
    if (Status != HiveOk)
        return Status;
    HIVE_STORE *Store = &Hive->Stores[0];
    memcpy(Store->Block, Bytes, HIVE_HEADER_SIZE + (size_t)File.Stores[0].Length);
    Store->Length = File.Stores[0].Length;
    Status = CheckOwnership(Hive);
    if (Status != HiveOk) {
        HIVE_ERROR Error = Hive->Error;
        HiveDestroy(Hive);
        Hive->Error = Error;
        return Status;
    }
    HiveIndexStore(Hive, 0);
    Hive->Dirty = false; /* what was put right need not go back */
    Hive->Checked = true;
    return HiveOk;
}

/* --- empty --------------------------------------------------------------------------------------------------- */

static void FillRoot(HIVE *Hive, uint64_t Time, uint32_t Security)
{
    uint8_t *Root = HiveModify(Hive, Hive->Root);
    memcpy(Root, "nk", 2);
    HiveStore16(Root + NK_FLAGS, HIVE_KEY_ENTRY | NK_FLAG_NO_DELETE | NK_FLAG_COMPRESSED);
    HiveStore64(Root + NK_TIME, Time);
    HiveStore32(Root + NK_PARENT, HIVE_NO_CELL);
    HiveStore32(Root + NK_SUBKEY_LIST, HIVE_NO_CELL);
    HiveStore32(Root + NK_VOLATILE_LIST, HIVE_NO_CELL);
    HiveStore32(Root + NK_VALUE_LIST, HIVE_NO_CELL);
    HiveStore32(Root + NK_SECURITY, Security);
    HiveStore32(Root + NK_CLASS, HIVE_NO_CELL);
    HiveStore16(Root + NK_NAME_LENGTH, 4);
    memcpy(Root + NK_NAME, "ROOT", 4);
}

static void FillHeader(HIVE *Hive, uint64_t Time)
{
    uint8_t *Header = Hive->Stores[0].Block;
    memcpy(Header, "regf", 4);
    HiveStore32(Header + REGF_MAJOR, 1);
    HiveStore32(Header + REGF_MINOR, Hive->Version);
    HiveStore32(Header + REGF_FORMAT, 1);
    HiveStore32(Header + REGF_ROOT, Hive->Root);
    HiveStore32(Header + REGF_CLUSTER, 1);
    HiveStore64(Header + HIVE_HEADER_SIZE + HBIN_TIME, Time);
}

HIVE_STATUS HiveCreate(HIVE *Hive, const HIVE_MEMORY *Memory, uint64_t Time)
{
    uint32_t Security = HIVE_NO_CELL;
    HiveInitStores(Hive);
    Hive->Memory = *Memory;
    Hive->Version = 5;
    Hive->Checked = true;
    HIVE_STATUS Status = HiveNewCell(Hive, 0, NK_NAME + 4, &Hive->Root);
    if (Status == HiveOk)
        Status = HiveDefaultSecurity(Hive, &Security);
    if (Status != HiveOk) {
        HiveDestroy(Hive);
        return Status;
    }
    FillRoot(Hive, Time, Security);
    FillHeader(Hive, Time);
    return HiveOk;
}

/* --- to bytes ------------------------------------------------------------------------------------------------ */

void HiveSeal(HIVE *Hive, uint64_t Time, const uint8_t **Bytes, uint32_t *Length)
{
    uint8_t *Header = Hive->Stores[0].Block;
    uint32_t Sequence = HiveLoad32(Header + REGF_PRIMARY) + 1;
    HiveStore32(Header + REGF_PRIMARY, Sequence);
    HiveStore32(Header + REGF_SECONDARY, Sequence);
    HiveStore64(Header + REGF_TIME, Time);
    HiveStore32(Header + REGF_BINS_LENGTH, Hive->Stores[0].Length);
    HiveStore32(Header + REGF_CHECKSUM, HiveChecksum(Header));
    *Bytes = Header;
    *Length = HIVE_HEADER_SIZE + Hive->Stores[0].Length;
}

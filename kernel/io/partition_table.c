/* SPDX-License-Identifier: MIT
 * Partition tables: the sectors of a disk become entries. */
#include "partition_table.h"

#include <string.h>

#define MBR_SIGNATURE 440u
#define MBR_ENTRIES 446u
#define MBR_END 510u
#define MBR_ENTRY 16u
#define MBR_IN_TABLE 4u
#define TYPE_UNUSED 0u
#define TYPE_GPT 0xEEu
#define GPT_HEADER_LEAST 92u
#define GPT_ENTRY_LEAST 128u

static uint16_t Get16(const uint8_t *At)
{
    return (uint16_t)(At[0] | At[1] << 8);
}

static uint32_t Get32(const uint8_t *At)
{
    return Get16(At) | (uint32_t)Get16(At + 2) << 16;
}

static uint64_t Get64(const uint8_t *At)
{
    return Get32(At) | (uint64_t)Get32(At + 4) << 32;
}

/* The CRC of IEEE 802.3, which a GPT has; begin with 0, go on with the result. */
uint32_t PartitionCrc32(uint32_t Crc, const void *Data, uint32_t Length)
{
    const uint8_t *Bytes = Data;
    Crc = ~Crc;
    for (uint32_t i = 0; i < Length; i++) {
        Crc ^= Bytes[i];
        for (int Bit = 0; Bit < 8; Bit++)
            Crc = Crc >> 1 ^ (Crc & 1 ? 0xEDB88320u : 0);
    }
    return ~Crc;
}

static PARTITION_TABLE_RESULT Damaged(PARTITION_TABLE *Table, const char *Why)
{
    Table->Why = Why;
    return PartitionTableDamaged;
}

static PARTITION_TABLE_RESULT ReadSector(PARTITION_TABLE *Table, uint64_t Sector)
{
    if (Sector >= Table->Sectors)
        return Damaged(Table, "a table lies beyond the end of the disk");
    return Table->Read(Table->Context, Sector, Table->Sector) ? PartitionTableRead : PartitionTableUnreadable;
}

static bool IsInside(uint64_t Start, uint64_t Count, uint64_t From, uint64_t End)
{
    return Start >= From && Start <= End && Count != 0 && Count <= End - Start;
}

/* --- what both kinds share --- */

static PARTITION_ENTRY *AddEntry(PARTITION_TABLE *Table, uint64_t Start, uint64_t Sectors)
{
    PARTITION_ENTRY *Entry = &Table->Entries[Table->Count++];
    memset(Entry, 0, sizeof(*Entry));
    Entry->Start = Start * Table->SectorSize;
    Entry->Length = Sectors * Table->SectorSize;
    return Entry;
}

static bool AreOver(const PARTITION_ENTRY *One, const PARTITION_ENTRY *Other)
{
    return One->Start < Other->Start + Other->Length && Other->Start < One->Start + One->Length;
}

/* The entry is a partition unless it lies over one. */
static PARTITION_TABLE_RESULT NumberEntry(PARTITION_TABLE *Table, PARTITION_ENTRY *Entry)
{
    for (PARTITION_ENTRY *Other = Table->Entries; Other < Entry; Other++)
        if (Other->Number != 0 && AreOver(Entry, Other))
            return Damaged(Table, "two partitions lie over each other");
    Entry->Number = ++Table->Partitions;
    return PartitionTableRead;
}

/* --- MBR --- */

/* Where a table of four counts from, and where its partitions must lie. */
typedef struct EXTENT {
    uint64_t Base;      /* of partitions */
    uint64_t LinkBase;  /* of extended ones */
    uint64_t From, End; /* sectors */
} EXTENT;

/* [WDK PARTITION_INFORMATION; IsContainerPartition of ntdddisk.h] */
static bool IsContainer(uint8_t Type)
{
    return Type == 0x05 || Type == 0x0F;
}

static PARTITION_TABLE_RESULT AddMbrEntry(PARTITION_TABLE *Table, const uint8_t *Raw, const EXTENT *In,
                                          EXTENT *Link)
{
    uint8_t Type = Raw[4];
    uint64_t Count = Get32(Raw + 12), Start = Get32(Raw + 8);
    if (Type == TYPE_UNUSED) {
        AddEntry(Table, 0, 0);
        return PartitionTableRead;
    }
    Start += IsContainer(Type) ? In->LinkBase : In->Base;
    if (!IsInside(Start, Count, In->From, In->End))
        return Damaged(Table, "a partition lies beyond the end of the disk or of the extended partition");
    PARTITION_ENTRY *Entry = AddEntry(Table, Start, Count);
    Entry->Type = Type;
    Entry->Boot = Raw[0] == 0x80;
    Entry->HiddenSectors = (uint32_t)(Start - (IsContainer(Type) ? In->LinkBase : In->Base));
    if (!IsContainer(Type))
        return NumberEntry(Table, Entry);
    if (Link->End != 0)
        return Damaged(Table, "a table has two extended partitions");
    Link->From = Start;
    Link->End = Start + Count;
    return PartitionTableRead;
}

/* The table in Table->Sector. Link: its extended partition, all 0 when it has none. */
static PARTITION_TABLE_RESULT AddFour(PARTITION_TABLE *Table, const EXTENT *In, EXTENT *Link)
{
    PARTITION_TABLE_RESULT Result = PartitionTableRead;
    memset(Link, 0, sizeof(*Link));
    if (Table->Count + MBR_IN_TABLE > PARTITION_MOST)
        return Damaged(Table, "the chain of extended partitions is too long, or a loop");
    for (uint32_t i = 0; i < MBR_IN_TABLE && Result == PartitionTableRead; i++)
        Result = AddMbrEntry(Table, Table->Sector + MBR_ENTRIES + i * MBR_ENTRY, In, Link);
    return Result;
}

static bool HasMark(const PARTITION_TABLE *Table)
{
    return Get16(Table->Sector + MBR_END) == 0xAA55;
}

/* An extended boot record: its partition counts from itself, its link from the extended partition of the MBR. */
static PARTITION_TABLE_RESULT AddExtended(PARTITION_TABLE *Table, const EXTENT *Outer, EXTENT *Link)
{
    EXTENT In = {Link->From, Outer->From, Outer->From, Outer->End};
    PARTITION_TABLE_RESULT Result = ReadSector(Table, Link->From);
    if (Result != PartitionTableRead)
        return Result;
    if (!HasMark(Table))
        return Damaged(Table, "an extended boot record has no signature");
    return AddFour(Table, &In, Link);
}

static PARTITION_TABLE_RESULT LoadMbr(PARTITION_TABLE *Table)
{
    EXTENT All = {0, 0, 1, Table->Sectors}, Outer;
    Table->Style = PartitionTableMbr;
    PARTITION_TABLE_RESULT Result = AddFour(Table, &All, &Outer);
    EXTENT Link = Outer;
    while (Result == PartitionTableRead && Link.End != 0)
        Result = AddExtended(Table, &Outer, &Link);
    return Result;
}

/* --- GPT [UEFI 2.10, 5.3] --- */

typedef struct GPT {
    uint64_t FirstUsable, LastUsable, Entries;
    uint32_t Count, Size, Crc;
} GPT;

static bool IsUnusedId(const uint8_t *Id)
{
    uint8_t Any = 0;
    for (int i = 0; i < 16; i++)
        Any |= Id[i];
    return Any == 0;
}

/* The header in Table->Sector, which is the disk's sector At. */
static PARTITION_TABLE_RESULT ReadHeader(PARTITION_TABLE *Table, uint64_t At, GPT *Gpt)
{
    uint8_t *Raw = Table->Sector;
    uint32_t Size = Get32(Raw + 12), Crc = Get32(Raw + 16);
    if (memcmp(Raw, "EFI PART", 8) != 0 || Size < GPT_HEADER_LEAST || Size > Table->SectorSize)
        return Damaged(Table, "there is no GPT header");
    memset(Raw + 16, 0, 4);
    if (PartitionCrc32(0, Raw, Size) != Crc || Get64(Raw + 24) != At)
        return Damaged(Table, "the check sum of the GPT header is wrong");
    *Gpt = (GPT){Get64(Raw + 40), Get64(Raw + 48), Get64(Raw + 72),
                 Get32(Raw + 80), Get32(Raw + 84), Get32(Raw + 88)};
    if (Gpt->FirstUsable > Gpt->LastUsable || Gpt->LastUsable >= Table->Sectors)
        return Damaged(Table, "the sectors that the GPT header gives to partitions are not on the disk");
    if (Gpt->Size < GPT_ENTRY_LEAST || Gpt->Size > Table->SectorSize || Table->SectorSize % Gpt->Size != 0)
        return Damaged(Table, "the size of the GPT's entries is wrong");
    if (Gpt->Count > PARTITION_MOST)
        return Damaged(Table, "the GPT has too many entries");
    memcpy(Table->DiskId, Raw + 56, sizeof(Table->DiskId));
    Table->UsableStart = Gpt->FirstUsable * Table->SectorSize;
    Table->UsableLength = (Gpt->LastUsable - Gpt->FirstUsable + 1) * Table->SectorSize;
    Table->MaximumCount = Gpt->Count;
    return PartitionTableRead;
}

static PARTITION_TABLE_RESULT AddGptEntry(PARTITION_TABLE *Table, const GPT *Gpt, const uint8_t *Raw)
{
    uint64_t First = Get64(Raw + 32), Last = Get64(Raw + 40);
    if (IsUnusedId(Raw))
        return PartitionTableRead;
    if (First > Last || !IsInside(First, Last - First + 1, Gpt->FirstUsable, Gpt->LastUsable + 1))
        return Damaged(Table, "a partition lies outside of what the GPT header gives to partitions");
    PARTITION_ENTRY *Entry = AddEntry(Table, First, Last - First + 1);
    memcpy(Entry->TypeId, Raw, 16);
    memcpy(Entry->Id, Raw + 16, 16);
    Entry->Attributes = Get64(Raw + 48);
    for (uint32_t i = 0; i < PARTITION_NAME; i++)
        Entry->Name[i] = Get16(Raw + 56 + 2 * i);
    return NumberEntry(Table, Entry);
}

static PARTITION_TABLE_RESULT AddGptEntries(PARTITION_TABLE *Table, const GPT *Gpt)
{
    PARTITION_TABLE_RESULT Result = PartitionTableRead;
    uint32_t Crc = 0, InSector = Table->SectorSize / Gpt->Size;
    for (uint32_t i = 0; i < Gpt->Count && Result == PartitionTableRead; i++) {
        if (i % InSector == 0)
            Result = ReadSector(Table, Gpt->Entries + i / InSector);
        if (Result != PartitionTableRead)
            return Result;
        const uint8_t *Raw = Table->Sector + i % InSector * Gpt->Size;
        Crc = PartitionCrc32(Crc, Raw, Gpt->Size);
        Result = AddGptEntry(Table, Gpt, Raw);
    }
    if (Result == PartitionTableRead && Crc != Gpt->Crc)
        return Damaged(Table, "the check sum of the GPT's entries is wrong");
    return Result;
}

static void Forget(PARTITION_TABLE *Table)
{
    Table->Count = Table->Partitions = 0;
}

static PARTITION_TABLE_RESULT LoadGptAt(PARTITION_TABLE *Table, uint64_t At)
{
    GPT Gpt;
    Forget(Table);
    PARTITION_TABLE_RESULT Result = ReadSector(Table, At);
    if (Result == PartitionTableRead)
        Result = ReadHeader(Table, At, &Gpt);
    return Result == PartitionTableRead ? AddGptEntries(Table, &Gpt) : Result;
}

static PARTITION_TABLE_RESULT LoadGpt(PARTITION_TABLE *Table)
{
    Table->Style = PartitionTableGpt;
    PARTITION_TABLE_RESULT Result = LoadGptAt(Table, 1);
    return Result == PartitionTableRead ? Result : LoadGptAt(Table, Table->Sectors - 1);
}

/* --- the first sector says which it is --- */

static bool IsProtective(const PARTITION_TABLE *Table)
{
    for (uint32_t i = 0; i < MBR_IN_TABLE; i++)
        if (Table->Sector[MBR_ENTRIES + i * MBR_ENTRY + 4] == TYPE_GPT)
            return true;
    return false;
}

static uint32_t CheckSum(const PARTITION_TABLE *Table)
{
    uint32_t Sum = 0;
    for (uint32_t i = 0; i < 512; i += 4)
        Sum += Get32(Table->Sector + i);
    return 0u - Sum;
}

static PARTITION_TABLE_RESULT LoadAny(PARTITION_TABLE *Table)
{
    PARTITION_TABLE_RESULT Result = ReadSector(Table, 0);
    if (Result != PartitionTableRead)
        return Result;
    Table->Style = PartitionTableNone;
    if (!HasMark(Table))
        return PartitionTableRead;
    Table->Signature = Get32(Table->Sector + MBR_SIGNATURE);
    Table->CheckSum = CheckSum(Table);
    return IsProtective(Table) ? LoadGpt(Table) : LoadMbr(Table);
}

PARTITION_TABLE_RESULT PartitionTableLoad(PARTITION_TABLE *Table)
{
    Forget(Table);
    Table->Why = "";
    PARTITION_TABLE_RESULT Result = LoadAny(Table);
    if (Result != PartitionTableRead)
        Forget(Table);
    return Result;
}

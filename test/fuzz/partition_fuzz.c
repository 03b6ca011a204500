/* SPDX-License-Identifier: MIT
 * libFuzzer over the partition tables: whatever a disk holds, no partition lies outside of it or over another. Bit 0 of the first byte: the
 * check sums of the first GPT are made right, so that what is behind them is reached. */
#include "io/partition_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

typedef struct DISK {
    const uint8_t *Bytes;
    size_t Length;
} DISK;

static bool ReadDisk(void *Context, uint64_t Sector, void *Buffer)
{
    const DISK *Disk = Context;
    if (Sector >= Disk->Length / SECTOR)
        abort(); /* not a sector of the disk */
    memcpy(Buffer, Disk->Bytes + Sector * SECTOR, SECTOR);
    return Disk->Bytes[Sector * SECTOR] != 0xFE;
}

static void Put32(uint8_t *At, uint32_t Value)
{
    memcpy(At, &Value, sizeof(Value));
}

/* A protective MBR and a header whose sums are right, of entries in one sector. */
static void Mend(uint8_t *Bytes, size_t Length)
{
    if (Length < 3 * SECTOR)
        return;
    uint8_t *Header = Bytes + SECTOR;
    Bytes[450] = 0xEE;
    Bytes[510] = 0x55;
    Bytes[511] = 0xAA;
    memcpy(Header, "EFI PART", 8);
    Put32(Header + 12, 92);
    Put32(Header + 24, 1);
    Put32(Header + 28, 0);
    Put32(Header + 72, 2);
    Put32(Header + 76, 0);
    Put32(Header + 80, 4);
    Put32(Header + 84, 128);
    Put32(Header + 88, PartitionCrc32(0, Bytes + 2 * SECTOR, SECTOR));
    Put32(Header + 16, 0);
    Put32(Header + 16, PartitionCrc32(0, Header, 92));
}

static void CheckEntry(const PARTITION_TABLE *Table, uint32_t At)
{
    const PARTITION_ENTRY *Entry = &Table->Entries[At];
    uint64_t Size = Table->Sectors * SECTOR;
    if (Entry->Start > Size || Entry->Length > Size - Entry->Start ||
        (Entry->Number != 0 && Entry->Length == 0))
        abort();
    for (uint32_t i = 0; Entry->Number != 0 && i < At; i++) {
        const PARTITION_ENTRY *Other = &Table->Entries[i];
        if (Other->Number != 0 && Entry->Start < Other->Start + Other->Length &&
            Other->Start < Entry->Start + Entry->Length)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    if (Length < 1 + SECTOR)
        return 0;
    uint8_t *Copy = malloc(Length - 1);
    DISK Disk = {Copy, Length - 1};
    memcpy(Copy, Data + 1, Length - 1);
    if (Data[0] & 1)
        Mend(Copy, Length - 1);
    PARTITION_TABLE *Table = calloc(1, sizeof(*Table));
    Table->Read = ReadDisk;
    Table->Context = &Disk;
    Table->SectorSize = SECTOR;
    Table->Sectors = Disk.Length / SECTOR;
    if (PartitionTableLoad(Table) != PartitionTableRead && Table->Count != 0)
        abort();
    for (uint32_t i = 0; i < Table->Count; i++)
        CheckEntry(Table, i);
    free(Table);
    free(Copy);
    return 0;
}

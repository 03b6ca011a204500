/* SPDX-License-Identifier: MIT
 * The partition tables of a disk: MBR with its chain of extended boot records, and GPT. [WDK PARTITION_INFORMATION_MBR; UEFI 2.10, chapter 5]
 * Pure: the host builds it too. Nothing is allocated; what is read is believed in nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PARTITION_MOST 128u /* entries of a table, with those that are unused in an MBR */
#define PARTITION_SECTOR_MOST 4096u
#define PARTITION_NAME 36u /* code units */

typedef enum PARTITION_TABLE_RESULT {
    PartitionTableRead,
    PartitionTableDamaged,   /* Why says how */
    PartitionTableUnreadable /* the reader failed */
} PARTITION_TABLE_RESULT;

typedef enum PARTITION_TABLE_STYLE {
    PartitionTableMbr,
    PartitionTableGpt,
    PartitionTableNone
} PARTITION_TABLE_STYLE;

/* In bytes. */
typedef struct PARTITION_ENTRY {
    uint64_t Start, Length;
    uint32_t Number;            /* from 1; 0: no partition (unused, or an extended one that holds others) */
    uint32_t HiddenSectors;     /* MBR */
    uint8_t Type, Boot;         /* MBR */
    uint8_t TypeId[16], Id[16]; /* GPT */
    uint64_t Attributes;        /* GPT */
    uint16_t Name[PARTITION_NAME];
} PARTITION_ENTRY;

/* Reads one sector. false: it cannot be read. */
typedef bool PARTITION_READER(void *Context, uint64_t Sector, void *Buffer);

typedef struct PARTITION_TABLE {
    PARTITION_READER *Read; /* set by the caller, as are the next three */
    void *Context;
    uint32_t SectorSize; /* a power of two, 512 to PARTITION_SECTOR_MOST */
    uint64_t Sectors;    /* of the disk */
    const char *Why;
    PARTITION_TABLE_STYLE Style;
    uint32_t Signature, CheckSum; /* MBR: of the disk; what makes the sum of the sector's numbers 0 */
    uint8_t DiskId[16];           /* GPT, as are the next three */
    uint64_t UsableStart, UsableLength;
    uint32_t MaximumCount;
    uint32_t Count;      /* of Entries */
    uint32_t Partitions; /* that have numbers */
    PARTITION_ENTRY Entries[PARTITION_MOST];
    uint8_t Sector[PARTITION_SECTOR_MOST]; /* the last that was read */
} PARTITION_TABLE;

/* No partition lies outside the disk or over another when the result is PartitionTableRead; there is none otherwise. A disk without a
 * table has the style PartitionTableNone. Of a GPT the second is taken when the first is damaged. */
PARTITION_TABLE_RESULT PartitionTableLoad(PARTITION_TABLE *Table);
uint32_t PartitionCrc32(uint32_t Crc, const void *Data, uint32_t Length);

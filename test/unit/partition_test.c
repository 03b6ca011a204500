/* SPDX-License-Identifier: MIT
 * Partition tables on a small disk in memory: chains, loops, ends, overlaps, check sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/partition_table.h"

#define SECTOR 512u
#define SECTORS 256u

static uint8_t disk[SECTORS][SECTOR];
static PARTITION_TABLE table;
static uint64_t bad_sector;

static bool read_disk(void *context, uint64_t sector, void *buffer)
{
    assert_true(sector < SECTORS);
    memcpy(buffer, disk[sector], SECTOR);
    return context == NULL && sector != bad_sector;
}

static int begin(void **state)
{
    memset(disk, 0, sizeof(disk));
    bad_sector = ~0ull;
    return 0;
}

static PARTITION_TABLE_RESULT load(void)
{
    memset(&table, 0xCC, sizeof(table));
    table.Read = read_disk;
    table.Context = NULL;
    table.SectorSize = SECTOR;
    table.Sectors = SECTORS;
    return PartitionTableLoad(&table);
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void put(uint32_t sector, uint32_t entry, uint8_t type, uint32_t start, uint32_t count)
{
    uint8_t *at = disk[sector] + 446 + entry * 16;
    at[4] = type;
    put32(at + 8, start);
    put32(at + 12, count);
    disk[sector][510] = 0x55;
    disk[sector][511] = 0xAA;
}

static void expect_damaged(const char *why)
{
    assert_int_equal(load(), PartitionTableDamaged);
    assert_string_equal(table.Why, why);
    assert_int_equal(table.Count, 0);
}

static void nothing(void **state)
{
    assert_int_equal(load(), PartitionTableRead);
    assert_int_equal(table.Style, PartitionTableNone);
    assert_int_equal(table.Count, 0);
}

static void chain(void **state)
{
    put(0, 0, 0x07, 8, 32);
    put(0, 3, 0x0F, 64, 128);
    put(64, 0, 0x83, 4, 16);
    put(64, 1, 0x05, 32, 64);
    put(96, 0, 0x83, 8, 40);
    assert_int_equal(load(), PartitionTableRead);
    assert_int_equal(table.Style, PartitionTableMbr);
    assert_int_equal(table.Count, 12);
    assert_int_equal(table.Partitions, 3);
    assert_int_equal(table.Entries[8].Start, 104 * SECTOR);
    assert_int_equal(table.Entries[8].Number, 3);
    assert_int_equal(table.Entries[8].HiddenSectors, 8);
    assert_int_equal(table.Entries[3].Number, 0);
}

static void loops(void **state)
{
    put(0, 0, 0x05, 64, 128);
    put(64, 1, 0x05, 0, 64); /* of a table without partitions, to itself */
    expect_damaged("the chain of extended partitions is too long, or a loop");
    put(64, 0, 0x83, 4, 16);
    expect_damaged("two partitions lie over each other");
    put(64, 2, 0x05, 32, 32);
    put(64, 0, 0, 0, 0);
    expect_damaged("a table has two extended partitions");
}

static void outside(void **state)
{
    static const char *beyond = "a partition lies beyond the end of the disk or of the extended partition";
    put(0, 0, 0x07, SECTORS - 1, 1);
    assert_int_equal(load(), PartitionTableRead);
    put(0, 0, 0x07, SECTORS - 1, 2);
    expect_damaged(beyond);
    put(0, 0, 0x07, 0xFFFFFFFF, 0xFFFFFFFF);
    expect_damaged(beyond);
    put(0, 0, 0x07, 0, 8); /* over the table */
    expect_damaged(beyond);
    put(0, 0, 0x07, 8, 0);
    expect_damaged(beyond);
    put(0, 0, 0x05, 64, 32);
    put(64, 0, 0x83, 4, 29); /* out of the extended partition */
    expect_damaged(beyond);
    disk[64][510] = 0;
    expect_damaged("an extended boot record has no signature");
}

static void put_header(uint32_t sector)
{
    uint8_t *at = disk[sector];
    memset(at, 0, SECTOR);
    memcpy(at, "EFI PART", 8);
    put32(at + 12, 92);
    put32(at + 24, sector);
    put32(at + 40, 34);
    put32(at + 48, 220);
    put32(at + 72, 2);
    put32(at + 80, 8);
    put32(at + 84, 128);
    put32(at + 88, PartitionCrc32(0, disk[2], 2 * SECTOR));
    put32(at + 16, PartitionCrc32(0, at, 92));
}

static void put_gpt(uint32_t first, uint32_t last)
{
    uint8_t *entry = disk[3]; /* the fifth */
    put(0, 0, 0xEE, 1, SECTORS - 1);
    memset(entry, 0x77, 32);
    put32(entry + 32, first);
    put32(entry + 40, last);
    put_header(1);
    put_header(SECTORS - 1);
}

static void gpt(void **state)
{
    put_gpt(40, 59);
    assert_int_equal(load(), PartitionTableRead);
    assert_int_equal(table.Style, PartitionTableGpt);
    assert_int_equal(table.Count, 1);
    assert_int_equal(table.Entries[0].Start, 40 * SECTOR);
    assert_int_equal(table.Entries[0].Length, 20 * SECTOR);
    assert_int_equal(table.UsableLength, 187 * SECTOR);
    disk[1][16]++;
    assert_int_equal(load(), PartitionTableRead); /* the second header */
    disk[3][60]++;
    expect_damaged("the check sum of the GPT's entries is wrong");
    disk[SECTORS - 1][16]++;
    expect_damaged("the check sum of the GPT header is wrong");
}

static void gpt_outside(void **state)
{
    static const char *sentence = "a partition lies outside of what the GPT header gives to partitions";
    put_gpt(33, 59);
    expect_damaged(sentence);
    put_gpt(40, 221);
    expect_damaged(sentence);
    put_gpt(60, 59);
    expect_damaged(sentence);
}

static void unreadable(void **state)
{
    put(0, 0, 0x05, 64, 128);
    bad_sector = 64;
    assert_int_equal(load(), PartitionTableUnreadable);
    assert_int_equal(table.Count, 0);
}

/* [IEEE 802.3] the check value of the polynomial. */
static void crc(void **state)
{
    assert_int_equal(PartitionCrc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(PartitionCrc32(PartitionCrc32(0, "1234", 4), "56789", 5), 0xCBF43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing, begin),    cmocka_unit_test_setup(chain, begin),
        cmocka_unit_test_setup(loops, begin),      cmocka_unit_test_setup(outside, begin),
        cmocka_unit_test_setup(gpt, begin),        cmocka_unit_test_setup(gpt_outside, begin),
        cmocka_unit_test_setup(unreadable, begin), cmocka_unit_test_setup(crc, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

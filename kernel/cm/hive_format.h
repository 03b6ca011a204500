/* SPDX-License-Identifier: MIT
 * The REGF layout: byte offsets of the fields that we read or write (little endian, no alignment assumed).
 *
 *   file:  header (4096 bytes) | bin | bin | ...        a cell index is an offset from the first bin
 *   bin:   "hbin", own offset, size | cell | cell ...   size is a multiple of 4096; cells fill the bin
 *   cell:  int32 size (negative: in use), contents      size is a multiple of 8 and counts itself
 *
 *   nk (key) --> lf|lh|li (list of nk) or ri (list of lists);  value list (cells of vk);  sk (security)
 *   vk (value) --> data of up to 4 bytes in place, or a data cell, or db --> list --> segments of 16344 bytes
 */
#pragma once
#include <stdint.h>
#include <string.h>

#define HIVE_HEADER_SIZE 4096u
#define HIVE_BIN_HEADER 32u
#define HIVE_NO_CELL 0xffffffffu
#define HIVE_MAX_BINS 0x7ffff000u /* HIVE_VOLATILE */
#define HIVE_SEGMENT 16344u       /* data bytes in one segment of a db value; larger data must be segmented */
#define HIVE_INLINE 0x80000000u   /* bit of the data length: the data lies in the data offset field */
#define HIVE_MAX_DEPTH 512u
#define HIVE_MAX_KEY_NAME 255u /* code units */
#define HIVE_MAX_VALUE_NAME 16383u

enum { /* file header */
       REGF_PRIMARY = 4,
       REGF_SECONDARY = 8,
       REGF_TIME = 12,
       REGF_MAJOR = 20,
       REGF_MINOR = 24,
       REGF_TYPE = 28,
       REGF_FORMAT = 32,
       REGF_ROOT = 36,
       REGF_BINS_LENGTH = 40,
       REGF_CLUSTER = 44,
       REGF_CHECKSUM = 508,
};

enum { HBIN_OFFSET = 4, HBIN_SIZE = 8, HBIN_TIME = 20 };

enum { /* key cell */
       NK_FLAGS = 2,
       NK_TIME = 4,
       NK_PARENT = 16,
       NK_SUBKEY_COUNT = 20,
       NK_VOLATILE_COUNT = 24,
       NK_SUBKEY_LIST = 28,
       NK_VOLATILE_LIST = 32,
       NK_VALUE_COUNT = 36,
       NK_VALUE_LIST = 40,
       NK_SECURITY = 44,
       NK_CLASS = 48,
       NK_MAX_NAME = 52,
       NK_MAX_CLASS = 56,
       NK_MAX_VALUE_NAME = 60,
       NK_MAX_VALUE_DATA = 64,
       NK_NAME_LENGTH = 72,
       NK_CLASS_LENGTH = 74,
       NK_NAME = 76,
};
#define NK_MAGIC 0x6b6eu /* "nk" */
#define VK_MAGIC 0x6b76u /* "vk" */
#define NK_FLAG_COMPRESSED 0x20u
#define NK_FLAG_NO_DELETE 0x08u

enum { /* value cell */
       VK_NAME_LENGTH = 2,
       VK_DATA_LENGTH = 4,
       VK_DATA = 8,
       VK_TYPE = 12,
       VK_FLAGS = 16,
       VK_NAME = 20,
};
#define VK_FLAG_COMPRESSED 1u

enum { SK_FORWARD = 4, SK_BACKWARD = 8, SK_REFERENCES = 12, SK_LENGTH = 16, SK_DESCRIPTOR = 20 };
enum { LIST_COUNT = 2, LIST_ENTRIES = 4 }; /* lf, lh (8 bytes an entry: cell, hint), li, ri (4 bytes: cell) */
enum { DB_COUNT = 2, DB_LIST = 4, DB_SIZE = 12 }; /* segmented data */

/* The built-in: the kernel is compiled freestanding, where memcpy is a call. */
static inline uint16_t HiveLoad16(const uint8_t *At)
{
    uint16_t Value;
    __builtin_memcpy(&Value, At, sizeof(Value));
    return Value;
}

static inline uint32_t HiveLoad32(const uint8_t *At)
{
    uint32_t Value;
    __builtin_memcpy(&Value, At, sizeof(Value));
    return Value;
}

static inline uint64_t HiveLoad64(const uint8_t *At)
{
    uint64_t Value;
    __builtin_memcpy(&Value, At, sizeof(Value));
    return Value;
}

static inline void HiveStore16(uint8_t *At, uint16_t Value)
{
    __builtin_memcpy(At, &Value, sizeof(Value));
}

static inline void HiveStore32(uint8_t *At, uint32_t Value)
{
    __builtin_memcpy(At, &Value, sizeof(Value));
}

static inline void HiveStore64(uint8_t *At, uint64_t Value)
{
    __builtin_memcpy(At, &Value, sizeof(Value));
}

/* XOR of the first 127 words of the header; 0 and ~0 are reserved. */
static inline uint32_t HiveChecksum(const uint8_t *Header)
{
    uint32_t Sum = 0;
    for (uint32_t At = 0; At < REGF_CHECKSUM; At += 4)
        Sum ^= HiveLoad32(Header + At);
    if (Sum == 0xffffffffu)
        return 0xfffffffeu;
    return Sum ? Sum : 1;
}

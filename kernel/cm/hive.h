/* SPDX-License-Identifier: MIT
 * Registry hives (REGF 1.5) as bytes: a builder that makes a hive from keys and values, and a reader that
 * trusts nothing it reads. Pure: fixed-width types, memory from the caller, no globals; the same code runs in
 * the kernel, in `ntbox` (library cm_host) and under the fuzzer. Format: hive_format.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cm_text.h"

typedef enum HIVE_STATUS {
    HiveOk = 0,
    HiveNotFound = 1,      /* no such key or value */
    HiveNoMoreEntries = 2, /* the index is past the last subkey or value */
    HiveDamaged = 3,       /* HIVE.Error says what and where */
    HiveNoMemory = 4,
    HiveBadName =
        5, /* empty, longer than 255 characters (value names 16383), more than 511 levels, or no UTF-8 */
    HiveTooLarge = 6, /* the hive or a value would pass 2 GiB */
} HIVE_STATUS;

/* The registry's value types, with the numbers of REG_SZ and so on. */
typedef enum HIVE_TYPE {
    HiveTypeNone = 0,
    HiveTypeText = 1,
    HiveTypeExpandText = 2,
    HiveTypeBinary = 3,
    HiveTypeNumber32 = 4,
    HiveTypeLink = 6,
    HiveTypeMultiText = 7,
    HiveTypeNumber64 = 11,
} HIVE_TYPE;

/* Bits of HIVE_KEY.Flags; what the format defines beyond them is passed on unchanged. */
#define HIVE_KEY_EXIT 0x02u  /* another hive is mounted here (the kernel's master hive only) */
#define HIVE_KEY_ENTRY 0x04u /* the root of a hive */
#define HIVE_KEY_LINK 0x10u  /* symbolic link: its value SymbolicLinkValue names the target */

/* --- builder ----------------------------------------------------------------------------------------------
 */

/* Allocate returns NULL when there is no memory; Free takes what Allocate gave. */
typedef struct HIVE_MEMORY {
    void *(*Allocate)(void *Context, size_t Size);
    void (*Free)(void *Context, void *Block);
    void *Context;
} HIVE_MEMORY;

typedef struct HIVE_BUILDER HIVE_BUILDER;

/* An empty hive (a root key only). NULL: no memory. *Memory is copied. */
HIVE_BUILDER *HiveBuilderCreate(const HIVE_MEMORY *Memory);
void HiveBuilderDestroy(HIVE_BUILDER *Builder);

/* Paths are UTF-8, separated by '\', relative to the root; "" is the root itself. Missing keys on the way are
 * made, an existing key keeps its spelling. After a failure the builder is as before, apart from keys made on
 * the way. */
HIVE_STATUS HiveBuilderAddKey(HIVE_BUILDER *Builder, const char *Path);
/* Sets bits of HIVE_KEY.Flags: HIVE_KEY_EXIT or HIVE_KEY_LINK. */
HIVE_STATUS HiveBuilderMarkKey(HIVE_BUILDER *Builder, const char *Path, uint16_t Flags);
/* Name "" is the key's default value. A value of that name is replaced. Data is copied. */
HIVE_STATUS HiveBuilderSetValue(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                                const void *Data, uint32_t Length);
/* Text is UTF-8 and is stored as UTF-16 with its NUL. Type: HiveTypeText, HiveTypeExpandText, or
 * HiveTypeLink, which is stored without NUL. */
HIVE_STATUS HiveBuilderSetText(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                               const char *Text);
HIVE_STATUS HiveBuilderSetMultiText(HIVE_BUILDER *Builder, const char *Path, const char *Name,
                                    const char *const *Texts, uint32_t Count);
HIVE_STATUS HiveBuilderSetNumber32(HIVE_BUILDER *Builder, const char *Path, const char *Name,
                                   uint32_t Number);
HIVE_STATUS HiveBuilderSetNumber64(HIVE_BUILDER *Builder, const char *Path, const char *Name,
                                   uint64_t Number);

/* The hive file. Time: 100 ns since 1601, stamped on everything, so that equal trees give equal bytes. *Bytes
 * belongs to the caller, who frees it with Memory->Free. The builder may be used further. */
HIVE_STATUS HiveBuilderFinish(HIVE_BUILDER *Builder, uint64_t Time, uint8_t **Bytes, uint32_t *Length);

/* --- reader -----------------------------------------------------------------------------------------------
 */

typedef struct HIVE_ERROR {
    uint32_t Offset;  /* byte in the hive file */
    const char *Rule; /* one sentence, static text */
} HIVE_ERROR;

/* An open hive: points into the caller's bytes, owns nothing. Readers may run concurrently: only a damaged
 * hive makes them write, to Error. */
typedef struct HIVE {
    const uint8_t *Bins; /* what follows the header */
    uint32_t BinsLength;
    uint32_t Root;    /* cell of the root key */
    uint32_t Version; /* minor: 3..6 */
    HIVE_ERROR Error; /* valid after HiveDamaged */
} HIVE;

/* A name as the hive stores it: Latin-1 bytes or UTF-16. Read it with HiveNameCharacter. */
typedef struct HIVE_NAME {
    const uint8_t *Bytes;
    uint16_t Length; /* UTF-16 code units */
    bool Compressed; /* one byte for each */
} HIVE_NAME;

typedef struct HIVE_KEY {
    uint32_t Cell;
    uint32_t Parent; /* cell */
    uint64_t LastWriteTime;
    uint32_t SubKeyCount;
    uint32_t SubKeyList; /* cell */
    uint32_t ValueCount;
    uint32_t ValueList;   /* cell */
    uint32_t Class;       /* cell, valid when ClassLength is not 0 */
    uint16_t ClassLength; /* bytes of UTF-16 */
    uint16_t Flags;
    HIVE_NAME Name;
} HIVE_KEY;

typedef struct HIVE_VALUE {
    uint32_t Cell;
    uint32_t Type;
    uint32_t DataLength; /* bytes */
    uint32_t DataCell;   /* the data itself when Inline */
    bool Inline;
    bool Segmented; /* DataCell is a 'db' cell */
    HIVE_NAME Name;
} HIVE_VALUE;

/* Checks the header and the frame of every bin and cell. Length: bytes at Bytes, which stay while the hive is
 * used. */
HIVE_STATUS HiveOpen(HIVE *Hive, const void *Bytes, uint64_t Length);

/* Walks all keys, values and data from the root: after HiveOk no reader below meets damage. Uses about 5 KiB
 * of stack. */
HIVE_STATUS HiveCheck(HIVE *Hive);

/* Each function checks what it reads before it uses it, so it is safe on a hive that HiveCheck has not seen.
 */
HIVE_STATUS HiveReadRoot(HIVE *Hive, HIVE_KEY *Key);
HIVE_STATUS HiveReadKey(HIVE *Hive, uint32_t Cell, HIVE_KEY *Key);
HIVE_STATUS HiveSubKey(HIVE *Hive, const HIVE_KEY *Key, uint32_t Index, HIVE_KEY *SubKey);
HIVE_STATUS HiveFindSubKey(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                           HIVE_KEY *SubKey);
HIVE_STATUS HiveValue(HIVE *Hive, const HIVE_KEY *Key, uint32_t Index, HIVE_VALUE *Value);
HIVE_STATUS HiveFindValue(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                          HIVE_VALUE *Value);
/* Copies the first Length bytes of the data; Length <= Value->DataLength. */
HIVE_STATUS HiveReadData(HIVE *Hive, const HIVE_VALUE *Value, void *Buffer, uint32_t Length);
/* The key's class name: Key->ClassLength bytes of UTF-16 at *Bytes. */
HIVE_STATUS HiveReadClass(HIVE *Hive, const HIVE_KEY *Key, const uint8_t **Bytes);

/* Index < Name->Length. */
uint16_t HiveNameCharacter(const HIVE_NAME *Name, uint32_t Index);
/* Length in code units; case does not matter. */
bool HiveNameEquals(const HIVE_NAME *Name, const uint16_t *Text, uint32_t Length);

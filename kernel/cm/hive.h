/* SPDX-License-Identifier: MIT
 * Registry hives (REGF 1.5): a reader that trusts nothing it reads, and an editor that works on the very bytes that
 * the file has. Pure: fixed-width types, memory from the caller, no globals; the same code runs in the kernel, in
 * `ntbox` (library cm_host) and under the fuzzer. Format: hive_format.h. By path and from UTF-8: hive_builder.h. */
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
    HiveNotEmpty = 7, /* the key has subkeys */
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

/* --- hives ------------------------------------------------------------------------------------------------
 */

/* Allocate returns NULL when there is no memory; Free takes what Allocate gave. */
typedef struct HIVE_MEMORY {
    void *(*Allocate)(void *Context, size_t Size);
    void (*Free)(void *Context, void *Block);
    void *Context;
} HIVE_MEMORY;

typedef struct HIVE_ERROR {
    uint32_t Offset;  /* byte in the hive file */
    const char *Rule; /* one sentence, static text */
} HIVE_ERROR;

/* Bit 31 of a cell index says which store it lies in: that of the file, or the one that lives in memory only. */
#define HIVE_VOLATILE 0x80000000u
#define HIVE_STORES 2u
#define HIVE_FREE_LISTS 16u

/* The bins of one store. Only Bins and Length are set in a hive that is not writable. */
typedef struct HIVE_STORE {
    const uint8_t *Bins;
    uint32_t Length;
    uint32_t Capacity;              /* bytes of bins that Block has room for */
    uint8_t *Block;                 /* room for a file header, the bins, a byte for each page of them */
    uint32_t Free[HIVE_FREE_LISTS]; /* free cells by size, doubly linked through their contents */
    uint32_t Security;              /* some sk cell of the ring, or HIVE_NO_CELL */
} HIVE_STORE;

/* An open hive. From HiveOpen: points into the caller's bytes, owns nothing, is read only. From HiveCreate or HiveLoad: owns
 * its memory and may be edited. Readers may run concurrently with readers: only a damaged hive makes them write, to Error. */
typedef struct HIVE {
    HIVE_STORE Stores[HIVE_STORES];
    uint32_t Root;    /* cell of the root key */
    uint32_t Version; /* minor: 3..6 */
    bool Dirty;       /* the file's store changed; who writes the file clears it */
    bool Checked;     /* by HiveLoad, or made by HiveCreate: names need no second look */
    HIVE_MEMORY Memory;
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
    uint32_t SubKeyCount; /* in the same store as the file; 0 for a volatile key */
    uint32_t SubKeyList;  /* cell */
    uint32_t VolatileCount;
    uint32_t VolatileList; /* cell */
    uint32_t ValueCount;
    uint32_t ValueList;   /* cell */
    uint32_t Class;       /* cell, valid when ClassLength is not 0 */
    uint32_t Security;    /* cell */
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
/* The subkeys in the file come first, then the volatile ones. */
HIVE_STATUS HiveSubKey(HIVE *Hive, const HIVE_KEY *Key, uint32_t Index, HIVE_KEY *SubKey);
HIVE_STATUS HiveFindSubKey(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                           HIVE_KEY *SubKey);
HIVE_STATUS HiveValue(HIVE *Hive, const HIVE_KEY *Key, uint32_t Index, HIVE_VALUE *Value);
HIVE_STATUS HiveFindValue(HIVE *Hive, const HIVE_KEY *Key, const uint16_t *Name, uint32_t Length,
                          HIVE_VALUE *Value);
/* The same for the cell of a key, in a hive that may be edited: what HiveLoad checked is not checked again. */
HIVE_STATUS HiveFindValueOf(HIVE *Hive, uint32_t Key, const uint16_t *Name, uint32_t Length,
                            HIVE_VALUE *Value);
/* Copies the first Length bytes of the data; Length <= Value->DataLength. */
HIVE_STATUS HiveReadData(HIVE *Hive, const HIVE_VALUE *Value, void *Buffer, uint32_t Length);
/* The key's class name: Key->ClassLength bytes of UTF-16 at *Bytes. */
HIVE_STATUS HiveReadClass(HIVE *Hive, const HIVE_KEY *Key, const uint8_t **Bytes);
/* The key's self-relative security descriptor; *Length 0 when it has none. */
HIVE_STATUS HiveReadSecurity(HIVE *Hive, const HIVE_KEY *Key, const uint8_t **Bytes, uint32_t *Length);

/* Index < Name->Length. */
uint16_t HiveNameCharacter(const HIVE_NAME *Name, uint32_t Index);
/* Length in code units; case does not matter. */
bool HiveNameEquals(const HIVE_NAME *Name, const uint16_t *Text, uint32_t Length);

/* --- editor -----------------------------------------------------------------------------------------------
 * One editor at a time and no reader meanwhile. What pointed into the hive (names, classes, HIVE_KEY) is stale after each
 * call. A function that fails has changed nothing. Names are UTF-16 in code units; Time is 100 ns since 1601. */

/* An empty hive: a root key with a default descriptor (hive_security.c). *Memory is copied. */
HIVE_STATUS HiveCreate(HIVE *Hive, const HIVE_MEMORY *Memory, uint64_t Time);
/* Copies a file's bytes, checks all of it, and that no cell belongs to two keys. HiveDamaged: Error says what. On failure there
 * is nothing to destroy. */
HIVE_STATUS HiveLoad(HIVE *Hive, const HIVE_MEMORY *Memory, const void *Bytes, uint64_t Length);
void HiveDestroy(HIVE *Hive);

typedef struct HIVE_NEW_KEY {
    bool Volatile;        /* must be set below a volatile key */
    uint16_t Flags;       /* HIVE_KEY_EXIT, HIVE_KEY_LINK */
    uint16_t ClassLength; /* bytes */
    const void *Class;
    uint64_t Time;
} HIVE_NEW_KEY;
/* The parent has no subkey of that name. The new key has its parent's descriptor. HiveBadName: empty, too long, a backslash, or
 * deeper than 512 levels. */
HIVE_STATUS HiveAddKey(HIVE *Hive, uint32_t Parent, const uint16_t *Name, uint32_t Length,
                       const HIVE_NEW_KEY *New, uint32_t *Cell);
/* Not the root. HiveNotEmpty: it has subkeys. */
HIVE_STATUS HiveDeleteKey(HIVE *Hive, uint32_t Cell, uint64_t Time);
/* Not the root; the parent has no other subkey of that name. The key moves to *NewCell. */
HIVE_STATUS HiveRenameKey(HIVE *Hive, uint32_t Cell, const uint16_t *Name, uint32_t Length, uint64_t Time,
                          uint32_t *NewCell);
HIVE_STATUS HiveSetKeyFlags(HIVE *Hive, uint32_t Cell, uint16_t Flags);
HIVE_STATUS HiveSetKeyTime(HIVE *Hive, uint32_t Cell, uint64_t Time);
/* Descriptor: self-relative, valid. Equal descriptors share a cell. */
HIVE_STATUS HiveSetSecurity(HIVE *Hive, uint32_t Cell, const void *Descriptor, uint32_t Length,
                            uint64_t Time);
/* A value of that name is replaced and keeps its spelling. Length 0: the default value. */
HIVE_STATUS HiveSetValue(HIVE *Hive, uint32_t Cell, const uint16_t *Name, uint32_t Length, uint32_t Type,
                         const void *Data, uint32_t DataLength, uint64_t Time);
HIVE_STATUS HiveDeleteValue(HIVE *Hive, uint32_t Cell, const uint16_t *Name, uint32_t Length, uint64_t Time);
/* What is below and in the key From of Source, without its volatile keys, becomes what is in the key To of Hive, which has no
 * subkeys and values. Hive stays valid after a failure, with part of it. */
HIVE_STATUS HiveCopyTree(HIVE *Source, uint32_t From, HIVE *Hive, uint32_t To);

/* Writes the file header: sequence numbers one higher, checksum. *Bytes is the file, until the next edit. */
void HiveSeal(HIVE *Hive, uint64_t Time, const uint8_t **Bytes, uint32_t *Length);

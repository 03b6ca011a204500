/* SPDX-License-Identifier: MIT
 * boot.cpio: a reader for "newc" archives (cpio -H newc) that lie in memory. Pure: no allocation, no globals,
 * no copies; names and contents point into the archive, so they live as long as it does. Every length is
 * checked before use; a damaged archive yields one sentence and its offset. Used by osloader, the kernel and
 * host tools. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct CPIO_ENTRY {
    const char *Name;    /* NUL-terminated, without leading "/", "\" and "./" */
    uint32_t NameLength; /* without the NUL */
    uint32_t Mode;       /* st_mode: type and permission bits */
    uint32_t MTime;      /* seconds since 1970 */
    uint32_t Size;       /* bytes at Data */
    const uint8_t *Data;
    uint64_t Offset; /* of the entry's header in the archive */
} CPIO_ENTRY;

#define CPIO_MODE_TYPE 0170000u
#define CPIO_MODE_DIRECTORY 0040000u
#define CPIO_MODE_FILE 0100000u

typedef enum CPIO_STATUS {
    CpioFound = 0,   /* the entry is filled in */
    CpioEnd = 1,     /* no (such) entry: the trailer was reached */
    CpioDamaged = 2, /* Error says what and where */
} CPIO_STATUS;

typedef struct CPIO_ERROR {
    uint64_t Offset;  /* byte in the archive */
    const char *Rule; /* e.g. "the magic is not 070701"; static text */
} CPIO_ERROR;

/* A walk over one archive. The caller owns it; several walks over one archive are independent. */
typedef struct CPIO_WALK {
    const uint8_t *Archive;
    uint64_t Length;
    uint64_t Next;    /* offset of the next header */
    CPIO_ERROR Error; /* valid once CpioNext returned CpioDamaged, which it then does for ever */
} CPIO_WALK;

void CpioBegin(CPIO_WALK *Walk, const void *Archive, uint64_t Length);

/* The next entry in the archive's order. On CpioEnd and CpioDamaged *Entry is untouched. */
CPIO_STATUS CpioNext(CPIO_WALK *Walk, CPIO_ENTRY *Entry);

/* The first regular file or directory named Path. With AnyCase ASCII letters match in either case. Path uses
 * '/' or
 * '\' and may have leading separators. On CpioDamaged *Error is filled in; an entry before the damage is
 * found. */
CPIO_STATUS CpioFind(const void *Archive, uint64_t Length, const char *Path, bool AnyCase, CPIO_ENTRY *Entry,
                     CPIO_ERROR *Error);

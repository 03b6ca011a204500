/* SPDX-License-Identifier: MIT
 * Tier 3: an image in memory, read with checks. */
#pragma once
#include "rtlp.h"

#define RTLP_NO_RANGE_CHECK 1u
#define RTLP_OPTIONAL_HEADER 24u
#define RTLP_SIZE_OF_IMAGE (RTLP_OPTIONAL_HEADER + 56)
#define RTLP_NT_HEADERS64 264u

typedef struct _RTLP_IMAGE {
    PUCHAR Base;
    ULONG64 Size;
} RTLP_IMAGE;

typedef struct _RTLP_DIRECTORY_ENTRY {
    ULONG Rva, Size;
} RTLP_DIRECTORY_ENTRY;

/* FALSE: not inside the image. */
BOOLEAN RtlpReadImage(const RTLP_IMAGE *Image, ULONG64 Rva, PVOID To, ULONG Length);

/* The image at Base, whose headers are mapped; *Headers is where the NT headers are. */
NTSTATUS RtlpOpenImage(PVOID Base, RTLP_IMAGE *Image, ULONG *Headers);

/* FALSE: the image has no such directory, or it does not lie inside. */
BOOLEAN RtlpFindDirectory(const RTLP_IMAGE *Image, ULONG Headers, ULONG Index,
                          RTLP_DIRECTORY_ENTRY *Directory);

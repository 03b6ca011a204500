/* SPDX-License-Identifier: MIT
 * Tier 3, pnp: which ranges of numbers are taken: I/O ports, memory addresses, interrupt lines, DMA channels, bus numbers. Pure code; the caller
 * serializes. */
#pragma once
#include "nt.h"

typedef struct _PNP_RANGE {
    LIST_ENTRY Entry;
    ULONG64 Start, End; /* both belong to it */
    const void *Owner;  /* compared only */
    BOOLEAN Shared;     /* with others that share */
    BOOLEAN Window;     /* with what lies behind its owner, which is a bridge */
    UCHAR Type;         /* while it is set aside */
} PNP_RANGE;

typedef struct _PNP_WISH {
    ULONG64 Length, Alignment; /* not 0; Alignment need not be a power of 2 */
    ULONG64 Minimum, Maximum;  /* of the first and of the last number */
    BOOLEAN Shared;
    const void *Asker; /* who is behind other owners, as the next says */
    BOOLEAN (*IsBehind)(const void *Asker, const void *Owner);
} PNP_WISH;

/* The lowest place that is free. FALSE: there is none. */
BOOLEAN ArbiterFind(const LIST_ENTRY *Ranges, const PNP_WISH *Wish, PULONG64 Start);

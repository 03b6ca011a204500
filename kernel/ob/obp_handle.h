/* SPDX-License-Identifier: MIT
 * Tier 3, ob: the entries of the handle table, for the two files that read them. */
#pragma once
#include "obp.h"

typedef struct _OBP_ENTRY {
    PVOID Object; /* (h) NULL = free */
    ULONG Access; /* (h) granted */
    ULONG Value;  /* (h) OBJ_ attributes; of a free entry: index of the next free one, 0 = none */
    PVOID
    Owner; /* (h) routine of the driver that was running when it was made; NULL: the kernel, or a driver that is gone */
} OBP_ENTRY;

extern ARCH_LOCK ObpHandleLock;

/* ObpHandleLock held. NULL when the handle is not open. */
OBP_ENTRY *ObpEntryLocked(HANDLE Handle);

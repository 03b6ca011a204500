/* SPDX-License-Identifier: MIT
 * Tier 3 of mm: what the functions on virtual memory have in common, and constants that the headers lack. */
#pragma once
#include "mm/user_space.h"

/* Types of memory that are not there (deviation D-120). */
#define MI_MEM_UNSUPPORTED (MEM_WRITE_WATCH | MEM_PHYSICAL | MEM_LARGE_PAGES)

/* Tables for all pages of the range. STATUS_COMMITMENT_LIMIT: none was made; STATUS_NO_MEMORY: those made stay. */
NTSTATUS MiMakeTables(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last);
/* As that, also beyond the commitment limit: for what gives memory back. */
NTSTATUS MiMakeTablesAnyway(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last);

/* virtual_protect.c. Every page of [First, Last], which has a table, gets the rights; pages that are there keep their contents. */
VOID MiChangeRights(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last,
                    MI_ACCESS Rights);

/* SPDX-License-Identifier: MIT
 * Tier 2, arch: starting a further processor, and making it like the one that boots. */
#pragma once
#include "arch.h"

/* One per processor to be started; the processor finds its own by its APIC id. */
typedef struct _ARCH_START_SLOT {
    ULONG ApicId;
    ULONG Reserved;
    PVOID StackTop; /* multiple of 16 */
    PVOID Argument;
} ARCH_START_SLOT;

/* Page is a view of the physical page at Physical, below 1 MiB, that Root (below 4 GiB) maps one to one and executable. */
VOID ArchFillTrampoline(PUCHAR Page, ULONG Physical, ULONG Root);

/* Slots stay valid until the last processor has called Entry(Argument) on its stack, interrupts off, in the caller's address space. */
VOID ArchSetStartSlots(const ARCH_START_SLOT *Slots, ULONG Count, VOID (*Entry)(PVOID));

/* Memory type ranges: all processors must have those that the firmware gave the boot processor. Interrupts off. */
VOID ArchSaveMemoryTypes(VOID); /* boot processor */
VOID ArchLoadMemoryTypes(VOID); /* any other */

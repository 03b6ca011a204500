/* SPDX-License-Identifier: MIT
 * Tier 3, hal only. */
#pragma once
#include "hal.h"

#pragma pack(push, 1)
typedef struct _HALP_ACPI_HEADER {
    UCHAR Signature[4];
    ULONG Length;
    UCHAR Revision, Checksum;
    UCHAR OemId[6], OemTableId[8];
    ULONG OemRevision, CreatorId, CreatorRevision;
} HALP_ACPI_HEADER;
ASSERT_SIZE(HALP_ACPI_HEADER, 36);
#pragma pack(pop)

/* Direct-map view of a physical address below the mapped length, NULL beyond it. */
const void *HalpPhysical(ULONG64 Physical, ULONG64 Length);

VOID HalpInitAcpi(const LOADER_BLOCK *Block);
const HALP_ACPI_HEADER *HalpFindTable(PCSTR Signature); /* checksum is right; NULL when absent */
USHORT HalpPmTimerPort(VOID);                           /* 0 = none */
BOOLEAN HalpPowerOffPorts(USHORT *Port, USHORT *Value); /* PM1a control and the S5 value to write */

VOID HalpInitApic(VOID);
VOID HalpApicStartTimer(ULONG Count);
ULONG HalpApicTimerCount(VOID);
VOID HalpInitClock(VOID);

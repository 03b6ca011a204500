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

extern ULONG64 HalpDirectMapBase; /* (c) */

/* Direct-map view of a physical address below the mapped length, NULL beyond it. */
const void *HalpPhysical(ULONG64 Physical, ULONG64 Length);

VOID HalpInitAcpi(const LOADER_BLOCK *Block);
const HALP_ACPI_HEADER *HalpFindTable(PCSTR Signature); /* checksum is right; NULL when absent */
USHORT HalpPmTimerPort(VOID);                           /* 0 = none */
BOOLEAN HalpPowerOffPorts(USHORT *Port, USHORT *Value); /* PM1a control and the S5 value to write */

BOOLEAN HalpHasCmosClock(VOID);
ULONG64 HalpHpetAddress(VOID); /* 0 = none, as the next */
ULONG64 HalpPciMemoryAddress(VOID);
ULONG64 HalpPciMemory(UCHAR *FirstBus, UCHAR *LastBus); /* the same, with the buses that it is for */
VOID HalpInitPciConfig(VOID);

/* madt.c */
#define HALP_MAX_IO_APICS 8
typedef struct _HALP_MADT_IO_APIC {
    ULONG Address, FirstGsi;
} HALP_MADT_IO_APIC;
VOID HalpReadMadt(VOID);
VOID HalpPlaceBootProcessor(ULONG ApicId);
const HALP_MADT_IO_APIC *HalpMadtIoApic(ULONG Index); /* NULL beyond the last */

/* io_apic.c; Gsi is one for which HalpLineExists. */
VOID HalpInitIoApics(VOID);
BOOLEAN HalpLineExists(ULONG Gsi);
VOID HalpRouteLine(const HAL_LINE *Line, UCHAR Vector, ULONG ApicId); /* and unmask it */
VOID HalpMaskLine(ULONG Gsi);

VOID HalpInitApic(VOID);
VOID HalpApicStartTimer(ULONG Count);
ULONG HalpApicTimerCount(VOID);
VOID HalpInitClock(VOID);
VOID HalpLogClock(VOID);

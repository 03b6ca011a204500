/* SPDX-License-Identifier: MIT
 * The MADT: processors, I/O APICs and where the ISA interrupts are wired to (ACPI 6.5 section 5.2.12). Entries are read from
 * offset 44; what is shorter than its type says ends the reading. */
#include "halp.h"
#include "kd.h"
#include "rtl.h"

enum {
    MadtLocalApic = 0,        /* +3 APIC id, +4 flags */
    MadtIoApic = 1,           /* +4 address, +8 first interrupt */
    MadtSourceOverride = 2,   /* +3 ISA interrupt, +4 global interrupt, +8 flags */
    MadtLocalX2Apic = 9,      /* +4 APIC id, +8 flags */
    MadtUsable = 3,           /* flags: enabled, or can be enabled */
    MadtPolarityLow = 3,      /* override flags bits 0-1 */
    MadtTriggerLevel = 3 << 2 /* bits 2-3 */
};

static ULONG HalpApicIds[HAL_MAX_PROCESSORS]; /* (c) by processor number; the boot processor is 0 */
static ULONG HalpProcessors;
static HAL_LINE HalpIsaLines[HAL_ISA_LINES]; /* (c) */
static HALP_MADT_IO_APIC HalpMadtIoApics[HALP_MAX_IO_APICS];
static ULONG HalpMadtIoApicCount;

static ULONG HalpLoad32(const UCHAR *At)
{
    ULONG Value;

    memcpy(&Value, At, sizeof(Value));
    return Value;
}

/* One that is more than we have room for stays parked, as `bcdedit /set numproc` leaves it. */
static VOID HalpAddProcessor(ULONG ApicId, ULONG Flags)
{
    if ((Flags & MadtUsable) != 0 && HalpProcessors < HAL_MAX_PROCESSORS)
        HalpApicIds[HalpProcessors++] = ApicId;
}

static VOID HalpAddIoApic(const UCHAR *Entry)
{
    if (HalpMadtIoApicCount < HALP_MAX_IO_APICS)
        HalpMadtIoApics[HalpMadtIoApicCount++] =
            (HALP_MADT_IO_APIC){HalpLoad32(Entry + 4), HalpLoad32(Entry + 8)};
}

static VOID HalpAddOverride(const UCHAR *Entry)
{
    ULONG Flags = Entry[8] | (Entry[9] << 8);

    if (Entry[3] < HAL_ISA_LINES)
        HalpIsaLines[Entry[3]] = (HAL_LINE){.Gsi = HalpLoad32(Entry + 4),
                                            .Level = (Flags & (3 << 2)) == MadtTriggerLevel,
                                            .ActiveLow = (Flags & 3) == MadtPolarityLow};
}

static VOID HalpReadEntry(const UCHAR *Entry)
{
    UCHAR Length = Entry[1];

    if (Entry[0] == MadtLocalApic && Length >= 8)
        HalpAddProcessor(Entry[3], HalpLoad32(Entry + 4));
    else if (Entry[0] == MadtLocalX2Apic && Length >= 16)
        HalpAddProcessor(HalpLoad32(Entry + 4), HalpLoad32(Entry + 8));
    else if (Entry[0] == MadtIoApic && Length >= 12)
        HalpAddIoApic(Entry);
    else if (Entry[0] == MadtSourceOverride && Length >= 10)
        HalpAddOverride(Entry);
}

VOID HalpReadMadt(VOID)
{
    const HALP_ACPI_HEADER *Madt = HalpFindTable("APIC");

    for (ULONG i = 0; i < HAL_ISA_LINES; i++)
        HalpIsaLines[i] = (HAL_LINE){.Gsi = i};
    for (ULONG At = 44; Madt != NULL && At + 2 <= Madt->Length;) {
        const UCHAR *Entry = (const UCHAR *)Madt + At;
        if (Entry[1] < 2 || At + Entry[1] > Madt->Length)
            break;
        HalpReadEntry(Entry);
        At += Entry[1];
    }
}

/* The boot processor becomes number 0, the others follow in the order of the table. */
VOID HalpPlaceBootProcessor(ULONG ApicId)
{
    ULONG At = 0;

    while (At < HalpProcessors && HalpApicIds[At] != ApicId)
        At++;
    if (At == HalpProcessors) { /* no MADT, or one that does not know us: alone */
        HalpProcessors = 1;
        At = 0;
    }
    for (; At > 0; At--)
        HalpApicIds[At] = HalpApicIds[At - 1];
    HalpApicIds[0] = ApicId;
}

ULONG HalPresentProcessorCount(VOID)
{
    return HalpProcessors;
}

ULONG HalApicIdOf(ULONG Processor)
{
    NT_CHECK(Processor < HalpProcessors);
    return HalpApicIds[Processor];
}

const HALP_MADT_IO_APIC *HalpMadtIoApic(ULONG Index)
{
    return Index < HalpMadtIoApicCount ? &HalpMadtIoApics[Index] : NULL;
}

BOOLEAN HalFindIsaLine(ULONG Irq, HAL_LINE *Line)
{
    if (Irq >= HAL_ISA_LINES)
        return FALSE;
    *Line = HalpIsaLines[Irq];
    return TRUE;
}

/* SPDX-License-Identifier: MIT
 * I/O APICs: the redirection entry of each interrupt line. A line is masked until somebody connects it.
 * [Intel 82093AA data sheet, 3.2] */
#include "halp.h"
#include "kd.h"

#define IOAPIC_VERSION 1
#define IOAPIC_REDIRECTION 0x10 /* two registers for each line */

#define REDIRECTION_ACTIVE_LOW (1u << 13)
#define REDIRECTION_LEVEL (1u << 15)
#define REDIRECTION_MASKED (1u << 16)

typedef struct _HALP_IO_APIC {
    volatile UCHAR *Registers; /* select at 0, data at 0x10 */
    ULONG FirstGsi, LineCount;
} HALP_IO_APIC;

static HALP_IO_APIC HalpIoApics[HALP_MAX_IO_APICS]; /* (c); the registers are under HalpIoApicLock */
static ULONG HalpIoApicCount;
static ARCH_LOCK HalpIoApicLock = ARCH_LOCK_INIT("IoApic", LockRankHal, HIGH_LEVEL);

static ULONG HalpReadIoApic(const HALP_IO_APIC *IoApic, ULONG Register)
{
    *(volatile ULONG *)IoApic->Registers = Register;
    return *(volatile ULONG *)(IoApic->Registers + 0x10);
}

static VOID HalpWriteIoApic(const HALP_IO_APIC *IoApic, ULONG Register, ULONG Value)
{
    *(volatile ULONG *)IoApic->Registers = Register;
    *(volatile ULONG *)(IoApic->Registers + 0x10) = Value;
}

static VOID HalpAddIoApicAt(const HALP_MADT_IO_APIC *Entry)
{
    HALP_IO_APIC *IoApic = &HalpIoApics[HalpIoApicCount];
    const void *Registers = HalpPhysical(Entry->Address, PAGE_SIZE);

    if (Registers == NULL)
        return;
    IoApic->Registers = (volatile UCHAR *)Registers;
    IoApic->FirstGsi = Entry->FirstGsi;
    IoApic->LineCount = ((HalpReadIoApic(IoApic, IOAPIC_VERSION) >> 16) & 0xff) + 1;
    for (ULONG i = 0; i < IoApic->LineCount; i++)
        HalpWriteIoApic(IoApic, IOAPIC_REDIRECTION + 2 * i, REDIRECTION_MASKED);
    HalpIoApicCount++;
}

VOID HalpInitIoApics(VOID)
{
    const HALP_MADT_IO_APIC *Entry;

    for (ULONG i = 0; (Entry = HalpMadtIoApic(i)) != NULL; i++)
        HalpAddIoApicAt(Entry);
}

VOID HalLogBoard(VOID)
{
    ULONG Lines = 0;

    for (ULONG i = 0; i < HalpIoApicCount; i++)
        Lines += HalpIoApics[i].LineCount;
    KdLog("board: %u processors, %u I/O APICs with %u lines, HPET at 0x%llx, PCI configuration at 0x%llx",
          (unsigned)HalPresentProcessorCount(), (unsigned)HalpIoApicCount, (unsigned)Lines,
          (unsigned long long)HalpHpetAddress(), (unsigned long long)HalpPciMemoryAddress());
    HalpLogClock();
}

static const HALP_IO_APIC *HalpIoApicOf(ULONG Gsi)
{
    for (ULONG i = 0; i < HalpIoApicCount; i++)
        if (Gsi >= HalpIoApics[i].FirstGsi && Gsi - HalpIoApics[i].FirstGsi < HalpIoApics[i].LineCount)
            return &HalpIoApics[i];
    return NULL;
}

BOOLEAN HalpLineExists(ULONG Gsi)
{
    return HalpIoApicOf(Gsi) != NULL;
}

/* The high half first: the entry is masked until its low half is written. */
VOID HalpRouteLine(const HAL_LINE *Line, UCHAR Vector, ULONG ApicId)
{
    const HALP_IO_APIC *IoApic = HalpIoApicOf(Line->Gsi);
    ULONG Register = IOAPIC_REDIRECTION + 2 * (Line->Gsi - IoApic->FirstGsi);
    ULONG Low =
        Vector | (Line->Level ? REDIRECTION_LEVEL : 0) | (Line->ActiveLow ? REDIRECTION_ACTIVE_LOW : 0);
    KIRQL OldIrql = ArchAcquireLock(&HalpIoApicLock);

    HalpWriteIoApic(IoApic, Register + 1, ApicId << 24);
    HalpWriteIoApic(IoApic, Register, Low);
    ArchReleaseLock(&HalpIoApicLock, OldIrql);
}

VOID HalpMaskLine(ULONG Gsi)
{
    const HALP_IO_APIC *IoApic = HalpIoApicOf(Gsi);
    ULONG Register = IOAPIC_REDIRECTION + 2 * (Gsi - IoApic->FirstGsi);
    KIRQL OldIrql = ArchAcquireLock(&HalpIoApicLock);

    HalpWriteIoApic(IoApic, Register, HalpReadIoApic(IoApic, Register) | REDIRECTION_MASKED);
    ArchReleaseLock(&HalpIoApicLock, OldIrql);
}

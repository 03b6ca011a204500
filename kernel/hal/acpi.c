/* SPDX-License-Identifier: MIT
 * Static reading of ACPI tables: RSDP, XSDT or RSDT, HPET, FADT (PM timer, power-off) and the \_S5 package,
 * found in the DSDT by its bytes (ACPI 6.5 sections 5.2 and 7.4.2). Nothing in a table is trusted beyond its length. */
#include "halp.h"
#include "rtl.h"

static const HALP_ACPI_HEADER *HalpRoot; /* XSDT or RSDT */
static BOOLEAN HalpRootIsXsdt;
static ULONG64 HalpDirectMapLength;
ULONG64 HalpDirectMapBase;

const void *HalpPhysical(ULONG64 Physical, ULONG64 Length)
{
    ULONG64 Limit = HalpDirectMapLength;

    if (Physical == 0 || Physical >= Limit || Length > Limit - Physical)
        return NULL;
    return (const void *)(HalpDirectMapBase + Physical);
}

static BOOLEAN HalpSumIsZero(const void *Bytes, ULONG Length)
{
    UCHAR Sum = 0;

    for (ULONG i = 0; i < Length; i++)
        Sum += ((const UCHAR *)Bytes)[i];
    return Sum == 0;
}

static const HALP_ACPI_HEADER *HalpTableAt(ULONG64 Physical)
{
    const HALP_ACPI_HEADER *Header = HalpPhysical(Physical, sizeof(*Header));

    if (Header == NULL || Header->Length < sizeof(*Header) || HalpPhysical(Physical, Header->Length) == NULL)
        return NULL;
    return HalpSumIsZero(Header, Header->Length) ? Header : NULL;
}

static ULONG64 HalpLoad(const void *At, ULONG Size)
{
    ULONG64 Value = 0;

    memcpy(&Value, At, Size);
    return Value;
}

const HALP_ACPI_HEADER *HalpFindTable(PCSTR Signature)
{
    ULONG EntrySize = HalpRootIsXsdt ? 8 : 4;

    if (HalpRoot == NULL)
        return NULL;
    for (ULONG At = sizeof(*HalpRoot); At + EntrySize <= HalpRoot->Length; At += EntrySize) {
        const HALP_ACPI_HEADER *Table = HalpTableAt(HalpLoad((const UCHAR *)HalpRoot + At, EntrySize));
        if (Table != NULL && memcmp(Table->Signature, Signature, 4) == 0)
            return Table;
    }
    return NULL;
}

/* RSDP: signature 0, revision 15, RSDT 16, XSDT 24. */
static VOID HalpFindRoot(ULONG64 Rsdp)
{
    const UCHAR *Pointer = HalpPhysical(Rsdp, 36);

    if (Pointer == NULL || memcmp(Pointer, "RSD PTR ", 8) != 0 || !HalpSumIsZero(Pointer, 20))
        return;
    if (Pointer[15] >= 2)
        HalpRoot = HalpTableAt(HalpLoad(Pointer + 24, 8));
    HalpRootIsXsdt = HalpRoot != NULL;
    if (HalpRoot == NULL)
        HalpRoot = HalpTableAt(HalpLoad(Pointer + 16, 4));
}

VOID HalpInitAcpi(const LOADER_BLOCK *Block)
{
    HalpDirectMapBase = Block->DirectMapBase;
    HalpDirectMapLength = Block->DirectMapLength;
    HalpFindRoot(Block->Rsdp);
    HalpReadMadt();
    HalpInitPciConfig();
}

/* FADT: DSDT 40, PM1a_CNT_BLK 64, PM_TMR_BLK 76, IAPC_BOOT_ARCH 109, X_DSDT 140. */
static ULONG64 HalpFadtField(ULONG Offset, ULONG Size)
{
    const HALP_ACPI_HEADER *Fadt = HalpFindTable("FACP");

    if (Fadt == NULL || Offset + Size > Fadt->Length)
        return 0;
    return HalpLoad((const UCHAR *)Fadt + Offset, Size);
}

USHORT HalpPmTimerPort(VOID)
{
    return (USHORT)HalpFadtField(76, 4);
}

/* [ACPI 6.5 5.2.9.3] IAPC_BOOT_ARCH, bit 5: there is no CMOS clock. */
BOOLEAN HalpHasCmosClock(VOID)
{
    return (HalpFadtField(109, 2) & 0x20) == 0;
}

/* HPET: 40 is the address space (0: memory), 44 the address. */
ULONG64 HalpHpetAddress(VOID)
{
    const HALP_ACPI_HEADER *Hpet = HalpFindTable("HPET");

    if (Hpet == NULL || Hpet->Length < 52 || ((const UCHAR *)Hpet)[40] != 0)
        return 0;
    return HalpLoad((const UCHAR *)Hpet + 44, 8);
}

/* MCFG: from 44 on entries of 16 bytes: base address of the first segment group's configuration space, at 10 and 11 its first and last bus. */
ULONG64 HalpPciMemory(UCHAR *FirstBus, UCHAR *LastBus)
{
    const HALP_ACPI_HEADER *Mcfg = HalpFindTable("MCFG");

    if (Mcfg == NULL || Mcfg->Length < 60)
        return 0;
    *FirstBus = ((const UCHAR *)Mcfg)[54];
    *LastBus = ((const UCHAR *)Mcfg)[55];
    return HalpLoad((const UCHAR *)Mcfg + 44, 8);
}

ULONG64 HalpPciMemoryAddress(VOID)
{
    UCHAR FirstBus, LastBus;

    return HalpPciMemory(&FirstBus, &LastBus);
}

/* `Name(_S5, Package(){a, b, ...})` is 08 '_S5_' 12 length count element...; an element is 0A byte, or 00 / 01 alone. */
static BOOLEAN HalpReadSleepType(const UCHAR *Name, const UCHAR *End, UCHAR *SleepType)
{
    const UCHAR *At = Name + 4;

    if (End - At < 6 || At[0] != 0x12)
        return FALSE;
    At += 1 + 1 + (At[1] >> 6) + 1; /* package op, length bytes, element count */
    if (End - At < 2)
        return FALSE;
    *SleepType = (At[0] == 0x0a) ? At[1] : At[0];
    return *SleepType < 8;
}

BOOLEAN HalpPowerOffPorts(USHORT *Port, USHORT *Value)
{
    const HALP_ACPI_HEADER *Dsdt = HalpTableAt(HalpFadtField(140, 8));
    UCHAR SleepType;

    if (Dsdt == NULL)
        Dsdt = HalpTableAt(HalpFadtField(40, 4));
    *Port = (USHORT)HalpFadtField(64, 4);
    if (Dsdt == NULL || *Port == 0)
        return FALSE;
    const UCHAR *End = (const UCHAR *)Dsdt + Dsdt->Length;
    for (const UCHAR *At = (const UCHAR *)(Dsdt + 1); End - At >= 10; At++) {
        if (memcmp(At, "_S5_", 4) == 0 && HalpReadSleepType(At, End, &SleepType)) {
            *Value = (USHORT)((SleepType << 10) | (1u << 13));
            return TRUE;
        }
    }
    return FALSE;
}

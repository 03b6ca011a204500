/* SPDX-License-Identifier: MIT
 * PCI configuration space in memory (PCI Express) or by ports 0xcf8/0xcfc, and the one device the kernel itself needs: the shared memory of the
 * report channel (ivshmem-plain, 1af4:1110, memory in BAR 2). */
#include "halp.h"

static ARCH_LOCK HalpPciLock = ARCH_LOCK_INIT("PciConfig", LockRankHal, HIGH_LEVEL);

/* [PCI Express 3.0 7.2.2] (c) 1 MB for each bus; NULL: ports only */
static volatile UCHAR *HalpPciSpace;
static UCHAR HalpPciFirstBus, HalpPciLastBus;

VOID HalpInitPciConfig(VOID)
{
    ULONG64 Base = HalpPciMemory(&HalpPciFirstBus, &HalpPciLastBus);
    ULONG64 Buses = (ULONG64)HalpPciLastBus - HalpPciFirstBus + 1;

    if (Base != 0 && HalpPciFirstBus <= HalpPciLastBus)
        HalpPciSpace = (volatile UCHAR *)HalpPhysical(Base + ((ULONG64)HalpPciFirstBus << 20), Buses << 20);
}

/* NULL: it has to be by ports. */
static volatile UCHAR *HalpPciAt(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset)
{
    if (HalpPciSpace == NULL || Bus < HalpPciFirstBus || Bus > HalpPciLastBus)
        return NULL;
    return HalpPciSpace + ((ULONG64)(Bus - HalpPciFirstBus) << 20 | (ULONG)(Device & 31) << 15 |
                           (ULONG)(Function & 7) << 12 | (Offset & 0xfff));
}

ULONG HalPciConfigLength(UCHAR Bus)
{
    return HalpPciAt(Bus, 0, 0, 0) != NULL ? 4096 : 256;
}

static ULONG HalpPciAddress(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset)
{
    return 0x80000000u | ((ULONG)Bus << 16) | ((ULONG)(Device & 31) << 11) | ((ULONG)(Function & 7) << 8) |
           (Offset & 0xfcu);
}

ULONG HalReadPciConfig(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset)
{
    volatile UCHAR *At = HalpPciAt(Bus, Device, Function, Offset & 0xffc);

    if (At != NULL)
        return *(volatile ULONG *)At;
    KIRQL OldIrql = ArchAcquireLock(&HalpPciLock);
    ArchOut32(0xcf8, HalpPciAddress(Bus, Device, Function, Offset));
    ULONG Value = ArchIn32(0xcfc);
    ArchReleaseLock(&HalpPciLock, OldIrql);
    return Value;
}

VOID HalWritePciConfig(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset, ULONG Value)
{
    HalWritePciBytes(Bus, Device, Function, Offset & 0xffc, (const UCHAR *)&Value, 4);
}

static VOID HalpWriteMemory(volatile UCHAR *At, const UCHAR *Bytes, ULONG Width)
{
    if (Width == 4)
        *(volatile ULONG *)At = *(const UNALIGNED ULONG *)Bytes;
    else if (Width == 2)
        *(volatile USHORT *)At = *(const UNALIGNED USHORT *)Bytes;
    else
        *At = *Bytes;
}

static VOID HalpWritePorts(USHORT Port, const UCHAR *Bytes, ULONG Width)
{
    if (Width == 4)
        ArchOut32(Port, *(const UNALIGNED ULONG *)Bytes);
    else if (Width == 2)
        ArchOut16(Port, *(const UNALIGNED USHORT *)Bytes);
    else
        ArchOut8(Port, *Bytes);
}

VOID HalWritePciBytes(UCHAR Bus, UCHAR Device, UCHAR Function, USHORT Offset, const UCHAR *Bytes, ULONG Width)
{
    volatile UCHAR *At = HalpPciAt(Bus, Device, Function, Offset);

    if (At != NULL) {
        HalpWriteMemory(At, Bytes, Width);
        return;
    }
    KIRQL OldIrql = ArchAcquireLock(&HalpPciLock);
    ArchOut32(0xcf8, HalpPciAddress(Bus, Device, Function, Offset));
    HalpWritePorts((USHORT)(0xcfc + (Offset & 3)), Bytes, Width);
    ArchReleaseLock(&HalpPciLock, OldIrql);
}

/* Size of BAR 2/3 by the write-ones method; decoding is off meanwhile and on afterwards. */
static ULONG64 HalpBarLength(UCHAR Device, ULONG Low, ULONG High, BOOLEAN Is64)
{
    ULONG Command = HalReadPciConfig(0, Device, 0, 4);

    HalWritePciConfig(0, Device, 0, 4, Command & ~2u);
    HalWritePciConfig(0, Device, 0, 0x18, 0xffffffffu);
    ULONG64 Mask = HalReadPciConfig(0, Device, 0, 0x18) & ~15u;
    HalWritePciConfig(0, Device, 0, 0x18, Low);
    if (Is64) {
        HalWritePciConfig(0, Device, 0, 0x1c, 0xffffffffu);
        Mask |= (ULONG64)HalReadPciConfig(0, Device, 0, 0x1c) << 32;
        HalWritePciConfig(0, Device, 0, 0x1c, High);
    } else {
        Mask |= 0xffffffffull << 32;
    }
    HalWritePciConfig(0, Device, 0, 4, Command | 2);
    return ~Mask + 1;
}

BOOLEAN HalFindReportMemory(ULONG64 *Physical, ULONG64 *Length)
{
    for (UCHAR Device = 0; Device < 32; Device++) {
        if (HalReadPciConfig(0, Device, 0, 0) != 0x11101af4)
            continue;
        ULONG Low = HalReadPciConfig(0, Device, 0, 0x18);
        BOOLEAN Is64 = (Low & 6) == 4;
        ULONG High = Is64 ? HalReadPciConfig(0, Device, 0, 0x1c) : 0;
        *Physical = ((ULONG64)High << 32) | (Low & ~15u);
        *Length = HalpBarLength(Device, Low, High, Is64);
        return *Physical != 0;
    }
    return FALSE;
}

/* Bus 0 has a host bridge in slot 0 wherever there is a bus. */
BOOLEAN HalHasPci(VOID)
{
    return (HalReadPciConfig(0, 0, 0, 0) & 0xffff) != 0xffff;
}

BOOLEAN HalIsPciExpress(VOID)
{
    return HalpPciMemoryAddress() != 0;
}

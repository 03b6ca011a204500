/* SPDX-License-Identifier: MIT
 * PCI configuration space by ports 0xcf8/0xcfc, and the one device the kernel itself needs: the shared memory of the
 * report channel (ivshmem-plain, 1af4:1110, memory in BAR 2). */
#include "halp.h"

static ARCH_LOCK HalpPciLock = ARCH_LOCK_INIT("PciConfig", LockRankHal, HIGH_LEVEL);

static ULONG HalpPciAddress(UCHAR Bus, UCHAR Device, UCHAR Function, UCHAR Offset)
{
    return 0x80000000u | ((ULONG)Bus << 16) | ((ULONG)(Device & 31) << 11) | ((ULONG)(Function & 7) << 8) |
           (Offset & 0xfcu);
}

ULONG HalReadPciConfig(UCHAR Bus, UCHAR Device, UCHAR Function, UCHAR Offset)
{
    KIRQL OldIrql = ArchAcquireLock(&HalpPciLock);

    ArchOut32(0xcf8, HalpPciAddress(Bus, Device, Function, Offset));
    ULONG Value = ArchIn32(0xcfc);
    ArchReleaseLock(&HalpPciLock, OldIrql);
    return Value;
}

VOID HalWritePciConfig(UCHAR Bus, UCHAR Device, UCHAR Function, UCHAR Offset, ULONG Value)
{
    KIRQL OldIrql = ArchAcquireLock(&HalpPciLock);

    ArchOut32(0xcf8, HalpPciAddress(Bus, Device, Function, Offset));
    ArchOut32(0xcfc, Value);
    ArchReleaseLock(&HalpPciLock, OldIrql);
}

VOID HalWritePciBytes(UCHAR Bus, UCHAR Device, UCHAR Function, UCHAR Offset, const UCHAR *Bytes, ULONG Width)
{
    KIRQL OldIrql = ArchAcquireLock(&HalpPciLock);

    ArchOut32(0xcf8, HalpPciAddress(Bus, Device, Function, Offset));
    USHORT Port = (USHORT)(0xcfc + (Offset & 3));
    if (Width == 4)
        ArchOut32(Port, *(const UNALIGNED ULONG *)Bytes);
    else if (Width == 2)
        ArchOut16(Port, *(const UNALIGNED USHORT *)Bytes);
    else
        ArchOut8(Port, *Bytes);
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

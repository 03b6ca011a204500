/* SPDX-License-Identifier: MIT
 * Configuration space by bus and slot, for drivers. [WDK HalGetBusDataByOffset, HalSetBusDataByOffset] Only PCI buses have any. */
#include "halp.h"

static ULONG HalpVendorOf(ULONG Bus, PCI_SLOT_NUMBER Slot)
{
    return HalReadPciConfig((UCHAR)Bus, (UCHAR)Slot.u.bits.DeviceNumber, (UCHAR)Slot.u.bits.FunctionNumber,
                            0) &
           0xffff;
}

/* The aligned word around each byte is read; its byte is what is wanted. */
static VOID HalpReadBytes(ULONG Bus, PCI_SLOT_NUMBER Slot, PUCHAR Buffer, ULONG Offset, ULONG Length)
{
    ULONG Word = 0;
    for (ULONG i = 0; i < Length; i++) {
        ULONG At = Offset + i;
        if (i == 0 || (At & 3) == 0)
            Word = HalReadPciConfig((UCHAR)Bus, (UCHAR)Slot.u.bits.DeviceNumber,
                                    (UCHAR)Slot.u.bits.FunctionNumber, (USHORT)At);
        Buffer[i] = (UCHAR)(Word >> (8 * (At & 3)));
    }
}

/* [WDK HalGetBusDataByOffset] 0: there is no such bus; 2: no device in the slot, the vendor is PCI_INVALID_VENDORID. Any IRQL <= HIGH_LEVEL. */
ULONG NTAPI HalGetBusDataByOffset(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber, PVOID Buffer,
                                  ULONG Offset, ULONG Length)
{
    PCI_SLOT_NUMBER Slot = {.u.AsULONG = SlotNumber};
    if (BusDataType != PCIConfiguration || BusNumber > 255 || Length == 0)
        return 0;
    if (HalpVendorOf(BusNumber, Slot) == PCI_INVALID_VENDORID) {
        if (Offset != 0 || Length < sizeof(USHORT))
            return 0;
        *(UNALIGNED USHORT *)Buffer = PCI_INVALID_VENDORID;
        return sizeof(USHORT);
    }
    ULONG Whole = HalPciConfigLength((UCHAR)BusNumber);
    if (Offset >= Whole)
        return 0;
    Length = min(Length, Whole - Offset);
    HalpReadBytes(BusNumber, Slot, Buffer, Offset, Length);
    return Length;
}

/* As wide as it may be: a word, half a word, a byte. Registers that clear bits that are written see nothing else. */
static ULONG HalpWriteSome(ULONG Bus, PCI_SLOT_NUMBER Slot, const UCHAR *Buffer, ULONG Offset, ULONG Length)
{
    ULONG Width = (Offset & 3) == 0 && Length >= 4 ? 4 : (Offset & 1) == 0 && Length >= 2 ? 2 : 1;
    HalWritePciBytes((UCHAR)Bus, (UCHAR)Slot.u.bits.DeviceNumber, (UCHAR)Slot.u.bits.FunctionNumber,
                     (USHORT)Offset, Buffer, Width);
    return Width;
}

ULONG NTAPI HalSetBusDataByOffset(BUS_DATA_TYPE BusDataType, ULONG BusNumber, ULONG SlotNumber, PVOID Buffer,
                                  ULONG Offset, ULONG Length)
{
    PCI_SLOT_NUMBER Slot = {.u.AsULONG = SlotNumber};
    ULONG Whole = HalPciConfigLength((UCHAR)BusNumber);
    if (BusDataType != PCIConfiguration || BusNumber > 255 || Offset >= Whole ||
        HalpVendorOf(BusNumber, Slot) == PCI_INVALID_VENDORID)
        return 0;
    Length = min(Length, Whole - Offset);
    for (ULONG i = 0; i < Length;)
        i += HalpWriteSome(BusNumber, Slot, (const UCHAR *)Buffer + i, Offset + i, Length - i);
    return Length;
}

/* SPDX-License-Identifier: MIT
 * Configuration space of one function. What cannot be read is all ones, as on the bus. */
#include "pci.h"

VOID PciRead(const PCI_FUNCTION *Function, ULONG Offset, PVOID Buffer, ULONG Length)
{
    if (Function->Gone || HalGetBusDataByOffset(PCIConfiguration, Function->Bus->Number, Function->Slot,
                                                Buffer, Offset, Length) != Length)
        RtlFillMemory(Buffer, Length, 0xff);
}

VOID PciWrite(const PCI_FUNCTION *Function, ULONG Offset, const VOID *Buffer, ULONG Length)
{
    if (!Function->Gone)
        HalSetBusDataByOffset(PCIConfiguration, Function->Bus->Number, Function->Slot, (PVOID)Buffer, Offset,
                              Length);
}

ULONG PciRead32(const PCI_FUNCTION *Function, ULONG Offset)
{
    ULONG Value;
    PciRead(Function, Offset, &Value, sizeof(Value));
    return Value;
}

USHORT PciRead16(const PCI_FUNCTION *Function, ULONG Offset)
{
    USHORT Value;
    PciRead(Function, Offset, &Value, sizeof(Value));
    return Value;
}

UCHAR PciRead8(const PCI_FUNCTION *Function, ULONG Offset)
{
    UCHAR Value;
    PciRead(Function, Offset, &Value, sizeof(Value));
    return Value;
}

VOID PciWrite32(const PCI_FUNCTION *Function, ULONG Offset, ULONG Value)
{
    PciWrite(Function, Offset, &Value, sizeof(Value));
}

VOID PciWrite16(const PCI_FUNCTION *Function, ULONG Offset, USHORT Value)
{
    PciWrite(Function, Offset, &Value, sizeof(Value));
}

/* [PCI 3.0 6.7] a list that leads in a circle ends all the same. */
UCHAR PciFindCapability(const PCI_FUNCTION *Function, UCHAR Id)
{
    if (!(PciRead16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Status)) & PCI_STATUS_CAPABILITIES_LIST))
        return 0;
    UCHAR At = PciRead8(Function, 0x34) & 0xfc;
    for (ULONG i = 0; At >= 0x40 && i < 48; i++) {
        UCHAR Head[2];
        PciRead(Function, At, Head, sizeof(Head));
        if (Head[0] == Id)
            return At;
        At = Head[1] & 0xfc;
    }
    return 0;
}

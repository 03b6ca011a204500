/* SPDX-License-Identifier: MIT
 * Base address registers. [PCI 3.0 6.2.5.1] */
#include "pci.h"

#define BAR_OFFSET(Index) (FIELD_OFFSET(PCI_COMMON_HEADER, u.type0.BaseAddresses) + (Index) * 4)

/* All ones are written; the bits that stay zero say how long it is. */
static ULONG ProbeRegister(const PCI_FUNCTION *Function, ULONG Index, PULONG Value)
{
    *Value = PciRead32(Function, BAR_OFFSET(Index));
    PciWrite32(Function, BAR_OFFSET(Index), 0xffffffff);
    ULONG Mask = PciRead32(Function, BAR_OFFSET(Index));
    PciWrite32(Function, BAR_OFFSET(Index), *Value);
    return Mask;
}

static VOID ReadPortBar(PCI_BAR *Bar, ULONG Value, ULONG Mask)
{
    Bar->Type = CmResourceTypePort;
    Bar->Base = Value & PCI_ADDRESS_IO_ADDRESS_MASK;
    Bar->Length = (USHORT)(~(Mask & PCI_ADDRESS_IO_ADDRESS_MASK) + 1);
}

static VOID ReadMemoryBar(const PCI_FUNCTION *Function, ULONG Index, PCI_BAR *Bar, ULONG Value, ULONG Mask)
{
    ULONG High = 0, HighMask = 0xffffffff;
    BOOLEAN Wide = (Value & PCI_ADDRESS_MEMORY_TYPE_MASK) == PCI_TYPE_64BIT;
    if (Wide)
        HighMask = ProbeRegister(Function, Index + 1, &High);
    Bar->Type = CmResourceTypeMemory;
    Bar->Registers = Wide ? 2 : 1;
    Bar->Prefetchable = (Value & PCI_ADDRESS_MEMORY_PREFETCHABLE) != 0;
    Bar->Base = (ULONG64)High << 32 | (Value & PCI_ADDRESS_MEMORY_ADDRESS_MASK);
    Bar->Length = ~((ULONG64)HighMask << 32 | (Mask & PCI_ADDRESS_MEMORY_ADDRESS_MASK)) + 1;
}

static ULONG ReadBar(PCI_FUNCTION *Function, ULONG Index)
{
    PCI_BAR *Bar = &Function->Bars[Index];
    ULONG Value, Mask = ProbeRegister(Function, Index, &Value);
    *Bar = (PCI_BAR){.Type = CmResourceTypeNull, .Registers = 1};
    if (Mask == 0)
        return 1;
    if (Value & PCI_ADDRESS_IO_SPACE)
        ReadPortBar(Bar, Value, Mask);
    else
        ReadMemoryBar(Function, Index, Bar, Value, Mask);
    return Bar->Registers;
}

VOID PciReadBars(PCI_FUNCTION *Function)
{
    ULONG Count = Function->Header == PCI_DEVICE_TYPE   ? PCI_TYPE0_ADDRESSES
                  : Function->Header == PCI_BRIDGE_TYPE ? PCI_TYPE1_ADDRESSES
                                                        : 0;
    USHORT Command = PciRead16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command));
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command),
               Command & ~(PCI_ENABLE_IO_SPACE | PCI_ENABLE_MEMORY_SPACE));
    for (ULONG Index = 0; Index < Count;)
        Index += ReadBar(Function, Index);
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command), Command);
}

VOID PciWriteBar(const PCI_FUNCTION *Function, ULONG Index, ULONG64 Base)
{
    PciWrite32(Function, BAR_OFFSET(Index), (ULONG)Base);
    if (Function->Bars[Index].Registers == 2)
        PciWrite32(Function, BAR_OFFSET(Index + 1), (ULONG)(Base >> 32));
}

/* SPDX-License-Identifier: MIT
 * Windows of bridges: the addresses that they pass on to the bus behind them, as the firmware has set them. [PCI-to-PCI Bridge 1.2, 3.2.5] */
#include "pci.h"

#define ROOT_FIRST_PORT 0x1000u
#define ROOT_FIRST_ADDRESS 0xc0000000ull /* below lies memory and the configuration space of the bus */
#define ROOT_LAST_ADDRESS 0xfebfffffull  /* above lie the interrupt controllers */

#define TYPE1(Field) FIELD_OFFSET(PCI_COMMON_HEADER, u.type1.Field)
#define WIDE 1u /* low bits of a base: its upper half counts */

static PCI_WINDOW PortWindow(const PCI_FUNCTION *Bridge)
{
    ULONG64 Base = PciRead8(Bridge, TYPE1(IOBase)), Limit = PciRead8(Bridge, TYPE1(IOLimit));
    BOOLEAN Is32 = (Base & WIDE) != 0;
    Base = (Base & 0xf0) << 8;
    Limit = (Limit & 0xf0) << 8 | 0xfff;
    if (Is32) {
        Base |= (ULONG64)PciRead16(Bridge, TYPE1(IOBaseUpper16)) << 16;
        Limit |= (ULONG64)PciRead16(Bridge, TYPE1(IOLimitUpper16)) << 16;
    }
    return (PCI_WINDOW){CmResourceTypePort, FALSE, Base, Limit};
}

static PCI_WINDOW MemoryWindow(const PCI_FUNCTION *Bridge)
{
    ULONG64 Base = PciRead16(Bridge, TYPE1(MemoryBase)), Limit = PciRead16(Bridge, TYPE1(MemoryLimit));
    return (PCI_WINDOW){CmResourceTypeMemory, FALSE, (Base & 0xfff0) << 16, (Limit & 0xfff0) << 16 | 0xfffff};
}

static PCI_WINDOW PrefetchableWindow(const PCI_FUNCTION *Bridge)
{
    ULONG64 Base = PciRead16(Bridge, TYPE1(PrefetchBase)), Limit = PciRead16(Bridge, TYPE1(PrefetchLimit));
    BOOLEAN Is64 = (Base & WIDE) != 0;
    Base = (Base & 0xfff0) << 16;
    Limit = (Limit & 0xfff0) << 16 | 0xfffff;
    if (Is64) {
        Base |= (ULONG64)PciRead32(Bridge, TYPE1(PrefetchBaseUpper32)) << 32;
        Limit |= (ULONG64)PciRead32(Bridge, TYPE1(PrefetchLimitUpper32)) << 32;
    }
    return (PCI_WINDOW){CmResourceTypeMemory, TRUE, Base, Limit};
}

/* One that begins at 0, or that the firmware does not have decoded, was never set. */
static PCI_WINDOW Usable(PCI_WINDOW Window, USHORT Command)
{
    USHORT Decoded = Window.Type == CmResourceTypePort ? PCI_ENABLE_IO_SPACE : PCI_ENABLE_MEMORY_SPACE;
    if (Window.First == 0 || Window.First > Window.Last || (Command & Decoded) == 0)
        Window.Type = CmResourceTypeNull;
    return Window;
}

VOID PciReadWindows(PCI_FUNCTION *Bridge)
{
    USHORT Command = PciRead16(Bridge, FIELD_OFFSET(PCI_COMMON_HEADER, Command));
    Bridge->Windows[0] = Usable(PortWindow(Bridge), Command);
    Bridge->Windows[1] = Usable(MemoryWindow(Bridge), Command);
    Bridge->Windows[2] = Usable(PrefetchableWindow(Bridge), Command);
}

/* The first port lies behind the last. */
VOID PciClosePortWindow(PCI_FUNCTION *Bridge)
{
    UCHAR Range[2] = {0xf0, 0};
    PciWrite(Bridge, TYPE1(IOBase), Range, sizeof(Range));
    PciWrite32(Bridge, TYPE1(IOBaseUpper16), 0);
    Bridge->Windows[0].Type = CmResourceTypeNull;
}

/* What may lie in a window that is prefetchable: what is so itself. */
static BOOLEAN Fits(const PCI_WINDOW *Window, const PCI_BAR *Bar)
{
    if (Window->Type != Bar->Type || (Window->Prefetchable && !Bar->Prefetchable))
        return FALSE;
    return Bar->Registers == 2 || Window->Last <= MAXULONG;
}

static PCI_WINDOW RootWindow(const PCI_BAR *Bar)
{
    if (Bar->Type == CmResourceTypePort)
        return (PCI_WINDOW){CmResourceTypePort, FALSE, ROOT_FIRST_PORT, MAXUSHORT};
    return (PCI_WINDOW){CmResourceTypeMemory, FALSE, ROOT_FIRST_ADDRESS, ROOT_LAST_ADDRESS};
}

PCI_WINDOW PciWindowOf(const PCI_FUNCTION *Function, const PCI_BAR *Bar)
{
    const PCI_FUNCTION *Bridge = Function->Bus->Bridge;
    if (Bridge == NULL)
        return RootWindow(Bar);
    for (ULONG i = PCI_WINDOWS; i-- > 0;) /* the prefetchable one first */
        if (Fits(&Bridge->Windows[i], Bar))
            return Bridge->Windows[i];
    return (PCI_WINDOW){CmResourceTypeNull, FALSE, 0, 0};
}

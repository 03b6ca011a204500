/* SPDX-License-Identifier: MIT
 * Which line of the I/O APIC an interrupt pin leads to. The firmware's routing tables are byte code; the two boards of QEMU are known instead. [Intel ICH9 data
 * sheet, D31IR to D25IR; PIIX3 data sheet, PIRQRC] */
#include "pci.h"

#define HOST_BRIDGE_Q35 0x29c08086u

/* [PCI-to-PCI Bridge 1.2, 9.1] each bridge turns the pins by the slot. */
static ULONG RootPin(const PCI_FUNCTION *Function, const PCI_FUNCTION **AtRoot)
{
    ULONG Pin = Function->Pin - 1u;
    while (Function->Bus->Bridge != NULL) {
        PCI_SLOT_NUMBER Slot = {.u.AsULONG = Function->Slot};
        Pin = (Pin + Slot.u.bits.DeviceNumber) % 4;
        Function = Function->Bus->Bridge;
    }
    *AtRoot = Function;
    return Pin;
}

/* Slots up to 24 go round the lines 20 to 23, the chipset's own are wired straight to 16 to 19. */
static ULONG RouteQ35(ULONG Device, ULONG Pin)
{
    return Device < 25 ? 20 + (Device + Pin) % 4 : 16 + Pin;
}

ULONG PciRoute(const PCI_FUNCTION *Function)
{
    const PCI_FUNCTION *AtRoot;
    ULONG HostBridge = 0, Pin = RootPin(Function, &AtRoot);
    PCI_SLOT_NUMBER Slot = {.u.AsULONG = AtRoot->Slot};
    HalGetBusDataByOffset(PCIConfiguration, 0, 0, &HostBridge, 0, sizeof(HostBridge));
    if (HostBridge == HOST_BRIDGE_Q35)
        return RouteQ35(Slot.u.bits.DeviceNumber, Pin);
    return PciRead8(Function,
                    FIELD_OFFSET(PCI_COMMON_HEADER,
                                 u.type0.InterruptLine)); /* the firmware has routed it to this ISA line */
}

/* SPDX-License-Identifier: MIT
 * Configuration space by bus and slot: the host bridge of the board, and slots without a device. [WDK HalGetBusDataByOffset, HalSetBusDataByOffset] */
#include "ct.h"

static VOID BusData(VOID)
{
    PCI_COMMON_HEADER Header;
    USHORT Vendor = 0;
    UCHAR Bytes[3], Line, Before;
    PCI_SLOT_NUMBER Nobody = {.u.bits = {.DeviceNumber = 0, .FunctionNumber = 7}};
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 0, 0, &Header, 0, sizeof(Header)), sizeof(Header));
    CT_CHECK(Header.VendorID == 0x8086 && Header.BaseClass == PCI_CLASS_BRIDGE_DEV &&
             Header.SubClass == PCI_SUBCLASS_BR_HOST);
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 0, 0, Bytes, 1, 3), 3); /* across a word */
    CT_CHECK(Bytes[0] == 0x80 && Bytes[1] == (Header.DeviceID & 0xff) && Bytes[2] == Header.DeviceID >> 8);
    ULONG Whole =
        HalGetBusDataByOffset(PCIConfiguration, 0, 0, Bytes, 256, 1) == 1 ? 4096 : 256; /* of PCI Express */
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 0, 0, Bytes, Whole - 2, 3),
             2); /* no more than there is */
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 0, 0, Bytes, Whole, 1), 0);
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 0, Nobody.u.AsULONG, &Vendor, 0, 2), 2);
    CT_EQUAL(Vendor, PCI_INVALID_VENDORID);
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 256, 0, &Vendor, 0, 2), 0);
    CT_EQUAL(HalGetBusDataByOffset(Cmos, 0, 0, &Vendor, 0, 2), 0);
    CT_EQUAL(HalSetBusDataByOffset(PCIConfiguration, 0, Nobody.u.AsULONG, &Vendor, 0, 2), 0);
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 0, 0, &Before, 0x0d, 1),
             1); /* the latency timer does not matter to anybody */
    Line = Before ^ 0xf8;
    CT_EQUAL(HalSetBusDataByOffset(PCIConfiguration, 0, 0, &Line, 0x0d, 1), 1);
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, 0, 0, &Header, 0, sizeof(Header)), sizeof(Header));
    CT_CHECK(Header.VendorID == 0x8086 &&
             Header.BaseClass == PCI_CLASS_BRIDGE_DEV); /* the neighbours are as they were */
    CT_EQUAL(HalSetBusDataByOffset(PCIConfiguration, 0, 0, &Before, 0x0d, 1), 1);
}

static const CT_CASE Cases[] = {{"pci.bus_data", BusData}};
CT_DRIVER(Cases)

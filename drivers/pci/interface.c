/* SPDX-License-Identifier: MIT
 * The functions that a function driver gets by IRP_MN_QUERY_INTERFACE. [WDK BUS_INTERFACE_STANDARD] */
#include "pci.h"

static const GUID BusInterfaceStandard = {
    0x496b8280,
    0x6f25,
    0x11d0,
    {0xbe, 0xaf, 0x08, 0x00, 0x2b, 0xe2, 0x09, 0x2f}}; /* GUID_BUS_INTERFACE_STANDARD */

static VOID NTAPI Reference(PVOID Context)
{
    ObReferenceObject(((PCI_FUNCTION *)Context)->Device);
}

static VOID NTAPI Dereference(PVOID Context)
{
    ObDereferenceObject(((PCI_FUNCTION *)Context)->Device);
}

static ULONG NTAPI GetBusData(PVOID Context, ULONG DataType, PVOID Buffer, ULONG Offset, ULONG Length)
{
    const PCI_FUNCTION *Function = Context;
    if (DataType != PCI_WHICHSPACE_CONFIG)
        return 0;
    return HalGetBusDataByOffset(PCIConfiguration, Function->Bus->Number, Function->Slot, Buffer, Offset,
                                 Length);
}

static ULONG NTAPI SetBusData(PVOID Context, ULONG DataType, PVOID Buffer, ULONG Offset, ULONG Length)
{
    const PCI_FUNCTION *Function = Context;
    if (DataType != PCI_WHICHSPACE_CONFIG)
        return 0;
    return HalSetBusDataByOffset(PCIConfiguration, Function->Bus->Number, Function->Slot, Buffer, Offset,
                                 Length);
}

/* Addresses of the bus are the processor's. */
static BOOLEAN NTAPI TranslateBusAddress(PVOID Context, PHYSICAL_ADDRESS BusAddress, ULONG Length,
                                         PULONG AddressSpace, PPHYSICAL_ADDRESS Translated)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(AddressSpace);
    *Translated = BusAddress;
    return TRUE;
}

NTSTATUS PciQueryInterface(PCI_FUNCTION *Function, PIO_STACK_LOCATION Stack)
{
    PBUS_INTERFACE_STANDARD Interface = (PBUS_INTERFACE_STANDARD)Stack->Parameters.QueryInterface.Interface;
    if (!IsEqualGUID(Stack->Parameters.QueryInterface.InterfaceType, &BusInterfaceStandard))
        return STATUS_NOT_SUPPORTED;
    if (Stack->Parameters.QueryInterface.Size < sizeof(*Interface) ||
        Stack->Parameters.QueryInterface.Version != 1)
        return STATUS_INVALID_PARAMETER;
    *Interface = (BUS_INTERFACE_STANDARD){.Size = sizeof(*Interface),
                                          .Version = 1,
                                          .Context = Function,
                                          .InterfaceReference = Reference,
                                          .InterfaceDereference = Dereference,
                                          .TranslateBusAddress = TranslateBusAddress,
                                          .SetBusData = SetBusData,
                                          .GetBusData = GetBusData};
    Reference(Function);
    return STATUS_SUCCESS;
}

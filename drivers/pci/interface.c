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
    if (Function->Gone) {
        RtlFillMemory(Buffer, Length, 0xff);
        return Length;
    }
    return HalGetBusDataByOffset(PCIConfiguration, Function->Bus->Number, Function->Slot, Buffer, Offset,
                                 Length);
}

static ULONG NTAPI SetBusData(PVOID Context, ULONG DataType, PVOID Buffer, ULONG Offset, ULONG Length)
{
    const PCI_FUNCTION *Function = Context;
    if (DataType != PCI_WHICHSPACE_CONFIG)
        return 0;
    if (Function->Gone)
        return Length;
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

/* It passes on its own caller's address: the adapter is that driver's. [WDK BUS_INTERFACE_STANDARD] */
static PDMA_ADAPTER NTAPI GetDmaAdapter(PVOID Context, PDEVICE_DESCRIPTION Description, PULONG MapRegisters)
{
    return IoGetDmaAdapter(((PCI_FUNCTION *)Context)->Device, Description, MapRegisters);
}

static NTSTATUS GiveBusInterface(PCI_FUNCTION *Function, PBUS_INTERFACE_STANDARD Interface)
{
    *Interface = (BUS_INTERFACE_STANDARD){.Size = sizeof(*Interface),
                                          .Version = 1,
                                          .Context = Function,
                                          .InterfaceReference = Reference,
                                          .InterfaceDereference = Dereference,
                                          .TranslateBusAddress = TranslateBusAddress,
                                          .GetDmaAdapter = GetDmaAdapter,
                                          .SetBusData = SetBusData,
                                          .GetBusData = GetBusData};
    Reference(Function);
    return STATUS_SUCCESS;
}

/* [WDK PCI_MSIX_TABLE_CONFIG_INTERFACE] the last two members are reserved: only who has room for them gets them, as NULL. */
static NTSTATUS GiveTableInterface(PCI_FUNCTION *Function, PPCI_MSIX_TABLE_CONFIG_INTERFACE Interface,
                                   USHORT Size)
{
    if (Function->MessageXCapability == 0)
        return STATUS_NOT_SUPPORTED;
    RtlZeroMemory(Interface, min(Size, sizeof(*Interface)));
    Interface->Size = (USHORT)min(Size, sizeof(*Interface));
    Interface->Version = PCI_MSIX_TABLE_CONFIG_INTERFACE_VERSION;
    Interface->Context = Function;
    Interface->InterfaceReference = Reference;
    Interface->InterfaceDereference = Dereference;
    Interface->SetTableEntry = PciSetTableEntry;
    Interface->MaskTableEntry = PciMaskTableEntry;
    Interface->UnmaskTableEntry = PciUnmaskTableEntry;
    Reference(Function);
    return STATUS_SUCCESS;
}

NTSTATUS PciQueryInterface(PCI_FUNCTION *Function, PIO_STACK_LOCATION Stack)
{
    static const GUID TableInterface = NTBOX_MSIX_TABLE_CONFIG_INTERFACE;
    const GUID *Type = Stack->Parameters.QueryInterface.InterfaceType;
    USHORT Size = Stack->Parameters.QueryInterface.Size;
    PVOID Interface = Stack->Parameters.QueryInterface.Interface;
    BOOLEAN Bus = IsEqualGUID(Type, &BusInterfaceStandard), Table = IsEqualGUID(Type, &TableInterface);
    if (!Bus && !Table)
        return STATUS_NOT_SUPPORTED;
    if (Size < (Bus ? sizeof(BUS_INTERFACE_STANDARD) : PCI_MSIX_TABLE_CONFIG_MINIMUM_SIZE) ||
        Stack->Parameters.QueryInterface.Version != 1)
        return STATUS_INVALID_PARAMETER;
    return Bus ? GiveBusInterface(Function, Interface) : GiveTableInterface(Function, Interface, Size);
}

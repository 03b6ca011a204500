/* SPDX-License-Identifier: MIT
 * The IDs of functions. [WDK "Identifiers for PCI Devices"] */
#include "pci.h"
#include <ntstrsafe.h>

#define ROOM 512u /* characters of a list */

typedef struct ID_LIST {
    PWSTR Text; /* zeroed */
    ULONG At;
} ID_LIST;

static VOID Add(ID_LIST *List, PCWSTR Format, ...)
{
    va_list Arguments;
    va_start(Arguments, Format);
    int Count = _vsnwprintf(List->Text + List->At, ROOM - 2 - List->At, Format, Arguments);
    va_end(Arguments);
    if (Count > 0)
        List->At += (ULONG)Count + 1;
}

/* What the function is, in the words of its configuration space. */
typedef struct WORDS {
    ULONG Vendor, Product, Sub, Revision, Class, SubClass, Interface;
} WORDS;

static WORDS WordsOf(const PCI_FUNCTION *F)
{
    return (WORDS){F->Vendor,   F->Product,  (ULONG)F->SubSystem << 16 | F->SubVendor,
                   F->Revision, F->Class[0], F->Class[1],
                   F->Class[2]};
}

static VOID AddHardware(ID_LIST *List, const WORDS *W)
{
    Add(List, L"PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X&REV_%02X", W->Vendor, W->Product, W->Sub, W->Revision);
    Add(List, L"PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X", W->Vendor, W->Product, W->Sub);
    Add(List, L"PCI\\VEN_%04X&DEV_%04X&CC_%02X%02X%02X", W->Vendor, W->Product, W->Class, W->SubClass,
        W->Interface);
    Add(List, L"PCI\\VEN_%04X&DEV_%04X&CC_%02X%02X", W->Vendor, W->Product, W->Class, W->SubClass);
}

static VOID AddCompatible(ID_LIST *List, const WORDS *W)
{
    Add(List, L"PCI\\VEN_%04X&DEV_%04X&REV_%02X", W->Vendor, W->Product, W->Revision);
    Add(List, L"PCI\\VEN_%04X&DEV_%04X", W->Vendor, W->Product);
    Add(List, L"PCI\\VEN_%04X&CC_%02X%02X%02X", W->Vendor, W->Class, W->SubClass, W->Interface);
    Add(List, L"PCI\\VEN_%04X&CC_%02X%02X", W->Vendor, W->Class, W->SubClass);
    Add(List, L"PCI\\VEN_%04X", W->Vendor);
    Add(List, L"PCI\\CC_%02X%02X%02X", W->Class, W->SubClass, W->Interface);
    Add(List, L"PCI\\CC_%02X%02X", W->Class, W->SubClass);
}

static ULONG SlotNumber(const PCI_FUNCTION *Function)
{
    PCI_SLOT_NUMBER Slot = {.u.AsULONG = Function->Slot};
    return Slot.u.bits.DeviceNumber << 3 | Slot.u.bits.FunctionNumber;
}

static NTSTATUS MakeText(PWSTR *Text)
{
    *Text = ExAllocatePool2(POOL_FLAG_PAGED, ROOM * sizeof(WCHAR), PCI_TAG);
    return *Text != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS PciQueryId(const PCI_FUNCTION *Function, BUS_QUERY_ID_TYPE Type, PWSTR *Id)
{
    WORDS W = WordsOf(Function);
    if (Type != BusQueryDeviceID && Type != BusQueryInstanceID && Type != BusQueryHardwareIDs &&
        Type != BusQueryCompatibleIDs)
        return STATUS_NOT_SUPPORTED;
    NTSTATUS Status = MakeText(Id);
    if (!NT_SUCCESS(Status))
        return Status;
    ID_LIST List = {*Id, 0};
    if (Type == BusQueryDeviceID)
        Add(&List, L"PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X&REV_%02X", W.Vendor, W.Product, W.Sub, W.Revision);
    else if (Type == BusQueryInstanceID)
        Add(&List, L"%02X", SlotNumber(Function));
    else if (Type == BusQueryHardwareIDs)
        AddHardware(&List, &W);
    else
        AddCompatible(&List, &W);
    return STATUS_SUCCESS;
}

static PCWSTR ClassName(UCHAR Class)
{
    static const PCWSTR Names[] = {L"PCI Device",
                                   L"Mass Storage Controller",
                                   L"Network Controller",
                                   L"Display Controller",
                                   L"Multimedia Controller",
                                   L"Memory Controller",
                                   L"Bridge Device",
                                   L"Communication Controller",
                                   L"System Device",
                                   L"Input Controller",
                                   L"Docking Station",
                                   L"Processor",
                                   L"Serial Bus Controller",
                                   L"Wireless Controller"};
    return Class < RTL_NUMBER_OF(Names) ? Names[Class] : Names[0];
}

NTSTATUS PciQueryText(const PCI_FUNCTION *Function, DEVICE_TEXT_TYPE Type, PWSTR *Text)
{
    PCI_SLOT_NUMBER Slot = {.u.AsULONG = Function->Slot};
    if (Type != DeviceTextDescription && Type != DeviceTextLocationInformation)
        return STATUS_NOT_SUPPORTED;
    NTSTATUS Status = MakeText(Text);
    if (!NT_SUCCESS(Status))
        return Status;
    ID_LIST List = {*Text, 0};
    if (Type == DeviceTextDescription)
        Add(&List, L"%s", ClassName(Function->Class[0]));
    else
        Add(&List, L"PCI bus %u, device %u, function %u", Function->Bus->Number, Slot.u.bits.DeviceNumber,
            Slot.u.bits.FunctionNumber);
    return STATUS_SUCCESS;
}

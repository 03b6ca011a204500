/* SPDX-License-Identifier: MIT
 * The devices of the board that no bus enumerates: the root of the PCI bus, and the clock with the CMOS memory, whose ports and line are the same on all PCs.
 * [ACPI 6.5 5.6.7; PCI Firmware 3.3: PNP0A08 is a PCI Express root, PNP0A03 a PCI root] [ISA: the clock has ports 0x70 and 0x71 and IRQ 8, an edge] */
#include "acpi.h"
#include "ex.h"
#include "hal.h"
#include "pnpp.h"

#define CLOCK_PORT 0x70
#define CLOCK_PORTS 2
#define CLOCK_LINE 8

/* Texts with all their terminators. */
typedef struct _PNP_ACPI_TEXT {
    const WCHAR *Text;
    ULONG Bytes;
} PNP_ACPI_TEXT;
#define TEXT_OF(Literal) {Literal, sizeof(Literal)}

typedef struct _PNP_ACPI_IDS {
    PNP_ACPI_TEXT Device, Hardware, Compatible;
} PNP_ACPI_IDS;

static const PNP_ACPI_IDS *PnpAcpiIdsOf(PNP_ACPI_KIND Kind)
{
    static const PNP_ACPI_IDS Pci = {TEXT_OF(L"ACPI\\PNP0A03"), TEXT_OF(L"ACPI\\PNP0A03\0*PNP0A03\0"), {0}};
    /* it can do what the older one can */
    static const PNP_ACPI_IDS Express = {TEXT_OF(L"ACPI\\PNP0A08"), TEXT_OF(L"ACPI\\PNP0A08\0*PNP0A08\0"),
                                         TEXT_OF(L"ACPI\\PNP0A03\0*PNP0A03\0")};
    static const PNP_ACPI_IDS Clock = {TEXT_OF(L"ACPI\\PNP0B00"), TEXT_OF(L"ACPI\\PNP0B00\0*PNP0B00\0"), {0}};
    if (Kind == PnpAcpiClock)
        return &Clock;
    return HalIsPciExpress() ? &Express : &Pci;
}

BOOLEAN PnpAcpiIsThere(PNP_ACPI_KIND Kind)
{
    return Kind == PnpAcpiClock ? HalHasRealTimeClock() : HalHasPci();
}

static NTSTATUS PnpAcpiCopy(const void *Data, ULONG Bytes, PVOID *Copy)
{
    *Copy = ExAllocatePool2(POOL_FLAG_PAGED, Bytes, PNP_TAG_TEXT);
    if (*Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(*Copy, Data, Bytes);
    return STATUS_SUCCESS;
}

NTSTATUS PnpAcpiMakeId(PNP_ACPI_KIND Kind, BUS_QUERY_ID_TYPE Type, PVOID *Text)
{
    static const PNP_ACPI_TEXT Instance = TEXT_OF(L"0"), None = {0};
    const PNP_ACPI_IDS *Ids = PnpAcpiIdsOf(Kind);
    const PNP_ACPI_TEXT *Id = Type == BusQueryDeviceID        ? &Ids->Device
                              : Type == BusQueryInstanceID    ? &Instance
                              : Type == BusQueryHardwareIDs   ? &Ids->Hardware
                              : Type == BusQueryCompatibleIDs ? &Ids->Compatible
                                                              : &None;
    return Id->Bytes != 0 ? PnpAcpiCopy(Id->Text, Id->Bytes, Text) : STATUS_NOT_SUPPORTED;
}

/* --- what is wired to the clock --- */

NTSTATUS PnpAcpiMakeResources(PNP_ACPI_KIND Kind, PVOID *List)
{
    struct {
        CM_RESOURCE_LIST List; /* with the first one */
        CM_PARTIAL_RESOURCE_DESCRIPTOR Line;
    } Clock = {.List = {.Count = 1}};
    PCM_PARTIAL_RESOURCE_LIST Partial = &Clock.List.List[0].PartialResourceList;
    if (Kind != PnpAcpiClock)
        return STATUS_NOT_SUPPORTED;
    Clock.List.List[0].InterfaceType = Isa;
    Partial->Version = Partial->Revision = 1;
    Partial->Count = 2;
    Partial->PartialDescriptors[0] =
        (CM_PARTIAL_RESOURCE_DESCRIPTOR){.Type = CmResourceTypePort,
                                         .ShareDisposition = CmResourceShareDeviceExclusive,
                                         .Flags = CM_RESOURCE_PORT_IO,
                                         .u.Port = {.Start.QuadPart = CLOCK_PORT, .Length = CLOCK_PORTS}};
    Clock.Line = (CM_PARTIAL_RESOURCE_DESCRIPTOR){
        .Type = CmResourceTypeInterrupt,
        .ShareDisposition = CmResourceShareDeviceExclusive,
        .Flags = CM_RESOURCE_INTERRUPT_LATCHED,
        .u.Interrupt = {.Level = CLOCK_LINE, .Vector = CLOCK_LINE, .Affinity = (KAFFINITY)-1}};
    return PnpAcpiCopy(&Clock, sizeof(Clock), List);
}

NTSTATUS PnpAcpiMakeRequirements(PNP_ACPI_KIND Kind, PVOID *List)
{
    struct {
        IO_RESOURCE_REQUIREMENTS_LIST List; /* with the first one */
        IO_RESOURCE_DESCRIPTOR Line;
    } Clock = {.List = {.ListSize = sizeof(Clock), .InterfaceType = Isa, .AlternativeLists = 1}};
    PIO_RESOURCE_LIST Wanted = &Clock.List.List[0];
    if (Kind != PnpAcpiClock)
        return STATUS_NOT_SUPPORTED;
    Wanted->Version = Wanted->Revision = 1;
    Wanted->Count = 2;
    Wanted->Descriptors[0] =
        (IO_RESOURCE_DESCRIPTOR){.Type = CmResourceTypePort,
                                 .ShareDisposition = CmResourceShareDeviceExclusive,
                                 .Flags = CM_RESOURCE_PORT_IO,
                                 .u.Port = {.Length = CLOCK_PORTS,
                                            .Alignment = 1,
                                            .MinimumAddress.QuadPart = CLOCK_PORT,
                                            .MaximumAddress.QuadPart = CLOCK_PORT + CLOCK_PORTS - 1}};
    Clock.Line =
        (IO_RESOURCE_DESCRIPTOR){.Type = CmResourceTypeInterrupt,
                                 .ShareDisposition = CmResourceShareDeviceExclusive,
                                 .Flags = CM_RESOURCE_INTERRUPT_LATCHED,
                                 .u.Interrupt = {.MinimumVector = CLOCK_LINE, .MaximumVector = CLOCK_LINE}};
    return PnpAcpiCopy(&Clock, sizeof(Clock), List);
}

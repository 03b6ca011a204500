/* SPDX-License-Identifier: MIT
 * QEMU's edu device (docs/specs/edu.rst of QEMU) as a PnP device. With edu_pnp.inf it has its line: two of them, in slots that differ by a multiple of four,
 * share it. With edu_message.inf it has a message. Which it is the driver sees when it connects. [WDK IoConnectInterruptEx, "Using Message-Signaled Interrupts"] */
#include <initguid.h>
#include "device_driver.h"
#include <wdmguid.h>

#define EDU_STATUS 0x24 /* which interrupts are raised */
#define EDU_RAISE 0x60
#define EDU_ACKNOWLEDGE 0x64
#define CAPABILITY_MSI 5
#define MSI_ENABLE 1
#define ROUNDS 200
#define MOST 2

struct DEVICE {
    DEVICE_COMMON Common;
    volatile ULONG *Registers;
    PKINTERRUPT Interrupt;            /* of the line */
    PIO_INTERRUPT_MESSAGE_INFO Table; /* of the message */
    ULONG Version;                    /* CONNECT_...; 0: not connected */
    volatile LONG Served, Refused, WrongIrql;
    KIRQL Irql;
    KDPC Dpc;
    KEVENT Done;
};

static DEVICE *Edu[MOST];

static SIZE_T DeviceSize(VOID)
{
    return sizeof(DEVICE);
}

static VOID NTAPI Later(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeSetEvent(&Device->Done, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN NTAPI ServeLine(PKINTERRUPT Interrupt, PVOID Context)
{
    DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    ULONG Raised = Device->Registers[EDU_STATUS / 4];
    if (Raised == 0) {
        Device->Refused++;
        return FALSE;
    }
    if (KeGetCurrentIrql() != Device->Irql)
        Device->WrongIrql++;
    Device->Registers[EDU_ACKNOWLEDGE / 4] = Raised;
    Device->Served++;
    KeInsertQueueDpc(&Device->Dpc, NULL, NULL);
    return TRUE;
}

static BOOLEAN NTAPI ServeMessage(PKINTERRUPT Interrupt, PVOID Context, ULONG Id)
{
    return Id == 0 && ServeLine(Interrupt, Context);
}

static VOID Raise(DEVICE *Device)
{
    Device->Registers[EDU_RAISE / 4] = 1;
}

/* Fails the case that runs, if it fails. */
static BOOLEAN ConnectDevice(DEVICE *Device)
{
    IO_CONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *D =
        FindResource(Device->Common.Translated, CmResourceTypeInterrupt, 0);
    PVOID Connection = NULL; /* a table or an object, as the version says */
    if (!CT_CHECK(D != NULL))
        return FALSE;
    Device->Irql = (KIRQL)D->u.Interrupt.Level;
    P.MessageBased.PhysicalDeviceObject = Device->Common.Pdo;
    P.MessageBased.ConnectionContext.Generic = &Connection;
    P.MessageBased.MessageServiceRoutine = ServeMessage;
    P.MessageBased.FallBackServiceRoutine = ServeLine;
    P.MessageBased.ServiceContext = Device;
    if (!CT_SUCCESS(IoConnectInterruptEx(&P)))
        return FALSE;
    Device->Version = P.Version;
    Device->Table = P.Version == CONNECT_MESSAGE_BASED ? Connection : NULL;
    Device->Interrupt = P.Version == CONNECT_MESSAGE_BASED ? NULL : Connection;
    return TRUE;
}

static VOID Disconnect(DEVICE *Device)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS P = {.Version = Device->Version};
    if (Device->Version == 0)
        return;
    P.ConnectionContext.Generic = Device->Table != NULL ? (PVOID)Device->Table : (PVOID)Device->Interrupt;
    IoDisconnectInterruptEx(&P);
    Device->Version = 0;
}

static VOID MapRegisters(DEVICE *Device)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Memory =
        FindResource(Device->Common.Translated, CmResourceTypeMemory, 0);
    if (Memory != NULL)
        Device->Registers = MmMapIoSpace(Memory->u.Memory.Start, PAGE_SIZE, MmNonCached);
}

static VOID RaiseAndExpect(DEVICE *Device)
{
    LONG Before = Device->Served;
    Raise(Device);
    CtExpect(&Device->Done);
    CT_EQUAL(Device->Served, Before + 1);
}

/* --- a message --- */

static VOID OneMessage(VOID)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *R = FindResource(Edu[0]->Common.Raw, CmResourceTypeInterrupt, 0);
    CT_REQUIRE(R != NULL && (R->Flags & CM_RESOURCE_INTERRUPT_MESSAGE));
    CT_EQUAL(R->u.MessageInterrupt.Raw.MessageCount, 1);
    CT_CHECK(FindResource(Edu[0]->Common.Raw, CmResourceTypeInterrupt, 1) == NULL);
    CT_EQUAL(Edu[0]->Table->MessageCount, 1);
    if (KeQueryActiveProcessors() & 8) /* the INF asks for processor 3 */
        CT_EQUAL(Edu[0]->Table->MessageInfo[0].TargetProcessorSet, 8);
    ULONG At = FindCapability(&Edu[0]->Common, CAPABILITY_MSI);
    CT_REQUIRE(At != 0);
    CT_EQUAL(ReadConfig(&Edu[0]->Common, At + 2, 2) & (MSI_ENABLE | 0x70), MSI_ENABLE);
    CT_EQUAL(ReadConfig(&Edu[0]->Common, At + 4, 4), Edu[0]->Table->MessageInfo[0].MessageAddress.LowPart);
    CT_CHECK(ReadConfig(&Edu[0]->Common, 4, 2) & PCI_DISABLE_LEVEL_INTERRUPT);
}

static VOID MessageDelivered(VOID)
{
    for (ULONG i = 0; i < ROUNDS; i++)
        RaiseAndExpect(Edu[0]);
    CT_EQUAL(Edu[0]->WrongIrql, 0);
}

static VOID MessageBack(VOID)
{
    ULONG At = FindCapability(&Edu[0]->Common, CAPABILITY_MSI);
    CT_REQUIRE(At != 0);
    CT_EQUAL(ReadConfig(&Edu[0]->Common, At + 2, 2) & MSI_ENABLE, 0);
}

/* --- the bus --- */

static NTSTATUS QueryBus(BUS_INTERFACE_STANDARD *Interface, USHORT Size)
{
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_PNP, .MinorFunction = IRP_MN_QUERY_INTERFACE};
    Location.Parameters.QueryInterface.InterfaceType = &GUID_BUS_INTERFACE_STANDARD;
    Location.Parameters.QueryInterface.Size = Size;
    Location.Parameters.QueryInterface.Version = 1;
    Location.Parameters.QueryInterface.Interface = (PINTERFACE)Interface;
    return SendDown(&Edu[0]->Common, &Location);
}

static VOID BusDma(BUS_INTERFACE_STANDARD *Bus)
{
    ULONG Registers = 0;
    DEVICE_DESCRIPTION Description = {.Version = DEVICE_DESCRIPTION_VERSION,
                                      .Master = TRUE,
                                      .ScatterGather = TRUE,
                                      .Dma32BitAddresses = TRUE,
                                      .InterfaceType = PCIBus,
                                      .MaximumLength = PAGE_SIZE};
    PDMA_ADAPTER Adapter = Bus->GetDmaAdapter(Bus->Context, &Description, &Registers);
    CT_REQUIRE(Adapter != NULL && Registers != 0);
    Adapter->DmaOperations->PutDmaAdapter(Adapter);
}

/* [WDK BUS_INTERFACE_STANDARD] */
static VOID BusInterface(VOID)
{
    BUS_INTERFACE_STANDARD Bus = {0};
    ULONG Value = 0, Space = 0;
    UCHAR Line = 0, Other;
    PHYSICAL_ADDRESS Address = {.QuadPart = 0x12345000}, Translated = {.QuadPart = 0};
    CT_STATUS(QueryBus(&Bus, sizeof(Bus) - 1), STATUS_INVALID_PARAMETER);
    CT_REQUIRE(CT_SUCCESS(QueryBus(&Bus, sizeof(Bus))));
    CT_CHECK(Bus.Size == sizeof(Bus) && Bus.Version == 1);
    CT_EQUAL(Bus.GetBusData(Bus.Context, PCI_WHICHSPACE_CONFIG, &Value, 0, 4), 4);
    CT_EQUAL(Value, 0x11e81234);
    CT_EQUAL(Bus.GetBusData(Bus.Context, PCI_WHICHSPACE_CONFIG, &Line, 0x3c, 1), 1);
    Other = Line ^ 0x0f; /* the interrupt line is for whoever wants it */
    CT_EQUAL(Bus.SetBusData(Bus.Context, PCI_WHICHSPACE_CONFIG, &Other, 0x3c, 1), 1);
    CT_EQUAL(ReadConfig(&Edu[0]->Common, 0x3c, 1), Other);
    CT_EQUAL(Bus.SetBusData(Bus.Context, PCI_WHICHSPACE_CONFIG, &Line, 0x3c, 1), 1);
    CT_CHECK(Bus.TranslateBusAddress(Bus.Context, Address, PAGE_SIZE, &Space, &Translated));
    CT_EQUAL(Translated.QuadPart, Address.QuadPart);
    BusDma(&Bus);
    Bus.InterfaceDereference(Bus.Context);
}

/* --- a line --- */

static ULONG Property(DEVICE *Device, DEVICE_REGISTRY_PROPERTY Which, PWSTR Text, ULONG Room)
{
    ULONG Length = 0;
    CT_SUCCESS(IoGetDeviceProperty(Device->Common.Pdo, Which, Room, Text, &Length));
    return Length;
}

/* All of them that say what the device is are equal; those that say which one it is are not. */
static VOID Identical(VOID)
{
    WCHAR First[256] = {0}, Second[256] = {0};
    ULONG Length = Property(Edu[0], DevicePropertyHardwareID, First, sizeof(First));
    CT_EQUAL(Property(Edu[1], DevicePropertyHardwareID, Second, sizeof(Second)), Length);
    CT_CHECK(RtlCompareMemory(First, Second, Length) == Length);
    Length = Property(Edu[0], DevicePropertyDriverKeyName, First, sizeof(First));
    CT_EQUAL(Property(Edu[1], DevicePropertyDriverKeyName, Second, sizeof(Second)), Length);
    CT_CHECK(RtlCompareMemory(First, Second, Length) != Length);
    Length = Property(Edu[0], DevicePropertyLocationInformation, First, sizeof(First));
    Property(Edu[1], DevicePropertyLocationInformation, Second, sizeof(Second));
    CT_CHECK(RtlCompareMemory(First, Second, Length) != Length);
    CT_CHECK(Edu[0]->Registers != NULL && Edu[1]->Registers != NULL &&
             Edu[0]->Registers != Edu[1]->Registers);
}

static VOID SharedLine(VOID)
{
    for (ULONG i = 0; i < MOST; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *R =
            FindResource(Edu[i]->Common.Raw, CmResourceTypeInterrupt, 0);
        CT_REQUIRE(R != NULL);
        CT_EQUAL(R->ShareDisposition, CmResourceShareShared);
        CT_EQUAL(R->Flags & (CM_RESOURCE_INTERRUPT_LEVEL_LATCHED_BITS | CM_RESOURCE_INTERRUPT_MESSAGE),
                 CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE);
        CT_EQUAL(Edu[i]->Version, CONNECT_LINE_BASED);
        CT_CHECK((ReadConfig(&Edu[i]->Common, 4, 2) & PCI_DISABLE_LEVEL_INTERRUPT) == 0);
    }
    CT_EQUAL(FindResource(Edu[0]->Common.Translated, CmResourceTypeInterrupt, 0)->u.Interrupt.Vector,
             FindResource(Edu[1]->Common.Translated, CmResourceTypeInterrupt, 0)->u.Interrupt.Vector);
}

/* Each serves its own, and says so of the other's; both at once is both served. */
static VOID SharedServed(VOID)
{
    LONG Refused = Edu[0]->Refused;
    CT_REQUIRE(Edu[0]->Version != 0 && Edu[1]->Version != 0);
    for (ULONG i = 0; i < ROUNDS; i++) {
        RaiseAndExpect(Edu[i % 2]);
        Raise(Edu[0]);
        Raise(Edu[1]);
        CtExpect(&Edu[0]->Done);
        CtExpect(&Edu[1]->Done);
    }
    CT_EQUAL(Edu[0]->Served, ROUNDS / 2 + ROUNDS);
    CT_EQUAL(Edu[1]->Served, ROUNDS / 2 + ROUNDS);
    CT_CHECK(Edu[0]->Refused - Refused >= ROUNDS / 2); /* it comes first */
    CT_EQUAL(Edu[0]->WrongIrql + Edu[1]->WrongIrql, 0);
}

/* One goes, the line is the other's. */
static VOID SharedLeft(VOID)
{
    CT_REQUIRE(Edu[0]->Version != 0 && Edu[1]->Version != 0);
    Disconnect(Edu[0]);
    RaiseAndExpect(Edu[1]);
    CT_REQUIRE(ConnectDevice(Edu[0]));
    RaiseAndExpect(Edu[0]);
    RaiseAndExpect(Edu[1]);
}

/* --- the device --- */

static VOID RunLineCases(VOID)
{
    static const CT_CASE Cases[] = {{"edu_pnp.identical", Identical},
                                    {"edu_pnp.line", SharedLine},
                                    {"edu_pnp.served", SharedServed},
                                    {"edu_pnp.left", SharedLeft}};
    RunCases(Cases, RTL_NUMBER_OF(Cases));
}

static VOID RunMessageCases(VOID)
{
    static const CT_CASE Cases[] = {{"edu_message.interface", BusInterface},
                                    {"edu_message.one", OneMessage},
                                    {"edu_message.delivered", MessageDelivered}};
    RunCases(Cases, RTL_NUMBER_OF(Cases));
}

static DEVICE *Newest;

static VOID Connect(VOID)
{
    MapRegisters(Newest);
    CT_REQUIRE(Newest->Registers != NULL);
    ConnectDevice(Newest);
}

static VOID Started(DEVICE *Device)
{
    static const CT_CASE First[] = {{"edu_pnp.connect", Connect}};
    Edu[Edu[0] != NULL] = Device;
    KeInitializeDpc(&Device->Dpc, Later, Device);
    KeInitializeEvent(&Device->Done, SynchronizationEvent, FALSE);
    Newest = Device;
    RunCases(First, RTL_NUMBER_OF(First));
    if (Device->Version == CONNECT_MESSAGE_BASED)
        RunMessageCases();
    else if (Device == Edu[1])
        RunLineCases();
}

static VOID Stopped(DEVICE *Device)
{
    Disconnect(Device);
    if (Device->Registers != NULL)
        MmUnmapIoSpace((PVOID)Device->Registers, PAGE_SIZE);
    Device->Registers = NULL;
}

static VOID Removed(DEVICE *Device)
{
    static const CT_CASE Cases[] = {{"edu_message.back", MessageBack}};
    if (Device->Table != NULL)
        RunCases(Cases, RTL_NUMBER_OF(Cases));
}

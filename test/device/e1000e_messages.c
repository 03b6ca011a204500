/* SPDX-License-Identifier: MIT
 * MSI-X: QEMU's e1000e has five entries in its table, and raises each of them when its cause is set by a register. Its INF asks for four messages on different
 * processors. [Intel 82574 data sheet, 10.2.4 (interrupt registers); WDK IoConnectInterruptEx, "Using Interrupt Resource Descriptors",
 * "Dynamically Configuring MSI-X", "Enabling Message-Signaled Interrupts in the Registry", "Interrupt Affinity and Priority"] */
#include "device_driver.h"
#include "ntbox/interrupt_resource.h"

#define REG_CTRL 0x0000
#define CTRL_RESET (1u << 26)
#define REG_ICR 0x00c0
#define REG_ICS 0x00c8 /* sets causes */
#define REG_IMS 0x00d0
#define REG_IMC 0x00d8
#define REG_EIAC 0x00dc /* causes that their message takes back */
#define REG_IVAR 0x00e4
#define CAUSE(Entry) (1u << (20 + (Entry))) /* two receive queues, two transmit queues, other */
#define ENTRIES 5u
#define MESSAGES 4u
#define CAPABILITY_MSIX 0x11
#define MSIX_ENABLE 0x8000u
#define ROUNDS 40u

struct DEVICE {
    DEVICE_COMMON Common;
    volatile ULONG *Registers;
    PIO_INTERRUPT_MESSAGE_INFO Table;
    volatile LONG Count[MESSAGES], WrongProcessor, WrongIrql;
    KDPC Dpc;
    KEVENT Came;
};

static DEVICE *Nic;

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
    KeSetEvent(&Device->Came, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN NTAPI ServeMessage(PKINTERRUPT Interrupt, PVOID Context, ULONG Id)
{
    DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    if (Id >= MESSAGES)
        return FALSE;
    const IO_INTERRUPT_MESSAGE_INFO_ENTRY *Message = &Device->Table->MessageInfo[Id];
    if (((KAFFINITY)1 << KeGetCurrentProcessorNumber() & Message->TargetProcessorSet) == 0)
        InterlockedIncrement(&Device->WrongProcessor);
    if (KeGetCurrentIrql() != Message->Irql)
        InterlockedIncrement(&Device->WrongIrql);
    InterlockedIncrement(&Device->Count[Id]);
    KeInsertQueueDpc(&Device->Dpc, NULL, NULL);
    return TRUE;
}

static VOID Pause(LONG Milliseconds)
{
    LARGE_INTEGER Time = CtMilliseconds(Milliseconds);
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
}

/* The device throttles: an entry that has interrupted is quiet for a while, and what comes meanwhile comes later, or twice. */
static VOID Raise(ULONG Entry)
{
    Pause(1);
    Nic->Registers[REG_IMS / 4] = CAUSE(Entry);
    Nic->Registers[REG_ICS / 4] = CAUSE(Entry);
}

static LONG Total(VOID)
{
    LONG Sum = 0;
    for (ULONG i = 0; i < MESSAGES; i++)
        Sum += Nic->Count[i];
    return Sum;
}

/* One entry is one call, with that message. */
static VOID RaiseAndExpect(ULONG Entry, ULONG Message)
{
    LONG Before = Nic->Count[Message], Sum = Total();
    Raise(Entry);
    CtExpect(&Nic->Came);
    CT_EQUAL(Nic->Count[Message], Before + 1);
    CT_EQUAL(Total(), Sum + 1);
}

/* --- cases --- */

static ULONG CountBits(KAFFINITY Set)
{
    ULONG Count = 0;
    for (; Set != 0; Set &= Set - 1)
        Count++;
    return Count;
}

static VOID Given(VOID)
{
    KAFFINITY Together = 0;
    ULONG Processors = CountBits(KeQueryActiveProcessors());
    for (ULONG i = 0; i < MESSAGES; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *T =
            FindResource(Nic->Common.Translated, CmResourceTypeInterrupt, i);
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *R = FindResource(Nic->Common.Raw, CmResourceTypeInterrupt, i);
        CT_REQUIRE(T != NULL && R != NULL);
        CT_CHECK((T->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) && (T->Flags & CM_RESOURCE_INTERRUPT_LATCHED));
        CT_EQUAL(R->u.MessageInterrupt.Raw.MessageCount, 1); /* one descriptor for each */
        CT_EQUAL(CountBits(T->u.MessageInterrupt.Translated.Affinity), 1);
        Together |= T->u.MessageInterrupt.Translated.Affinity;
    }
    CT_CHECK(FindResource(Nic->Common.Translated, CmResourceTypeInterrupt, MESSAGES) == NULL);
    CT_EQUAL(CountBits(Together), Processors < MESSAGES ? Processors : MESSAGES);
}

static VOID Connect(VOID)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Memory =
        FindResource(Nic->Common.Translated, CmResourceTypeMemory, 0);
    IO_CONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    CT_REQUIRE(Memory != NULL);
    Nic->Registers = MmMapIoSpace(Memory->u.Memory.Start, PAGE_SIZE, MmNonCached);
    CT_REQUIRE(Nic->Registers != NULL);
    P.MessageBased.PhysicalDeviceObject = Nic->Common.Pdo;
    P.MessageBased.ConnectionContext.InterruptMessageTable = &Nic->Table;
    P.MessageBased.MessageServiceRoutine = ServeMessage;
    P.MessageBased.ServiceContext = Nic;
    CT_REQUIRE(CT_SUCCESS(IoConnectInterruptEx(&P)));
    CT_EQUAL(P.Version, CONNECT_MESSAGE_BASED);
    CT_EQUAL(Nic->Table->MessageCount, MESSAGES);
    CT_EQUAL(Nic->Table->UnifiedIrql, 0);
    Nic->Registers[REG_IMC / 4] = 0xffffffff;
    (void)Nic->Registers[REG_ICR / 4];
    Nic->Registers[REG_EIAC / 4] = CAUSE(0) | CAUSE(1) | CAUSE(2) | CAUSE(3) | CAUSE(4);
    Nic->Registers[REG_IVAR / 4] = 0x80000 | 4 << 16 | 0xb << 12 | 0xa << 8 | 0x9 << 4 | 0x8;
}

/* The bus driver switches messages on and the pin off. */
static VOID Registers(VOID)
{
    ULONG At = FindCapability(&Nic->Common, CAPABILITY_MSIX);
    CT_REQUIRE(At != 0);
    CT_EQUAL(ReadConfig(&Nic->Common, At + 2, 2), MSIX_ENABLE | (ENTRIES - 1));
    ULONG Command = ReadConfig(&Nic->Common, 4, 2);
    CT_CHECK(Command & PCI_DISABLE_LEVEL_INTERRUPT);
    CT_CHECK((Command & PCI_ENABLE_BUS_MASTER) && (Command & PCI_ENABLE_MEMORY_SPACE));
}

/* [PCI Express 3.0 7.9] behind the first 256 bytes there are more capabilities: the first of this device tells of errors. */
static VOID Extended(VOID)
{
    CT_EQUAL(ReadConfig(&Nic->Common, 0x100, 4) & 0xffff, 0x0001);
    CT_EQUAL(ReadConfig(&Nic->Common, 0x102, 1) & 0xf,
             ReadConfig(&Nic->Common, 0x100, 4) >> 16 & 0xf); /* bytes of a word */
    CT_EQUAL(ReadConfig(&Nic->Common, 0, 4), 0x10d38086);
}

/* Each on its processor, at its IRQL. */
static VOID Delivered(VOID)
{
    CT_REQUIRE(Nic->Table != NULL);
    for (ULONG i = 0; i < ROUNDS; i++)
        RaiseAndExpect(i % MESSAGES, i % MESSAGES);
    CT_EQUAL(Nic->WrongProcessor, 0);
    CT_EQUAL(Nic->WrongIrql, 0);
}

/* An entry without a message of its own is message 0. */
static VOID Spare(VOID)
{
    CT_REQUIRE(Nic->Table != NULL);
    RaiseAndExpect(4, 0);
}

/* --- the table interface --- */

static NTSTATUS QueryTable(PPCI_MSIX_TABLE_CONFIG_INTERFACE Interface, USHORT Size)
{
    static const GUID Type = NTBOX_MSIX_TABLE_CONFIG_INTERFACE;
    KEVENT Done;
    IO_STATUS_BLOCK Iosb;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    PIRP Irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Nic->Common.Lower, NULL, 0, NULL, &Done, &Iosb);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MinorFunction = IRP_MN_QUERY_INTERFACE;
    Stack->Parameters.QueryInterface.InterfaceType = &Type;
    Stack->Parameters.QueryInterface.Size = Size;
    Stack->Parameters.QueryInterface.Version = PCI_MSIX_TABLE_CONFIG_INTERFACE_VERSION;
    Stack->Parameters.QueryInterface.Interface = (PINTERFACE)Interface;
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    NTSTATUS Status = IoCallDriver(Nic->Common.Lower, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
        Status = Iosb.Status;
    }
    return Status;
}

/* A masked entry waits. What is written to another entry's message is that message. */
static VOID Table(VOID)
{
    PCI_MSIX_TABLE_CONFIG_INTERFACE T = {0};
    CT_REQUIRE(Nic->Table != NULL);
    CT_STATUS(QueryTable(&T, PCI_MSIX_TABLE_CONFIG_MINIMUM_SIZE - 1), STATUS_INVALID_PARAMETER);
    CT_REQUIRE(CT_SUCCESS(QueryTable(&T, sizeof(T))));
    CT_STATUS(T.MaskTableEntry(T.Context, ENTRIES), STATUS_INVALID_PARAMETER);
    CT_STATUS(T.SetTableEntry(T.Context, 0, MESSAGES), STATUS_INVALID_PARAMETER);
    CT_STATUS(T.SetTableEntry(T.Context, ENTRIES, 0), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(T.MaskTableEntry(T.Context, 1));
    LONG Before = Total();
    Raise(1);
    Pause(20);
    CT_EQUAL(Total(), Before);
    CT_SUCCESS(T.UnmaskTableEntry(T.Context, 1));
    CtExpect(&Nic->Came);
    CT_EQUAL(Total(), Before + 1);
    CT_SUCCESS(T.SetTableEntry(T.Context, 1, 3));
    RaiseAndExpect(1, 3);
    CT_SUCCESS(T.SetTableEntry(T.Context, 1, 1));
    RaiseAndExpect(1, 1);
    T.InterfaceDereference(T.Context);
}

/* --- power --- */

static VOID NTAPI PowerDone(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                            PIO_STATUS_BLOCK Iosb)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    CT_SUCCESS(Iosb->Status);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static VOID SetPower(DEVICE_POWER_STATE State)
{
    KEVENT Done;
    POWER_STATE Wanted = {.DeviceState = State};
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    CT_STATUS(PoRequestPowerIrp(Nic->Common.Pdo, IRP_MN_SET_POWER, Wanted, PowerDone, &Done, NULL),
              STATUS_PENDING);
    CtExpect(&Done);
}

/* Below D0 a function may forget its registers, which are written again. This one does not, so that the case does it. */
static VOID Sleep(VOID)
{
    ULONG At = FindCapability(&Nic->Common, PCI_CAPABILITY_ID_POWER_MANAGEMENT);
    ULONG MsiX = FindCapability(&Nic->Common, CAPABILITY_MSIX), Zero = 0;
    ULONG Address = ReadConfig(&Nic->Common, 0x10, 4), Command = ReadConfig(&Nic->Common, 4, 2);
    CT_REQUIRE(At != 0 && MsiX != 0 && Nic->Table != NULL);
    Pause(
        10); /* the throttle's time is over: QEMU's device does not stand MSI-X being switched off meanwhile */
    SetPower(PowerDeviceD3);
    CT_EQUAL(ReadConfig(&Nic->Common, At + 4, 2) & 3, 3);
    WriteConfig(&Nic->Common, MsiX + 2, &Zero, 2);
    WriteConfig(&Nic->Common, 0x10, &Zero, 4);
    WriteConfig(&Nic->Common, 4, &Zero, 2);
    SetPower(PowerDeviceD0);
    CT_EQUAL(ReadConfig(&Nic->Common, At + 4, 2) & 3, 0);
    CT_EQUAL(ReadConfig(&Nic->Common, 0x10, 4), Address);
    CT_EQUAL(ReadConfig(&Nic->Common, 4, 2), Command);
    CT_EQUAL(ReadConfig(&Nic->Common, MsiX + 2, 2), MSIX_ENABLE | (ENTRIES - 1));
    for (ULONG i = 0; i < MESSAGES; i++)
        RaiseAndExpect(i, i);
}

static VOID Back(VOID)
{
    ULONG At = FindCapability(&Nic->Common, CAPABILITY_MSIX);
    CT_REQUIRE(At != 0);
    CT_CHECK((ReadConfig(&Nic->Common, At + 2, 2) & MSIX_ENABLE) == 0);
    CT_CHECK((ReadConfig(&Nic->Common, 4, 2) &
              (PCI_ENABLE_BUS_MASTER | PCI_ENABLE_MEMORY_SPACE | PCI_ENABLE_IO_SPACE)) == 0);
}

static VOID Started(DEVICE *Device)
{
    static const CT_CASE Cases[] = {
        {"msix.given", Given},      {"msix.connect", Connect},     {"msix.registers", Registers},
        {"pci.extended", Extended}, {"msix.delivered", Delivered}, {"msix.spare", Spare},
        {"msix.table", Table},      {"pci_power.d3", Sleep},
    };
    Nic = Device;
    KeInitializeDpc(&Device->Dpc, Later, Device);
    KeInitializeEvent(&Device->Came, SynchronizationEvent, FALSE);
    RunCases(Cases, RTL_NUMBER_OF(Cases));
}

static VOID Stopped(DEVICE *Device)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    if (Device->Registers != NULL)
        Device->Registers[REG_CTRL / 4] = CTRL_RESET;
    if (Device->Registers != NULL)
        MmUnmapIoSpace((PVOID)Device->Registers, PAGE_SIZE);
    P.ConnectionContext.InterruptMessageTable = Device->Table;
    if (Device->Table != NULL)
        IoDisconnectInterruptEx(&P);
    Device->Registers = NULL;
    Device->Table = NULL;
}

static VOID Removed(DEVICE *Device)
{
    static const CT_CASE Cases[] = {{"msix.back", Back}};
    UNREFERENCED_PARAMETER(Device);
    RunCases(Cases, RTL_NUMBER_OF(Cases));
}

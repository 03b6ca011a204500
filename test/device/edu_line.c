/* SPDX-License-Identifier: MIT
 * A level-triggered line that two devices share: QEMU's edu device (docs/specs/edu.rst of QEMU), twice, with pin A on the same line of the
 * I/O APIC. Run with --device edu,addr=5 --device edu,addr=9. A line that stays up interrupts again and again until its device is told;
 * [WDK IoConnectInterruptEx, "Registering an ISR", "Providing ISR Context Information", KeSynchronizeExecution]. */
#include "../conform/ct_threads.h"

#define EDU_ID 0x11e81234u
#define EDU_IDENTIFICATION 0x00 /* 0x010000ed */
#define EDU_STATUS 0x24         /* which interrupts are raised */
#define EDU_RAISE 0x60
#define EDU_ACKNOWLEDGE 0x64
#define FIRST_GSI 20 /* q35: pin A of the slots 0 to 24 is on lines 20 to 23, by the slot modulo 4 */
#define ROUNDS 500

typedef struct EDU {
    volatile ULONG *Registers;
    PKINTERRUPT Interrupt;
    volatile LONG Served, Refused; /* calls of the service routine: TRUE and FALSE */
    volatile LONG WrongIrql;
    volatile LONG Inside; /* service routine or synchronized routine: one at a time */
    volatile LONG Overlaps;
    volatile ULONG Seen; /* the bits that were raised, all of them */
    KIRQL Irql;
    KDPC Dpc;
    KEVENT Done;
} EDU;

static EDU Edu[2];

/* --- PCI configuration, mechanism 1 --- */

static ULONG PciRead(ULONG Slot, ULONG Register)
{
    ULONG Value;
    __asm__ volatile("outl %0, %w1" : : "a"(0x80000000u | Slot << 11 | Register), "d"(0xcf8));
    __asm__ volatile("inl %w1, %0" : "=a"(Value) : "d"(0xcfc));
    return Value;
}

static VOID PciWrite(ULONG Slot, ULONG Register, ULONG Value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(0x80000000u | Slot << 11 | Register), "d"(0xcf8));
    __asm__ volatile("outl %0, %w1" : : "a"(Value), "d"(0xcfc));
}

static BOOLEAN EduFind(EDU *Device, ULONG Slot)
{
    PHYSICAL_ADDRESS Address = {.QuadPart = PciRead(Slot, 0x10) & ~0xfu};
    if (PciRead(Slot, 0) != EDU_ID || Address.QuadPart == 0)
        return FALSE;
    PciWrite(Slot, 4, (PciRead(Slot, 4) & 0xffff & ~0x400u) | 2); /* memory space; INTx not disabled */
    Device->Registers = MmMapIoSpace(Address, PAGE_SIZE, MmNonCached);
    return Device->Registers != NULL && Device->Registers[EDU_IDENTIFICATION / 4] == 0x010000ed;
}

static BOOLEAN EduFindBoth(VOID)
{
    return Edu[0].Registers != NULL || (EduFind(&Edu[0], 5) && EduFind(&Edu[1], 9));
}

static VOID EduRaise(EDU *Device, ULONG Bits)
{
    Device->Registers[EDU_RAISE / 4] = Bits;
}

/* --- the service routine --- */

static VOID Enter(EDU *Device)
{
    if (InterlockedIncrement(&Device->Inside) != 1)
        Device->Overlaps++;
}

static VOID NTAPI EduDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    EDU *Device = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeSetEvent(&Device->Done, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN NTAPI EduService(PKINTERRUPT Interrupt, PVOID Context)
{
    EDU *Device = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    ULONG Raised = Device->Registers[EDU_STATUS / 4];
    if (KeGetCurrentIrql() != Device->Irql)
        Device->WrongIrql++;
    if (Raised == 0) {
        Device->Refused++;
        return FALSE;
    }
    Enter(Device);
    Device->Seen |= Raised;
    Device->Registers[EDU_ACKNOWLEDGE / 4] = Raised;
    Device->Served++;
    InterlockedDecrement(&Device->Inside);
    KeInsertQueueDpc(&Device->Dpc, NULL, NULL);
    return TRUE;
}

static NTSTATUS EduConnect(EDU *Device, PDEVICE_OBJECT DeviceObject)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Connect = {.Version = CONNECT_FULLY_SPECIFIED};
    KAFFINITY Affinity;
    Device->Served = Device->Refused = Device->WrongIrql = Device->Overlaps = 0;
    Device->Seen = 0;
    KeInitializeDpc(&Device->Dpc, EduDpc, Device);
    KeInitializeEvent(&Device->Done, SynchronizationEvent, FALSE);
    ULONG Vector = HalGetInterruptVector(PCIBus, 0, FIRST_GSI + 1, FIRST_GSI + 1, &Device->Irql, &Affinity);
    Connect.FullySpecified.PhysicalDeviceObject = DeviceObject;
    Connect.FullySpecified.InterruptObject = &Device->Interrupt;
    Connect.FullySpecified.ServiceRoutine = EduService;
    Connect.FullySpecified.ServiceContext = Device;
    Connect.FullySpecified.Vector = Vector;
    Connect.FullySpecified.Irql = Connect.FullySpecified.SynchronizeIrql = Device->Irql;
    Connect.FullySpecified.ShareVector = TRUE;
    Connect.FullySpecified.InterruptMode = LevelSensitive;
    Connect.FullySpecified.ProcessorEnableMask = Affinity;
    return IoConnectInterruptEx(&Connect);
}

static VOID EduDisconnect(EDU *Device)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS Disconnect = {.Version = CONNECT_FULLY_SPECIFIED};
    Disconnect.ConnectionContext.InterruptObject = Device->Interrupt;
    IoDisconnectInterruptEx(&Disconnect);
}

static PDEVICE_OBJECT MakeDevice(VOID)
{
    PDEVICE_OBJECT DeviceObject = NULL;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &DeviceObject));
    return DeviceObject;
}

/* --- cases --- */

/* Each raise is one interrupt, as each is acknowledged before the next. */
static VOID EduLevel(VOID)
{
    CT_REQUIRE(EduFindBoth());
    PDEVICE_OBJECT DeviceObject = MakeDevice();
    CT_REQUIRE(DeviceObject != NULL);
    CT_SUCCESS(EduConnect(&Edu[0], DeviceObject));
    for (ULONG i = 0; i < ROUNDS; i++) {
        EduRaise(&Edu[0], 1u << i % 16);
        CtExpect(&Edu[0].Done);
    }
    CT_EQUAL(Edu[0].Served, ROUNDS);
    CT_EQUAL(Edu[0].Seen, 0xffff);
    CT_EQUAL(Edu[0].WrongIrql, 0);
    EduDisconnect(&Edu[0]);
    IoDeleteDevice(DeviceObject);
}

/* The line is up for whichever device asks; each routine serves its own and says FALSE to the other's. */
static VOID EduShared(VOID)
{
    CT_REQUIRE(EduFindBoth());
    PDEVICE_OBJECT DeviceObject = MakeDevice();
    CT_REQUIRE(DeviceObject != NULL);
    CT_SUCCESS(EduConnect(&Edu[0], DeviceObject));
    CT_SUCCESS(EduConnect(&Edu[1], DeviceObject));
    for (ULONG i = 0; i < ROUNDS; i++) {
        EduRaise(&Edu[1], 4);
        if (i % 2 == 0) /* both at once */
            EduRaise(&Edu[0], 2);
        CtExpect(&Edu[1].Done);
        if (i % 2 == 0)
            CtExpect(&Edu[0].Done);
    }
    CT_EQUAL(Edu[1].Served, ROUNDS);
    CT_EQUAL(Edu[0].Served, ROUNDS / 2);
    CT_CHECK(Edu[0].Refused >= ROUNDS / 2); /* it comes first, and half of the interrupts are not its */
    CT_EQUAL(Edu[0].WrongIrql + Edu[1].WrongIrql, 0);
    EduDisconnect(&Edu[0]); /* the other one goes on */
    EduRaise(&Edu[1], 8);
    CtExpect(&Edu[1].Done);
    CT_EQUAL(Edu[1].Served, ROUNDS + 1);
    EduDisconnect(&Edu[1]);
    IoDeleteDevice(DeviceObject);
}

/* What is raised while the routine runs is served after it: its lock is held and the IRQL is the interrupt's. */
static BOOLEAN NTAPI RaiseAndLook(PVOID Context)
{
    EDU *Device = Context;
    LONG Served = Device->Served;
    Enter(Device);
    EduRaise(Device, 1);
    KeStallExecutionProcessor(100);
    BOOLEAN Quiet = Device->Served == Served && KeGetCurrentIrql() == Device->Irql;
    InterlockedDecrement(&Device->Inside);
    return Quiet;
}

static VOID EduSynchronize(VOID)
{
    CT_REQUIRE(EduFindBoth());
    PDEVICE_OBJECT DeviceObject = MakeDevice();
    CT_REQUIRE(DeviceObject != NULL);
    CT_SUCCESS(EduConnect(&Edu[0], DeviceObject));
    for (ULONG i = 0; i < ROUNDS / 10; i++) {
        CT_CHECK(KeSynchronizeExecution(Edu[0].Interrupt, RaiseAndLook, &Edu[0]));
        CtExpect(&Edu[0].Done);
    }
    CT_EQUAL(Edu[0].Served, ROUNDS / 10);
    CT_EQUAL(Edu[0].Overlaps, 0);
    EduDisconnect(&Edu[0]);
    IoDeleteDevice(DeviceObject);
}

/* A line that nobody serves is masked: it may stay up. Who connects again gets it at once. */
static VOID EduMasked(VOID)
{
    CT_REQUIRE(EduFindBoth());
    PDEVICE_OBJECT DeviceObject = MakeDevice();
    CT_REQUIRE(DeviceObject != NULL);
    CT_SUCCESS(EduConnect(&Edu[0], DeviceObject));
    EduDisconnect(&Edu[0]);
    EduRaise(&Edu[0], 1);
    KeStallExecutionProcessor(5000);
    CT_EQUAL(Edu[0].Served, 0);
    CT_SUCCESS(EduConnect(&Edu[0], DeviceObject));
    CtExpect(&Edu[0].Done);
    CT_EQUAL(Edu[0].Served, 1);
    EduDisconnect(&Edu[0]);
    IoDeleteDevice(DeviceObject);
    MmUnmapIoSpace((PVOID)Edu[0].Registers, PAGE_SIZE);
    MmUnmapIoSpace((PVOID)Edu[1].Registers, PAGE_SIZE);
    Edu[0].Registers = Edu[1].Registers = NULL;
}

static const CT_CASE Cases[] = {
    {"edu.level", EduLevel},
    {"edu.shared", EduShared},
    {"edu.synchronize", EduSynchronize},
    {"edu.masked", EduMasked},
};
CT_DRIVER(Cases)

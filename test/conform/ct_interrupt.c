/* SPDX-License-Identifier: MIT
 * Interrupt objects, on the periodic interrupt of the CMOS clock (ISA 8, an edge): its rate is set to 1,024 Hz. And calls to all
 * processors. [WDK IoConnectInterrupt, IoConnectInterruptEx, KeSynchronizeExecution, KeAcquireInterruptSpinLock,
 * KeIpiGenericCall, "Introduction to Interrupt Service Routines"] */
#include "ct.h"

#define RTC_IRQ 8
#define RTC_PERIODIC 0x40

static UCHAR RtcRead(UCHAR Register)
{
    UCHAR Value;
    __asm__ volatile("outb %0, $0x70" : : "a"(Register));
    __asm__ volatile("inb $0x71, %0" : "=a"(Value));
    return Value;
}

static VOID RtcWrite(UCHAR Register, UCHAR Value)
{
    __asm__ volatile("outb %0, $0x70" : : "a"(Register));
    __asm__ volatile("outb %0, $0x71" : : "a"(Value));
}

/* The device, as its service routine and everybody else sees it: under the interrupt spin lock. */
typedef struct DEVICE {
    volatile LONG Count, Ignored;
    volatile LONG WrongIrql;
    KIRQL Irql;
    KDPC Dpc;
    KEVENT Enough;
} DEVICE;

static VOID NTAPI DeviceDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeSetEvent(&Device->Enough, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN NTAPI DeviceService(PKINTERRUPT Interrupt, PVOID Context)
{
    DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    if (KeGetCurrentIrql() != Device->Irql)
        Device->WrongIrql++;
    if ((RtcRead(0x0c) & RTC_PERIODIC) == 0)
        return FALSE;
    if (++Device->Count == 3)
        KeInsertQueueDpc(&Device->Dpc, NULL, NULL);
    return TRUE;
}

/* Of another device on the same vector: it has nothing to say. */
static BOOLEAN NTAPI OtherService(PKINTERRUPT Interrupt, PVOID Context)
{
    DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    Device->Ignored++;
    return FALSE;
}

static ULONG DeviceInit(DEVICE *Device, PKAFFINITY Affinity)
{
    RtlZeroMemory(Device, sizeof(*Device));
    KeInitializeDpc(&Device->Dpc, DeviceDpc, Device);
    KeInitializeEvent(&Device->Enough, NotificationEvent, FALSE);
    return HalGetInterruptVector(Isa, 0, RTC_IRQ, RTC_IRQ, &Device->Irql, Affinity);
}

static VOID RtcStart(VOID)
{
    RtcWrite(0x0a, 0x26); /* 1,024 Hz */
    RtcWrite(0x0b, RtcRead(0x0b) | RTC_PERIODIC);
    RtcRead(0x0c); /* an old request would keep the line up */
}

static VOID RtcStop(VOID)
{
    RtcWrite(0x0b, RtcRead(0x0b) & ~RTC_PERIODIC);
    RtcRead(0x0c);
}

static BOOLEAN DeviceWait(DEVICE *Device)
{
    LARGE_INTEGER Limit = {.QuadPart = -10 * 10000000LL};
    return KeWaitForSingleObject(&Device->Enough, Executive, KernelMode, FALSE, &Limit) == STATUS_SUCCESS;
}

static VOID InterruptVector(VOID)
{
    KIRQL Irql, IrqlAgain;
    KAFFINITY Affinity;
    ULONG Vector = HalGetInterruptVector(Isa, 0, RTC_IRQ, RTC_IRQ, &Irql, &Affinity);
    CT_CHECK(Vector != 0);
    CT_CHECK(Irql > DISPATCH_LEVEL && Irql < CLOCK_LEVEL);
    CT_EQUAL(Affinity, KeQueryActiveProcessors());
    CT_EQUAL(HalGetInterruptVector(Isa, 0, RTC_IRQ, RTC_IRQ, &IrqlAgain, &Affinity), Vector);
    CT_EQUAL(IrqlAgain, Irql);
}

static VOID InterruptConnect(VOID)
{
    static DEVICE Device;
    PKINTERRUPT Interrupt = NULL;
    KAFFINITY Affinity;
    ULONG Vector = DeviceInit(&Device, &Affinity);
    CT_STATUS(IoConnectInterrupt(&Interrupt, DeviceService, &Device, NULL, Vector, Device.Irql + 1,
                                 Device.Irql + 1, Latched, FALSE, Affinity, FALSE),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(IoConnectInterrupt(&Interrupt, DeviceService, &Device, NULL, Vector, Device.Irql, Device.Irql,
                                 Latched, FALSE, 0, FALSE),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(IoConnectInterrupt(&Interrupt, DeviceService, &Device, NULL, Vector, Device.Irql, Device.Irql,
                                 Latched, FALSE, Affinity, FALSE),
              STATUS_SUCCESS);
    CT_REQUIRE(Interrupt != NULL);
    RtcStart();
    CT_CHECK(DeviceWait(&Device));
    IoDisconnectInterrupt(Interrupt);
    LONG Count = Device.Count;
    KeStallExecutionProcessor(5000); /* the clock goes on asking: nobody hears it */
    CT_EQUAL(Device.Count, Count);
    RtcStop();
    CT_EQUAL(Device.WrongIrql, 0);
}

static VOID InterruptConnectEx(VOID)
{
    static DEVICE Device;
    PKINTERRUPT Interrupt = NULL;
    PDEVICE_OBJECT DeviceObject;
    KAFFINITY Affinity;
    IO_CONNECT_INTERRUPT_PARAMETERS Connect = {.Version = CONNECT_FULLY_SPECIFIED};
    IO_DISCONNECT_INTERRUPT_PARAMETERS Disconnect = {.Version = CONNECT_FULLY_SPECIFIED};
    CT_REQUIRE(
        NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &DeviceObject)));
    Connect.FullySpecified.PhysicalDeviceObject = DeviceObject;
    Connect.FullySpecified.InterruptObject = &Interrupt;
    Connect.FullySpecified.ServiceRoutine = DeviceService;
    Connect.FullySpecified.ServiceContext = &Device;
    Connect.FullySpecified.Vector = DeviceInit(&Device, &Affinity);
    Connect.FullySpecified.Irql = Connect.FullySpecified.SynchronizeIrql = Device.Irql;
    Connect.FullySpecified.InterruptMode = Latched;
    Connect.FullySpecified.ProcessorEnableMask = Affinity;
    CT_SUCCESS(IoConnectInterruptEx(&Connect));
    if (Interrupt != NULL) {
        RtcStart();
        CT_CHECK(DeviceWait(&Device));
        RtcStop();
        Disconnect.ConnectionContext.InterruptObject = Interrupt;
        IoDisconnectInterruptEx(&Disconnect);
    }
    CT_EQUAL(Device.WrongIrql, 0);
    Connect.Version = CONNECT_FULLY_SPECIFIED_GROUP;
    Connect.FullySpecified.Group = 1; /* there is group 0 only */
    CT_STATUS(IoConnectInterruptEx(&Connect), STATUS_INVALID_PARAMETER);
    Connect.Version = 77;
    CT_STATUS(IoConnectInterruptEx(&Connect), STATUS_NOT_SUPPORTED);
    CT_EQUAL(Connect.Version, CONNECT_FULLY_SPECIFIED);
    IoDeleteDevice(DeviceObject);
}

/* An edge is given to all on the vector; who asks for the vector alone does not get it. */
static VOID InterruptShare(VOID)
{
    static DEVICE Device;
    PKINTERRUPT First = NULL, Second = NULL, Third = NULL;
    KAFFINITY Affinity;
    ULONG Vector = DeviceInit(&Device, &Affinity);
    CT_SUCCESS(IoConnectInterrupt(&First, OtherService, &Device, NULL, Vector, Device.Irql, Device.Irql,
                                  Latched, TRUE, Affinity, FALSE));
    CT_SUCCESS(IoConnectInterrupt(&Second, DeviceService, &Device, NULL, Vector, Device.Irql, Device.Irql,
                                  Latched, TRUE, Affinity, FALSE));
    CT_STATUS(IoConnectInterrupt(&Third, DeviceService, &Device, NULL, Vector, Device.Irql, Device.Irql,
                                 Latched, FALSE, Affinity, FALSE),
              STATUS_INVALID_PARAMETER);
    CT_REQUIRE(First != NULL && Second != NULL);
    RtcStart();
    CT_CHECK(DeviceWait(&Device));
    IoDisconnectInterrupt(First); /* the other one goes on */
    LONG Count = Device.Count;
    for (ULONG i = 0; i < 1000 && *(volatile LONG *)&Device.Count == Count; i++)
        KeStallExecutionProcessor(1000);
    CT_CHECK(Device.Count > Count);
    RtcStop();
    IoDisconnectInterrupt(Second);
    CT_CHECK(Device.Ignored >= 3);
}

typedef struct SYNCHRONIZED {
    DEVICE *Device;
    KIRQL Irql;
    BOOLEAN Quiet;
} SYNCHRONIZED;

/* 5 ms in which five interrupts come due: none of them is served, on no processor. */
static BOOLEAN LookWhileHeld(DEVICE *Device)
{
    LONG Count = Device->Count;
    KeStallExecutionProcessor(5000);
    return Device->Count == Count;
}

static BOOLEAN NTAPI SynchronizedRoutine(PVOID Context)
{
    SYNCHRONIZED *Call = Context;
    Call->Irql = KeGetCurrentIrql();
    Call->Quiet = LookWhileHeld(Call->Device);
    return TRUE;
}

static BOOLEAN NTAPI SynchronizedFalse(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return FALSE;
}

static VOID InterruptSynchronize(VOID)
{
    static DEVICE Device;
    PKINTERRUPT Interrupt = NULL;
    KAFFINITY Affinity;
    SYNCHRONIZED Call = {.Device = &Device};
    ULONG Vector = DeviceInit(&Device, &Affinity);
    CT_SUCCESS(IoConnectInterrupt(&Interrupt, DeviceService, &Device, NULL, Vector, Device.Irql, Device.Irql,
                                  Latched, FALSE, Affinity, FALSE));
    CT_REQUIRE(Interrupt != NULL);
    RtcStart();
    CT_CHECK(DeviceWait(&Device));
    CT_EQUAL(KeSynchronizeExecution(Interrupt, SynchronizedRoutine, &Call), TRUE);
    CT_EQUAL(Call.Irql, Device.Irql);
    CT_CHECK(Call.Quiet);
    CT_EQUAL(KeSynchronizeExecution(Interrupt, SynchronizedFalse, NULL), FALSE);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    RtcStop();
    IoDisconnectInterrupt(Interrupt);
}

/* With a spin lock of the driver's, and a SynchronizeIrql above the interrupt's. */
static VOID InterruptSpinLock(VOID)
{
    static DEVICE Device;
    PKINTERRUPT Interrupt = NULL;
    KAFFINITY Affinity;
    KSPIN_LOCK Lock;
    ULONG Vector = DeviceInit(&Device, &Affinity);
    KIRQL Irql = Device.Irql;
    KeInitializeSpinLock(&Lock);
    Device.Irql = CLOCK_LEVEL - 1; /* the routine runs there too */
    CT_SUCCESS(IoConnectInterrupt(&Interrupt, DeviceService, &Device, &Lock, Vector, Irql, CLOCK_LEVEL - 1,
                                  Latched, FALSE, Affinity, FALSE));
    CT_REQUIRE(Interrupt != NULL);
    RtcStart();
    CT_CHECK(DeviceWait(&Device));
    KIRQL Old = KeAcquireInterruptSpinLock(Interrupt);
    KIRQL Held = KeGetCurrentIrql();
    BOOLEAN Busy = Lock != 0;
    BOOLEAN Quiet = LookWhileHeld(&Device);
    KeReleaseInterruptSpinLock(Interrupt, Old);
    CT_EQUAL(Old, PASSIVE_LEVEL);
    CT_EQUAL(Held, CLOCK_LEVEL - 1);
    CT_CHECK(Busy && Quiet);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    RtcStop();
    IoDisconnectInterrupt(Interrupt);
    CT_EQUAL(Device.WrongIrql, 0);
}

/* --- a routine at PASSIVE_LEVEL --- */

typedef struct PASSIVE_DEVICE {
    volatile LONG Count, WrongIrql;
    volatile LONG Inside, Overlaps; /* calls, synchronized ones too, at the same time */
    KEVENT Enough;
} PASSIVE_DEVICE;

static VOID PassiveStay(PASSIVE_DEVICE *Device, LONG Milliseconds)
{
    LARGE_INTEGER Time = {.QuadPart = -10000LL * Milliseconds};
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        Device->WrongIrql++;
    if (InterlockedIncrement(&Device->Inside) != 1)
        InterlockedIncrement(&Device->Overlaps);
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
    InterlockedDecrement(&Device->Inside);
}

static BOOLEAN NTAPI PassiveService(PKINTERRUPT Interrupt, PVOID Context)
{
    PASSIVE_DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    PassiveStay(Device, 5);
    RtcRead(0x0c);
    if (++Device->Count == 3)
        KeSetEvent(&Device->Enough, IO_NO_INCREMENT, FALSE);
    return TRUE;
}

static BOOLEAN NTAPI PassiveSynchronized(PVOID Context)
{
    PassiveStay(Context, 20);
    return TRUE;
}

static NTSTATUS PassiveConnect(PDEVICE_OBJECT Pdo, PASSIVE_DEVICE *Device, PKSPIN_LOCK Lock,
                               PKINTERRUPT *Interrupt)
{
    KIRQL Irql;
    KAFFINITY Affinity;
    IO_CONNECT_INTERRUPT_PARAMETERS Connect = {.Version = CONNECT_FULLY_SPECIFIED};
    RtlZeroMemory(Device, sizeof(*Device));
    KeInitializeEvent(&Device->Enough, NotificationEvent, FALSE);
    Connect.FullySpecified.PhysicalDeviceObject = Pdo;
    Connect.FullySpecified.InterruptObject = Interrupt;
    Connect.FullySpecified.ServiceRoutine = PassiveService;
    Connect.FullySpecified.ServiceContext = Device;
    Connect.FullySpecified.SpinLock = Lock;
    Connect.FullySpecified.Vector = HalGetInterruptVector(Isa, 0, RTC_IRQ, RTC_IRQ, &Irql, &Affinity);
    Connect.FullySpecified.Irql = Connect.FullySpecified.SynchronizeIrql = PASSIVE_LEVEL;
    Connect.FullySpecified.InterruptMode = Latched;
    Connect.FullySpecified.ProcessorEnableMask = Affinity;
    return IoConnectInterruptEx(&Connect);
}

/* [WDK "Using Passive-Level Interrupt Service Routines"] The routine may wait; KeSynchronizeExecution's does not run meanwhile, and runs at PASSIVE_LEVEL too. */
static VOID InterruptPassive(VOID)
{
    static PASSIVE_DEVICE Device;
    PKINTERRUPT Interrupt = NULL;
    PDEVICE_OBJECT Pdo;
    KSPIN_LOCK Lock;
    LARGE_INTEGER Limit = {.QuadPart = -10 * 10000000LL};
    IO_DISCONNECT_INTERRUPT_PARAMETERS Disconnect = {.Version = CONNECT_FULLY_SPECIFIED};
    CT_REQUIRE(NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Pdo)));
    KeInitializeSpinLock(&Lock);
    CT_STATUS(PassiveConnect(Pdo, &Device, &Lock, &Interrupt), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(PassiveConnect(Pdo, &Device, NULL, &Interrupt));
    if (Interrupt != NULL) {
        RtcStart();
        CT_STATUS(KeWaitForSingleObject(&Device.Enough, Executive, KernelMode, FALSE, &Limit),
                  STATUS_SUCCESS);
        for (ULONG i = 0; i < 5; i++)
            CT_EQUAL(KeSynchronizeExecution(Interrupt, PassiveSynchronized, &Device), TRUE);
        Disconnect.ConnectionContext.InterruptObject = Interrupt;
        IoDisconnectInterruptEx(&Disconnect);
        LONG Count = Device.Count;
        PassiveStay(&Device, 20);
        CT_EQUAL(Device.Count, Count);
        RtcStop();
    }
    CT_EQUAL(Device.WrongIrql, 0);
    CT_EQUAL(Device.Overlaps, 0);
    IoDeleteDevice(Pdo);
}

typedef struct BROADCAST {
    volatile LONG Entered, WrongIrql;
    volatile LONG64 Seen; /* one bit for each processor */
} BROADCAST;

/* The barrier: whoever is here, all have been interrupted; nobody leaves before all were called. */
static ULONG_PTR NTAPI BroadcastRoutine(ULONG_PTR Argument)
{
    BROADCAST *Broadcast = (BROADCAST *)Argument;
    ULONG Number = KeGetCurrentProcessorNumberEx(NULL);
    if (KeGetCurrentIrql() != IPI_LEVEL)
        InterlockedIncrement(&Broadcast->WrongIrql);
    InterlockedOr64(&Broadcast->Seen, (LONG64)1 << Number);
    InterlockedIncrement(&Broadcast->Entered);
    return 1000 + Number;
}

static VOID IpiGeneric(VOID)
{
    for (ULONG i = 0; i < 20; i++) {
        BROADCAST Broadcast = {0};
        KIRQL Old;
        KeRaiseIrql(DISPATCH_LEVEL, &Old);
        ULONG Number = KeGetCurrentProcessorNumberEx(NULL);
        ULONG_PTR Result = KeIpiGenericCall(BroadcastRoutine, (ULONG_PTR)&Broadcast);
        KIRQL After = KeGetCurrentIrql();
        KeLowerIrql(Old);
        CT_EQUAL(Result, 1000 + Number);
        CT_EQUAL(After, DISPATCH_LEVEL);
        CT_EQUAL(Broadcast.Entered, KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS));
        CT_EQUAL(Broadcast.Seen, KeQueryActiveProcessors());
        CT_EQUAL(Broadcast.WrongIrql, 0);
    }
}

/* The local APIC of the processor that runs this. */
#define APIC_PHYSICAL 0xfee00000
#define APIC_ID (0x020 / 4)
#define APIC_COMMAND_LOW (0x300 / 4)
#define APIC_COMMAND_HIGH (0x310 / 4)
#define APIC_NMI 0x4400

typedef struct NMI_SEEN {
    volatile LONG *Order;
    LONG Place;
    BOOLEAN Handled, Answer;
    KIRQL Irql;
} NMI_SEEN;

static BOOLEAN NTAPI NmiCallback(PVOID Context, BOOLEAN Handled)
{
    NMI_SEEN *Seen = Context;
    Seen->Place = InterlockedIncrement(Seen->Order);
    Seen->Handled = Handled;
    Seen->Irql = KeGetCurrentIrql();
    return Seen->Answer;
}

static VOID SendNmiToMyself(volatile ULONG *Apic, volatile LONG *Arrived)
{
    KIRQL OldIrql;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Apic[APIC_COMMAND_HIGH] = Apic[APIC_ID] & 0xff000000;
    Apic[APIC_COMMAND_LOW] = APIC_NMI;
    while (*Arrived == 0)
        YieldProcessor();
    KeLowerIrql(OldIrql);
}

/* [WDK KeRegisterNmiCallback] In reverse order; each is told whether one before it returned TRUE; TRUE of one is enough. */
static VOID NmiCallbacks(VOID)
{
    volatile LONG Order = 0;
    NMI_SEEN First = {.Order = &Order}, Last = {.Order = &Order, .Answer = TRUE};
    volatile ULONG *Apic =
        MmMapIoSpace((PHYSICAL_ADDRESS){.QuadPart = APIC_PHYSICAL}, PAGE_SIZE, MmNonCached);
    CT_REQUIRE(Apic != NULL);
    PVOID FirstHandle = KeRegisterNmiCallback(NmiCallback, &First);
    PVOID LastHandle = KeRegisterNmiCallback(NmiCallback, &Last);
    if (CT_CHECK(FirstHandle != NULL && LastHandle != NULL))
        SendNmiToMyself(Apic, &Order);
    MmUnmapIoSpace((PVOID)Apic, PAGE_SIZE);
    CT_SUCCESS(KeDeregisterNmiCallback(LastHandle));
    CT_SUCCESS(KeDeregisterNmiCallback(FirstHandle));
    CT_STATUS(KeDeregisterNmiCallback(FirstHandle), STATUS_INVALID_HANDLE);
    CT_CHECK(Last.Place == 1 && !Last.Handled && Last.Irql == HIGH_LEVEL);
    CT_CHECK(First.Place == 2 && First.Handled && First.Irql == HIGH_LEVEL);
}

static const CT_CASE Cases[] = {{"interrupt.vector", InterruptVector},
                                {"interrupt.connect", InterruptConnect},
                                {"interrupt.connect_ex", InterruptConnectEx},
                                {"interrupt.share", InterruptShare},
                                {"interrupt.synchronize", InterruptSynchronize},
                                {"interrupt.spinlock", InterruptSpinLock},
                                {"interrupt.passive", InterruptPassive},
                                {"ipi.generic", IpiGeneric},
                                {"nmi.callback", NmiCallbacks}};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * Resources of devices: what a bus driver says its devices need, and what they are started with. The devices: the CMOS clock (its ports, and line 8, or as a
 * second choice the same without the line), one that wants the same ports, one that wants any of many places, one with messages, one whose list is
 * damaged. [WDK IO_RESOURCE_REQUIREMENTS_LIST, IRP_MN_START_DEVICE, IoConnectInterruptEx, IoReportResourceForDetection] */
#include "ct.h"
#include "ct_pnp.h"

#define DEVICES 5
enum { Clock, Rival, Floating, Messages, Damaged };

typedef struct CT_DEVICE {
    PDEVICE_OBJECT Pdo, Function;
    BOOLEAN Started;
    CM_PARTIAL_RESOURCE_DESCRIPTOR Raw[8], Translated[8];
    ULONG Count;
} CT_DEVICE;

static PDEVICE_OBJECT BusPdo, Bus;
static CT_DEVICE Devices[DEVICES];
static BOOLEAN There;

static CT_DEVICE *DeviceOfPdo(PDEVICE_OBJECT Pdo)
{
    for (ULONG i = 0; i < DEVICES; i++)
        if (Devices[i].Pdo == Pdo)
            return &Devices[i];
    return NULL;
}

static CT_DEVICE *DeviceOfFunction(PDEVICE_OBJECT Function)
{
    for (ULONG i = 0; i < DEVICES; i++)
        if (Devices[i].Function == Function)
            return &Devices[i];
    return NULL;
}

/* --- what they need --- */

static IO_RESOURCE_DESCRIPTOR Ports(UCHAR Option, ULONG First, ULONG Last, ULONG Length, ULONG Alignment)
{
    IO_RESOURCE_DESCRIPTOR D = {.Option = Option,
                                .Type = CmResourceTypePort,
                                .ShareDisposition = CmResourceShareDeviceExclusive,
                                .Flags = CM_RESOURCE_PORT_IO};
    D.u.Port.Length = Length;
    D.u.Port.Alignment = Alignment;
    D.u.Port.MinimumAddress.QuadPart = First;
    D.u.Port.MaximumAddress.QuadPart = Last;
    return D;
}

static IO_RESOURCE_DESCRIPTOR Line(ULONG First, ULONG Last)
{
    IO_RESOURCE_DESCRIPTOR D = {.Type = CmResourceTypeInterrupt,
                                .ShareDisposition = CmResourceShareDeviceExclusive,
                                .Flags = CM_RESOURCE_INTERRUPT_LATCHED};
    D.u.Interrupt.MinimumVector = First;
    D.u.Interrupt.MaximumVector = Last;
    return D;
}

static IO_RESOURCE_DESCRIPTOR Message(ULONG Count)
{
    IO_RESOURCE_DESCRIPTOR D = {.Type = CmResourceTypeInterrupt,
                                .ShareDisposition = CmResourceShareDeviceExclusive,
                                .Flags = CM_RESOURCE_INTERRUPT_LATCHED | CM_RESOURCE_INTERRUPT_MESSAGE};
    D.u.Interrupt.MinimumVector = CM_RESOURCE_INTERRUPT_MESSAGE_TOKEN - Count + 1;
    D.u.Interrupt.MaximumVector = CM_RESOURCE_INTERRUPT_MESSAGE_TOKEN;
    return D;
}

typedef struct CT_LISTS {
    IO_RESOURCE_REQUIREMENTS_LIST Whole; /* its one descriptor is the first of Rest */
    IO_RESOURCE_DESCRIPTOR Rest[16];
} CT_LISTS;

/* One list of alternatives is closed and the next begins: a header, then its descriptors. */
static VOID AddList(CT_LISTS *Lists, const IO_RESOURCE_DESCRIPTOR *Descriptors, ULONG Count)
{
    IO_RESOURCE_LIST Header = {.Version = 1, .Revision = 1, .Count = Count};
    ULONG HeaderSize = FIELD_OFFSET(IO_RESOURCE_LIST, Descriptors);
    PUCHAR At = (PUCHAR)Lists + Lists->Whole.ListSize;
    RtlCopyMemory(At, &Header, HeaderSize);
    RtlCopyMemory(At + HeaderSize, Descriptors, Count * sizeof(*Descriptors));
    Lists->Whole.ListSize += HeaderSize + Count * sizeof(*Descriptors);
    Lists->Whole.AlternativeLists++;
}

static NTSTATUS Needs(PIRP Irp, ULONG Device)
{
    CT_LISTS *Lists = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Lists), 'nPtC');
    if (Lists == NULL)
        return CtComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    Lists->Whole.InterfaceType = Internal;
    Lists->Whole.ListSize = FIELD_OFFSET(IO_RESOURCE_REQUIREMENTS_LIST, List);
    IO_RESOURCE_DESCRIPTOR ClockNeeds[] = {Ports(0, 0x70, 0x71, 2, 1), Line(8, 8)};
    IO_RESOURCE_DESCRIPTOR RivalNeeds[] = {Ports(0, 0x71, 0x71, 1, 1)};
    IO_RESOURCE_DESCRIPTOR First[] = {Ports(0, 0x70, 0x70, 1, 1)}; /* not to be had */
    IO_RESOURCE_DESCRIPTOR Second[] = {
        Ports(0, 0xE000, 0xE0FF, 0x20, 0x20),
        Ports(IO_RESOURCE_ALTERNATIVE | IO_RESOURCE_PREFERRED, 0xE081, 0xE0FF, 0x20, 0x20),
        Ports(0, 0xE0A1, 0xE0FF, 0x10, 0x10)};
    IO_RESOURCE_DESCRIPTOR MessageNeeds[] = {Message(1), Message(1), Message(4)};
    switch (Device) {
    case Clock:
        AddList(Lists, ClockNeeds, 2);
        break;
    case Rival:
        AddList(Lists, RivalNeeds, 1);
        break;
    case Floating:
        AddList(Lists, First, 1);
        AddList(Lists, Second, 3);
        break;
    case Messages:
        AddList(Lists, MessageNeeds, 3);
        break;
    default:
        AddList(Lists, MessageNeeds, 3);
        Lists->Whole.List[0].Count = 1000000;
    }
    Irp->IoStatus.Information = (ULONG_PTR)Lists;
    return CtComplete(Irp, STATUS_SUCCESS);
}

/* --- the bus --- */

static NTSTATUS PdoId(PIRP Irp, BUS_QUERY_ID_TYPE Type, ULONG Device)
{
    WCHAR Instance[] = L"0";
    Instance[0] += (WCHAR)Device;
    if (Type == BusQueryDeviceID)
        return CtAnswerText(Irp, L"NTBOXRS\\DEVICE", 15);
    if (Type == BusQueryInstanceID)
        return CtAnswerText(Irp, Instance, 2);
    return CtComplete(Irp, Irp->IoStatus.Status);
}

static NTSTATUS PdoPnp(CT_DEVICE *Device, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_QUERY_ID:
        return PdoId(Irp, Stack->Parameters.QueryId.IdType, (ULONG)(Device - Devices));
    case IRP_MN_QUERY_CAPABILITIES:
        Stack->Parameters.DeviceCapabilities.Capabilities->UniqueID = TRUE;
        return CtComplete(Irp, STATUS_SUCCESS);
    case IRP_MN_QUERY_RESOURCE_REQUIREMENTS:
        return Needs(Irp, (ULONG)(Device - Devices));
    case IRP_MN_REMOVE_DEVICE:
        CtComplete(Irp, STATUS_SUCCESS);
        if (!There) {
            IoDeleteDevice(Device->Pdo);
            Device->Pdo = NULL;
        }
        return STATUS_SUCCESS;
    case IRP_MN_START_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        return CtComplete(Irp, STATUS_SUCCESS);
    default:
        return CtComplete(Irp, Irp->IoStatus.Status);
    }
}

static NTSTATUS AnswerAll(PIRP Irp)
{
    PDEVICE_RELATIONS Relations =
        ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Relations) + DEVICES * sizeof(PVOID), 'nPtC');
    if (Relations == NULL)
        return CtComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    for (ULONG i = 0; There && i < DEVICES; i++) {
        if (Devices[i].Pdo == NULL) {
            CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN,
                                      FILE_AUTOGENERATED_DEVICE_NAME, FALSE, &Devices[i].Pdo));
            Devices[i].Pdo->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        }
        ObReferenceObject(Devices[i].Pdo);
        Relations->Objects[Relations->Count++] = Devices[i].Pdo;
    }
    Irp->IoStatus.Information = (ULONG_PTR)Relations;
    return CtComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS BusPnp(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    if (Stack->MinorFunction == IRP_MN_QUERY_DEVICE_RELATIONS &&
        Stack->Parameters.QueryDeviceRelations.Type == BusRelations)
        return AnswerAll(Irp);
    return CtPassDown(BusPdo, Irp);
}

/* --- the function driver --- */

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    CT_DEVICE *Device = DeviceOfPdo(Pdo);
    CT_SUCCESS(IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device->Function));
    CT_CHECK(IoAttachDeviceToDeviceStack(Device->Function, Pdo) == Pdo);
    Device->Function->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NoteResources(CT_DEVICE *Device, PIO_STACK_LOCATION Stack)
{
    PCM_RESOURCE_LIST Raw = Stack->Parameters.StartDevice.AllocatedResources;
    PCM_RESOURCE_LIST Translated = Stack->Parameters.StartDevice.AllocatedResourcesTranslated;
    Device->Started = TRUE;
    CT_REQUIRE(Raw != NULL && Translated != NULL);
    CT_CHECK(Raw->Count == 1 && Raw->List[0].InterfaceType == Internal &&
             Raw->List[0].PartialResourceList.Version == 1);
    Device->Count = Raw->List[0].PartialResourceList.Count;
    CT_EQUAL(Translated->List[0].PartialResourceList.Count, Device->Count);
    CT_REQUIRE(Device->Count <= RTL_NUMBER_OF(Device->Raw));
    /* by pointers: gcc takes an index into the array of one for 0 */
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *R = Raw->List[0].PartialResourceList.PartialDescriptors;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *T = Translated->List[0].PartialResourceList.PartialDescriptors;
    for (ULONG i = 0; i < Device->Count; i++) {
        Device->Raw[i] = R[i];
        Device->Translated[i] = T[i];
    }
}

static NTSTATUS FunctionPnp(CT_DEVICE *Device, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status;
    PDEVICE_OBJECT Lower = Device->Pdo;
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        NoteResources(Device, Stack);
        return CtPassDown(Lower, Irp);
    case IRP_MN_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        Status = CtPassDown(Lower, Irp);
        IoDetachDevice(Lower);
        IoDeleteDevice(Device->Function);
        Device->Function = NULL;
        Device->Started = FALSE;
        return Status;
    default:
        if (Stack->MinorFunction == IRP_MN_SURPRISE_REMOVAL)
            Irp->IoStatus.Status = STATUS_SUCCESS;
        return CtPassDown(Lower, Irp);
    }
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Object, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    CtNote(Object == Bus ? 'b' : 'd', Stack->MinorFunction);
    if (Object == Bus)
        return BusPnp(Irp, Stack);
    CT_DEVICE *Device = DeviceOfPdo(Object);
    return Device != NULL ? PdoPnp(Device, Irp, Stack) : FunctionPnp(DeviceOfFunction(Object), Irp, Stack);
}

/* --- cases --- */

#define ENUM L"\\Registry\\Machine\\System\\CurrentControlSet\\Enum\\NTBOXRS"

static VOID Start(VOID)
{
    static const PCWSTR Keys[DEVICES] = {ENUM L"\\DEVICE\\0", ENUM L"\\DEVICE\\1", ENUM L"\\DEVICE\\2",
                                         ENUM L"\\DEVICE\\3", ENUM L"\\DEVICE\\4"};
    CtMakeKey(ENUM);
    CtMakeKey(ENUM L"\\DEVICE");
    for (ULONG i = 0; i < DEVICES; i++)
        CtSetService(Keys[i], &CtDriverObject->DriverExtension->ServiceKeyName);
    CT_REQUIRE(CT_SUCCESS(IoReportDetectedDevice(CtDriverObject, InterfaceTypeUndefined, (ULONG)-1, (ULONG)-1,
                                                 NULL, NULL, FALSE, &BusPdo)));
    CT_REQUIRE(CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_BUS_EXTENDER, 0, FALSE, &Bus)));
    CT_CHECK(IoAttachDeviceToDeviceStack(Bus, BusPdo) == BusPdo);
    Bus->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    There = TRUE;
    CtAwaitQuiet(BusPdo);
    CT_CHECK(Devices[Clock].Started && !Devices[Rival].Started && Devices[Floating].Started);
    CT_CHECK(Devices[Messages].Started && !Devices[Damaged].Started);
}

static VOID Given(VOID)
{
    CT_DEVICE *D = &Devices[Clock];
    CT_REQUIRE(D->Count == 2);
    CT_CHECK(D->Raw[0].Type == CmResourceTypePort && D->Raw[0].u.Port.Start.QuadPart == 0x70 &&
             D->Raw[0].u.Port.Length == 2);
    CT_CHECK(D->Translated[0].u.Port.Start.QuadPart == 0x70);
    CT_CHECK(D->Raw[1].u.Interrupt.Vector == 8 && D->Raw[1].u.Interrupt.Level == 8);
    KIRQL Irql;
    KAFFINITY Affinity;
    CT_EQUAL(D->Translated[1].u.Interrupt.Vector, HalGetInterruptVector(Isa, 0, 8, 8, &Irql, &Affinity));
    CT_EQUAL(D->Translated[1].u.Interrupt.Level, Irql);
    CT_EQUAL(D->Translated[1].u.Interrupt.Affinity, KeQueryActiveProcessors());
}

/* The preferred one of a group, though it is not the first; the next group takes what is left. */
static VOID Alternatives(VOID)
{
    CT_DEVICE *D = &Devices[Floating];
    CT_REQUIRE(D->Count == 2);
    CT_EQUAL(D->Raw[0].u.Port.Start.QuadPart, 0xE0A0);
    CT_EQUAL(D->Raw[1].u.Port.Start.QuadPart, 0xE0C0);
}

/* --- the line --- */

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

static KEVENT Ticked;
static KDPC TickDpc;
static volatile LONG Ticks;

static VOID NTAPI TickLater(PKDPC Dpc, PVOID Context, PVOID A, PVOID B)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(A);
    UNREFERENCED_PARAMETER(B);
    KeSetEvent(&Ticked, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN NTAPI Tick(PKINTERRUPT Interrupt, PVOID Context)
{
    UNREFERENCED_PARAMETER(Interrupt);
    UNREFERENCED_PARAMETER(Context);
    if ((RtcRead(0x0c) & 0x40) == 0)
        return FALSE;
    if (++Ticks == 3)
        KeInsertQueueDpc(&TickDpc, NULL, NULL);
    return TRUE;
}

static BOOLEAN NTAPI NoMessage(PKINTERRUPT Interrupt, PVOID Context, ULONG Id)
{
    UNREFERENCED_PARAMETER(Interrupt);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Id);
    return FALSE;
}

static VOID LetItTick(VOID)
{
    LARGE_INTEGER Limit = {.QuadPart = -10 * 10000000LL};
    RtcWrite(0x0a, 0x26);
    RtcWrite(0x0b, RtcRead(0x0b) | 0x40);
    RtcRead(0x0c);
    CT_SUCCESS(KeWaitForSingleObject(&Ticked, Executive, KernelMode, FALSE, &Limit));
    RtcWrite(0x0b, RtcRead(0x0b) & ~0x40);
    RtcRead(0x0c);
}

/* A driver that would like messages falls back to the line. */
static VOID ConnectLine(VOID)
{
    PKINTERRUPT Interrupt = NULL;
    IO_CONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    IO_DISCONNECT_INTERRUPT_PARAMETERS End = {.Version = CONNECT_LINE_BASED};
    KeInitializeEvent(&Ticked, NotificationEvent, FALSE);
    KeInitializeDpc(&TickDpc, TickLater, NULL);
    P.MessageBased.PhysicalDeviceObject = Devices[Clock].Pdo;
    P.MessageBased.ConnectionContext.InterruptObject = &Interrupt;
    P.MessageBased.MessageServiceRoutine = NoMessage;
    CT_STATUS(IoConnectInterruptEx(&P), STATUS_NOT_FOUND);
    P.MessageBased.FallBackServiceRoutine = Tick;
    CT_REQUIRE(CT_SUCCESS(IoConnectInterruptEx(&P)));
    CT_CHECK(P.Version == CONNECT_LINE_BASED && Interrupt != NULL);
    LetItTick();
    End.ConnectionContext.InterruptObject = Interrupt;
    IoDisconnectInterruptEx(&End);
    CT_CHECK(Ticks >= 3);
}

static VOID ConnectMessages(VOID)
{
    CT_DEVICE *D = &Devices[Messages];
    PIO_INTERRUPT_MESSAGE_INFO Table = NULL;
    IO_CONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    IO_DISCONNECT_INTERRUPT_PARAMETERS End = {.Version = CONNECT_MESSAGE_BASED};
    CT_REQUIRE(D->Count == 3);
    CT_CHECK(D->Raw[2].u.MessageInterrupt.Raw.MessageCount == 4 &&
             (D->Raw[2].u.MessageInterrupt.Raw.Vector & 3) == 0);
    P.MessageBased.PhysicalDeviceObject = D->Pdo;
    P.MessageBased.ConnectionContext.InterruptMessageTable = &Table;
    P.MessageBased.MessageServiceRoutine = NoMessage;
    CT_REQUIRE(CT_SUCCESS(IoConnectInterruptEx(&P)) && Table != NULL);
    CT_CHECK(P.Version == CONNECT_MESSAGE_BASED && Table->MessageCount == 6);
    for (ULONG i = 0; i < 6; i++) {
        const IO_INTERRUPT_MESSAGE_INFO_ENTRY *E = &Table->MessageInfo[i];
        ULONG Expected = i < 2 ? D->Translated[i].u.MessageInterrupt.Translated.Vector
                               : D->Translated[2].u.MessageInterrupt.Translated.Vector + i - 2;
        CT_CHECK(E->Vector == Expected && E->Irql == E->Vector >> 4 && E->Mode == Latched &&
                 E->InterruptObject != NULL);
        CT_CHECK((E->MessageAddress.QuadPart & 0xfff00000) == 0xfee00000 && E->MessageData == E->Vector);
        CT_CHECK(E->TargetProcessorSet != 0 &&
                 (E->TargetProcessorSet & KeQueryActiveProcessors()) == E->TargetProcessorSet);
    }
    End.ConnectionContext.InterruptMessageTable = Table;
    IoDisconnectInterruptEx(&End);
}

/* What they had is free again: the second time round all get the same. */
static VOID Again(VOID)
{
    There = FALSE;
    CtAwaitQuiet(BusPdo);
    for (ULONG i = 0; i < DEVICES; i++)
        CT_CHECK(Devices[i].Pdo == NULL && Devices[i].Function == NULL);
    There = TRUE;
    CtAwaitQuiet(BusPdo);
    CT_CHECK(Devices[Clock].Started && !Devices[Rival].Started && Devices[Floating].Started &&
             Devices[Messages].Started);
    Alternatives();
}

/* --- devices from before plug and play --- */

typedef struct CT_USAGE {
    CM_RESOURCE_LIST List; /* its descriptor is the first */
    CM_PARTIAL_RESOURCE_DESCRIPTOR Second;
} CT_USAGE;

static CT_USAGE PortUsage(ULONG Start, ULONG Length, ULONG Next)
{
    CT_USAGE Usage = {.List = {.Count = 1}};
    CM_PARTIAL_RESOURCE_DESCRIPTOR D = {.Type = CmResourceTypePort,
                                        .ShareDisposition = CmResourceShareDeviceExclusive};
    CM_PARTIAL_RESOURCE_LIST *Partial = &Usage.List.List[0].PartialResourceList;
    Partial->Version = Partial->Revision = 1;
    Partial->Count = 2;
    D.u.Port.Start.QuadPart = Start;
    D.u.Port.Length = Length;
    Partial->PartialDescriptors[0] = D;
    D.u.Port.Start.QuadPart = Next;
    Usage.Second = D;
    return Usage;
}

static NTSTATUS Detect(CT_USAGE *Usage, PDEVICE_OBJECT Device, PBOOLEAN Conflict)
{
    ULONG Size = Usage != NULL ? sizeof(*Usage) : 0;
    return IoReportResourceForDetection(
        CtDriverObject, Device == NULL ? &Usage->List : NULL, Device == NULL ? Size : 0, Device,
        Device != NULL ? &Usage->List : NULL, Device != NULL ? Size : 0, Conflict);
}

/* [WDK IoReportResourceForDetection] what a PnP device has cannot be had; what is claimed nobody else gets, until an empty list gives it back. */
static VOID Detection(VOID)
{
    BOOLEAN Conflict = FALSE;
    CT_USAGE Taken = PortUsage(0x2F8, 8, 0xE0A8), Free = PortUsage(0x2F8, 8, 0x2E8),
             Other = PortUsage(0x2FF, 1, 0x3E8);
    CT_USAGE Wrong = PortUsage(0x2F8, 0, 0x2E8);
    CT_STATUS(Detect(&Taken, NULL, &Conflict), STATUS_CONFLICTING_ADDRESSES);
    CT_CHECK(Conflict);
    CT_SUCCESS(Detect(&Free, NULL, &Conflict));
    CT_CHECK(!Conflict);
    CT_STATUS(Detect(&Other, Bus, &Conflict), STATUS_CONFLICTING_ADDRESSES);
    CT_CHECK(Conflict);
    CT_SUCCESS(Detect(&Free, NULL, &Conflict)); /* its own are in nobody's way */
    CT_STATUS(Detect(&Wrong, NULL, &Conflict), STATUS_UNSUCCESSFUL);
    CT_STATUS(
        IoReportResourceForDetection(CtDriverObject, &Free.List, sizeof(Free) - 1, NULL, NULL, 0, &Conflict),
        STATUS_UNSUCCESSFUL);
    CT_STATUS(Detect(&Other, Bus, &Conflict),
              STATUS_CONFLICTING_ADDRESSES); /* the wrong ones have changed nothing */
    CT_SUCCESS(Detect(NULL, NULL, &Conflict));
    CT_SUCCESS(Detect(&Other, Bus, &Conflict));
    CT_STATUS(Detect(&Free, NULL, &Conflict), STATUS_CONFLICTING_ADDRESSES);
    CT_SUCCESS(Detect(NULL, Bus, &Conflict));
}

/* A device that comes later has to take another place. */
static VOID Avoided(VOID)
{
    BOOLEAN Conflict = FALSE;
    CT_USAGE Usage = PortUsage(0xE0A0, 1, 0x2E8);
    CtForgetNotes();
    There = FALSE;
    CtAwaitQuiet(BusPdo);
    CT_SUCCESS(Detect(&Usage, Bus, &Conflict));
    There = TRUE;
    CtAwaitQuiet(BusPdo);
    CT_REQUIRE(Devices[Floating].Count == 2);
    CT_CHECK(Devices[Floating].Raw[0].u.Port.Start.QuadPart != 0xE0A0);
    CT_SUCCESS(Detect(NULL, Bus, &Conflict));
}

/* [WDK IoReportResourceUsage] the lists of the driver and of its device; what others have is claimed, too, if the driver insists. */
static VOID ReportUsage(VOID)
{
    BOOLEAN Conflict = FALSE;
    CT_USAGE Mine = PortUsage(0x2F8, 8, 0x2E8), Clocks = PortUsage(0x71, 1, 0x3E8),
             Both = PortUsage(0x2EF, 1, 0x3E8);
    CT_STATUS(IoReportResourceUsage(NULL, CtDriverObject, &Mine.List, sizeof(Mine), Bus, &Clocks.List,
                                    sizeof(Clocks), FALSE, &Conflict),
              STATUS_CONFLICTING_ADDRESSES);
    CT_CHECK(Conflict);
    CT_SUCCESS(IoReportResourceUsage(NULL, CtDriverObject, NULL, 0, Bus, &Clocks.List, sizeof(Clocks), TRUE,
                                     &Conflict));
    CT_CHECK(Conflict);
    CT_SUCCESS(IoReportResourceUsage(NULL, CtDriverObject, NULL, 0, Bus, NULL, 0, FALSE, &Conflict));
    CT_CHECK(!Conflict);
    CT_STATUS(Detect(&Both, Bus, &Conflict),
              STATUS_CONFLICTING_ADDRESSES); /* the driver's own list was good */
    CT_SUCCESS(IoReportResourceUsage(NULL, CtDriverObject, NULL, 0, NULL, NULL, 0, FALSE, &Conflict));
    CT_SUCCESS(Detect(&Both, Bus, &Conflict));
    CT_SUCCESS(Detect(NULL, Bus, &Conflict));
}

static VOID End(VOID)
{
    CtForgetNotes();
    There = FALSE;
    CtAwaitQuiet(BusPdo);
    IoDetachDevice(BusPdo);
    IoDeleteDevice(Bus);
}

static const CT_CASE LateCases[] = {
    {"pnp_resource.start", Start},
    {"pnp_resource.given", Given},
    {"pnp_resource.alternatives", Alternatives},
    {"pnp_resource.line", ConnectLine},
    {"pnp_resource.messages", ConnectMessages},
    {"pnp_resource.again", Again},
    {"pnp_resource.detection", Detection},
    {"pnp_resource.avoided", Avoided},
    {"pnp_resource.usage", ReportUsage},
    {"pnp_resource.end", End},
};

static VOID NTAPI RunLate(PDRIVER_OBJECT Driver, PVOID Context, ULONG Count)
{
    UNREFERENCED_PARAMETER(Driver);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Count);
    CtOpenReport();
    for (ULONG i = 0; i < RTL_NUMBER_OF(LateCases); i++)
        CtRunCase(&LateCases[i]);
    if (CtReport != NULL)
        ZwClose(CtReport);
}

/* The devices come when DriverEntry has returned. */
static VOID Prepared(VOID)
{
    CtDriverObject->MajorFunction[IRP_MJ_PNP] = Pnp;
    CtDriverObject->DriverExtension->AddDevice = AddDevice;
    CtInitNotes();
    IoRegisterDriverReinitialization(CtDriverObject, RunLate, NULL);
}

static const CT_CASE Cases[] = {{"pnp_resource.prepared", Prepared}};
CT_DRIVER(Cases)

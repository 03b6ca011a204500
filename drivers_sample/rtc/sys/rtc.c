/* SPDX-License-Identifier: MIT
 * A function driver for the clock of a PC, the MC146818 and what came after it. It shows what a driver does whose registers are reached through two ports, one for the number and
 * one for the value: nobody may come between the two, so that all of it is done with the interrupt's lock, by KeSynchronizeExecution. The board's firmware wired the device:
 * it is PNP0B00, with ports 0x70 and 0x71 and IRQ 8, an edge that nobody shares. [Motorola MC146818A] */
#include <ntddk.h>

#define RTC_TAG 'ctRN'
/* In: ULONG Rate, the interrupts are 32768 >> (Rate - 1) a second, and ULONG Count, how many; it ends with the last of them. */
#define IOCTL_RTC_PERIODIC CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* In: ULONG, seconds from now; it ends when the alarm comes. */
#define IOCTL_RTC_ALARM CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define FASTEST_RATE 3 /* 8192 a second */
#define SLOWEST_RATE 15
#define LONGEST_ALARM (24u * 60 * 60 - 1)
#define SECOND 10000000ll

#define REG_SECONDS 0
#define REG_ALARM_SECONDS 1
#define REG_MINUTES 2
#define REG_ALARM_MINUTES 3
#define REG_HOURS 4
#define REG_ALARM_HOURS 5
#define REG_DAY 7
#define REG_MONTH 8
#define REG_YEAR 9
#define REG_A 10
#define REG_B 11
#define REG_C 12 /* why it interrupts; reading takes it back */
#define A_UPDATING 0x80
#define A_RATE 0x0f
#define B_24_HOURS 0x02
#define B_BINARY 0x04
#define B_ALARM 0x20
#define B_PERIODIC 0x40
#define B_INTERRUPTS 0x70
#define C_INTERRUPT 0x80
#define AFTERNOON 0x80 /* of an hour of twelve */
#define UPDATE_MICROSECONDS 250

typedef struct RTC {
    PDEVICE_OBJECT Device, Pdo, Lower;
    IO_REMOVE_LOCK RemoveLock;
    PUCHAR Port;
    KDPC Dpc;

    IO_CSQ Csq;
    KSPIN_LOCK Lock;
    LIST_ENTRY Waiting;    /* (l) for the device; the first one has it */
    PIRP Begun;            /* (l) the first one, when it has it */
    PKINTERRUPT Interrupt; /* (l) NULL: not started */
    BOOLEAN Gone;          /* (l) */

    /* With the interrupt's lock. */
    UCHAR OldA, OldB; /* what the registers had before the start */
    UCHAR Source;     /* B_PERIODIC or B_ALARM: what Begun waits for; 0: nothing */
    UCHAR Rate;
    TIME_FIELDS Alarm;
    ULONG Left; /* interrupts, until Begun is done */
    ULONG Interrupts;
} RTC;

/* --- registers: the interrupt's lock is held --- */

static UCHAR ReadRegister(const RTC *Rtc, UCHAR Register)
{
    WRITE_PORT_UCHAR(Rtc->Port, Register);
    return READ_PORT_UCHAR(Rtc->Port + 1);
}

static VOID WriteRegister(const RTC *Rtc, UCHAR Register, UCHAR Value)
{
    WRITE_PORT_UCHAR(Rtc->Port, Register);
    WRITE_PORT_UCHAR(Rtc->Port + 1, Value);
}

static UCHAR Decode(UCHAR Mode, UCHAR Value)
{
    return Mode & B_BINARY ? Value : (UCHAR)((Value >> 4) * 10 + (Value & 15));
}

static UCHAR Encode(UCHAR Mode, CSHORT Value)
{
    return (UCHAR)(Mode & B_BINARY ? Value : Value / 10 << 4 | Value % 10);
}

static UCHAR DecodeHour(UCHAR Mode, UCHAR Value)
{
    if (Mode & B_24_HOURS)
        return Decode(Mode, Value);
    return (UCHAR)(Decode(Mode, Value & ~AFTERNOON) % 12 + (Value & AFTERNOON ? 12 : 0));
}

static UCHAR EncodeHour(UCHAR Mode, CSHORT Hour)
{
    if (Mode & B_24_HOURS)
        return Encode(Mode, Hour);
    return (UCHAR)(Encode(Mode, Hour % 12 == 0 ? 12 : Hour % 12) | (Hour >= 12 ? AFTERNOON : 0));
}

typedef struct SNAPSHOT {
    const RTC *Rtc;
    TIME_FIELDS Time;
} SNAPSHOT;

/* FALSE: the clock is about to move; ask again. Else there are 244 microseconds. */
static BOOLEAN NTAPI ReadTime(PVOID Context)
{
    SNAPSHOT *Snapshot = Context;
    const RTC *Rtc = Snapshot->Rtc;
    if (ReadRegister(Rtc, REG_A) & A_UPDATING)
        return FALSE;
    UCHAR Mode = ReadRegister(Rtc, REG_B);
    Snapshot->Time = (TIME_FIELDS){.Year = (CSHORT)(2000 + Decode(Mode, ReadRegister(Rtc, REG_YEAR))),
                                   .Month = Decode(Mode, ReadRegister(Rtc, REG_MONTH)),
                                   .Day = Decode(Mode, ReadRegister(Rtc, REG_DAY)),
                                   .Hour = DecodeHour(Mode, ReadRegister(Rtc, REG_HOURS)),
                                   .Minute = Decode(Mode, ReadRegister(Rtc, REG_MINUTES)),
                                   .Second = Decode(Mode, ReadRegister(Rtc, REG_SECONDS))};
    return TRUE;
}

static VOID SetAlarm(const RTC *Rtc, UCHAR Mode)
{
    WriteRegister(Rtc, REG_ALARM_HOURS, EncodeHour(Mode, Rtc->Alarm.Hour));
    WriteRegister(Rtc, REG_ALARM_MINUTES, Encode(Mode, Rtc->Alarm.Minute));
    WriteRegister(Rtc, REG_ALARM_SECONDS, Encode(Mode, Rtc->Alarm.Second));
}

/* The device interrupts for Source from now on, and for nothing else. */
static BOOLEAN NTAPI Program(PVOID Context)
{
    RTC *Rtc = Context;
    UCHAR Mode = ReadRegister(Rtc, REG_B);
    if (Rtc->Source == B_ALARM)
        SetAlarm(Rtc, Mode);
    if (Rtc->Source == B_PERIODIC)
        WriteRegister(Rtc, REG_A, (UCHAR)((ReadRegister(Rtc, REG_A) & ~A_RATE) | Rtc->Rate));
    (void)ReadRegister(Rtc, REG_C);
    WriteRegister(Rtc, REG_B, (UCHAR)((Mode & ~B_INTERRUPTS) | Rtc->Source));
    return TRUE;
}

static BOOLEAN NTAPI Silence(PVOID Context)
{
    ((RTC *)Context)->Source = 0;
    return Program(Context);
}

static BOOLEAN NTAPI TakeOver(PVOID Context)
{
    RTC *Rtc = Context;
    Rtc->OldA = ReadRegister(Rtc, REG_A);
    Rtc->OldB = ReadRegister(Rtc, REG_B);
    return Silence(Rtc);
}

static BOOLEAN NTAPI GiveBack(PVOID Context)
{
    RTC *Rtc = Context;
    (void)Silence(Rtc);
    WriteRegister(Rtc, REG_A, Rtc->OldA);
    WriteRegister(Rtc, REG_B, Rtc->OldB);
    (void)ReadRegister(Rtc, REG_C);
    return TRUE;
}

static BOOLEAN NTAPI IsFinished(PVOID Context)
{
    return ((RTC *)Context)->Left == 0;
}

/* The line stays up until register C is read. */
static BOOLEAN NTAPI Service(PKINTERRUPT Interrupt, PVOID Context)
{
    RTC *Rtc = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    UCHAR Why = ReadRegister(Rtc, REG_C);
    if (!(Why & C_INTERRUPT))
        return FALSE;
    Rtc->Interrupts++;
    if (!(Why & Rtc->Source) || Rtc->Left == 0)
        return TRUE;
    if (--Rtc->Left == 0) {
        (void)Silence(Rtc);
        KeInsertQueueDpc(&Rtc->Dpc, NULL, NULL);
    }
    return TRUE;
}

/* --- requests: a cancel-safe queue, whose first one has the device --- */

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID EndRequest(RTC *Rtc, PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Complete(Irp, Status, Information);
    IoReleaseRemoveLock(&Rtc->RemoveLock, Irp);
}

static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CONTAINING_RECORD(Csq, RTC, Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    RTC *Rtc = CONTAINING_RECORD(Csq, RTC, Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    if (Rtc->Begun != Irp)
        return;
    Rtc->Begun = NULL;
    if (Rtc->Interrupt != NULL)
        (void)KeSynchronizeExecution(Rtc->Interrupt, Silence, Rtc);
}

/* With a context only the one that the device is done with. */
static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    RTC *Rtc = CONTAINING_RECORD(Csq, RTC, Csq);
    PLIST_ENTRY Next = Irp == NULL ? Rtc->Waiting.Flink : Irp->Tail.Overlay.ListEntry.Flink;
    if (Context != NULL) {
        BOOLEAN Done = Rtc->Begun != NULL && Rtc->Interrupt != NULL &&
                       KeSynchronizeExecution(Rtc->Interrupt, IsFinished, Rtc);
        return Done ? Rtc->Begun : NULL;
    }
    return Next == &Rtc->Waiting ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CONTAINING_RECORD(Csq, RTC, Csq)->Lock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CONTAINING_RECORD(Csq, RTC, Csq)->Lock, Irql);
}

static VOID NTAPI CsqCancelled(PIO_CSQ Csq, PIRP Irp)
{
    EndRequest(CONTAINING_RECORD(Csq, RTC, Csq), Irp, STATUS_CANCELLED, 0);
}

/* FALSE: the device is not started. */
static BOOLEAN AskTime(RTC *Rtc, SNAPSHOT *Snapshot)
{
    KIRQL Irql;
    BOOLEAN Started, Read = FALSE;
    Snapshot->Rtc = Rtc;
    do {
        KeAcquireSpinLock(&Rtc->Lock, &Irql);
        Started = Rtc->Interrupt != NULL;
        if (Started)
            Read = KeSynchronizeExecution(Rtc->Interrupt, ReadTime, Snapshot);
        KeReleaseSpinLock(&Rtc->Lock, Irql);
        if (Started && !Read)
            KeStallExecutionProcessor(UPDATE_MICROSECONDS);
    } while (Started && !Read);
    return Started;
}

static VOID BeginLocked(RTC *Rtc, PIRP Irp, const TIME_FIELDS *Now)
{
    const ULONG *Input = Irp->AssociatedIrp.SystemBuffer;
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    TIME_FIELDS Fields = *Now;
    LARGE_INTEGER Time;
    Rtc->Begun = Irp;
    if (Code == IOCTL_RTC_PERIODIC) { /* nothing interrupts now: the fields are ours */
        Rtc->Source = B_PERIODIC;
        Rtc->Rate = (UCHAR)Input[0];
        Rtc->Left = Input[1];
    } else if (RtlTimeFieldsToTime(&Fields, &Time)) {
        Time.QuadPart += Input[0] * SECOND;
        RtlTimeToTimeFields(&Time, &Rtc->Alarm);
        Rtc->Source = B_ALARM;
        Rtc->Left = 1;
    }
    (void)KeSynchronizeExecution(Rtc->Interrupt, Program, Rtc);
}

static VOID FailAll(RTC *Rtc)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Rtc->Csq, NULL)) != NULL)
        EndRequest(Rtc, Irp, STATUS_NO_SUCH_DEVICE, 0);
}

/* Ends the request that is done, begins the next one. */
static VOID Serve(RTC *Rtc)
{
    KIRQL Irql;
    SNAPSHOT Now;
    PIRP Irp = IoCsqRemoveNextIrp(&Rtc->Csq, Rtc);
    if (Irp != NULL)
        EndRequest(Rtc, Irp, STATUS_SUCCESS, 0);
    BOOLEAN Started = AskTime(Rtc, &Now);
    KeAcquireSpinLock(&Rtc->Lock, &Irql);
    BOOLEAN Gone = Rtc->Gone;
    if (Started && Rtc->Interrupt != NULL && Rtc->Begun == NULL && !IsListEmpty(&Rtc->Waiting))
        BeginLocked(Rtc, CONTAINING_RECORD(Rtc->Waiting.Flink, IRP, Tail.Overlay.ListEntry), &Now.Time);
    KeReleaseSpinLock(&Rtc->Lock, Irql);
    if (Gone)
        FailAll(Rtc);
}

static VOID NTAPI ServeDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Serve(Context);
}

static NTSTATUS CheckControl(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    const ULONG *Input = Irp->AssociatedIrp.SystemBuffer;
    ULONG Length = Stack->Parameters.DeviceIoControl.InputBufferLength;
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_RTC_PERIODIC:
        return Length >= 2 * sizeof(ULONG) && Input[0] >= FASTEST_RATE && Input[0] <= SLOWEST_RATE &&
                       Input[1] != 0
                   ? STATUS_SUCCESS
                   : STATUS_INVALID_PARAMETER;
    case IOCTL_RTC_ALARM:
        return Length >= sizeof(ULONG) && Input[0] != 0 && Input[0] <= LONGEST_ALARM
                   ? STATUS_SUCCESS
                   : STATUS_INVALID_PARAMETER;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    RTC *Rtc = Device->DeviceExtension;
    NTSTATUS Status = CheckControl(Irp, IoGetCurrentIrpStackLocation(Irp));
    if (NT_SUCCESS(Status))
        Status = IoAcquireRemoveLock(&Rtc->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    IoCsqInsertIrp(&Rtc->Csq, Irp, NULL); /* which marks it pending */
    Serve(Rtc);
    return STATUS_PENDING;
}

/* A TIME_FIELDS. */
static NTSTATUS NTAPI Read(PDEVICE_OBJECT Device, PIRP Irp)
{
    RTC *Rtc = Device->DeviceExtension;
    SNAPSHOT Now;
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length < sizeof(TIME_FIELDS))
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    NTSTATUS Status = IoAcquireRemoveLock(&Rtc->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    Status = AskTime(Rtc, &Now) ? STATUS_SUCCESS : STATUS_DEVICE_NOT_READY;
    if (NT_SUCCESS(Status))
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &Now.Time, sizeof(Now.Time));
    EndRequest(Rtc, Irp, Status, NT_SUCCESS(Status) ? sizeof(TIME_FIELDS) : 0);
    return Status;
}

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* --- start and stop --- */

static NTSTATUS FindPort(RTC *Rtc, PCM_RESOURCE_LIST Translated)
{
    ULONG Count = Translated != NULL ? Translated->List[0].PartialResourceList.Count : 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Resource =
        Count != 0 ? Translated->List[0].PartialResourceList.PartialDescriptors : NULL;
    for (ULONG i = 0; i < Count; i++, Resource++) {
        if (Resource->Type != CmResourceTypePort || Resource->u.Port.Length < 2)
            continue;
        Rtc->Port = (PUCHAR)(ULONG_PTR)Resource->u.Port.Start.QuadPart;
        return STATUS_SUCCESS;
    }
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}

static NTSTATUS Connect(RTC *Rtc, PKINTERRUPT *Interrupt)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    Parameters.LineBased.PhysicalDeviceObject = Rtc->Pdo;
    Parameters.LineBased.InterruptObject = Interrupt;
    Parameters.LineBased.ServiceRoutine = Service;
    Parameters.LineBased.ServiceContext = Rtc;
    return IoConnectInterruptEx(&Parameters);
}

static NTSTATUS StartDevice(RTC *Rtc, PCM_RESOURCE_LIST Translated)
{
    KIRQL Irql;
    PKINTERRUPT Interrupt = NULL;
    NTSTATUS Status = FindPort(Rtc, Translated);
    if (NT_SUCCESS(Status))
        Status = Connect(Rtc, &Interrupt);
    if (!NT_SUCCESS(Status))
        return Status;
    (void)KeSynchronizeExecution(Interrupt, TakeOver, Rtc);
    KeAcquireSpinLock(&Rtc->Lock, &Irql);
    Rtc->Interrupt = Interrupt;
    KeReleaseSpinLock(&Rtc->Lock, Irql);
    Serve(Rtc);
    return STATUS_SUCCESS;
}

/* What was begun is begun again after the next start, if there is one. */
static VOID StopDevice(RTC *Rtc, BOOLEAN ForEver)
{
    KIRQL Irql;
    IO_DISCONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    KeAcquireSpinLock(&Rtc->Lock, &Irql);
    Parameters.ConnectionContext.InterruptObject = Rtc->Interrupt;
    if (Rtc->Interrupt != NULL)
        (void)KeSynchronizeExecution(Rtc->Interrupt, GiveBack, Rtc);
    Rtc->Interrupt = NULL;
    Rtc->Begun = NULL;
    Rtc->Gone = ForEver;
    KeReleaseSpinLock(&Rtc->Lock, Irql);
    if (Parameters.ConnectionContext.InterruptObject != NULL)
        IoDisconnectInterruptEx(&Parameters);
    KeFlushQueuedDpcs();
    if (ForEver)
        FailAll(Rtc);
}

/* --- plug and play, power --- */

static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\Rtc0"),
                      LinkName = RTL_CONSTANT_STRING(L"\\??\\Rtc0");

static NTSTATUS PassDown(RTC *Rtc, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Rtc->Lower, Irp);
}

static NTSTATUS Start(RTC *Rtc, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status = IoForwardIrpSynchronously(Rtc->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        Status = StartDevice(Rtc, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    return Complete(Irp, Status, 0);
}

static NTSTATUS Remove(RTC *Rtc, PIRP Irp)
{
    StopDevice(Rtc, TRUE);
    IoReleaseRemoveLockAndWait(&Rtc->RemoveLock, Irp);
    DbgPrint("rtc: %lu interrupts\n", Rtc->Interrupts);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PassDown(Rtc, Irp);
    IoDetachDevice(Rtc->Lower);
    IoDeleteSymbolicLink(&LinkName);
    IoDeleteDevice(Rtc->Device);
    return Status;
}

static NTSTATUS PnpLocked(RTC *Rtc, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Rtc, Irp, Stack);
    case IRP_MN_STOP_DEVICE:
        StopDevice(Rtc, FALSE);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        StopDevice(Rtc, TRUE);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        break;
    default:
        return PassDown(Rtc, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Rtc, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    RTC *Rtc = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Rtc->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    if (Stack->MinorFunction == IRP_MN_REMOVE_DEVICE)
        return Remove(Rtc, Irp);
    Status = PnpLocked(Rtc, Irp, Stack);
    IoReleaseRemoveLock(&Rtc->RemoveLock, Irp);
    return Status;
}

/* The clock has a battery: there is nothing to be done. */
static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    RTC *Rtc = Device->DeviceExtension;
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(Rtc->Lower, Irp);
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(Device->DeviceExtension, Irp);
}

/* --- the driver --- */

static NTSTATUS InitDevice(RTC *Rtc, PDEVICE_OBJECT Device, PDEVICE_OBJECT Pdo)
{
    Rtc->Device = Device;
    Rtc->Pdo = Pdo;
    IoInitializeRemoveLock(&Rtc->RemoveLock, RTC_TAG, 0, 0);
    KeInitializeDpc(&Rtc->Dpc, ServeDpc, Rtc);
    KeInitializeSpinLock(&Rtc->Lock);
    InitializeListHead(&Rtc->Waiting);
    IoCsqInitialize(&Rtc->Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCancelled);
    NTSTATUS Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    if (!NT_SUCCESS(Status))
        return Status;
    Rtc->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    if (Rtc->Lower != NULL)
        return STATUS_SUCCESS;
    IoDeleteSymbolicLink(&LinkName);
    return STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(RTC), &DeviceName, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = InitDevice(Device->DeviceExtension, Device, Pdo);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags |= DO_BUFFERED_IO | DO_POWER_PAGABLE;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_READ] = Read;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = Power;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

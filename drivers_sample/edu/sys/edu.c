/* SPDX-License-Identifier: MIT
 * A function driver for QEMU's educational device, which computes factorials and has a buffer of its own that DMA fills and empties. It shows what a driver of
 * a bus-master device does: registers in memory, packet-based DMA for a device that reaches 28 bits of addresses and takes one at a time, and an
 * interrupt that comes as a message or over a line. One request is with the device at a time; the others wait. [QEMU docs/specs/edu] */
#include <ntddk.h>

#define EDU_TAG 'udEN'
#define IOCTL_EDU_FACTORIAL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* Registers. */
#define REG_IDENTITY 0x00
#define REG_LIVENESS 0x04 /* gives the complement of what was written */
#define REG_FACTORIAL 0x08
#define REG_STATUS 0x20
#define REG_CAUSES 0x24 /* of the interrupt */
#define REG_ACKNOWLEDGE 0x64
#define REG_DMA_SOURCE 0x80
#define REG_DMA_TARGET 0x88
#define REG_DMA_COUNT 0x90
#define REG_DMA_COMMAND 0x98
#define REGISTERS_SIZE PAGE_SIZE /* what is mapped of them */

#define IDENTITY_MASK 0xff
#define IDENTITY 0xed
#define STATUS_INTERRUPT 0x80u /* when the factorial is there */
#define DMA_START 1u
#define DMA_FROM_DEVICE 2u
#define DMA_INTERRUPT 4u
#define CAUSE_FACTORIAL 1
#define CAUSE_DMA 0x100

#define ADDRESS_BITS 28         /* that the device drives, unless QEMU's dma_mask says otherwise */
#define ADDRESS_BITS_MOST 32    /* that WriteRegister takes */
#define BUFFER_ADDRESS 0x40000u /* of the device's buffer, as the device sees it */
#define BUFFER_SIZE 4095u       /* of 4096 bytes; QEMU 7.2 ends when a transfer touches the last one */

typedef enum EDU_STATE {
    EduStopped,
    EduRunning,
    EduAsleep,
    EduGone, /* surprise removal: the device says nothing any more */
} EDU_STATE;

typedef struct EDU {
    PDEVICE_OBJECT Device, Pdo, Lower;
    ULONG Number;
    IO_REMOVE_LOCK RemoveLock;

    /* From start to stop. */
    PUCHAR Registers;
    PDMA_ADAPTER Adapter;
    PVOID Interrupt;  /* a table of messages or an interrupt object, as the version says */
    ULONG Connection; /* the version of the interrupt's connection; 0: none */
    KDPC Dpc;
    volatile BOOLEAN Off; /* it has no power: its registers are all ones */
    volatile LONG Causes; /* of interrupts that the DPC has not seen */
    volatile LONG Interrupts;

    IO_CSQ Csq;
    LIST_ENTRY Waiting; /* (l) requests that are not with the device */
    KSPIN_LOCK Lock;    /* (l) */
    EDU_STATE State;    /* (l) */
    BOOLEAN Busy;       /* (l) somebody has a request for the device, or looks for one */
    KEVENT Idle;        /* (l) set when not Busy */
    BOOLEAN WithDevice; /* (l) Current is, and the interrupt's DPC will end it */

    /* Of who made it Busy. */
    PIRP Current;
    PVOID MapRegisterBase;
    ULONG MapRegisters;
} EDU;

static ULONG AddressBits = ADDRESS_BITS; /* written by DriverEntry only */

static ULONG ReadRegister(const EDU *Edu, ULONG Register)
{
    return READ_REGISTER_ULONG((PULONG)(Edu->Registers + Register));
}

static VOID WriteRegister(const EDU *Edu, ULONG Register, ULONG Value)
{
    WRITE_REGISTER_ULONG((PULONG)(Edu->Registers + Register), Value);
}

/* --- requests that wait: a cancel-safe queue [WDK "Cancel-Safe IRP Queues"] --- */

static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CONTAINING_RECORD(Csq, EDU, Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    EDU *Edu = CONTAINING_RECORD(Csq, EDU, Csq);
    PLIST_ENTRY Next = Irp == NULL ? Edu->Waiting.Flink : Irp->Tail.Overlay.ListEntry.Flink;
    UNREFERENCED_PARAMETER(Context);
    return Next == &Edu->Waiting ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CONTAINING_RECORD(Csq, EDU, Csq)->Lock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CONTAINING_RECORD(Csq, EDU, Csq)->Lock, Irql);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* A request holds the remove lock until it ends. */
static VOID EndRequest(EDU *Edu, PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Complete(Irp, Status, Information);
    IoReleaseRemoveLock(&Edu->RemoveLock, Irp);
}

static VOID NTAPI CsqCancelled(PIO_CSQ Csq, PIRP Irp)
{
    EndRequest(CONTAINING_RECORD(Csq, EDU, Csq), Irp, STATUS_CANCELLED, 0);
}

static VOID FailWaiting(EDU *Edu)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Edu->Csq, NULL)) != NULL)
        EndRequest(Edu, Irp, STATUS_NO_SUCH_DEVICE, 0);
}

/* --- whose the device is --- */

/* TRUE: the device is the caller's, who gives it a request or sets it free again. */
static BOOLEAN ClaimDevice(EDU *Edu)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Edu->Lock, &Irql);
    BOOLEAN Claimed = Edu->State == EduRunning && !Edu->Busy;
    if (Claimed) {
        Edu->Busy = TRUE;
        KeClearEvent(&Edu->Idle);
    }
    KeReleaseSpinLock(&Edu->Lock, Irql);
    return Claimed;
}

/* TRUE: there are requests, one of which may have come meanwhile and found the device busy. */
static BOOLEAN FreeDevice(EDU *Edu)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Edu->Lock, &Irql);
    BOOLEAN More = !IsListEmpty(&Edu->Waiting);
    Edu->Busy = FALSE;
    KeSetEvent(&Edu->Idle, IO_NO_INCREMENT, FALSE);
    KeReleaseSpinLock(&Edu->Lock, Irql);
    return More;
}

/* Current is the device's from here on. One that is gone has no interrupts: the DPC comes without. */
static VOID GiveToDevice(EDU *Edu, VOID (*Program)(const EDU *Edu, ULONG Address), ULONG Address)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Edu->Lock, &Irql);
    Edu->WithDevice = TRUE;
    if (Edu->State == EduGone)
        KeInsertQueueDpc(&Edu->Dpc, NULL, NULL);
    else
        Program(Edu, Address);
    KeReleaseSpinLock(&Edu->Lock, Irql);
}

/* --- factorials --- */

static VOID ProgramFactorial(const EDU *Edu, ULONG Address)
{
    UNREFERENCED_PARAMETER(Address);
    WriteRegister(Edu, REG_STATUS, STATUS_INTERRUPT);
    WriteRegister(Edu, REG_FACTORIAL, *(const ULONG *)Edu->Current->AssociatedIrp.SystemBuffer);
}

static ULONG EndFactorial(EDU *Edu)
{
    *(PULONG)Edu->Current->AssociatedIrp.SystemBuffer = ReadRegister(Edu, REG_FACTORIAL);
    return sizeof(ULONG);
}

/* --- transfers: packet-based DMA [WDK "Using Packet-Based Bus-Master DMA"] --- */

/* [WDK DEVICE_DESCRIPTION] The device cannot gather and has too few address lines; the adapter sees to both. */
static NTSTATUS GetAdapter(EDU *Edu)
{
    DEVICE_DESCRIPTION Description = {.Version = DEVICE_DESCRIPTION_VERSION3};
    ULONG MapRegisters = 0;
    Description.Master = TRUE;
    Description.InterfaceType = PCIBus;
    Description.MaximumLength = BUFFER_SIZE;
    Description.DmaAddressWidth = AddressBits;
    Edu->Adapter = IoGetDmaAdapter(Edu->Pdo, &Description, &MapRegisters);
    if (Edu->Adapter == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    /* a buffer that is not at a page's beginning may touch one page more */
    return MapRegisters > BYTES_TO_PAGES(BUFFER_SIZE) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Reads and writes have the same parameters. */
static ULONG LengthOf(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length;
}

static ULONG OffsetOf(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.ByteOffset.LowPart;
}

static BOOLEAN IsWrite(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_WRITE;
}

static VOID ProgramTransfer(const EDU *Edu, ULONG Address)
{
    ULONG InDevice = BUFFER_ADDRESS + OffsetOf(Edu->Current);
    BOOLEAN Write = IsWrite(Edu->Current);
    WriteRegister(Edu, REG_DMA_SOURCE, Write ? Address : InDevice);
    WriteRegister(Edu, REG_DMA_TARGET, Write ? InDevice : Address);
    WriteRegister(Edu, REG_DMA_COUNT, LengthOf(Edu->Current));
    WriteRegister(Edu, REG_DMA_COMMAND, DMA_START | DMA_INTERRUPT | (Write ? 0 : DMA_FROM_DEVICE));
}

/* The map registers are there. [WDK MapTransfer] For a device that cannot gather one call maps all that there are registers for. */
static IO_ALLOCATION_ACTION NTAPI HaveRegisters(PDEVICE_OBJECT Device, PIRP Irp, PVOID MapRegisterBase,
                                                PVOID Context)
{
    EDU *Edu = Context;
    PMDL Mdl = Edu->Current->MdlAddress;
    ULONG Length = LengthOf(Edu->Current);
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp); /* the device object's current one; there is none without StartIo */
    Edu->MapRegisterBase = MapRegisterBase;
    PHYSICAL_ADDRESS Address = Edu->Adapter->DmaOperations->MapTransfer(
        Edu->Adapter, Mdl, MapRegisterBase, MmGetMdlVirtualAddress(Mdl), &Length, IsWrite(Edu->Current));
    GiveToDevice(Edu, ProgramTransfer, Address.LowPart);
    return DeallocateObjectKeepRegisters;
}

static NTSTATUS BeginTransfer(EDU *Edu)
{
    KIRQL Irql;
    PMDL Mdl = Edu->Current->MdlAddress;
    KeFlushIoBuffers(Mdl, !IsWrite(Edu->Current), TRUE);
    Edu->MapRegisters = ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(Mdl), LengthOf(Edu->Current));
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    NTSTATUS Status = Edu->Adapter->DmaOperations->AllocateAdapterChannel(
        Edu->Adapter, Edu->Device, Edu->MapRegisters, HaveRegisters, Edu);
    KeLowerIrql(Irql);
    return Status;
}

/* What the device has written is in the request's buffer afterwards. */
static ULONG EndTransfer(EDU *Edu)
{
    PMDL Mdl = Edu->Current->MdlAddress;
    PDMA_OPERATIONS Operations = Edu->Adapter->DmaOperations;
    Operations->FlushAdapterBuffers(Edu->Adapter, Mdl, Edu->MapRegisterBase, MmGetMdlVirtualAddress(Mdl),
                                    LengthOf(Edu->Current), IsWrite(Edu->Current));
    Operations->FreeMapRegisters(Edu->Adapter, Edu->MapRegisterBase, Edu->MapRegisters);
    return LengthOf(Edu->Current);
}

/* --- from the queue to the device and back --- */

static BOOLEAN IsTransfer(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->MajorFunction != IRP_MJ_DEVICE_CONTROL;
}

/* The device is the caller's. A request that fails here has not come to the device. */
static NTSTATUS BeginRequest(EDU *Edu, PIRP Irp)
{
    Edu->Current = Irp;
    if (IsTransfer(Irp))
        return BeginTransfer(Edu);
    GiveToDevice(Edu, ProgramFactorial, 0);
    return STATUS_SUCCESS;
}

static BOOLEAN IsGone(EDU *Edu)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Edu->Lock, &Irql);
    BOOLEAN Gone = Edu->State == EduGone;
    KeReleaseSpinLock(&Edu->Lock, Irql);
    return Gone;
}

/* The first that waits, if the device is free. */
static VOID StartNext(EDU *Edu)
{
    while (ClaimDevice(Edu)) {
        PIRP Irp = IoCsqRemoveNextIrp(&Edu->Csq, NULL);
        if (Irp != NULL) {
            NTSTATUS Status = BeginRequest(Edu, Irp);
            if (NT_SUCCESS(Status))
                return;
            EndRequest(Edu, Irp, Status, 0);
        }
        if (!FreeDevice(Edu))
            return;
    }
    if (IsGone(Edu))
        FailWaiting(Edu);
}

/* The interrupt stays until its causes are acknowledged; others share the line. [QEMU docs/specs/edu] That is so with messages too. */
static BOOLEAN NTAPI Service(PKINTERRUPT Interrupt, PVOID Context)
{
    EDU *Edu = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    if (Edu->Off)
        return FALSE;
    ULONG Causes = ReadRegister(Edu, REG_CAUSES);
    if (Causes == 0)
        return FALSE;
    WriteRegister(Edu, REG_ACKNOWLEDGE, Causes);
    InterlockedOr(&Edu->Causes, (LONG)Causes);
    InterlockedIncrement(&Edu->Interrupts);
    KeInsertQueueDpc(&Edu->Dpc, NULL, NULL);
    return TRUE;
}

static BOOLEAN NTAPI ServiceMessage(PKINTERRUPT Interrupt, PVOID Context, ULONG Message)
{
    UNREFERENCED_PARAMETER(Message);
    return Service(Interrupt, Context);
}

/* TRUE: Current is done, or never will be; it is the caller's. */
static BOOLEAN TakeFinished(EDU *Edu, NTSTATUS *Status)
{
    KeAcquireSpinLockAtDpcLevel(&Edu->Lock);
    LONG Causes = InterlockedExchange(&Edu->Causes, 0);
    BOOLEAN Gone = Edu->State == EduGone;
    BOOLEAN Finished =
        Edu->WithDevice && (Gone || (Causes & (IsTransfer(Edu->Current) ? CAUSE_DMA : CAUSE_FACTORIAL)) != 0);
    if (Finished)
        Edu->WithDevice = FALSE;
    *Status = Gone ? STATUS_NO_SUCH_DEVICE : STATUS_SUCCESS;
    KeReleaseSpinLockFromDpcLevel(&Edu->Lock);
    return Finished;
}

static VOID NTAPI Finished(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    EDU *Edu = Context;
    NTSTATUS Status;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    if (!TakeFinished(Edu, &Status))
        return;
    ULONG Length = IsTransfer(Edu->Current) ? EndTransfer(Edu) : EndFactorial(Edu);
    EndRequest(Edu, Edu->Current, Status, NT_SUCCESS(Status) ? Length : 0);
    FreeDevice(Edu);
    StartNext(Edu);
}

/* --- start and stop --- */

static NTSTATUS ConnectInterrupt(EDU *Edu)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_MESSAGE_BASED};
    Parameters.MessageBased.PhysicalDeviceObject = Edu->Pdo;
    Parameters.MessageBased.ConnectionContext.Generic = &Edu->Interrupt;
    Parameters.MessageBased.MessageServiceRoutine = ServiceMessage;
    Parameters.MessageBased.FallBackServiceRoutine = Service; /* when the device has no messages */
    Parameters.MessageBased.ServiceContext = Edu;
    NTSTATUS Status = IoConnectInterruptEx(&Parameters);
    if (!NT_SUCCESS(Status))
        return Status;
    Edu->Connection = Parameters.Version;
    DbgPrint("edu: interrupts are %s\n", Edu->Connection == CONNECT_MESSAGE_BASED ? "messages" : "on a line");
    return STATUS_SUCCESS;
}

static VOID DisconnectInterrupt(EDU *Edu)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = Edu->Connection};
    if (Edu->Connection != 0) {
        Parameters.ConnectionContext.Generic = Edu->Interrupt;
        IoDisconnectInterruptEx(&Parameters);
        Edu->Connection = 0;
    }
    KeFlushQueuedDpcs();
}

static NTSTATUS MapRegisters(EDU *Edu, PCM_RESOURCE_LIST Translated)
{
    ULONG Count = Translated != NULL ? Translated->List[0].PartialResourceList.Count : 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Resource =
        Count != 0 ? Translated->List[0].PartialResourceList.PartialDescriptors : NULL;
    for (ULONG i = 0; i < Count; i++, Resource++) {
        if (Resource->Type != CmResourceTypeMemory || Resource->u.Memory.Length < REGISTERS_SIZE)
            continue;
        Edu->Registers = MmMapIoSpace(Resource->u.Memory.Start, REGISTERS_SIZE, MmNonCached);
        return Edu->Registers != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}

static NTSTATUS CheckDevice(const EDU *Edu)
{
    const ULONG Probe = 0x12345678;
    WriteRegister(Edu, REG_LIVENESS, Probe);
    if ((ReadRegister(Edu, REG_IDENTITY) & IDENTITY_MASK) == IDENTITY &&
        ReadRegister(Edu, REG_LIVENESS) == ~Probe)
        return STATUS_SUCCESS;
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}

static VOID ReleaseAll(EDU *Edu)
{
    DisconnectInterrupt(Edu);
    if (Edu->Adapter != NULL)
        Edu->Adapter->DmaOperations->PutDmaAdapter(Edu->Adapter);
    Edu->Adapter = NULL;
    if (Edu->Registers != NULL)
        MmUnmapIoSpace(Edu->Registers, REGISTERS_SIZE);
    Edu->Registers = NULL;
}

/* The DPC ends what is with a device that is gone. */
static VOID SetState(EDU *Edu, EDU_STATE State)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Edu->Lock, &Irql);
    Edu->State = State;
    if (State == EduGone && Edu->WithDevice)
        KeInsertQueueDpc(&Edu->Dpc, NULL, NULL);
    KeReleaseSpinLock(&Edu->Lock, Irql);
}

static NTSTATUS StartDevice(EDU *Edu, PCM_RESOURCE_LIST Translated)
{
    NTSTATUS Status = MapRegisters(Edu, Translated);
    if (NT_SUCCESS(Status))
        Status = CheckDevice(Edu);
    if (NT_SUCCESS(Status))
        Status = GetAdapter(Edu);
    if (NT_SUCCESS(Status))
        Status = ConnectInterrupt(Edu);
    if (!NT_SUCCESS(Status)) {
        ReleaseAll(Edu);
        return Status;
    }
    SetState(Edu, EduRunning);
    StartNext(Edu);
    return STATUS_SUCCESS;
}

/* What is with the device ends first: a transfer cannot be taken back. */
static VOID StopDevice(EDU *Edu, EDU_STATE State)
{
    SetState(Edu, State);
    KeWaitForSingleObject(&Edu->Idle, Executive, KernelMode, FALSE, NULL);
    ReleaseAll(Edu);
}

/* No service routine that found the device awake is still at its registers. */
static VOID AwaitService(const EDU *Edu)
{
    PKINTERRUPT Interrupt = Edu->Interrupt;
    if (Edu->Connection == CONNECT_MESSAGE_BASED)
        Interrupt = ((PIO_INTERRUPT_MESSAGE_INFO)Edu->Interrupt)->MessageInfo[0].InterruptObject;
    KeReleaseInterruptSpinLock(Interrupt, KeAcquireInterruptSpinLock(Interrupt));
}

/* What is with the device ends first: a transfer cannot be taken back. The others wait. */
static VOID GoToSleep(EDU *Edu)
{
    if (Edu->State != EduRunning)
        return;
    SetState(Edu, EduAsleep);
    KeWaitForSingleObject(&Edu->Idle, Executive, KernelMode, FALSE, NULL);
    Edu->Off = TRUE;
    AwaitService(Edu);
}

/* Each request sets up the registers that it needs; what the device's buffer held is lost with the power. */
static VOID WakeUp(EDU *Edu)
{
    if (Edu->State != EduAsleep)
        return;
    Edu->Off = FALSE;
    SetState(Edu, EduRunning);
    StartNext(Edu);
}

/* --- requests --- */

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS CheckTransfer(PIRP Irp)
{
    LONG64 Offset = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart;
    if (Offset < 0 || Offset > BUFFER_SIZE || LengthOf(Irp) > BUFFER_SIZE - (ULONG)Offset)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static NTSTATUS CheckControl(PIO_STACK_LOCATION Stack)
{
    if (Stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_EDU_FACTORIAL)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(ULONG) ||
        Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    return STATUS_SUCCESS;
}

/* Whoever holds the remove lock; the request may be over, and its lock released, before this returns. */
static NTSTATUS Queue(EDU *Edu, PIRP Irp)
{
    NTSTATUS Status = IsTransfer(Irp) ? CheckTransfer(Irp) : CheckControl(IoGetCurrentIrpStackLocation(Irp));
    if (!NT_SUCCESS(Status) || (IsTransfer(Irp) && LengthOf(Irp) == 0))
        return Complete(Irp, Status, 0);
    Status = IoAcquireRemoveLock(&Edu->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    IoCsqInsertIrp(&Edu->Csq, Irp, NULL);
    StartNext(Edu);
    return STATUS_PENDING;
}

/* IRP_MJ_READ, IRP_MJ_WRITE, IRP_MJ_DEVICE_CONTROL */
static NTSTATUS NTAPI Request(PDEVICE_OBJECT Device, PIRP Irp)
{
    EDU *Edu = Device->DeviceExtension;
    UCHAR Tag; /* its address is the name of this call */
    NTSTATUS Status = IoAcquireRemoveLock(&Edu->RemoveLock, &Tag);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    Status = Queue(Edu, Irp);
    IoReleaseRemoveLock(&Edu->RemoveLock, &Tag);
    return Status;
}

static NTSTATUS PassDown(EDU *Edu, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Edu->Lower, Irp);
}

static NTSTATUS Start(EDU *Edu, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status = IoForwardIrpSynchronously(Edu->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        Status = StartDevice(Edu, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    return Complete(Irp, Status, 0);
}

/* --- names: \\Device\\Edu0 and its link, and so on. A number is not used again --- */

static LONG EduCount;

typedef struct EDU_NAME {
    UNICODE_STRING Text;
    WCHAR Characters[32];
} EDU_NAME;

static PUNICODE_STRING PrintName(EDU_NAME *Name, PCWSTR Format, ULONG Number)
{
    int Count = _snwprintf(Name->Characters, RTL_NUMBER_OF(Name->Characters), Format, Number);
    Name->Text =
        (UNICODE_STRING){(USHORT)((ULONG)Count * sizeof(WCHAR)), sizeof(Name->Characters), Name->Characters};
    return &Name->Text;
}

static PUNICODE_STRING LinkName(EDU_NAME *Name, ULONG Number)
{
    return PrintName(Name, L"\\??\\Edu%lu", Number);
}

static PUNICODE_STRING DeviceName(EDU_NAME *Name, ULONG Number)
{
    return PrintName(Name, L"\\Device\\Edu%lu", Number);
}

static VOID DeleteLink(const EDU *Edu)
{
    EDU_NAME Name;
    IoDeleteSymbolicLink(LinkName(&Name, Edu->Number));
}

static NTSTATUS Remove(EDU *Edu, PIRP Irp)
{
    StopDevice(Edu, IsGone(Edu) ? EduGone : EduStopped);
    FailWaiting(Edu);
    IoReleaseRemoveLockAndWait(&Edu->RemoveLock, Irp);
    DbgPrint("edu: %ld interrupts\n", Edu->Interrupts);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PassDown(Edu, Irp);
    IoDetachDevice(Edu->Lower);
    DeleteLink(Edu);
    IoDeleteDevice(Edu->Device);
    return Status;
}

static NTSTATUS PnpLocked(EDU *Edu, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Edu, Irp, Stack);
    case IRP_MN_STOP_DEVICE:
        StopDevice(Edu, EduStopped);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        StopDevice(Edu, EduGone);
        FailWaiting(Edu);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        break;
    default:
        return PassDown(Edu, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Edu, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    EDU *Edu = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Edu->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    if (Stack->MinorFunction == IRP_MN_REMOVE_DEVICE)
        return Remove(Edu, Irp);
    Status = PnpLocked(Edu, Irp, Stack);
    IoReleaseRemoveLock(&Edu->RemoveLock, Irp);
    return Status;
}

/* --- power: the driver owns the power policy of its device. [WDK "Handling a System Set-Power IRP in a Device Power Policy Owner"] --- */

/* The device is where the system wants it: the system's request is done. */
static VOID NTAPI DevicePowered(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                                PIO_STATUS_BLOCK Iosb)
{
    EDU *Edu = Device->DeviceExtension;
    PIRP SystemIrp = Context;
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    Complete(SystemIrp, Iosb->Status, 0);
    IoReleaseRemoveLock(&Edu->RemoveLock, SystemIrp);
}

/* The drivers below have the system's request; the device follows, in a request of its own. */
static NTSTATUS NTAPI SystemPassed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    EDU *Edu = Context;
    SYSTEM_POWER_STATE System = IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.SystemState;
    POWER_STATE State = {.DeviceState = System == PowerSystemWorking ? PowerDeviceD0 : PowerDeviceD3};
    NTSTATUS Status = Irp->IoStatus.Status;
    if (NT_SUCCESS(Status))
        Status = PoRequestPowerIrp(Device, IRP_MN_SET_POWER, State, DevicePowered, Irp, NULL);
    if (Status == STATUS_PENDING)
        return STATUS_MORE_PROCESSING_REQUIRED;
    Irp->IoStatus.Status = Status;
    IoReleaseRemoveLock(&Edu->RemoveLock, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS SetSystemPower(EDU *Edu, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SystemPassed, Edu, TRUE, TRUE, TRUE);
    PoCallDriver(Edu->Lower, Irp);
    return STATUS_PENDING;
}

static NTSTATUS PassPowerDown(EDU *Edu, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS Status = PoCallDriver(Edu->Lower, Irp);
    IoReleaseRemoveLock(&Edu->RemoveLock, Irp);
    return Status;
}

/* PASSIVE_LEVEL: the stack is pageable. Going down the driver is first, coming up the bus. */
static NTSTATUS SetDevicePower(EDU *Edu, PIRP Irp, DEVICE_POWER_STATE State)
{
    POWER_STATE Now = {.DeviceState = State};
    PoSetPowerState(Edu->Device, DevicePowerState, Now);
    if (State != PowerDeviceD0) {
        GoToSleep(Edu);
        return PassPowerDown(Edu, Irp);
    }
    NTSTATUS Status = IoForwardIrpSynchronously(Edu->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        WakeUp(Edu);
    Complete(Irp, Status, 0);
    IoReleaseRemoveLock(&Edu->RemoveLock, Irp);
    return Status;
}

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    EDU *Edu = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PoStartNextPowerIrp(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Edu->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    if (Stack->MinorFunction != IRP_MN_SET_POWER)
        return PassPowerDown(Edu, Irp);
    return Stack->Parameters.Power.Type == SystemPowerState
               ? SetSystemPower(Edu, Irp)
               : SetDevicePower(Edu, Irp, Stack->Parameters.Power.State.DeviceState);
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(Device->DeviceExtension, Irp);
}

/* --- the driver --- */

static NTSTATUS InitEdu(EDU *Edu, PDEVICE_OBJECT Device, PDEVICE_OBJECT Pdo, ULONG Number)
{
    EDU_NAME Link, Name;
    Edu->Number = Number;
    Edu->Device = Device;
    Edu->Pdo = Pdo;
    IoInitializeRemoveLock(&Edu->RemoveLock, EDU_TAG, 0, 0);
    KeInitializeDpc(&Edu->Dpc, Finished, Edu);
    KeInitializeSpinLock(&Edu->Lock);
    KeInitializeEvent(&Edu->Idle, NotificationEvent, TRUE);
    InitializeListHead(&Edu->Waiting);
    IoCsqInitialize(&Edu->Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCancelled);
    NTSTATUS Status = IoCreateSymbolicLink(LinkName(&Link, Number), DeviceName(&Name, Number));
    if (!NT_SUCCESS(Status))
        return Status;
    Edu->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    if (Edu->Lower != NULL)
        return STATUS_SUCCESS;
    DeleteLink(Edu);
    return STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    EDU_NAME Name;
    ULONG Number = (ULONG)InterlockedIncrement(&EduCount) - 1;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(EDU), DeviceName(&Name, Number), FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = InitEdu(Device->DeviceExtension, Device, Pdo, Number);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags |= DO_DIRECT_IO | DO_POWER_PAGABLE;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

/* [WDK RtlQueryRegistryValues] AddressBits of the driver's Parameters key, the counterpart of QEMU's dma_mask; without it, 28. */
static VOID ReadAddressBits(PUNICODE_STRING RegistryPath)
{
    ULONG Bits = ADDRESS_BITS;
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {.Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = L"Parameters"},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
         .Name = L"AddressBits",
         .EntryContext = &Bits,
         .DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE},
        {.Name = NULL},
    };
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return;
    NTSTATUS Status = RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, Key, Table, NULL, NULL);
    ZwClose(Key);
    if (NT_SUCCESS(Status) && Bits > PAGE_SHIFT && Bits <= ADDRESS_BITS_MOST)
        AddressBits = Bits;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    ReadAddressBits(RegistryPath);
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_READ] = Request;
    Driver->MajorFunction[IRP_MJ_WRITE] = Request;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Request;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = Power;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

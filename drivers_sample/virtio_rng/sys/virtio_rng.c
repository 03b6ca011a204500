/* SPDX-License-Identifier: MIT
 * A function driver for the virtio entropy device: reads give random bytes. It shows what a WDM driver of a PCI device does: AddDevice, start with
 * resources, an interrupt and its DPC, a cancel-safe queue of reads, power, and both ways of removal. The device has one queue, one descriptor of which is
 * in use at a time. [Virtual I/O Device 1.0, 4.1.4.8 (legacy registers), 2.4 (virtqueues), 5.4 (entropy device)] */
#include <ntddk.h>

#define RNG_TAG 'gnRV'

/* Legacy registers, in the first base address register. */
#define REG_GUEST_FEATURES 4
#define REG_QUEUE_PAGE 8
#define REG_QUEUE_SIZE 12
#define REG_QUEUE_SELECT 14
#define REG_QUEUE_NOTIFY 16
#define REG_STATUS 18
#define REG_INTERRUPT 19
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4

typedef struct RING_DESCRIPTOR {
    ULONG64 Address;
    ULONG Length;
    USHORT Flags, Next;
} RING_DESCRIPTOR;
#define DESCRIPTOR_WRITE 2 /* the device writes */

typedef struct RING_USED {
    ULONG Index, Length;
} RING_USED;

typedef enum RNG_STATE { RngStopped, RngRunning, RngAsleep } RNG_STATE;

typedef struct RNG {
    PDEVICE_OBJECT Device, Pdo, Lower;
    ULONG Number;
    IO_REMOVE_LOCK RemoveLock;
    PUCHAR Port;
    PKINTERRUPT Interrupt;
    KDPC Dpc;
    volatile LONG Interrupts;

    IO_CSQ Csq;
    LIST_ENTRY Waiting; /* (l) reads that are not with the device */
    KSPIN_LOCK Lock;    /* (l) */
    PIRP Current;       /* (l) with the device */
    BOOLEAN Busy;       /* (l) somebody has a read for the device, or looks for one */
    RNG_STATE State;    /* (l) of the device; it may be used when it is running */

    PVOID Memory; /* the ring, then a page that the device writes to; pages in a row */
    SIZE_T MemorySize;
    USHORT QueueSize, LastUsed;
    RING_DESCRIPTOR *Descriptors;
    volatile USHORT *Available; /* flags, index, ring */
    volatile USHORT *Used;      /* flags, index, then RING_USED */
    PUCHAR Bytes;
} RNG;

/* --- reads that wait: a cancel-safe queue [WDK "Cancel-Safe IRP Queues"] --- */

static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CONTAINING_RECORD(Csq, RNG, Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    RNG *Rng = CONTAINING_RECORD(Csq, RNG, Csq);
    PLIST_ENTRY Next = Irp == NULL ? Rng->Waiting.Flink : Irp->Tail.Overlay.ListEntry.Flink;
    UNREFERENCED_PARAMETER(Context);
    return Next == &Rng->Waiting ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CONTAINING_RECORD(Csq, RNG, Csq)->Lock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CONTAINING_RECORD(Csq, RNG, Csq)->Lock, Irql);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* A read holds the remove lock until it ends. */
static VOID EndRead(RNG *Rng, PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Complete(Irp, Status, Information);
    IoReleaseRemoveLock(&Rng->RemoveLock, Irp);
}

static VOID NTAPI CsqCancelled(PIO_CSQ Csq, PIRP Irp)
{
    EndRead(CONTAINING_RECORD(Csq, RNG, Csq), Irp, STATUS_CANCELLED, 0);
}

/* --- the device --- */

/* Lock held. The ring has room: one read is under way at a time. */
static VOID GiveToDevice(RNG *Rng, ULONG Length)
{
    Rng->Descriptors[0] =
        (RING_DESCRIPTOR){(ULONG64)MmGetPhysicalAddress(Rng->Bytes).QuadPart, Length, DESCRIPTOR_WRITE, 0};
    USHORT Index = Rng->Available[1];
    Rng->Available[2 + Index % Rng->QueueSize] = 0;
    KeMemoryBarrier();
    Rng->Available[1] = Index + 1;
    KeMemoryBarrier();
    WRITE_PORT_USHORT((PUSHORT)(Rng->Port + REG_QUEUE_NOTIFY), 0);
}

/* TRUE: the device is the caller's, who gives it a read or sets it free again. */
static BOOLEAN ClaimDevice(RNG *Rng)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Rng->Lock, &Irql);
    BOOLEAN Claimed = Rng->State == RngRunning && !Rng->Busy;
    if (Claimed)
        Rng->Busy = TRUE;
    KeReleaseSpinLock(&Rng->Lock, Irql);
    return Claimed;
}

/* TRUE: a read has come meanwhile, whose sender found the device busy. */
static BOOLEAN FreeDevice(RNG *Rng)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Rng->Lock, &Irql);
    Rng->Busy = FALSE;
    BOOLEAN More = !IsListEmpty(&Rng->Waiting);
    KeReleaseSpinLock(&Rng->Lock, Irql);
    return More;
}

/* What the device is: if it runs, it has the read now. */
static RNG_STATE UseDevice(RNG *Rng, PIRP Irp)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Rng->Lock, &Irql);
    RNG_STATE State = Rng->State;
    if (State == RngRunning) {
        Rng->Current = Irp;
        GiveToDevice(Rng, min(IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length, (ULONG)PAGE_SIZE));
    }
    KeReleaseSpinLock(&Rng->Lock, Irql);
    return State;
}

/* The read did not come to the device, which was stopped or fell asleep meanwhile: then it waits on. */
static VOID PutBack(RNG *Rng, PIRP Irp, RNG_STATE State)
{
    if (State == RngStopped)
        EndRead(Rng, Irp, STATUS_NO_SUCH_DEVICE, 0);
    else
        IoCsqInsertIrp(&Rng->Csq, Irp, NULL);
}

/* The first that waits, if the device is free. */
static VOID StartNext(RNG *Rng)
{
    while (ClaimDevice(Rng)) {
        PIRP Irp = IoCsqRemoveNextIrp(&Rng->Csq, NULL);
        RNG_STATE State = Irp != NULL ? UseDevice(Rng, Irp) : RngAsleep;
        if (State == RngRunning)
            return;
        if (Irp != NULL)
            PutBack(Rng, Irp, State);
        if (!FreeDevice(Rng))
            return;
    }
}

/* Reading the register takes the interrupt back; others share the line. The registers of a device that sleeps are all ones. */
static BOOLEAN NTAPI Service(PKINTERRUPT Interrupt, PVOID Context)
{
    RNG *Rng = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    if (Rng->State != RngRunning || READ_PORT_UCHAR(Rng->Port + REG_INTERRUPT) == 0)
        return FALSE;
    InterlockedIncrement(&Rng->Interrupts);
    KeInsertQueueDpc(&Rng->Dpc, NULL, NULL);
    return TRUE;
}

/* Lock held. The read that the device has done; NULL: it has not. */
static PIRP TakeFinished(RNG *Rng, PULONG Length)
{
    if (Rng->Current == NULL || Rng->Used[1] == Rng->LastUsed)
        return NULL;
    const RING_USED *Used = (const RING_USED *)(Rng->Used + 2) + Rng->LastUsed % Rng->QueueSize;
    PIRP Irp = Rng->Current;
    Rng->LastUsed++;
    Rng->Current = NULL;
    Rng->Busy = FALSE;
    *Length = min(Used->Length, IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length);
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Rng->Bytes, *Length);
    return Irp;
}

static VOID NTAPI Finished(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    RNG *Rng = Context;
    ULONG Length = 0;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLockAtDpcLevel(&Rng->Lock);
    PIRP Irp = TakeFinished(Rng, &Length);
    KeReleaseSpinLockFromDpcLevel(&Rng->Lock);
    if (Irp != NULL)
        EndRead(Rng, Irp, STATUS_SUCCESS, Length);
    StartNext(Rng);
}

/* [Virtual I/O Device 1.0, 2.4.2] descriptors, available ring, and on the next page the used ring. */
static NTSTATUS MakeRing(RNG *Rng)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = 0xfffffffffffLL};
    WRITE_PORT_USHORT((PUSHORT)(Rng->Port + REG_QUEUE_SELECT), 0);
    Rng->QueueSize = READ_PORT_USHORT((PUSHORT)(Rng->Port + REG_QUEUE_SIZE));
    if (Rng->QueueSize == 0)
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    SIZE_T First =
        ROUND_TO_PAGES(Rng->QueueSize * sizeof(RING_DESCRIPTOR) + (3 + Rng->QueueSize) * sizeof(USHORT));
    SIZE_T Second = ROUND_TO_PAGES(3 * sizeof(USHORT) + Rng->QueueSize * sizeof(RING_USED));
    Rng->MemorySize = First + Second + PAGE_SIZE;
    Rng->Memory = MmAllocateContiguousMemory(Rng->MemorySize, Highest);
    if (Rng->Memory == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Rng->Descriptors = Rng->Memory;
    Rng->Available = (volatile USHORT *)(Rng->Descriptors + Rng->QueueSize);
    Rng->Used = (volatile USHORT *)((PUCHAR)Rng->Memory + First);
    Rng->Bytes = (PUCHAR)Rng->Memory + First + Second;
    return STATUS_SUCCESS;
}

static VOID ResetDevice(RNG *Rng)
{
    WRITE_PORT_UCHAR(Rng->Port + REG_STATUS, 0);
}

static VOID BeginSetUp(RNG *Rng)
{
    ResetDevice(Rng);
    WRITE_PORT_UCHAR(Rng->Port + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    WRITE_PORT_ULONG((PULONG)(Rng->Port + REG_GUEST_FEATURES), 0);
}

/* Ring and device begin at 0. */
static VOID EndSetUp(RNG *Rng)
{
    RtlZeroMemory(Rng->Memory, Rng->MemorySize);
    Rng->LastUsed = 0;
    WRITE_PORT_USHORT((PUSHORT)(Rng->Port + REG_QUEUE_SELECT), 0);
    WRITE_PORT_ULONG((PULONG)(Rng->Port + REG_QUEUE_PAGE),
                     (ULONG)(MmGetPhysicalAddress(Rng->Memory).QuadPart >> PAGE_SHIFT));
    WRITE_PORT_UCHAR(Rng->Port + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
}

static NTSTATUS PrepareDevice(RNG *Rng)
{
    BeginSetUp(Rng);
    NTSTATUS Status = MakeRing(Rng);
    if (NT_SUCCESS(Status))
        EndSetUp(Rng);
    return Status;
}

static NTSTATUS ConnectInterrupt(RNG *Rng)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    Parameters.LineBased.PhysicalDeviceObject = Rng->Pdo;
    Parameters.LineBased.InterruptObject = &Rng->Interrupt;
    Parameters.LineBased.ServiceRoutine = Service;
    Parameters.LineBased.ServiceContext = Rng;
    return IoConnectInterruptEx(&Parameters);
}

static VOID DisconnectInterrupt(RNG *Rng)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    if (Rng->Interrupt == NULL)
        return;
    Parameters.ConnectionContext.InterruptObject = Rng->Interrupt;
    IoDisconnectInterruptEx(&Parameters);
    Rng->Interrupt = NULL;
    KeFlushQueuedDpcs();
}

/* --- start and stop --- */

static NTSTATUS FindPort(RNG *Rng, PCM_RESOURCE_LIST Translated)
{
    ULONG Count = Translated != NULL ? Translated->List[0].PartialResourceList.Count : 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Resource =
        Count != 0 ? Translated->List[0].PartialResourceList.PartialDescriptors : NULL;
    for (ULONG i = 0; i < Count; i++, Resource++) {
        if (Resource->Type != CmResourceTypePort)
            continue;
        Rng->Port = (PUCHAR)(ULONG_PTR)Resource->u.Port.Start.QuadPart;
        return STATUS_SUCCESS;
    }
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}

static VOID SetState(RNG *Rng, RNG_STATE State)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Rng->Lock, &Irql);
    Rng->State = State;
    KeReleaseSpinLock(&Rng->Lock, Irql);
}

/* The device was reset: what was with it is the caller's. NULL: nothing. */
static PIRP TakeBack(RNG *Rng)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Rng->Lock, &Irql);
    PIRP Irp = Rng->Current;
    Rng->Current = NULL;
    if (Irp != NULL)
        Rng->Busy = FALSE;
    KeReleaseSpinLock(&Rng->Lock, Irql);
    return Irp;
}

/* No service routine that found the device running is still at its registers. */
static VOID AwaitService(RNG *Rng)
{
    if (Rng->Interrupt != NULL)
        KeReleaseInterruptSpinLock(Rng->Interrupt, KeAcquireInterruptSpinLock(Rng->Interrupt));
}

static NTSTATUS StartDevice(RNG *Rng, PCM_RESOURCE_LIST Translated)
{
    NTSTATUS Status = FindPort(Rng, Translated);
    if (NT_SUCCESS(Status))
        Status = PrepareDevice(Rng);
    if (NT_SUCCESS(Status))
        Status = ConnectInterrupt(Rng);
    if (!NT_SUCCESS(Status))
        return Status;
    SetState(Rng, RngRunning);
    StartNext(Rng); /* reads may have come before the start */
    return STATUS_SUCCESS;
}

/* What the device had is not done. There: the device is, and is told to stop. */
static VOID StopDevice(RNG *Rng, BOOLEAN There)
{
    SetState(Rng, RngStopped);
    if (There && Rng->Port != NULL)
        ResetDevice(Rng);
    DisconnectInterrupt(Rng);
    PIRP Irp = TakeBack(Rng);
    if (Irp != NULL)
        EndRead(Rng, Irp, STATUS_NO_SUCH_DEVICE, 0);
    if (Rng->Memory != NULL)
        MmFreeContiguousMemory(Rng->Memory);
    Rng->Memory = NULL;
}

/* A read that the device has not done waits with the others: random bytes can be asked for twice. */
static VOID GoToSleep(RNG *Rng)
{
    if (Rng->State != RngRunning)
        return;
    SetState(Rng, RngAsleep);
    AwaitService(Rng);
    ResetDevice(Rng);
    PIRP Irp = TakeBack(Rng);
    if (Irp != NULL)
        IoCsqInsertIrp(&Rng->Csq, Irp, NULL);
}

/* The device has forgotten all that it was told. */
static VOID WakeUp(RNG *Rng)
{
    if (Rng->State != RngAsleep)
        return;
    BeginSetUp(Rng);
    EndSetUp(Rng);
    SetState(Rng, RngRunning);
    StartNext(Rng);
}

static VOID FailWaiting(RNG *Rng)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Rng->Csq, NULL)) != NULL)
        EndRead(Rng, Irp, STATUS_NO_SUCH_DEVICE, 0);
}

/* --- requests --- */

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT Device, PIRP Irp)
{
    RNG *Rng = Device->DeviceExtension;
    NTSTATUS Status = IoAcquireRemoveLock(&Rng->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length == 0) {
        EndRead(Rng, Irp, STATUS_SUCCESS, 0);
        return STATUS_SUCCESS;
    }
    IoCsqInsertIrp(&Rng->Csq, Irp, NULL);
    StartNext(Rng);
    return STATUS_PENDING;
}

static NTSTATUS PassDown(RNG *Rng, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Rng->Lower, Irp);
}

static NTSTATUS Start(RNG *Rng, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status = IoForwardIrpSynchronously(Rng->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        Status = StartDevice(Rng, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    return Complete(Irp, Status, 0);
}

/* --- names: \\Device\\VirtioRng0 and its link, and so on. A number is not used again --- */

static LONG RngCount;

typedef struct RNG_NAME {
    UNICODE_STRING Text;
    WCHAR Characters[32];
} RNG_NAME;

static PUNICODE_STRING PrintName(RNG_NAME *Name, PCWSTR Format, ULONG Number)
{
    int Count = _snwprintf(Name->Characters, RTL_NUMBER_OF(Name->Characters), Format, Number);
    Name->Text =
        (UNICODE_STRING){(USHORT)((ULONG)Count * sizeof(WCHAR)), sizeof(Name->Characters), Name->Characters};
    return &Name->Text;
}

static PUNICODE_STRING LinkName(RNG_NAME *Name, ULONG Number)
{
    return PrintName(Name, L"\\??\\VirtioRng%lu", Number);
}

static PUNICODE_STRING DeviceName(RNG_NAME *Name, ULONG Number)
{
    return PrintName(Name, L"\\Device\\VirtioRng%lu", Number);
}

static VOID DeleteLink(const RNG *Rng)
{
    RNG_NAME Name;
    IoDeleteSymbolicLink(LinkName(&Name, Rng->Number));
}

static NTSTATUS Remove(RNG *Rng, PIRP Irp)
{
    StopDevice(Rng, Rng->State != RngStopped);
    FailWaiting(Rng);
    IoReleaseRemoveLockAndWait(&Rng->RemoveLock, Irp);
    DbgPrint("virtio_rng: %ld interrupts\n", Rng->Interrupts);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PassDown(Rng, Irp);
    IoDetachDevice(Rng->Lower);
    DeleteLink(Rng);
    IoDeleteDevice(Rng->Device);
    return Status;
}

static NTSTATUS PnpLocked(RNG *Rng, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Rng, Irp, Stack);
    case IRP_MN_STOP_DEVICE:
        StopDevice(Rng, TRUE);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        StopDevice(Rng, FALSE);
        FailWaiting(Rng);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        break;
    default:
        return PassDown(Rng, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Rng, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    RNG *Rng = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Rng->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    if (Stack->MinorFunction == IRP_MN_REMOVE_DEVICE)
        return Remove(Rng, Irp);
    Status = PnpLocked(Rng, Irp, Stack);
    IoReleaseRemoveLock(&Rng->RemoveLock, Irp);
    return Status;
}

/* --- power: the driver owns the power policy of its device. [WDK "Handling a System Set-Power IRP in a Device Power Policy Owner"] --- */

/* The device is where the system wants it: the system's request is done. */
static VOID NTAPI DevicePowered(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                                PIO_STATUS_BLOCK Iosb)
{
    RNG *Rng = Device->DeviceExtension;
    PIRP SystemIrp = Context;
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    Complete(SystemIrp, Iosb->Status, 0);
    IoReleaseRemoveLock(&Rng->RemoveLock, SystemIrp);
}

/* The drivers below have the system's request; the device follows, in a request of its own. */
static NTSTATUS NTAPI SystemPassed(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    RNG *Rng = Context;
    SYSTEM_POWER_STATE System = IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.SystemState;
    POWER_STATE State = {.DeviceState = System == PowerSystemWorking ? PowerDeviceD0 : PowerDeviceD3};
    NTSTATUS Status = Irp->IoStatus.Status;
    if (NT_SUCCESS(Status))
        Status = PoRequestPowerIrp(Device, IRP_MN_SET_POWER, State, DevicePowered, Irp, NULL);
    if (Status == STATUS_PENDING)
        return STATUS_MORE_PROCESSING_REQUIRED;
    Irp->IoStatus.Status = Status;
    IoReleaseRemoveLock(&Rng->RemoveLock, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS SetSystemPower(RNG *Rng, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SystemPassed, Rng, TRUE, TRUE, TRUE);
    PoCallDriver(Rng->Lower, Irp);
    return STATUS_PENDING;
}

static NTSTATUS PassPowerDown(RNG *Rng, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS Status = PoCallDriver(Rng->Lower, Irp);
    IoReleaseRemoveLock(&Rng->RemoveLock, Irp);
    return Status;
}

/* PASSIVE_LEVEL: the stack is pageable. Going down the driver is first, coming up the bus. */
static NTSTATUS SetDevicePower(RNG *Rng, PIRP Irp, DEVICE_POWER_STATE State)
{
    POWER_STATE Now = {.DeviceState = State};
    PoSetPowerState(Rng->Device, DevicePowerState, Now);
    if (State != PowerDeviceD0) {
        GoToSleep(Rng);
        return PassPowerDown(Rng, Irp);
    }
    NTSTATUS Status = IoForwardIrpSynchronously(Rng->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        WakeUp(Rng);
    Complete(Irp, Status, 0);
    IoReleaseRemoveLock(&Rng->RemoveLock, Irp);
    return Status;
}

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    RNG *Rng = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PoStartNextPowerIrp(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Rng->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    if (Stack->MinorFunction != IRP_MN_SET_POWER)
        return PassPowerDown(Rng, Irp);
    return Stack->Parameters.Power.Type == SystemPowerState
               ? SetSystemPower(Rng, Irp)
               : SetDevicePower(Rng, Irp, Stack->Parameters.Power.State.DeviceState);
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(Device->DeviceExtension, Irp);
}

/* --- the driver --- */

static NTSTATUS InitRng(RNG *Rng, PDEVICE_OBJECT Device, PDEVICE_OBJECT Pdo, ULONG Number)
{
    RNG_NAME Link, Name;
    Rng->Number = Number;
    Rng->Device = Device;
    Rng->Pdo = Pdo;
    IoInitializeRemoveLock(&Rng->RemoveLock, RNG_TAG, 0, 0);
    KeInitializeDpc(&Rng->Dpc, Finished, Rng);
    KeInitializeSpinLock(&Rng->Lock);
    InitializeListHead(&Rng->Waiting);
    IoCsqInitialize(&Rng->Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCancelled);
    NTSTATUS Status = IoCreateSymbolicLink(LinkName(&Link, Rng->Number), DeviceName(&Name, Rng->Number));
    if (!NT_SUCCESS(Status))
        return Status;
    Rng->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    if (Rng->Lower != NULL)
        return STATUS_SUCCESS;
    DeleteLink(Rng);
    return STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    RNG_NAME Name;
    ULONG Number = (ULONG)InterlockedIncrement(&RngCount) - 1;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(RNG), DeviceName(&Name, Number), FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = InitRng(Device->DeviceExtension, Device, Pdo, Number);
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
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = Power;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Who has map registers and the channel of a DMA adapter, and who waits for them. First come, first served: who waits holds up all behind him. */
#include "dma.h"
#include "ex.h"

IOP_DMA_TRANSFER *IopMakeTransfer(IOP_DMA_ADAPTER *Adapter, PDEVICE_OBJECT Device, ULONG Registers,
                                  SIZE_T Extra)
{
    SIZE_T Size = sizeof(IOP_DMA_TRANSFER) + IOP_DMA_FRAGMENTS(Registers) * sizeof(IOP_DMA_FRAGMENT) + Extra;
    IOP_DMA_TRANSFER *Transfer = ExAllocatePoolWithTag(NonPagedPoolNx, Size, IOP_TAG_DMA);
    if (Transfer == NULL)
        return NULL;
    RtlZeroMemory(Transfer, sizeof(*Transfer));
    Transfer->Adapter = Adapter;
    Transfer->Device = Device;
    Transfer->Irp = Device != NULL ? Device->CurrentIrp : NULL;
    Transfer->Registers = Registers;
    return Transfer;
}

/* --- registers --- */

static BOOLEAN IopTakeRegistersLocked(IOP_DMA_TRANSFER *Transfer)
{
    IOP_DMA_ADAPTER *Adapter = Transfer->Adapter;
    if (!Adapter->Bounces || Transfer->Registers == 0)
        return TRUE;
    Transfer->First = RtlFindClearBitsAndSet(&Adapter->InUse, Transfer->Registers, 0);
    return Transfer->First != MAXULONG;
}

static VOID IopGiveRegistersLocked(IOP_DMA_TRANSFER *Transfer)
{
    if (Transfer->Adapter->Bounces && Transfer->Registers != 0)
        RtlClearBits(&Transfer->Adapter->InUse, Transfer->First, Transfer->Registers);
}

/* A list does without the channel. */
static BOOLEAN IopNeedsHeldChannel(const IOP_DMA_TRANSFER *Transfer)
{
    return Transfer->List == NULL && Transfer->Adapter->Held;
}

/* The first that waits, if it can have what it waits for: then it has. */
static IOP_DMA_TRANSFER *IopNextTransferLocked(IOP_DMA_ADAPTER *Adapter)
{
    if (IsListEmpty(&Adapter->Waiting))
        return NULL;
    IOP_DMA_TRANSFER *Transfer = CONTAINING_RECORD(Adapter->Waiting.Flink, IOP_DMA_TRANSFER, Entry);
    if (IopNeedsHeldChannel(Transfer) || !IopTakeRegistersLocked(Transfer))
        return NULL;
    RemoveEntryList(&Transfer->Entry);
    InsertTailList(&Adapter->Granted, &Transfer->Entry);
    if (Transfer->List == NULL) {
        Adapter->Held = TRUE;
        Adapter->Holder = Transfer;
    }
    return Transfer;
}

static VOID IopFreeTransfer(IOP_DMA_TRANSFER *Transfer)
{
    ExFreePoolWithTag(Transfer, IOP_TAG_DMA);
}

/* The channel is free. Returns whose registers go with it: none has them any more. */
static IOP_DMA_TRANSFER *IopLeaveChannelLocked(IOP_DMA_ADAPTER *Adapter, BOOLEAN KeepRegisters)
{
    IOP_DMA_TRANSFER *Transfer = KeepRegisters ? NULL : Adapter->Holder;
    Adapter->Held = FALSE;
    Adapter->Holder = NULL;
    if (Transfer != NULL) {
        RemoveEntryList(&Transfer->Entry);
        IopGiveRegistersLocked(Transfer);
    }
    return Transfer;
}

/* --- handing out --- */

/* [WDK DRIVER_CONTROL] what it returns says what is given back. Unless it keeps the object, the channel was its own until now; its registers may
 * be freed already. */
static VOID IopRunControl(IOP_DMA_ADAPTER *Adapter, IOP_DMA_TRANSFER *Transfer)
{
    IOP_DMA_TRANSFER *Gone = NULL;
    IO_ALLOCATION_ACTION Action = IopCallAdapterControl(Transfer->Control, Transfer->Device, Transfer->Irp,
                                                        Transfer, Transfer->RoutineContext);
    if (Action == KeepObject)
        return;
    ArchAcquireLockAtIrql(&IopDmaLock);
    Gone = IopLeaveChannelLocked(Adapter, Action == DeallocateObjectKeepRegisters);
    ArchReleaseLockFromIrql(&IopDmaLock);
    if (Gone != NULL)
        IopFreeTransfer(Gone);
}

/* DISPATCH_LEVEL. Transfer and all behind it that can have what they wait for. The caller has a reference to the adapter. */
static VOID IopRunTransfers(IOP_DMA_ADAPTER *Adapter, IOP_DMA_TRANSFER *Transfer)
{
    while (Transfer != NULL) {
        if (Transfer->List != NULL)
            IopDeliverList(Transfer);
        else if (Transfer->Control != NULL)
            IopRunControl(Adapter, Transfer);
        ArchAcquireLockAtIrql(&IopDmaLock);
        Transfer = IopNextTransferLocked(Adapter);
        ArchReleaseLockFromIrql(&IopDmaLock);
    }
}

/* Ends a time with the lock, in which something was freed: who waits for it gets it. */
static VOID IopReleaseAndRun(IOP_DMA_ADAPTER *Adapter, KIRQL OldIrql)
{
    IOP_DMA_TRANSFER *Next = IopNextTransferLocked(Adapter);
    if (Next == NULL) {
        ArchReleaseLock(&IopDmaLock, OldIrql);
        return;
    }
    Adapter->References++;
    ArchReleaseLockFromIrql(&IopDmaLock);
    IopRunTransfers(Adapter, Next);
    IopDereferenceAdapter(Adapter);
    ArchSetIrql(OldIrql);
}

NTSTATUS IopStartTransfer(IOP_DMA_TRANSFER *Transfer, BOOLEAN Immediately)
{
    IOP_DMA_ADAPTER *Adapter = Transfer->Adapter;
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    BOOLEAN First = IsListEmpty(&Adapter->Waiting) && !IopNeedsHeldChannel(Transfer);
    if (Immediately && First && IopTakeRegistersLocked(Transfer))
        IopGiveRegistersLocked(Transfer); /* it can have them: it gets them below */
    else if (Immediately)
        First = FALSE;
    if (Immediately && !First) {
        ArchReleaseLock(&IopDmaLock, OldIrql);
        IopFreeTransfer(Transfer);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Transfer->List != NULL)
        Adapter->ListsGot++;
    InsertTailList(&Adapter->Waiting, &Transfer->Entry);
    IopReleaseAndRun(Adapter, OldIrql);
    return STATUS_SUCCESS;
}

VOID IopEndTransfer(IOP_DMA_TRANSFER *Transfer)
{
    IOP_DMA_ADAPTER *Adapter = Transfer->Adapter;
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IopGiveRegistersLocked(Transfer);
    IopReleaseAndRun(Adapter, OldIrql);
    IopFreeTransfer(Transfer);
}

/* --- finding --- */

static IOP_DMA_TRANSFER *IopGrantedTransferLocked(IOP_DMA_ADAPTER *Adapter, PVOID Base)
{
    for (LIST_ENTRY *E = Adapter->Granted.Flink; E != &Adapter->Granted; E = E->Flink) {
        IOP_DMA_TRANSFER *Transfer = CONTAINING_RECORD(E, IOP_DMA_TRANSFER, Entry);
        if (Transfer == Base && Transfer->List == NULL)
            return Transfer;
    }
    return NULL;
}

IOP_DMA_TRANSFER *IopGrantedTransfer(IOP_DMA_ADAPTER *Adapter, PVOID Base)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_TRANSFER *Transfer = IopGrantedTransferLocked(Adapter, Base);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    return Transfer;
}

/* --- asking for the channel --- */

/* [WDK AllocateAdapterChannel] STATUS_INSUFFICIENT_RESOURCES: more registers than the adapter has; the routine is called at once or when they are
 * free, at DISPATCH_LEVEL. */
NTSTATUS NTAPI IopAllocateAdapterChannel(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, ULONG Registers,
                                         PDRIVER_CONTROL Routine, PVOID Context)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapter(Object);
    IOP_DMA_TRANSFER *Transfer =
        Registers <= Adapter->Registers ? IopMakeTransfer(Adapter, Device, Registers, 0) : NULL;
    if (Transfer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Transfer->Control = Routine;
    Transfer->RoutineContext = Context;
    return IopStartTransfer(Transfer, FALSE);
}

/* [WDK AllocateAdapterChannelEx] With DMA_SYNCHRONOUS_CALLBACK it is had at once, or STATUS_INSUFFICIENT_RESOURCES; then there may be no routine, and
 * the channel is freed with FreeAdapterObject. */
NTSTATUS NTAPI IopAllocateAdapterChannelEx(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext,
                                           ULONG Registers, ULONG Flags, PDRIVER_CONTROL Routine,
                                           PVOID Context, PVOID *MapRegisterBase)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapter(Object);
    BOOLEAN Immediately = (Flags & DMA_SYNCHRONOUS_CALLBACK) != 0;
    if (!IopIsDmaTransferContext(TransferContext) || (Routine == NULL && !Immediately))
        return STATUS_INVALID_PARAMETER;
    IOP_DMA_TRANSFER *Transfer =
        Registers <= Adapter->Registers ? IopMakeTransfer(Adapter, Device, Registers, 0) : NULL;
    if (Transfer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Transfer->Control = Routine;
    Transfer->RoutineContext = Context;
    Transfer->Context = TransferContext;
    if (MapRegisterBase != NULL)
        *MapRegisterBase = Transfer; /* before its routine may have freed it */
    NTSTATUS Status = IopStartTransfer(Transfer, Immediately);
    if (!NT_SUCCESS(Status) && MapRegisterBase != NULL)
        *MapRegisterBase = NULL;
    return Status;
}

/* --- no longer asking --- */

#define IOP_DMA_CONTEXT_MARK 0x74786354616d44ull

typedef struct _IOP_DMA_CONTEXT {
    ULONG64 Mark;
} IOP_DMA_CONTEXT;
_Static_assert(sizeof(IOP_DMA_CONTEXT) <= DMA_TRANSFER_CONTEXT_SIZE_V1, "it fits into the driver's buffer");

/* [WDK InitializeDmaTransferContext] */
NTSTATUS NTAPI IopInitializeDmaTransferContext(PDMA_ADAPTER Object, PVOID TransferContext)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    (void)IopDmaAdapter(Object);
    if (TransferContext == NULL)
        return STATUS_INVALID_PARAMETER;
    RtlZeroMemory(TransferContext, DMA_TRANSFER_CONTEXT_SIZE_V1);
    ((IOP_DMA_CONTEXT *)TransferContext)->Mark = IOP_DMA_CONTEXT_MARK;
    return STATUS_SUCCESS;
}

BOOLEAN IopIsDmaTransferContext(const VOID *TransferContext)
{
    return TransferContext != NULL &&
           ((const IOP_DMA_CONTEXT *)TransferContext)->Mark == IOP_DMA_CONTEXT_MARK;
}

static IOP_DMA_TRANSFER *IopWaitingTransferLocked(IOP_DMA_ADAPTER *Adapter, PVOID TransferContext)
{
    for (LIST_ENTRY *E = Adapter->Waiting.Flink; E != &Adapter->Waiting; E = E->Flink) {
        IOP_DMA_TRANSFER *Transfer = CONTAINING_RECORD(E, IOP_DMA_TRANSFER, Entry);
        if (Transfer->Context == TransferContext)
            return Transfer;
    }
    return NULL;
}

/* [WDK CancelAdapterChannel] TRUE: the request waited, its routine will not be called. */
BOOLEAN NTAPI IopCancelAdapterChannel(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(Device);
    if (TransferContext == NULL)
        return FALSE;
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapterLocked(Object);
    IOP_DMA_TRANSFER *Transfer = IopWaitingTransferLocked(Adapter, TransferContext);
    if (Transfer == NULL) {
        ArchReleaseLock(&IopDmaLock, OldIrql);
        return FALSE;
    }
    RemoveEntryList(&Transfer->Entry);
    if (Transfer->List != NULL)
        Adapter->ListsPut++;
    IopReleaseAndRun(Adapter, OldIrql); /* it may have held up the next */
    IopFreeTransfer(Transfer);
    return TRUE;
}

/* --- giving back --- */

/* [WDK FreeMapRegisters] FlushAdapterBuffers is called before, or what a device wrote is lost. */
static VOID IopRequireFlushed(const IOP_DMA_TRANSFER *Transfer)
{
    if (Transfer->Count != 0)
        IopBlameDma(IOP_DMA_STILL_MAPPED, Transfer->Used, (ULONG_PTR)Transfer, 0,
                    "map registers were freed before FlushAdapterBuffers was called for all that they map");
}

/* The channel and its registers. */
static VOID IopFreeChannel(PDMA_ADAPTER Object, BOOLEAN KeepRegisters, BOOLEAN MustBeHeld)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapterLocked(Object);
    if (!Adapter->Held && MustBeHeld)
        IopBlameDma(IOP_DMA_FREED_CHANNEL, 1, (ULONG_PTR)Object, 0,
                    "FreeAdapterChannel was called for an adapter whose channel nobody has");
    if (!KeepRegisters && Adapter->Holder != NULL)
        IopRequireFlushed(Adapter->Holder);
    IOP_DMA_TRANSFER *Gone = Adapter->Held ? IopLeaveChannelLocked(Adapter, KeepRegisters) : NULL;
    IopReleaseAndRun(Adapter, OldIrql);
    if (Gone != NULL)
        IopFreeTransfer(Gone);
}

/* [WDK FreeAdapterChannel] for a routine that returned KeepObject. The registers go too. */
VOID NTAPI IopFreeAdapterChannel(PDMA_ADAPTER Object)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    IopFreeChannel(Object, FALSE, TRUE);
}

/* [WDK FreeAdapterObject] KeepObject: nothing happens. A list never has the channel: nothing is to be done for it. */
VOID NTAPI IopFreeAdapterObject(PDMA_ADAPTER Object, IO_ALLOCATION_ACTION Action)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (Action != KeepObject)
        IopFreeChannel(Object, Action == DeallocateObjectKeepRegisters, FALSE);
}

/* [WDK FreeMapRegisters] for a routine that returned DeallocateObjectKeepRegisters; as many as were asked for. */
VOID NTAPI IopFreeMapRegisters(PDMA_ADAPTER Object, PVOID MapRegisterBase, ULONG Registers)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapterLocked(Object);
    IOP_DMA_TRANSFER *Transfer = IopGrantedTransferLocked(Adapter, MapRegisterBase);
    if (Transfer == NULL || Transfer->Registers != Registers)
        IopBlameDma(IOP_DMA_FREED_REGISTERS, Registers - (Transfer != NULL ? Transfer->Registers : 0),
                    (ULONG_PTR)MapRegisterBase, 0,
                    "map registers were freed that were freed before, or are not as many as were allocated");
    IopRequireFlushed(Transfer);
    RemoveEntryList(&Transfer->Entry);
    IopGiveRegistersLocked(Transfer);
    if (Adapter->Holder == Transfer)
        Adapter->Holder = NULL;
    IopReleaseAndRun(Adapter, OldIrql);
    IopFreeTransfer(Transfer);
}

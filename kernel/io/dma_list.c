/* SPDX-License-Identifier: MIT
 * Scatter/gather lists: all that a transfer needs in one request. A list has registers, but never the channel. */
#include "dma.h"
#include "ex.h"

/* --- filling one --- */

/* Behind the last element, or as a part of it. FALSE: no room. */
static BOOLEAN IopAddElement(PSCATTER_GATHER_LIST List, ULONG Elements, ULONG64 Logical, ULONG Length)
{
    PSCATTER_GATHER_ELEMENT Next = &List->Elements[List->NumberOfElements];
    if (List->NumberOfElements != 0 && (ULONG64)Next[-1].Address.QuadPart + Next[-1].Length == Logical) {
        Next[-1].Length += Length;
        return TRUE;
    }
    if (List->NumberOfElements == Elements)
        return FALSE;
    Next->Address.QuadPart = (LONG64)Logical;
    Next->Length = Length;
    Next->Reserved = 0;
    List->NumberOfElements++;
    return TRUE;
}

ULONG IopFillList(IOP_DMA_TRANSFER *Transfer, PSCATTER_GATHER_LIST List, ULONG Elements, IOP_DMA_PLACE Place,
                  ULONG Length, BOOLEAN Write)
{
    ULONG64 Logical;
    ULONG Mapped = 0;
    List->NumberOfElements = 0;
    List->Reserved = 0;
    if (!Transfer->Adapter->Gathers) {
        IopMapWhole(Transfer, Place, Length, Write, &Logical);
        IopAddElement(List, Elements, Logical, Length);
        return Length;
    }
    while (Mapped < Length) {
        IOP_DMA_MARK Before = IopMarkMapped(Transfer);
        ULONG Done = IopMapBlock(Transfer, &Place, Length - Mapped, Write, &Logical);
        if (!IopAddElement(List, Elements, Logical, Done)) {
            IopUnmapTo(Transfer, &Before);
            break;
        }
        Mapped += Done;
        IopDmaAdvance(&Place, Done);
    }
    return Mapped;
}

VOID IopDeliverList(IOP_DMA_TRANSFER *Transfer)
{
    (void)IopFillList(Transfer, Transfer->List, Transfer->Registers,
                      IopDmaPlace(Transfer->Mdl, Transfer->Offset), Transfer->Length, Transfer->Write);
    if (Transfer->ListControl != NULL)
        IopCallListControl(Transfer->ListControl, Transfer->Device, Transfer->Irp, Transfer->List,
                           Transfer->RoutineContext);
}

/* --- asking for one --- */

/* What the four routines ask for. */
typedef struct _IOP_DMA_REQUEST {
    PDEVICE_OBJECT Device;
    PVOID TransferContext; /* or NULL */
    PMDL Mdl;
    ULONG64 Offset;
    ULONG Length;
    PDRIVER_LIST_CONTROL Routine; /* NULL: none, it is had at once */
    PVOID Context;
    BOOLEAN Write, Immediately;
    PVOID Buffer; /* for the list; NULL: ours */
    ULONG BufferLength;
} IOP_DMA_REQUEST;

static NTSTATUS IopMakeList(IOP_DMA_ADAPTER *Adapter, const IOP_DMA_REQUEST *Request, IOP_DMA_TRANSFER **Made)
{
    ULONG Pages;
    if (Request->Length == 0)
        return STATUS_INVALID_PARAMETER;
    if (!IopDmaSpan(IopDmaPlace(Request->Mdl, Request->Offset), Request->Length, &Pages))
        return STATUS_BUFFER_TOO_SMALL;
    if (Pages > Adapter->Registers)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Request->Buffer != NULL && Request->BufferLength < IopListBytes(Pages))
        return STATUS_BUFFER_TOO_SMALL;
    IOP_DMA_TRANSFER *Transfer =
        IopMakeTransfer(Adapter, Request->Device, Pages, Request->Buffer != NULL ? 0 : IopListBytes(Pages));
    if (Transfer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Transfer->List =
        Request->Buffer != NULL ? Request->Buffer : (PVOID)&Transfer->Fragments[IOP_DMA_FRAGMENTS(Pages)];
    Transfer->ListControl = Request->Routine;
    Transfer->RoutineContext = Request->Context;
    Transfer->Context = Request->TransferContext;
    Transfer->Mdl = Request->Mdl;
    Transfer->Offset = Request->Offset;
    Transfer->Length = Request->Length;
    Transfer->Write = Request->Write;
    *Made = Transfer;
    return STATUS_SUCCESS;
}

/* List: where the list will be, told before the routine is called; or NULL. */
static NTSTATUS IopRequestList(PDMA_ADAPTER Object, const IOP_DMA_REQUEST *Request,
                               PSCATTER_GATHER_LIST *List)
{
    IOP_DMA_TRANSFER *Transfer;
    NTSTATUS Status = IopMakeList(IopDmaAdapter(Object), Request, &Transfer);
    if (!NT_SUCCESS(Status))
        return Status;
    if (List != NULL)
        *List = Transfer->List;
    Status = IopStartTransfer(Transfer, Request->Immediately);
    if (!NT_SUCCESS(Status) && List != NULL)
        *List = NULL;
    return Status;
}

/* [WDK GetScatterGatherList] STATUS_BUFFER_TOO_SMALL: Length is more than the MDLs have; STATUS_INSUFFICIENT_RESOURCES: it takes more registers than the
 * adapter has. The routine is called at once or when registers are free, at DISPATCH_LEVEL. */
NTSTATUS NTAPI IopGetScatterGatherList(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PMDL Mdl, PVOID CurrentVa,
                                       ULONG Length, PDRIVER_LIST_CONTROL Routine, PVOID Context,
                                       BOOLEAN WriteToDevice)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    const IOP_DMA_REQUEST Request = {.Device = Device,
                                     .Mdl = Mdl,
                                     .Offset = IopRequireOffset(Mdl, CurrentVa),
                                     .Length = Length,
                                     .Routine = Routine,
                                     .Context = Context,
                                     .Write = WriteToDevice};
    return IopRequestList(Object, &Request, NULL);
}

/* [WDK BuildScatterGatherList] the same in the driver's memory; STATUS_BUFFER_TOO_SMALL also when that is less than CalculateScatterGatherList said. */
NTSTATUS NTAPI IopBuildScatterGatherList(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PMDL Mdl,
                                         PVOID CurrentVa, ULONG Length, PDRIVER_LIST_CONTROL Routine,
                                         PVOID Context, BOOLEAN WriteToDevice, PVOID Buffer,
                                         ULONG BufferLength)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    const IOP_DMA_REQUEST Request = {.Device = Device,
                                     .Mdl = Mdl,
                                     .Offset = IopRequireOffset(Mdl, CurrentVa),
                                     .Length = Length,
                                     .Routine = Routine,
                                     .Context = Context,
                                     .Write = WriteToDevice,
                                     .Buffer = Buffer,
                                     .BufferLength = BufferLength};
    return IopRequestList(Object, &Request, NULL);
}

/* [WDK BuildScatterGatherListEx] With DMA_SYNCHRONOUS_CALLBACK it is had at once, or STATUS_INSUFFICIENT_RESOURCES; then there may be no routine. The
 * completion routine is system DMA's. */
NTSTATUS NTAPI IopBuildScatterGatherListEx(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext,
                                           PMDL Mdl, ULONGLONG Offset, ULONG Length, ULONG Flags,
                                           PDRIVER_LIST_CONTROL Routine, PVOID Context, BOOLEAN WriteToDevice,
                                           PVOID Buffer, ULONG BufferLength,
                                           PDMA_COMPLETION_ROUTINE Completion, PVOID CompletionContext,
                                           PVOID List)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(Completion);
    UNREFERENCED_PARAMETER(CompletionContext);
    const IOP_DMA_REQUEST Request = {.Device = Device,
                                     .TransferContext = TransferContext,
                                     .Mdl = Mdl,
                                     .Offset = Offset,
                                     .Length = Length,
                                     .Routine = Routine,
                                     .Context = Context,
                                     .Write = WriteToDevice,
                                     .Immediately = (Flags & DMA_SYNCHRONOUS_CALLBACK) != 0,
                                     .Buffer = Buffer,
                                     .BufferLength = BufferLength};
    if (!IopIsDmaTransferContext(TransferContext) ||
        (Routine == NULL && (!Request.Immediately || List == NULL)))
        return STATUS_INVALID_PARAMETER;
    return IopRequestList(Object, &Request, List);
}

/* [WDK GetScatterGatherListEx] the same with a list of ours. */
NTSTATUS NTAPI IopGetScatterGatherListEx(PDMA_ADAPTER Object, PDEVICE_OBJECT Device, PVOID TransferContext,
                                         PMDL Mdl, ULONGLONG Offset, ULONG Length, ULONG Flags,
                                         PDRIVER_LIST_CONTROL Routine, PVOID Context, BOOLEAN WriteToDevice,
                                         PDMA_COMPLETION_ROUTINE Completion, PVOID CompletionContext,
                                         PSCATTER_GATHER_LIST *List)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return IopBuildScatterGatherListEx(Object, Device, TransferContext, Mdl, Offset, Length, Flags, Routine,
                                       Context, WriteToDevice, NULL, 0, Completion, CompletionContext, List);
}

/* --- giving it back --- */

IOP_DMA_TRANSFER *IopGrantedListLocked(IOP_DMA_ADAPTER *Adapter, const SCATTER_GATHER_LIST *List)
{
    for (LIST_ENTRY *E = Adapter->Granted.Flink; E != &Adapter->Granted; E = E->Flink) {
        IOP_DMA_TRANSFER *Transfer = CONTAINING_RECORD(E, IOP_DMA_TRANSFER, Entry);
        if (Transfer->List == List && List != NULL)
            return Transfer;
    }
    return NULL;
}

static IOP_DMA_TRANSFER *IopTakeList(PDMA_ADAPTER Object, const SCATTER_GATHER_LIST *List)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapterLocked(Object);
    IOP_DMA_TRANSFER *Transfer = IopGrantedListLocked(Adapter, List);
    if (Transfer == NULL)
        IopBlameDma(IOP_DMA_FREED_LIST, Adapter->ListsGot, Adapter->ListsPut + 1, (ULONG_PTR)List,
                    "a scatter/gather list was put that the driver does not have from this adapter");
    RemoveEntryList(&Transfer->Entry);
    Adapter->ListsPut++;
    ArchReleaseLock(&IopDmaLock, OldIrql);
    return Transfer;
}

/* [WDK PutScatterGatherList] What the device wrote is in memory afterwards; the list and an MDL that was made of it are gone. */
VOID NTAPI IopPutScatterGatherList(PDMA_ADAPTER Object, PSCATTER_GATHER_LIST List, BOOLEAN WriteToDevice)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    IOP_DMA_TRANSFER *Transfer = IopTakeList(Object, List);
    if (!WriteToDevice)
        IopCopyBack(Transfer);
    if (Transfer->Target != NULL)
        IoFreeMdl(Transfer->Target);
    IopEndTransfer(Transfer);
}

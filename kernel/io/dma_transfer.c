/* SPDX-License-Identifier: MIT
 * MapTransfer and FlushAdapterBuffers: what a driver maps piece by piece with the map registers that it has. */
#include "dma.h"

/* The registers that the driver has; not NULL. */
static IOP_DMA_TRANSFER *IopTransferToMap(PDMA_ADAPTER Object, PVOID MapRegisterBase)
{
    IOP_DMA_TRANSFER *Transfer = IopGrantedTransfer(IopDmaAdapter(Object), MapRegisterBase);
    if (Transfer == NULL)
        IopBlameDma(IOP_DMA_MISCELLANEOUS, 2, 1, 0,
                    "memory was mapped with map registers that the driver does not have");
    return Transfer;
}

/* [WDK MapTransfer] *Length: how much is mapped, from the beginning on. Memory and device see the same from now on if the device reaches it; else what
 * it writes is in memory after FlushAdapterBuffers. */
PHYSICAL_ADDRESS NTAPI IopMapTransfer(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase, PVOID CurrentVa,
                                      PULONG Length, BOOLEAN WriteToDevice)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IOP_DMA_TRANSFER *Transfer = IopTransferToMap(Object, MapRegisterBase);
    IOP_DMA_PLACE Place = {Mdl, IopDmaOffset(Mdl, CurrentVa)};
    ULONG64 Logical = 0;
    if (Place.Offset == MAXULONG)
        IopBlameDma(IOP_DMA_NOT_IN_MDL, (ULONG_PTR)CurrentVa, (ULONG_PTR)Mdl, 0,
                    "MapTransfer was given an address that its MDL does not have");
    if (*Length > Mdl->ByteCount - Place.Offset)
        IopBlameDma(IOP_DMA_LONGER, 3, (ULONG_PTR)Mdl, *Length,
                    "MapTransfer was asked for more bytes than its MDL has");
    if (*Length == 0)
        IopBlameDma(IOP_DMA_EMPTY, (ULONG_PTR)Mdl, 0, 0, "MapTransfer was asked to map no bytes");
    *Length = IopMapBlock(Transfer, &Place, *Length, WriteToDevice, &Logical);
    return (PHYSICAL_ADDRESS){.QuadPart = (LONG64)Logical};
}

static DECLSPEC_NORETURN VOID IopFlushedTooMuch(ULONG Left, ULONG Asked)
{
    IopBlameDma(IOP_DMA_MISCELLANEOUS, 1, Left, Asked,
                "FlushAdapterBuffers was asked for bytes that the MDL or the map registers do not have");
}

/* [WDK FlushAdapterBuffers] TRUE. What the device wrote is in memory afterwards. */
BOOLEAN NTAPI IopFlushAdapterBuffers(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase, PVOID CurrentVa,
                                     ULONG Length, BOOLEAN WriteToDevice)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IOP_DMA_TRANSFER *Transfer = IopGrantedTransfer(IopDmaAdapter(Object), MapRegisterBase);
    IOP_DMA_PLACE Place = {Mdl, IopDmaOffset(Mdl, CurrentVa)};
    if (Transfer == NULL || Place.Offset == MAXULONG || Length > Mdl->ByteCount - Place.Offset)
        IopFlushedTooMuch(Place.Offset == MAXULONG ? 0 : Mdl->ByteCount - Place.Offset, Length);
    IopFlush(Transfer, &Place, Length, WriteToDevice);
    return TRUE;
}

/* [WDK FlushAdapterBuffersEx] the same of a chain. */
NTSTATUS NTAPI IopFlushAdapterBuffersEx(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase,
                                        ULONGLONG Offset, ULONG Length, BOOLEAN WriteToDevice)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IOP_DMA_TRANSFER *Transfer = IopGrantedTransfer(IopDmaAdapter(Object), MapRegisterBase);
    IOP_DMA_PLACE Place = IopDmaPlace(Mdl, Offset);
    ULONG Pages;
    if (Transfer == NULL || !IopDmaSpan(Place, Length, &Pages))
        IopFlushedTooMuch(0, Length);
    while (Length != 0) {
        ULONG Here = min(Length, Place.Mdl->ByteCount - Place.Offset);
        IopFlush(Transfer, &Place, Here, WriteToDevice);
        Length -= Here;
        IopDmaAdvance(&Place, Here);
    }
    return STATUS_SUCCESS;
}

/* [WDK MapTransferEx] *Length: as much as there are registers and elements for. STATUS_INVALID_PARAMETER: the chain is shorter, or there is room for no
 * element; STATUS_INSUFFICIENT_RESOURCES: no register is left. The completion routine and DeviceOffset are system DMA's. */
NTSTATUS NTAPI IopMapTransferEx(PDMA_ADAPTER Object, PMDL Mdl, PVOID MapRegisterBase, ULONGLONG Offset,
                                ULONG DeviceOffset, PULONG Length, BOOLEAN WriteToDevice,
                                PSCATTER_GATHER_LIST Buffer, ULONG BufferLength,
                                PDMA_COMPLETION_ROUTINE Completion, PVOID CompletionContext)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(DeviceOffset);
    UNREFERENCED_PARAMETER(Completion);
    UNREFERENCED_PARAMETER(CompletionContext);
    IOP_DMA_TRANSFER *Transfer = IopTransferToMap(Object, MapRegisterBase);
    IOP_DMA_PLACE Place = IopDmaPlace(Mdl, Offset);
    ULONG Pages;
    if (Buffer == NULL || BufferLength < IopListBytes(1) || *Length == 0 ||
        !IopDmaSpan(Place, *Length, &Pages))
        return STATUS_INVALID_PARAMETER;
    ULONG Fits = IopDmaFit(Place, *Length, Transfer->Registers - Transfer->Used);
    if (Fits == 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    ULONG Elements = (BufferLength - IopListBytes(0)) / (ULONG)sizeof(SCATTER_GATHER_ELEMENT);
    *Length = IopFillList(Transfer, Buffer, Elements, Place, Fits, WriteToDevice);
    return STATUS_SUCCESS;
}

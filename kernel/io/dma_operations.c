/* SPDX-License-Identifier: MIT
 * The DMA operations, by version, and those that only tell something. */
#include "dma.h"

/* [WDK GetDmaAlignment] DMA is coherent with the processors' caches: any address will do. */
static ULONG NTAPI IopGetDmaAlignment(PDMA_ADAPTER Object)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    (void)IopDmaAdapter(Object);
    return 1;
}

/* [WDK ReadDmaCounter] is for system DMA, of which nothing ever runs (D-263). */
static ULONG NTAPI IopReadDmaCounter(PDMA_ADAPTER Object)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    (void)IopDmaAdapter(Object);
    return 0;
}

static ULONG IopAddressWidth(ULONG64 Highest)
{
    ULONG Width = 0;
    while (Highest != 0) {
        Highest >>= 1;
        Width++;
    }
    return Width;
}

/* [WDK GetDmaAdapterInfo] STATUS_NOT_SUPPORTED for a version that there is not. */
static NTSTATUS NTAPI IopGetDmaAdapterInfo(PDMA_ADAPTER Object, PDMA_ADAPTER_INFO Info)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    const IOP_DMA_ADAPTER *Adapter = IopDmaAdapter(Object);
    if (Info->Version != DMA_ADAPTER_INFO_VERSION1)
        return STATUS_NOT_SUPPORTED;
    Info->V1.ReadDmaCounterAvailable = FALSE;
    Info->V1.ScatterGatherLimit = Adapter->Gathers ? Adapter->Registers : 1;
    Info->V1.DmaAddressWidth = IopAddressWidth(Adapter->Highest);
    Info->V1.Flags = 0;
    Info->V1.MinimumTransferUnit = 1;
    return STATUS_SUCCESS;
}

/* --- the tables --- */

/* [WDK DMA_OPERATIONS] of version 3; what only system DMA, IOMMU domains and vectors of common buffers have is NULL (D-263). */
static const DMA_OPERATIONS IopDmaOperations3 = {
    .Size = sizeof(DMA_OPERATIONS),
    .PutDmaAdapter = IopPutDmaAdapter,
    .AllocateCommonBuffer = IopAllocateCommonBuffer,
    .FreeCommonBuffer = IopFreeCommonBuffer,
    .AllocateAdapterChannel = IopAllocateAdapterChannel,
    .FlushAdapterBuffers = IopFlushAdapterBuffers,
    .FreeAdapterChannel = IopFreeAdapterChannel,
    .FreeMapRegisters = IopFreeMapRegisters,
    .MapTransfer = IopMapTransfer,
    .GetDmaAlignment = IopGetDmaAlignment,
    .ReadDmaCounter = IopReadDmaCounter,
    .GetScatterGatherList = IopGetScatterGatherList,
    .PutScatterGatherList = IopPutScatterGatherList,
    .CalculateScatterGatherList = IopCalculateScatterGatherList,
    .BuildScatterGatherList = IopBuildScatterGatherList,
    .BuildMdlFromScatterGatherList = IopBuildMdlFromScatterGatherList,
    .GetDmaAdapterInfo = IopGetDmaAdapterInfo,
    .GetDmaTransferInfo = IopGetDmaTransferInfo,
    .InitializeDmaTransferContext = IopInitializeDmaTransferContext,
    .AllocateCommonBufferEx = IopAllocateCommonBufferEx,
    .AllocateAdapterChannelEx = IopAllocateAdapterChannelEx,
    .CancelAdapterChannel = IopCancelAdapterChannel,
    .MapTransferEx = IopMapTransferEx,
    .GetScatterGatherListEx = IopGetScatterGatherListEx,
    .BuildScatterGatherListEx = IopBuildScatterGatherListEx,
    .FlushAdapterBuffersEx = IopFlushAdapterBuffersEx,
    .FreeAdapterObject = IopFreeAdapterObject,
};

static const DMA_OPERATIONS IopDmaOperations2 = {
    .Size = FIELD_OFFSET(DMA_OPERATIONS, GetDmaAdapterInfo),
    .PutDmaAdapter = IopPutDmaAdapter,
    .AllocateCommonBuffer = IopAllocateCommonBuffer,
    .FreeCommonBuffer = IopFreeCommonBuffer,
    .AllocateAdapterChannel = IopAllocateAdapterChannel,
    .FlushAdapterBuffers = IopFlushAdapterBuffers,
    .FreeAdapterChannel = IopFreeAdapterChannel,
    .FreeMapRegisters = IopFreeMapRegisters,
    .MapTransfer = IopMapTransfer,
    .GetDmaAlignment = IopGetDmaAlignment,
    .ReadDmaCounter = IopReadDmaCounter,
    .GetScatterGatherList = IopGetScatterGatherList,
    .PutScatterGatherList = IopPutScatterGatherList,
    .CalculateScatterGatherList = IopCalculateScatterGatherList,
    .BuildScatterGatherList = IopBuildScatterGatherList,
    .BuildMdlFromScatterGatherList = IopBuildMdlFromScatterGatherList,
};

static const DMA_OPERATIONS IopDmaOperations1 = {
    .Size = FIELD_OFFSET(DMA_OPERATIONS, CalculateScatterGatherList),
    .PutDmaAdapter = IopPutDmaAdapter,
    .AllocateCommonBuffer = IopAllocateCommonBuffer,
    .FreeCommonBuffer = IopFreeCommonBuffer,
    .AllocateAdapterChannel = IopAllocateAdapterChannel,
    .FlushAdapterBuffers = IopFlushAdapterBuffers,
    .FreeAdapterChannel = IopFreeAdapterChannel,
    .FreeMapRegisters = IopFreeMapRegisters,
    .MapTransfer = IopMapTransfer,
    .GetDmaAlignment = IopGetDmaAlignment,
    .ReadDmaCounter = IopReadDmaCounter,
    .GetScatterGatherList = IopGetScatterGatherList,
    .PutScatterGatherList = IopPutScatterGatherList,
};

/* [WDK DEVICE_DESCRIPTION] its versions 0 and 1 get version 1 of the operations, 2 and 3 their own. */
static const DMA_OPERATIONS *const IopDmaOperations[] = {&IopDmaOperations1, &IopDmaOperations1,
                                                         &IopDmaOperations2, &IopDmaOperations3};

const DMA_OPERATIONS *IopDmaOperationsOf(ULONG Version)
{
    return Version < RTL_NUMBER_OF(IopDmaOperations) ? IopDmaOperations[Version] : NULL;
}

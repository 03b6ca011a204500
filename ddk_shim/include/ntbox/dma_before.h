/* SPDX-License-Identifier: MIT
 * DMA_OPERATIONS and DEVICE_DESCRIPTION of the mingw-w64 headers end where version 2 does. Their last members get company here, while
 * wdm.h is read; ntbox/dma.h takes the macros away. [WDK DMA_OPERATIONS, DEVICE_DESCRIPTION] have the order. */
#ifndef NTBOX_DMA_BEFORE_H
#define NTBOX_DMA_BEFORE_H

struct _DMA_ADAPTER_INFO;
struct _DMA_TRANSFER_INFO;
struct _DMA_COMMON_BUFFER_VECTOR;
struct _DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION;

#define NTBOX_DMA_COMPLETION                                                                                 \
    VOID(NTAPI *DmaCompletionRoutine)(PDMA_ADAPTER, PDEVICE_OBJECT, PVOID, DMA_COMPLETION_STATUS),           \
        PVOID CompletionContext

#define BuildMdlFromScatterGatherList                                                                        \
    BuildMdlFromScatterGatherList;                                                                           \
    NTSTATUS(NTAPI *GetDmaAdapterInfo)(PDMA_ADAPTER, struct _DMA_ADAPTER_INFO *);                            \
    NTSTATUS(NTAPI *GetDmaTransferInfo)                                                                      \
    (PDMA_ADAPTER, PMDL, ULONGLONG Offset, ULONG Length, BOOLEAN WriteOnly, struct _DMA_TRANSFER_INFO *);    \
    NTSTATUS(NTAPI *InitializeDmaTransferContext)(PDMA_ADAPTER, PVOID DmaTransferContext);                   \
    PVOID(NTAPI *AllocateCommonBufferEx)                                                                     \
    (PDMA_ADAPTER, PPHYSICAL_ADDRESS MaximumAddress, ULONG Length, PPHYSICAL_ADDRESS LogicalAddress,         \
     BOOLEAN CacheEnabled, ULONG PreferredNode);                                                             \
    NTSTATUS(NTAPI *AllocateAdapterChannelEx)                                                                \
    (PDMA_ADAPTER, PDEVICE_OBJECT, PVOID DmaTransferContext, ULONG NumberOfMapRegisters, ULONG Flags,        \
     PDRIVER_CONTROL ExecutionRoutine, PVOID ExecutionContext, PVOID * MapRegisterBase);                     \
    NTSTATUS(NTAPI *ConfigureAdapterChannel)(PDMA_ADAPTER, ULONG FunctionNumber, PVOID Context);             \
    BOOLEAN(NTAPI *CancelAdapterChannel)(PDMA_ADAPTER, PDEVICE_OBJECT, PVOID DmaTransferContext);            \
    NTSTATUS(NTAPI *MapTransferEx)                                                                           \
    (PDMA_ADAPTER, PMDL, PVOID MapRegisterBase, ULONGLONG Offset, ULONG DeviceOffset, PULONG Length,         \
     BOOLEAN WriteToDevice, PSCATTER_GATHER_LIST ScatterGatherBuffer, ULONG ScatterGatherBufferLength,       \
     NTBOX_DMA_COMPLETION);                                                                                  \
    NTSTATUS(NTAPI *GetScatterGatherListEx)                                                                  \
    (PDMA_ADAPTER, PDEVICE_OBJECT, PVOID DmaTransferContext, PMDL, ULONGLONG Offset, ULONG Length,           \
     ULONG Flags, PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context, BOOLEAN WriteToDevice,               \
     NTBOX_DMA_COMPLETION, PSCATTER_GATHER_LIST * ScatterGatherList);                                        \
    NTSTATUS(NTAPI *BuildScatterGatherListEx)                                                                \
    (PDMA_ADAPTER, PDEVICE_OBJECT, PVOID DmaTransferContext, PMDL, ULONGLONG Offset, ULONG Length,           \
     ULONG Flags, PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context, BOOLEAN WriteToDevice,               \
     PVOID ScatterGatherBuffer, ULONG ScatterGatherLength, NTBOX_DMA_COMPLETION, PVOID ScatterGatherList);   \
    NTSTATUS(NTAPI *FlushAdapterBuffersEx)                                                                   \
    (PDMA_ADAPTER, PMDL, PVOID MapRegisterBase, ULONGLONG Offset, ULONG Length, BOOLEAN WriteToDevice);      \
    VOID(NTAPI *FreeAdapterObject)(PDMA_ADAPTER, IO_ALLOCATION_ACTION);                                      \
    NTSTATUS(NTAPI *CancelMappedTransfer)(PDMA_ADAPTER, PVOID DmaTransferContext);                           \
    NTSTATUS(NTAPI *AllocateDomainCommonBuffer)                                                              \
    (PDMA_ADAPTER, HANDLE DomainHandle, PPHYSICAL_ADDRESS MaximumAddress, ULONG Length, ULONG Flags,         \
     MEMORY_CACHING_TYPE * CacheType, ULONG PreferredNode, PPHYSICAL_ADDRESS LogicalAddress,                 \
     PVOID * VirtualAddress);                                                                                \
    NTSTATUS(NTAPI *FlushDmaBuffer)(PDMA_ADAPTER, PMDL, BOOLEAN ReadOperation);                              \
    NTSTATUS(NTAPI *JoinDmaDomain)(PDMA_ADAPTER, HANDLE DomainHandle);                                       \
    NTSTATUS(NTAPI *LeaveDmaDomain)(PDMA_ADAPTER);                                                           \
    HANDLE(NTAPI *GetDmaDomain)(PDMA_ADAPTER);                                                               \
    PVOID(NTAPI *AllocateCommonBufferWithBounds)                                                             \
    (PDMA_ADAPTER, PPHYSICAL_ADDRESS MinimumAddress, PPHYSICAL_ADDRESS MaximumAddress, ULONG Length,         \
     ULONG Flags, MEMORY_CACHING_TYPE * CacheType, ULONG PreferredNode, PPHYSICAL_ADDRESS LogicalAddress);   \
    NTSTATUS(NTAPI *AllocateCommonBufferVector)                                                              \
    (PDMA_ADAPTER, PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress, MEMORY_CACHING_TYPE,           \
     ULONG IdealNode, ULONG Flags, ULONG NumberOfElements, ULONGLONG SizeOfElements,                         \
     struct _DMA_COMMON_BUFFER_VECTOR * *VectorOut);                                                         \
    VOID(NTAPI *GetCommonBufferFromVectorByIndex)                                                            \
    (PDMA_ADAPTER, struct _DMA_COMMON_BUFFER_VECTOR *, ULONG Index, PVOID * VirtualAddressOut,               \
     PPHYSICAL_ADDRESS LogicalAddressOut);                                                                   \
    VOID(NTAPI *FreeCommonBufferFromVector)                                                                  \
    (PDMA_ADAPTER, struct _DMA_COMMON_BUFFER_VECTOR *, ULONG Index);                                         \
    VOID(NTAPI *FreeCommonBufferVector)(PDMA_ADAPTER, struct _DMA_COMMON_BUFFER_VECTOR *);                   \
    NTSTATUS(NTAPI *CreateCommonBufferFromMdl)                                                               \
    (PDMA_ADAPTER, PMDL, struct _DMA_COMMON_BUFFER_EXTENDED_CONFIGURATION *, ULONG ExtendedConfigsCount,     \
     PPHYSICAL_ADDRESS LogicalAddress)

#define DmaPort                                                                                              \
    DmaPort;                                                                                                 \
    ULONG DmaAddressWidth;                                                                                   \
    ULONG DmaControllerInstance;                                                                             \
    ULONG DmaRequestLine;                                                                                    \
    PHYSICAL_ADDRESS DeviceAddress
#endif

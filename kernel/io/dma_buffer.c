/* SPDX-License-Identifier: MIT
 * Common buffers: memory that a device and the processors share for as long as the driver wants. */
#include "dma.h"
#include "ex.h"
#include "mm.h"

VOID IopReleaseBuffer(IOP_DMA_BUFFER *Buffer)
{
    MmFreeContiguousMemory(Buffer->Virtual);
    ExFreePoolWithTag(Buffer, IOP_TAG_DMA);
}

static PVOID IopMakeBuffer(IOP_DMA_ADAPTER *Adapter, ULONG64 Limit, ULONG Length, MEMORY_CACHING_TYPE Cache,
                           PPHYSICAL_ADDRESS LogicalAddress)
{
    PHYSICAL_ADDRESS None = {0}, Highest = {.QuadPart = (LONG64)min(Limit, Adapter->Highest)};
    IOP_DMA_BUFFER *Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Buffer), IOP_TAG_DMA);
    if (Buffer == NULL)
        return NULL;
    Buffer->Virtual = MmAllocateContiguousMemorySpecifyCache(Length, None, Highest, None, Cache);
    if (Buffer->Virtual == NULL) {
        ExFreePoolWithTag(Buffer, IOP_TAG_DMA);
        return NULL;
    }
    *LogicalAddress = MmGetPhysicalAddress(Buffer->Virtual);
    Buffer->Physical = (ULONG64)LogicalAddress->QuadPart;
    Buffer->Length = Length;
    PVOID Virtual = Buffer->Virtual;
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    InsertTailList(&Adapter->Buffers, &Buffer->Entry);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    return Virtual;
}

/* [WDK AllocateCommonBuffer] whole pages, consecutive, below what the device reaches; NULL: there are none. CacheEnabled is
 * ignored: DMA is coherent here, the memory is cached. */
PVOID NTAPI IopAllocateCommonBuffer(PDMA_ADAPTER Object, ULONG Length, PPHYSICAL_ADDRESS LogicalAddress,
                                    BOOLEAN CacheEnabled)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(CacheEnabled);
    return IopMakeBuffer(IopDmaAdapter(Object), MAXULONG64, Length, MmCached, LogicalAddress);
}

/* [WDK AllocateCommonBufferEx] with a limit of its own, and not cached if the driver wants it so. There is one node, 0: another is a preference that nothing can be done for. */
PVOID NTAPI IopAllocateCommonBufferEx(PDMA_ADAPTER Object, PPHYSICAL_ADDRESS MaximumAddress, ULONG Length,
                                      PPHYSICAL_ADDRESS LogicalAddress, BOOLEAN CacheEnabled,
                                      ULONG PreferredNode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(PreferredNode);
    return IopMakeBuffer(IopDmaAdapter(Object),
                         MaximumAddress != NULL ? (ULONG64)MaximumAddress->QuadPart : MAXULONG64, Length,
                         CacheEnabled ? MmCached : MmNonCached, LogicalAddress);
}

static IOP_DMA_BUFFER *IopFindBufferLocked(IOP_DMA_ADAPTER *Adapter, const VOID *Virtual)
{
    for (LIST_ENTRY *E = Adapter->Buffers.Flink; E != &Adapter->Buffers; E = E->Flink) {
        IOP_DMA_BUFFER *Buffer = CONTAINING_RECORD(E, IOP_DMA_BUFFER, Entry);
        if (Buffer->Virtual == Virtual)
            return Buffer;
    }
    return NULL;
}

/* [WDK FreeCommonBuffer] with the adapter, the length and the addresses of the allocation. */
VOID NTAPI IopFreeCommonBuffer(PDMA_ADAPTER Object, ULONG Length, PHYSICAL_ADDRESS LogicalAddress,
                               PVOID VirtualAddress, BOOLEAN CacheEnabled)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(CacheEnabled);
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_BUFFER *Buffer = IopFindBufferLocked(IopDmaAdapterLocked(Object), VirtualAddress);
    if (Buffer == NULL || Buffer->Length != Length || Buffer->Physical != (ULONG64)LogicalAddress.QuadPart)
        IopBlameDma(IOP_DMA_FREED_BUFFER, 1, (ULONG_PTR)VirtualAddress, Length,
                    "FreeCommonBuffer was given what is no common buffer of this adapter");
    RemoveEntryList(&Buffer->Entry);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    IopReleaseBuffer(Buffer);
}

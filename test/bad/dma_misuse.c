/* SPDX-License-Identifier: MIT
 * Leaves a DMA adapter and what it got from it; puts one that has something left; uses one that was put; maps more than it has map registers for. */
#define DEVICE_NAME L"\\Device\\NtboxDma"
#include "rules.h"

static PDMA_ADAPTER Get(VOID)
{
    ULONG Registers;
    DEVICE_DESCRIPTION Description = {.Version = DEVICE_DESCRIPTION_VERSION2,
                                      .Master = TRUE,
                                      .ScatterGather = TRUE,
                                      .Dma32BitAddresses = TRUE,
                                      .InterfaceType = PCIBus,
                                      .MaximumLength = 4 * PAGE_SIZE};
    PDMA_ADAPTER Adapter = IoGetDmaAdapter(NULL, &Description, &Registers);
    if (Adapter == NULL)
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
    return Adapter;
}

static PDMA_ADAPTER GetWithBuffer(VOID)
{
    PHYSICAL_ADDRESS Logical;
    PDMA_ADAPTER Adapter = Get();
    if (Adapter->DmaOperations->AllocateCommonBuffer(Adapter, 2 * PAGE_SIZE, &Logical, TRUE) == NULL)
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
    return Adapter;
}

BREAKS Leave(VOID)
{
    GetWithBuffer();
}

BREAKS PutTooEarly(VOID)
{
    PDMA_ADAPTER Adapter = GetWithBuffer();
    Adapter->DmaOperations->PutDmaAdapter(Adapter);
}

BREAKS UseAfterPut(VOID)
{
    PDMA_ADAPTER Adapter = Get();
    PDMA_OPERATIONS Operations = Adapter->DmaOperations;
    PHYSICAL_ADDRESS Logical;
    Operations->PutDmaAdapter(Adapter);
    Operations->AllocateCommonBuffer(Adapter, PAGE_SIZE, &Logical, TRUE);
}

static PDEVICE_OBJECT RulesDevice;
static PDMA_ADAPTER Mapping;
static PMDL Pages;

static IO_ALLOCATION_ACTION NTAPI MapMore(PDEVICE_OBJECT Device, PIRP Irp, PVOID Base, PVOID Context)
{
    ULONG Length = MmGetMdlByteCount(Pages);
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    for (ULONG Done = 0; Done < MmGetMdlByteCount(Pages); Done += Length) {
        Length = MmGetMdlByteCount(Pages) - Done;
        Mapping->DmaOperations->MapTransfer(Mapping, Pages, Base,
                                            (PUCHAR)MmGetMdlVirtualAddress(Pages) + Done, &Length, TRUE);
    }
    return DeallocateObject;
}

/* One map register, four pages. */
BREAKS MapTooMuch(VOID)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = 0}, High = {.QuadPart = -1}, Skip = {.QuadPart = 0};
    KIRQL OldIrql;
    Mapping = Get();
    Pages = MmAllocatePagesForMdlEx(Low, High, Skip, 4 * PAGE_SIZE, MmCached, MM_ALLOCATE_FULLY_REQUIRED);
    if (Pages == NULL)
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Mapping->DmaOperations->AllocateAdapterChannel(Mapping, RulesDevice, 1, MapMore, NULL);
    KeLowerIrql(OldIrql);
}

static VOID (*const Rules[])(VOID) = {Leave, PutTooEarly, UseAfterPut, MapTooMuch};
RULES(Rules, RulesDevice = Device)

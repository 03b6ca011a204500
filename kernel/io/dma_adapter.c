/* SPDX-License-Identifier: MIT
 * DMA adapters: what the device of one can reach, the pages that stand in for what it cannot, and the operations that a driver gets. */
#include "dma.h"
#include "ex.h"
#include "kd.h"
#include "mm.h"

ARCH_LOCK IopDmaLock = ARCH_LOCK_INIT("IopDmaLock", LockRankIoDma, DISPATCH_LEVEL);
static LIST_ENTRY IopDmaAdapters = {&IopDmaAdapters, &IopDmaAdapters}; /* (a) */

#define IOP_HIGHEST_ISA 0xffffffull
#define IOP_HIGHEST_32 0xffffffffull
/* At most so many pages stand in for memory that a device does not reach. */
#define IOP_PAGES_ISA 64u
#define IOP_PAGES 512u

/* --- what is asked for --- */

/* [WDK DEVICE_DESCRIPTION] From version 3 on a width says it; before, two flags. A device that says nothing has 24 address lines on the ISA bus and 32
 * elsewhere. */
static ULONG64 IopHighestAddress(const DEVICE_DESCRIPTION *Device)
{
    if (Device->Version >= DEVICE_DESCRIPTION_VERSION3)
        return MAXULONG64 >> (64 - Device->DmaAddressWidth);
    if (Device->Dma64BitAddresses)
        return MAXULONG64;
    if (Device->InterfaceType == Isa && !Device->Dma32BitAddresses)
        return IOP_HIGHEST_ISA;
    return IOP_HIGHEST_32;
}

static BOOLEAN IopReachesAllMemory(ULONG64 Highest)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    return ((ULONG64)Counters.HighestPage << PAGE_SHIFT) + (PAGE_SIZE - 1) <= Highest;
}

/* Pages that so many bytes touch, wherever they begin. */
static ULONG IopSpanAnywhere(ULONG Bytes)
{
    return (ULONG)(((ULONG64)Bytes + 2 * PAGE_SIZE - 2) >> PAGE_SHIFT);
}

/* --- making and freeing --- */

/* As many pages as there are below the limit, if not all that are wanted. */
static BOOLEAN IopAllocatePages(IOP_DMA_ADAPTER *Adapter)
{
    PHYSICAL_ADDRESS None = {0}, Highest = {.QuadPart = (LONG64)Adapter->Highest};
    while (Adapter->Registers != 0) {
        Adapter->Pages = MmAllocateContiguousMemorySpecifyCache((SIZE_T)Adapter->Registers << PAGE_SHIFT,
                                                                None, Highest, None, MmCached);
        if (Adapter->Pages != NULL) {
            Adapter->PagesPhysical = (ULONG64)MmGetPhysicalAddress(Adapter->Pages).QuadPart;
            return TRUE;
        }
        Adapter->Registers /= 2;
    }
    return FALSE;
}

static IOP_DMA_ADAPTER *IopMakeAdapter(const DEVICE_DESCRIPTION *Device, PVOID Owner)
{
    ULONG64 Highest = IopHighestAddress(Device);
    BOOLEAN Bounces = !Device->ScatterGather || !IopReachesAllMemory(Highest);
    ULONG Registers = IopSpanAnywhere(Device->MaximumLength);
    if (Bounces)
        Registers = min(Registers, Highest <= IOP_HIGHEST_ISA ? IOP_PAGES_ISA : IOP_PAGES);
    SIZE_T Size = sizeof(IOP_DMA_ADAPTER) + (Bounces ? ALIGN_UP_BY(Registers, 32) / 8 : 0);
    IOP_DMA_ADAPTER *Adapter = ExAllocatePoolWithTag(NonPagedPoolNx, Size, IOP_TAG_DMA);
    if (Adapter == NULL)
        return NULL;
    RtlZeroMemory(Adapter, Size);
    Adapter->Highest = Highest;
    Adapter->Gathers = Device->ScatterGather;
    Adapter->Bounces = Bounces;
    Adapter->Registers = Registers;
    Adapter->References = 1;
    Adapter->Owner = Owner;
    InitializeListHead(&Adapter->Waiting);
    InitializeListHead(&Adapter->Granted);
    InitializeListHead(&Adapter->Buffers);
    if (Bounces && !IopAllocatePages(Adapter)) {
        ExFreePoolWithTag(Adapter, IOP_TAG_DMA);
        return NULL;
    }
    if (Bounces)
        RtlInitializeBitMap(&Adapter->InUse, (PULONG)(Adapter + 1), Adapter->Registers);
    return Adapter;
}

VOID IopDereferenceAdapter(IOP_DMA_ADAPTER *Adapter)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    BOOLEAN Last = --Adapter->References == 0;
    ArchReleaseLock(&IopDmaLock, OldIrql);
    if (!Last)
        return;
    if (Adapter->Pages != NULL)
        MmFreeContiguousMemory(Adapter->Pages);
    ExFreePoolWithTag(Adapter, IOP_TAG_DMA);
}

/* --- finding --- */

IOP_DMA_ADAPTER *IopDmaAdapterLocked(PDMA_ADAPTER Object)
{
    for (LIST_ENTRY *E = IopDmaAdapters.Flink; E != &IopDmaAdapters; E = E->Flink) {
        IOP_DMA_ADAPTER *Adapter = CONTAINING_RECORD(E, IOP_DMA_ADAPTER, Entry);
        if (&Adapter->Object == Object)
            return Adapter;
    }
    IopBlameDma(Object == NULL ? IOP_DMA_NULL : IOP_DMA_RELEASED, (ULONG_PTR)Object, 0, 0,
                "a DMA operation was called with an adapter that was put, or is none");
}

IOP_DMA_ADAPTER *IopDmaAdapter(PDMA_ADAPTER Object)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapterLocked(Object);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    return Adapter;
}

/* --- putting it --- */

static ULONG IopCountLocked(const LIST_ENTRY *List)
{
    ULONG Count = 0;
    for (const LIST_ENTRY *E = List->Flink; E != List; E = E->Flink)
        Count++;
    return Count;
}

/* [WDK Bug Check 0xE6] 7 to 0xA: the driver has not freed all that it got from the adapter. */
static VOID IopRequireNothingLeftLocked(const IOP_DMA_ADAPTER *Adapter)
{
    ULONG Buffers = IopCountLocked(&Adapter->Buffers);
    ULONG Transfers = IopCountLocked(&Adapter->Granted) + IopCountLocked(&Adapter->Waiting);
    ULONG Lists = Adapter->ListsGot - Adapter->ListsPut;
    if (Buffers != 0)
        IopBlameDma(IOP_DMA_LEFT_BUFFERS, (ULONG_PTR)Adapter, Buffers, 0,
                    "a DMA adapter was put before its common buffers were freed");
    if (Adapter->Held)
        IopBlameDma(IOP_DMA_LEFT_CHANNEL, (ULONG_PTR)Adapter, 1, 0,
                    "a DMA adapter was put before its channel was freed");
    if (Lists != 0)
        IopBlameDma(IOP_DMA_LEFT_LISTS, (ULONG_PTR)Adapter, Lists, 0,
                    "a DMA adapter was put before its scatter/gather lists were");
    if (Transfers != 0)
        IopBlameDma(IOP_DMA_LEFT_REGISTERS, (ULONG_PTR)Adapter, Transfers, 0,
                    "a DMA adapter was put before its map registers were freed");
}

/* [WDK PutDmaAdapter] all that was got from it is freed before. */
VOID NTAPI IopPutDmaAdapter(PDMA_ADAPTER Object)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    IOP_DMA_ADAPTER *Adapter = IopDmaAdapterLocked(Object);
    IopRequireNothingLeftLocked(Adapter);
    RemoveEntryList(&Adapter->Entry);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    IopDereferenceAdapter(Adapter);
}

/* --- getting one --- */

static BOOLEAN IopCanServe(const DEVICE_DESCRIPTION *Device)
{
    if (IopDmaOperationsOf(Device->Version) == NULL)
        return FALSE;
    if (Device->Version == DEVICE_DESCRIPTION_VERSION3 &&
        (Device->DmaAddressWidth == 0 || Device->DmaAddressWidth > 64))
        return FALSE;
    if (!Device->Master)
        KdLog("IoGetDmaAdapter: a device that is no bus master needs a system DMA controller; there is none");
    return Device->Master;
}

/* [WDK IoGetDmaAdapter] NULL: memory is short, or the device is not one that can be served (D-263). The device object does not matter here.
 * PASSIVE_LEVEL. */
DECLSPEC_NOINLINE PDMA_ADAPTER NTAPI IoGetDmaAdapter(PDEVICE_OBJECT PhysicalDeviceObject,
                                                     PDEVICE_DESCRIPTION DeviceDescription,
                                                     PULONG NumberOfMapRegisters)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNREFERENCED_PARAMETER(PhysicalDeviceObject);
    if (!IopCanServe(DeviceDescription))
        return NULL;
    IOP_DMA_ADAPTER *Adapter = IopMakeAdapter(DeviceDescription, __builtin_return_address(0));
    if (Adapter == NULL)
        return NULL;
    Adapter->Object.Version = 1; /* [WDK IoGetDmaAdapter] whatever the version of the operations */
    Adapter->Object.Size = sizeof(DMA_ADAPTER);
    Adapter->Object.DmaOperations = (PDMA_OPERATIONS)IopDmaOperationsOf(DeviceDescription->Version);
    *NumberOfMapRegisters = Adapter->Registers;
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    InsertTailList(&IopDmaAdapters, &Adapter->Entry);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    return &Adapter->Object;
}

IOP_DMA_ADAPTER *IopTakeAdapterOf(PIM_MODULE Module)
{
    IOP_DMA_ADAPTER *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&IopDmaLock);
    for (LIST_ENTRY *E = IopDmaAdapters.Flink; E != &IopDmaAdapters && Found == NULL; E = E->Flink) {
        IOP_DMA_ADAPTER *Adapter = CONTAINING_RECORD(E, IOP_DMA_ADAPTER, Entry);
        if ((ULONG_PTR)Adapter->Owner - (ULONG_PTR)Module->Base < Module->Size)
            Found = Adapter;
    }
    if (Found != NULL)
        RemoveEntryList(&Found->Entry);
    ArchReleaseLock(&IopDmaLock, OldIrql);
    return Found;
}

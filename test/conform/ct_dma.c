/* SPDX-License-Identifier: MIT
 * DMA adapters, common buffers and map registers. [WDK IoGetDmaAdapter, DEVICE_DESCRIPTION, DMA_OPERATIONS and the routines in it] */
#include "ct_dma.h"

#define LENGTH (5 * PAGE_SIZE + 0x123)
#define OFFSET 0xe01

/* --- adapters --- */

static VOID CheckInfo(PDMA_ADAPTER Adapter, ULONG Width)
{
    DMA_ADAPTER_INFO Info = {.Version = DMA_ADAPTER_INFO_VERSION1};
    CT_SUCCESS(Adapter->DmaOperations->GetDmaAdapterInfo(Adapter, &Info));
    CT_EQUAL(Info.V1.DmaAddressWidth, Width);
    CT_CHECK(Info.V1.ScatterGatherLimit >= LENGTH / PAGE_SIZE);
    CT_CHECK(Info.V1.MinimumTransferUnit != 0);
    Info.Version = 77;
    CT_STATUS(Adapter->DmaOperations->GetDmaAdapterInfo(Adapter, &Info), STATUS_NOT_SUPPORTED);
}

/* The version of the description is that of the operations; DMA_ADAPTER.Version is always 1. */
static VOID Adapter(VOID)
{
    static const ULONG Sizes[] = {0x68, 0x68, 0x80, 0xe0};
    for (ULONG Version = 0; Version <= DEVICE_DESCRIPTION_VERSION3; Version++) {
        ULONG Registers = 0;
        PDMA_ADAPTER Adapter = GetAdapter(Version, 64, TRUE, LENGTH, &Registers);
        CT_REQUIRE(Adapter != NULL);
        CT_EQUAL(Adapter->Version, 1);
        CT_CHECK(Adapter->Size >= sizeof(DMA_ADAPTER));
        CT_CHECK(Adapter->DmaOperations->Size >= Sizes[Version]);
        CT_CHECK(Registers >= ADDRESS_AND_SIZE_TO_SPAN_PAGES(PAGE_SIZE - 1, LENGTH));
        ULONG Alignment = Adapter->DmaOperations->GetDmaAlignment(Adapter);
        CT_CHECK(Alignment != 0 && (Alignment & (Alignment - 1)) == 0);
        if (Version == DEVICE_DESCRIPTION_VERSION3)
            CheckInfo(Adapter, 64);
        Adapter->DmaOperations->PutDmaAdapter(Adapter);
    }
}

/* NULL: a version, or a number of address lines, that there is not. */
static VOID NoAdapter(VOID)
{
    ULONG Registers;
    CT_EQUAL(GetAdapter(DEVICE_DESCRIPTION_VERSION3 + 1, 64, TRUE, LENGTH, &Registers), NULL);
    CT_EQUAL(GetAdapter(DEVICE_DESCRIPTION_VERSION3, 0, TRUE, LENGTH, &Registers), NULL);
    CT_EQUAL(GetAdapter(DEVICE_DESCRIPTION_VERSION3, 65, TRUE, LENGTH, &Registers), NULL);
}

/* --- common buffers --- */

static BOOLEAN IsOneRun(const UCHAR *Virtual, PHYSICAL_ADDRESS Logical, ULONG Length)
{
    for (ULONG i = 0; i < Length; i += PAGE_SIZE)
        if (MmGetPhysicalAddress((PVOID)(Virtual + i)).QuadPart != Logical.QuadPart + i)
            return FALSE;
    return TRUE;
}

/* Both see the same at once. */
static VOID CheckShared(UCHAR *Virtual, PHYSICAL_ADDRESS Logical)
{
    Fill(DeviceMemory, LENGTH, 1);
    CT_CHECK(DeviceWrites(Logical, LENGTH, DeviceMemory));
    CT_CHECK(IsSame(Virtual, DeviceMemory, LENGTH));
    Fill(Virtual, LENGTH, 2);
    CT_CHECK(DeviceReads(Logical, LENGTH, DeviceMemory));
    CT_CHECK(IsSame(Virtual, DeviceMemory, LENGTH));
}

static VOID CommonBuffer(VOID)
{
    static const ULONG Widths[] = {24, 32, 64};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Widths); i++) {
        ULONG Registers;
        PHYSICAL_ADDRESS Logical;
        PDMA_ADAPTER Adapter = GetAdapter(DEVICE_DESCRIPTION_VERSION2, Widths[i], TRUE, LENGTH, &Registers);
        CT_REQUIRE(Adapter != NULL);
        UCHAR *Virtual = Adapter->DmaOperations->AllocateCommonBuffer(Adapter, LENGTH, &Logical, TRUE);
        if (CT_CHECK(Virtual != NULL)) {
            CT_EQUAL(BYTE_OFFSET(Virtual), 0);
            CT_CHECK(IsReached(Widths[i], Logical, LENGTH));
            CT_CHECK(IsOneRun(Virtual, Logical, LENGTH));
            CheckShared(Virtual, Logical);
            Adapter->DmaOperations->FreeCommonBuffer(Adapter, LENGTH, Logical, Virtual, TRUE);
        }
        Adapter->DmaOperations->PutDmaAdapter(Adapter);
    }
}

/* A limit below what the device reaches, and no cache. */
static VOID CommonBufferEx(VOID)
{
    ULONG Registers;
    PHYSICAL_ADDRESS Logical, Limit = {.QuadPart = 0x3ffffff};
    PDMA_ADAPTER Adapter = GetAdapter(DEVICE_DESCRIPTION_VERSION3, 64, TRUE, LENGTH, &Registers);
    CT_REQUIRE(Adapter != NULL);
    UCHAR *Virtual =
        Adapter->DmaOperations->AllocateCommonBufferEx(Adapter, &Limit, LENGTH, &Logical, FALSE, 0);
    if (CT_CHECK(Virtual != NULL)) {
        CT_CHECK(IsReached(26, Logical, LENGTH));
        CT_CHECK(IsOneRun(Virtual, Logical, LENGTH));
        Fill(Virtual, LENGTH, 3);
        Adapter->DmaOperations->FreeCommonBuffer(Adapter, LENGTH, Logical, Virtual, FALSE);
    }
    Limit.QuadPart = 0x100; /* not a page lies below */
    CT_EQUAL(Adapter->DmaOperations->AllocateCommonBufferEx(Adapter, &Limit, LENGTH, &Logical, TRUE, 0),
             NULL);
    Adapter->DmaOperations->PutDmaAdapter(Adapter);
}

/* --- map registers --- */

typedef struct TRANSFER {
    PDMA_ADAPTER Adapter;
    ULONG Width, Registers;
    BOOLEAN Gathers, WriteToDevice;
    ULONG Step; /* bytes of a call of MapTransfer, at most */
    PDEVICE_OBJECT Device;
    BUFFER Buffer;
    IO_ALLOCATION_ACTION Action;
    PVOID Base;
    LONG Calls;
} TRANSFER;

/* One call of MapTransfer; returns how much it mapped, and the device has moved that. */
static ULONG MoveBlock(TRANSFER *Transfer, ULONG Done)
{
    ULONG Asked = min(Transfer->Buffer.Length - Done, Transfer->Step), Length = Asked;
    PUCHAR Va = (PUCHAR)MmGetMdlVirtualAddress(Transfer->Buffer.Mdl) + Done;
    PHYSICAL_ADDRESS Logical = Transfer->Adapter->DmaOperations->MapTransfer(
        Transfer->Adapter, Transfer->Buffer.Mdl, Transfer->Base, Va, &Length, Transfer->WriteToDevice);
    CT_CHECK(Length != 0 && Length <= Asked);
    CT_CHECK(Transfer->Gathers || Length == Asked);
    CT_CHECK(IsReached(Transfer->Width, Logical, Length));
    CT_CHECK(DeviceMoves(Logical, Length, Done, Transfer->WriteToDevice));
    return Length;
}

/* All is mapped, block by block, then flushed at once. */
static IO_ALLOCATION_ACTION NTAPI MoveAll(PDEVICE_OBJECT Device, PIRP Irp, PVOID MapRegisterBase,
                                          PVOID Context)
{
    TRANSFER *Transfer = Context;
    UNREFERENCED_PARAMETER(Irp);
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    CT_EQUAL(Device, Transfer->Device);
    Transfer->Base = MapRegisterBase;
    Transfer->Calls++;
    for (ULONG Done = 0, Length; Done < Transfer->Buffer.Length; Done += Length) {
        Length = MoveBlock(Transfer, Done);
        if (Length == 0)
            return DeallocateObject;
    }
    CT_CHECK(Transfer->Adapter->DmaOperations->FlushAdapterBuffers(
        Transfer->Adapter, Transfer->Buffer.Mdl, MapRegisterBase,
        MmGetMdlVirtualAddress(Transfer->Buffer.Mdl), Transfer->Buffer.Length, Transfer->WriteToDevice));
    return Transfer->Action;
}

static VOID Allocate(TRANSFER *Transfer, PDRIVER_CONTROL Routine)
{
    PDMA_OPERATIONS Operations = Transfer->Adapter->DmaOperations;
    KIRQL OldIrql;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_SUCCESS(Operations->AllocateAdapterChannel(Transfer->Adapter, Transfer->Device, Transfer->Registers,
                                                  Routine, Transfer));
    if (Transfer->Calls == 1 && Transfer->Action == DeallocateObjectKeepRegisters)
        Operations->FreeMapRegisters(Transfer->Adapter, Transfer->Base, Transfer->Registers);
    if (Transfer->Calls == 1 && Transfer->Action == KeepObject)
        Operations->FreeAdapterChannel(Transfer->Adapter);
    KeLowerIrql(OldIrql);
    CT_EQUAL(Transfer->Calls, 1);
}

static VOID Move(TRANSFER *Transfer, BOOLEAN WriteToDevice)
{
    Transfer->WriteToDevice = WriteToDevice;
    Transfer->Calls = 0;
    Fill(Transfer->Buffer.Bytes, LENGTH, 5);
    Fill(DeviceMemory, LENGTH, 6);
    Allocate(Transfer, MoveAll);
    CT_CHECK(IsSame(Transfer->Buffer.Bytes, DeviceMemory, LENGTH));
    Fill(WriteToDevice ? DeviceMemory : Transfer->Buffer.Bytes, LENGTH, WriteToDevice ? 5 : 6);
    CT_CHECK(IsSame(Transfer->Buffer.Bytes, DeviceMemory, LENGTH));
    CT_CHECK(IsSurroundingWhole(&Transfer->Buffer));
}

static VOID MoveWith(ULONG Width, BOOLEAN Gathers, ULONG Step, IO_ALLOCATION_ACTION Action)
{
    TRANSFER Transfer = {.Width = Width, .Gathers = Gathers, .Step = Step, .Action = Action};
    ULONG Most;
    Transfer.Adapter = GetAdapter(DEVICE_DESCRIPTION_VERSION2, Width, Gathers, LENGTH, &Most);
    CT_REQUIRE(Transfer.Adapter != NULL);
    Transfer.Registers = ADDRESS_AND_SIZE_TO_SPAN_PAGES(OFFSET, LENGTH);
    CT_CHECK(Most >= Transfer.Registers);
    Transfer.Device = MakeDevice();
    if (Transfer.Device != NULL && MakeBuffer(&Transfer.Buffer, OFFSET, LENGTH)) {
        Move(&Transfer, TRUE);
        Move(&Transfer, FALSE);
        FreeBuffer(&Transfer.Buffer);
    }
    IoDeleteDevice(Transfer.Device);
    Transfer.Adapter->DmaOperations->PutDmaAdapter(Transfer.Adapter);
}

/* Devices that reach and gather all, some or nothing; whole transfers and odd steps. */
static VOID MapTransfers(VOID)
{
    static const ULONG Widths[] = {24, 32, 64}, Steps[] = {MAXULONG, 0x333, PAGE_SIZE};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Widths); i++)
        for (ULONG j = 0; j < RTL_NUMBER_OF(Steps); j++) {
            MoveWith(Widths[i], TRUE, Steps[j], DeallocateObjectKeepRegisters);
            MoveWith(Widths[i], FALSE, Steps[j], DeallocateObjectKeepRegisters);
        }
}

/* [WDK AllocateAdapterChannel] what the routine returns says what is to be freed. */
static VOID Actions(VOID)
{
    MoveWith(24, TRUE, MAXULONG, KeepObject);
    MoveWith(24, TRUE, MAXULONG, DeallocateObject);
    MoveWith(64, TRUE, MAXULONG, KeepObject);
    MoveWith(64, TRUE, MAXULONG, DeallocateObject);
}

static VOID TooMany(VOID)
{
    ULONG Registers;
    KIRQL OldIrql;
    PDEVICE_OBJECT Device = MakeDevice();
    PDMA_ADAPTER Adapter = GetAdapter(DEVICE_DESCRIPTION_VERSION2, 32, TRUE, LENGTH, &Registers);
    CT_REQUIRE(Adapter != NULL && Device != NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_STATUS(Adapter->DmaOperations->AllocateAdapterChannel(Adapter, Device, Registers + 1, MoveAll, NULL),
              STATUS_INSUFFICIENT_RESOURCES);
    KeLowerIrql(OldIrql);
    Adapter->DmaOperations->PutDmaAdapter(Adapter);
    IoDeleteDevice(Device);
}

/* [WDK FlushAdapterBuffers] of a part: that part is in memory, the rest is when it is flushed. */
static IO_ALLOCATION_ACTION NTAPI FlushHalves(PDEVICE_OBJECT Device, PIRP Irp, PVOID MapRegisterBase,
                                              PVOID Context)
{
    TRANSFER *Transfer = Context;
    PDMA_OPERATIONS Operations = Transfer->Adapter->DmaOperations;
    PUCHAR Va = MmGetMdlVirtualAddress(Transfer->Buffer.Mdl);
    ULONG Length = LENGTH, Half = LENGTH / 2;
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    Transfer->Calls++;
    PHYSICAL_ADDRESS Logical =
        Operations->MapTransfer(Transfer->Adapter, Transfer->Buffer.Mdl, MapRegisterBase, Va, &Length, FALSE);
    CT_EQUAL(Length, LENGTH);
    CT_CHECK(DeviceMoves(Logical, Length, 0, FALSE));
    Operations->FlushAdapterBuffers(Transfer->Adapter, Transfer->Buffer.Mdl, MapRegisterBase, Va, Half,
                                    FALSE);
    CT_CHECK(IsSame(Transfer->Buffer.Bytes, DeviceMemory, Half));
    CT_CHECK(Transfer->Buffer.Bytes[Half] == 0xee);
    Operations->FlushAdapterBuffers(Transfer->Adapter, Transfer->Buffer.Mdl, MapRegisterBase, Va + Half,
                                    LENGTH - Half, FALSE);
    CT_CHECK(IsSame(Transfer->Buffer.Bytes, DeviceMemory, LENGTH));
    return DeallocateObject;
}

static VOID Halves(VOID)
{
    TRANSFER Transfer = {.Width = 24, .Action = DeallocateObject};
    Transfer.Adapter = GetAdapter(DEVICE_DESCRIPTION_VERSION2, 24, FALSE, LENGTH, &Transfer.Registers);
    Transfer.Device = MakeDevice();
    CT_REQUIRE(Transfer.Adapter != NULL && Transfer.Device != NULL);
    Transfer.Registers = ADDRESS_AND_SIZE_TO_SPAN_PAGES(OFFSET, LENGTH);
    if (MakeBuffer(&Transfer.Buffer, OFFSET, LENGTH)) {
        Fill(DeviceMemory, LENGTH, 9);
        DeviceMemory[LENGTH / 2] = 0x11;
        Allocate(&Transfer, FlushHalves);
        FreeBuffer(&Transfer.Buffer);
    }
    Transfer.Adapter->DmaOperations->PutDmaAdapter(Transfer.Adapter);
    IoDeleteDevice(Transfer.Device);
}

/* --- MapTransferEx --- */

#define ELEMENTS 3
typedef union LIST {
    SCATTER_GATHER_LIST List;
    UCHAR Room[FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) + ELEMENTS * sizeof(SCATTER_GATHER_ELEMENT)];
} LIST;

static ULONG MoveList(const SCATTER_GATHER_LIST *List, ULONG Width, ULONG At, BOOLEAN WriteToDevice)
{
    ULONG Moved = 0;
    for (ULONG i = 0; i < List->NumberOfElements; i++) {
        CT_CHECK(IsReached(Width, List->Elements[i].Address, List->Elements[i].Length));
        CT_CHECK(DeviceMoves(List->Elements[i].Address, List->Elements[i].Length, At + Moved, WriteToDevice));
        Moved += List->Elements[i].Length;
    }
    return Moved;
}

/* Lists of three elements, over a chain of two MDLs, until all is moved; each is flushed before the next. */
static VOID MoveByLists(PDMA_ADAPTER Adapter, ULONG Width, PMDL Chain, PVOID Base, BOOLEAN WriteToDevice)
{
    LIST Room;
    for (ULONG Done = 0, Length; Done < 2 * LENGTH; Done += Length) {
        Length = 2 * LENGTH - Done;
        if (!CT_SUCCESS(Adapter->DmaOperations->MapTransferEx(
                Adapter, Chain, Base, Done, 0, &Length, WriteToDevice, &Room.List, sizeof(Room), NULL, NULL)))
            return;
        CT_CHECK(Room.List.NumberOfElements <= ELEMENTS);
        CT_EQUAL(MoveList(&Room.List, Width, Done, WriteToDevice), Length);
        CT_SUCCESS(
            Adapter->DmaOperations->FlushAdapterBuffersEx(Adapter, Chain, Base, Done, Length, WriteToDevice));
    }
}

static VOID CheckBoth(BUFFER *First, BUFFER *Second)
{
    CT_CHECK(IsSame(First->Bytes, DeviceMemory, LENGTH));
    CT_CHECK(IsSame(Second->Bytes, DeviceMemory + LENGTH, LENGTH));
    CT_CHECK(IsSurroundingWhole(First) && IsSurroundingWhole(Second));
}

/* The channel is had at once and without a routine, and freed with FreeAdapterObject. */
static VOID MoveEx(PDMA_ADAPTER Adapter, ULONG Width, BUFFER *First, BUFFER *Second)
{
    static UCHAR Context[DMA_TRANSFER_CONTEXT_SIZE_V1];
    PDMA_OPERATIONS Operations = Adapter->DmaOperations;
    PVOID Base = NULL;
    LIST Room;
    ULONG Length = LENGTH;
    First->Mdl->Next = Second->Mdl;
    CT_SUCCESS(Operations->InitializeDmaTransferContext(Adapter, Context));
    if (!CT_SUCCESS(Operations->AllocateAdapterChannelEx(Adapter, NULL, Context, 4, DMA_SYNCHRONOUS_CALLBACK,
                                                         NULL, NULL, &Base)))
        return;
    Fill(First->Bytes, LENGTH, 21);
    Fill(Second->Bytes, LENGTH, 22);
    MoveByLists(Adapter, Width, First->Mdl, Base, TRUE);
    CheckBoth(First, Second);
    Fill(DeviceMemory, 2 * LENGTH, 23);
    MoveByLists(Adapter, Width, First->Mdl, Base, FALSE);
    CheckBoth(First, Second);
    CT_STATUS(Operations->MapTransferEx(Adapter, First->Mdl, Base, LENGTH + 1, 0, &(ULONG){2 * LENGTH}, TRUE,
                                        &Room.List, sizeof(Room), NULL, NULL),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(
        Operations->MapTransferEx(Adapter, First->Mdl, Base, 0, 0, &Length, TRUE, &Room.List, 8, NULL, NULL),
        STATUS_INVALID_PARAMETER);
    Operations->FreeAdapterObject(Adapter, KeepObject); /* nothing */
    CT_STATUS(Operations->AllocateAdapterChannelEx(Adapter, NULL, Context, 1, DMA_SYNCHRONOUS_CALLBACK, NULL,
                                                   NULL, &Base),
              STATUS_INSUFFICIENT_RESOURCES);
    Operations->FreeAdapterObject(Adapter, DeallocateObject);
}

static VOID MapTransfersEx(VOID)
{
    static const ULONG Widths[] = {24, 32, 64};
    for (ULONG i = 0; i < 2 * RTL_NUMBER_OF(Widths); i++) {
        ULONG Registers;
        BUFFER First, Second;
        PDMA_ADAPTER Adapter =
            GetAdapter(DEVICE_DESCRIPTION_VERSION3, Widths[i / 2], i % 2 == 0, LENGTH, &Registers);
        CT_REQUIRE(Adapter != NULL);
        if (MakeBuffer(&First, OFFSET, LENGTH)) {
            if (MakeBuffer(&Second, 1, LENGTH)) {
                MoveEx(Adapter, Widths[i / 2], &First, &Second);
                FreeBuffer(&Second);
            }
            FreeBuffer(&First);
        }
        Adapter->DmaOperations->PutDmaAdapter(Adapter);
    }
}

static const CT_CASE Cases[] = {
    {"dma.adapter", Adapter},
    {"dma.no_adapter", NoAdapter},
    {"dma.common_buffer", CommonBuffer},
    {"dma.common_buffer_ex", CommonBufferEx},
    {"dma.map", MapTransfers},
    {"dma.actions", Actions},
    {"dma.too_many", TooMany},
    {"dma.flush_halves", Halves},
    {"dma.map_ex", MapTransfersEx},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * Scatter/gather lists: what the elements say is where the device finds the buffer, whatever it reaches. [WDK GetScatterGatherList, PutScatterGatherList,
 * BuildScatterGatherList, CalculateScatterGatherList, BuildMdlFromScatterGatherList] */
#include "ct.h"
#include "ct_dma.h"

#define LENGTH (5 * PAGE_SIZE + 0x123)
#define OFFSET 0x765

typedef struct REQUEST {
    PDMA_ADAPTER Adapter;
    ULONG Width;
    BOOLEAN WriteToDevice;
    PDEVICE_OBJECT Device;
    BUFFER Buffer;
    PSCATTER_GATHER_LIST List;
    LONG Calls;
} REQUEST;

static IRP *NoIrp; /* the device has none */

/* The device goes from element to element. */
static VOID MoveList(REQUEST *Request)
{
    ULONG Done = 0;
    for (ULONG i = 0; i < Request->List->NumberOfElements; i++) {
        const SCATTER_GATHER_ELEMENT *Element = &Request->List->Elements[i];
        CT_CHECK(Element->Length != 0 && Done + Element->Length <= LENGTH);
        CT_CHECK(IsReached(Request->Width, Element->Address, Element->Length));
        CT_CHECK(DeviceMoves(Element->Address, Element->Length, Done, Request->WriteToDevice));
        Done += Element->Length;
    }
    CT_EQUAL(Done, LENGTH);
}

static VOID NTAPI Listed(PDEVICE_OBJECT Device, PIRP Irp, PSCATTER_GATHER_LIST List, PVOID Context)
{
    REQUEST *Request = Context;
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    CT_CHECK(Device == Request->Device && Irp == NoIrp);
    Request->List = List;
    Request->Calls++;
    MoveList(Request);
}

static VOID Prepare(REQUEST *Request)
{
    Request->List = NULL;
    Request->Calls = 0;
    Fill(Request->Buffer.Bytes, LENGTH, 5);
    Fill(DeviceMemory, LENGTH, 6);
}

static VOID CheckMoved(REQUEST *Request)
{
    CT_CHECK(IsSame(Request->Buffer.Bytes, DeviceMemory, LENGTH));
    Fill(DeviceMemory, LENGTH, Request->WriteToDevice ? 5 : 6);
    CT_CHECK(IsSame(Request->Buffer.Bytes, DeviceMemory, LENGTH));
    CT_CHECK(IsSurroundingWhole(&Request->Buffer));
}

static PUCHAR StartOf(const REQUEST *Request)
{
    return MmGetMdlVirtualAddress(Request->Buffer.Mdl);
}

static VOID Put(REQUEST *Request)
{
    Request->Adapter->DmaOperations->PutScatterGatherList(Request->Adapter, Request->List,
                                                          Request->WriteToDevice);
}

static VOID GetAndPut(REQUEST *Request, BOOLEAN WriteToDevice)
{
    KIRQL OldIrql;
    Request->WriteToDevice = WriteToDevice;
    Prepare(Request);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_SUCCESS(Request->Adapter->DmaOperations->GetScatterGatherList(Request->Adapter, Request->Device,
                                                                     Request->Buffer.Mdl, StartOf(Request),
                                                                     LENGTH, Listed, Request, WriteToDevice));
    CT_EQUAL(Request->Calls, 1);
    if (Request->Calls == 1)
        Put(Request);
    KeLowerIrql(OldIrql);
    CheckMoved(Request);
}

/* The memory for the list is the driver's. */
static VOID BuildAndPut(REQUEST *Request, BOOLEAN WriteToDevice)
{
    PDMA_OPERATIONS Operations = Request->Adapter->DmaOperations;
    ULONG Bytes = 0, Registers = 0;
    KIRQL OldIrql;
    Request->WriteToDevice = WriteToDevice;
    Prepare(Request);
    CT_SUCCESS(Operations->CalculateScatterGatherList(Request->Adapter, Request->Buffer.Mdl, StartOf(Request),
                                                      LENGTH, &Bytes, &Registers));
    CT_EQUAL(Registers, ADDRESS_AND_SIZE_TO_SPAN_PAGES(OFFSET, LENGTH));
    PVOID Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, Bytes, TAG);
    CT_REQUIRE(Memory != NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_STATUS(Operations->BuildScatterGatherList(Request->Adapter, Request->Device, Request->Buffer.Mdl,
                                                 StartOf(Request), LENGTH, Listed, Request, WriteToDevice,
                                                 Memory, 8),
              STATUS_BUFFER_TOO_SMALL);
    CT_SUCCESS(Operations->BuildScatterGatherList(Request->Adapter, Request->Device, Request->Buffer.Mdl,
                                                  StartOf(Request), LENGTH, Listed, Request, WriteToDevice,
                                                  Memory, Bytes));
    CT_CHECK(Request->Calls == 1 && Request->List == Memory);
    if (Request->Calls == 1)
        Put(Request);
    KeLowerIrql(OldIrql);
    CheckMoved(Request);
    ExFreePoolWithTag(Memory, TAG);
}

typedef VOID ROUTINE(REQUEST *Request, BOOLEAN WriteToDevice);

static VOID With(ULONG Width, ROUTINE *Routine)
{
    REQUEST Request = {.Width = Width};
    ULONG Registers;
    Request.Adapter = GetAdapter(DEVICE_DESCRIPTION_VERSION2, Width, TRUE, LENGTH, &Registers);
    CT_REQUIRE(Request.Adapter != NULL);
    Request.Device = MakeDevice();
    if (Request.Device != NULL && MakeBuffer(&Request.Buffer, OFFSET, LENGTH)) {
        Routine(&Request, TRUE);
        Routine(&Request, FALSE);
        FreeBuffer(&Request.Buffer);
    }
    IoDeleteDevice(Request.Device);
    Request.Adapter->DmaOperations->PutDmaAdapter(Request.Adapter);
}

static VOID Get(VOID)
{
    With(24, GetAndPut);
    With(32, GetAndPut);
    With(64, GetAndPut);
}

static VOID Build(VOID)
{
    With(24, BuildAndPut);
    With(64, BuildAndPut);
}

/* A device that reaches all gets the pages themselves. */
static VOID OnePageEach(REQUEST *Request, BOOLEAN WriteToDevice)
{
    KIRQL OldIrql;
    const PFN_NUMBER *Frames = MmGetMdlPfnArray(Request->Buffer.Mdl);
    Request->WriteToDevice = WriteToDevice;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_SUCCESS(Request->Adapter->DmaOperations->GetScatterGatherList(Request->Adapter, Request->Device,
                                                                     Request->Buffer.Mdl, StartOf(Request),
                                                                     LENGTH, Listed, Request, WriteToDevice));
    CT_EQUAL(Request->List->NumberOfElements, ADDRESS_AND_SIZE_TO_SPAN_PAGES(OFFSET, LENGTH));
    CT_EQUAL(Request->List->Elements[0].Address.QuadPart, (Frames[0] << PAGE_SHIFT) + OFFSET);
    CT_EQUAL(Request->List->Elements[0].Length, PAGE_SIZE - OFFSET);
    CT_EQUAL(Request->List->Elements[1].Address.QuadPart, Frames[1] << PAGE_SHIFT);
    Put(Request);
    KeLowerIrql(OldIrql);
}

static VOID Elements(VOID)
{
    With(64, OnePageEach);
}

/* The lists of two requests that are under way at the same time do not meet in the pages that stand in. */
static VOID TwoAtOnce(VOID)
{
    REQUEST First = {.Width = 24}, Second = {.Width = 24};
    ULONG Registers;
    KIRQL OldIrql;
    First.Adapter = Second.Adapter =
        GetAdapter(DEVICE_DESCRIPTION_VERSION2, 24, TRUE, 4 * LENGTH, &Registers);
    CT_REQUIRE(First.Adapter != NULL);
    First.Device = Second.Device = MakeDevice();
    CT_REQUIRE(MakeBuffer(&First.Buffer, OFFSET, LENGTH) && MakeBuffer(&Second.Buffer, OFFSET, LENGTH));
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Prepare(&First);
    CT_SUCCESS(First.Adapter->DmaOperations->GetScatterGatherList(
        First.Adapter, First.Device, First.Buffer.Mdl, StartOf(&First), LENGTH, Listed, &First, FALSE));
    Prepare(&Second);
    Fill(DeviceMemory, LENGTH, 9);
    CT_SUCCESS(First.Adapter->DmaOperations->GetScatterGatherList(
        Second.Adapter, Second.Device, Second.Buffer.Mdl, StartOf(&Second), LENGTH, Listed, &Second, FALSE));
    CT_CHECK(First.Calls == 1 && Second.Calls == 1);
    Put(&First);
    Put(&Second);
    KeLowerIrql(OldIrql);
    CT_CHECK(IsSame(Second.Buffer.Bytes, DeviceMemory, LENGTH));
    Fill(DeviceMemory, LENGTH, 6);
    CT_CHECK(IsSame(First.Buffer.Bytes, DeviceMemory, LENGTH));
    FreeBuffer(&First.Buffer);
    FreeBuffer(&Second.Buffer);
    IoDeleteDevice(First.Device);
    First.Adapter->DmaOperations->PutDmaAdapter(First.Adapter);
}

/* [WDK BuildMdlFromScatterGatherList] of a device that reaches all: an MDL of the same memory. */
static VOID MdlOfList(REQUEST *Request, BOOLEAN WriteToDevice)
{
    PMDL Mdl = NULL;
    KIRQL OldIrql;
    Request->WriteToDevice = WriteToDevice;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    CT_SUCCESS(Request->Adapter->DmaOperations->GetScatterGatherList(Request->Adapter, Request->Device,
                                                                     Request->Buffer.Mdl, StartOf(Request),
                                                                     LENGTH, Listed, Request, WriteToDevice));
    CT_SUCCESS(Request->Adapter->DmaOperations->BuildMdlFromScatterGatherList(Request->Adapter, Request->List,
                                                                              Request->Buffer.Mdl, &Mdl));
    CT_CHECK(Mdl != NULL && MmGetMdlByteCount(Mdl) == LENGTH);
    Put(Request);
    KeLowerIrql(OldIrql);
}

static VOID Mdls(VOID)
{
    With(64, MdlOfList);
}

static const CT_CASE Cases[] = {
    {"dma.list", Get},          {"dma.build_list", Build},
    {"dma.elements", Elements}, {"dma.two_lists", TwoAtOnce},
    {"dma.list_mdl", Mdls},
};
CT_DRIVER(Cases)

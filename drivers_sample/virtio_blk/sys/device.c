/* SPDX-License-Identifier: MIT
 * The device: its registers, its ring, its interrupt. [Virtual I/O Device 1.0, 4.1.4.8 (legacy registers), 3.1 (initialization)] */
#include "blk.h"

#define REG_DEVICE_FEATURES 0
#define REG_GUEST_FEATURES 4
#define REG_QUEUE_PAGE 8
#define REG_QUEUE_SIZE 12
#define REG_QUEUE_SELECT 14
#define REG_QUEUE_NOTIFY 16
#define REG_STATUS 18
#define REG_INTERRUPT 19
#define REG_CAPACITY 20
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define FEATURE_READ_ONLY (1u << 5)
#define FEATURE_FLUSH (1u << 9)
#define FEATURE_INDIRECT (1u << 28)

BOOLEAN NTAPI BlkService(PKINTERRUPT Interrupt, PVOID Context)
{
    BLK *Blk = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    if (Blk->Asleep) /* its registers are all ones */
        return FALSE;
    if (READ_PORT_UCHAR(Blk->Port + REG_INTERRUPT) == 0) /* which takes it back; others share the line */
        return FALSE;
    InterlockedIncrement(&Blk->Interrupts);
    KeInsertQueueDpc(&Blk->Dpc, NULL, NULL);
    return TRUE;
}

VOID BlkNotify(BLK *Blk)
{
    WRITE_PORT_USHORT((PUSHORT)(Blk->Port + REG_QUEUE_NOTIFY), 0);
}

static NTSTATUS FindPort(BLK *Blk, PCM_RESOURCE_LIST Translated)
{
    ULONG Count = Translated != NULL ? Translated->List[0].PartialResourceList.Count : 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Resource =
        Count != 0 ? Translated->List[0].PartialResourceList.PartialDescriptors : NULL;
    for (ULONG i = 0; i < Count; i++, Resource++) {
        if (Resource->Type != CmResourceTypePort)
            continue;
        Blk->Port = (PUCHAR)(ULONG_PTR)Resource->u.Port.Start.QuadPart;
        return STATUS_SUCCESS;
    }
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}

/* --- memory that the device reaches --- */

static NTSTATUS GetAdapter(BLK *Blk)
{
    ULONG MapRegisters;
    DEVICE_DESCRIPTION Description = {.Version = DEVICE_DESCRIPTION_VERSION,
                                      .Master = TRUE,
                                      .ScatterGather = TRUE,
                                      .Dma32BitAddresses = TRUE,
                                      .Dma64BitAddresses = TRUE,
                                      .InterfaceType = PCIBus,
                                      .MaximumLength = BLK_MOST};
    Blk->Adapter = IoGetDmaAdapter(Blk->Pdo, &Description, &MapRegisters);
    return Blk->Adapter != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static VOID InitSlots(BLK *Blk)
{
    for (ULONG i = 0; i < BLK_SLOTS; i++) {
        Blk->Slots[i].Blk = Blk;
        Blk->Slots[i].Irp = NULL;
        Blk->Slots[i].Table = &Blk->Tables[i];
        Blk->Slots[i].Address.QuadPart = Blk->TablesAddress.QuadPart + i * (LONGLONG)sizeof(BLK_TABLE);
        Blk->Free[i] = (UCHAR)i;
    }
    Blk->FreeCount = BLK_SLOTS;
    Blk->UnderWay = 0;
}

static NTSTATUS MakeTables(BLK *Blk)
{
    Blk->Tables = Blk->Adapter->DmaOperations->AllocateCommonBuffer(
        Blk->Adapter, BLK_SLOTS * sizeof(BLK_TABLE), &Blk->TablesAddress, TRUE);
    if (Blk->Tables == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    InitSlots(Blk);
    return STATUS_SUCCESS;
}

/* [Virtual I/O Device 1.0, 2.4.2] descriptors, available ring, and on the next page the used ring. */
static NTSTATUS MakeRing(BLK *Blk)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = 0xfffffffffffLL};
    WRITE_PORT_USHORT((PUSHORT)(Blk->Port + REG_QUEUE_SELECT), 0);
    Blk->QueueSize = READ_PORT_USHORT((PUSHORT)(Blk->Port + REG_QUEUE_SIZE));
    if (Blk->QueueSize < BLK_SLOTS)
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    SIZE_T First =
        ROUND_TO_PAGES(Blk->QueueSize * sizeof(BLK_DESCRIPTOR) + (3 + Blk->QueueSize) * sizeof(USHORT));
    SIZE_T Second = ROUND_TO_PAGES(3 * sizeof(USHORT) + Blk->QueueSize * 2 * sizeof(ULONG));
    Blk->Ring = MmAllocateContiguousMemory(First + Second, Highest);
    if (Blk->Ring == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Blk->RingSize = First + Second;
    Blk->Descriptors = Blk->Ring;
    Blk->Available = (volatile USHORT *)(Blk->Descriptors + Blk->QueueSize);
    Blk->Used = (volatile USHORT *)((PUCHAR)Blk->Ring + First);
    return STATUS_SUCCESS;
}

static VOID FreeMemory(BLK *Blk)
{
    if (Blk->Ring != NULL)
        MmFreeContiguousMemory(Blk->Ring);
    if (Blk->Tables != NULL)
        Blk->Adapter->DmaOperations->FreeCommonBuffer(Blk->Adapter, BLK_SLOTS * sizeof(BLK_TABLE),
                                                      Blk->TablesAddress, Blk->Tables, TRUE);
    if (Blk->Adapter != NULL)
        Blk->Adapter->DmaOperations->PutDmaAdapter(Blk->Adapter);
    Blk->Ring = NULL;
    Blk->Used = NULL;
    Blk->Tables = NULL;
    Blk->Adapter = NULL;
}

/* --- start and stop --- */

static NTSTATUS Negotiate(BLK *Blk)
{
    ULONG Offered = READ_PORT_ULONG((PULONG)(Blk->Port + REG_DEVICE_FEATURES));
    if (!(Offered & FEATURE_INDIRECT))
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    Blk->ReadOnly = (Offered & FEATURE_READ_ONLY) != 0;
    Blk->CanFlush = (Offered & FEATURE_FLUSH) != 0;
    WRITE_PORT_ULONG((PULONG)(Blk->Port + REG_GUEST_FEATURES),
                     Offered & (FEATURE_INDIRECT | FEATURE_READ_ONLY | FEATURE_FLUSH));
    Blk->Sectors = READ_PORT_ULONG((PULONG)(Blk->Port + REG_CAPACITY)) |
                   (ULONG64)READ_PORT_ULONG((PULONG)(Blk->Port + REG_CAPACITY + 4)) << 32;
    return STATUS_SUCCESS;
}

static NTSTATUS BeginSetUp(BLK *Blk)
{
    WRITE_PORT_UCHAR(Blk->Port + REG_STATUS, 0);
    WRITE_PORT_UCHAR(Blk->Port + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    return Negotiate(Blk);
}

/* Ring and device begin at 0. */
static VOID EndSetUp(BLK *Blk)
{
    RtlZeroMemory(Blk->Ring, Blk->RingSize);
    Blk->LastUsed = 0;
    WRITE_PORT_USHORT((PUSHORT)(Blk->Port + REG_QUEUE_SELECT), 0);
    WRITE_PORT_ULONG((PULONG)(Blk->Port + REG_QUEUE_PAGE),
                     (ULONG)(MmGetPhysicalAddress(Blk->Ring).QuadPart >> PAGE_SHIFT));
    WRITE_PORT_UCHAR(Blk->Port + REG_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
}

static NTSTATUS PrepareDevice(BLK *Blk)
{
    NTSTATUS Status = BeginSetUp(Blk);
    if (NT_SUCCESS(Status))
        Status = GetAdapter(Blk);
    if (NT_SUCCESS(Status))
        Status = MakeTables(Blk);
    if (NT_SUCCESS(Status))
        Status = MakeRing(Blk);
    if (NT_SUCCESS(Status))
        EndSetUp(Blk);
    return Status;
}

static NTSTATUS ConnectInterrupt(BLK *Blk)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    Parameters.LineBased.PhysicalDeviceObject = Blk->Pdo;
    Parameters.LineBased.InterruptObject = &Blk->Interrupt;
    Parameters.LineBased.ServiceRoutine = BlkService;
    Parameters.LineBased.ServiceContext = Blk;
    return IoConnectInterruptEx(&Parameters);
}

static VOID DisconnectInterrupt(BLK *Blk)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    if (Blk->Interrupt == NULL)
        return;
    Parameters.ConnectionContext.InterruptObject = Blk->Interrupt;
    IoDisconnectInterruptEx(&Parameters);
    Blk->Interrupt = NULL;
    KeFlushQueuedDpcs();
}

static VOID SetRunning(BLK *Blk, BOOLEAN Running, BOOLEAN There)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Blk->Lock, &Irql);
    Blk->Running = Running;
    Blk->There = There;
    KeReleaseSpinLock(&Blk->Lock, Irql);
}

NTSTATUS BlkStart(BLK *Blk, PCM_RESOURCE_LIST Translated)
{
    NTSTATUS Status = FindPort(Blk, Translated);
    if (NT_SUCCESS(Status))
        Status = PrepareDevice(Blk);
    if (NT_SUCCESS(Status))
        Status = ConnectInterrupt(Blk);
    if (!NT_SUCCESS(Status)) {
        BlkStop(Blk);
        return Status;
    }
    SetRunning(Blk, TRUE, TRUE);
    BlkStartWaiting(Blk);
    return STATUS_SUCCESS;
}

VOID BlkPause(BLK *Blk)
{
    SetRunning(Blk, FALSE, Blk->There);
    KeWaitForSingleObject(&Blk->Idle, Executive, KernelMode, FALSE, NULL);
}

VOID BlkResume(BLK *Blk)
{
    SetRunning(Blk, TRUE, Blk->There);
    BlkStartWaiting(Blk);
}

static VOID SetAsleep(BLK *Blk, BOOLEAN Asleep)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Blk->Lock, &Irql);
    Blk->Asleep = Asleep;
    KeReleaseSpinLock(&Blk->Lock, Irql);
}

VOID BlkSleep(BLK *Blk)
{
    if (!Blk->Running)
        return;
    BlkPause(Blk);
    SetAsleep(Blk, TRUE);
    /* no service routine that found the device awake is still at its registers */
    KeReleaseInterruptSpinLock(Blk->Interrupt, KeAcquireInterruptSpinLock(Blk->Interrupt));
    WRITE_PORT_UCHAR(Blk->Port + REG_STATUS, 0);
}

/* The device has forgotten all that it was told. It offers what it offered before. */
VOID BlkWake(BLK *Blk)
{
    if (!Blk->Asleep)
        return;
    (void)BeginSetUp(Blk);
    EndSetUp(Blk);
    SetAsleep(Blk, FALSE);
    BlkResume(Blk);
}

VOID BlkStop(BLK *Blk)
{
    BOOLEAN There = Blk->There;
    BlkPause(Blk);
    if (There)
        WRITE_PORT_UCHAR(Blk->Port + REG_STATUS, 0);
    DisconnectInterrupt(Blk);
    FreeMemory(Blk);
}

VOID BlkLose(BLK *Blk)
{
    SetRunning(Blk, FALSE, FALSE);
    DisconnectInterrupt(Blk);
    BlkFailSlots(Blk);
    BlkFailWaiting(Blk);
}

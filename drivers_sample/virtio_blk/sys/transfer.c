/* SPDX-License-Identifier: MIT
 * A request becomes a table of descriptors, one for each piece of its buffer, which the ring points to. [Virtual I/O Device 1.0, 2.4.5, 5.2.6] */
#include "blk.h"

#define TYPE_IN 0u
#define TYPE_OUT 1u
#define TYPE_FLUSH 4u
#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_WRITE 2u /* the device writes */
#define DESCRIPTOR_INDIRECT 4u
#define STATUS_BYTE_OK 0u
#define STATUS_BYTE_UNSUPPORTED 2u
#define STATUS_BYTE_NONE 0xFFu

static ULONG TypeOf(PIRP Irp)
{
    switch (IoGetCurrentIrpStackLocation(Irp)->MajorFunction) {
    case IRP_MJ_READ:
        return TYPE_IN;
    case IRP_MJ_WRITE:
        return TYPE_OUT;
    default:
        return TYPE_FLUSH;
    }
}

/* --- slots --- */

/* NULL: none is free, or the device must not be used. */
static BLK_SLOT *TakeSlot(BLK *Blk)
{
    KIRQL Irql;
    BLK_SLOT *Slot = NULL;
    KeAcquireSpinLock(&Blk->Lock, &Irql);
    if (Blk->Running && Blk->FreeCount != 0 && !IsListEmpty(&Blk->Waiting)) {
        Slot = &Blk->Slots[Blk->Free[--Blk->FreeCount]];
        if (Blk->UnderWay++ == 0)
            KeClearEvent(&Blk->Idle);
    }
    KeReleaseSpinLock(&Blk->Lock, Irql);
    return Slot;
}

/* Lock held. */
static VOID FreeSlotLocked(BLK *Blk, BLK_SLOT *Slot)
{
    Slot->Irp = NULL;
    Blk->Free[Blk->FreeCount++] = (UCHAR)(Slot - Blk->Slots);
    if (--Blk->UnderWay == 0)
        KeSetEvent(&Blk->Idle, IO_NO_INCREMENT, FALSE);
}

static VOID FreeSlot(BLK *Blk, BLK_SLOT *Slot)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Blk->Lock, &Irql);
    FreeSlotLocked(Blk, Slot);
    KeReleaseSpinLock(&Blk->Lock, Irql);
}

/* --- to the device --- */

static VOID Describe(BLK_SLOT *Slot, ULONG At, ULONG64 Address, ULONG Length, USHORT Flags)
{
    Slot->Table->Descriptors[At] = (BLK_DESCRIPTOR){Address, Length, Flags, (USHORT)(At + 1)};
}

/* Header, buffer, status. The number of descriptors. */
static ULONG FillTable(BLK_SLOT *Slot, ULONG Type)
{
    ULONG64 Table = (ULONG64)Slot->Address.QuadPart;
    ULONG Pieces = Slot->Pieces != NULL ? Slot->Pieces->NumberOfElements : 0;
    USHORT Direction = Type == TYPE_IN ? DESCRIPTOR_WRITE : 0;
    Slot->Table->Type = Type;
    Slot->Table->Sector = 0;
    if (Type != TYPE_FLUSH) /* reads and writes have their offset at the same place */
        Slot->Table->Sector =
            (ULONG64)IoGetCurrentIrpStackLocation(Slot->Irp)->Parameters.Read.ByteOffset.QuadPart /
            BLK_SECTOR;
    Slot->Table->Status = STATUS_BYTE_NONE;
    Describe(Slot, 0, Table + FIELD_OFFSET(BLK_TABLE, Type), 16, DESCRIPTOR_NEXT);
    for (ULONG i = 0; i < Pieces; i++)
        Describe(Slot, i + 1, (ULONG64)Slot->Pieces->Elements[i].Address.QuadPart,
                 Slot->Pieces->Elements[i].Length, DESCRIPTOR_NEXT | Direction);
    Describe(Slot, Pieces + 1, Table + FIELD_OFFSET(BLK_TABLE, Status), 1, DESCRIPTOR_WRITE);
    return Pieces + 2;
}

static VOID GiveToDevice(BLK_SLOT *Slot)
{
    BLK *Blk = Slot->Blk;
    KIRQL Irql;
    USHORT Head = (USHORT)(Slot - Blk->Slots);
    ULONG Count = FillTable(Slot, TypeOf(Slot->Irp));
    KeAcquireSpinLock(&Blk->Lock, &Irql);
    Blk->Descriptors[Head] = (BLK_DESCRIPTOR){(ULONG64)Slot->Address.QuadPart,
                                              Count * (ULONG)sizeof(BLK_DESCRIPTOR), DESCRIPTOR_INDIRECT, 0};
    USHORT Index = Blk->Available[1];
    Blk->Available[2 + Index % Blk->QueueSize] = Head;
    KeMemoryBarrier();
    Blk->Available[1] = Index + 1;
    KeMemoryBarrier();
    BOOLEAN There = Blk->There;
    KeReleaseSpinLock(&Blk->Lock, Irql);
    if (There)
        BlkNotify(Blk);
}

/* DISPATCH_LEVEL. [WDK DRIVER_LIST_CONTROL] the buffer can be reached by the device. */
static VOID NTAPI Mapped(PDEVICE_OBJECT Device, PIRP Irp, PSCATTER_GATHER_LIST Pieces, PVOID Context)
{
    BLK_SLOT *Slot = Context;
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    Slot->Pieces = Pieces;
    GiveToDevice(Slot);
}

static NTSTATUS MapBuffer(BLK_SLOT *Slot)
{
    BLK *Blk = Slot->Blk;
    PIRP Irp = Slot->Irp;
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    NTSTATUS Status = Blk->Adapter->DmaOperations->GetScatterGatherList(
        Blk->Adapter, Blk->Device, Irp->MdlAddress, MmGetMdlVirtualAddress(Irp->MdlAddress),
        IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length, Mapped, Slot, TypeOf(Irp) == TYPE_OUT);
    KeLowerIrql(Irql);
    return Status;
}

static VOID StartSlot(BLK_SLOT *Slot)
{
    NTSTATUS Status = STATUS_SUCCESS;
    Slot->Pieces = NULL;
    if (TypeOf(Slot->Irp) == TYPE_FLUSH)
        GiveToDevice(Slot);
    else
        Status = MapBuffer(Slot);
    if (NT_SUCCESS(Status))
        return;
    PIRP Irp = Slot->Irp;
    FreeSlot(Slot->Blk, Slot);
    BlkEnd(Slot->Blk, Irp, Status, 0);
}

VOID BlkStartWaiting(BLK *Blk)
{
    BLK_SLOT *Slot;
    while ((Slot = TakeSlot(Blk)) != NULL) {
        Slot->Irp = IoCsqRemoveNextIrp(&Blk->Csq, NULL);
        if (Slot->Irp != NULL)
            StartSlot(Slot);
        else /* another took it, or it was cancelled */
            FreeSlot(Blk, Slot);
    }
}

/* --- back from the device --- */

/* DISPATCH_LEVEL. Its buffer is the caller's again; the request ends when the slot is free. */
static VOID FinishSlot(BLK_SLOT *Slot, NTSTATUS Status)
{
    BLK *Blk = Slot->Blk;
    PIRP Irp = Slot->Irp;
    ULONG Type = TypeOf(Irp);
    if (Slot->Pieces != NULL)
        Blk->Adapter->DmaOperations->PutScatterGatherList(Blk->Adapter, Slot->Pieces, Type == TYPE_OUT);
    ULONG Length = Type != TYPE_FLUSH ? IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length : 0;
    FreeSlot(Blk, Slot);
    BlkEnd(Blk, Irp, Status, NT_SUCCESS(Status) ? Length : 0);
}

/* NULL: the device has done no more. */
static BLK_SLOT *TakeFinished(BLK *Blk)
{
    BLK_SLOT *Slot = NULL;
    KeAcquireSpinLockAtDpcLevel(&Blk->Lock);
    if (Blk->Used != NULL && Blk->Used[1] != Blk->LastUsed) {
        const volatile ULONG *Pair =
            (const volatile ULONG *)(Blk->Used + 2) + 2 * (Blk->LastUsed % Blk->QueueSize);
        ULONG Head = *Pair;
        Blk->LastUsed++;
        if (Head < BLK_SLOTS && Blk->Slots[Head].Irp != NULL)
            Slot = &Blk->Slots[Head];
    }
    KeReleaseSpinLockFromDpcLevel(&Blk->Lock);
    return Slot;
}

static NTSTATUS StatusOf(UCHAR Byte)
{
    if (Byte == STATUS_BYTE_OK)
        return STATUS_SUCCESS;
    return Byte == STATUS_BYTE_UNSUPPORTED ? STATUS_INVALID_DEVICE_REQUEST : STATUS_IO_DEVICE_ERROR;
}

VOID NTAPI BlkFinished(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    BLK *Blk = Context;
    BLK_SLOT *Slot;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    while ((Slot = TakeFinished(Blk)) != NULL)
        FinishSlot(Slot, StatusOf(Slot->Table->Status));
    BlkStartWaiting(Blk);
}

/* The device is gone and its interrupt too, so that nobody else finishes a slot. */
VOID BlkFailSlots(BLK *Blk)
{
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    for (ULONG i = 0; i < BLK_SLOTS; i++)
        if (Blk->Slots[i].Irp != NULL)
            FinishSlot(&Blk->Slots[i], STATUS_NO_SUCH_DEVICE);
    KeLowerIrql(Irql);
}

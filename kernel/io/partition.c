/* SPDX-License-Identifier: MIT
 * What the partition tables of a disk say, for its driver. [WDK IoReadPartitionTable, IoReadPartitionTableEx, IoReadDiskSignature] */
#include "iop.h"
#include "ex.h"
#include "partition_table.h"
#include <ntdddisk.h>

#define IOP_TAG_PARTITION 'tPoI'

C_ASSERT(sizeof(PARTITION_INFORMATION) == 0x20);
C_ASSERT(FIELD_OFFSET(DRIVE_LAYOUT_INFORMATION, PartitionEntry) == 8);
C_ASSERT(sizeof(PARTITION_INFORMATION_EX) == 0x90);
C_ASSERT(FIELD_OFFSET(PARTITION_INFORMATION_EX, Mbr) == 0x20);
C_ASSERT(FIELD_OFFSET(DRIVE_LAYOUT_INFORMATION_EX, PartitionEntry) == 0x30);
C_ASSERT(sizeof(DISK_SIGNATURE) == 0x14);
C_ASSERT((int)PartitionTableMbr == (int)PARTITION_STYLE_MBR);
C_ASSERT((int)PartitionTableGpt == (int)PARTITION_STYLE_GPT);
C_ASSERT((int)PartitionTableNone == (int)PARTITION_STYLE_RAW);

typedef struct _IOP_PARTITIONS {
    PDEVICE_OBJECT Disk;
    NTSTATUS Status; /* of the last request */
    PARTITION_TABLE Table;
} IOP_PARTITIONS;

/* --- requests to the disk --- */

/* Irp belongs to this thread, and is done when this returns; NULL: there was no memory. */
static NTSTATUS IopAskDisk(IOP_PARTITIONS *Of, PIRP Irp, PKEVENT Event, PIO_STATUS_BLOCK Iosb)
{
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = IofCallDriver(Of->Disk, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
        Status = Iosb->Status;
    }
    return Status;
}

static bool IopReadSector(void *Context, uint64_t Sector, void *Buffer)
{
    IOP_PARTITIONS *Of = Context;
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)(Sector * Of->Table.SectorSize)};
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Irp = IoBuildSynchronousFsdRequest(IRP_MJ_READ, Of->Disk, Buffer, Of->Table.SectorSize, &Offset,
                                            &Event, &Iosb);
    Of->Status = IopAskDisk(Of, Irp, &Event, &Iosb);
    return NT_SUCCESS(Of->Status);
}

/* SectorSize 0: the disk's own. */
static NTSTATUS IopTakeSize(IOP_PARTITIONS *Of, const DISK_GEOMETRY_EX *Geometry, ULONG SectorSize)
{
    ULONG Size = SectorSize != 0 ? SectorSize : Geometry->Geometry.BytesPerSector;
    if (Size < 512 || Size > PARTITION_SECTOR_MOST || (Size & (Size - 1)) != 0 ||
        Geometry->DiskSize.QuadPart < 0)
        return STATUS_INVALID_PARAMETER;
    Of->Table.SectorSize = Size;
    Of->Table.Sectors = (ULONG64)Geometry->DiskSize.QuadPart / Size;
    return STATUS_SUCCESS;
}

static NTSTATUS IopMeasureDisk(IOP_PARTITIONS *Of, ULONG SectorSize)
{
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    DISK_GEOMETRY_EX Geometry = {0};
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Irp = IoBuildDeviceIoControlRequest(IOCTL_DISK_GET_DRIVE_GEOMETRY_EX, Of->Disk, NULL, 0, &Geometry,
                                             sizeof(Geometry), FALSE, &Event, &Iosb);
    NTSTATUS Status = IopAskDisk(Of, Irp, &Event, &Iosb);
    return NT_SUCCESS(Status) ? IopTakeSize(Of, &Geometry, SectorSize) : Status;
}

static NTSTATUS IopLoadTable(IOP_PARTITIONS *Of)
{
    switch (PartitionTableLoad(&Of->Table)) {
    case PartitionTableRead:
        return STATUS_SUCCESS;
    case PartitionTableDamaged:
        return STATUS_DISK_CORRUPT_ERROR;
    default:
        return Of->Status;
    }
}

/* The caller frees *Result, which is NULL when this fails. */
static NTSTATUS IopReadPartitions(PDEVICE_OBJECT Disk, ULONG SectorSize, IOP_PARTITIONS **Result)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    *Result = NULL;
    IOP_PARTITIONS *Of = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Of), IOP_TAG_PARTITION);
    if (Of == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Of->Disk = Disk;
    Of->Table.Read = IopReadSector;
    Of->Table.Context = Of;
    NTSTATUS Status = IopMeasureDisk(Of, SectorSize);
    if (NT_SUCCESS(Status))
        Status = IopLoadTable(Of);
    if (NT_SUCCESS(Status))
        *Result = Of;
    else
        ExFreePoolWithTag(Of, IOP_TAG_PARTITION);
    return Status;
}

/* --- what drivers are told --- */

static PVOID IopAllocateLayout(SIZE_T Size, PVOID Owner)
{
    PVOID Layout = ExAllocatePoolForOwner(NonPagedPoolNx, Size, IOP_TAG_PARTITION, Owner);
    if (Layout != NULL)
        RtlZeroMemory(Layout, Size);
    return Layout;
}

static VOID IopFillEntryEx(PARTITION_INFORMATION_EX *To, const PARTITION_ENTRY *From,
                           PARTITION_TABLE_STYLE Style)
{
    To->PartitionStyle = (PARTITION_STYLE)Style;
    To->StartingOffset.QuadPart = (LONGLONG)From->Start;
    To->PartitionLength.QuadPart = (LONGLONG)From->Length;
    To->PartitionNumber = From->Number;
    if (Style == PartitionTableGpt) {
        RtlCopyMemory(&To->Gpt.PartitionType, From->TypeId, sizeof(GUID));
        RtlCopyMemory(&To->Gpt.PartitionId, From->Id, sizeof(GUID));
        To->Gpt.Attributes = From->Attributes;
        RtlCopyMemory(To->Gpt.Name, From->Name, sizeof(To->Gpt.Name));
        return;
    }
    To->Mbr.PartitionType = From->Type;
    To->Mbr.BootIndicator = From->Boot;
    To->Mbr.RecognizedPartition = From->Number != 0;
    To->Mbr.HiddenSectors = From->HiddenSectors;
}

static VOID IopFillLayoutEx(DRIVE_LAYOUT_INFORMATION_EX *Layout, const PARTITION_TABLE *Table)
{
    Layout->PartitionStyle = (ULONG)Table->Style;
    Layout->PartitionCount = Table->Count;
    if (Table->Style == PartitionTableGpt) {
        RtlCopyMemory(&Layout->Gpt.DiskId, Table->DiskId, sizeof(GUID));
        Layout->Gpt.StartingUsableOffset.QuadPart = (LONGLONG)Table->UsableStart;
        Layout->Gpt.UsableLength.QuadPart = (LONGLONG)Table->UsableLength;
        Layout->Gpt.MaxPartitionCount = Table->MaximumCount;
    } else {
        Layout->Mbr.Signature = Table->Signature;
    }
    for (ULONG i = 0; i < Table->Count; i++)
        IopFillEntryEx(&Layout->PartitionEntry[i], &Table->Entries[i], Table->Style);
}

/* [WDK IoReadPartitionTableEx] the caller frees the layout; NULL when this fails. [WDK DRIVE_LAYOUT_INFORMATION_EX] of an MBR disk four
 * entries for each table, some unused. STATUS_DISK_CORRUPT_ERROR: D-216. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE NTSTATUS NTAPI IoReadPartitionTableEx(PDEVICE_OBJECT Disk,
                                                        DRIVE_LAYOUT_INFORMATION_EX **Layout)
{
    IOP_PARTITIONS *Of;
    PVOID Owner = __builtin_return_address(0);
    *Layout = NULL;
    NTSTATUS Status = IopReadPartitions(Disk, 0, &Of);
    if (!NT_SUCCESS(Status))
        return Status;
    SIZE_T Count = Of->Table.Count != 0 ? Of->Table.Count : 1;
    *Layout = IopAllocateLayout(FIELD_OFFSET(DRIVE_LAYOUT_INFORMATION_EX, PartitionEntry) +
                                    Count * sizeof(PARTITION_INFORMATION_EX),
                                Owner);
    if (*Layout != NULL)
        IopFillLayoutEx(*Layout, &Of->Table);
    ExFreePoolWithTag(Of, IOP_TAG_PARTITION);
    return *Layout != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static VOID IopFillLayout(DRIVE_LAYOUT_INFORMATION *Layout, const PARTITION_TABLE *Table, BOOLEAN Recognized)
{
    Layout->Signature = Table->Signature;
    for (ULONG i = 0; i < Table->Count; i++) {
        const PARTITION_ENTRY *From = &Table->Entries[i];
        if (Recognized && From->Number == 0)
            continue;
        Layout->PartitionEntry[Layout->PartitionCount++] =
            (PARTITION_INFORMATION){.StartingOffset.QuadPart = (LONGLONG)From->Start,
                                    .PartitionLength.QuadPart = (LONGLONG)From->Length,
                                    .HiddenSectors = From->HiddenSectors,
                                    .PartitionNumber = From->Number,
                                    .PartitionType = From->Type,
                                    .BootIndicator = From->Boot,
                                    .RecognizedPartition = From->Number != 0};
    }
}

/* [WDK IoReadPartitionTable] the same of an MBR disk; with ReturnRecognizedPartitions only what is a partition. A GPT disk has no entries
 * here: D-217. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE NTSTATUS FASTCALL IoReadPartitionTable(PDEVICE_OBJECT Disk, ULONG SectorSize,
                                                         BOOLEAN ReturnRecognizedPartitions,
                                                         DRIVE_LAYOUT_INFORMATION **Layout)
{
    IOP_PARTITIONS *Of;
    PVOID Owner = __builtin_return_address(0);
    *Layout = NULL;
    NTSTATUS Status = SectorSize != 0 ? IopReadPartitions(Disk, SectorSize, &Of) : STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(Status))
        return Status;
    if (Of->Table.Style == PartitionTableGpt)
        Of->Table.Count = 0;
    SIZE_T Count = Of->Table.Count != 0 ? Of->Table.Count : 1;
    *Layout = IopAllocateLayout(FIELD_OFFSET(DRIVE_LAYOUT_INFORMATION, PartitionEntry) +
                                    Count * sizeof(PARTITION_INFORMATION),
                                Owner);
    if (*Layout != NULL)
        IopFillLayout(*Layout, &Of->Table, ReturnRecognizedPartitions);
    ExFreePoolWithTag(Of, IOP_TAG_PARTITION);
    return *Layout != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* [WDK IoReadDiskSignature] STATUS_DISK_CORRUPT_ERROR: the partition table is damaged. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoReadDiskSignature(PDEVICE_OBJECT Disk, ULONG BytesPerSector, PDISK_SIGNATURE Signature)
{
    IOP_PARTITIONS *Of;
    NTSTATUS Status =
        BytesPerSector != 0 ? IopReadPartitions(Disk, BytesPerSector, &Of) : STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(Signature, sizeof(*Signature));
    Signature->PartitionStyle = (ULONG)Of->Table.Style;
    if (Of->Table.Style == PartitionTableGpt) {
        RtlCopyMemory(&Signature->Gpt.DiskId, Of->Table.DiskId, sizeof(GUID));
    } else {
        Signature->Mbr.Signature = Of->Table.Signature;
        Signature->Mbr.CheckSum = Of->Table.CheckSum;
    }
    ExFreePoolWithTag(Of, IOP_TAG_PARTITION);
    return STATUS_SUCCESS;
}

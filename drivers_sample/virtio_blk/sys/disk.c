/* SPDX-License-Identifier: MIT
 * What a disk answers: reads and writes of whole sectors, flushes, and control codes that ask what it is. [WDK "Disk I/O control codes",
 * "Storage I/O control codes"] */
#include "blk.h"

static NTSTATUS Queue(BLK *Blk, PIRP Irp)
{
    NTSTATUS Status = IoAcquireRemoveLock(&Blk->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return BlkComplete(Irp, Status, 0);
    IoCsqInsertIrp(&Blk->Csq, Irp, NULL); /* which marks it pending */
    BlkStartWaiting(Blk);
    return STATUS_PENDING;
}

/* Whole sectors that there are; no more than a table has room for. */
static NTSTATUS CheckRange(const BLK *Blk, const IO_STACK_LOCATION *Stack)
{
    ULONG64 Offset = (ULONG64)Stack->Parameters.Read.ByteOffset.QuadPart;
    ULONG Length = Stack->Parameters.Read.Length;
    if (Offset % BLK_SECTOR != 0 || Length % BLK_SECTOR != 0 || Length > BLK_MOST)
        return STATUS_INVALID_PARAMETER;
    ULONG64 Size = Blk->Sectors * BLK_SECTOR;
    return Offset <= Size && Length <= Size - Offset ? STATUS_SUCCESS : STATUS_NONEXISTENT_SECTOR;
}

NTSTATUS NTAPI BlkReadWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    BLK *Blk = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = CheckRange(Blk, Stack);
    if (NT_SUCCESS(Status) && Blk->ReadOnly && Stack->MajorFunction == IRP_MJ_WRITE)
        Status = STATUS_MEDIA_WRITE_PROTECTED;
    if (!NT_SUCCESS(Status) || Stack->Parameters.Read.Length == 0)
        return BlkComplete(Irp, Status, 0);
    return Queue(Blk, Irp);
}

NTSTATUS NTAPI BlkFlush(PDEVICE_OBJECT Device, PIRP Irp)
{
    BLK *Blk = Device->DeviceExtension;
    return Blk->CanFlush ? Queue(Blk, Irp) : BlkComplete(Irp, STATUS_SUCCESS, 0);
}

/* --- control codes --- */

static NTSTATUS Answer(PIRP Irp, const void *Data, ULONG Length)
{
    ULONG Room = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength;
    if (Room < Length)
        return BlkComplete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Data, Length);
    return BlkComplete(Irp, STATUS_SUCCESS, Length);
}

/* The geometry that BIOSes give disks that have none. */
static DISK_GEOMETRY Geometry(const BLK *Blk)
{
    DISK_GEOMETRY Geometry = {.MediaType = FixedMedia,
                              .TracksPerCylinder = 255,
                              .SectorsPerTrack = 63,
                              .BytesPerSector = BLK_SECTOR};
    Geometry.Cylinders.QuadPart = (LONGLONG)(Blk->Sectors / (255 * 63));
    return Geometry;
}

static NTSTATUS AnswerGeometry(BLK *Blk, PIRP Irp)
{
    DISK_GEOMETRY Of = Geometry(Blk);
    return Answer(Irp, &Of, sizeof(Of));
}

static NTSTATUS AnswerGeometryEx(BLK *Blk, PIRP Irp)
{
    DISK_GEOMETRY_EX Of = {.Geometry = Geometry(Blk)};
    Of.DiskSize.QuadPart = (LONGLONG)(Blk->Sectors * BLK_SECTOR);
    return Answer(Irp, &Of, FIELD_OFFSET(DISK_GEOMETRY_EX, Data));
}

static NTSTATUS AnswerLength(BLK *Blk, PIRP Irp)
{
    GET_LENGTH_INFORMATION Length = {.Length.QuadPart = (LONGLONG)(Blk->Sectors * BLK_SECTOR)};
    return Answer(Irp, &Length, sizeof(Length));
}

static NTSTATUS AnswerNumber(BLK *Blk, PIRP Irp)
{
    STORAGE_DEVICE_NUMBER Number = {FILE_DEVICE_DISK, Blk->Number, 0};
    return Answer(Irp, &Number, sizeof(Number));
}

NTSTATUS NTAPI BlkControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    BLK *Blk = Device->DeviceExtension;
    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_DISK_GET_DRIVE_GEOMETRY:
        return AnswerGeometry(Blk, Irp);
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
        return AnswerGeometryEx(Blk, Irp);
    case IOCTL_DISK_GET_LENGTH_INFO:
        return AnswerLength(Blk, Irp);
    case IOCTL_STORAGE_GET_DEVICE_NUMBER:
        return AnswerNumber(Blk, Irp);
    case IOCTL_DISK_IS_WRITABLE:
        return BlkComplete(Irp, Blk->ReadOnly ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_SUCCESS, 0);
    case IOCTL_DISK_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY:
        return BlkComplete(Irp, STATUS_SUCCESS, 0);
    default:
        return BlkComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

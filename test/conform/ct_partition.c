/* SPDX-License-Identifier: MIT
 * Partition tables of a disk of this driver, which is memory. [WDK IoReadPartitionTable, IoReadPartitionTableEx, IoReadDiskSignature] */
#include "ct_irp.h"
#include <ntdddisk.h>

#define SECTOR 512u
#define SECTORS 256u

static UCHAR Bytes[SECTORS * SECTOR];
static PDEVICE_OBJECT Disk;
static LONG Reads, FailFrom; /* the read from which on none succeeds; 0: all do */

static NTSTATUS Control(PIRP Irp, PIO_STACK_LOCATION Location)
{
    DISK_GEOMETRY_EX *Geometry = Irp->AssociatedIrp.SystemBuffer;
    if (Location->Parameters.DeviceIoControl.IoControlCode != IOCTL_DISK_GET_DRIVE_GEOMETRY_EX)
        return CtComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    RtlZeroMemory(Geometry, sizeof(*Geometry));
    Geometry->Geometry.BytesPerSector = SECTOR;
    Geometry->DiskSize.QuadPart = sizeof(Bytes);
    return CtComplete(Irp, STATUS_SUCCESS, sizeof(*Geometry));
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    if (Location->MajorFunction == IRP_MJ_DEVICE_CONTROL)
        return Control(Irp, Location);
    ULONG64 Offset = (ULONG64)Location->Parameters.Read.ByteOffset.QuadPart;
    ULONG Length = Location->Parameters.Read.Length;
    LONG Number = InterlockedIncrement(&Reads);
    if (FailFrom != 0 && Number >= FailFrom)
        return CtComplete(Irp, STATUS_DEVICE_DATA_ERROR, 0);
    if (Offset > sizeof(Bytes) || Length > sizeof(Bytes) - Offset)
        return CtComplete(Irp, STATUS_NONEXISTENT_SECTOR, 0);
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Bytes + Offset, Length);
    return CtComplete(Irp, STATUS_SUCCESS, Length);
}

static BOOLEAN Begin(VOID)
{
    RtlZeroMemory(Bytes, sizeof(Bytes));
    FailFrom = Reads = 0;
    CtDriverObject->MajorFunction[IRP_MJ_READ] = CtDriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] =
        Dispatch;
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_DISK, 0, FALSE, &Disk)))
        return FALSE;
    Disk->Flags = (Disk->Flags | DO_BUFFERED_IO) & ~(ULONG)DO_DEVICE_INITIALIZING;
    return TRUE;
}

static VOID Mark(ULONG Sector)
{
    Bytes[Sector * SECTOR + 510] = 0x55;
    Bytes[Sector * SECTOR + 511] = 0xAA;
}

static VOID Put(ULONG Sector, ULONG Entry, UCHAR Type, ULONG Start, ULONG Count)
{
    PUCHAR At = Bytes + Sector * SECTOR + 446 + Entry * 16;
    At[4] = Type;
    RtlCopyMemory(At + 8, &Start, 4);
    RtlCopyMemory(At + 12, &Count, 4);
    Mark(Sector);
}

/* A primary partition, an extended one with two in it. */
static VOID PutChain(VOID)
{
    ULONG Signature = 0x12345678;
    RtlCopyMemory(Bytes + 440, &Signature, 4);
    Put(0, 0, 0x07, 8, 32);
    Bytes[446] = 0x80;
    Put(0, 1, 0x05, 64, 128);
    Put(64, 0, 0x83, 4, 16);
    Put(64, 1, 0x05, 32, 64);
    Put(96, 0, 0x0B, 8, 40);
}

static VOID CheckEntry(const PARTITION_INFORMATION *Entry, ULONG Number, UCHAR Type, LONGLONG Start,
                       LONGLONG Count)
{
    CT_EQUAL(Entry->PartitionNumber, Number);
    CT_EQUAL(Entry->PartitionType, Type);
    CT_EQUAL(Entry->StartingOffset.QuadPart, Start * SECTOR);
    CT_EQUAL(Entry->PartitionLength.QuadPart, Count * SECTOR);
}

/* Recognized partitions only: extended ones are looked into, but have no entries; else each table has its four. */
static VOID PartitionMbr(VOID)
{
    DRIVE_LAYOUT_INFORMATION *Layout = NULL;
    CT_REQUIRE(Begin());
    PutChain();
    if (CT_SUCCESS(IoReadPartitionTable(Disk, SECTOR, TRUE, &Layout))) {
        CT_EQUAL(Layout->PartitionCount, 3);
        CT_EQUAL(Layout->Signature, 0x12345678);
        CheckEntry(&Layout->PartitionEntry[0], 1, 0x07, 8, 32);
        CheckEntry(&Layout->PartitionEntry[1], 2, 0x83, 68, 16);
        CheckEntry(&Layout->PartitionEntry[2], 3, 0x0B, 104, 40);
        CT_CHECK(Layout->PartitionEntry[0].BootIndicator && !Layout->PartitionEntry[1].BootIndicator);
        ExFreePool(Layout);
    }
    if (CT_SUCCESS(IoReadPartitionTable(Disk, SECTOR, FALSE, &Layout))) {
        CT_EQUAL(Layout->PartitionCount, 12);
        CheckEntry(&Layout->PartitionEntry[1], 0, 0x05, 64, 128);
        CheckEntry(&Layout->PartitionEntry[4], 2, 0x83, 68, 16);
        CT_CHECK(!Layout->PartitionEntry[1].RecognizedPartition &&
                 Layout->PartitionEntry[4].RecognizedPartition);
        ExFreePool(Layout);
    }
    IoDeleteDevice(Disk);
}

static ULONG Crc32(const UCHAR *Data, ULONG Length)
{
    ULONG Crc = ~0u;
    for (ULONG i = 0; i < Length * 8; i++) {
        Crc ^= i % 8 == 0 ? Data[i / 8] : 0;
        Crc = Crc >> 1 ^ (Crc & 1 ? 0xEDB88320u : 0);
    }
    return ~Crc;
}

static VOID Put64(ULONG Offset, ULONG64 Value)
{
    RtlCopyMemory(Bytes + Offset, &Value, sizeof(Value));
}

static VOID Put32(ULONG Offset, ULONG Value)
{
    RtlCopyMemory(Bytes + Offset, &Value, sizeof(Value));
}

#define ENTRIES (2 * SECTOR)

/* The header at this sector, of the four entries in sector 2. */
static VOID PutHeader(ULONG Sector)
{
    ULONG At = Sector * SECTOR;
    RtlCopyMemory(Bytes + At, "EFI PART", 8);
    Put32(At + 8, 0x10000);
    Put32(At + 12, 92);
    Put64(At + 24, Sector);
    Put64(At + 40, 34);
    Put64(At + 48, 220);
    RtlFillMemory(Bytes + At + 56, 16, 0xD1);
    Put64(At + 72, 2);
    Put32(At + 80, 4);
    Put32(At + 84, 128);
    Put32(At + 88, Crc32(Bytes + ENTRIES, SECTOR));
    Put32(At + 16, 0);
    Put32(At + 16, Crc32(Bytes + At, 92));
}

/* [UEFI 2.10, 5.3] A partition in the second entry. */
static VOID PutGpt(VOID)
{
    ULONG At = ENTRIES + 128;
    Put(0, 0, 0xEE, 1, SECTORS - 1);
    RtlFillMemory(Bytes + At, 16, 0x77);
    RtlFillMemory(Bytes + At + 16, 16, 0x1D);
    Put64(At + 32, 40);
    Put64(At + 40, 59);
    Put64(At + 48, 0x8000000000000001);
    RtlCopyMemory(Bytes + At + 56, L"Name", 8);
    PutHeader(1);
    PutHeader(SECTORS - 1);
}

static VOID CheckGpt(VOID)
{
    DRIVE_LAYOUT_INFORMATION_EX *Layout = NULL;
    if (!CT_SUCCESS(IoReadPartitionTableEx(Disk, &Layout)))
        return;
    const PARTITION_INFORMATION_EX *Entry = Layout->PartitionEntry;
    CT_EQUAL(Layout->PartitionStyle, PARTITION_STYLE_GPT);
    CT_EQUAL(Layout->PartitionCount, 1);
    CT_EQUAL(Layout->Gpt.StartingUsableOffset.QuadPart, 34 * SECTOR);
    CT_EQUAL(Layout->Gpt.UsableLength.QuadPart, (220 - 34 + 1) * SECTOR);
    CT_EQUAL(Entry->PartitionStyle, PARTITION_STYLE_GPT);
    CT_EQUAL(Entry->StartingOffset.QuadPart, 40 * SECTOR);
    CT_EQUAL(Entry->PartitionLength.QuadPart, 20 * SECTOR);
    CT_EQUAL(Entry->PartitionNumber, 1);
    CT_CHECK(Entry->Gpt.PartitionType.Data1 == 0x77777777 && Entry->Gpt.PartitionId.Data1 == 0x1D1D1D1D);
    CT_CHECK(Entry->Gpt.Attributes == 0x8000000000000001 && Entry->Gpt.Name[3] == L'e');
    ExFreePool(Layout);
}

/* The second header is as good as the first. */
static VOID PartitionGpt(VOID)
{
    DRIVE_LAYOUT_INFORMATION_EX *Layout;
    CT_REQUIRE(Begin());
    PutGpt();
    CheckGpt();
    Bytes[SECTOR + 56]++;
    CheckGpt();
    Bytes[(SECTORS - 1) * SECTOR + 56]++;
    Layout = (PVOID)1;
    CT_STATUS(IoReadPartitionTableEx(Disk, &Layout), STATUS_DISK_CORRUPT_ERROR);
    CT_CHECK(Layout == NULL);
    IoDeleteDevice(Disk);
}

static VOID PartitionSignature(VOID)
{
    DISK_SIGNATURE Signature;
    ULONG Sum = 0;
    CT_REQUIRE(Begin());
    PutChain();
    CT_SUCCESS(IoReadDiskSignature(Disk, SECTOR, &Signature));
    CT_EQUAL(Signature.PartitionStyle, PARTITION_STYLE_MBR);
    CT_EQUAL(Signature.Mbr.Signature, 0x12345678);
    for (ULONG i = 0; i < SECTOR / 4; i++)
        Sum += ((ULONG *)Bytes)[i];
    CT_EQUAL(Sum + Signature.Mbr.CheckSum, 0);
    RtlZeroMemory(Bytes, sizeof(Bytes));
    PutGpt();
    CT_SUCCESS(IoReadDiskSignature(Disk, SECTOR, &Signature));
    CT_EQUAL(Signature.PartitionStyle, PARTITION_STYLE_GPT);
    CT_EQUAL(Signature.Gpt.DiskId.Data1, 0xD1D1D1D1);
    IoDeleteDevice(Disk);
}

static VOID Refused(NTSTATUS Expected)
{
    DRIVE_LAYOUT_INFORMATION_EX *Layout = (PVOID)1;
    DISK_SIGNATURE Signature;
    CT_STATUS(IoReadPartitionTableEx(Disk, &Layout), Expected);
    CT_CHECK(Layout == NULL);
    Reads = 0;
    CT_STATUS(IoReadDiskSignature(Disk, SECTOR, &Signature), Expected);
    Reads = 0;
}

/* A damaged table gives one error and no partition; so does a disk that cannot be read. */
static VOID PartitionDamaged(VOID)
{
    CT_REQUIRE(Begin());
    PutChain();
    Put(96, 1, 0x05, 0, 64); /* back to the first of the chain */
    Refused(STATUS_DISK_CORRUPT_ERROR);
    PutChain();
    Put(96, 1, 0, 0, 0);
    Put(0, 2, 0x07, SECTORS - 1, 2); /* half of it beyond the end */
    Refused(STATUS_DISK_CORRUPT_ERROR);
    Put(0, 2, 0x07, 39, 2); /* over the first */
    Refused(STATUS_DISK_CORRUPT_ERROR);
    Put(0, 2, 0x07, 40, 2);
    FailFrom = 2;
    Refused(STATUS_DEVICE_DATA_ERROR);
    IoDeleteDevice(Disk);
}

static const CT_CASE Cases[] = {
    {"partition.mbr", PartitionMbr},
    {"partition.gpt", PartitionGpt},
    {"partition.signature", PartitionSignature},
    {"partition.damaged", PartitionDamaged},
};
CT_DRIVER(Cases)

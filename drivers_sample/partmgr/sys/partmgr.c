/* SPDX-License-Identifier: MIT
 * Partitions of disks: for each disk interface that there is when it is loaded, a device for each partition of its table, which reads and
 * writes within the partition only. [WDK "Disk I/O control codes"] */
#include <initguid.h>
#include <ntddk.h>
#include <ntdddisk.h>
#include <ntddstor.h>

#define TAG 'trPN'

/* A disk that is open; one for all its partitions. */
typedef struct DISK {
    LIST_ENTRY Entry;
    PFILE_OBJECT File; /* keeps the disk's device */
    PDEVICE_OBJECT Device;
    ULONG Number, SectorSize;
    DRIVE_LAYOUT_INFORMATION_EX *Layout;
} DISK;

typedef struct PARTITION {
    DISK *Disk;
    const PARTITION_INFORMATION_EX *Information; /* in the disk's layout */
} PARTITION;

static LIST_ENTRY Disks = {&Disks, &Disks};

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH OpenClose, ReadWrite, PassDown, Control;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI PassDown(PDEVICE_OBJECT Device, PIRP Irp)
{
    PARTITION *Partition = Device->DeviceExtension;
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Partition->Disk->Device, Irp);
}

/* --- reads and writes --- */

/* Whole sectors within the partition. */
static NTSTATUS CheckRange(const PARTITION *Partition, LONGLONG Offset, ULONG Length)
{
    LONGLONG Size = Partition->Information->PartitionLength.QuadPart;
    if (Offset < 0 || Offset % Partition->Disk->SectorSize != 0 || Length % Partition->Disk->SectorSize != 0)
        return STATUS_INVALID_PARAMETER;
    return Offset <= Size && Length <= Size - Offset ? STATUS_SUCCESS : STATUS_NONEXISTENT_SECTOR;
}

static NTSTATUS NTAPI ReadWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    PARTITION *Partition = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack =
        IoGetCurrentIrpStackLocation(Irp); /* a write has its offset at the same place */
    NTSTATUS Status =
        CheckRange(Partition, Stack->Parameters.Read.ByteOffset.QuadPart, Stack->Parameters.Read.Length);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoGetNextIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart +=
        Partition->Information->StartingOffset.QuadPart;
    return IoCallDriver(Partition->Disk->Device, Irp);
}

/* --- control codes --- */

static NTSTATUS Answer(PIRP Irp, const void *Data, ULONG Length)
{
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength < Length)
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Data, Length);
    return Complete(Irp, STATUS_SUCCESS, Length);
}

/* [WDK IOCTL_DISK_GET_PARTITION_INFO] of MBR disks only. */
static NTSTATUS AnswerPartition(const PARTITION *Partition, PIRP Irp)
{
    const PARTITION_INFORMATION_EX *From = Partition->Information;
    PARTITION_INFORMATION Of = {.StartingOffset = From->StartingOffset,
                                .PartitionLength = From->PartitionLength,
                                .PartitionNumber = From->PartitionNumber};
    if (From->PartitionStyle != PARTITION_STYLE_MBR)
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    Of.HiddenSectors = From->Mbr.HiddenSectors;
    Of.PartitionType = From->Mbr.PartitionType;
    Of.BootIndicator = From->Mbr.BootIndicator;
    Of.RecognizedPartition = From->Mbr.RecognizedPartition;
    return Answer(Irp, &Of, sizeof(Of));
}

static NTSTATUS AnswerLayout(const PARTITION *Partition, PIRP Irp)
{
    const DRIVE_LAYOUT_INFORMATION_EX *Layout = Partition->Disk->Layout;
    return Answer(Irp, Layout,
                  FIELD_OFFSET(DRIVE_LAYOUT_INFORMATION_EX, PartitionEntry) +
                      Layout->PartitionCount * (ULONG)sizeof(PARTITION_INFORMATION_EX));
}

/* Geometry, number of the disk and the like are the disk's. What would reach beyond the partition is refused. */
static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PARTITION *Partition = Device->DeviceExtension;
    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_DISK_GET_LENGTH_INFO:
        return Answer(Irp, &Partition->Information->PartitionLength, sizeof(GET_LENGTH_INFORMATION));
    case IOCTL_DISK_GET_PARTITION_INFO:
        return AnswerPartition(Partition, Irp);
    case IOCTL_DISK_GET_PARTITION_INFO_EX:
        return Answer(Irp, Partition->Information, sizeof(*Partition->Information));
    case IOCTL_DISK_GET_DRIVE_LAYOUT_EX:
        return AnswerLayout(Partition, Irp);
    case IOCTL_DISK_GET_DRIVE_GEOMETRY:
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
    case IOCTL_DISK_IS_WRITABLE:
    case IOCTL_DISK_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY:
        return PassDown(Device, Irp);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

/* --- devices --- */

static VOID PrintName(PUNICODE_STRING Name, PCWSTR Prefix, ULONG Disk, ULONG Partition)
{
    int Count = _snwprintf(Name->Buffer, Name->MaximumLength / sizeof(WCHAR), L"%lsHarddisk%luPartition%lu",
                           Prefix, Disk, Partition);
    Name->Length = (USHORT)((ULONG)Count * sizeof(WCHAR));
}

static NTSTATUS MakePartition(PDRIVER_OBJECT Driver, DISK *Disk, const PARTITION_INFORMATION_EX *Information)
{
    WCHAR Text[64], LinkText[64];
    UNICODE_STRING Name = {0, sizeof(Text), Text}, Link = {0, sizeof(LinkText), LinkText};
    PDEVICE_OBJECT Device;
    PrintName(&Name, L"\\Device\\", Disk->Number, Information->PartitionNumber);
    PrintName(&Link, L"\\??\\", Disk->Number, Information->PartitionNumber);
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(PARTITION), &Name, FILE_DEVICE_DISK,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    *(PARTITION *)Device->DeviceExtension = (PARTITION){Disk, Information};
    Device->StackSize = (CCHAR)(Disk->Device->StackSize + 1);
    Device->Flags |= Disk->Device->Flags & (DO_DIRECT_IO | DO_BUFFERED_IO);
    Device->AlignmentRequirement = Disk->Device->AlignmentRequirement;
    Device->SectorSize = (USHORT)Disk->SectorSize;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID DeletePartition(PDEVICE_OBJECT Device)
{
    const PARTITION *Partition = Device->DeviceExtension;
    WCHAR Text[64];
    UNICODE_STRING Link = {0, sizeof(Text), Text};
    PrintName(&Link, L"\\??\\", Partition->Disk->Number, Partition->Information->PartitionNumber);
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Device);
}

/* --- disks --- */

static NTSTATUS Ask(DISK *Disk, ULONG Code, PVOID Data, ULONG Length)
{
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Irp = IoBuildDeviceIoControlRequest(Code, Disk->Device, NULL, 0, Data, Length, FALSE, &Event, &Iosb);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = IoCallDriver(Disk->Device, Irp);
    if (Status != STATUS_PENDING)
        return Status;
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    return Iosb.Status;
}

/* Its number, the size of its sectors, its table. */
static NTSTATUS Study(DISK *Disk)
{
    STORAGE_DEVICE_NUMBER Number;
    DISK_GEOMETRY Geometry;
    NTSTATUS Status = Ask(Disk, IOCTL_STORAGE_GET_DEVICE_NUMBER, &Number, sizeof(Number));
    if (NT_SUCCESS(Status))
        Status = Ask(Disk, IOCTL_DISK_GET_DRIVE_GEOMETRY, &Geometry, sizeof(Geometry));
    if (!NT_SUCCESS(Status))
        return Status;
    Disk->Number = Number.DeviceNumber;
    Disk->SectorSize = Geometry.BytesPerSector;
    Status = IoReadPartitionTableEx(Disk->Device, &Disk->Layout);
    if (!NT_SUCCESS(Status))
        DbgPrint("partmgr: disk %lu has no partitions: its table cannot be used (%lx)\n", Disk->Number,
                 Status);
    return Status;
}

static VOID CloseDisk(DISK *Disk)
{
    if (Disk->Layout != NULL)
        ExFreePool(Disk->Layout);
    ObDereferenceObject(Disk->File);
    ExFreePoolWithTag(Disk, TAG);
}

/* NULL: it is not a disk with partitions. [WDK IoGetDeviceObjectPointer] FILE_READ_ATTRIBUTES opens the disk, not a volume on it. */
static DISK *OpenDisk(PUNICODE_STRING Name)
{
    DISK *Disk = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Disk), TAG);
    if (Disk == NULL)
        return NULL;
    RtlZeroMemory(Disk, sizeof(*Disk));
    if (!NT_SUCCESS(IoGetDeviceObjectPointer(Name, FILE_READ_ATTRIBUTES, &Disk->File, &Disk->Device))) {
        ExFreePoolWithTag(Disk, TAG);
        return NULL;
    }
    if (NT_SUCCESS(Study(Disk)))
        return Disk;
    CloseDisk(Disk);
    return NULL;
}

static VOID AddDisk(PDRIVER_OBJECT Driver, PUNICODE_STRING Name)
{
    DISK *Disk = OpenDisk(Name);
    if (Disk == NULL)
        return;
    InsertTailList(&Disks, &Disk->Entry);
    for (ULONG i = 0; i < Disk->Layout->PartitionCount; i++) {
        const PARTITION_INFORMATION_EX *One = &Disk->Layout->PartitionEntry[i];
        if (One->PartitionNumber == 0)
            continue;
        NTSTATUS Status = MakePartition(Driver, Disk, One);
        DbgPrint("partmgr: disk %lu, partition %lu: %I64u bytes at %I64u (%lx)\n", Disk->Number,
                 One->PartitionNumber, One->PartitionLength.QuadPart, One->StartingOffset.QuadPart, Status);
    }
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    while (Driver->DeviceObject != NULL)
        DeletePartition(Driver->DeviceObject);
    while (!IsListEmpty(&Disks))
        CloseDisk(CONTAINING_RECORD(RemoveHeadList(&Disks), DISK, Entry));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    PWSTR Names;
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLEANUP] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_READ] = Driver->MajorFunction[IRP_MJ_WRITE] = ReadWrite;
    Driver->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = PassDown;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->DriverUnload = Unload;
    NTSTATUS Status = IoGetDeviceInterfaces(&GUID_DEVINTERFACE_DISK, NULL, 0, &Names);
    if (!NT_SUCCESS(Status))
        return Status;
    for (PWSTR Name = Names; *Name != 0; Name += wcslen(Name) + 1) {
        UNICODE_STRING Text;
        RtlInitUnicodeString(&Text, Name);
        AddDisk(Driver, &Text);
    }
    ExFreePool(Names);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Mounting boot.cpio: index, driver object \FileSystem\BootFs, device \Device\BootArchive, link \SystemRoot.
 */
#include "io/ramfs/ramfs.h"
#include "kd.h"

RAMFS_INDEX RamfsIndex;
SECTION_OBJECT_POINTERS *RamfsSections;

static NTSTATUS NTAPI RamfsEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\BootArchive");
    PDEVICE_OBJECT Device;
    NTSTATUS Status =
        IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, FILE_READ_ONLY_DEVICE, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Device->SectorSize = RAMFS_SECTOR;
    Device->Flags |= DO_DIRECT_IO;
    Driver->MajorFunction[IRP_MJ_CREATE] = RamfsCreate;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = RamfsCleanup;
    Driver->MajorFunction[IRP_MJ_CLOSE] = RamfsClose;
    Driver->MajorFunction[IRP_MJ_READ] = RamfsRead;
    Driver->MajorFunction[IRP_MJ_WRITE] = RamfsRefuseWrite;
    Driver->MajorFunction[IRP_MJ_QUERY_INFORMATION] = RamfsQueryInformation;
    Driver->MajorFunction[IRP_MJ_SET_INFORMATION] = RamfsSetInformation;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static NTSTATUS Damaged(const CPIO_ERROR *Error)
{
    KdLog("boot.cpio: offset 0x%I64x: %s; not mounted", Error->Offset, Error->Rule);
    return STATUS_DISK_CORRUPT_ERROR;
}

static NTSTATUS MakeIndex(const void *Archive, ULONG64 Length)
{
    CPIO_ERROR Error = {0};
    ULONG64 Size = RamfsMeasure(Archive, Length, &RamfsIndex, &Error);
    if (Size == 0)
        return Damaged(&Error);
    PVOID Memory = ExAllocatePool2(POOL_FLAG_PAGED, Size, RAMFS_TAG);
    if (!Memory)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (RamfsBuild(&RamfsIndex, Memory, Archive, Length, &Error)) {
        RamfsSections =
            ExAllocatePool2(POOL_FLAG_NON_PAGED, RamfsIndex.NodeCount * sizeof(*RamfsSections), RAMFS_TAG);
        if (RamfsSections != NULL)
            return STATUS_SUCCESS;
        ExFreePoolWithTag(Memory, RAMFS_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ExFreePoolWithTag(Memory, RAMFS_TAG);
    return Damaged(&Error);
}

NTSTATUS IopMountBootArchive(const void *Archive, ULONG64 Length)
{
    NTSTATUS Status = MakeIndex(Archive, Length);
    if (NT_SUCCESS(Status))
        Status = IoCreateDriver(L"\\FileSystem\\BootFs", RamfsEntry);
    if (NT_SUCCESS(Status))
        Status = ObCreateKernelLink(L"\\SystemRoot", L"\\Device\\BootArchive\\Windows");
    return Status;
}

/* SPDX-License-Identifier: MIT
 * What the volume tells about itself. [WDK ZwQueryVolumeInformationFile] */
#include "io/bootfs/bootfs.h"

static const WCHAR FileSystemName[] = L"BOOTFS";

static LARGE_INTEGER Sectors(VOID)
{
    return (LARGE_INTEGER){.QuadPart = (LONGLONG)(BootfsArchiveLength + BOOTFS_SECTOR - 1) / BOOTFS_SECTOR};
}

static ULONG FillVolume(PVOID Buffer)
{
    FILE_FS_VOLUME_INFORMATION *Volume = Buffer;
    *Volume = (FILE_FS_VOLUME_INFORMATION){.VolumeSerialNumber = BOOTFS_TAG};
    return FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel);
}

static ULONG FillSize(PVOID Buffer)
{
    FILE_FS_SIZE_INFORMATION *Size = Buffer;
    *Size = (FILE_FS_SIZE_INFORMATION){
        .TotalAllocationUnits = Sectors(), .SectorsPerAllocationUnit = 1, .BytesPerSector = BOOTFS_SECTOR};
    return sizeof(*Size);
}

static ULONG FillFullSize(PVOID Buffer)
{
    FILE_FS_FULL_SIZE_INFORMATION *Size = Buffer;
    *Size = (FILE_FS_FULL_SIZE_INFORMATION){
        .TotalAllocationUnits = Sectors(), .SectorsPerAllocationUnit = 1, .BytesPerSector = BOOTFS_SECTOR};
    return sizeof(*Size);
}

/* [WDK FILE_FS_ATTRIBUTE_INFORMATION] STATUS_BUFFER_OVERFLOW when only a part of the name fits. */
static NTSTATUS FillAttribute(PVOID Buffer, ULONG Length, ULONG_PTR *Information)
{
    FILE_FS_ATTRIBUTE_INFORMATION *Attribute = Buffer;
    ULONG Whole = sizeof(FileSystemName) - sizeof(WCHAR);
    ULONG Header = FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName);
    ULONG Copied = min(Whole, (Length - Header) & ~1u);
    Attribute->FileSystemAttributes = FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK |
                                      FILE_READ_ONLY_VOLUME | FILE_SUPPORTS_REPARSE_POINTS;
    Attribute->MaximumComponentNameLength = BOOTFS_MAX_NAME;
    Attribute->FileSystemNameLength = Whole;
    RtlCopyMemory(Attribute->FileSystemName, FileSystemName, Copied);
    *Information = Header + Copied;
    return Copied < Whole ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* The I/O manager has checked the least lengths. */
NTSTATUS NTAPI BootfsQueryVolume(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG_PTR Information = 0;
    NTSTATUS Status;
    switch (Stack->Parameters.QueryVolume.FsInformationClass) {
    case FileFsVolumeInformation:
        return BootfsComplete(Irp, STATUS_SUCCESS, FillVolume(Buffer));
    case FileFsSizeInformation:
        return BootfsComplete(Irp, STATUS_SUCCESS, FillSize(Buffer));
    case FileFsFullSizeInformation:
        return BootfsComplete(Irp, STATUS_SUCCESS, FillFullSize(Buffer));
    case FileFsAttributeInformation:
        Status = FillAttribute(Buffer, Stack->Parameters.QueryVolume.Length, &Information);
        return BootfsComplete(Irp, Status, Information);
    default:
        return BootfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
}

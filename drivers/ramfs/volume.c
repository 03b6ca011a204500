/* SPDX-License-Identifier: MIT
 * What the volume tells about itself, and its label. The I/O manager has checked the least lengths. [WDK ZwQueryVolumeInformationFile] */
#include "ramfs.h"

static WCHAR Label[MAXIMUM_VOLUME_LABEL_LENGTH / sizeof(WCHAR)]; /* (n) */
static ULONG LabelLength;                                        /* (n) bytes */

static NTSTATUS PutText(UCHAR *To, ULONG Header, ULONG Length, const WCHAR *Text, ULONG Whole,
                        ULONG_PTR *Information)
{
    ULONG Copied = min(Whole, (Length - Header) & ~1u);
    RtlCopyMemory(To + Header, Text, Copied);
    *Information = Header + Copied;
    return Copied < Whole ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static NTSTATUS QueryLabel(PVOID Buffer, ULONG Length, ULONG_PTR *Information)
{
    FILE_FS_VOLUME_INFORMATION *Volume = Buffer;
    RamfsLock();
    Volume->VolumeCreationTime = RamfsRoot->CreationTime;
    Volume->VolumeSerialNumber = RAMFS_TAG;
    Volume->VolumeLabelLength = LabelLength;
    Volume->SupportsObjects = FALSE;
    NTSTATUS Status = PutText(Buffer, FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel), Length, Label,
                              LabelLength, Information);
    RamfsUnlock();
    return Status;
}

static NTSTATUS QuerySize(FILE_FS_SIZE_INFORMATION *Size, ULONG_PTR *Information)
{
    Size->TotalAllocationUnits.QuadPart = RAMFS_CAPACITY / RAMFS_PAGE;
    Size->AvailableAllocationUnits.QuadPart = (LONGLONG)(RamfsAvailable() / RAMFS_PAGE);
    Size->SectorsPerAllocationUnit = RAMFS_PAGE / 512;
    Size->BytesPerSector = 512;
    *Information = sizeof(*Size);
    return STATUS_SUCCESS;
}

static NTSTATUS QueryFullSize(FILE_FS_FULL_SIZE_INFORMATION *Size, ULONG_PTR *Information)
{
    Size->TotalAllocationUnits.QuadPart = RAMFS_CAPACITY / RAMFS_PAGE;
    Size->ActualAvailableAllocationUnits.QuadPart = (LONGLONG)(RamfsAvailable() / RAMFS_PAGE);
    Size->CallerAvailableAllocationUnits = Size->ActualAvailableAllocationUnits;
    Size->SectorsPerAllocationUnit = RAMFS_PAGE / 512;
    Size->BytesPerSector = 512;
    *Information = sizeof(*Size);
    return STATUS_SUCCESS;
}

static NTSTATUS QueryAttribute(FILE_FS_ATTRIBUTE_INFORMATION *Attribute, ULONG Length, ULONG_PTR *Information)
{
    static const WCHAR Name[] = L"RAMFS";
    Attribute->FileSystemAttributes = FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK;
    Attribute->MaximumComponentNameLength = RAMFS_MAX_NAME / sizeof(WCHAR);
    Attribute->FileSystemNameLength = sizeof(Name) - sizeof(WCHAR);
    return PutText((UCHAR *)Attribute, FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName), Length,
                   Name, sizeof(Name) - sizeof(WCHAR), Information);
}

static NTSTATUS Query(PIO_STACK_LOCATION Stack, PVOID Buffer, ULONG_PTR *Information)
{
    ULONG Length = Stack->Parameters.QueryVolume.Length;
    switch (Stack->Parameters.QueryVolume.FsInformationClass) {
    case FileFsVolumeInformation:
        return QueryLabel(Buffer, Length, Information);
    case FileFsSizeInformation:
        return QuerySize(Buffer, Information);
    case FileFsFullSizeInformation:
        return QueryFullSize(Buffer, Information);
    case FileFsAttributeInformation:
        return QueryAttribute(Buffer, Length, Information);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS NTAPI RamfsQueryVolume(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG_PTR Information = 0;
    UNREFERENCED_PARAMETER(Device);
    NTSTATUS Status = Query(IoGetCurrentIrpStackLocation(Irp), Irp->AssociatedIrp.SystemBuffer, &Information);
    return RamfsComplete(Irp, Status, Information);
}

/* [WDK FILE_FS_LABEL_INFORMATION] */
NTSTATUS NTAPI RamfsSetVolume(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    const FILE_FS_LABEL_INFORMATION *Given = Irp->AssociatedIrp.SystemBuffer;
    ULONG Header = FIELD_OFFSET(FILE_FS_LABEL_INFORMATION, VolumeLabel);
    UNREFERENCED_PARAMETER(Device);
    if (Stack->Parameters.SetVolume.FsInformationClass != FileFsLabelInformation)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Given->VolumeLabelLength > Stack->Parameters.SetVolume.Length - Header ||
        Given->VolumeLabelLength % sizeof(WCHAR) != 0)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Given->VolumeLabelLength > sizeof(Label))
        return RamfsComplete(Irp, STATUS_INVALID_VOLUME_LABEL, 0);
    RamfsLock();
    RtlCopyMemory(Label, Given->VolumeLabel, Given->VolumeLabelLength);
    LabelLength = Given->VolumeLabelLength;
    RamfsUnlock();
    return RamfsComplete(Irp, STATUS_SUCCESS, 0);
}

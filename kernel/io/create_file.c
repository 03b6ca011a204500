/* SPDX-License-Identifier: MIT
 * IoCreateFile, ZwCreateFile, ZwOpenFile. */
#include "iop.h"

static BOOLEAN IopDirectoryOptionsAreValid(const IOP_OPEN *Open)
{
    if (!(Open->CreateOptions & FILE_DIRECTORY_FILE))
        return TRUE;
    if (Open->CreateOptions & FILE_NON_DIRECTORY_FILE)
        return FALSE;
    return Open->Disposition == FILE_CREATE || Open->Disposition == FILE_OPEN ||
           Open->Disposition == FILE_OPEN_IF;
}

/* [WDK ZwCreateFile] which values and combinations are valid. */
static BOOLEAN IopOpenIsValid(const IOP_OPEN *Open)
{
    ULONG Options = Open->CreateOptions;
    ULONG Synchronous = Options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT);
    if (Open->Disposition > FILE_MAXIMUM_DISPOSITION || (Options & ~FILE_VALID_OPTION_FLAGS) != 0)
        return FALSE;
    if ((Open->ShareAccess & ~FILE_SHARE_VALID_FLAGS) != 0 || Open->AllocationSize.QuadPart < 0)
        return FALSE;
    if (Synchronous == (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT))
        return FALSE;
    if (Synchronous != 0 && !(Open->DesiredAccess & (SYNCHRONIZE | GENERIC_ALL | GENERIC_READ |
                                                     GENERIC_WRITE | GENERIC_EXECUTE | MAXIMUM_ALLOWED)))
        return FALSE;
    if ((Options & FILE_DELETE_ON_CLOSE) && !(Open->DesiredAccess & (DELETE | GENERIC_ALL | MAXIMUM_ALLOWED)))
        return FALSE;
    return IopDirectoryOptionsAreValid(Open);
}

static NTSTATUS IopCreate(PHANDLE Handle, POBJECT_ATTRIBUTES Attributes, PIO_STATUS_BLOCK Iosb,
                          IOP_OPEN *Open)
{
    if (!IopOpenIsValid(Open))
        return STATUS_INVALID_PARAMETER;
    Open->FinalStatus = STATUS_UNSUCCESSFUL;
    NTSTATUS Status =
        ObOpenObjectByName(Attributes, IoFileObjectType, KernelMode, Open->DesiredAccess, Open, Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    Iosb->Status = Open->FinalStatus;
    Iosb->Information = Open->Information;
    return Open->FinalStatus;
}

/* [WDK IoCreateFile] CreateFileType: plain files only, the file systems of pipes and mailslots are not there. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoCreateFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                            PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer,
                            ULONG EaLength, CREATE_FILE_TYPE Type, PVOID ExtraParameters, ULONG Options)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_OPEN Open = {.DesiredAccess = Access,
                     .CreateOptions = CreateOptions,
                     .Disposition = Disposition,
                     .Options = Options,
                     .FileAttributes = (USHORT)FileAttributes,
                     .ShareAccess = (USHORT)ShareAccess,
                     .EaBuffer = EaBuffer,
                     .EaLength = EaLength};
    if (Type != CreateFileTypeNone)
        return STATUS_INVALID_PARAMETER;
    if (AllocationSize != NULL)
        Open.AllocationSize = *AllocationSize;
    return IopCreate(Handle, Attributes, Iosb, &Open);
}

/* [WDK ZwCreateFile] */
NTSTATUS NTAPI ZwCreateFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                            PIO_STATUS_BLOCK Iosb, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer,
                            ULONG EaLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return IoCreateFile(Handle, Access, Attributes, Iosb, AllocationSize, FileAttributes, ShareAccess,
                        Disposition, CreateOptions, EaBuffer, EaLength, CreateFileTypeNone, NULL, 0);
}

/* [WDK ZwOpenFile] */
NTSTATUS NTAPI ZwOpenFile(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                          PIO_STATUS_BLOCK Iosb, ULONG ShareAccess, ULONG OpenOptions)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return IoCreateFile(Handle, Access, Attributes, Iosb, NULL, 0, ShareAccess, FILE_OPEN, OpenOptions, NULL,
                        0, CreateFileTypeNone, NULL, 0);
}

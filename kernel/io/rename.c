/* SPDX-License-Identifier: MIT
 * Where a file is renamed or linked to. The I/O manager opens the folder of the new name, so that the file system need not follow names
 * and rights are checked. [WDK ZwSetInformationFile, Set File Information Processing, IRP_MJ_CREATE SL_OPEN_TARGET_DIRECTORY] */
#include "iop.h"

/* FILE_LINK_INFORMATION has the same layout. */
_Static_assert(FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) ==
                       FIELD_OFFSET(FILE_LINK_INFORMATION, FileName) &&
                   FIELD_OFFSET(FILE_RENAME_INFORMATION, RootDirectory) ==
                       FIELD_OFFSET(FILE_LINK_INFORMATION, RootDirectory),
               "rename and link");

static BOOLEAN IopRenameIsValid(const FILE_RENAME_INFORMATION *Rename, ULONG Length)
{
    ULONG Header = FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName);
    return Rename->FileNameLength != 0 && Rename->FileNameLength % sizeof(WCHAR) == 0 &&
           Rename->FileNameLength <= MAXUSHORT - sizeof(WCHAR) && Length >= Header &&
           Rename->FileNameLength <= Length - Header;
}

/* The open stops in the folder; on another volume than the file's it is none of ours. */
static NTSTATUS IopTakeTarget(IOP_REQUEST *Request, HANDLE Handle)
{
    PFILE_OBJECT File;
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle, 0, IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    if (IoGetRelatedDeviceObject(File) != IoGetRelatedDeviceObject(Request->File))
        Status = STATUS_NOT_SAME_DEVICE;
    Request->Stack->Parameters.SetFile.FileObject = File;
    ObfDereferenceObject(File); /* the handle holds it */
    return Status;
}

NTSTATUS IopOpenRenameTarget(IOP_REQUEST *Request, HANDLE *Target)
{
    const FILE_RENAME_INFORMATION *Rename = Request->Irp->AssociatedIrp.SystemBuffer;
    OBJECT_ATTRIBUTES Attributes;
    *Target = NULL;
    if (!IopRenameIsValid(Rename, Request->Stack->Parameters.SetFile.Length))
        return STATUS_INVALID_PARAMETER;
    Request->Stack->Parameters.SetFile.ReplaceIfExists = Rename->ReplaceIfExists;
    Request->Stack->Parameters.SetFile.FileObject = NULL;
    if (Rename->RootDirectory == NULL && Rename->FileName[0] != L'\\')
        return STATUS_SUCCESS;
    UNICODE_STRING Name = {(USHORT)Rename->FileNameLength, (USHORT)Rename->FileNameLength,
                           (PWCHAR)Rename->FileName};
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               Rename->RootDirectory, NULL);
    IOP_OPEN Open = {.DesiredAccess = FILE_WRITE_DATA | SYNCHRONIZE,
                     .CreateOptions = FILE_OPEN_FOR_BACKUP_INTENT,
                     .ShareAccess = FILE_SHARE_VALID_FLAGS,
                     .Disposition = FILE_OPEN,
                     .Options = IO_OPEN_TARGET_DIRECTORY | IO_FORCE_ACCESS_CHECK};
    if (Request->Mode == KernelMode)
        Open.Options &= ~(ULONG)IO_FORCE_ACCESS_CHECK;
    NTSTATUS Status = IopCreateForCaller(Target, &Attributes, &Open, Request->Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopTakeTarget(Request, *Target);
    if (!NT_SUCCESS(Status)) {
        ObCloseHandle(*Target, KernelMode);
        *Target = NULL;
    }
    return Status;
}

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

/* A user-mode caller's handle, and never the kernel's. It is looked up again by the open: whatever it is then, it is the caller's own. */
static NTSTATUS IopCheckRoot(HANDLE Root, KPROCESSOR_MODE Mode)
{
    PVOID Object;
    if (Root == NULL || Mode == KernelMode)
        return STATUS_SUCCESS;
    NTSTATUS Status = ObReferenceObjectByHandle(Root, 0, NULL, Mode, &Object, NULL);
    if (NT_SUCCESS(Status))
        ObfDereferenceObject(Object);
    return Status;
}

/* The name and the handle are the kernel's, whoever asks: no other thread of the caller can close the handle meanwhile. The rights are
 * the caller's. */
static NTSTATUS IopOpenTarget(const IOP_REQUEST *Request, const FILE_RENAME_INFORMATION *Rename,
                              HANDLE *Target)
{
    OBJECT_ATTRIBUTES Attributes;
    BOOLEAN Checked = Request->Mode != KernelMode;
    UNICODE_STRING Name = {(USHORT)Rename->FileNameLength, (USHORT)Rename->FileNameLength,
                           (PWCHAR)Rename->FileName};
    NTSTATUS Status = IopCheckRoot(Rename->RootDirectory, Request->Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, &Name,
                               OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE |
                                   (Checked ? (ULONG)OBJ_FORCE_ACCESS_CHECK : 0),
                               Rename->RootDirectory, NULL);
    IOP_OPEN Open = {.DesiredAccess = FILE_WRITE_DATA | SYNCHRONIZE,
                     .CreateOptions = FILE_OPEN_FOR_BACKUP_INTENT,
                     .ShareAccess = FILE_SHARE_VALID_FLAGS,
                     .Disposition = FILE_OPEN,
                     .Options = IO_OPEN_TARGET_DIRECTORY | (Checked ? (ULONG)IO_FORCE_ACCESS_CHECK : 0)};
    return IopCreateForCaller(Target, &Attributes, &Open, KernelMode);
}

/* [WDK FILE_RENAME_INFORMATION] without a folder, what does not begin at the root is a new name in the same folder, not a path. */
static BOOLEAN IopIsSimpleName(const FILE_RENAME_INFORMATION *Rename)
{
    for (ULONG I = 0; I < Rename->FileNameLength / sizeof(WCHAR); I++)
        if (Rename->FileName[I] == L'\\')
            return FALSE;
    return TRUE;
}

NTSTATUS IopOpenRenameTarget(IOP_REQUEST *Request, HANDLE *Target)
{
    const FILE_RENAME_INFORMATION *Rename = Request->Irp->AssociatedIrp.SystemBuffer;
    *Target = NULL;
    if (!IopRenameIsValid(Rename, Request->Stack->Parameters.SetFile.Length))
        return STATUS_INVALID_PARAMETER;
    Request->Stack->Parameters.SetFile.ReplaceIfExists = Rename->ReplaceIfExists;
    Request->Stack->Parameters.SetFile.FileObject = NULL;
    if (Rename->RootDirectory == NULL && Rename->FileName[0] != L'\\')
        return IopIsSimpleName(Rename) ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
    NTSTATUS Status = IopOpenTarget(Request, Rename, Target);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopTakeTarget(Request, *Target);
    if (!NT_SUCCESS(Status)) {
        ObCloseHandle(*Target, KernelMode);
        *Target = NULL;
    }
    return Status;
}

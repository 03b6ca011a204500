/* SPDX-License-Identifier: MIT
 * Opening and closing files of boot.cpio. Whatever would change the archive is refused as on a
 * write-protected medium. */
#include "io/ramfs/ramfs.h"

#define WRITING_ACCESS                                                                                       \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES | FILE_DELETE_CHILD |        \
     DELETE | WRITE_DAC | WRITE_OWNER)

/* The node that the file object's name leads to, from its related file object or the root. */
static NTSTATUS FindNode(PFILE_OBJECT File, uint32_t *Number)
{
    uint32_t Start = 0;
    PCUNICODE_STRING Name = &File->FileName;
    if (File->RelatedFileObject) {
        Start = RamfsNumber(RamfsNode(File->RelatedFileObject));
        if (Name->Length && Name->Buffer[0] == L'\\')
            return STATUS_OBJECT_NAME_INVALID;
    }
    switch (
        RamfsFind(&RamfsIndex, Start, (const uint16_t *)Name->Buffer, Name->Length / sizeof(WCHAR), Number)) {
    case RamfsFound:
        return STATUS_SUCCESS;
    case RamfsNoName:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    case RamfsNoPath:
        return STATUS_OBJECT_PATH_NOT_FOUND;
    case RamfsBadName:
        break;
    }
    return STATUS_OBJECT_NAME_INVALID;
}

/* [WDK ZwCreateFile] What each disposition does when the file exists, on a medium that cannot be written. */
static NTSTATUS CheckDisposition(ULONG Disposition)
{
    switch (Disposition) {
    case FILE_OPEN:
    case FILE_OPEN_IF:
        return STATUS_SUCCESS;
    case FILE_CREATE:
        return STATUS_OBJECT_NAME_COLLISION;
    case FILE_SUPERSEDE:
    case FILE_OVERWRITE:
    case FILE_OVERWRITE_IF:
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    return STATUS_INVALID_PARAMETER;
}

/* ... and when it does not. */
static NTSTATUS MissingStatus(ULONG Disposition, NTSTATUS Found)
{
    BOOLEAN Creates = Disposition != FILE_OPEN && Disposition != FILE_OVERWRITE;
    return Creates && Found == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_MEDIA_WRITE_PROTECTED : Found;
}

static NTSTATUS CheckOptions(const RAMFS_NODE *Node, ULONG Options, ACCESS_MASK Access)
{
    if ((Options & FILE_DIRECTORY_FILE) && !Node->Folder)
        return STATUS_NOT_A_DIRECTORY;
    if ((Options & FILE_NON_DIRECTORY_FILE) && Node->Folder)
        return STATUS_FILE_IS_A_DIRECTORY;
    if ((Options & FILE_DELETE_ON_CLOSE) || (Access & WRITING_ACCESS))
        return STATUS_MEDIA_WRITE_PROTECTED;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RamfsCreate(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT File = Stack->FileObject;
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;
    uint32_t Number;

    NTSTATUS Status = FindNode(File, &Number);
    if (!NT_SUCCESS(Status))
        return RamfsComplete(Irp, MissingStatus(Disposition, Status), FILE_DOES_NOT_EXIST);
    const RAMFS_NODE *Node = &RamfsIndex.Nodes[Number];
    Status = CheckDisposition(Disposition);
    if (NT_SUCCESS(Status))
        Status = CheckOptions(Node, Stack->Parameters.Create.Options,
                              Stack->Parameters.Create.SecurityContext->DesiredAccess);
    if (!NT_SUCCESS(Status))
        return RamfsComplete(Irp, Status, FILE_EXISTS);
    File->FsContext = (PVOID)Node;
    if (!Node->Folder)
        File->SectionObjectPointer = &RamfsSections[Number];
    return RamfsComplete(Irp, STATUS_SUCCESS, FILE_OPENED);
}

NTSTATUS NTAPI RamfsCleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    File->Flags |= FO_CLEANUP_COMPLETE;
    return RamfsComplete(Irp, STATUS_SUCCESS, 0);
}

/* Nothing was allocated for the open. */
NTSTATUS NTAPI RamfsClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext = NULL;
    return RamfsComplete(Irp, STATUS_SUCCESS, 0);
}

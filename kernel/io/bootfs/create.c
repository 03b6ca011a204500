/* SPDX-License-Identifier: MIT
 * Opening and closing files of boot.cpio. Whatever would change the archive is refused as on a
 * write-protected medium. */
#include "io/bootfs/bootfs.h"
#include "fslib/access.h"

#define WRITING_ACCESS                                                                                       \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES | FILE_DELETE_CHILD |        \
     DELETE | WRITE_DAC | WRITE_OWNER)

static NTSTATUS FoundStatus(BOOTFS_FOUND Found)
{
    switch (Found) {
    case BootfsFound:
        return STATUS_SUCCESS;
    case BootfsNoName:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    case BootfsNoPath:
        return STATUS_OBJECT_PATH_NOT_FOUND;
    case BootfsBadName:
        break;
    }
    return STATUS_OBJECT_NAME_INVALID;
}

/* The node that the file object's name leads to, from its related file object or the root; a name goes no further than the mount point,
 * and *Rest is what follows it. */
static NTSTATUS FindNode(PFILE_OBJECT File, uint32_t *Number, PUNICODE_STRING Rest)
{
    uint32_t Start = 0, Used = 0;
    PCUNICODE_STRING Name = &File->FileName;
    if (File->RelatedFileObject) {
        if (BootfsNode(File->RelatedFileObject) == NULL)
            return STATUS_INVALID_PARAMETER; /* names relative to the volume */
        Start = BootfsNumber(BootfsNode(File->RelatedFileObject));
        if (Name->Length && Name->Buffer[0] == L'\\')
            return STATUS_OBJECT_NAME_INVALID;
    }
    NTSTATUS Status = FoundStatus(BootfsFind(&BootfsIndex, Start, (const uint16_t *)Name->Buffer,
                                             Name->Length / sizeof(WCHAR), BootfsTemp.Node, Number, &Used));
    Rest->Buffer = Name->Buffer + Used;
    Rest->Length = (USHORT)(Name->Length - Used * sizeof(WCHAR));
    return Status;
}

/* [WDK IRP_MJ_CREATE, IO_REPARSE] the file's name becomes the absolute one that the look-up goes on with. */
static NTSTATUS GoOnElsewhere(PFILE_OBJECT File, PCUNICODE_STRING Rest)
{
    BOOLEAN Separates = Rest->Length == 0 || Rest->Buffer[0] != L'\\';
    ULONG Length = (ULONG)BootfsTemp.Target.Length + Rest->Length + (Separates ? sizeof(WCHAR) : 0);
    if (Length > MAXUSHORT - sizeof(WCHAR))
        return STATUS_OBJECT_NAME_INVALID;
    PWCHAR Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Length, BOOTFS_TAG);
    if (!Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    PWCHAR At = Buffer + BootfsTemp.Target.Length / sizeof(WCHAR);
    RtlCopyMemory(Buffer, BootfsTemp.Target.Buffer, BootfsTemp.Target.Length);
    if (Separates)
        *At++ = L'\\';
    RtlCopyMemory(At, Rest->Buffer, Rest->Length);
    if (File->FileName.Buffer != NULL)
        ExFreePool(File->FileName.Buffer);
    File->FileName = (UNICODE_STRING){(USHORT)Length, (USHORT)Length, Buffer};
    return STATUS_REPARSE;
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

static NTSTATUS CheckOptions(const BOOTFS_NODE *Node, ULONG Options, ACCESS_MASK Access)
{
    if ((Options & FILE_DIRECTORY_FILE) && !Node->Folder)
        return STATUS_NOT_A_DIRECTORY;
    if ((Options & FILE_NON_DIRECTORY_FILE) && Node->Folder)
        return STATUS_FILE_IS_A_DIRECTORY;
    if ((Options & FILE_DELETE_ON_CLOSE) || (Access & WRITING_ACCESS))
        return STATUS_MEDIA_WRITE_PROTECTED;
    return STATUS_SUCCESS;
}

/* Counted until the last handle is closed. */
static NTSTATUS Share(PFILE_OBJECT File, uint32_t Number, ACCESS_MASK Access, ULONG Shared)
{
    KeAcquireGuardedMutex(&BootfsShareLock);
    NTSTATUS Status = IoCheckShareAccess(Access, Shared, File, &BootfsShares[Number], TRUE);
    KeReleaseGuardedMutex(&BootfsShareLock);
    return Status;
}

/* [WDK IRP_MJ_CREATE] an empty name that is relative to nothing, or to the volume, means the volume: its bytes are the archive. */
static BOOLEAN OpensVolume(PFILE_OBJECT File)
{
    return File->FileName.Length == 0 &&
           (File->RelatedFileObject == NULL || BootfsNode(File->RelatedFileObject) == NULL);
}

static NTSTATUS OpenVolume(PIO_STACK_LOCATION Stack)
{
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;
    if (Stack->Parameters.Create.Options & FILE_DIRECTORY_FILE)
        return STATUS_NOT_A_DIRECTORY;
    if (Disposition != FILE_OPEN && Disposition != FILE_OPEN_IF)
        return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

static NTSTATUS OpenNode(PFILE_OBJECT File, PIO_STACK_LOCATION Stack, uint32_t Number)
{
    const BOOTFS_NODE *Node = &BootfsIndex.Nodes[Number];
    ACCESS_MASK Access = FsGrantAccess(Stack->Parameters.Create.SecurityContext, WRITING_ACCESS);
    NTSTATUS Status = CheckDisposition(Stack->Parameters.Create.Options >> 24);
    if (NT_SUCCESS(Status))
        Status = CheckOptions(Node, Stack->Parameters.Create.Options, Access);
    if (NT_SUCCESS(Status))
        Status = Share(File, Number, Access, Stack->Parameters.Create.ShareAccess);
    if (!NT_SUCCESS(Status))
        return Status;
    File->FsContext = (PVOID)Node;
    if (!Node->Folder)
        File->SectionObjectPointer = &BootfsSections[Number];
    return STATUS_SUCCESS;
}

/* [WDK IRP_MJ_CREATE] SL_OPEN_TARGET_DIRECTORY is for a rename into here, which there cannot be. */
NTSTATUS NTAPI BootfsCreate(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT File = Stack->FileObject;
    UNICODE_STRING Rest;
    uint32_t Number;

    if (OpensVolume(File))
        return BootfsComplete(Irp, OpenVolume(Stack), FILE_OPENED);
    NTSTATUS Status = FindNode(File, &Number, &Rest);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && (Stack->Flags & SL_OPEN_TARGET_DIRECTORY))
        return BootfsComplete(Irp, STATUS_MEDIA_WRITE_PROTECTED, 0);
    if (!NT_SUCCESS(Status))
        return BootfsComplete(Irp, MissingStatus(Stack->Parameters.Create.Options >> 24, Status),
                              FILE_DOES_NOT_EXIST);
    if (Number == BootfsTemp.Node &&
        (Rest.Length != 0 || !(Stack->Parameters.Create.Options & FILE_OPEN_REPARSE_POINT)))
        return BootfsComplete(Irp, GoOnElsewhere(File, &Rest), IO_REPARSE);
    if (Stack->Flags & SL_OPEN_TARGET_DIRECTORY)
        return BootfsComplete(Irp, STATUS_MEDIA_WRITE_PROTECTED, 0);
    Status = OpenNode(File, Stack, Number);
    return BootfsComplete(Irp, Status, NT_SUCCESS(Status) ? FILE_OPENED : FILE_EXISTS);
}

NTSTATUS NTAPI BootfsCleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    if (BootfsNode(File) != NULL && !(File->Flags & FO_CLEANUP_COMPLETE)) {
        KeAcquireGuardedMutex(&BootfsShareLock);
        IoRemoveShareAccess(File, &BootfsShares[BootfsNumber(BootfsNode(File))]);
        KeReleaseGuardedMutex(&BootfsShareLock);
    }
    File->Flags |= FO_CLEANUP_COMPLETE;
    return BootfsComplete(Irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI BootfsClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    if (File->FsContext2 != NULL) {
        FsEndScan(File->FsContext2);
        ExFreePoolWithTag(File->FsContext2, BOOTFS_TAG);
    }
    File->FsContext = File->FsContext2 = NULL;
    return BootfsComplete(Irp, STATUS_SUCCESS, 0);
}

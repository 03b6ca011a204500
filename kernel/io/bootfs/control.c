/* SPDX-License-Identifier: MIT
 * Control codes of the boot volume: where its mount point leads. [WDK FSCTL_GET_REPARSE_POINT, REPARSE_DATA_BUFFER] */
#include "io/bootfs/bootfs.h"

/* Two names with a zero behind each: the way, and an empty one to show. */
static NTSTATUS GetReparsePoint(PFILE_OBJECT File, REPARSE_DATA_BUFFER *Answer, ULONG Room,
                                ULONG_PTR *Information)
{
    const USHORT Path = BootfsTemp.Target.Length, Names = Path + 2 * sizeof(WCHAR);
    const USHORT Data = FIELD_OFFSET(REPARSE_DATA_BUFFER, MountPointReparseBuffer.PathBuffer) -
                        REPARSE_DATA_BUFFER_HEADER_SIZE + Names;
    if (BootfsNode(File) == NULL || BootfsNumber(BootfsNode(File)) != BootfsTemp.Node)
        return STATUS_NOT_A_REPARSE_POINT;
    if (Room < REPARSE_DATA_BUFFER_HEADER_SIZE + Data)
        return STATUS_BUFFER_TOO_SMALL;
    RtlZeroMemory(Answer, REPARSE_DATA_BUFFER_HEADER_SIZE + Data);
    Answer->ReparseTag = IO_REPARSE_TAG_MOUNT_POINT;
    Answer->ReparseDataLength = Data;
    Answer->MountPointReparseBuffer.SubstituteNameLength = Path;
    Answer->MountPointReparseBuffer.PrintNameOffset = Path + sizeof(WCHAR);
    RtlCopyMemory(Answer->MountPointReparseBuffer.PathBuffer, BootfsTemp.Target.Buffer, Path);
    *Information = REPARSE_DATA_BUFFER_HEADER_SIZE + Data;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI BootfsFsControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG_PTR Information = 0;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    if (Stack->MinorFunction == IRP_MN_USER_FS_REQUEST &&
        Stack->Parameters.FileSystemControl.FsControlCode == FSCTL_GET_REPARSE_POINT)
        Status = GetReparsePoint(Stack->FileObject, Irp->AssociatedIrp.SystemBuffer,
                                 Stack->Parameters.FileSystemControl.OutputBufferLength, &Information);
    return BootfsComplete(Irp, Status, Information);
}

/* SPDX-License-Identifier: MIT
 * Reading files of boot.cpio, and the archive itself by the volume: a copy into the caller's locked buffer. Writing is refused. */
#include "io/bootfs/bootfs.h"

NTSTATUS NTAPI BootfsRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT File = Stack->FileObject;
    const BOOTFS_NODE *Node = BootfsNode(File);
    const UCHAR *Data = Node != NULL ? Node->Data : BootfsArchive;
    LONGLONG Size = Node != NULL ? Node->Size : (LONGLONG)BootfsArchiveLength;
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    ULONG Length = Stack->Parameters.Read.Length;

    if (Node != NULL && Node->Folder)
        return BootfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Offset < 0)
        return BootfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Length == 0)
        return BootfsComplete(Irp, STATUS_SUCCESS, 0);
    /* [WDK ZwReadFile] A read that begins at or behind the end gives STATUS_END_OF_FILE. */
    if (Offset >= Size)
        return BootfsComplete(Irp, STATUS_END_OF_FILE, 0);
    if (Length > Size - Offset)
        Length = (ULONG)(Size - Offset);
    PVOID Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (!Buffer)
        return BootfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    RtlCopyMemory(Buffer, Data + Offset, Length);
    if (File->Flags & FO_SYNCHRONOUS_IO)
        File->CurrentByteOffset.QuadPart = Offset + Length;
    return BootfsComplete(Irp, STATUS_SUCCESS, Length);
}

NTSTATUS NTAPI BootfsRefuseWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    return BootfsComplete(Irp, STATUS_MEDIA_WRITE_PROTECTED, 0);
}

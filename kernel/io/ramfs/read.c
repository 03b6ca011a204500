/* SPDX-License-Identifier: MIT
 * Reading files of boot.cpio: a copy from the archive into the caller's locked buffer. Writing is refused. */
#include "io/ramfs/ramfs.h"

NTSTATUS NTAPI RamfsRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT File = Stack->FileObject;
    const RAMFS_NODE *Node = RamfsNode(File);
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    ULONG Length = Stack->Parameters.Read.Length;

    if (Node->Folder)
        return RamfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Offset < 0)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Length == 0)
        return RamfsComplete(Irp, STATUS_SUCCESS, 0);
    /* [WDK ZwReadFile] A read that begins at or behind the end gives STATUS_END_OF_FILE. */
    if (Offset >= Node->Size)
        return RamfsComplete(Irp, STATUS_END_OF_FILE, 0);
    if (Length > Node->Size - Offset)
        Length = (ULONG)(Node->Size - Offset);
    PVOID Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (!Buffer)
        return RamfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    RtlCopyMemory(Buffer, Node->Data + Offset, Length);
    if (File->Flags & FO_SYNCHRONOUS_IO)
        File->CurrentByteOffset.QuadPart = Offset + Length;
    return RamfsComplete(Irp, STATUS_SUCCESS, Length);
}

NTSTATUS NTAPI RamfsRefuseWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    return RamfsComplete(Irp, STATUS_MEDIA_WRITE_PROTECTED, 0);
}

/* SPDX-License-Identifier: MIT
 * Reading and writing files, by handle or a page at a time for their sections. [WDK IRP_MJ_READ, IRP_MJ_WRITE] */
#include "ramfs.h"

static BOOLEAN IsPaging(PIRP Irp)
{
    return (Irp->Flags & IRP_PAGING_IO) != 0;
}

static NTSTATUS CheckTransfer(PIRP Irp, RAMFS_NODE *Node, BOOLEAN Write, LONGLONG Offset, ULONG Length)
{
    if (Node == NULL || Node->Folder)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Offset < 0 || Offset > MAXLONGLONG - Length)
        return STATUS_INVALID_PARAMETER;
    if (IsPaging(Irp))
        return STATUS_SUCCESS;
    return RamfsMayTransfer(Node, Irp, Write, Offset, Length) ? STATUS_SUCCESS : STATUS_FILE_LOCK_CONFLICT;
}

static VOID MovePosition(PIRP Irp, PFILE_OBJECT File, LONGLONG End)
{
    if ((File->Flags & FO_SYNCHRONOUS_IO) && !IsPaging(Irp))
        File->CurrentByteOffset.QuadPart = End;
}

NTSTATUS NTAPI RamfsRead(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    RAMFS_NODE *Node = RamfsNode(Stack->FileObject);
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart, Size;
    ULONG Length = Stack->Parameters.Read.Length;
    UCHAR *Buffer = NULL;
    UNREFERENCED_PARAMETER(Device);
    NTSTATUS Status = CheckTransfer(Irp, Node, FALSE, Offset, Length);
    if (!NT_SUCCESS(Status) || Length == 0)
        return RamfsComplete(Irp, Status, 0);
    Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (Buffer == NULL)
        return RamfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    KeAcquireGuardedMutex(&RamfsData);
    Size = Node->Header.FileSize.QuadPart;
    Length = Offset >= Size ? 0 : (ULONG)min((LONGLONG)Length, Size - Offset);
    RamfsCopyOut(Node, Offset, Buffer, Length);
    KeReleaseGuardedMutex(&RamfsData);
    if (Length == 0) /* [WDK ZwReadFile] at or behind the end */
        return RamfsComplete(Irp, STATUS_END_OF_FILE, 0);
    MovePosition(Irp, Stack->FileObject, Offset + Length);
    return RamfsComplete(Irp, STATUS_SUCCESS, Length);
}

/* [WDK IRP_MJ_WRITE] paging I/O never makes a file longer. *Length: what was written. */
static NTSTATUS WriteBytes(RAMFS_NODE *Node, LONGLONG *Offset, const UCHAR *Buffer, ULONG *Length,
                           BOOLEAN Append, BOOLEAN Paging)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KeAcquireGuardedMutex(&RamfsData);
    LONGLONG Size = Node->Header.FileSize.QuadPart;
    if (Append)
        *Offset = Size;
    if (Paging)
        *Length = *Offset >= Size ? 0 : (ULONG)min((LONGLONG)*Length, Size - *Offset);
    if (*Offset + *Length > Size) {
        Status = RamfsReserve(Node, *Offset + *Length);
        if (NT_SUCCESS(Status))
            RamfsSetSize(Node, *Offset + *Length);
    }
    if (NT_SUCCESS(Status))
        RamfsCopyIn(Node, *Offset, Buffer, *Length);
    KeReleaseGuardedMutex(&RamfsData);
    return Status;
}

static VOID NoteWrite(RAMFS_NODE *Node, BOOLEAN Longer)
{
    RamfsLock();
    RamfsTouch(Node, TRUE);
    Node->Attributes |= FILE_ATTRIBUTE_ARCHIVE;
    RamfsNotify(Node, FILE_NOTIFY_CHANGE_LAST_WRITE | (Longer ? FILE_NOTIFY_CHANGE_SIZE : 0),
                FILE_ACTION_MODIFIED);
    RamfsUnlock();
}

NTSTATUS NTAPI RamfsWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    RAMFS_NODE *Node = RamfsNode(Stack->FileObject);
    LARGE_INTEGER Given = Stack->Parameters.Write.ByteOffset;
    BOOLEAN Append = Given.LowPart == FILE_WRITE_TO_END_OF_FILE && Given.HighPart == -1;
    ULONG Length = Stack->Parameters.Write.Length;
    LONGLONG Offset = Append && Node != NULL ? Node->Header.FileSize.QuadPart : Given.QuadPart, Before;
    UNREFERENCED_PARAMETER(Device);
    NTSTATUS Status = CheckTransfer(Irp, Node, TRUE, Offset, Length);
    if (!NT_SUCCESS(Status) || Length == 0)
        return RamfsComplete(Irp, Status, 0);
    UCHAR *Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (Buffer == NULL)
        return RamfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    Before = Node->Header.FileSize.QuadPart;
    Status = WriteBytes(Node, &Offset, Buffer, &Length, Append, IsPaging(Irp));
    if (!NT_SUCCESS(Status))
        return RamfsComplete(Irp, Status, 0);
    if (!IsPaging(Irp))
        NoteWrite(Node, Offset + Length > Before);
    MovePosition(Irp, Stack->FileObject, Offset + Length);
    return RamfsComplete(Irp, STATUS_SUCCESS, Length);
}

/* There is nothing behind memory. */
NTSTATUS NTAPI RamfsFlush(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return RamfsComplete(Irp, STATUS_SUCCESS, 0);
}

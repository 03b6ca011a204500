/* SPDX-License-Identifier: MIT
 * What can be changed about a file. The I/O manager has checked the least lengths. [WDK ZwSetInformationFile] */
#include "ramfs.h"

/* [WDK FILE_BASIC_INFORMATION] 0: it stays; -1 and -2 concern times that the file system would set itself. */
static VOID TakeTime(PLARGE_INTEGER To, LARGE_INTEGER Given)
{
    if (Given.QuadPart > 0)
        *To = Given;
}

static BOOLEAN TimesAreValid(const FILE_BASIC_INFORMATION *Basic)
{
    return Basic->CreationTime.QuadPart >= -2 && Basic->LastAccessTime.QuadPart >= -2 &&
           Basic->LastWriteTime.QuadPart >= -2 && Basic->ChangeTime.QuadPart >= -2;
}

static NTSTATUS SetBasic(RAMFS_NODE *Node, const FILE_BASIC_INFORMATION *Basic)
{
    const ULONG Settable = FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM |
                           FILE_ATTRIBUTE_ARCHIVE | FILE_ATTRIBUTE_TEMPORARY |
                           FILE_ATTRIBUTE_NOT_CONTENT_INDEXED;
    ULONG Filter = 0;
    if (!TimesAreValid(Basic) || ((Basic->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) && !Node->Folder))
        return STATUS_INVALID_PARAMETER;
    if (Basic->FileAttributes != 0) {
        Node->Attributes = Basic->FileAttributes & Settable;
        Filter |= FILE_NOTIFY_CHANGE_ATTRIBUTES;
    }
    KeQuerySystemTimePrecise(&Node->ChangeTime);
    TakeTime(&Node->CreationTime, Basic->CreationTime);
    TakeTime(&Node->LastAccessTime, Basic->LastAccessTime);
    TakeTime(&Node->LastWriteTime, Basic->LastWriteTime);
    TakeTime(&Node->ChangeTime, Basic->ChangeTime);
    Filter |= (Basic->CreationTime.QuadPart > 0 ? FILE_NOTIFY_CHANGE_CREATION : 0) |
              (Basic->LastAccessTime.QuadPart > 0 ? FILE_NOTIFY_CHANGE_LAST_ACCESS : 0) |
              (Basic->LastWriteTime.QuadPart > 0 ? FILE_NOTIFY_CHANGE_LAST_WRITE : 0);
    if (Filter != 0)
        RamfsNotify(Node, Filter, FILE_ACTION_MODIFIED);
    return STATUS_SUCCESS;
}

/* [WDK FILE_DISPOSITION_INFORMATION] it goes with its last handle. */
static NTSTATUS SetDisposition(RAMFS_NODE *Node, BOOLEAN Delete)
{
    if (!Delete) {
        Node->DeletePending = FALSE;
        return STATUS_SUCCESS;
    }
    if (Node == RamfsRoot || (Node->Attributes & FILE_ATTRIBUTE_READONLY))
        return STATUS_CANNOT_DELETE;
    if (!IsListEmpty(&Node->Children))
        return STATUS_DIRECTORY_NOT_EMPTY;
    if (!Node->Folder && !MmFlushImageSection(&Node->Sections, MmFlushForDelete))
        return STATUS_CANNOT_DELETE;
    Node->DeletePending = TRUE;
    if (Node->Folder)
        RamfsEndWatchesOf(Node);
    return STATUS_SUCCESS;
}

static NTSTATUS CheckSize(RAMFS_NODE *Node, LARGE_INTEGER Size)
{
    if (Node->Folder || Size.QuadPart < 0)
        return STATUS_INVALID_PARAMETER;
    if (Size.QuadPart < Node->Header.FileSize.QuadPart && !MmCanFileBeTruncated(&Node->Sections, &Size))
        return STATUS_USER_MAPPED_FILE;
    return STATUS_SUCCESS;
}

/* Of the memory manager too, for sections that are larger than their file; then nobody is told. */
static NTSTATUS SetEndOfFile(RAMFS_NODE *Node, LARGE_INTEGER Size)
{
    NTSTATUS Status = CheckSize(Node, Size);
    if (!NT_SUCCESS(Status))
        return Status;
    KeAcquireGuardedMutex(&RamfsData);
    Status = RamfsReserve(Node, Size.QuadPart);
    if (NT_SUCCESS(Status)) {
        RamfsSetSize(Node, Size.QuadPart);
        RamfsTrim(Node, Size.QuadPart);
    }
    KeReleaseGuardedMutex(&RamfsData);
    return Status;
}

/* [WDK FILE_ALLOCATION_INFORMATION] less than the file has cuts it. */
static NTSTATUS SetAllocation(RAMFS_NODE *Node, LARGE_INTEGER Size)
{
    NTSTATUS Status = CheckSize(Node, Size);
    if (!NT_SUCCESS(Status))
        return Status;
    KeAcquireGuardedMutex(&RamfsData);
    if (Size.QuadPart < Node->Header.FileSize.QuadPart)
        RamfsSetSize(Node, Size.QuadPart);
    Status = RamfsReserve(Node, Size.QuadPart);
    if (NT_SUCCESS(Status))
        RamfsTrim(Node, Size.QuadPart);
    KeReleaseGuardedMutex(&RamfsData);
    return Status;
}

static NTSTATUS SetSize(PIRP Irp, RAMFS_NODE *Node, FILE_INFORMATION_CLASS Class, LARGE_INTEGER Size)
{
    NTSTATUS Status =
        Class == FileEndOfFileInformation ? SetEndOfFile(Node, Size) : SetAllocation(Node, Size);
    if (NT_SUCCESS(Status) && (Irp->Flags & IRP_BUFFERED_IO)) { /* by handle */
        RamfsLock();
        RamfsTouch(Node, TRUE);
        RamfsNotify(Node, FILE_NOTIFY_CHANGE_SIZE, FILE_ACTION_MODIFIED);
        RamfsUnlock();
    }
    return Status;
}

static NTSTATUS SetNamed(PIRP Irp, PIO_STACK_LOCATION Stack, RAMFS_NODE *Node)
{
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS Status;
    RamfsLock();
    if (RamfsIsClosed(Stack->FileObject)) {
        RamfsUnlock();
        return STATUS_FILE_CLOSED;
    }
    switch (Stack->Parameters.SetFile.FileInformationClass) {
    case FileBasicInformation:
        Status = SetBasic(Node, Buffer);
        break;
    case FileDispositionInformation:
        Status = SetDisposition(Node, ((FILE_DISPOSITION_INFORMATION *)Buffer)->DeleteFile);
        break;
    case FileRenameInformation:
        Status = RamfsRename(Node, Irp, Stack);
        break;
    default:
        Status = STATUS_INVALID_PARAMETER;
        break;
    }
    RamfsUnlock();
    return Status;
}

NTSTATUS NTAPI RamfsSetInformation(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    RAMFS_NODE *Node = RamfsNode(Stack->FileObject);
    FILE_INFORMATION_CLASS Class = Stack->Parameters.SetFile.FileInformationClass;
    LARGE_INTEGER *Number = Irp->AssociatedIrp.SystemBuffer; /* of sizes and the position */
    UNREFERENCED_PARAMETER(Device);
    if (Node == NULL)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    switch (Class) {
    case FilePositionInformation:
        if (Number->QuadPart < 0)
            return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
        Stack->FileObject->CurrentByteOffset = *Number;
        return RamfsComplete(Irp, STATUS_SUCCESS, 0);
    case FileEndOfFileInformation:
    case FileAllocationInformation:
        return RamfsComplete(Irp, SetSize(Irp, Node, Class, *Number), 0);
    default:
        return RamfsComplete(Irp, SetNamed(Irp, Stack, Node), 0);
    }
}

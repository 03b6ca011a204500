/* SPDX-License-Identifier: MIT
 * Locked ranges of bytes: FsRtl keeps them. [WDK IRP_MJ_LOCK_CONTROL, FsRtlProcessFileLock] */
#include "ramfs.h"

BOOLEAN RamfsMayTransfer(RAMFS_NODE *Node, PIRP Irp, BOOLEAN Write, LONGLONG Offset, ULONG Length)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LARGE_INTEGER Begin = {.QuadPart = Offset}, Bytes = {.QuadPart = Length};
    ULONG Key = Stack->Flags & SL_KEY_SPECIFIED ? Stack->Parameters.Read.Key : 0;
    PEPROCESS Process = IoGetRequestorProcess(Irp);
    return Write ? FsRtlFastCheckLockForWrite(&Node->Locks, &Begin, &Bytes, Key, Stack->FileObject, Process)
                 : FsRtlFastCheckLockForRead(&Node->Locks, &Begin, &Bytes, Key, Stack->FileObject, Process);
}

/* A process that has a range of the file. */
static BOOLEAN FindOwner(RAMFS_NODE *Node, PFILE_OBJECT File, PVOID *Process)
{
    RamfsLock(); /* one at a time may enumerate */
    PFILE_LOCK_INFO Info = FsRtlGetNextFileLock(&Node->Locks, TRUE);
    while (Info != NULL && Info->FileObject != File)
        Info = FsRtlGetNextFileLock(&Node->Locks, FALSE);
    BOOLEAN Found = Info != NULL;
    if (Found)
        *Process = Info->ProcessId;
    RamfsUnlock();
    return Found;
}

/* A kernel handle may be closed in another process than that which locked. Nothing is held: others' requests get what becomes free. */
VOID RamfsUnlockFile(RAMFS_NODE *Node, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PVOID Process = IoGetRequestorProcess(Irp);
    do {
        (void)FsRtlFastUnlockAll(&Node->Locks, File, Process, NULL);
    } while (FindOwner(Node, File, &Process));
}

NTSTATUS NTAPI RamfsLockControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    RAMFS_NODE *Node = RamfsNode(IoGetCurrentIrpStackLocation(Irp)->FileObject);
    UNREFERENCED_PARAMETER(Device);
    if (Node == NULL || Node->Folder)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    return FsRtlProcessFileLock(&Node->Locks, Irp, NULL);
}

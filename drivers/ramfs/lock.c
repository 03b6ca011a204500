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

/* A kernel handle may be closed in another process than that which locked. */
VOID RamfsUnlockFile(RAMFS_NODE *Node, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    (void)FsRtlFastUnlockAll(&Node->Locks, File, IoGetRequestorProcess(Irp), NULL);
    RamfsLock(); /* one at a time may enumerate */
    for (PFILE_LOCK_INFO Info = FsRtlGetNextFileLock(&Node->Locks, TRUE); Info != NULL;
         Info = FsRtlGetNextFileLock(&Node->Locks, FALSE)) {
        if (Info->FileObject == File)
            (void)FsRtlFastUnlockAll(&Node->Locks, File, Info->ProcessId, NULL);
    }
    RamfsUnlock();
}

NTSTATUS NTAPI RamfsLockControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    RAMFS_NODE *Node = RamfsNode(IoGetCurrentIrpStackLocation(Irp)->FileObject);
    UNREFERENCED_PARAMETER(Device);
    if (Node == NULL || Node->Folder)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    return FsRtlProcessFileLock(&Node->Locks, Irp, NULL);
}

/* SPDX-License-Identifier: MIT
 * The last handle and the last reference. [WDK IRP_MJ_CLEANUP, IRP_MJ_CLOSE] */
#include "ramfs.h"

/* A folder that is not empty stays, whatever its opener asked for. */
static VOID DeleteIfAsked(RAMFS_NODE *Node, PFILE_OBJECT File)
{
    if (RamfsOpen(File)->DeleteOnClose && Node->Parent != NULL && IsListEmpty(&Node->Children))
        Node->DeletePending = TRUE;
}

/* With its last handle the file loses its name; what is left goes with the last reference. The name that watches knew it by goes also when it
 * stays: a folder above it may be renamed from now on. */
static VOID EndHandles(RAMFS_NODE *Node)
{
    if (--Node->Handles != 0)
        return;
    RamfsFree(Node->FullName.Buffer, Node->FullName.MaximumLength);
    Node->FullName = (STRING){0, 0, NULL};
    if (!Node->DeletePending || Node->Parent == NULL)
        return;
    RamfsNotify(Node, RamfsNameFilter(Node), FILE_ACTION_REMOVED);
    RamfsUnlink(Node); /* the file holds it still */
}

/* Once: a driver may open the file object again by its pointer, and close that. The flag comes first, and under the lock: requests of other
 * threads may come. */
static BOOLEAN BeginCleanup(PFILE_OBJECT File)
{
    RamfsLock();
    BOOLEAN First = !RamfsIsClosed(File);
    File->Flags |= FO_CLEANUP_COMPLETE;
    RamfsUnlock();
    return First;
}

static VOID CleanUp(RAMFS_NODE *Node, PFILE_OBJECT File)
{
    RamfsLock();
    IoRemoveShareAccess(File, &Node->Share);
    DeleteIfAsked(Node, File);
    if (Node->DeletePending && Node->Folder)
        RamfsEndWatchesOf(Node);
    EndHandles(Node);
    RamfsUnlock();
}

NTSTATUS NTAPI RamfsCleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    RAMFS_NODE *Node = RamfsNode(File);
    UNREFERENCED_PARAMETER(Device);
    if (Node != NULL && BeginCleanup(File)) {
        RamfsEndWatch(File);
        RamfsUnlockFile(Node, Irp);
        CleanUp(Node, File);
    }
    return RamfsComplete(Irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI RamfsClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    RAMFS_OPEN *Open = RamfsOpen(File);
    UNREFERENCED_PARAMETER(Device);
    if (RamfsNode(File) != NULL) {
        RamfsLock();
        RamfsDereference(RamfsNode(File));
        RamfsUnlock();
        FsEndScan(&Open->Scan);
        RamfsFree(Open, sizeof(*Open));
    }
    File->FsContext = File->FsContext2 = NULL;
    return RamfsComplete(Irp, STATUS_SUCCESS, 0);
}

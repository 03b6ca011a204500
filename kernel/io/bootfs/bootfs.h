/* SPDX-License-Identifier: MIT
 * Tier 3, this folder only: the file system over boot.cpio. The files never change after the mount and need no lock; who has which file
 * open is under BootfsShareLock, and where a directory query stands under BootfsScanLock. */
#pragma once
#include "io.h"
#include "io/bootfs/index.h"
#include "fslib/scan.h"

#define BOOTFS_TAG 'sfoB'
#define BOOTFS_SECTOR 512u

extern BOOTFS_INDEX BootfsIndex; /* constant after start-up */
extern const void *BootfsArchive;
extern ULONG64 BootfsArchiveLength;

/* The disk \Device\BootArchive, the file system's own device \BootFs, and the volume, NULL until it is mounted. */
extern PDEVICE_OBJECT BootfsDisk, BootfsFileSystem, BootfsVolume;

extern SHARE_ACCESS *BootfsShares; /* by the number of the node; under BootfsShareLock */
extern KGUARDED_MUTEX BootfsShareLock, BootfsScanLock;

/* A folder whose names are another volume's: an open goes on there. */
typedef struct BOOTFS_MOUNT_POINT {
    ULONG Node; /* BOOTFS_NONE: the archive has no folder Windows */
    UNICODE_STRING Target;
} BOOTFS_MOUNT_POINT;
extern BOOTFS_MOUNT_POINT BootfsTemp;

/* FILE_OBJECT.FsContext2 of a folder that was queried is its FS_SCAN. */

/* By the number of the node; mm's. Sections show copies of the files' pages, which never change. */
extern SECTION_OBJECT_POINTERS *BootfsSections;

/* FILE_OBJECT.FsContext points to the node; NULL: the volume itself is open. */
static inline const BOOTFS_NODE *BootfsNode(PFILE_OBJECT File)
{
    return File->FsContext;
}

static inline ULONG BootfsNumber(const BOOTFS_NODE *Node)
{
    return (ULONG)(Node - BootfsIndex.Nodes);
}

static inline NTSTATUS BootfsComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
    return Status;
}

#define BOOTFS_SECONDS_1601_TO_1970 11644473600ll
#define BOOTFS_UNITS_PER_SECOND 10000000ll /* 100 ns */

static inline LARGE_INTEGER BootfsTime(const BOOTFS_NODE *Node)
{
    return (LARGE_INTEGER){.QuadPart = (Node->Time + BOOTFS_SECONDS_1601_TO_1970) * BOOTFS_UNITS_PER_SECOND};
}

static inline ULONG BootfsAttributes(const BOOTFS_NODE *Node)
{
    return FILE_ATTRIBUTE_READONLY | (Node->Folder ? FILE_ATTRIBUTE_DIRECTORY : 0) |
           (BootfsNumber(Node) == BootfsTemp.Node ? FILE_ATTRIBUTE_REPARSE_POINT : 0);
}

static inline LONGLONG BootfsAllocatedSize(const BOOTFS_NODE *Node)
{
    return ((LONGLONG)Node->Size + BOOTFS_SECTOR - 1) & ~(LONGLONG)(BOOTFS_SECTOR - 1);
}

DRIVER_DISPATCH BootfsCreate, BootfsCleanup, BootfsClose, BootfsRead, BootfsRefuseWrite,
    BootfsQueryInformation, BootfsSetInformation, BootfsDirectoryControl, BootfsQueryVolume, BootfsFsControl;

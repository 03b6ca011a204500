/* SPDX-License-Identifier: MIT
 * Tier 3, this folder only: the file system over boot.cpio. It is read-only and never changes after the
 * mount, so it has no locks; what belongs to one open lies in the file object, which the I/O manager
 * serialises. */
#pragma once
#include "io.h"
#include "io/ramfs/index.h"

#define RAMFS_TAG 'fmaR'
#define RAMFS_SECTOR 512u

extern RAMFS_INDEX RamfsIndex; /* constant after the mount */

/* By the number of the node; mm's. Sections show copies of the files' pages, which never change. */
extern SECTION_OBJECT_POINTERS *RamfsSections;

/* FILE_OBJECT.FsContext points to the node. */
static inline const RAMFS_NODE *RamfsNode(PFILE_OBJECT File)
{
    return File->FsContext;
}

static inline ULONG RamfsNumber(const RAMFS_NODE *Node)
{
    return (ULONG)(Node - RamfsIndex.Nodes);
}

static inline NTSTATUS RamfsComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
    return Status;
}

DRIVER_DISPATCH RamfsCreate, RamfsCleanup, RamfsClose, RamfsRead, RamfsRefuseWrite, RamfsQueryInformation,
    RamfsSetInformation;

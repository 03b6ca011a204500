/* SPDX-License-Identifier: MIT
 * The RAM file system: one volume on \Device\RamDisk0, gone when the machine stops. Case is kept and ignored.
 *
 * Locks, in the order of acquisition, all at PASSIVE_LEVEL:
 *   (n) RamfsNames  the tree of names, who has what open, ranges and watches
 *   (d) RamfsData   sizes and contents. Page faults on a file's sections get here too, so nothing is called under it that may wait
 *                   for the memory manager; what asks the memory manager about sections is called before, under (n) at most.
 * Locked ranges and watches are kept by FsRtl, which is told of changes with (n) held, in their order, and completes the IRPs of watches then: they
 * stop at a completion routine of ours, and go on when (n) is released (fslib/gather_lock.h). So no IRP ends with a lock held. */
#pragma once
#include "fslib/gather_lock.h"
#include "fslib/scan.h"

#define RAMFS_TAG 'fmaR'
#define RAMFS_PAGE 4096u
#define RAMFS_CAPACITY (16ull << 20) /* bytes of all contents, names and tables together */
#define RAMFS_MAX_NAME (255 * sizeof(WCHAR))

extern FS_LOCK RamfsNames;
extern KGUARDED_MUTEX RamfsData;
extern PDEVICE_OBJECT RamfsDisk, RamfsFileSystem, RamfsVolume;

/* A file or folder. FILE_OBJECT.FsContext points to it; NULL: the volume itself is open. */
typedef struct RAMFS_NODE {
    FSRTL_COMMON_FCB_HEADER Header; /* (d) sizes; first: [WDK FSRTL_COMMON_FCB_HEADER] */
    SECTION_OBJECT_POINTERS Sections;
    LONG References;           /* (n) files, and 1 while it has a name */
    ULONG Handles;             /* (n) files whose last handle is not closed */
    struct RAMFS_NODE *Parent; /* (n) NULL: the root, or it has no name any more */
    LIST_ENTRY Children;       /* (n) of a folder, in the order of Order */
    LIST_ENTRY Sibling;        /* (n) */
    ULONG64 Order;             /* (n) grows with each that gets a name: directory queries go by it */
    ULONG64 Id;
    UNICODE_STRING Name;         /* (n) own block; empty: the root */
    struct RAMFS_NODE *NextName; /* (n) while it has a parent: in the table of names of node.c */
    ULONG Bucket;                /* (n) there */
    BOOLEAN Folder;
    BOOLEAN DeletePending; /* (n) it goes with its last handle */
    ULONG Attributes;      /* (n) without FILE_ATTRIBUTE_DIRECTORY */
    LARGE_INTEGER CreationTime, LastAccessTime, LastWriteTime, ChangeTime; /* (n) */
    SHARE_ACCESS Share;                                                    /* (n) */
    FILE_LOCK Locks;
    STRING FullName; /* (n) own block: the path of a folder that is watched, from its first watch on */
    UCHAR **Pages;   /* (d) PageCount blocks of RAMFS_PAGE bytes, zero where nothing was written */
    ULONG PageCount, TableCount; /* (d) pages, and room in the table */
} RAMFS_NODE;

/* FILE_OBJECT.FsContext2 of a file or folder. (n) */
typedef struct RAMFS_OPEN {
    PFILE_OBJECT File; /* whose it is */
    BOOLEAN DeleteOnClose;
    FS_SCAN Scan;
} RAMFS_OPEN;

static inline RAMFS_NODE *RamfsNode(PFILE_OBJECT File)
{
    return File->FsContext;
}

static inline RAMFS_OPEN *RamfsOpen(PFILE_OBJECT File)
{
    return File->FsContext2;
}

/* A filter may have completed the create of a file with contexts of its own: not even their memory need be there. */
static inline BOOLEAN RamfsIsOurs(PFILE_OBJECT File)
{
    RAMFS_OPEN *Open = RamfsOpen(File);
    return RamfsNode(File) == NULL || (Open != NULL && MmIsAddressValid(Open) && Open->File == File);
}

/* (n) Its last handle is closed: nothing is begun for it that only its cleanup would end. */
static inline BOOLEAN RamfsIsClosed(PFILE_OBJECT File)
{
    return (File->Flags & FO_CLEANUP_COMPLETE) != 0;
}

NTSTATUS RamfsComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);
VOID RamfsLock(VOID); /* (n) */
VOID RamfsUnlock(VOID);

/* node.c. (n) held. */
extern RAMFS_NODE *RamfsRoot;
NTSTATUS RamfsMakeNode(PCUNICODE_STRING Name, BOOLEAN Folder, ULONG Attributes,
                       RAMFS_NODE **Node);            /* one reference */
VOID RamfsLink(RAMFS_NODE *Parent, RAMFS_NODE *Node); /* takes over the reference */
VOID RamfsUnlink(RAMFS_NODE *Node);                   /* and drops it */
VOID RamfsDereference(RAMFS_NODE *Node);              /* the last frees */
RAMFS_NODE *RamfsFindChild(RAMFS_NODE *Folder, PCUNICODE_STRING Name);
BOOLEAN RamfsNameIsValid(PCUNICODE_STRING Name);
NTSTATUS RamfsSetName(RAMFS_NODE *Node, PCUNICODE_STRING Name);
/* Bytes of the path from the root, "\a\b", and a copy of its first Room bytes. */
ULONG RamfsPath(const RAMFS_NODE *Node, PWCHAR Path, ULONG Room);
VOID RamfsTouch(RAMFS_NODE *Node, BOOLEAN Written); /* ChangeTime, and LastWriteTime */

/* memory.c: what the volume may use. Any. */
PVOID RamfsAllocate(POOL_FLAGS Flags, SIZE_T Size,
                    NTSTATUS *Status); /* zeroed. STATUS_DISK_FULL, STATUS_INSUFFICIENT_RESOURCES */
VOID RamfsFree(PVOID Block, SIZE_T Size);
ULONG64 RamfsAvailable(VOID);

/* contents.c. (d) held. */
NTSTATUS RamfsReserve(RAMFS_NODE *Node, LONGLONG Size); /* pages for so many bytes */
VOID RamfsTrim(RAMFS_NODE *Node, LONGLONG Size);        /* gives those behind back */
VOID RamfsSetSize(RAMFS_NODE *Node, LONGLONG Size);     /* reserved; what comes into view is zero */
VOID RamfsCopyOut(const RAMFS_NODE *Node, LONGLONG Offset, UCHAR *To, ULONG Length);
VOID RamfsCopyIn(RAMFS_NODE *Node, LONGLONG Offset, const UCHAR *From, ULONG Length);

/* notify.c. (n) held, but for the first two and the last two. */
NTSTATUS RamfsStartNotify(VOID); /* PASSIVE_LEVEL, once */
VOID RamfsStopNotify(VOID);
VOID RamfsNotify(RAMFS_NODE *Node, ULONG Filter, ULONG Action);
VOID RamfsEndWatchesOf(RAMFS_NODE *Folder); /* it is deleted */
/* Room for the full name that Node, if it is watched, will have as Name in Parent; and that name, now that it is there. */
NTSTATUS RamfsPrepareFullName(const RAMFS_NODE *Node, const RAMFS_NODE *Parent, PCUNICODE_STRING Name,
                              STRING *Room);
VOID RamfsSetFullName(RAMFS_NODE *Node, STRING Room);
VOID RamfsEndWatch(PFILE_OBJECT File);
NTSTATUS RamfsNotifyRequest(PIRP Irp, PIO_STACK_LOCATION Stack);

/* lock.c */
BOOLEAN RamfsMayTransfer(RAMFS_NODE *Node, PIRP Irp, BOOLEAN Write, LONGLONG Offset, ULONG Length);
VOID RamfsUnlockFile(RAMFS_NODE *Node,
                     PIRP Irp); /* its last handle is closed: all ranges go, and its waiting requests */

/* rename.c. (n) held. */
NTSTATUS RamfsRename(RAMFS_NODE *Node, PIRP Irp, PIO_STACK_LOCATION Stack);

static inline ULONG RamfsAttributes(const RAMFS_NODE *Node)
{
    if (Node->Folder)
        return Node->Attributes | FILE_ATTRIBUTE_DIRECTORY;
    return Node->Attributes != 0 ? Node->Attributes : FILE_ATTRIBUTE_NORMAL;
}

static inline ULONG RamfsNameFilter(const RAMFS_NODE *Node)
{
    return Node->Folder ? FILE_NOTIFY_CHANGE_DIR_NAME : FILE_NOTIFY_CHANGE_FILE_NAME;
}

DRIVER_DISPATCH RamfsCreate, RamfsCleanup, RamfsClose, RamfsRead, RamfsWrite, RamfsFlush,
    RamfsQueryInformation, RamfsSetInformation, RamfsDirectoryControl, RamfsLockControl, RamfsQueryVolume,
    RamfsSetVolume;

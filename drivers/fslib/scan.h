/* SPDX-License-Identifier: MIT
 * Directory queries of one open: where they stand, and the pattern of the first. [WDK IRP_MJ_DIRECTORY_CONTROL, ZwQueryDirectoryFile] The
 * caller serialises. */
#pragma once
#include "fslib/directory_entry.h"

#define FS_SCAN_TAG 'nScF'

/* Zero: no query was made. */
typedef struct FS_SCAN {
    ULONG64 Next;           /* the place to look at first; a scan begins with 0 */
    BOOLEAN Started, Found; /* the pattern holds; something was found since the beginning */
    UNICODE_STRING Pattern; /* upper case, own block; empty: all */
} FS_SCAN;

/* The entry at *Place, or the first behind it; *Place goes behind that. FALSE: there is none. */
typedef BOOLEAN FS_NEXT_ENTRY(PVOID Context, ULONG64 *Place, FS_ENTRY *Entry);

/* The buffer of IRP_MN_QUERY_DIRECTORY, locked or of the system. STATUS_INSUFFICIENT_RESOURCES. IRQL <= APC_LEVEL, any lock. */
NTSTATUS FsPrepareList(PIRP Irp, FS_ENTRY_LIST *List);
/* One query, as its stack location says; List->End bytes are in. */
NTSTATUS FsScan(FS_SCAN *Scan, PIO_STACK_LOCATION Stack, FS_ENTRY_LIST *List, FS_NEXT_ENTRY *NextEntry,
                PVOID Context);
VOID FsEndScan(FS_SCAN *Scan); /* what it has is freed */

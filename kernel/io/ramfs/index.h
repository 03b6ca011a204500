/* SPDX-License-Identifier: MIT
 * Tier 3, this folder only: the tree of files and folders in boot.cpio, made once when the archive is
 * mounted. Pure: fixed-width types, memory from the caller, so it is tested on the host. The index points
 * into the archive. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "cpio/cpio.h"

#define RAMFS_NONE 0xffffffffu
#define RAMFS_MAX_NAME 255u /* code units of one component */

typedef struct RAMFS_NODE {
    const uint8_t *Data; /* file contents */
    uint32_t Size;       /* bytes; 0 for a folder */
    uint32_t Time;       /* seconds since 1970 */
    uint32_t Parent;     /* index; RAMFS_NONE for the root */
    uint32_t HashNext;   /* next node in the bucket */
    uint32_t Name;       /* index into Names */
    uint16_t NameLength; /* code units */
    bool Folder;
} RAMFS_NODE;

/* Node 0 is the root. */
typedef struct RAMFS_INDEX {
    RAMFS_NODE *Nodes;
    uint32_t *Buckets;
    uint16_t *Names;
    uint32_t NodeCount;
    uint32_t NameCount;
    uint32_t BucketMask;
} RAMFS_INDEX;

/* Bytes of memory that RamfsBuild needs at most, 0 and *Error when the archive is damaged. */
uint64_t RamfsMeasure(const void *Archive, uint64_t Length, RAMFS_INDEX *Index, CPIO_ERROR *Error);

/* Memory: zeroed, 8-byte aligned, as large as RamfsMeasure said for this archive and Index. Links, devices
 * and other entries that are neither file nor folder are left out. */
bool RamfsBuild(RAMFS_INDEX *Index, void *Memory, const void *Archive, uint64_t Length, CPIO_ERROR *Error);

typedef enum RAMFS_FOUND {
    RamfsFound = 0,
    RamfsNoName = 1, /* the last component does not exist */
    RamfsNoPath = 2, /* a component before it does not exist or is a file */
    RamfsBadName = 3 /* an empty component, or "name\" of a file */
} RAMFS_FOUND;

/* Path: Length code units, components separated by '\', relative to the folder Start; a leading '\' is
 * skipped, a trailing one allowed after a folder. Case does not matter. */
RAMFS_FOUND RamfsFind(const RAMFS_INDEX *Index, uint32_t Start, const uint16_t *Path, uint32_t Length,
                      uint32_t *Node);

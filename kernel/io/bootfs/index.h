/* SPDX-License-Identifier: MIT
 * Tier 3, this folder only: the tree of files and folders in boot.cpio, made once when the archive is
 * mounted. Pure: fixed-width types, memory from the caller, so it is tested on the host. The index points
 * into the archive. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "cpio/cpio.h"

#define BOOTFS_NONE 0xffffffffu
#define BOOTFS_MAX_NAME 255u /* code units of one component */

typedef struct BOOTFS_NODE {
    const uint8_t *Data; /* file contents */
    uint32_t Size;       /* bytes; 0 for a folder */
    uint32_t Time;       /* seconds since 1970 */
    uint32_t Parent;     /* index; BOOTFS_NONE for the root */
    uint32_t HashNext;   /* next node in the bucket */
    uint32_t Name;       /* index into Names */
    uint16_t NameLength; /* code units */
    bool Folder;
} BOOTFS_NODE;

/* Node 0 is the root. */
typedef struct BOOTFS_INDEX {
    BOOTFS_NODE *Nodes;
    uint32_t *Buckets;
    uint16_t *Names;
    uint32_t NodeCount;
    uint32_t NameCount;
    uint32_t BucketMask;
} BOOTFS_INDEX;

/* Bytes of memory that BootfsBuild needs at most, 0 and *Error when the archive is damaged. */
uint64_t BootfsMeasure(const void *Archive, uint64_t Length, BOOTFS_INDEX *Index, CPIO_ERROR *Error);

/* Memory: zeroed, 8-byte aligned, as large as BootfsMeasure said for this archive and Index. Links, devices
 * and other entries that are neither file nor folder are left out. */
bool BootfsBuild(BOOTFS_INDEX *Index, void *Memory, const void *Archive, uint64_t Length, CPIO_ERROR *Error);

typedef enum BOOTFS_FOUND {
    BootfsFound = 0,
    BootfsNoName = 1, /* the last component does not exist */
    BootfsNoPath = 2, /* a component before it does not exist or is a file */
    BootfsBadName = 3 /* an empty component, or "name\" of a file */
} BOOTFS_FOUND;

/* The folder of that name, made if it is not there: at most BOOTFS_ADDED_FOLDERS of together BOOTFS_ADDED_NAMES code units, for which the
 * memory has room. */
#define BOOTFS_ADDED_FOLDERS 1u
#define BOOTFS_ADDED_NAMES 16u
uint32_t BootfsAddFolder(BOOTFS_INDEX *Index, uint32_t Parent, const uint16_t *Name, uint32_t Length);

/* Path: Length code units, components separated by '\', relative to the folder Start; a leading '\' is
 * skipped, a trailing one allowed after a folder. Case does not matter. The look-up ends at the node Stop, whatever follows; *Used are
 * the code units up to there. */
BOOTFS_FOUND BootfsFind(const BOOTFS_INDEX *Index, uint32_t Start, const uint16_t *Path, uint32_t Length,
                        uint32_t Stop, uint32_t *Node, uint32_t *Used);

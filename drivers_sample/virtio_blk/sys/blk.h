/* SPDX-License-Identifier: MIT
 * A function driver for the virtio block device. It shows what a WDM driver of a disk does: many requests with the device at a time, buffers that the
 * device reaches by DMA, requests that wait while the device is stopped or asleep, and the control codes that tell what a disk is.
 * [Virtual I/O Device 1.0, 2.4 (virtqueues), 2.4.5.3 (indirect descriptors), 4.1.4.8 (legacy registers), 5.2 (block device)] */
#pragma once
#include <ntddk.h>
#include <ntdddisk.h>

#define BLK_TAG 'kblV'
#define BLK_SECTOR 512u
#define BLK_SLOTS 64u               /* requests with the device at most */
#define BLK_PIECES 254u             /* of a buffer in a request; so it has a mebibyte at least */
#define BLK_MOST (253u * PAGE_SIZE) /* bytes of a request, however its buffer lies */

typedef struct BLK_DESCRIPTOR {
    ULONG64 Address;
    ULONG Length;
    USHORT Flags, Next;
} BLK_DESCRIPTOR;

/* What the device sees of a request: a page of common buffer. */
typedef struct BLK_TABLE {
    BLK_DESCRIPTOR Descriptors[BLK_PIECES];
    ULONG Type, Reserved; /* the header */
    ULONG64 Sector;
    UCHAR Status; /* written by the device */
    UCHAR Unused[15];
} BLK_TABLE;
C_ASSERT(sizeof(BLK_TABLE) == PAGE_SIZE);

struct BLK;

typedef struct BLK_SLOT {
    SLIST_ENTRY Entry; /* free */
    struct BLK *Blk;
    PIRP Irp;                    /* with the device; NULL: free */
    PSCATTER_GATHER_LIST Pieces; /* NULL: a flush has none */
    BLK_TABLE *Table;
    PHYSICAL_ADDRESS Address; /* of the table */
} BLK_SLOT;

typedef struct BLK {
    PDEVICE_OBJECT Device, Pdo, Lower;
    ULONG Number; /* of the disk */
    UNICODE_STRING Interface;
    IO_REMOVE_LOCK RemoveLock;
    PUCHAR Port;
    PKINTERRUPT Interrupt;
    KDPC Dpc;
    volatile LONG Interrupts;

    PDMA_ADAPTER Adapter;
    SIZE_T RingSize;
    PVOID Ring; /* pages in a row, whose number the device is told */
    BLK_TABLE *Tables;
    PHYSICAL_ADDRESS TablesAddress;
    USHORT QueueSize;
    BLK_DESCRIPTOR *Descriptors;
    volatile USHORT *Available; /* flags, index, ring */
    volatile USHORT *Used;      /* flags, index, then pairs of index and length */
    ULONG64 Sectors;
    BOOLEAN ReadOnly, CanFlush;

    IO_CSQ Csq;
    KSPIN_LOCK Lock;
    LIST_ENTRY Waiting;    /* (l) not with the device */
    BOOLEAN Running;       /* (l) the device may be used */
    BOOLEAN Asleep;        /* (l) it has no power; then it is not running */
    BOOLEAN There;         /* (l) it has not been pulled out */
    USHORT LastUsed;       /* (l) */
    ULONG UnderWay;        /* (l) slots that are not free */
    KEVENT Idle;           /* (l) UnderWay is 0 */
    ULONG FreeCount;       /* (l) */
    UCHAR Free[BLK_SLOTS]; /* (l) a stack of slots */
    BLK_SLOT Slots[BLK_SLOTS];
} BLK;

NTSTATUS BlkComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);
/* The same for a request that holds the remove lock. */
VOID BlkEnd(BLK *Blk, PIRP Irp, NTSTATUS Status, ULONG_PTR Information);

/* --- wait.c: requests that wait --- */

VOID BlkInitWaiting(BLK *Blk);
VOID BlkFailWaiting(BLK *Blk);

/* --- device.c: registers, ring and interrupt. PASSIVE_LEVEL --- */

NTSTATUS BlkStart(BLK *Blk, PCM_RESOURCE_LIST Translated);
/* What is with the device is waited for; what waits stays. */
VOID BlkPause(BLK *Blk);
VOID BlkResume(BLK *Blk);
/* It is to lose its power, when all that is with it is done; it has it again. Not running: nothing is to be done. */
VOID BlkSleep(BLK *Blk);
VOID BlkWake(BLK *Blk);
/* The device has its registers, ring and interrupt no more. */
VOID BlkStop(BLK *Blk);
/* It is gone: what was with it ends with STATUS_NO_SUCH_DEVICE. */
VOID BlkLose(BLK *Blk);
BOOLEAN NTAPI BlkService(PKINTERRUPT Interrupt, PVOID Context);
/* IRQL <= DISPATCH_LEVEL. */
VOID BlkNotify(BLK *Blk);

/* --- transfer.c: from a request to the ring and back. IRQL <= DISPATCH_LEVEL --- */

VOID BlkStartWaiting(BLK *Blk);
VOID NTAPI BlkFinished(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2);
VOID BlkFailSlots(BLK *Blk);

/* --- disk.c: what a disk answers --- */

NTSTATUS NTAPI BlkReadWrite(PDEVICE_OBJECT Device, PIRP Irp);
NTSTATUS NTAPI BlkFlush(PDEVICE_OBJECT Device, PIRP Irp);
NTSTATUS NTAPI BlkControl(PDEVICE_OBJECT Device, PIRP Irp);

/* --- power.c --- */

DRIVER_DISPATCH BlkPower;

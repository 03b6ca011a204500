/* SPDX-License-Identifier: MIT
 * Tier 2, ex: pools, lookaside lists, work queues, fast mutexes. The ExXxx names that drivers see are
 * declared by the DDK headers and ddk_shim; this header adds start-up, pool diagnosis and what the kernel's
 * own code needs. */
#pragma once
#include "nt.h"
#include "image.h"
#include "arch_trap.h"

/* --- start-up, by init
 * ------------------------------------------------------------------------------------------ */

/* Right after MmInitSystem; pools work from then on. */
VOID ExInitializePools(VOID);

/* Before a further processor runs: its cache of free pool blocks. */
VOID ExPrepareProcessor(PKPRCB Prcb);

/* Before any thread but the first. */
VOID ExInitializePushLocks(VOID);

/* When threads can be made (PsInitSystem is done): the worker threads of ExQueueWorkItem. */
VOID ExpInitializeWorkers(VOID);

/* Code that a work item can call: the free kernel looks for NULL only. Any IRQL. */
BOOLEAN ExIsWorkRoutine(PVOID Routine);

/* PASSIVE_LEVEL, not in a worker, one caller at a time: until no work item is queued or runs, and the workers that a backlog added have
 * ended. TRUE: that took a wait. */
BOOLEAN ExWaitForWork(VOID);
/* The same until also no DPC is queued and every thread that has ended is freed: before memory or objects are counted. */
VOID ExSettle(VOID);

/* Checked kernel, PASSIVE_LEVEL, after a driver's unload routine: resources in its image that are initialized are reported and counted. */
#if NTBOX_CHECKED
ULONG ExReportDriverResources(PCSTR Driver, const void *Base, SIZE_T Size);
#else
#define ExReportDriverResources(Driver, Base, Size) ((void)0)
#endif

/* After a driver's unload routine: its work items that are still queued would run code that is gone. They are taken out,
 * reported and counted. */
ULONG ExReportDriverWorkItems(PCSTR Driver, const void *Base, SIZE_T Size);

/* --- pool
 * ----------------------------------------------------------------------------------------------------------
 */

/* Allocates as ExAllocatePoolWithTag does, but Owner (a code address) counts as the allocating code: for
 * kernel code that allocates on behalf of a driver, which gives its own __builtin_return_address(0) and is DECLSPEC_NOINLINE: inlined, it
 * would give its caller's. */
PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner);

/* Free kernel, any IRQL: a small block that the kernel keeps for the next who needs one gets that owner, or none (NULL). */
static inline VOID ExSetPoolOwner(PVOID Block, PVOID Owner)
{
    ((PVOID *)Block)[-1] = Owner; /* EXP_HEADER.Owner */
}

/* Tags of what is allocated for drivers by name; leaks of such blocks are called so. */
#define EX_IRP_TAG 0x20707249u /* "Irp " */
#define EX_MDL_TAG 0x206c644du /* "Mdl " */

typedef struct _EX_POOL_BLOCK {
    PVOID Base;  /* what the allocation returned */
    SIZE_T Size; /* bytes that were asked for */
    ULONG Tag;
    PVOID Owner;        /* code address that allocated it; NULL: not known, or the image is gone */
    ULONG64 Traces;     /* ex only: what its owner is made of */
    POOL_TYPE PoolType; /* NonPagedPoolNx or PagedPool */
    BOOLEAN Allocated;  /* FALSE: freed; the rest tells of its last life as far as it is known */
} EX_POOL_BLOCK;

/* The pool block that Address lies in. FALSE when it lies in none. Any IRQL, no lock: for bug checks. */
BOOLEAN ExQueryPoolBlock(const void *Address, EX_POOL_BLOCK *Block);

#if NTBOX_CHECKED
/* The first byte behind the live block Block that was written to, as far as is kept; NULL: none is, or there is no such block. The
 * caller may touch the block. IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for paged pool. */
const UCHAR *ExFindOverrun(const void *Block);
#endif

/* Writes a ReportLeak record and a log line for each live block whose allocating code lies in Module; returns
 * how many. To be called after the driver's unload routine, before ImUnloadImage. PASSIVE_LEVEL, one at a time. */
ULONG ExReportDriverLeaks(PIM_MODULE Module);

/* The same for lookaside lists that were not deleted: those that begin in [Base, Base + Size), and those that code there made. They are not
 * touched any more. PASSIVE_LEVEL. */
ULONG ExReportDriverLookasides(PCSTR Driver, const void *Base, SIZE_T Size);

/* From now on the depths of lookaside lists follow their use. Once, in phase 1. */
VOID ExTuneLookasideLists(VOID);

/* In words whose block Address lies in, or lay in: "96 bytes of paged pool, tag 'abcd', of a.sys!F+0x10"; of free memory
 * near behind a live block, that one and how far; else empty. The log and the report are told who allocated and freed it. Any IRQL, no lock: for bug checks. */
VOID ExDescribePoolAddress(const void *Address, PCHAR Text, SIZE_T Room);

/* Special pool for the blocks of a driver ("a.sys") or tag ("Abcd"; * and ? match as in file names), or for all (""), from now on. Once,
 * right after ExInitializePools. */
VOID ExUseSpecialPool(PCSTR Wanted);

typedef struct _EX_POOL_USAGE {
    PCSTR Driver; /* whose code allocated; NULL: not known */
    ULONG Tag;
    POOL_TYPE Type;
    ULONG64 Count, Bytes;
} EX_POOL_USAGE;
/* Who holds how much pool: one row per driver, tag and pool; the last one takes what has no room. How many there are. IRQL < DISPATCH_LEVEL. */
ULONG ExQueryPoolUsage(EX_POOL_USAGE *Rows, ULONG Room);
/* The same as records, and lines of the log. PASSIVE_LEVEL. */
VOID ExReportPoolUsage(VOID);

typedef struct _EX_POOL_COUNTERS {
    SIZE_T Blocks; /* live allocations */
    SIZE_T Bytes;  /* that were asked for */
} EX_POOL_COUNTERS;
VOID ExQueryPoolCounters(POOL_TYPE PoolType, EX_POOL_COUNTERS *Counters);

/* --- lists -------------------------------------------------------------------------------------------------
 */

/* For the page-fault handler, before anything else, any IRQL: a fault of the list pop's look at an entry that somebody else
 * has taken meanwhile is no error. TRUE: the frame was changed, resume it. */
BOOLEAN ExFixSListFault(ARCH_TRAP_FRAME *Frame);

/* --- notify routines: notify.c --------------------------------------------------------------------------------------- */

#define EX_MAX_NOTIFIES 64 /* [WDK PsSetCreateProcessNotifyRoutine] since Windows 8.1 */
#define EX_ANY_NOTIFY MAXULONG

/* (n) Lock of the table. A slot is free when it has no routine and nobody is waiting for the calls of its last one. */
typedef struct _EX_NOTIFY {
    PVOID Routine;        /* (n), read without by who holds Calls */
    ULONG Kind;           /* (n) as Routine; the owner's */
    BOOLEAN Going;        /* (n) */
    EX_RUNDOWN_REF Calls; /* of the routine that run */
} EX_NOTIFY;

typedef struct _EX_NOTIFY_TABLE {
    FAST_MUTEX Lock;     /* (n) */
    PCSTR What;          /* (c) "thread notify routine", for reports */
    KE_GATE_KIND Gate;   /* (c) */
    volatile LONG Count; /* (n) routines */
    EX_NOTIFY Slots[EX_MAX_NOTIFIES];
} EX_NOTIFY_TABLE;

VOID ExInitializeNotifies(EX_NOTIFY_TABLE *Table, PCSTR What, KE_GATE_KIND Gate);
/* IRQL <= APC_LEVEL. FALSE: there is no room, or (Once) the routine is there with that kind. */
BOOLEAN ExAddNotify(EX_NOTIFY_TABLE *Table, PVOID Routine, ULONG Kind, BOOLEAN Once);
/* IRQL <= APC_LEVEL. Waits for the calls that run; bug check inside of one. FALSE: it is not there. */
BOOLEAN ExRemoveNotify(EX_NOTIFY_TABLE *Table, PVOID Routine, ULONG Kind);
/* PASSIVE_LEVEL. Call is made for each routine, in a critical region, by the gate; it calls the routine. */
typedef VOID EX_NOTIFY_CALL(PVOID Routine, ULONG Kind, PVOID Context);
VOID ExCallNotifies(EX_NOTIFY_TABLE *Table, EX_NOTIFY_CALL *Call, PVOID Context);
/* PASSIVE_LEVEL, after a driver's unload routine: its routines are taken out, reported and counted. */
ULONG ExReportDriverNotifies(EX_NOTIFY_TABLE *Table, PIM_MODULE Module);

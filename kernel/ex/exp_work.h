/* SPDX-License-Identifier: MIT
 * Tier 3 of ex, work items: the queues and their pools of worker threads. */
#pragma once
#include <bugcodes.h>
#include "ex.h"
#include "ke.h"
#include "mm.h"

typedef struct _EXP_WORK_QUEUE {
    ARCH_LOCK Lock;
    LIST_ENTRY Items;   /* (Lock) */
    KSEMAPHORE Ready;   /* released once for each item */
    KEVENT Backlog;     /* synchronization: items wait and no worker is idle */
    KEVENT Shrink;      /* notification: workers above Minimum end when they have no item */
    KEVENT Rest;        /* notification: the queue came to rest while it was watched */
    BOOLEAN Watched;    /* (Lock) */
    KPRIORITY Priority; /* of the workers */
    ULONG Minimum;      /* workers that never end */
    ULONG Pending;      /* (Lock) length of Items */
    ULONG Workers;      /* (Lock) */
    ULONG Idle;         /* (Lock) workers that have no item, those that are being started included */
} EXP_WORK_QUEUE;

typedef enum _EXP_QUEUE { ExpDelayed, ExpCritical, ExpHyperCritical, ExpQueues } EXP_QUEUE;

VOID ExpInitializePool(EXP_WORK_QUEUE *Queue); /* starts its threads */

/* After Idle or Workers was changed. */
VOID ExpSayRest(EXP_WORK_QUEUE *Queue);
VOID ExpServeItem(EXP_WORK_QUEUE *Queue); /* by a worker, after it was given one count of Ready */

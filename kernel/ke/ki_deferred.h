/* SPDX-License-Identifier: MIT
 * Tier 3, ke only: what a processor has to do later: its DPC queues and timers, and the watchdog over them. ki.h holds one
 * KI_DEFERRED in each KI_PROCESSOR. */
#pragma once
#include "ke.h"

/* KDPC.DpcData points to the queue that the DPC is in: it is set and cleared with that queue's lock held, so who holds the lock
 * and finds it equal may unlink the DPC. */
typedef struct _KI_DPC_QUEUE {
    ARCH_LOCK Lock;        /* HIGH_LEVEL: KeInsertQueueDpc may be called at any IRQL */
    LIST_ENTRY ListHead;   /* (Lock) */
    ULONG Depth;           /* (Lock) DPCs in the list */
    ULONG Inserted;        /* (Lock) ever */
    volatile BOOLEAN Busy; /* (Lock) somebody empties it and will look again: no interrupt is needed */
} KI_DPC_QUEUE;

#define KI_WHEEL_BUCKETS 256

/* Timers by the clock tick at which they are due, modulo the buckets. KTIMER.Processor says whose wheel a timer is in. */
typedef struct _KI_TIMER_WHEEL {
    ARCH_LOCK Lock;
    ULONG64 Hand; /* (Lock) the last tick that expiry has dealt with */
    volatile ULONG64
        SeenTick; /* clock interrupt of the processor: the last tick whose bucket it has looked at */
    volatile BOOLEAN Requested;           /* the processor itself: expiry is asked for */
    LIST_ENTRY Buckets[KI_WHEEL_BUCKETS]; /* (Lock) */
} KI_TIMER_WHEEL;

/* The processor itself only. Times are those of Clock (100 ns), which goes on with each clock interrupt taken. */
typedef struct _KI_WATCHDOG {
    ULONG64 Clock, LastTick;
    PVOID Routine; /* the DPC routine that runs; NULL: none */
    ULONG64 RoutineStart;
    ULONG64 LowSince;  /* the last tick that came below DISPATCH_LEVEL */
    ULONG64 NextSince; /* the last tick at which the next processor had gone on */
    ULONG64 NextTicks; /* its ClockTicks then */
    ULONG64 BusySince; /* the last tick at which nothing was ready on an idle processor */
} KI_WATCHDOG;

typedef struct _KI_DEFERRED {
    KI_DPC_QUEUE Dpcs;         /* run by the software interrupt at DISPATCH_LEVEL */
    KI_DPC_QUEUE ThreadedDpcs; /* run by the processor's DPC thread */
    KEVENT ThreadedReady;      /* synchronization: the DPC thread waits for it */
    volatile BOOLEAN
        WakeDpcThread;        /* any processor sets it, the software interrupt passes it on to the event */
    ULONG LastInserted, Rate; /* clock interrupt: Dpcs.Inserted one tick ago; DPCs per tick, averaged */
    KI_TIMER_WHEEL Wheel;
    KI_WATCHDOG Watchdog;
} KI_DEFERRED;

/* SPDX-License-Identifier: MIT
 * Tier 3, ke only: what a processor has to do later: its DPC queues and timers, and the watchdog over them. ki.h holds one
 * KI_DEFERRED in each KI_PROCESSOR. */
#pragma once
#include "ke.h"

/* note.c, checked kernel: one object in a queue, and who put it there. Guarded by the queue's lock; Count is also read
 * without it, to see that there is nothing. */
#define KI_NOTE_BUCKETS 64 /* by page */
#define KI_NOTE_ROOM 256

typedef enum _KI_NOTE_KIND {
    KiNotedTimer,    /* Other: its DPC, or NULL */
    KiNotedTimerDpc, /* the DPC of a timer that is set. Other: the timer */
    KiNotedDpc,      /* Other: its routine */
} KI_NOTE_KIND;

typedef struct _KI_NOTE {
    struct _KI_NOTE *Next;
    KI_NOTE_KIND Kind;
    const void *Object, *Other;
    const void *Caller; /* return address of the call that queued it */
} KI_NOTE;

typedef struct _KI_NOTES {
    KI_NOTE *Buckets[KI_NOTE_BUCKETS];
    KI_NOTE *Free;
    volatile ULONG Count; /* of notes; read as a hint */
    ULONG Used;           /* of Room */
    ULONG Missing;        /* objects in the queue that found no room: then not all are known */
    KI_NOTE Room[KI_NOTE_ROOM];
} KI_NOTES;

/* KDPC.DpcData points to the queue that the DPC is in: it is set and cleared with that queue's lock held, so who holds the lock
 * and finds it equal may unlink the DPC. */
typedef struct _KI_DPC_QUEUE {
    ARCH_LOCK Lock;        /* HIGH_LEVEL: KeInsertQueueDpc may be called at any IRQL */
    LIST_ENTRY ListHead;   /* (Lock) */
    ULONG Depth;           /* (Lock) DPCs in the list */
    ULONG Inserted;        /* (Lock) ever */
    volatile BOOLEAN Busy; /* (Lock) somebody empties it and will look again: no interrupt is needed */
#if NTBOX_CHECKED
    KI_NOTES Notes; /* (Lock) */
#endif
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
#if NTBOX_CHECKED
    KI_NOTES Notes; /* (Lock) timers that are no time-outs of waits */
#endif
} KI_TIMER_WHEEL;

/* The processor itself only. Times are those of Clock (100 ns), which goes on with each clock interrupt taken. */
typedef struct _KI_WATCHDOG {
    ULONG64 Clock, LastTick;
    PVOID Routine; /* the DPC routine that runs; NULL: none */
    ULONG64 RoutineStart;
    ULONG64 LowSince;  /* the last clock or dispatch interrupt that came below DISPATCH_LEVEL */
    ULONG64 NextSince; /* the last tick at which the next processor had gone on */
    ULONG64 NextTicks; /* its ClockTicks then */
    ULONG64 BusySince; /* the last tick at which nothing was ready on an idle processor */
} KI_WATCHDOG;

/* Of a device interrupt that came below DISPATCH_LEVEL, so that what it queues can be run at its end, without one more interrupt. */
typedef enum _KI_SERVICE { KiServiceNone, KiServiceRuns, KiServiceLeavesWork } KI_SERVICE;

typedef struct _KI_DEFERRED {
    KI_DPC_QUEUE Dpcs;         /* run by the software interrupt at DISPATCH_LEVEL */
    KI_DPC_QUEUE ThreadedDpcs; /* run by the processor's DPC thread */
    KEVENT ThreadedReady;      /* synchronization: the DPC thread waits for it */
    volatile BOOLEAN
        WakeDpcThread;        /* any processor sets it, the software interrupt passes it on to the event */
    ULONG LastInserted, Rate; /* clock interrupt: Dpcs.Inserted one tick ago; DPCs per tick, averaged */
    KI_SERVICE Service;       /* the processor itself, above DISPATCH_LEVEL or with interrupts off */
    KI_TIMER_WHEEL Wheel;
    KI_WATCHDOG Watchdog;
} KI_DEFERRED;

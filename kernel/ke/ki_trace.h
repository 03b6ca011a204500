/* SPDX-License-Identifier: MIT
 * Tier 3, ke only, checked kernel only: what the scheduler did, as a hash for each processor of its events in their order: two runs with the
 * same hash did the same. `ntbox run --icount --trace-hash` compares runs by it. */
#pragma once
#include "ke.h"

typedef enum _KI_TRACE_EVENT {
    KiTraceSwitch = 1,
    KiTraceReady,
    KiTraceWait,  /* committed: the thread gives up its processor */
    KiTraceWake,  /* its wait was claimed */
    KiTraceTimer, /* expired */
    KiTraceQueueDpc,
    KiTraceDpc,
    KiTraceQueueApc,
    KiTraceApc,
} KI_TRACE_EVENT;

/* The processor's own. An event of an interrupt may come in between load and store and be lost: under icount in each run alike. */
typedef struct _KI_TRACE {
    ULONG64 Hash;
    ULONG64 Events;
} KI_TRACE;

#if NTBOX_CHECKED
/* IRQL >= DISPATCH_LEVEL. Object: thread, timer, DPC or APC. [Fowler, Noll, Vo] the multiplier of FNV-1a. */
static inline VOID KiMixTrace(KI_TRACE *Trace, KI_TRACE_EVENT Event, const VOID *Object, ULONG64 Detail)
{
    ULONG64 Word = (ULONG64)Object ^ ((ULONG64)Event << 56) ^ (Detail << 24);

    Trace->Hash = (__builtin_rotateleft64(Trace->Hash, 23) ^ Word) * 0x100000001b3ull;
    Trace->Events++;
}
#define KiTrace(Event, Object, Detail)                                                                       \
    KiMixTrace(&KiProcessorOf(KeGetPrcb())->Trace, (Event), (Object), (ULONG64)(Detail))
#else
#define KiTrace(Event, Object, Detail) ((void)0)
#endif

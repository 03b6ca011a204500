/* SPDX-License-Identifier: MIT
 * The scheduler's trace of all processors in one number: see ki_trace.h. */
#include "ki.h"

/* Others may go on meanwhile; under icount they do so in each run alike. */
VOID KeQuerySchedulerTrace(PULONG64 Hash, PULONG64 Events)
{
    *Hash = *Events = 0;
#if NTBOX_CHECKED
    for (ULONG i = 0; i < KeActiveProcessorCount; i++) {
        const KI_TRACE *Trace = &KiProcessorOf(KiProcessorBlock[i])->Trace;
        *Hash = (__builtin_rotateleft64(*Hash, 23) ^ Trace->Hash) * 0x100000001b3ull;
        *Events += Trace->Events;
    }
#endif
}

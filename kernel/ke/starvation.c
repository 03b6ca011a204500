/* SPDX-License-Identifier: MIT
 * A thread that has been ready for long without running gets one quantum at the highest dynamic priority: it may hold what the others wait
 * for. [MSDN "Priority Inversion": the scheduler boosts the priority of ready threads at random] Here it is not by chance. */
#include "ki.h"

#define KI_SCAN_INTERVAL 100 /* milliseconds: how often a processor looks */
#define KI_STARVED_TIME 300  /* milliseconds: ready for so long without running */
#define KI_RELIEF_PRIORITY 15

/* Ready lock held. */
static VOID KiRelieveList(KI_PROCESSOR *Processor, KPRIORITY Priority)
{
    PLIST_ENTRY Head = &Processor->ReadyList[Priority];

    for (PLIST_ENTRY Entry = Head->Flink, Next; Entry != Head; Entry = Next) {
        PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, QueueEntry);
        Next = Entry->Flink;
        if ((ULONG)Processor->Prcb.ClockTicks - Thread->ReadyTick < KI_STARVED_TIME)
            continue;
        KiUnqueueReadyLocked(Processor, Thread);
        Thread->Priority = KI_RELIEF_PRIORITY;
        Thread->Relieved = TRUE;
        KiQueueReadyLocked(Processor, Thread, FALSE);
    }
}

VOID KiRelieveStarvedThreads(KI_PROCESSOR *Processor)
{
    if (Processor->ReadySummary == 0 ||
        (ULONG)Processor->Prcb.ClockTicks - Processor->LastScan < KI_SCAN_INTERVAL)
        return;
    Processor->LastScan = (ULONG)Processor->Prcb.ClockTicks;
    ArchAcquireLockAtIrql(&Processor->ReadyLock);
    for (KPRIORITY Priority = 1; Priority < KI_RELIEF_PRIORITY; Priority++)
        KiRelieveList(Processor, Priority);
    if (Processor->ReadySummary >> KI_RELIEF_PRIORITY != 0 &&
        Processor->Prcb.CurrentPriority < KI_RELIEF_PRIORITY)
        Processor->Prcb.Reschedule = TRUE;
    ArchReleaseLockFromIrql(&Processor->ReadyLock);
}

/* SPDX-License-Identifier: MIT
 * The list of threads, so that those which an unloaded driver left behind are found. */
#include "psp.h"
#include "kd.h"

static ARCH_LOCK PspThreadLock = ARCH_LOCK_INIT("Threads", LockRankPs, DISPATCH_LEVEL);
static LIST_ENTRY PspThreads = {&PspThreads, &PspThreads};

VOID PspEnterThread(PETHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&PspThreadLock);

    InsertTailList(&PspThreads, &Thread->ListEntry);
    ArchReleaseLock(&PspThreadLock, OldIrql);
}

VOID PspLeaveThread(PETHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&PspThreadLock);

    RemoveEntryList(&Thread->ListEntry);
    ArchReleaseLock(&PspThreadLock, OldIrql);
}

VOID PsWalkThreadsFrozen(VOID (*Routine)(PETHREAD Thread))
{
    for (PLIST_ENTRY Entry = PspThreads.Flink; Entry != &PspThreads; Entry = Entry->Flink)
        Routine(CONTAINING_RECORD(Entry, ETHREAD, ListEntry));
}

/* A thread whose object is signalled has left the driver's code for good. */
ULONG PsReportDriverThreads(const void *Module, PCSTR Driver)
{
    KIRQL OldIrql = ArchAcquireLock(&PspThreadLock);
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = PspThreads.Flink; Entry != &PspThreads; Entry = Entry->Flink) {
        PETHREAD Thread = CONTAINING_RECORD(Entry, ETHREAD, ListEntry);
        if (Thread->StartModule != Module || Thread->Tcb.Header.SignalState != 0)
            continue;
        KdLog("%s: thread %p was not ended", Driver, Thread);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "thread"),
                 KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Thread));
        Count++;
    }
    ArchReleaseLock(&PspThreadLock, OldIrql);
    return Count;
}

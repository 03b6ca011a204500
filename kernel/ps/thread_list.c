/* SPDX-License-Identifier: MIT
 * The list of threads, so that those which an unloaded driver left behind are found. */
#include "psp.h"
#include "image.h"
#include "kd.h"

static LIST_ENTRY PspThreads = {&PspThreads, &PspThreads};

VOID PspEnterThread(PETHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);

    InsertTailList(&PspThreads, &Thread->ListEntry);
    ArchReleaseLock(&PspListLock, OldIrql);
}

VOID PspLeaveThread(PETHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);

    RemoveEntryList(&Thread->ListEntry);
    ArchReleaseLock(&PspListLock, OldIrql);
}

VOID PsWalkThreadsFrozen(VOID (*Routine)(PETHREAD Thread))
{
    for (PLIST_ENTRY Entry = PspThreads.Flink; Entry != &PspThreads; Entry = Entry->Flink)
        Routine(CONTAINING_RECORD(Entry, ETHREAD, ListEntry));
}

/* What a thread does in a module. */
typedef enum _PSP_INSIDE {
    PspNotInside,
    PspStartedInside, /* the driver's own thread, which has not ended */
    PspWorksInside,   /* a worker that has a work item of the driver in hand */
    PspCalledInside,  /* any other whose innermost call into a driver leads there */
} PSP_INSIDE;

static BOOLEAN PspLiesIn(const IM_MODULE *Module, const void *Address)
{
    return (ULONG_PTR)Address - (ULONG_PTR)Module->Base < Module->Size;
}

/* A thread whose object is signalled has left the driver's code for good. A routine of the kernel's own that a worker has in hand
 * holds what it calls: [WDK IoQueueWorkItem] the driver is not gone before the routine of an I/O work item has returned. */
static PSP_INSIDE PspIsInside(const ETHREAD *Thread, const IM_MODULE *Module)
{
    if (Thread->Tcb.Header.SignalState != 0)
        return PspNotInside;
    if (Thread->StartModule == Module)
        return PspStartedInside;
    if (PspLiesIn(Module, Thread->Tcb.WorkRoutine))
        return PspWorksInside;
    if (Thread->Tcb.WorkRoutine != NULL && ImIsKernelAddress(Thread->Tcb.WorkRoutine))
        return PspNotInside;
    return PspLiesIn(Module, Thread->Tcb.GateRoutine) ? PspCalledInside : PspNotInside;
}

/* The current thread and the driver's own ones do not count: there is nothing to wait for. */
static BOOLEAN PspIsPassing(const ETHREAD *Thread, const IM_MODULE *Module)
{
    return Thread != (PETHREAD)KiCurrentThread() && PspIsInside(Thread, Module) > PspStartedInside;
}

BOOLEAN PsIsRoutineRunning(PIM_MODULE Module)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    BOOLEAN Running = FALSE;

    for (PLIST_ENTRY Entry = PspThreads.Flink; Entry != &PspThreads && !Running; Entry = Entry->Flink)
        Running = PspIsPassing(CONTAINING_RECORD(Entry, ETHREAD, ListEntry), Module);
    ArchReleaseLock(&PspListLock, OldIrql);
    return Running;
}

static VOID PspReportInside(PETHREAD Thread, PSP_INSIDE Inside, PCSTR Driver)
{
    static const struct {
        PCSTR Kind, Text;
    } Texts[] = {
        [PspStartedInside] = {"thread", "was not ended"},
        [PspWorksInside] = {"running work item", "is still in a work item's routine"},
        [PspCalledInside] = {"running routine", "is still in one of its routines"},
    };

    KdLog("%s: thread %p %s", Driver, Thread, Texts[Inside].Text);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, Texts[Inside].Kind),
             KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Thread));
}

ULONG PsReportDriverThreads(PIM_MODULE Module)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = PspThreads.Flink; Entry != &PspThreads; Entry = Entry->Flink) {
        PETHREAD Thread = CONTAINING_RECORD(Entry, ETHREAD, ListEntry);
        PSP_INSIDE Inside = PspIsInside(Thread, Module);
        if (Inside == PspNotInside)
            continue;
        PspReportInside(Thread, Inside, Module->Name);
        Count++;
    }
    ArchReleaseLock(&PspListLock, OldIrql);
    return Count;
}

ULONG PsReportDriverApcs(PIM_MODULE Module)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = PspThreads.Flink; Entry != &PspThreads; Entry = Entry->Flink)
        Count += KeReportDriverApcs(&CONTAINING_RECORD(Entry, ETHREAD, ListEntry)->Tcb, Module->Name,
                                    Module->Base, Module->Size);
    ArchReleaseLock(&PspListLock, OldIrql);
    return Count;
}

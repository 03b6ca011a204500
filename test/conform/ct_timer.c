/* SPDX-License-Identifier: MIT
 * Timers, DPCs and the I/O timer. [WDK KeInitializeTimer, KeInitializeTimerEx, KeSetTimer, KeSetTimerEx,
 * KeCancelTimer, KeReadStateTimer, KeInitializeDpc, KeInsertQueueDpc, KeRemoveQueueDpc, KeSetImportanceDpc,
 * KeSetTargetProcessorDpc, KeSetTargetProcessorDpcEx, KeInitializeThreadedDpc, KeFlushQueuedDpcs, IoInitializeTimer, IoStartTimer, IoStopTimer] */
#include "ct.h"

static LARGE_INTEGER Now;
static LARGE_INTEGER Soon = {.QuadPart = -20 * 10000}; /* 20 ms */
static LARGE_INTEGER Late = {.QuadPart = -60 * 10000000LL};
static LARGE_INTEGER Patience = {.QuadPart =
                                     -10 * 10000000LL}; /* 10 s: an answer that takes longer does not come */

static NTSTATUS TryWait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Now);
}

static NTSTATUS Wait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Patience);
}

/* What a DPC saw. */
typedef struct SEEN {
    volatile LONG Calls;
    KIRQL Irql;
    PKDPC Dpc;
    PVOID Argument1, Argument2;
    KEVENT Ran;
} SEEN;

static VOID NTAPI Note(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    SEEN *Seen = Context;
    Seen->Irql = KeGetCurrentIrql();
    Seen->Dpc = Dpc;
    Seen->Argument1 = Argument1;
    Seen->Argument2 = Argument2;
    InterlockedIncrement(&Seen->Calls);
    KeSetEvent(&Seen->Ran, IO_NO_INCREMENT, FALSE);
}

static VOID Prepare(SEEN *Seen, PKDPC Dpc)
{
    RtlZeroMemory(Seen, sizeof(*Seen));
    KeInitializeEvent(&Seen->Ran, SynchronizationEvent, FALSE);
    KeInitializeDpc(Dpc, Note, Seen);
}

static VOID TimerInit(VOID)
{
    KTIMER Timer;
    KeInitializeTimer(&Timer);
    CT_CHECK(!KeReadStateTimer(&Timer));
    CT_CHECK(!KeCancelTimer(&Timer)); /* not set */
    KeSetTimer(&Timer, Soon, NULL);
    CT_SUCCESS(Wait(&Timer));
    CT_SUCCESS(TryWait(&Timer)); /* a notification timer stays signalled */
}

static VOID TimerInitEx(VOID)
{
    KTIMER Timer;
    KeInitializeTimerEx(&Timer, SynchronizationTimer);
    KeSetTimer(&Timer, Soon, NULL);
    CT_SUCCESS(Wait(&Timer));
    CT_STATUS(TryWait(&Timer), STATUS_TIMEOUT); /* one wait takes it */
}

/* Returns whether it was in the queue already; setting it makes it not signalled; not before its time. */
static VOID TimerSet(VOID)
{
    KTIMER Timer;
    KeInitializeTimer(&Timer);
    ULONG64 Before = KeQueryInterruptTime();
    CT_CHECK(!KeSetTimer(&Timer, Late, NULL));
    CT_CHECK(KeSetTimer(&Timer, Soon, NULL));
    CT_SUCCESS(Wait(&Timer));
    CT_CHECK(KeQueryInterruptTime() - Before >= (ULONG64)(20 * 10000 - KeQueryTimeIncrement()));
    CT_CHECK(!KeSetTimer(&Timer, Late, NULL));
    CT_CHECK(!KeReadStateTimer(&Timer));
    KeCancelTimer(&Timer);
}

/* A period makes it come again; the DPC runs each time; an absolute time in the past is due at once. */
static VOID TimerSetEx(VOID)
{
    KTIMER Timer;
    KDPC Dpc;
    SEEN Seen;
    Prepare(&Seen, &Dpc);
    KeInitializeTimerEx(&Timer, SynchronizationTimer);
    CT_CHECK(!KeSetTimerEx(&Timer, Soon, 10, &Dpc));
    for (ULONG i = 0; i < 3; i++)
        CT_SUCCESS(Wait(&Seen.Ran));
    CT_EQUAL(Seen.Irql, DISPATCH_LEVEL);
    CT_CHECK(KeCancelTimer(&Timer)); /* a periodic timer is always in the queue */
    KeFlushQueuedDpcs();
    LARGE_INTEGER Past = {.QuadPart = 1};
    Prepare(&Seen, &Dpc);
    KeInitializeTimer(&Timer);
    KeSetTimerEx(&Timer, Past, 0, &Dpc);
    CT_SUCCESS(Wait(&Seen.Ran));
    KeFlushQueuedDpcs();
}

static VOID TimerCancel(VOID)
{
    KTIMER Timer;
    KDPC Dpc;
    SEEN Seen;
    Prepare(&Seen, &Dpc);
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Late, &Dpc);
    CT_CHECK(KeCancelTimer(&Timer));
    CT_CHECK(!KeCancelTimer(&Timer));
    LARGE_INTEGER Never = {.QuadPart = MINLONGLONG}; /* further away than any other */
    KeSetTimer(&Timer, Never, &Dpc);
    CT_CHECK(KeCancelTimer(&Timer));
    KeFlushQueuedDpcs();
    CT_EQUAL(Seen.Calls, 0);
    CT_STATUS(TryWait(&Timer), STATUS_TIMEOUT);
}

static VOID TimerRead(VOID)
{
    KTIMER Timer;
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Soon, NULL);
    CT_CHECK(!KeReadStateTimer(&Timer));
    CT_SUCCESS(Wait(&Timer));
    CT_CHECK(KeReadStateTimer(&Timer));
}

static VOID DpcInit(VOID)
{
    KDPC Dpc;
    SEEN Seen;
    Prepare(&Seen, &Dpc);
    CT_EQUAL(Dpc.DeferredRoutine, Note);
    CT_EQUAL(Dpc.DeferredContext, &Seen);
    CT_CHECK(KeInsertQueueDpc(&Dpc, NULL, NULL));
    CT_SUCCESS(Wait(&Seen.Ran));
    KeFlushQueuedDpcs();
}

/* At DISPATCH_LEVEL it waits; a second insert of the same object is refused and changes nothing. */
static VOID DpcInsert(VOID)
{
    KDPC Dpc;
    SEEN Seen;
    KIRQL Irql;
    Prepare(&Seen, &Dpc);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    BOOLEAN First = KeInsertQueueDpc(&Dpc, (PVOID)1, (PVOID)2);
    BOOLEAN Second = KeInsertQueueDpc(&Dpc, (PVOID)3, (PVOID)4);
    LONG Early = Seen.Calls;
    KeLowerIrql(Irql);
    CT_CHECK(First && !Second);
    CT_EQUAL(Early, 0);
    CT_SUCCESS(Wait(&Seen.Ran));
    KeFlushQueuedDpcs();
    CT_EQUAL(Seen.Calls, 1);
    CT_EQUAL(Seen.Irql, DISPATCH_LEVEL);
    CT_EQUAL(Seen.Dpc, &Dpc);
    CT_EQUAL(Seen.Argument1, 1);
    CT_EQUAL(Seen.Argument2, 2);
}

static VOID DpcRemove(VOID)
{
    KDPC Dpc;
    SEEN Seen;
    KIRQL Irql;
    Prepare(&Seen, &Dpc);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    BOOLEAN First = KeRemoveQueueDpc(&Dpc), Second = KeRemoveQueueDpc(&Dpc);
    KeLowerIrql(Irql);
    KeFlushQueuedDpcs();
    CT_CHECK(First && !Second);
    CT_EQUAL(Seen.Calls, 0);
}

static LONG Order;

static VOID NTAPI NoteOrder(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    *(LONG *)Context = ++Order;
}

/* A DPC of high importance goes to the front of the queue. */
static VOID DpcImportance(VOID)
{
    KDPC Plain, High;
    LONG PlainAt = 0, HighAt = 0;
    KIRQL Irql;
    Order = 0;
    KeInitializeDpc(&Plain, NoteOrder, &PlainAt);
    KeInitializeDpc(&High, NoteOrder, &HighAt);
    KeSetImportanceDpc(&High, HighImportance);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeInsertQueueDpc(&Plain, NULL, NULL);
    KeInsertQueueDpc(&High, NULL, NULL);
    KeLowerIrql(Irql);
    KeFlushQueuedDpcs();
    CT_EQUAL(HighAt, 1);
    CT_EQUAL(PlainAt, 2);
    SEEN Seen;
    Prepare(&Seen, &Plain);
    for (ULONG i = 0; i < 4; i++) { /* whatever its importance, it runs */
        KeSetImportanceDpc(&Plain, (KDPC_IMPORTANCE)i);
        CT_CHECK(KeInsertQueueDpc(&Plain, NULL, NULL));
        CT_SUCCESS(Wait(&Seen.Ran));
    }
    KeFlushQueuedDpcs();
    CT_EQUAL(Seen.Calls, 4);
}

static VOID DpcTarget(VOID)
{
    KDPC Dpc;
    SEEN Seen;
    Prepare(&Seen, &Dpc);
    KeSetTargetProcessorDpc(&Dpc, 0);
    CT_CHECK(KeInsertQueueDpc(&Dpc, NULL, NULL));
    CT_SUCCESS(Wait(&Seen.Ran));
    KeFlushQueuedDpcs();
}

/* One DPC on each active processor: it runs there. A processor that is not active is refused. */
static VOID NTAPI NoteProcessor(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Context);
    *(ULONG *)Argument1 = KeGetCurrentProcessorNumberEx(NULL);
    Note(Dpc, Argument2, Argument1, Argument2);
}

static VOID TargetEach(PKDPC Dpc, SEEN *Seen)
{
    PROCESSOR_NUMBER Number = {.Group = 0};
    for (ULONG i = 0; i < KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS); i++) {
        ULONG RanOn = ~0u;
        Number.Number = (UCHAR)i;
        CT_SUCCESS(KeSetTargetProcessorDpcEx(Dpc, &Number));
        CT_CHECK(KeInsertQueueDpc(Dpc, &RanOn, Seen));
        CT_SUCCESS(Wait(&Seen->Ran));
        CT_EQUAL(RanOn, i);
    }
    KeFlushQueuedDpcs();
}

static VOID DpcTargetEx(VOID)
{
    KDPC Dpc;
    SEEN Seen;
    PROCESSOR_NUMBER Number = {.Group = 0};
    Prepare(&Seen, &Dpc);
    KeInitializeDpc(&Dpc, NoteProcessor, NULL);
    TargetEach(&Dpc, &Seen);
    KeInitializeThreadedDpc(&Dpc, NoteProcessor, NULL);
    TargetEach(&Dpc, &Seen);
    Number.Reserved = 1;
    CT_STATUS(KeSetTargetProcessorDpcEx(&Dpc, &Number), STATUS_INVALID_PARAMETER);
    Number.Reserved = 0;
    Number.Number = (UCHAR)KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
    CT_STATUS(KeSetTargetProcessorDpcEx(&Dpc, &Number), STATUS_INVALID_PARAMETER);
    Number.Number = 0;
    Number.Group = 0x7fff;
    CT_STATUS(KeSetTargetProcessorDpcEx(&Dpc, &Number), STATUS_INVALID_PARAMETER);
}

/* A threaded DPC is queued, refused a second time, removed, flushed like any other; where threaded DPCs are enabled it runs at
 * PASSIVE_LEVEL, and a driver may not rely on it. */
static VOID DpcThreaded(VOID)
{
    KDPC Dpc;
    SEEN Seen;
    KIRQL Irql;
    Prepare(&Seen, &Dpc);
    KeInitializeThreadedDpc(&Dpc, Note, &Seen);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    BOOLEAN First = KeInsertQueueDpc(&Dpc, (PVOID)1, (PVOID)2);
    BOOLEAN Second = KeInsertQueueDpc(&Dpc, (PVOID)3, (PVOID)4);
    BOOLEAN Removed = KeRemoveQueueDpc(&Dpc);
    BOOLEAN Third = KeInsertQueueDpc(&Dpc, (PVOID)5, (PVOID)6);
    KeLowerIrql(Irql);
    CT_CHECK(First && !Second && Removed && Third);
    CT_SUCCESS(Wait(&Seen.Ran));
    CT_CHECK(Seen.Irql == PASSIVE_LEVEL || Seen.Irql == DISPATCH_LEVEL);
    CT_EQUAL(Seen.Argument1, 5);
    CT_EQUAL(Seen.Argument2, 6);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    CT_EQUAL(Seen.Calls, 2);
}

/* A DPC may be removed and queued by any processor while it goes round: nothing is lost and nothing runs twice. */
static volatile LONG Inserted, Ran, Removed;

static VOID NTAPI CountRun(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    InterlockedIncrement(&Ran);
}

static VOID NTAPI InsertAndRemove(PVOID Context)
{
    for (ULONG i = 0; i < 5000; i++) {
        if (KeInsertQueueDpc(Context, NULL, NULL))
            InterlockedIncrement(&Inserted);
        if (i % 3 == 0 && KeRemoveQueueDpc(Context))
            InterlockedIncrement(&Removed);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID DpcCount(VOID)
{
    KDPC Dpc;
    PVOID Threads[4];
    Inserted = Ran = Removed = 0;
    KeInitializeDpc(&Dpc, CountRun, NULL);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Threads); i++) {
        HANDLE Handle;
        CT_REQUIRE(NT_SUCCESS(
            PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, InsertAndRemove, &Dpc)));
        CT_SUCCESS(ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, KernelMode, &Threads[i], NULL));
        ZwClose(Handle);
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(Threads); i++) {
        CT_SUCCESS(Wait(Threads[i]));
        ObDereferenceObject(Threads[i]);
    }
    KeFlushQueuedDpcs();
    CT_EQUAL(Ran + Removed, Inserted);
    CT_CHECK(Ran > 0);
}

/* Every DPC that was queued before the call has run when it returns. */
static VOID DpcFlush(VOID)
{
    KDPC Dpc;
    SEEN Seen;
    Prepare(&Seen, &Dpc);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    CT_EQUAL(Seen.Calls, 1);
}

static SEEN IoSeen;

static VOID NTAPI OnIoTimer(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Note(NULL, Context, NULL, NULL);
}

/* Once a second, at DISPATCH_LEVEL, from IoStartTimer on until IoStopTimer. */
static VOID IoTimerTick(VOID)
{
    PDEVICE_OBJECT Device;
    CT_REQUIRE(NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    RtlZeroMemory(&IoSeen, sizeof(IoSeen));
    KeInitializeEvent(&IoSeen.Ran, SynchronizationEvent, FALSE);
    CT_SUCCESS(IoInitializeTimer(Device, OnIoTimer, &IoSeen));
    IoStartTimer(Device);
    CT_SUCCESS(Wait(&IoSeen.Ran));
    CT_EQUAL(IoSeen.Irql, DISPATCH_LEVEL);
    IoStopTimer(Device);
    KeFlushQueuedDpcs();
    IoDeleteDevice(Device);
}

typedef struct WATCHDOG_SEEN {
    NTSTATUS Status;
    KDPC_WATCHDOG_INFORMATION Information;
} WATCHDOG_SEEN;

static VOID NTAPI AskWatchdog(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    WATCHDOG_SEEN *Seen = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Seen->Status = KeQueryDpcWatchdogInformation(&Seen->Information);
}

/* [WDK KeQueryDpcWatchdogInformation] Only while a DPC runs; what is left is no more than the limit. */
static VOID DpcWatchdog(VOID)
{
    WATCHDOG_SEEN Seen = {.Status = STATUS_PENDING};
    KDPC Dpc;
    KIRQL OldIrql;
    KeInitializeDpc(&Dpc, AskWatchdog, &Seen);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    CT_SUCCESS(Seen.Status);
    CT_CHECK(Seen.Information.DpcTimeCount <= Seen.Information.DpcTimeLimit);
    CT_CHECK(Seen.Information.DpcWatchdogCount <= Seen.Information.DpcWatchdogLimit);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    NTSTATUS Outside = KeQueryDpcWatchdogInformation(&Seen.Information);
    KeLowerIrql(OldIrql);
    CT_STATUS(Outside, STATUS_UNSUCCESSFUL);
}

static const CT_CASE Cases[] = {
    {"timer.init", TimerInit},      {"timer.init_ex", TimerInitEx},
    {"timer.set", TimerSet},        {"timer.set_ex", TimerSetEx},
    {"timer.cancel", TimerCancel},  {"timer.read", TimerRead},
    {"dpc.init", DpcInit},          {"dpc.insert", DpcInsert},
    {"dpc.remove", DpcRemove},      {"dpc.importance", DpcImportance},
    {"dpc.target", DpcTarget},      {"dpc.flush", DpcFlush},
    {"dpc.target_ex", DpcTargetEx}, {"dpc.threaded", DpcThreaded},
    {"dpc.count", DpcCount},        {"dpc.watchdog", DpcWatchdog},
    {"iotimer.tick", IoTimerTick},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * Stress: waits for an object on the waiter's own stack, which somebody else signals - another worker, a DPC on some processor, a timer's
 * DPC, a work item - and whose memory is spoilt as soon as the wait is over: who touches it afterwards finds that. And delays. */
#include "stress.h"
#include "crt.h"
#include "hal.h"

/* What one worker leaves for any other to signal; one slot for each. */
static PKEVENT volatile Slots[STRESS_WORKERS_MAX];

/* Signals what others left, at most three of them. */
static VOID StressServe(STRESS_WORKER *Worker)
{
    for (ULONG i = 0, At = StressRandom(Worker, StressWorkerCount); i < 3;
         i++, At = (At + 1) % StressWorkerCount) {
        PKEVENT Event = InterlockedExchangePointer((PVOID volatile *)&Slots[At], NULL);
        if (Event != NULL)
            KeSetEvent(Event, (KPRIORITY)StressRandom(Worker, 3), FALSE);
    }
}

static VOID ServeOperate(STRESS_WORKER *Worker)
{
    StressServe(Worker);
}

static BOOLEAN StressTakeBack(STRESS_WORKER *Worker)
{
    return InterlockedExchangePointer((PVOID volatile *)&Slots[Worker->Index], NULL) != NULL;
}

/* Signals one that another has left and begins the own wait in one step. */
static VOID StressSignalAndWait(STRESS_WORKER *Worker)
{
    PVOID volatile *Slot = (PVOID volatile *)&Slots[StressRandom(Worker, StressWorkerCount)];
    PKEVENT Event =
        Slot != (PVOID volatile *)&Slots[Worker->Index] ? InterlockedExchangePointer(Slot, NULL) : NULL;

    if (Event != NULL)
        KeSetEvent(Event, IO_NO_INCREMENT, TRUE);
}

/* Nobody may come: after the time-out the event is taken back, or, when somebody has it already, waited for. */
static VOID HandOverOperate(STRESS_WORKER *Worker)
{
    KEVENT Event;

    KeInitializeEvent(&Event, StressRandom(Worker, 2) != 0 ? NotificationEvent : SynchronizationEvent, FALSE);
    InterlockedExchangePointer((PVOID volatile *)&Slots[Worker->Index], &Event);
    if (StressRandom(Worker, 3) == 0)
        StressSignalAndWait(Worker);
    else
        StressServe(Worker);
    if (StressWait(Worker, &Event) != STATUS_SUCCESS && !StressTakeBack(Worker))
        (void)KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    StressSpoil(Worker, &Event, sizeof(Event));
}

/* --- signalled by deferred work --- */

typedef struct _STRESS_CALL {
    KEVENT Event;
    KDPC Dpc;
    KTIMER Timer;
    WORK_QUEUE_ITEM Item;
} STRESS_CALL;

static VOID NTAPI StressSetFromDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI StressSetFromItem(PVOID Context)
{
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static VOID StressInitializeCall(STRESS_WORKER *Worker, STRESS_CALL *Call)
{
    KeInitializeEvent(&Call->Event, StressRandom(Worker, 2) != 0 ? NotificationEvent : SynchronizationEvent,
                      FALSE);
    KeInitializeDpc(&Call->Dpc, StressSetFromDpc, &Call->Event);
    if (StressRandom(Worker, 2) != 0)
        KeSetTargetProcessorDpc(&Call->Dpc, (CCHAR)StressRandom(Worker, KeActiveProcessorCount));
    KeSetImportanceDpc(&Call->Dpc, (KDPC_IMPORTANCE)StressRandom(Worker, 3));
}

static VOID StressWaitForCall(STRESS_WORKER *Worker, STRESS_CALL *Call)
{
    if (StressWait(Worker, &Call->Event) != STATUS_SUCCESS)
        (void)KeWaitForSingleObject(&Call->Event, Executive, KernelMode, FALSE, NULL);
    StressSpoil(Worker, Call, sizeof(*Call));
}

static VOID DpcSignalOperate(STRESS_WORKER *Worker)
{
    STRESS_CALL Call;

    StressInitializeCall(Worker, &Call);
    STRESS_EXPECT(KeInsertQueueDpc(&Call.Dpc, NULL, NULL));
    StressWaitForCall(Worker, &Call);
}

static VOID TimerSignalOperate(STRESS_WORKER *Worker)
{
    STRESS_CALL Call;
    LARGE_INTEGER Due = {.QuadPart = -(LONG64)StressRandom(Worker, 2 * STRESS_MILLISECOND)};

    StressInitializeCall(Worker, &Call);
    KeInitializeTimer(&Call.Timer);
    STRESS_EXPECT(!KeSetTimer(&Call.Timer, Due, &Call.Dpc));
    (void)KeWaitForSingleObject(&Call.Timer, Executive, KernelMode, FALSE, NULL);
    StressWaitForCall(Worker, &Call);
}

static VOID ItemSignalOperate(STRESS_WORKER *Worker)
{
    STRESS_CALL Call;

    StressInitializeCall(Worker, &Call);
    ExInitializeWorkItem(&Call.Item, StressSetFromItem, &Call.Event);
    ExQueueWorkItem(&Call.Item, StressRandom(Worker, 2) != 0 ? DelayedWorkQueue : CriticalWorkQueue);
    StressWaitForCall(Worker, &Call);
}

#define EVENTS 3

/* Signalled by DPCs at the same time as the wait begins: none of the signals is lost, none is taken twice. */
static VOID StressTakeEach(STRESS_CALL Calls[EVENTS])
{
    PVOID Objects[EVENTS] = {&Calls[0].Event, &Calls[1].Event, &Calls[2].Event};

    for (ULONG Left = EVENTS; Left != 0; Left--) {
        NTSTATUS Status =
            KeWaitForMultipleObjects(Left, Objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
        STRESS_EXPECT((ULONG)Status < Left);
        Objects[Status < (NTSTATUS)Left ? Status : 0] = Objects[Left - 1];
    }
}

static VOID StressTakeAll(STRESS_CALL Calls[EVENTS])
{
    PVOID Objects[EVENTS] = {&Calls[0].Event, &Calls[1].Event, &Calls[2].Event};

    STRESS_EQUAL(KeWaitForMultipleObjects(EVENTS, Objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL),
                 STATUS_WAIT_0);
}

static VOID StressSignalSeveral(STRESS_WORKER *Worker, STRESS_CALL Calls[EVENTS])
{
    for (ULONG i = 0; i < EVENTS; i++) {
        KeInitializeEvent(&Calls[i].Event, SynchronizationEvent, FALSE);
        KeInitializeDpc(&Calls[i].Dpc, StressSetFromDpc, &Calls[i].Event);
        KeSetTargetProcessorDpc(&Calls[i].Dpc, (CCHAR)StressRandom(Worker, KeActiveProcessorCount));
        KeSetImportanceDpc(&Calls[i].Dpc, HighImportance);
    }
    for (ULONG i = 0; i < EVENTS; i++)
        STRESS_EXPECT(KeInsertQueueDpc(&Calls[i].Dpc, NULL, NULL));
    if (StressRandom(Worker, 2) != 0)
        StressTakeEach(Calls);
    else
        StressTakeAll(Calls);
    for (ULONG i = 0; i < EVENTS; i++)
        STRESS_EQUAL(KeReadStateEvent(&Calls[i].Event), 0);
    StressSpoil(Worker, Calls, EVENTS * sizeof(*Calls));
}

static VOID SeveralOperate(STRESS_WORKER *Worker)
{
    STRESS_CALL Calls[EVENTS];

    for (ULONG Round = 0; Round < 8; Round++)
        StressSignalSeveral(Worker, Calls);
}

/* --- delays --- */

VOID StressDelayThread(STRESS_WORKER *Worker)
{
    LARGE_INTEGER Interval = {.QuadPart = -(LONG64)StressRandom(Worker, 2 * STRESS_MILLISECOND)};
    BOOLEAN Alertable = StressRandom(Worker, 3) == 0;
    ULONG64 Begin = HalQueryInterruptTime();
    NTSTATUS Status = KeDelayExecutionThread(KernelMode, Alertable, &Interval);

    if (Status == STATUS_ALERTED && Alertable) {
        Worker->AlertsSeen++;
        return;
    }
    STRESS_EQUAL(Status, STATUS_SUCCESS);
    StressCheckTime(Begin, (ULONG64)-Interval.QuadPart, "a delay");
}

const STRESS_KIND StressWaitKinds[] = {
    {"hand over", 8, NULL, HandOverOperate, NULL},
    {"serve", 6, NULL, ServeOperate, NULL},
    {"signal by DPC", 6, NULL, DpcSignalOperate, NULL},
    {"signal by timer", 5, NULL, TimerSignalOperate, NULL},
    {"signal by work item", 5, NULL, ItemSignalOperate, NULL},
    {"several signals", 10, NULL, SeveralOperate, NULL},
    {"delay", 4, NULL, StressDelayThread, NULL},
};
const ULONG StressWaitKindCount = RTL_NUMBER_OF(StressWaitKinds);

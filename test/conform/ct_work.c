/* SPDX-License-Identifier: MIT
 * Work items: every queue type, an item that queues itself again, items that wait for items, IoTryQueueWorkItem.
 * [WDK ExQueueWorkItem, IoQueueWorkItem, IoTryQueueWorkItem, "System Worker Threads"] */
#include "ct.h"

#define NESTED 12

static LARGE_INTEGER Patience = {.QuadPart = -10 * 10000000LL};

static NTSTATUS Wait(PVOID Object)
{
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Patience);
}

typedef struct WORK {
    WORK_QUEUE_ITEM Item;
    KEVENT Done;
    volatile LONG Runs;
    LONG Wanted;
    KIRQL Irql;
} WORK;

static VOID NTAPI Count(PVOID Context)
{
    WORK *Work = Context;
    Work->Irql = KeGetCurrentIrql();
    if (InterlockedIncrement(&Work->Runs) == Work->Wanted)
        KeSetEvent(&Work->Done, IO_NO_INCREMENT, FALSE);
    else
        ExQueueWorkItem(&Work->Item, CriticalWorkQueue);
}

/* Each type of queue runs it at PASSIVE_LEVEL; its routine may queue it again; it may be queued at DISPATCH_LEVEL. */
static VOID WorkTypes(VOID)
{
    static const WORK_QUEUE_TYPE Types[] = {CriticalWorkQueue, DelayedWorkQueue, HyperCriticalWorkQueue};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Types); i++) {
        WORK Work = {.Wanted = 3, .Irql = HIGH_LEVEL};
        KIRQL Irql;
        KeInitializeEvent(&Work.Done, NotificationEvent, FALSE);
        ExInitializeWorkItem(&Work.Item, Count, &Work);
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        ExQueueWorkItem(&Work.Item, Types[i]);
        KeLowerIrql(Irql);
        CT_SUCCESS(Wait(&Work.Done));
        CT_EQUAL(Work.Irql, PASSIVE_LEVEL);
        CT_EQUAL(Work.Runs, 3);
    }
}

typedef struct NEST {
    WORK_QUEUE_ITEM Items[NESTED];
    KEVENT Open;
    KSEMAPHORE Through;
    volatile LONG Waited; /* items whose wait succeeded */
} NEST;

static VOID NTAPI WaitForTheLast(PVOID Context)
{
    NEST *Nest = Context;
    if (Wait(&Nest->Open) == STATUS_SUCCESS)
        InterlockedIncrement(&Nest->Waited);
    KeReleaseSemaphore(&Nest->Through, IO_NO_INCREMENT, 1, FALSE);
}

static VOID NTAPI OpenForAll(PVOID Context)
{
    NEST *Nest = Context;
    KeSetEvent(&Nest->Open, IO_NO_INCREMENT, FALSE);
    KeReleaseSemaphore(&Nest->Through, IO_NO_INCREMENT, 1, FALSE);
}

/* More items than threads, all waiting for one queued behind them: the system makes new threads. */
static VOID WorkNested(VOID)
{
    static NEST Nest;
    KeInitializeEvent(&Nest.Open, NotificationEvent, FALSE);
    KeInitializeSemaphore(&Nest.Through, 0, NESTED);
    Nest.Waited = 0;
    for (ULONG i = 0; i < NESTED; i++) {
        ExInitializeWorkItem(&Nest.Items[i], i + 1 < NESTED ? WaitForTheLast : OpenForAll, &Nest);
        ExQueueWorkItem(&Nest.Items[i], DelayedWorkQueue);
    }
    for (ULONG i = 0; i < NESTED; i++)
        CT_SUCCESS(Wait(&Nest.Through));
    CT_EQUAL(Nest.Waited, NESTED - 1);
}

typedef struct GATE {
    KEVENT Entered, Leave;
    KSEMAPHORE Done;
    PVOID Device, Item;
    volatile LONG Runs;
} GATE;

static VOID NTAPI Hold(PVOID IoObject, PVOID Context, PIO_WORKITEM Item)
{
    GATE *Gate = Context;
    Gate->Device = IoObject;
    Gate->Item = Item;
    InterlockedIncrement(&Gate->Runs);
    KeSetEvent(&Gate->Entered, IO_NO_INCREMENT, FALSE);
    Wait(&Gate->Leave);
    KeReleaseSemaphore(&Gate->Done, IO_NO_INCREMENT, 1, FALSE);
}

/* FALSE while it is queued; TRUE when its routine runs already, so that it can be queued from there. On a machine with one
 * processor it stays queued for sure while we are at DISPATCH_LEVEL; elsewhere a worker may be quicker. */
static VOID WorkIoTry(VOID)
{
    GATE Gate = {.Device = NULL};
    PDEVICE_OBJECT Device;
    KIRQL Irql;
    CT_REQUIRE(NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);
    CT_REQUIRE(Item != NULL);
    KeInitializeEvent(&Gate.Entered, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Gate.Leave, NotificationEvent, FALSE);
    KeInitializeSemaphore(&Gate.Done, 0, 3);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    BOOLEAN First = IoTryQueueWorkItem(Item, Hold, DelayedWorkQueue, &Gate);
    BOOLEAN Second = IoTryQueueWorkItem(Item, Hold, DelayedWorkQueue, &Gate);
    KeLowerIrql(Irql);
    CT_CHECK(First);
    CT_CHECK(!Second || KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) > 1);
    CT_SUCCESS(Wait(&Gate.Entered));
    CT_EQUAL(Gate.Device, Device);
    CT_EQUAL(Gate.Item, Item);
    BOOLEAN Third = IoTryQueueWorkItem(Item, Hold, DelayedWorkQueue, &Gate);
    KeSetEvent(&Gate.Leave, IO_NO_INCREMENT, FALSE);
    LONG Wanted = 1 + Second + Third;
    CT_CHECK(Third || Second);
    for (LONG i = 0; i < Wanted; i++)
        CT_SUCCESS(Wait(&Gate.Done));
    CT_EQUAL(Gate.Runs, Wanted);
    IoFreeWorkItem(Item);
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {
    {"workitem.types", WorkTypes},
    {"workitem.nested", WorkNested},
    {"workitem.io_try", WorkIoTry},
};
CT_DRIVER(Cases)

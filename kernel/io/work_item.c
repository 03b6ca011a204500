/* SPDX-License-Identifier: MIT
 * Work items of devices and drivers: run by a system worker thread; the object is referenced from queueing until the routine has
 * returned, so its driver stays loaded. */
#include "iop.h"
#include "ex.h"

typedef struct _IO_WORKITEM {
    WORK_QUEUE_ITEM Item;
    PVOID IoObject; /* device or driver object */
    PVOID Routine;
    PVOID Context;
    BOOLEAN Extended; /* the routine also gets the item */
    volatile BOOLEAN Queued;
} IO_WORKITEM;

static VOID NTAPI IopRunWorkItem(PVOID Parameter);

/* What IoInitializeWorkItem has made looks like this. */
static BOOLEAN IopIsWorkItem(const IO_WORKITEM *Item)
{
    return Item->Item.WorkerRoutine == IopRunWorkItem && Item->IoObject != NULL;
}

/* The routine may free or queue the item again: it is not touched afterwards. */
static VOID NTAPI IopRunWorkItem(PVOID Parameter)
{
    PIO_WORKITEM Item = Parameter;
    IO_WORKITEM Copy = *Item;
    __atomic_store_n(&Item->Queued, FALSE, __ATOMIC_RELEASE);
    if (Copy.Extended)
        IopCallWorkItemEx((PIO_WORKITEM_ROUTINE_EX)Copy.Routine, Copy.IoObject, Copy.Context, Item);
    else
        IopCallWorkItem((PIO_WORKITEM_ROUTINE)Copy.Routine, Copy.IoObject, Copy.Context);
    ObfDereferenceObject(Copy.IoObject);
}

ULONG NTAPI IoSizeofWorkItem(VOID)
{
    return sizeof(IO_WORKITEM);
}

VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM Item)
{
    RtlZeroMemory(Item, sizeof(*Item));
    Item->IoObject = IoObject;
    ExInitializeWorkItem(&Item->Item, IopRunWorkItem, Item);
}

/* [WDK Bug Check 0xE4] 2: a queued I/O work item was freed, 3: it is none */
static VOID IopCheckFreedWorkItem(PIO_WORKITEM Item)
{
    if (!IopIsWorkItem(Item))
        KeBugCheckEx(WORKER_INVALID, 3, (ULONG_PTR)Item, 0, 0);
    if (Item->Queued)
        KeBugCheckEx(WORKER_INVALID, 2, (ULONG_PTR)Item, 0, 0);
}

/* [WDK IoUninitializeWorkItem] the memory is the driver's. The item must not be queued. */
VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM Item)
{
    IopCheckFreedWorkItem(Item);
    RtlZeroMemory(Item, sizeof(*Item));
}

/* [WDK IoAllocateWorkItem] IRQL <= DISPATCH_LEVEL. An item that is not freed counts as the driver's pool. */
DECLSPEC_NOINLINE PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT Device)
{
    PIO_WORKITEM Item =
        ExAllocatePoolForOwner(NonPagedPoolNx, sizeof(*Item), IOP_TAG_WORK_ITEM, __builtin_return_address(0));
    if (Item != NULL)
        IoInitializeWorkItem(Device, Item);
    return Item;
}

/* [WDK IoFreeWorkItem] Its own routine may free it. */
VOID NTAPI IoFreeWorkItem(PIO_WORKITEM Item)
{
    IopCheckFreedWorkItem(Item);
    ExFreePoolWithTag(Item, IOP_TAG_WORK_ITEM);
}

/* FALSE: it is queued already, nothing was changed. An item that was never initialised has no routine: ExQueueWorkItem stops. */
static BOOLEAN IopTryQueueItem(PIO_WORKITEM Item, PVOID Routine, WORK_QUEUE_TYPE Queue, PVOID Context,
                               BOOLEAN Extended)
{
    if (!IopIsWorkItem(Item) || !ExIsWorkRoutine(Routine)) /* [WDK Bug Check 0xE4] 7: no routine */
        KeBugCheckEx(WORKER_INVALID, 7, (ULONG_PTR)Item, Queue, 0);
    if (__atomic_exchange_n(&Item->Queued, TRUE, __ATOMIC_ACQ_REL))
        return FALSE;
    ObfReferenceObject(Item->IoObject);
    Item->Routine = Routine;
    Item->Context = Context;
    Item->Extended = Extended;
    ExQueueWorkItem(&Item->Item, Queue);
    return TRUE;
}

/* [WDK Bug Check 0xE4] 1: a queued work item was queued again */
static VOID IopQueueItem(PIO_WORKITEM Item, PVOID Routine, WORK_QUEUE_TYPE Queue, PVOID Context,
                         BOOLEAN Extended)
{
    if (!IopTryQueueItem(Item, Routine, Queue, Context, Extended))
        KeBugCheckEx(WORKER_INVALID, 1, (ULONG_PTR)Item, Queue, 0);
}

/* [WDK IoQueueWorkItem] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoQueueWorkItem(PIO_WORKITEM Item, PIO_WORKITEM_ROUTINE Routine, WORK_QUEUE_TYPE Queue,
                           PVOID Context)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IopQueueItem(Item, Routine, Queue, Context, FALSE);
}

/* [WDK IoQueueWorkItemEx] */
VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM Item, PIO_WORKITEM_ROUTINE_EX Routine, WORK_QUEUE_TYPE Queue,
                             PVOID Context)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IopQueueItem(Item, Routine, Queue, Context, TRUE);
}

/* [WDK IoTryQueueWorkItem] FALSE when it is in a queue already. */
BOOLEAN NTAPI IoTryQueueWorkItem(PIO_WORKITEM Item, PIO_WORKITEM_ROUTINE_EX Routine, WORK_QUEUE_TYPE Queue,
                                 PVOID Context)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return IopTryQueueItem(Item, Routine, Queue, Context, TRUE);
}

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
} IO_WORKITEM;

/* The routine may free or queue the item again: it is not touched afterwards. */
static VOID NTAPI IopRunWorkItem(PVOID Parameter)
{
    PIO_WORKITEM Item = Parameter;
    IO_WORKITEM Copy = *Item;
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
}

/* [WDK IoUninitializeWorkItem] the memory is the driver's. */
VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM Item)
{
    RtlZeroMemory(Item, sizeof(*Item));
}

/* [WDK IoAllocateWorkItem] IRQL <= DISPATCH_LEVEL. An item that is not freed counts as the driver's pool. */
PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT Device)
{
    PIO_WORKITEM Item =
        ExAllocatePoolForOwner(NonPagedPoolNx, sizeof(*Item), IOP_TAG_WORK_ITEM, __builtin_return_address(0));
    if (Item != NULL)
        IoInitializeWorkItem(Device, Item);
    return Item;
}

VOID NTAPI IoFreeWorkItem(PIO_WORKITEM Item)
{
    ExFreePoolWithTag(Item, IOP_TAG_WORK_ITEM);
}

static VOID IopQueueItem(PIO_WORKITEM Item, PVOID Routine, WORK_QUEUE_TYPE Queue, PVOID Context,
                         BOOLEAN Extended)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ObfReferenceObject(Item->IoObject);
    Item->Routine = Routine;
    Item->Context = Context;
    Item->Extended = Extended;
    ExInitializeWorkItem(&Item->Item, IopRunWorkItem, Item);
    ExQueueWorkItem(&Item->Item, Queue);
}

/* [WDK IoQueueWorkItem] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoQueueWorkItem(PIO_WORKITEM Item, PIO_WORKITEM_ROUTINE Routine, WORK_QUEUE_TYPE Queue,
                           PVOID Context)
{
    IopQueueItem(Item, Routine, Queue, Context, FALSE);
}

/* [WDK IoQueueWorkItemEx] */
VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM Item, PIO_WORKITEM_ROUTINE_EX Routine, WORK_QUEUE_TYPE Queue,
                             PVOID Context)
{
    IopQueueItem(Item, Routine, Queue, Context, TRUE);
}

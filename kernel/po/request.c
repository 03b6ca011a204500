/* SPDX-License-Identifier: MIT
 * Power requests: those that drivers ask for, and the power manager's own. A stack gets one request of a kind at a time; those of stacks that draw
 * much current when they are switched on come one at a time in the whole system. [WDK PoRequestPowerIrp, REQUEST_POWER_COMPLETE, DO_POWER_INRUSH] */
#include "pop.h"

ARCH_LOCK PopLock = ARCH_LOCK_INIT("Po", LockRankPo, DISPATCH_LEVEL);
static LIST_ENTRY PopRequests = {&PopRequests,
                                 &PopRequests}; /* (l) in the order in which they were asked for */

POP_REQUEST *PopNextRequest(const POP_REQUEST *Before)
{
    PLIST_ENTRY Next = Before != NULL ? Before->Entry.Flink : PopRequests.Flink;
    return Next != &PopRequests ? CONTAINING_RECORD(Next, POP_REQUEST, Entry) : NULL;
}

/* --- the IRP --- */

VOID PopFreeRequest(POP_REQUEST *Request)
{
    IoFreeIrp(Request->Irp);
    ObfDereferenceObject(Request->Top);
    ObfDereferenceObject(Request->Base);
    ObfDereferenceObject(Request->Device);
    ExFreePoolWithTag(Request, POP_TAG);
}

static VOID PopCallComplete(const POP_REQUEST *Request)
{
    KE_GATE Gate;
    if (Request->Complete == NULL)
        return;
    KeEnterGate(&Gate, GateCompletion, (PVOID)Request->Complete);
    Request->Complete(Request->Device, Request->Minor, Request->State, Request->Context,
                      &Request->Irp->IoStatus);
    KeLeaveGate(&Gate);
}

static VOID PopSendNext(VOID);

/* A wait for a wake signal may end anywhere. */
static VOID PopCheckPassed(const POP_REQUEST *Request)
{
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_POWER, .MinorFunction = Request->Minor};
    IoCheckDuty(Request->Irp, &Location, Request->Base, Request->Top);
}

/* The next request of its kind may go before the completion routine of this one has returned, but not before it is called. */
static NTSTATUS NTAPI PopRequestDone(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    POP_REQUEST *Request = Context;
    PopCheckPassed(Request);
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    RemoveEntryList(&Request->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    if (Request->Done != NULL) {
        Request->Done(Request);
    } else {
        PopCallComplete(Request);
        PopFreeRequest(Request);
    }
    PopSendNext();
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* [WDK "System Power Actions"] ShutdownType tells a device request what the system is up to. */
static VOID PopFillLocation(PIO_STACK_LOCATION Stack, const POP_REQUEST *Request)
{
    Stack->MajorFunction = IRP_MJ_POWER;
    Stack->MinorFunction = Request->Minor;
    if (Request->Queue == PopWakeQueue) {
        Stack->Parameters.WaitWake.PowerState = Request->State.SystemState;
        return;
    }
    Stack->Parameters.Power.Type = Request->Queue == PopSystemQueue ? SystemPowerState : DevicePowerState;
    Stack->Parameters.Power.State = Request->State;
    Stack->Parameters.Power.ShutdownType = PopAction;
}

/* One location more than the stack has. It begins with STATUS_NOT_SUPPORTED. */
static PIRP PopMakeIrp(POP_REQUEST *Request)
{
    PIRP Irp = IoAllocateIrp((CCHAR)(Request->Top->StackSize + 1), FALSE);
    if (Irp == NULL)
        return NULL;
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Request->Device;
    PopFillLocation(IoGetNextIrpStackLocation(Irp), Request);
    IoSetCompletionRoutine(Irp, PopRequestDone, Request, TRUE, TRUE, TRUE);
    return Irp;
}

/* [WDK DO_POWER_INRUSH] of any device of the stack: the drivers above copy it. */
static BOOLEAN PopNeedsInrush(const POP_REQUEST *Request)
{
    return Request->Queue == PopDeviceQueue && Request->Minor == IRP_MN_SET_POWER &&
           Request->State.DeviceState == PowerDeviceD0 &&
           ((Request->Base->Flags | Request->Top->Flags) & DO_POWER_INRUSH) != 0;
}

POP_REQUEST *PopMakeRequest(PDEVICE_OBJECT Device, const POP_REQUEST *About)
{
    POP_REQUEST *Request = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Request), POP_TAG);
    if (Request == NULL)
        return NULL;
    *Request = *About;
    ObfReferenceObject(Device);
    Request->Device = Device;
    Request->Base = IoGetDeviceAttachmentBaseRef(Device);
    Request->Top = IoGetAttachedDeviceReference(Device);
    Request->Inrush = PopNeedsInrush(Request);
    Request->Irp = PopMakeIrp(Request);
    if (Request->Irp != NULL)
        return Request;
    ObfDereferenceObject(Request->Top);
    ObfDereferenceObject(Request->Base);
    ObfDereferenceObject(Device);
    ExFreePoolWithTag(Request, POP_TAG);
    return NULL;
}

/* --- the queues --- */

static BOOLEAN PopMustWaitLocked(const POP_REQUEST *Request)
{
    if (Request->Queue == PopWakeQueue)
        return FALSE;
    for (POP_REQUEST *Other = PopNextRequest(NULL); Other != NULL; Other = PopNextRequest(Other)) {
        if (!Other->Sent)
            continue;
        if ((Other->Base == Request->Base && Other->Queue == Request->Queue) ||
            (Other->Inrush && Request->Inrush))
            return TRUE;
    }
    return FALSE;
}

/* NULL: each one waits for another. */
static POP_REQUEST *PopTakeNext(VOID)
{
    POP_REQUEST *Request;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (Request = PopNextRequest(NULL); Request != NULL; Request = PopNextRequest(Request)) {
        if (!Request->Sent && !PopMustWaitLocked(Request)) {
            Request->Sent = TRUE;
            Request->Since = KeQueryInterruptTime();
            break;
        }
    }
    ArchReleaseLock(&PopLock, OldIrql);
    return Request;
}

static VOID NTAPI PopSendFromWorker(PVOID Context)
{
    POP_REQUEST *Request = Context;
    (void)IofCallDriver(Request->Top, Request->Irp);
}

/* [WDK IRP_MN_SET_POWER] at PASSIVE_LEVEL to stacks whose PDO has DO_POWER_PAGABLE; the others may get it where they are asked for. */
static VOID PopSendIrp(POP_REQUEST *Request)
{
    if (Request->Queue != PopWakeQueue)
        PopStartWatch();
    if (ArchGetIrql() == PASSIVE_LEVEL || !(Request->Base->Flags & DO_POWER_PAGABLE)) {
        (void)IofCallDriver(Request->Top, Request->Irp);
        return;
    }
    ExInitializeWorkItem(&Request->Work, PopSendFromWorker, Request);
    ExQueueWorkItem(&Request->Work, CriticalWorkQueue);
}

static VOID PopSendNext(VOID)
{
    POP_REQUEST *Request;
    while ((Request = PopTakeNext()) != NULL)
        PopSendIrp(Request);
}

VOID PopSend(POP_REQUEST *Request)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    Request->Sent = FALSE;
    InsertTailList(&PopRequests, &Request->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    PopSendNext();
}

/* [WDK PoRequestPowerIrp] IRQL <= DISPATCH_LEVEL. STATUS_PENDING: the request goes to the top of the stack, when those before it are done;
 * CompletionFunction is called when all drivers have done it. STATUS_INVALID_PARAMETER_2: no such minor code. */
NTSTATUS NTAPI PoRequestPowerIrp(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
                                 PREQUEST_POWER_COMPLETE CompletionFunction, PVOID Context, PIRP *Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    POP_REQUEST About = {.Minor = MinorFunction,
                         .State = PowerState,
                         .Complete = CompletionFunction,
                         .Context = Context,
                         .Queue = MinorFunction == IRP_MN_WAIT_WAKE ? PopWakeQueue : PopDeviceQueue};
    if (MinorFunction != IRP_MN_WAIT_WAKE && MinorFunction != IRP_MN_QUERY_POWER &&
        MinorFunction != IRP_MN_SET_POWER)
        return STATUS_INVALID_PARAMETER_2;
    POP_REQUEST *Request = PopMakeRequest(DeviceObject, &About);
    if (Request == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Irp != NULL)
        *Irp = Request->Irp;
    PopSend(Request);
    return STATUS_PENDING;
}

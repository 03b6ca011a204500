/* SPDX-License-Identifier: MIT
 * Power requests that drivers ask for. [WDK PoRequestPowerIrp, REQUEST_POWER_COMPLETE] */
#include "pop.h"

typedef struct _POP_REQUEST {
    PREQUEST_POWER_COMPLETE Complete;
    PVOID Context;
    UCHAR Minor;
    POWER_STATE State;
} POP_REQUEST;

static VOID PopCallComplete(const POP_REQUEST *Request, PDEVICE_OBJECT Device, PIRP Irp)
{
    KE_GATE Gate;
    if (Request->Complete == NULL)
        return;
    KeEnterGate(&Gate, GateCompletion, (PVOID)Request->Complete);
    Request->Complete(Device, Request->Minor, Request->State, Request->Context, &Irp->IoStatus);
    KeLeaveGate(&Gate);
}

/* The location on top is the power manager's own; its device is the one that was asked for. */
static NTSTATUS NTAPI PopRequestDone(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    POP_REQUEST *Request = Context;
    PDEVICE_OBJECT Asked = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
    PopCallComplete(Request, Asked, Irp);
    ExFreePoolWithTag(Request, POP_TAG);
    IoFreeIrp(Irp);
    ObfDereferenceObject(Asked);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID PopFillLocation(PIO_STACK_LOCATION Stack, const POP_REQUEST *Request)
{
    Stack->MajorFunction = IRP_MJ_POWER;
    Stack->MinorFunction = Request->Minor;
    if (Request->Minor == IRP_MN_WAIT_WAKE) {
        Stack->Parameters.WaitWake.PowerState = Request->State.SystemState;
        return;
    }
    Stack->Parameters.Power.Type = DevicePowerState;
    Stack->Parameters.Power.State = Request->State;
    Stack->Parameters.Power.ShutdownType = PowerActionNone;
}

/* One location more than the stack has. It begins with STATUS_NOT_SUPPORTED. */
static PIRP PopMakeIrp(PDEVICE_OBJECT Device, PDEVICE_OBJECT Top, POP_REQUEST *Request)
{
    PIRP Irp = IoAllocateIrp((CCHAR)(Top->StackSize + 1), FALSE);
    if (Irp == NULL)
        return NULL;
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Device;
    PopFillLocation(IoGetNextIrpStackLocation(Irp), Request);
    IoSetCompletionRoutine(Irp, PopRequestDone, Request, TRUE, TRUE, TRUE);
    return Irp;
}

static NTSTATUS PopSend(PDEVICE_OBJECT Device, const POP_REQUEST *Asked, PIRP *Given)
{
    POP_REQUEST *Request = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Request), POP_TAG);
    if (Request == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Request = *Asked;
    PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(Device);
    PIRP Irp = PopMakeIrp(Device, Top, Request);
    if (Irp != NULL) {
        ObfReferenceObject(Device); /* until it is done */
        if (Given != NULL)
            *Given = Irp;
        (void)IofCallDriver(Top, Irp);
    } else {
        ExFreePoolWithTag(Request, POP_TAG);
    }
    ObfDereferenceObject(Top);
    return Irp != NULL ? STATUS_PENDING : STATUS_INSUFFICIENT_RESOURCES;
}

/* [WDK PoRequestPowerIrp] IRQL <= DISPATCH_LEVEL. STATUS_PENDING: the request was sent to the top of the stack; CompletionFunction is called when all drivers
 * have done it. STATUS_INVALID_PARAMETER_2: no such minor code. */
NTSTATUS NTAPI PoRequestPowerIrp(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
                                 PREQUEST_POWER_COMPLETE CompletionFunction, PVOID Context, PIRP *Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    POP_REQUEST Request = {CompletionFunction, Context, MinorFunction, PowerState};
    if (MinorFunction != IRP_MN_WAIT_WAKE && MinorFunction != IRP_MN_QUERY_POWER &&
        MinorFunction != IRP_MN_SET_POWER)
        return STATUS_INVALID_PARAMETER_2;
    return PopSend(DeviceObject, &Request, Irp);
}

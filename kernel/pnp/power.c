/* SPDX-License-Identifier: MIT
 * The devices that the power manager sends its requests to, and the answers of the devices that the kernel itself reports. */
#include "root.h"
#include "ex.h"

typedef struct _PNP_DEVICES_CALL {
    PNP_DEVICES_ROUTINE *Routine;
    PVOID Context;
} PNP_DEVICES_CALL;

static ULONG PnpCountStarted(VOID)
{
    ULONG Count = 0;
    for (PNP_NODE *Node = PnpNextDown(PnpRoot, PnpRoot); Node != NULL; Node = PnpNextDown(Node, PnpRoot))
        Count += Node->State == DeviceNodeStarted;
    return Count;
}

static NTSTATUS PnpCollectAndCall(PVOID Context)
{
    const PNP_DEVICES_CALL *Call = Context;
    ULONG Count = 0;
    PNP_STARTED *Devices =
        ExAllocatePool2(POOL_FLAG_PAGED, (PnpCountStarted() + 1) * sizeof(*Devices), PNP_TAG_LIST);
    if (Devices == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (PNP_NODE *Node = PnpNextDown(PnpRoot, PnpRoot); Node != NULL; Node = PnpNextDown(Node, PnpRoot))
        if (Node->State == DeviceNodeStarted)
            Devices[Count++] = (PNP_STARTED){Node->Pdo, Node->Level};
    NTSTATUS Status = Call->Routine(Devices, Count, Call->Context);
    ExFreePoolWithTag(Devices, PNP_TAG_LIST);
    return Status;
}

NTSTATUS PnpCallWithDevices(PNP_DEVICES_ROUTINE *Routine, PVOID Context)
{
    PNP_DEVICES_CALL Call = {Routine, Context};
    return PnpCall(PnpCollectAndCall, &Call);
}

/* [WDK "Handling IRP_MN_SET_POWER for Device Power States"] the bus driver sets the state of its device; those on the root and of the board are always on. */
NTSTATUS NTAPI PnpAnswerPower(PDEVICE_OBJECT Pdo, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    if (Stack->MinorFunction == IRP_MN_SET_POWER)
        (void)IoExchangePowerState(Pdo, Stack->Parameters.Power.Type, Stack->Parameters.Power.State);
    if (Stack->MinorFunction == IRP_MN_SET_POWER || Stack->MinorFunction == IRP_MN_QUERY_POWER)
        Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = Irp->IoStatus.Status;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

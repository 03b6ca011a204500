/* SPDX-License-Identifier: MIT
 * Starting devices, and what their drivers say of them afterwards. [WDK IRP_MN_START_DEVICE, IRP_MN_QUERY_PNP_DEVICE_STATE] */
#include "pnpp.h"
#include "ex.h"

VOID PnpSetProblem(PNP_NODE *Node, ULONG Problem, NTSTATUS Status)
{
    Node->Problem = Problem;
    if (Problem != 0)
        PnpTell(Node, "failed", Status);
}

static VOID PnpAfterStart(PNP_NODE *Node)
{
    Node->State = DeviceNodeStarted;
    Node->Problem = 0;
    PnpTell(Node, "started", STATUS_SUCCESS);
    (void)PnpQueryCapabilities(Node);
    PnpUpdateState(Node);
    if (Node->State == DeviceNodeStarted)
        PnpAsk(Node, PnpJobEnumerate);
}

/* With the resources that it has. */
static NTSTATUS PnpStartAssigned(PNP_NODE *Node)
{
    Node->State = DeviceNodeResourcesAssigned;
    NTSTATUS Status = PnpSendStart(Node);
    if (NT_SUCCESS(Status)) {
        PnpAfterStart(Node);
        return Status;
    }
    PnpSetProblem(Node, CM_PROB_FAILED_START, Status);
    PnpDropStack(Node);
    return Status;
}

/* *Moved: another made room, and is to be started again. */
static NTSTATUS PnpFindResources(PNP_NODE *Node, PNP_NODE **Moved)
{
    NTSTATUS Status = PnpAssignResources(Node);
    *Moved = Status == STATUS_CONFLICTING_ADDRESSES ? PnpRebalance(Node) : NULL;
    return *Moved != NULL ? STATUS_SUCCESS : Status;
}

NTSTATUS PnpStartNode(PNP_NODE *Node)
{
    PNP_NODE *Moved;
    NTSTATUS Status = PnpFindResources(Node, &Moved);
    if (!NT_SUCCESS(Status)) {
        PnpSetProblem(Node,
                      Status == STATUS_INVALID_PARAMETER ? CM_PROB_INVALID_DATA : CM_PROB_NORMAL_CONFLICT,
                      Status);
        PnpDropStack(Node);
        return Status;
    }
    if (Moved != NULL)
        (void)PnpStartAssigned(Moved);
    return PnpStartAssigned(Node);
}

/* [WDK IRP_MN_QUERY_PNP_DEVICE_STATE] a device that failed or is disabled loses its stack; one that needs other resources is started anew. */
VOID PnpUpdateState(PNP_NODE *Node)
{
    if (Node->State != DeviceNodeStarted)
        return;
    Node->DeviceState = PnpQueryDeviceState(Node);
    if (Node->DeviceState & PNP_DEVICE_REMOVED)
        PnpSurpriseRemove(Node);
    else if (Node->DeviceState & PNP_DEVICE_FAILED)
        PnpRemoveStacks(Node, Node->DeviceState & PNP_DEVICE_RESOURCE_REQUIREMENTS_CHANGED
                                  ? 0
                                  : CM_PROB_FAILED_POST_START);
    else if (Node->DeviceState & PNP_DEVICE_DISABLED)
        PnpRemoveStacks(Node, CM_PROB_HARDWARE_DISABLED);
    else if (Node->DeviceState & PNP_DEVICE_RESOURCE_REQUIREMENTS_CHANGED)
        PnpRestart(Node);
}

/* [WDK "Stopping a Device to Rebalance Resources"] STATUS_UNSUCCESSFUL: a driver does not agree, or files are open that it does not hold requests for. */
NTSTATUS PnpQueryStop(PNP_NODE *Node)
{
    NTSTATUS Status = PnpSend(Node, IRP_MN_QUERY_STOP_DEVICE);
    if (NT_SUCCESS(Status)) {
        Node->State = DeviceNodeQueryStopped;
        return STATUS_SUCCESS;
    }
    (void)PnpSend(Node, IRP_MN_CANCEL_STOP_DEVICE);
    return STATUS_UNSUCCESSFUL;
}

VOID PnpAskRequirementsAgain(PNP_NODE *Node)
{
    if (Node->Requirements != NULL)
        ExFreePool(Node->Requirements);
    Node->Requirements = NULL;
    if (!NT_SUCCESS(PnpQueryRequirements(Node, &Node->Requirements)))
        Node->Requirements = NULL;
}

/* Stopped and started with the resources that it needs now. */
VOID PnpRestart(PNP_NODE *Node)
{
    if (!NT_SUCCESS(PnpQueryStop(Node))) {
        Node->State = DeviceNodeStarted;
        return;
    }
    (void)PnpSend(Node, IRP_MN_STOP_DEVICE);
    Node->State = DeviceNodeStopped;
    PnpTell(Node, "stopped", STATUS_SUCCESS);
    PnpReleaseResources(Node);
    PnpAskRequirementsAgain(Node);
    (void)PnpStartNode(Node);
}

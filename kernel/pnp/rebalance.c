/* SPDX-License-Identifier: MIT
 * A device cannot have what it needs, but could if another, which is started, had something else: that one is stopped and started again elsewhere, if its
 * drivers agree. Nobody is asked before it is known that it would help. One device makes room at most (D-215).
 * [WDK "Stopping a Device to Rebalance Resources", IRP_MN_QUERY_STOP_DEVICE, IRP_MN_STOP_DEVICE] In the PnP thread. */
#include "resources.h"

/* Stopped, on its new place; its drivers have heard that it moves. */
static NTSTATUS PnpMove(PNP_NODE *Other, PNP_HELD *Held)
{
    NTSTATUS Status = PnpQueryStop(Other);
    if (!NT_SUCCESS(Status)) {
        Other->State = DeviceNodeStarted;
        return Status;
    }
    (void)PnpSend(Other, IRP_MN_STOP_DEVICE);
    Other->State = DeviceNodeStopped;
    PnpTell(Other, "stopped", STATUS_SUCCESS);
    PnpForget(Held);
    PnpShowResources(Other);
    return STATUS_SUCCESS;
}

static BOOLEAN PnpCanMakeRoom(PNP_NODE *Node, PNP_NODE *Other)
{
    PNP_HELD Held;
    PnpSetAside(Other, &Held);
    if (NT_SUCCESS(PnpChooseResources(Node))) {
        if (NT_SUCCESS(PnpChooseResources(Other)) && NT_SUCCESS(PnpMove(Other, &Held)))
            return TRUE;
        PnpReleaseResources(Node);
    }
    PnpTakeBack(Other, &Held);
    return FALSE;
}

static BOOLEAN PnpMayMove(const PNP_NODE *Other)
{
    return Other->State == DeviceNodeStarted && Other->Requirements != NULL && Other->Resources != NULL &&
           IsListEmpty(&Other->Children);
}

PNP_NODE *PnpRebalance(PNP_NODE *Node)
{
    for (PNP_NODE *Other = PnpRoot; Other != NULL; Other = PnpNextDown(Other, PnpRoot)) {
        if (Other != Node && PnpMayMove(Other) && PnpCanMakeRoom(Node, Other)) {
            PnpShowResources(Node);
            return Other;
        }
    }
    return NULL;
}

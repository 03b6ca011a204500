/* SPDX-License-Identifier: MIT
 * The beginning and the end of the device tree. */
#include "pnpp.h"

VOID PnpInitSystem(VOID)
{
    PnpInitTree();
    PnpInitResources();
    PnpInitWatches();
    PnpMakeRoot();
    PnpMakeAcpi();
    PnpStartThread();
}

VOID PnpStartDevices(VOID)
{
    PnpAsk(PnpRoot, PnpJobEnumerate);
    PnpWaitIdle();
}

VOID PnpFilesClosed(PDEVICE_OBJECT Pdo)
{
    PnpAsk(PnpNodeOf(Pdo), PnpJobClosed);
}

/* Each device below the root is asked; one that refuses stays, and is told. */
static NTSTATUS PnpRemoveAll(PVOID Context)
{
    for (PNP_NODE *Node = PnpFirstChild(PnpRoot), *Next; Node != NULL; Node = Next) {
        Next = PnpNextSibling(Node);
        if (Node->State != DeviceNodeStarted)
            continue;
        if (NT_SUCCESS(PnpQueryRemove(Node)))
            PnpRemoveStacks(Node, CM_PROB_SYSTEM_SHUTDOWN);
        else
            PnpTell(Node, "not removed", STATUS_UNSUCCESSFUL);
    }
    return STATUS_SUCCESS;
}

VOID PnpRemoveDevices(VOID)
{
    PnpWaitIdle();
    (void)PnpCall(PnpRemoveAll, NULL);
}

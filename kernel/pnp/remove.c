/* SPDX-License-Identifier: MIT
 * Removing devices: after asking, because they have vanished, or because they failed; what lies below goes first.
 * [WDK "Removing a Device", IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_SURPRISE_REMOVAL, IRP_MN_REMOVE_DEVICE] */
#include "pnpp.h"
#include "ex.h"

#define PNP_MOST_DRIVERS 32u

static BOOLEAN PnpHasStack(const PNP_NODE *Node)
{
    return Node->State >= DeviceNodeDriversAdded && Node->State < DeviceNodeRemoved;
}

/* --- the end of a stack: its drivers may go with it --- */

typedef struct _PNP_DRIVERS {
    ULONG Count;
    PDRIVER_OBJECT Drivers[PNP_MOST_DRIVERS]; /* referenced */
} PNP_DRIVERS;

static VOID PnpCollectDrivers(PNP_NODE *Node, PNP_DRIVERS *List)
{
    PDEVICE_OBJECT Device = IoGetAttachedDeviceReference(Node->Pdo);
    List->Count = 0;
    while (Device != NULL) {
        PDEVICE_OBJECT Lower = IoGetLowerDeviceObject(Device);
        if (Device != Node->Pdo && List->Count < PNP_MOST_DRIVERS) {
            ObfReferenceObject(Device->DriverObject);
            List->Drivers[List->Count++] = Device->DriverObject;
        }
        ObfDereferenceObject(Device);
        Device = Lower;
    }
}

static VOID PnpReleaseDrivers(PNP_DRIVERS *List)
{
    while (List->Count != 0) {
        PDRIVER_OBJECT Driver = List->Drivers[--List->Count];
        IoUnloadIdleDriver(Driver);
        ObfDereferenceObject(Driver);
    }
}

/* [WDK IRP_MN_REMOVE_DEVICE] each driver has detached and deleted its device when the request is done. */
static VOID PnpCheckDetached(const PNP_NODE *Node)
{
    PDEVICE_OBJECT Top = IoGetAttachedDevice(Node->Pdo);
    if (Top == Node->Pdo)
        return;
    KeBugCheckBlaming(Top->DriverObject->DriverInit, DRIVER_VERIFIER_DETECTED_VIOLATION,
                      PNP_RULE_NOT_DETACHED, (ULONG_PTR)Top, (ULONG_PTR)Node->Pdo, 0,
                      "a driver has left its device attached after IRP_MN_REMOVE_DEVICE");
}

/* The node keeps its place, without a stack. */
VOID PnpDropStack(PNP_NODE *Node)
{
    PNP_DRIVERS Drivers;
    PnpCollectDrivers(Node, &Drivers);
    Node->State = DeviceNodeRemoved;
    (void)PnpSend(Node, IRP_MN_REMOVE_DEVICE);
    PnpCheckDetached(Node);
    IoReportEnabledInterfaces(Node->Pdo);
    PnpReleaseResources(Node);
    PnpReleaseDrivers(&Drivers);
}

/* --- the end of a node --- */

/* [WDK Bug Check 0xCA] 5: a PDO is deleted while the device is there. Its bus driver may do that when it reports it no more, or goes itself.
 * [WDK IRP_MN_REMOVE_DEVICE] No other driver ever may. */
VOID PnpDeviceDeleted(PDEVICE_OBJECT Device)
{
    if (IoGetDeviceNode(Device) == NULL)
        return;
    const PNP_NODE *Node = PnpNodeOf(Device);
    if (Node->Reported && Node->State != DeviceNodeDeleted && Node->Parent != NULL)
        KeBugCheckBlaming(NULL, PNP_DETECTED_FATAL_ERROR, 5, (ULONG_PTR)Device, 0, 0,
                          "a PDO was deleted whose device is still there");
}

static VOID PnpDeleteNode(PNP_NODE *Node)
{
    Node->State = DeviceNodeDeleted;
    IoForgetInterfaces(Node->Pdo);
    PnpUnlinkNode(Node);
}

/* Children of a bus whose stack goes are not reported any more by anybody. */
VOID PnpRemoveStacks(PNP_NODE *Top, ULONG Problem)
{
    for (PNP_NODE *Node = PnpDeepest(Top), *Next; Node != NULL; Node = Next) {
        Next = PnpNextUp(Node, Top);
        PnpTell(Node, "removed", STATUS_SUCCESS);
        if (PnpHasStack(Node) || !Node->Reported)
            PnpDropStack(Node);
        if (Node != Top)
            PnpDeleteNode(Node);
    }
    Top->Problem = Problem;
    if (Top->Reported)
        return;
    PNP_NODE *Bus = Top->Parent;
    PnpDeleteNode(Top);
    PnpAsk(Bus, PnpJobEnumerate); /* a device of the same name may wait */
}

/* --- asking --- */

static ULONG PnpCountFiles(PNP_NODE *Top)
{
    ULONG Count = 0;
    for (PNP_NODE *Node = PnpDeepest(Top); Node != NULL; Node = PnpNextUp(Node, Top))
        Count += IoCountStackFiles(Node->Pdo);
    return Count;
}

/* Those that were asked, and the one that refused, hear that nothing comes of it: from the top down. */
static VOID PnpCancelRemove(PNP_NODE *Top)
{
    for (PNP_NODE *Node = Top; Node != NULL; Node = PnpNextDown(Node, Top)) {
        if (Node->State != DeviceNodeQueryRemoved)
            continue;
        (void)PnpSend(Node, IRP_MN_CANCEL_REMOVE_DEVICE);
        Node->State = DeviceNodeStarted;
        PnpNotifyTarget(Node, &GUID_TARGET_DEVICE_REMOVE_CANCELLED);
    }
}

static NTSTATUS PnpAskTree(PNP_NODE *Top)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (PNP_NODE *Node = PnpDeepest(Top); NT_SUCCESS(Status) && Node != NULL; Node = PnpNextUp(Node, Top)) {
        if (Node->State != DeviceNodeStarted)
            continue;
        Status = PnpSend(Node, IRP_MN_QUERY_REMOVE_DEVICE);
        Node->State = DeviceNodeQueryRemoved;
        if (!NT_SUCCESS(Status))
            PnpTell(Node, "refuses to be removed", Status);
    }
    return Status;
}

NTSTATUS PnpQueryRemove(PNP_NODE *Top)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (PNP_NODE *Node = PnpDeepest(Top); NT_SUCCESS(Status) && Node != NULL; Node = PnpNextUp(Node, Top)) {
        if (Node->DeviceState & PNP_DEVICE_NOT_DISABLEABLE)
            Status = STATUS_UNSUCCESSFUL;
        else
            Status = PnpNotifyTarget(Node, &GUID_TARGET_DEVICE_QUERY_REMOVE);
    }
    if (NT_SUCCESS(Status))
        Status = PnpAskTree(Top);
    if (NT_SUCCESS(Status) && PnpCountFiles(Top) == 0)
        return STATUS_SUCCESS;
    PnpCancelRemove(Top);
    return STATUS_UNSUCCESSFUL;
}

VOID PnpEject(PNP_NODE *Node)
{
    /* one without drivers has nobody to ask */
    BOOLEAN May = Node->State == DeviceNodeStarted ? NT_SUCCESS(PnpQueryRemove(Node)) : !PnpHasStack(Node);
    if (!May) {
        PnpTell(Node, "not ejected", STATUS_UNSUCCESSFUL);
        return;
    }
    PNP_NODE *Bus = Node->Parent;
    PDEVICE_OBJECT Pdo = Node->Pdo;
    ObfReferenceObject(Pdo);
    PnpRemoveStacks(Node, CM_PROB_HELD_FOR_EJECT);
    (void)PnpSend(Node, IRP_MN_EJECT);
    ObfDereferenceObject(Pdo);
    PnpAsk(Bus, PnpJobEnumerate);
}

/* --- it is gone already --- */

VOID PnpSurpriseRemove(PNP_NODE *Top)
{
    for (PNP_NODE *Node = PnpDeepest(Top); Node != NULL; Node = PnpNextUp(Node, Top)) {
        if (!PnpHasStack(Node))
            continue;
        PnpTell(Node, "surprise-removed", STATUS_SUCCESS);
        (void)PnpSend(Node, IRP_MN_SURPRISE_REMOVAL);
        Node->State = DeviceNodeRemovePendingCloses;
        IoCloseStack(Node->Pdo);
        PnpNotifyTarget(Node, &GUID_TARGET_DEVICE_REMOVE_COMPLETE);
    }
    PnpFinishRemoval(Top);
}

/* The node of a device that vanished while it had files is removed with the last of them; the topmost that waits is what counts. */
VOID PnpFinishRemoval(PNP_NODE *Node)
{
    if (Node->State != DeviceNodeRemovePendingCloses)
        return;
    while (Node->Parent->State == DeviceNodeRemovePendingCloses)
        Node = Node->Parent;
    if (PnpCountFiles(Node) != 0)
        return;
    PnpRemoveStacks(Node, 0);
}

VOID PnpVanish(PNP_NODE *Node)
{
    Node->Reported = FALSE;
    if (Node->State == DeviceNodeStarted || Node->State == DeviceNodeStopped)
        PnpSurpriseRemove(Node);
    else if (Node->State != DeviceNodeRemovePendingCloses)
        PnpRemoveStacks(Node, 0);
}

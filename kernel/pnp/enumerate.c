/* SPDX-License-Identifier: MIT
 * Which children a device has: its bus driver tells. [WDK IRP_MN_QUERY_DEVICE_RELATIONS, Bug Check 0xCA] */
#include "pnpp.h"
#include "ex.h"

static DECLSPEC_NORETURN VOID PnpBadPdo(const PNP_NODE *Bus, ULONG Code, PDEVICE_OBJECT Pdo, PCSTR Text)
{
    PDEVICE_OBJECT Top = IoGetAttachedDevice(Bus->Pdo);
    KeBugCheckBlaming(Top->DriverObject->DriverInit, PNP_DETECTED_FATAL_ERROR, Code, (ULONG_PTR)Pdo,
                      (ULONG_PTR)Top->DriverObject, 0, Text);
}

/* The relations hold a reference of each device, which the tree takes over or which is given back. */
static NTSTATUS PnpNoteChild(PNP_NODE *Bus, PDEVICE_OBJECT Pdo)
{
    if (Pdo == NULL || !MmIsAddressValid(Pdo) || Pdo->Type != IO_TYPE_DEVICE)
        PnpBadPdo(Bus, 2, Pdo, "a bus driver has reported something as a device that is none");
    IO_DEVICE_NODE *Known = IoGetDeviceNode(Pdo);
    if (Known != NULL) {
        PNP_NODE *Child = PnpNodeOf(Pdo);
        if (Child->Parent != Bus)
            PnpBadPdo(Bus, 4, Pdo,
                      "a bus driver has reported a device that it had deleted or that is another's");
        Child->Found = TRUE;
        ObfDereferenceObject(Pdo);
        return STATUS_SUCCESS;
    }
    PNP_NODE *Child = PnpMakeNode(Pdo);
    if (Child == NULL) {
        ObfDereferenceObject(Pdo);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Child->Found = Child->Reported = TRUE;
    Pdo->Flags |= DO_BUS_ENUMERATED_DEVICE;
    PnpLinkNode(Bus, Child);
    return STATUS_SUCCESS;
}

static VOID PnpNoteChildren(PNP_NODE *Bus, const DEVICE_RELATIONS *Relations)
{
    for (PNP_NODE *Child = PnpFirstChild(Bus); Child != NULL; Child = PnpNextSibling(Child))
        Child->Found = FALSE;
    for (ULONG i = 0; i < Relations->Count; i++) {
        if (!NT_SUCCESS(PnpNoteChild(Bus, Relations->Objects[i])))
            PnpTell(Bus, "enumeration ran out of memory", STATUS_INSUFFICIENT_RESOURCES);
    }
}

/* One that vanished; its removal may take more of the tree with it. */
static PNP_NODE *PnpFindVanished(PNP_NODE *Bus)
{
    for (PNP_NODE *Child = PnpFirstChild(Bus); Child != NULL; Child = PnpNextSibling(Child))
        if (Child->Reported && !Child->Found)
            return Child;
    return NULL;
}

static NTSTATUS PnpIntroduce(PNP_NODE *Node)
{
    if (Node->State != DeviceNodeUninitialized)
        return STATUS_SUCCESS;
    NTSTATUS Status = PnpIdentify(Node);
    if (!NT_SUCCESS(Status) &&
        Status != STATUS_DEVICE_BUSY) /* else it is tried again when its last life is over */
        PnpSetProblem(Node, CM_PROB_INVALID_DATA, Status);
    return Status;
}

VOID PnpBringUp(PNP_NODE *Node)
{
    if (Node->Problem != 0 || !Node->Reported)
        return;
    NTSTATUS Status = PnpIntroduce(Node);
    if (!NT_SUCCESS(Status))
        return;
    if (Node->State == DeviceNodeInitialized)
        Status = PnpBuildStack(Node);
    if (NT_SUCCESS(Status) && Node->State == DeviceNodeDriversAdded)
        (void)PnpStartNode(Node);
}

/* [WDK IoInvalidateDeviceRelations] nothing is lost when a device cannot be asked now: it is when it has been started. */
VOID PnpEnumerateNode(PNP_NODE *Node)
{
    PDEVICE_RELATIONS Relations;
    PNP_NODE *Vanished;
    if (Node->State != DeviceNodeStarted || !NT_SUCCESS(PnpQueryRelations(Node, BusRelations, &Relations)))
        return;
    PnpNoteChildren(Node, Relations);
    ExFreePool(Relations);
    while ((Vanished = PnpFindVanished(Node)) != NULL)
        PnpVanish(Vanished);
    for (PNP_NODE *Child = PnpFirstChild(Node); Child != NULL; Child = PnpNextSibling(Child))
        if (Child->Problem == 0)
            (void)PnpIntroduce(
                Child); /* all keep what the firmware gave them, before the first is given anything */
    for (PNP_NODE *Child = PnpFirstChild(Node); Child != NULL; Child = PnpNextSibling(Child))
        PnpBringUp(Child);
}

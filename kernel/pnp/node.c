/* SPDX-License-Identifier: MIT
 * Device nodes and their tree. The tree has a reference of each PDO in it; a node goes with its PDO. */
#include "pnpp.h"
#include "ex.h"

PNP_NODE *PnpRoot;
static KGUARDED_MUTEX PnpTreeLock;

VOID PnpInitTree(VOID)
{
    KeInitializeGuardedMutex(&PnpTreeLock);
}

VOID PnpLockTree(VOID)
{
    KeAcquireGuardedMutex(&PnpTreeLock);
}

VOID PnpUnlockTree(VOID)
{
    KeReleaseGuardedMutex(&PnpTreeLock);
}

static VOID PnpFreeIfAny(PVOID Memory)
{
    if (Memory != NULL)
        ExFreePool(Memory);
}

VOID PnpFreeNode(IO_DEVICE_NODE *Io)
{
    PNP_NODE *Node = CONTAINING_RECORD(Io, PNP_NODE, Io);
    ObFreeName(&Node->Io.InstancePath);
    ObFreeName(&Node->Io.DriverKey);
    PnpFreeIfAny(Node->Requirements);
    PnpFreeIfAny(Node->BootResources);
    PnpFreeIfAny(Node->Resources);
    PnpFreeIfAny(Node->Translated);
    ExFreePoolWithTag(Node, PNP_TAG_NODE);
}

PNP_NODE *PnpMakeNode(PDEVICE_OBJECT Pdo)
{
    PNP_NODE *Node = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Node), PNP_TAG_NODE);
    if (Node == NULL)
        return NULL;
    Node->Pdo = Pdo;
    Node->State = DeviceNodeUninitialized;
    InitializeListHead(&Node->Children);
    InitializeListHead(&Node->Sibling);
    for (ULONG Kind = 0; Kind < PnpJobKinds; Kind++)
        Node->Jobs[Kind].Kind = (PNP_JOB_KIND)Kind;
    return Node;
}

VOID PnpLinkNode(PNP_NODE *Parent, PNP_NODE *Node)
{
    Node->Level = Parent->Level + 1;
    PnpLockTree();
    Node->Parent = Parent;
    InsertTailList(&Parent->Children, &Node->Sibling);
    PnpUnlockTree();
    IoSetDeviceNode(Node->Pdo, &Node->Io);
}

VOID PnpUnlinkNode(PNP_NODE *Node)
{
    NT_CHECK(IsListEmpty(&Node->Children));
    PnpLockTree();
    RemoveEntryList(&Node->Sibling);
    InitializeListHead(&Node->Sibling);
    Node->Parent = NULL;
    PnpUnlockTree();
    ObfDereferenceObject(Node->Pdo);
}

PNP_NODE *PnpFirstChild(PNP_NODE *Node)
{
    return IsListEmpty(&Node->Children) ? NULL : CONTAINING_RECORD(Node->Children.Flink, PNP_NODE, Sibling);
}

PNP_NODE *PnpNextSibling(PNP_NODE *Node)
{
    if (Node->Parent == NULL || Node->Sibling.Flink == &Node->Parent->Children)
        return NULL;
    return CONTAINING_RECORD(Node->Sibling.Flink, PNP_NODE, Sibling);
}

PNP_NODE *PnpDeepest(PNP_NODE *Top)
{
    for (PNP_NODE *Child; (Child = PnpFirstChild(Top)) != NULL;)
        Top = Child;
    return Top;
}

PNP_NODE *PnpNextUp(PNP_NODE *Node, const PNP_NODE *Top)
{
    if (Node == Top)
        return NULL;
    PNP_NODE *Next = PnpNextSibling(Node);
    return Next != NULL ? PnpDeepest(Next) : Node->Parent;
}

PNP_NODE *PnpNextDown(PNP_NODE *Node, const PNP_NODE *Top)
{
    PNP_NODE *Next = PnpFirstChild(Node);
    while (Next == NULL && Node != Top) {
        Next = PnpNextSibling(Node);
        Node = Node->Parent;
    }
    return Next;
}

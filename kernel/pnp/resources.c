/* SPDX-License-Identifier: MIT
 * The resources of a device: it says what it needs, in lists of alternatives; the first that can be had whole is given. Claims lie in one list for each kind
 * of resource. What a driver says is checked before it is used. In the PnP thread. [WDK IO_RESOURCE_REQUIREMENTS_LIST, IO_RESOURCE_DESCRIPTOR,
 * CM_RESOURCE_LIST] */
#include "resources.h"
#include "ex.h"
#include "hal.h"
#include "ntbox/interrupt_resource.h"

#define PNP_KINDS (CmResourceTypeBusNumber + 1)

static LIST_ENTRY PnpClaims[PNP_KINDS]; /* by CmResourceType; (p) */

VOID PnpInitResources(VOID)
{
    for (ULONG Type = 0; Type < PNP_KINDS; Type++)
        InitializeListHead(&PnpClaims[Type]);
}

/* --- claims --- */

NTSTATUS PnpClaim(UCHAR Type, const PNP_RANGE *Range)
{
    PNP_RANGE *Copy = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Copy), PNP_TAG_RESOURCE);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Copy = *Range;
    InsertTailList(&PnpClaims[Type], &Copy->Entry);
    return STATUS_SUCCESS;
}

/* A bridge's, for what lies behind it. [WDK CM_PARTIAL_RESOURCE_DESCRIPTOR] */
static BOOLEAN PnpIsWindow(UCHAR Type, USHORT Flags)
{
    return (Type == CmResourceTypePort && (Flags & CM_RESOURCE_PORT_WINDOW_DECODE)) ||
           (Type == CmResourceTypeMemory && (Flags & CM_RESOURCE_MEMORY_WINDOW_DECODE));
}

static BOOLEAN PnpIsBehind(const void *Asker, const void *Owner)
{
    const PNP_NODE *Node = Asker;
    do
        Node = Node->Parent;
    while (Node != NULL && Node != Owner);
    return Node != NULL;
}

BOOLEAN PnpIsFree(UCHAR Type, const PNP_RANGE *Range)
{
    for (PLIST_ENTRY E = PnpClaims[Type].Flink; E != &PnpClaims[Type]; E = E->Flink) {
        const PNP_RANGE *Other = CONTAINING_RECORD(E, PNP_RANGE, Entry);
        if (Other->Window || Other->Owner == Range->Owner || (Other->Shared && Range->Shared))
            continue;
        if (Other->Start <= Range->End && Other->End >= Range->Start)
            return FALSE;
    }
    return TRUE;
}

VOID PnpUnclaimAll(const void *Owner)
{
    for (ULONG Type = 0; Type < PNP_KINDS; Type++) {
        for (PLIST_ENTRY E = PnpClaims[Type].Flink, Next; E != &PnpClaims[Type]; E = Next) {
            PNP_RANGE *Range = CONTAINING_RECORD(E, PNP_RANGE, Entry);
            Next = E->Flink;
            if (Range->Owner != Owner)
                continue;
            RemoveEntryList(E);
            ExFreePoolWithTag(Range, PNP_TAG_RESOURCE);
        }
    }
}

static VOID PnpReserve(PNP_NODE *Node, const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw)
{
    ULONG64 Start = (ULONG64)Raw->u.Generic.Start.QuadPart;
    PNP_RANGE Range = {.Start = Start,
                       .End = Start + Raw->u.Generic.Length - 1,
                       .Owner = Node,
                       .Window = PnpIsWindow(Raw->Type, Raw->Flags)};
    (void)PnpClaim(Raw->Type, &Range);
}

/* What the firmware gave it is kept for it, until it asks itself. */
VOID PnpReserveBootResources(PNP_NODE *Node)
{
    const CM_PARTIAL_RESOURCE_LIST *List =
        Node->BootResources != NULL ? &Node->BootResources->List[0].PartialResourceList : NULL;
    for (ULONG i = 0; List != NULL && Node->BootResources->Count != 0 && i < List->Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw = &List->PartialDescriptors[i];
        if ((Raw->Type == CmResourceTypePort || Raw->Type == CmResourceTypeMemory) &&
            Raw->u.Generic.Length != 0)
            PnpReserve(Node, Raw);
    }
}

/* --- one wish --- */

typedef struct _PNP_CHOICE {
    PNP_NODE *Node;
    PCM_PARTIAL_RESOURCE_LIST Raw, Translated; /* room for all; Count grows */
} PNP_CHOICE;

static NTSTATUS PnpGive(PNP_CHOICE *Choice, const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw)
{
    Choice->Raw->PartialDescriptors[Choice->Raw->Count++] = *Raw;
    return PnpTranslate(Raw, &Choice->Translated->PartialDescriptors[Choice->Translated->Count++]);
}

static NTSTATUS PnpTakeRange(PNP_CHOICE *Choice, const IO_RESOURCE_DESCRIPTOR *Wanted, const PNP_WISH *Wish,
                             PULONG64 Start)
{
    if (Wish->Length == 0 || Wish->Alignment == 0 || !ArbiterFind(&PnpClaims[Wanted->Type], Wish, Start))
        return STATUS_CONFLICTING_ADDRESSES;
    PNP_RANGE Range = {.Start = *Start,
                       .End = *Start + Wish->Length - 1,
                       .Owner = Choice->Node,
                       .Shared = Wish->Shared,
                       .Window = PnpIsWindow(Wanted->Type, Wanted->Flags)};
    return PnpClaim(Wanted->Type, &Range);
}

static NTSTATUS PnpTakeAddresses(PNP_CHOICE *Choice, const IO_RESOURCE_DESCRIPTOR *Wanted,
                                 CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw)
{
    ULONG64 Start;
    PNP_WISH Wish = {Wanted->u.Generic.Length,
                     max(Wanted->u.Generic.Alignment, 1u),
                     (ULONG64)Wanted->u.Generic.MinimumAddress.QuadPart,
                     (ULONG64)Wanted->u.Generic.MaximumAddress.QuadPart,
                     Wanted->ShareDisposition == CmResourceShareShared,
                     Choice->Node,
                     PnpIsBehind};
    NTSTATUS Status = PnpTakeRange(Choice, Wanted, &Wish, &Start);
    if (!NT_SUCCESS(Status))
        return Status;
    Raw->u.Generic.Start.QuadPart = (LONGLONG)Start;
    Raw->u.Generic.Length = Wanted->u.Generic.Length;
    return PnpGive(Choice, Raw);
}

/* [WDK "Interrupt Affinity and Priority"] of the processors that are there; if none of those that are named is, all. */
static KAFFINITY PnpTargets(const IO_RESOURCE_DESCRIPTOR *Wanted)
{
    const NTBOX_INTERRUPT_REQUIREMENT *Interrupt = NTBOX_INTERRUPT_OF(Wanted);
    KAFFINITY All = KeQueryActiveProcessors();
    if (!(Wanted->Flags & CM_RESOURCE_INTERRUPT_POLICY_INCLUDED) ||
        Interrupt->AffinityPolicy != IrqPolicySpecifiedProcessors)
        return All;
    return (Interrupt->TargetedProcessors & All) != 0 ? Interrupt->TargetedProcessors & All : All;
}

static NTSTATUS PnpTakeLine(PNP_CHOICE *Choice, const IO_RESOURCE_DESCRIPTOR *Wanted,
                            CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw)
{
    ULONG64 Line;
    PNP_WISH Wish = {1,
                     1,
                     Wanted->u.Interrupt.MinimumVector,
                     Wanted->u.Interrupt.MaximumVector,
                     Wanted->ShareDisposition == CmResourceShareShared,
                     Choice->Node,
                     PnpIsBehind};
    NTSTATUS Status = PnpTakeRange(Choice, Wanted, &Wish, &Line);
    if (!NT_SUCCESS(Status))
        return Status;
    Raw->u.Interrupt.Level = Raw->u.Interrupt.Vector = (ULONG)Line;
    Raw->u.Interrupt.Affinity = PnpTargets(Wanted);
    return PnpGive(Choice, Raw);
}

static BOOLEAN PnpIsMessage(const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw)
{
    return Raw->Type == CmResourceTypeInterrupt && (Raw->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) != 0;
}

/* Each descriptor of a device's messages is one processor further, round the set. */
static KAFFINITY PnpNextTarget(const PNP_CHOICE *Choice, KAFFINITY Targets)
{
    ULONG Skip = 0;
    for (ULONG i = 0; i < Choice->Raw->Count; i++)
        Skip += PnpIsMessage(&Choice->Raw->PartialDescriptors[i]);
    for (Skip %= (ULONG)__builtin_popcountll(Targets); Skip != 0; Skip--)
        Targets &= Targets - 1;
    return Targets & -Targets;
}

/* [WDK "Using Interrupt Resource Descriptors"] the range of vectors says how many messages; which vectors they are is the system's choice. */
static NTSTATUS PnpTakeMessages(PNP_CHOICE *Choice, const IO_RESOURCE_DESCRIPTOR *Wanted,
                                CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw)
{
    ULONG Count = Wanted->u.Interrupt.MaximumVector - Wanted->u.Interrupt.MinimumVector + 1;
    UCHAR Vector = Count != 0 ? HalAllocateMessages(Count) : 0;
    if (Vector == 0)
        return STATUS_CONFLICTING_ADDRESSES;
    Raw->u.MessageInterrupt.Raw.MessageCount = (USHORT)Count;
    Raw->u.MessageInterrupt.Raw.Vector = Vector;
    Raw->u.MessageInterrupt.Raw.Affinity = PnpNextTarget(Choice, PnpTargets(Wanted));
    return PnpGive(Choice, Raw);
}

static NTSTATUS PnpTakeNumbers(PNP_CHOICE *Choice, const IO_RESOURCE_DESCRIPTOR *Wanted,
                               CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw)
{
    ULONG64 Start;
    BOOLEAN Bus = Wanted->Type == CmResourceTypeBusNumber;
    PNP_WISH Wish = {Bus ? Wanted->u.BusNumber.Length : 1,
                     1,
                     Bus ? Wanted->u.BusNumber.MinBusNumber : Wanted->u.Dma.MinimumChannel,
                     Bus ? Wanted->u.BusNumber.MaxBusNumber : Wanted->u.Dma.MaximumChannel,
                     Wanted->ShareDisposition == CmResourceShareShared,
                     Choice->Node,
                     PnpIsBehind};
    NTSTATUS Status = PnpTakeRange(Choice, Wanted, &Wish, &Start);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Bus)
        Raw->u.BusNumber.Start = (ULONG)Start, Raw->u.BusNumber.Length = Wanted->u.BusNumber.Length;
    else
        Raw->u.Dma.Channel = (ULONG)Start;
    return PnpGive(Choice, Raw);
}

static NTSTATUS PnpTake(PNP_CHOICE *Choice, const IO_RESOURCE_DESCRIPTOR *Wanted)
{
    CM_PARTIAL_RESOURCE_DESCRIPTOR Raw = {
        Wanted->Type, Wanted->ShareDisposition, Wanted->Flags, {{{{0}}, 0}}};
    switch (Wanted->Type) {
    case CmResourceTypePort:
    case CmResourceTypeMemory:
        return PnpTakeAddresses(Choice, Wanted, &Raw);
    case CmResourceTypeInterrupt:
        return Wanted->Flags & CM_RESOURCE_INTERRUPT_MESSAGE ? PnpTakeMessages(Choice, Wanted, &Raw)
                                                             : PnpTakeLine(Choice, Wanted, &Raw);
    case CmResourceTypeDma:
    case CmResourceTypeBusNumber:
        return PnpTakeNumbers(Choice, Wanted, &Raw);
    case CmResourceTypeDevicePrivate:
        RtlCopyMemory(Raw.u.DevicePrivate.Data, Wanted->u.DevicePrivate.Data,
                      sizeof(Raw.u.DevicePrivate.Data));
        return PnpGive(Choice, &Raw);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

/* --- lists --- */

/* [WDK IO_RESOURCE_DESCRIPTOR] a descriptor and the alternatives behind it: the preferred ones are tried first. *Next is behind them. */
static NTSTATUS PnpTakeGroup(PNP_CHOICE *Choice, const IO_RESOURCE_LIST *List, ULONG First, PULONG Next)
{
    NTSTATUS Status = STATUS_CONFLICTING_ADDRESSES;
    ULONG End = First + 1;
    while (End < List->Count && (List->Descriptors[End].Option & IO_RESOURCE_ALTERNATIVE))
        End++;
    *Next = End;
    for (ULONG i = First; !NT_SUCCESS(Status) && i < End; i++) {
        if (List->Descriptors[i].Option & IO_RESOURCE_PREFERRED)
            Status = PnpTake(Choice, &List->Descriptors[i]);
    }
    for (ULONG i = First; !NT_SUCCESS(Status) && i < End; i++) {
        if (!(List->Descriptors[i].Option & IO_RESOURCE_PREFERRED))
            Status = PnpTake(Choice, &List->Descriptors[i]);
    }
    return Status;
}

static NTSTATUS PnpTakeList(PNP_CHOICE *Choice, const IO_RESOURCE_LIST *List)
{
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG i = 0; NT_SUCCESS(Status) && i < List->Count;) {
        if (List->Descriptors[i].Type == CmResourceTypeConfigData ||
            List->Descriptors[i].Type == CmResourceTypeNull)
            i++; /* for whoever sorts the lists */
        else
            Status = PnpTakeGroup(Choice, List, i, &i);
    }
    return Status;
}

static PCM_RESOURCE_LIST PnpMakeList(const IO_RESOURCE_REQUIREMENTS_LIST *Requirements, ULONG Count)
{
    SIZE_T Size = sizeof(CM_RESOURCE_LIST) + Count * sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR);
    PCM_RESOURCE_LIST List = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, PNP_TAG_RESOURCE);
    if (List == NULL)
        return NULL;
    List->Count = 1;
    List->List[0].InterfaceType = Requirements->InterfaceType;
    List->List[0].BusNumber = Requirements->BusNumber;
    List->List[0].PartialResourceList.Version = 1;
    List->List[0].PartialResourceList.Revision = 1;
    return List;
}

static NTSTATUS PnpTryList(PNP_NODE *Node, const IO_RESOURCE_LIST *List)
{
    Node->Resources = PnpMakeList(Node->Requirements, List->Count);
    Node->Translated = PnpMakeList(Node->Requirements, List->Count);
    if (Node->Resources == NULL || Node->Translated == NULL) {
        PnpReleaseResources(Node);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PNP_CHOICE Choice = {Node, &Node->Resources->List[0].PartialResourceList,
                         &Node->Translated->List[0].PartialResourceList};
    NTSTATUS Status = PnpTakeList(&Choice, List);
    if (!NT_SUCCESS(Status))
        PnpReleaseResources(Node);
    return Status;
}

/* The next alternative list inside the whole; NULL: it does not lie in it. */
static const IO_RESOURCE_LIST *PnpListAt(const IO_RESOURCE_REQUIREMENTS_LIST *Whole, ULONG Offset,
                                         PULONG Next)
{
    const IO_RESOURCE_LIST *List = (const IO_RESOURCE_LIST *)((const UCHAR *)Whole + Offset);
    if (Offset > Whole->ListSize || Whole->ListSize - Offset < FIELD_OFFSET(IO_RESOURCE_LIST, Descriptors))
        return NULL;
    ULONG Room = Whole->ListSize - Offset - FIELD_OFFSET(IO_RESOURCE_LIST, Descriptors);
    if (List->Count > Room / sizeof(IO_RESOURCE_DESCRIPTOR))
        return NULL;
    *Next = Offset + FIELD_OFFSET(IO_RESOURCE_LIST, Descriptors) +
            List->Count * (ULONG)sizeof(IO_RESOURCE_DESCRIPTOR);
    return List;
}

NTSTATUS PnpChooseResources(PNP_NODE *Node)
{
    NTSTATUS Status = STATUS_SUCCESS;
    const IO_RESOURCE_REQUIREMENTS_LIST *Whole = Node->Requirements;
    ULONG Offset = FIELD_OFFSET(IO_RESOURCE_REQUIREMENTS_LIST, List);
    PnpUnclaimAll(Node);
    for (ULONG i = 0; i < Whole->AlternativeLists; i++) {
        const IO_RESOURCE_LIST *List = PnpListAt(Whole, Offset, &Offset);
        if (List == NULL)
            return STATUS_INVALID_PARAMETER;
        Status = PnpTryList(Node, List);
        if (Status != STATUS_CONFLICTING_ADDRESSES)
            break;
    }
    return Status;
}

NTSTATUS PnpAssignResources(PNP_NODE *Node)
{
    PnpFilterRequirements(Node);
    if (Node->Requirements == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = PnpChooseResources(Node);
    if (NT_SUCCESS(Status))
        PnpShowResources(Node);
    return Status;
}

/* --- giving back --- */

static VOID PnpFreeMessages(const CM_PARTIAL_RESOURCE_LIST *List)
{
    for (ULONG i = 0; i < List->Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw = &List->PartialDescriptors[i];
        if (PnpIsMessage(Raw))
            HalFreeMessages((UCHAR)Raw->u.MessageInterrupt.Raw.Vector,
                            Raw->u.MessageInterrupt.Raw.MessageCount);
    }
}

static VOID PnpFreeList(PCM_RESOURCE_LIST *List)
{
    if (*List != NULL)
        ExFreePoolWithTag(*List, PNP_TAG_RESOURCE);
    *List = NULL;
}

VOID PnpReleaseResources(PNP_NODE *Node)
{
    if (Node->Resources != NULL)
        PnpFreeMessages(&Node->Resources->List[0].PartialResourceList);
    PnpUnclaimAll(Node);
    Node->Io.Raw = Node->Io.Translated = NULL;
    PnpFreeList(&Node->Resources);
    PnpFreeList(&Node->Translated);
}

/* What io looks for when an interrupt is connected. */
VOID PnpShowResources(PNP_NODE *Node)
{
    Node->Io.Raw = Node->Resources;
    Node->Io.Translated = Node->Translated;
}

/* --- while a place is looked for --- */

VOID PnpSetAside(PNP_NODE *Node, PNP_HELD *Held)
{
    *Held = (PNP_HELD){.Resources = Node->Resources, .Translated = Node->Translated};
    Node->Resources = Node->Translated = NULL;
    InitializeListHead(&Held->Claims);
    for (ULONG Type = 0; Type < PNP_KINDS; Type++) {
        for (PLIST_ENTRY E = PnpClaims[Type].Flink, Next; E != &PnpClaims[Type]; E = Next) {
            PNP_RANGE *Range = CONTAINING_RECORD(E, PNP_RANGE, Entry);
            Next = E->Flink;
            if (Range->Owner != Node)
                continue;
            RemoveEntryList(E);
            Range->Type = (UCHAR)Type;
            InsertTailList(&Held->Claims, E);
        }
    }
}

VOID PnpTakeBack(PNP_NODE *Node, PNP_HELD *Held)
{
    PnpReleaseResources(Node);
    Node->Resources = Held->Resources;
    Node->Translated = Held->Translated;
    while (!IsListEmpty(&Held->Claims)) {
        PLIST_ENTRY E = RemoveHeadList(&Held->Claims);
        InsertTailList(&PnpClaims[CONTAINING_RECORD(E, PNP_RANGE, Entry)->Type], E);
    }
    PnpShowResources(Node);
}

VOID PnpForget(PNP_HELD *Held)
{
    PnpFreeMessages(&Held->Resources->List[0].PartialResourceList);
    PnpFreeList(&Held->Resources);
    PnpFreeList(&Held->Translated);
    while (!IsListEmpty(&Held->Claims))
        ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Held->Claims), PNP_RANGE, Entry),
                          PNP_TAG_RESOURCE);
}

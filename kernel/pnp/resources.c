/* SPDX-License-Identifier: MIT
 * The resources of a device: what its firmware gave it is kept. [WDK "Hardware Resources"] */
#include "pnpp.h"
#include "ex.h"

/* One descriptor's data behind the partial list is counted by the descriptor itself. [WDK CM_PARTIAL_RESOURCE_DESCRIPTOR, CmResourceTypeDeviceSpecific] */
static ULONG PnpPartialLength(const CM_PARTIAL_RESOURCE_LIST *List)
{
    ULONG Length = FIELD_OFFSET(CM_PARTIAL_RESOURCE_LIST, PartialDescriptors);
    for (ULONG i = 0; i < List->Count; i++) {
        Length += sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR);
        if (List->PartialDescriptors[i].Type == CmResourceTypeDeviceSpecific)
            Length += List->PartialDescriptors[i].u.DeviceSpecificData.DataSize;
    }
    return Length;
}

ULONG PnpResourcesLength(const CM_RESOURCE_LIST *List)
{
    ULONG Length = FIELD_OFFSET(CM_RESOURCE_LIST, List);
    for (ULONG i = 0; i < List->Count; i++) {
        const CM_FULL_RESOURCE_DESCRIPTOR *Full = (const CM_FULL_RESOURCE_DESCRIPTOR *)((const UCHAR *)List + Length);
        Length += FIELD_OFFSET(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList) + PnpPartialLength(&Full->PartialResourceList);
    }
    return Length;
}

static VOID PnpFreeResources(PCM_RESOURCE_LIST *List)
{
    if (*List != NULL)
        ExFreePoolWithTag(*List, PNP_TAG_RESOURCE);
    *List = NULL;
}

VOID PnpReleaseResources(PNP_NODE *Node)
{
    PnpFreeResources(&Node->Resources);
    PnpFreeResources(&Node->Translated);
}

static NTSTATUS PnpCopyResources(const CM_RESOURCE_LIST *From, PCM_RESOURCE_LIST *To)
{
    ULONG Length = PnpResourcesLength(From);
    *To = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, PNP_TAG_RESOURCE);
    if (*To == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(*To, From, Length);
    return STATUS_SUCCESS;
}

NTSTATUS PnpAssignResources(PNP_NODE *Node)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PnpFilterRequirements(Node);
    if (Node->BootResources == NULL)
        return STATUS_SUCCESS;
    Status = PnpCopyResources(Node->BootResources, &Node->Resources);
    if (NT_SUCCESS(Status))
        Status = PnpCopyResources(Node->BootResources, &Node->Translated);
    if (!NT_SUCCESS(Status))
        PnpReleaseResources(Node);
    return Status;
}

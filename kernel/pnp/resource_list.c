/* SPDX-License-Identifier: MIT
 * How long a list of resources is. [WDK CM_RESOURCE_LIST, CM_PARTIAL_RESOURCE_DESCRIPTOR] */
#include "pnpp.h"

/* The data of a device-specific descriptor, which is the last one, lies behind the list and is counted by the descriptor. */
static ULONG PnpPartialLength(const CM_PARTIAL_RESOURCE_LIST *List)
{
    ULONG Length = FIELD_OFFSET(CM_PARTIAL_RESOURCE_LIST, PartialDescriptors) +
                   List->Count * (ULONG)sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR);
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Last = &List->PartialDescriptors[List->Count - 1];
    if (List->Count != 0 && Last->Type == CmResourceTypeDeviceSpecific)
        Length += Last->u.DeviceSpecificData.DataSize;
    return Length;
}

ULONG PnpResourcesLength(const CM_RESOURCE_LIST *List)
{
    ULONG Length = FIELD_OFFSET(CM_RESOURCE_LIST, List);
    for (ULONG i = 0; i < List->Count; i++) {
        const CM_FULL_RESOURCE_DESCRIPTOR *Full =
            (const CM_FULL_RESOURCE_DESCRIPTOR *)((const UCHAR *)List + Length);
        Length += FIELD_OFFSET(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList) +
                  PnpPartialLength(&Full->PartialResourceList);
    }
    return Length;
}

/* SPDX-License-Identifier: MIT
 * WmiFireEvent, and what makes the library an export driver. */
#include "wl.h"

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
NTSTATUS NTAPI DllUnload(VOID);

/* The kernel knows by this section that what goes wrong in here is the fault of who calls (ImIsLibraryAddress). */
__attribute__((section(".ntboxlb"), used)) static const UCHAR WlIsLibrary = 1;

static WNODE_SINGLE_INSTANCE *WlMakeEvent(PDEVICE_OBJECT Device, LPCGUID Guid, ULONG Instance, ULONG Size,
                                          const VOID *Data)
{
    const ULONG Offset = (ULONG)WL_ALIGN(FIELD_OFFSET(WNODE_SINGLE_INSTANCE, VariableData));
    if (Size > MAXLONG - Offset)
        return NULL;
    WNODE_SINGLE_INSTANCE *Node = ExAllocatePool2(POOL_FLAG_NON_PAGED, Offset + (SIZE_T)Size, WL_TAG);
    if (Node == NULL)
        return NULL;
    Node->WnodeHeader.BufferSize = Offset + Size;
    Node->WnodeHeader.ProviderId = IoWMIDeviceObjectToProviderId(Device);
    Node->WnodeHeader.Guid = *Guid;
    Node->WnodeHeader.Flags =
        WNODE_FLAG_SINGLE_INSTANCE | WNODE_FLAG_EVENT_ITEM | WNODE_FLAG_STATIC_INSTANCE_NAMES;
    KeQuerySystemTime(&Node->WnodeHeader.TimeStamp);
    Node->InstanceIndex = Instance;
    Node->DataBlockOffset = Offset;
    Node->SizeDataBlock = Size;
    if (Size != 0)
        RtlCopyMemory((PUCHAR)Node + Offset, Data, Size);
    return Node;
}

/* [WDK WmiFireEvent] the driver's data is freed in any case. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI WmiFireEvent(PDEVICE_OBJECT Device, LPCGUID Guid, ULONG InstanceIndex, ULONG EventDataSize,
                            PVOID EventData)
{
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    WNODE_SINGLE_INSTANCE *Node =
        WlMakeEvent(Device, Guid, InstanceIndex, EventData != NULL ? EventDataSize : 0, EventData);
    if (Node != NULL)
        Status = IoWMIWriteEvent(Node);
    if (Node != NULL && !NT_SUCCESS(Status))
        ExFreePoolWithTag(Node, WL_TAG);
    if (EventData != NULL)
        ExFreePool(EventData);
    return Status;
}

/* [WDK "Creating Export Drivers"] never called: there is nothing to start or to stop. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DllUnload(VOID)
{
    return STATUS_SUCCESS;
}

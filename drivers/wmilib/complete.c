/* SPDX-License-Identifier: MIT
 * WmiCompleteRequest: what the driver has written becomes a whole WNODE. [WDK WmiCompleteRequest, WNODE_ALL_DATA, WNODE_SINGLE_INSTANCE,
 * WNODE_METHOD_ITEM, WNODE_TOO_SMALL] */
#include "wl.h"

/* Where the driver's data begins; 0: the request has no output. */
static ULONG WlDataOffset(UCHAR Minor, const VOID *Buffer)
{
    switch (Minor) {
    case IRP_MN_QUERY_ALL_DATA:
        return ((const WNODE_ALL_DATA *)Buffer)->DataBlockOffset;
    case IRP_MN_QUERY_SINGLE_INSTANCE:
        return ((const WNODE_SINGLE_INSTANCE *)Buffer)->DataBlockOffset;
    case IRP_MN_EXECUTE_METHOD:
        return ((const WNODE_METHOD_ITEM *)Buffer)->DataBlockOffset;
    default:
        return 0;
    }
}

/* The driver has written one length after the other; from the last on they become pairs of offset and length, in the same memory. */
static VOID WlFillPairs(WNODE_ALL_DATA *Node)
{
    const ULONG *Lengths = (const ULONG *)Node->OffsetInstanceDataAndLength;
    ULONG64 Offset = Node->DataBlockOffset;
    for (ULONG I = 0; I < Node->InstanceCount; I++)
        Offset += WL_ALIGN(Lengths[I]);
    for (ULONG I = Node->InstanceCount; I-- > 0;) {
        ULONG Length = Lengths[I];
        Offset -= WL_ALIGN(Length);
        Node->OffsetInstanceDataAndLength[I] = (OFFSETINSTANCEDATAANDLENGTH){(ULONG)Offset, Length};
    }
}

static VOID WlFillNode(UCHAR Minor, PVOID Buffer, ULONG Used, ULONG Whole)
{
    WNODE_HEADER *Header = Buffer;
    Header->BufferSize = Whole;
    KeQuerySystemTime(&Header->TimeStamp);
    if (Minor == IRP_MN_QUERY_ALL_DATA)
        WlFillPairs(Buffer);
    else if (Minor == IRP_MN_QUERY_SINGLE_INSTANCE)
        ((WNODE_SINGLE_INSTANCE *)Buffer)->SizeDataBlock = Used;
    else
        ((WNODE_METHOD_ITEM *)Buffer)->SizeDataBlock = Used;
}

static ULONG WlFillTooSmall(PVOID Buffer, ULONG Needed)
{
    WNODE_TOO_SMALL *Node = Buffer;
    Node->WnodeHeader.BufferSize = sizeof(*Node);
    Node->WnodeHeader.Flags = WNODE_FLAG_TOO_SMALL;
    Node->SizeNeeded = Needed;
    return sizeof(*Node);
}

/* IRQL <= DISPATCH_LEVEL. A buffer that is too small is told by the WNODE, with success. */
NTSTATUS NTAPI WmiCompleteRequest(PDEVICE_OBJECT Device, PIRP Irp, NTSTATUS Status, ULONG BufferUsed,
                                  CCHAR PriorityBoost)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PVOID Buffer = Stack->Parameters.WMI.Buffer;
    ULONG Offset = WlDataOffset(Stack->MinorFunction, Buffer);
    ULONG64 Whole = (ULONG64)Offset + BufferUsed;
    UNREFERENCED_PARAMETER(Device);
    Irp->IoStatus.Information = 0;
    if (Offset != 0 && NT_SUCCESS(Status) && Whole <= Stack->Parameters.WMI.BufferSize) {
        WlFillNode(Stack->MinorFunction, Buffer, BufferUsed, (ULONG)Whole);
        Irp->IoStatus.Information = (ULONG)Whole;
    } else if (Offset != 0 && (NT_SUCCESS(Status) || Status == STATUS_BUFFER_TOO_SMALL)) {
        Irp->IoStatus.Information = WlFillTooSmall(Buffer, (ULONG)min(Whole, MAXULONG));
        Status = STATUS_SUCCESS;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, PriorityBoost);
    return Status;
}

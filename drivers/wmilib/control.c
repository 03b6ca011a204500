/* SPDX-License-Identifier: MIT
 * WmiSystemControl: the request is checked and becomes a call of one routine of the driver. [WDK WmiSystemControl, WMILIB_CONTEXT] */
#include "wl.h"

typedef NTSTATUS WL_HANDLER(WL_REQUEST *Request);

/* [WDK WMI_QUERY_DATABLOCK_CALLBACK] room for nothing: the driver is asked how much it needs. */
static NTSTATUS WlQuery(WL_REQUEST *Request, ULONG Instance, ULONG Count, PULONG Lengths, ULONG64 DataOffset)
{
    ULONG Room = Request->Room > DataOffset ? Request->Room - (ULONG)DataOffset : 0;
    PUCHAR Data = Room != 0 ? (PUCHAR)Request->Buffer + DataOffset : NULL;
    return Request->Context->QueryWmiDataBlock(Request->Device, Request->Irp, Request->GuidIndex, Instance,
                                               Count, Room != 0 ? Lengths : NULL, Room, Data);
}

/* The lengths of the instances come to lie where WmiCompleteRequest makes pairs of them. */
static NTSTATUS WlQueryAll(WL_REQUEST *Request)
{
    WNODE_ALL_DATA *Node = Request->Buffer;
    ULONG Count = Request->Context->GuidList[Request->GuidIndex].InstanceCount;
    ULONG64 DataOffset = WL_ALIGN(FIELD_OFFSET(WNODE_ALL_DATA, OffsetInstanceDataAndLength) +
                                  (ULONG64)Count * sizeof(OFFSETINSTANCEDATAANDLENGTH));
    Node->DataBlockOffset = (ULONG)DataOffset;
    Node->InstanceCount = Count;
    return WlQuery(Request, 0, Count, (PULONG)Node->OffsetInstanceDataAndLength, DataOffset);
}

static NTSTATUS WlQuerySingle(WL_REQUEST *Request)
{
    WNODE_SINGLE_INSTANCE *Node = Request->Buffer;
    return WlQuery(Request, Node->InstanceIndex, 1, &Node->SizeDataBlock, Node->DataBlockOffset);
}

/* [WDK WMILIB_CONTEXT] without SetWmiDataBlock or SetWmiDataItem the blocks are read-only. */
static NTSTATUS WlSetInstance(WL_REQUEST *Request)
{
    WNODE_SINGLE_INSTANCE *Node = Request->Buffer;
    return Request->Context->SetWmiDataBlock(Request->Device, Request->Irp, Request->GuidIndex,
                                             Node->InstanceIndex, Node->SizeDataBlock,
                                             (PUCHAR)Node + Node->DataBlockOffset);
}

static NTSTATUS WlSetItem(WL_REQUEST *Request)
{
    WNODE_SINGLE_ITEM *Node = Request->Buffer;
    return Request->Context->SetWmiDataItem(Request->Device, Request->Irp, Request->GuidIndex,
                                            Node->InstanceIndex, Node->ItemId, Node->SizeDataItem,
                                            (PUCHAR)Node + Node->DataBlockOffset);
}

/* Input and output lie at the same place. */
static NTSTATUS WlExecute(WL_REQUEST *Request)
{
    WNODE_METHOD_ITEM *Node = Request->Buffer;
    return Request->Context->ExecuteWmiMethod(
        Request->Device, Request->Irp, Request->GuidIndex, Node->InstanceIndex, Node->MethodId,
        Node->SizeDataBlock, Request->Room - Node->DataBlockOffset, (PUCHAR)Node + Node->DataBlockOffset);
}

/* [WDK WMILIB_CONTEXT] a driver without the routine is not told, and the request succeeds. */
static NTSTATUS WlControl(WL_REQUEST *Request)
{
    UCHAR Minor = Request->Minor;
    BOOLEAN Events = Minor == IRP_MN_ENABLE_EVENTS || Minor == IRP_MN_DISABLE_EVENTS;
    BOOLEAN Enable = Minor == IRP_MN_ENABLE_EVENTS || Minor == IRP_MN_ENABLE_COLLECTION;
    if (Request->Context->WmiFunctionControl == NULL)
        return WmiCompleteRequest(Request->Device, Request->Irp, STATUS_SUCCESS, 0, IO_NO_INCREMENT);
    return Request->Context->WmiFunctionControl(Request->Device, Request->Irp, Request->GuidIndex,
                                                Events ? WmiEventControl : WmiDataBlockControl, Enable);
}

/* What each minor function needs. */
typedef struct _WL_KIND {
    WL_HANDLER *Handler;
    ULONG Least;        /* bytes of the WNODE */
    BOOLEAN OfInstance; /* the WNODE names one; its index lies at the same place in all of these */
    NTSTATUS Absent;    /* when the driver lacks the routine; success: it needs none */
} WL_KIND;

#define WL_INSTANCE_LEAST FIELD_OFFSET(WNODE_SINGLE_INSTANCE, VariableData)
static const WL_KIND WlKinds[] = {
    [IRP_MN_QUERY_ALL_DATA] = {WlQueryAll, sizeof(WNODE_TOO_SMALL), FALSE, STATUS_INVALID_DEVICE_REQUEST},
    [IRP_MN_QUERY_SINGLE_INSTANCE] = {WlQuerySingle, WL_INSTANCE_LEAST, TRUE, STATUS_INVALID_DEVICE_REQUEST},
    [IRP_MN_CHANGE_SINGLE_INSTANCE] = {WlSetInstance, WL_INSTANCE_LEAST, TRUE, STATUS_WMI_READ_ONLY},
    [IRP_MN_CHANGE_SINGLE_ITEM] = {WlSetItem, FIELD_OFFSET(WNODE_SINGLE_ITEM, VariableData), TRUE,
                                   STATUS_WMI_READ_ONLY},
    [IRP_MN_ENABLE_EVENTS] = {WlControl, 0, FALSE, STATUS_SUCCESS},
    [IRP_MN_DISABLE_EVENTS] = {WlControl, 0, FALSE, STATUS_SUCCESS},
    [IRP_MN_ENABLE_COLLECTION] = {WlControl, 0, FALSE, STATUS_SUCCESS},
    [IRP_MN_DISABLE_COLLECTION] = {WlControl, 0, FALSE, STATUS_SUCCESS},
    [IRP_MN_EXECUTE_METHOD] = {WlExecute, FIELD_OFFSET(WNODE_METHOD_ITEM, VariableData), TRUE,
                               STATUS_INVALID_DEVICE_REQUEST},
};
C_ASSERT(FIELD_OFFSET(WNODE_SINGLE_INSTANCE, InstanceIndex) ==
         FIELD_OFFSET(WNODE_SINGLE_ITEM, InstanceIndex));
C_ASSERT(FIELD_OFFSET(WNODE_SINGLE_INSTANCE, InstanceIndex) ==
         FIELD_OFFSET(WNODE_METHOD_ITEM, InstanceIndex));

static BOOLEAN WlHasRoutine(const WL_REQUEST *Request)
{
    const WMILIB_CONTEXT *Context = Request->Context;
    switch (Request->Minor) {
    case IRP_MN_CHANGE_SINGLE_INSTANCE:
        return Context->SetWmiDataBlock != NULL;
    case IRP_MN_CHANGE_SINGLE_ITEM:
        return Context->SetWmiDataItem != NULL;
    case IRP_MN_EXECUTE_METHOD:
        return Context->ExecuteWmiMethod != NULL;
    default:
        return Context->QueryWmiDataBlock != NULL;
    }
}

static BOOLEAN WlFindGuid(WL_REQUEST *Request, const GUID *Guid)
{
    for (ULONG I = 0; I < Request->Context->GuidCount; I++) {
        Request->GuidIndex = I;
        if (RtlCompareMemory(Request->Context->GuidList[I].Guid, Guid, sizeof(*Guid)) == sizeof(*Guid))
            return TRUE;
    }
    return FALSE;
}

/* Instances have static names: the index says which. */
static BOOLEAN WlHasInstance(const WL_REQUEST *Request)
{
    const WNODE_SINGLE_INSTANCE *Node = Request->Buffer;
    return (Node->WnodeHeader.Flags & WNODE_FLAG_STATIC_INSTANCE_NAMES) &&
           Node->InstanceIndex < Request->Context->GuidList[Request->GuidIndex].InstanceCount;
}

static BOOLEAN WlIsInside(const WL_REQUEST *Request, ULONG Offset, ULONG Size)
{
    return Offset <= Request->Room && Size <= Request->Room - Offset;
}

/* The lengths and offsets that are given. */
static NTSTATUS WlCheckData(const WL_REQUEST *Request)
{
    const WNODE_SINGLE_INSTANCE *Instance = Request->Buffer;
    const WNODE_SINGLE_ITEM *Item = Request->Buffer;
    const WNODE_METHOD_ITEM *Call = Request->Buffer;
    BOOLEAN Inside = TRUE;
    if (Request->Minor == IRP_MN_CHANGE_SINGLE_INSTANCE)
        Inside = WlIsInside(Request, Instance->DataBlockOffset, Instance->SizeDataBlock);
    else if (Request->Minor == IRP_MN_CHANGE_SINGLE_ITEM)
        Inside = WlIsInside(Request, Item->DataBlockOffset, Item->SizeDataItem);
    else if (Request->Minor == IRP_MN_EXECUTE_METHOD)
        Inside = WlIsInside(Request, Call->DataBlockOffset, Call->SizeDataBlock);
    else if (Request->Minor == IRP_MN_QUERY_ALL_DATA) /* the offsets have 32 bits */
        Inside = Request->Context->GuidList[Request->GuidIndex].InstanceCount < MAXUSHORT * 256u;
    return Inside ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS WlCheck(WL_REQUEST *Request, const GUID *Guid)
{
    const WL_KIND *Kind = &WlKinds[Request->Minor];
    if (!WlFindGuid(Request, Guid))
        return STATUS_WMI_GUID_NOT_FOUND;
    if (!NT_SUCCESS(Kind->Absent) && !WlHasRoutine(Request))
        return Kind->Absent;
    if (Request->Room < Kind->Least)
        return STATUS_BUFFER_TOO_SMALL;
    return Kind->OfInstance && !WlHasInstance(Request) ? STATUS_WMI_INSTANCE_NOT_FOUND : WlCheckData(Request);
}

/* The driver completes the IRP. */
static NTSTATUS WlRefuse(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    return Status;
}

/* [WDK WmiSystemControl] PASSIVE_LEVEL. */
NTSTATUS NTAPI WmiSystemControl(PWMILIB_CONTEXT Context, PDEVICE_OBJECT Device, PIRP Irp,
                                PSYSCTL_IRP_DISPOSITION Disposition)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    WL_REQUEST Request = {.Context = Context, .Device = Device, .Irp = Irp, .Minor = Stack->MinorFunction};
    BOOLEAN Registration = Request.Minor == IRP_MN_REGINFO || Request.Minor == IRP_MN_REGINFO_EX;
    *Disposition = IrpNotWmi;
    if (!Registration && (Request.Minor >= RTL_NUMBER_OF(WlKinds) || WlKinds[Request.Minor].Handler == NULL))
        return STATUS_SUCCESS;
    *Disposition = IrpForward;
    if (Stack->Parameters.WMI.ProviderId != (ULONG_PTR)Device)
        return STATUS_SUCCESS;
    *Disposition = IrpNotCompleted;
    Request.Buffer = Stack->Parameters.WMI.Buffer;
    Request.Room = Stack->Parameters.WMI.BufferSize;
    if (Registration)
        return WlRegInfo(&Request);
    NTSTATUS Status = WlCheck(&Request, Stack->Parameters.WMI.DataPath);
    if (!NT_SUCCESS(Status))
        return WlRefuse(Irp, Status);
    *Disposition = IrpProcessed; /* by the driver's routine, who may complete it at once */
    return WlKinds[Request.Minor].Handler(&Request);
}

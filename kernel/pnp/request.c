/* SPDX-License-Identifier: MIT
 * PnP requests: they go to the top of the node's stack, with STATUS_NOT_SUPPORTED until a driver says otherwise. [WDK "Plug and Play IRPs"] */
#include "pnpp.h"

NTSTATUS PnpSendLocation(PNP_NODE *Node, const IO_STACK_LOCATION *Location, PULONG_PTR Information)
{
    PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(Node->Pdo);
    NTSTATUS Status = IoSendPnpRequest(Top, Location, Information);
    ObfDereferenceObject(Top);
    return Status;
}

static IO_STACK_LOCATION PnpLocation(UCHAR Minor)
{
    return (IO_STACK_LOCATION){.MajorFunction = IRP_MJ_PNP, .MinorFunction = Minor};
}

NTSTATUS PnpSend(PNP_NODE *Node, UCHAR Minor)
{
    ULONG_PTR Information;
    IO_STACK_LOCATION Location = PnpLocation(Minor);
    return PnpSendLocation(Node, &Location, &Information);
}

/* What the information of an answer points to; success without a pointer is no answer. */
static NTSTATUS PnpSendForPointer(PNP_NODE *Node, const IO_STACK_LOCATION *Location, PVOID *Pointer)
{
    ULONG_PTR Information;
    NTSTATUS Status = PnpSendLocation(Node, Location, &Information);
    *Pointer = NT_SUCCESS(Status) ? (PVOID)Information : NULL;
    return NT_SUCCESS(Status) && Information == 0 ? STATUS_NOT_SUPPORTED : Status;
}

NTSTATUS PnpQueryId(PNP_NODE *Node, BUS_QUERY_ID_TYPE Type, PWSTR *Id)
{
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_ID);
    Location.Parameters.QueryId.IdType = Type;
    return PnpSendForPointer(Node, &Location, (PVOID *)Id);
}

#define PNP_ENGLISH 0x409

NTSTATUS PnpQueryText(PNP_NODE *Node, DEVICE_TEXT_TYPE Type, PWSTR *Text)
{
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_DEVICE_TEXT);
    Location.Parameters.QueryDeviceText.DeviceTextType = Type;
    Location.Parameters.QueryDeviceText.LocaleId = PNP_ENGLISH;
    return PnpSendForPointer(Node, &Location, (PVOID *)Text);
}

/* [WDK IRP_MN_QUERY_CAPABILITIES] Address and UINumber are -1 when nobody knows them. */
NTSTATUS PnpQueryCapabilities(PNP_NODE *Node)
{
    ULONG_PTR Information;
    DEVICE_CAPABILITIES Capabilities = {
        .Size = sizeof(Capabilities), .Version = 1, .Address = MAXULONG, .UINumber = MAXULONG};
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_CAPABILITIES);
    Location.Parameters.DeviceCapabilities.Capabilities = &Capabilities;
    NTSTATUS Status = PnpSendLocation(Node, &Location, &Information);
    if (NT_SUCCESS(Status))
        Node->Capabilities = Capabilities;
    return Status;
}

NTSTATUS PnpQueryRelations(PNP_NODE *Node, DEVICE_RELATION_TYPE Type, PDEVICE_RELATIONS *Relations)
{
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_DEVICE_RELATIONS);
    Location.Parameters.QueryDeviceRelations.Type = Type;
    return PnpSendForPointer(Node, &Location, (PVOID *)Relations);
}

NTSTATUS PnpQueryBus(PNP_NODE *Node, PPNP_BUS_INFORMATION *Bus)
{
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_BUS_INFORMATION);
    return PnpSendForPointer(Node, &Location, (PVOID *)Bus);
}

NTSTATUS PnpQueryResources(PNP_NODE *Node, PCM_RESOURCE_LIST *Resources)
{
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_RESOURCES);
    return PnpSendForPointer(Node, &Location, (PVOID *)Resources);
}

NTSTATUS PnpQueryRequirements(PNP_NODE *Node, PIO_RESOURCE_REQUIREMENTS_LIST *Requirements)
{
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_RESOURCE_REQUIREMENTS);
    return PnpSendForPointer(Node, &Location, (PVOID *)Requirements);
}

/* [WDK IRP_MN_QUERY_PNP_DEVICE_STATE] no answer: nothing is to be said. */
PNP_DEVICE_STATE PnpQueryDeviceState(PNP_NODE *Node)
{
    ULONG_PTR State;
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_QUERY_PNP_DEVICE_STATE);
    return NT_SUCCESS(PnpSendLocation(Node, &Location, &State)) ? (PNP_DEVICE_STATE)State : 0;
}

NTSTATUS PnpSendStart(PNP_NODE *Node)
{
    ULONG_PTR Information;
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_START_DEVICE);
    Location.Parameters.StartDevice.AllocatedResources = Node->Resources;
    Location.Parameters.StartDevice.AllocatedResourcesTranslated = Node->Translated;
    return PnpSendLocation(Node, &Location, &Information);
}

/* [WDK IRP_MN_FILTER_RESOURCE_REQUIREMENTS] a driver changes the list or makes a new one, and frees the old one then: *Requirements is what they leave. */
VOID PnpFilterRequirements(PNP_NODE *Node)
{
    ULONG_PTR Information = 0;
    IO_STACK_LOCATION Location = PnpLocation(IRP_MN_FILTER_RESOURCE_REQUIREMENTS);
    Location.Parameters.FilterResourceRequirements.IoResourceRequirementList = Node->Requirements;
    NTSTATUS Status = PnpSendLocation(Node, &Location, &Information);
    if (NT_SUCCESS(Status) && Information != 0)
        Node->Requirements = (PIO_RESOURCE_REQUIREMENTS_LIST)Information;
}

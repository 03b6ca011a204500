/* SPDX-License-Identifier: MIT
 * Events of their own that drivers tell those who have a device open. [WDK IoReportTargetDeviceChange, IoReportTargetDeviceChangeAsynchronous,
 * "Using PnP Custom Notification"] */
#include "pnpp.h"
#include "ex.h"

/* Pool; it holds a reference of the device. */
typedef struct _PNP_CUSTOM_EVENT {
    PDEVICE_OBJECT Pdo;
    PDEVICE_CHANGE_COMPLETE_CALLBACK Callback; /* NULL: none */
    PVOID Context;
    TARGET_DEVICE_CUSTOM_NOTIFICATION Notification; /* the last: its data lies behind it */
} PNP_CUSTOM_EVENT;

static BOOLEAN PnpIsOwnEvent(const GUID *Event)
{
    const GUID *const Own[] = {&GUID_TARGET_DEVICE_QUERY_REMOVE, &GUID_TARGET_DEVICE_REMOVE_CANCELLED,
                               &GUID_TARGET_DEVICE_REMOVE_COMPLETE};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Own); i++) {
        if (RtlCompareMemory(Event, Own[i], sizeof(GUID)) == sizeof(GUID))
            return TRUE;
    }
    return FALSE;
}

static NTSTATUS PnpTellCustom(PVOID Context)
{
    PTARGET_DEVICE_CUSTOM_NOTIFICATION Notification = &((PNP_CUSTOM_EVENT *)Context)->Notification;
    return PnpNotifyFiles(((PNP_CUSTOM_EVENT *)Context)->Pdo, Notification);
}

static VOID PnpFreeCustom(PNP_CUSTOM_EVENT *Event)
{
    ObfDereferenceObject(Event->Pdo);
    ExFreePoolWithTag(Event, PNP_TAG_NOTIFY);
}

static NTSTATUS PnpTellCustomLater(PVOID Context)
{
    PNP_CUSTOM_EVENT *Event = Context;
    KE_GATE Gate;
    NTSTATUS Status = PnpTellCustom(Event);
    if (Event->Callback != NULL) {
        KeEnterGate(&Gate, GateNotification, (PVOID)Event->Callback);
        Event->Callback(Event->Context);
        KeLeaveGate(&Gate);
    }
    PnpFreeCustom(Event);
    return Status;
}

/* A copy, because the driver's own may go when the call returns. */
static NTSTATUS PnpMakeCustom(PDEVICE_OBJECT Pdo, const TARGET_DEVICE_CUSTOM_NOTIFICATION *Notification,
                              PNP_CUSTOM_EVENT **Event)
{
    (void)PnpRequireNode(Pdo);
    if (Notification->Size < FIELD_OFFSET(TARGET_DEVICE_CUSTOM_NOTIFICATION, CustomDataBuffer) ||
        PnpIsOwnEvent(&Notification->Event))
        return STATUS_INVALID_DEVICE_REQUEST;
    *Event = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(**Event) + Notification->Size, PNP_TAG_NOTIFY);
    if (*Event == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    (*Event)->Pdo = Pdo;
    ObfReferenceObject(Pdo);
    RtlCopyMemory(&(*Event)->Notification, Notification, Notification->Size);
    return STATUS_SUCCESS;
}

/* [WDK IoReportTargetDeviceChange] all who listen have been told when it returns. STATUS_INVALID_DEVICE_REQUEST: an event of the PnP manager's own, or
 * a structure that is too small. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoReportTargetDeviceChange(PDEVICE_OBJECT PhysicalDeviceObject, PVOID NotificationStructure)
{
    PNP_CUSTOM_EVENT *Event;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    NTSTATUS Status = PnpMakeCustom(PhysicalDeviceObject, NotificationStructure, &Event);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpCall(PnpTellCustom, Event);
    PnpFreeCustom(Event);
    return Status;
}

/* [WDK IoReportTargetDeviceChangeAsynchronous] the callback comes when all have been told, at PASSIVE_LEVEL. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoReportTargetDeviceChangeAsynchronous(PDEVICE_OBJECT PhysicalDeviceObject,
                                                      PVOID NotificationStructure,
                                                      PDEVICE_CHANGE_COMPLETE_CALLBACK Callback,
                                                      PVOID Context)
{
    PNP_CUSTOM_EVENT *Event;
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    NTSTATUS Status = PnpMakeCustom(PhysicalDeviceObject, NotificationStructure, &Event);
    if (!NT_SUCCESS(Status))
        return Status;
    Event->Callback = Callback;
    Event->Context = Context;
    Status = PnpPost(PnpTellCustomLater, Event);
    if (NT_SUCCESS(Status))
        return Status;
    PnpFreeCustom(Event);
    return Status;
}

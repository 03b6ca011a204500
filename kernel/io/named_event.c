/* SPDX-License-Identifier: MIT
 * IoCreateNotificationEvent and IoCreateSynchronizationEvent: a named event is opened, or made in the signalled state. */
#include "iop.h"

static PKEVENT IopCreateNamedEvent(PUNICODE_STRING Name, EVENT_TYPE Type, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    PKEVENT Event;
    InitializeObjectAttributes(&Attributes, Name, OBJ_OPENIF | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status = ZwCreateEvent(Handle, EVENT_ALL_ACCESS, &Attributes, Type, TRUE);
    if (!NT_SUCCESS(Status))
        return NULL;
    Status = ObReferenceObjectByHandle(*Handle, 0, ExEventObjectType, KernelMode, (PVOID *)&Event, NULL);
    if (!NT_SUCCESS(Status)) {
        ZwClose(*Handle);
        return NULL;
    }
    ObfDereferenceObject(Event); /* the handle holds it */
    return Event;
}

/* [WDK IoCreateNotificationEvent] valid while *Handle is open. NULL when it cannot be made. */
PKEVENT NTAPI IoCreateNotificationEvent(PUNICODE_STRING Name, PHANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return IopCreateNamedEvent(Name, NotificationEvent, Handle);
}

/* [WDK IoCreateSynchronizationEvent] */
PKEVENT NTAPI IoCreateSynchronizationEvent(PUNICODE_STRING Name, PHANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return IopCreateNamedEvent(Name, SynchronizationEvent, Handle);
}

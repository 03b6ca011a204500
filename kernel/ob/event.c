/* SPDX-License-Identifier: MIT
 * Event objects by handle. */
#include "obp.h"
#include "ke.h"
#include "mm_caller.h"

POBJECT_TYPE ExEventObjectType;

static const OB_TYPE_INFO ObpEventTypeInfo = {
    .Name = L"Event",
    .PoolTag = 'vEbO',
    .Mapping = {STANDARD_RIGHTS_READ | EVENT_QUERY_STATE, STANDARD_RIGHTS_WRITE | EVENT_MODIFY_STATE,
                STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, EVENT_ALL_ACCESS},
    .ValidAccess = EVENT_ALL_ACCESS,
    .WaitOffset = FIELD_OFFSET(KEVENT, Header),
};

VOID ObpInitEventType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&ObpEventTypeInfo, &ExEventObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 5, 0, 0);
}

/* [WDK ZwCreateEvent] STATUS_OBJECT_NAME_EXISTS with OBJ_OPENIF, STATUS_OBJECT_NAME_COLLISION without. */
static NTSTATUS ObpCreateEvent(PHANDLE To, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                               EVENT_TYPE Type, BOOLEAN InitialState, KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    if (Type != NotificationEvent && Type != SynchronizationEvent)
        return STATUS_INVALID_PARAMETER;
    PKEVENT Event;
    NTSTATUS Status = MmProbeCallerOutput(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObCreateObject(Mode, ExEventObjectType, Attributes, Mode, NULL, sizeof(*Event), 0, 0,
                                (PVOID *)&Event);
    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeEvent(Event, Type, InitialState);
    Status = ObInsertObject(Event, NULL, DesiredAccess, 0, NULL, &Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Given = ObGiveHandle(To, Handle, Mode);
    return NT_SUCCESS(Given) ? Status : Given;
}

NTSTATUS NTAPI ZwCreateEvent(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                             EVENT_TYPE Type, BOOLEAN InitialState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCreateEvent(Handle, DesiredAccess, Attributes, Type, InitialState, KernelMode);
}

NTSTATUS NTAPI NtCreateEvent(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                             EVENT_TYPE Type, BOOLEAN InitialState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCreateEvent(Handle, DesiredAccess, Attributes, Type, InitialState, ExGetPreviousMode());
}

/* [WDK ZwOpenEvent] */
NTSTATUS NTAPI ZwOpenEvent(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObOpenObjectByName(Attributes, ExEventObjectType, KernelMode, DesiredAccess, NULL, Handle);
}

static NTSTATUS ObpEventByHandle(HANDLE Handle, KPROCESSOR_MODE Mode, PKEVENT *Event)
{
    return ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, ExEventObjectType, Mode, (PVOID *)Event,
                                     NULL);
}

/* [WDK ZwSetEvent] */
static NTSTATUS ObpSetEvent(HANDLE Handle, PLONG PreviousState, KPROCESSOR_MODE Mode)
{
    PKEVENT Event;
    NTSTATUS Status = MmProbeCaller(PreviousState, sizeof(*PreviousState), Mode);
    if (NT_SUCCESS(Status))
        Status = ObpEventByHandle(Handle, Mode, &Event);
    if (!NT_SUCCESS(Status))
        return Status;
    LONG Previous = KeSetEvent(Event, EVENT_INCREMENT, FALSE);
    ObfDereferenceObject(Event);
    return PreviousState != NULL ? MmWriteCaller(PreviousState, &Previous, sizeof(Previous), Mode)
                                 : STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwSetEvent(HANDLE Handle, PLONG PreviousState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpSetEvent(Handle, PreviousState, KernelMode);
}

NTSTATUS NTAPI NtSetEvent(HANDLE Handle, PLONG PreviousState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpSetEvent(Handle, PreviousState, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwResetEvent(HANDLE Handle, PLONG PreviousState)
{
    PKEVENT Event;
    NTSTATUS Status = ObpEventByHandle(Handle, KernelMode, &Event);
    if (!NT_SUCCESS(Status))
        return Status;
    LONG Previous = KeResetEvent(Event);
    if (PreviousState != NULL)
        *PreviousState = Previous;
    ObfDereferenceObject(Event);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwClearEvent(HANDLE Handle)
{
    return ZwResetEvent(Handle, NULL);
}

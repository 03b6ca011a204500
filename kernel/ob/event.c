/* SPDX-License-Identifier: MIT
 * Event objects by handle. */
#include "obp.h"
#include "ke.h"
#include "mm_caller.h"
#include "ob_service.h"

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

NTSTATUS ObOpenEvent(PHANDLE To, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                     KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    NTSTATUS Status = MmProbeCallerOutput(To, sizeof(*To), Mode);
    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByName(Attributes, ExEventObjectType, Mode, DesiredAccess, NULL, &Handle);
    return NT_SUCCESS(Status) ? ObGiveHandle(To, Handle, Mode) : Status;
}

/* [WDK ZwOpenEvent] */
NTSTATUS NTAPI ZwOpenEvent(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObOpenEvent(Handle, DesiredAccess, Attributes, KernelMode);
}

/* [WDK ZwSetEvent, ZwResetEvent, ZwPulseEvent] *PreviousState: 0 or 1. */
static NTSTATUS ObpChangeEvent(HANDLE Handle, PLONG PreviousState, KPROCESSOR_MODE Mode,
                               LONG (*Change)(PKEVENT Event))
{
    PKEVENT Event;
    NTSTATUS Status = MmProbeCaller(PreviousState, sizeof(*PreviousState), Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, ExEventObjectType, Mode,
                                           (PVOID *)&Event, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    LONG Previous = Change(Event);
    ObfDereferenceObject(Event);
    return PreviousState != NULL ? MmWriteCaller(PreviousState, &Previous, sizeof(Previous), Mode)
                                 : STATUS_SUCCESS;
}

static LONG ObpSet(PKEVENT Event)
{
    return KeSetEvent(Event, EVENT_INCREMENT, FALSE);
}

static LONG ObpReset(PKEVENT Event)
{
    return KeResetEvent(Event);
}

static LONG ObpPulse(PKEVENT Event)
{
    return KePulseEvent(Event, EVENT_INCREMENT, FALSE);
}

NTSTATUS ObResetEvent(HANDLE Handle, PLONG PreviousState, KPROCESSOR_MODE Mode)
{
    return ObpChangeEvent(Handle, PreviousState, Mode, ObpReset);
}

NTSTATUS ObPulseEvent(HANDLE Handle, PLONG PreviousState, KPROCESSOR_MODE Mode)
{
    return ObpChangeEvent(Handle, PreviousState, Mode, ObpPulse);
}

NTSTATUS NTAPI ZwSetEvent(HANDLE Handle, PLONG PreviousState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpChangeEvent(Handle, PreviousState, KernelMode, ObpSet);
}

NTSTATUS NTAPI NtSetEvent(HANDLE Handle, PLONG PreviousState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpChangeEvent(Handle, PreviousState, ExGetPreviousMode(), ObpSet);
}

NTSTATUS NTAPI ZwResetEvent(HANDLE Handle, PLONG PreviousState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObResetEvent(Handle, PreviousState, KernelMode);
}

NTSTATUS NTAPI ZwPulseEvent(HANDLE Handle, PLONG PreviousState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObPulseEvent(Handle, PreviousState, KernelMode);
}

NTSTATUS NTAPI ZwClearEvent(HANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpChangeEvent(Handle, NULL, KernelMode, ObpReset);
}

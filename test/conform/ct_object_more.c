/* SPDX-License-Identifier: MIT
 * Events by handle, names, tagged references, links. [WDK ZwCreateEvent, ZwOpenEvent, ZwSetEvent, ZwResetEvent, ZwClearEvent,
 * ZwWaitForSingleObject, IoCreateNotificationEvent, ObQueryNameString, ObfReferenceObjectWithTag, ObIsKernelHandle,
 * ObMakeTemporaryObject, ZwCreateSymbolicLinkObject] */
#include "ct.h"

static LARGE_INTEGER Now;

static OBJECT_ATTRIBUTES Named(PUNICODE_STRING Name, ULONG Flags)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE | Flags, NULL,
                               NULL);
    return Attributes;
}

/* Created with a name, opened by it, waited for through the other handle; the name goes with the last handle. */
static VOID ObjectEvent(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtEvent");
    OBJECT_ATTRIBUTES Attributes = Named(&Name, 0), OpenIf = Named(&Name, OBJ_OPENIF);
    HANDLE Event, Other;
    LONG Previous = 7;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_STATUS(ZwCreateEvent(&Other, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE),
              STATUS_OBJECT_NAME_COLLISION);
    CT_STATUS(ZwCreateEvent(&Other, EVENT_ALL_ACCESS, &OpenIf, NotificationEvent, TRUE),
              STATUS_OBJECT_NAME_EXISTS);
    CT_SUCCESS(ZwClose(Other));
    CT_SUCCESS(ZwOpenEvent(&Other, EVENT_ALL_ACCESS, &Attributes));
    CT_STATUS(ZwWaitForSingleObject(Other, FALSE, &Now), STATUS_TIMEOUT);
    CT_SUCCESS(ZwSetEvent(Event, &Previous));
    CT_EQUAL(Previous, 0);
    CT_SUCCESS(ZwWaitForSingleObject(Other, FALSE, &Now));
    CT_SUCCESS(ZwResetEvent(Event, &Previous));
    CT_CHECK(Previous != 0);
    CT_STATUS(ZwWaitForSingleObject(Other, FALSE, &Now), STATUS_TIMEOUT);
    CT_SUCCESS(ZwSetEvent(Event, NULL));
    CT_SUCCESS(ZwClearEvent(Event));
    CT_STATUS(ZwWaitForSingleObject(Other, FALSE, &Now), STATUS_TIMEOUT);
    CT_SUCCESS(ZwClose(Event));
    CT_SUCCESS(ZwClose(Other));
    CT_STATUS(ZwOpenEvent(&Other, EVENT_ALL_ACCESS, &Attributes), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* Made signalled; a second call opens the same event. */
static VOID ObjectIoEvent(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtIoEvent");
    UNICODE_STRING Second = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtIoEvent2");
    HANDLE First, Again, Synchronization;
    PKEVENT Event = IoCreateNotificationEvent(&Name, &First);
    CT_REQUIRE(Event != NULL);
    CT_EQUAL(Event->Header.Type, NotificationEvent);
    CT_CHECK(KeReadStateEvent(Event) != 0);
    CT_EQUAL(IoCreateNotificationEvent(&Name, &Again), Event);
    ZwClose(Again);
    Event = IoCreateSynchronizationEvent(&Second, &Synchronization);
    CT_CHECK(Event != NULL && Event->Header.Type == SynchronizationEvent);
    ZwClose(Synchronization);
    ZwClose(First);
}

static VOID ObjectName(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtName");
    OBJECT_ATTRIBUTES Attributes = Named(&Name, 0);
    HANDLE Event;
    PVOID Object;
    ULONG Length = 0;
    struct {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Room[64];
    } Answer;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL));
    CT_SUCCESS(ObQueryNameString(Object, &Answer.Information, sizeof(Answer), &Length));
    CT_CHECK(RtlEqualUnicodeString(&Answer.Information.Name, &Name, FALSE));
    CT_EQUAL(Length, sizeof(OBJECT_NAME_INFORMATION) + Name.Length + sizeof(WCHAR));
    CT_STATUS(ObQueryNameString(Object, &Answer.Information, Length - 1, &Length),
              STATUS_INFO_LENGTH_MISMATCH);
    ObDereferenceObject(Object);
    ZwClose(Event);
    CT_SUCCESS(ObQueryNameString(KeGetCurrentThread(), &Answer.Information, sizeof(Answer), &Length));
    CT_EQUAL(Answer.Information.Name.Length, 0);
}

static VOID ObjectTags(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    HANDLE Event;
    PVOID Object = NULL;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_SUCCESS(
        ObReferenceObjectByHandleWithTag(Event, 0, *ExEventObjectType, KernelMode, 'tgTC', &Object, NULL));
    CT_REQUIRE(Object != NULL);
    LONG_PTR Count = ObfReferenceObjectWithTag(Object, 'tgTC');
    CT_SUCCESS(ObReferenceObjectByPointerWithTag(Object, 0, *ExEventObjectType, KernelMode, 'tgTC'));
    CT_STATUS(ObReferenceObjectByPointerWithTag(Object, 0, *IoFileObjectType, KernelMode, 'tgTC'),
              STATUS_OBJECT_TYPE_MISMATCH);
    CT_EQUAL(ObfDereferenceObjectWithTag(Object, 'tgTC'), Count);
    ObDereferenceObjectDeferDeleteWithTag(Object, 'tgTC');
    CT_EQUAL(ObfDereferenceObjectWithTag(Object, 'tgTC'), Count - 2);
    ZwClose(Event);
}

static VOID ObjectType(VOID)
{
    CT_EQUAL(ObGetObjectType(PsGetCurrentThread()), *PsThreadType);
    CT_EQUAL(ObGetObjectType(IoGetCurrentProcess()), *PsProcessType);
}

static VOID ObjectKernelHandle(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    HANDLE Event;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_CHECK(ObIsKernelHandle(Event));
    CT_CHECK((ULONG_PTR)Event >= 0xFFFFFFFF80000000ULL);
    CT_CHECK(!ObIsKernelHandle(ZwCurrentProcess()) && !ObIsKernelHandle((HANDLE)0x44));
    ZwClose(Event);
}

/* A permanent object keeps its name without handles until it is made temporary. */
static VOID ObjectTemporary(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtPermanent");
    OBJECT_ATTRIBUTES Permanent = Named(&Name, OBJ_PERMANENT), Attributes = Named(&Name, 0);
    HANDLE Event;
    PVOID Object;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Permanent, NotificationEvent, FALSE));
    CT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL));
    CT_SUCCESS(ZwClose(Event));
    CT_SUCCESS(ZwOpenEvent(&Event, EVENT_ALL_ACCESS, &Attributes));
    CT_SUCCESS(ZwClose(Event));
    ObMakeTemporaryObject(Object);
    CT_STATUS(ZwOpenEvent(&Event, EVENT_ALL_ACCESS, &Attributes), STATUS_OBJECT_NAME_NOT_FOUND);
    ObDereferenceObject(Object);
}

/* A link leads on, also when the target is made later; two that lead to each other lead nowhere. */
static VOID ObjectSymbolic(VOID)
{
    UNICODE_STRING One = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtOne");
    UNICODE_STRING Two = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtTwo");
    UNICODE_STRING Inner = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtOne\\x");
    OBJECT_ATTRIBUTES OneName = Named(&One, 0), TwoName = Named(&Two, 0), InnerName = Named(&Inner, 0);
    HANDLE First, Second, Event;
    CT_SUCCESS(ZwCreateSymbolicLinkObject(&First, SYMBOLIC_LINK_ALL_ACCESS, &OneName, &Two));
    CT_STATUS(ZwOpenEvent(&Event, EVENT_ALL_ACCESS, &OneName), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &TwoName, NotificationEvent, FALSE));
    CT_SUCCESS(ZwOpenEvent(&Second, EVENT_ALL_ACCESS, &OneName));
    CT_SUCCESS(ZwClose(Second));
    CT_STATUS(ZwOpenEvent(&Second, EVENT_ALL_ACCESS, &InnerName), STATUS_OBJECT_TYPE_MISMATCH);
    CT_SUCCESS(ZwClose(Event));
    CT_SUCCESS(ZwCreateSymbolicLinkObject(&Second, SYMBOLIC_LINK_ALL_ACCESS, &TwoName, &One));
    CT_STATUS(ZwOpenEvent(&Event, EVENT_ALL_ACCESS, &OneName), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwClose(Second));
    CT_SUCCESS(ZwClose(First));
}

static const CT_CASE Cases[] = {
    {"object.event", ObjectEvent},         {"object.io_event", ObjectIoEvent},
    {"object.name", ObjectName},           {"object.tags", ObjectTags},
    {"object.type", ObjectType},           {"object.kernel_handle", ObjectKernelHandle},
    {"object.temporary", ObjectTemporary}, {"object.symbolic", ObjectSymbolic},
};
CT_DRIVER(Cases)

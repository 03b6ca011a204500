/* SPDX-License-Identifier: MIT
 * Objects by handle: queries, waits for several, the events of memory. [WDK ZwQueryObject, Standard Event Objects;
 * MS NtWaitForMultipleObjects] */
#include "ct.h"

static LARGE_INTEGER Now;

static OBJECT_ATTRIBUTES Named(PUNICODE_STRING Name, ULONG More)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | More, NULL, NULL);
    return Attributes;
}

static VOID QueryBasic(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtQuery");
    OBJECT_ATTRIBUTES Attributes = Named(&Name, 0), Again = Named(&Name, OBJ_OPENIF);
    PUBLIC_OBJECT_BASIC_INFORMATION Basic;
    HANDLE Event, Other;
    ULONG Length = 0;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_STATUS(ZwCreateEvent(&Other, EVENT_MODIFY_STATE, &Again, NotificationEvent, FALSE),
              STATUS_OBJECT_NAME_EXISTS);
    CT_SUCCESS(ZwQueryObject(Other, ObjectBasicInformation, &Basic, sizeof(Basic), &Length));
    CT_EQUAL(Length, sizeof(Basic));
    CT_EQUAL(Basic.GrantedAccess, EVENT_MODIFY_STATE);
    CT_EQUAL(Basic.HandleCount, 2);
    CT_CHECK(Basic.PointerCount >= 3); /* two handles and the name */
    CT_EQUAL(Basic.Attributes & OBJ_PERMANENT, 0);
    CT_STATUS(ZwQueryObject(Other, ObjectBasicInformation, &Basic, 8, &Length), STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwQueryObject(Other, (OBJECT_INFORMATION_CLASS)77, &Basic, sizeof(Basic), NULL),
              STATUS_INVALID_INFO_CLASS);
    CT_STATUS(ZwQueryObject((HANDLE)0x7ff0, ObjectBasicInformation, &Basic, sizeof(Basic), NULL),
              STATUS_INVALID_HANDLE);
    ZwClose(Other);
    CT_SUCCESS(ZwQueryObject(Event, ObjectBasicInformation, &Basic, sizeof(Basic), NULL));
    CT_EQUAL(Basic.HandleCount, 1);
    ZwClose(Event);
}

static VOID QueryNames(VOID)
{
    struct {
        UNICODE_STRING String;
        WCHAR Room[200];
    } Answer;
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtNamed");
    UNICODE_STRING Type = RTL_CONSTANT_STRING(L"Event");
    OBJECT_ATTRIBUTES Attributes = Named(&Path, 0), Nameless = Named(NULL, 0);
    HANDLE Event;
    ULONG Length = 0;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_SUCCESS(ZwQueryObject(Event, ObjectTypeInformation, &Answer, sizeof(Answer), &Length));
    CT_CHECK(RtlEqualUnicodeString(&Answer.String, &Type, FALSE));
    CT_CHECK(Length > sizeof(PUBLIC_OBJECT_TYPE_INFORMATION) && Length < sizeof(Answer));
    CT_STATUS(ZwQueryObject(Event, ObjectTypeInformation, &Answer, Length - 1, &Length),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_SUCCESS(ZwQueryObject(Event, (OBJECT_INFORMATION_CLASS)1, &Answer, sizeof(Answer), &Length));
    CT_CHECK(RtlEqualUnicodeString(&Answer.String, &Path, FALSE));
    CT_STATUS(ZwQueryObject(Event, (OBJECT_INFORMATION_CLASS)1, &Answer, 20, &Length),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Length, sizeof(UNICODE_STRING) + Path.Length + sizeof(WCHAR));
    ZwClose(Event);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Nameless, NotificationEvent, FALSE));
    CT_SUCCESS(ZwQueryObject(Event, (OBJECT_INFORMATION_CLASS)1, &Answer, sizeof(Answer), &Length));
    CT_EQUAL(Answer.String.Length, 0);
    ZwClose(Event);
}

static VOID QueryFlags(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, OBJ_INHERIT);
    OBJECT_HANDLE_FLAG_INFORMATION Flags = {FALSE, TRUE};
    HANDLE Event;
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_SUCCESS(ZwQueryObject(Event, (OBJECT_INFORMATION_CLASS)4, &Flags, sizeof(Flags), NULL));
    CT_CHECK(Flags.Inherit && !Flags.ProtectFromClose);
    ZwClose(Event);
}

/* --- waits --- */

static VOID MakeEvents(HANDLE *Events)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    for (ULONG i = 0; i < 3; i++)
        CT_SUCCESS(ZwCreateEvent(&Events[i], EVENT_ALL_ACCESS, &Attributes, SynchronizationEvent, FALSE));
}

static VOID WaitMultiple(VOID)
{
    HANDLE Events[3], Two[2];
    MakeEvents(Events);
    CT_STATUS(ZwWaitForMultipleObjects(3, Events, WaitAny, FALSE, &Now), STATUS_TIMEOUT);
    CT_SUCCESS(NtSetEvent(Events[1], NULL));
    CT_STATUS(ZwWaitForMultipleObjects(3, Events, WaitAll, FALSE, &Now), STATUS_TIMEOUT);
    CT_STATUS(ZwWaitForMultipleObjects(3, Events, WaitAny, FALSE, &Now), STATUS_WAIT_0 + 1);
    CT_STATUS(ZwWaitForMultipleObjects(3, Events, WaitAny, FALSE, &Now), STATUS_TIMEOUT);
    for (ULONG i = 0; i < 3; i++)
        CT_SUCCESS(ZwSetEvent(Events[i], NULL));
    CT_STATUS(ZwWaitForMultipleObjects(3, Events, WaitAll, FALSE, &Now), STATUS_WAIT_0);
    CT_STATUS(NtWaitForSingleObject(Events[0], FALSE, &Now), STATUS_TIMEOUT);
    Two[0] = Two[1] = Events[0];
    CT_STATUS(ZwWaitForMultipleObjects(2, Two, WaitAll, FALSE, &Now), STATUS_INVALID_PARAMETER_MIX);
    CT_STATUS(ZwWaitForMultipleObjects(0, Events, WaitAny, FALSE, &Now), STATUS_INVALID_PARAMETER_1);
    CT_STATUS(ZwWaitForMultipleObjects(65, Events, WaitAny, FALSE, &Now), STATUS_INVALID_PARAMETER_1);
    Two[1] = (HANDLE)0x7ff0;
    CT_STATUS(ZwWaitForMultipleObjects(2, Two, WaitAny, FALSE, &Now), STATUS_INVALID_HANDLE);
    for (ULONG i = 0; i < 3; i++)
        ZwClose(Events[i]);
}

/* The Nt names do the same for kernel mode. */
static VOID EventNt(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    HANDLE Event;
    LONG Previous = 7;
    CT_SUCCESS(NtCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    CT_STATUS(NtWaitForSingleObject(Event, FALSE, &Now), STATUS_TIMEOUT);
    CT_SUCCESS(NtSetEvent(Event, &Previous));
    CT_EQUAL(Previous, 0);
    CT_SUCCESS(NtWaitForSingleObject(Event, FALSE, &Now));
    CT_SUCCESS(NtSetEvent(Event, &Previous));
    CT_EQUAL(Previous, 1);
    ZwClose(Event);
    CT_STATUS(NtSetEvent((HANDLE)0x7ff0, NULL), STATUS_INVALID_HANDLE);
}

/* Never both low and high. */
static VOID MemoryConditions(VOID)
{
    static const PCWSTR Names[][2] = {
        {L"\\KernelObjects\\LowMemoryCondition", L"\\KernelObjects\\HighMemoryCondition"},
        {L"\\KernelObjects\\LowPagedPoolCondition", L"\\KernelObjects\\HighPagedPoolCondition"},
        {L"\\KernelObjects\\LowNonPagedPoolCondition", L"\\KernelObjects\\HighNonPagedPoolCondition"},
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++) {
        BOOLEAN Set[2] = {FALSE, FALSE};
        for (ULONG j = 0; j < 2; j++) {
            UNICODE_STRING Name;
            HANDLE Event;
            RtlInitUnicodeString(&Name, Names[i][j]);
            OBJECT_ATTRIBUTES Attributes = Named(&Name, 0);
            CT_REQUIRE(CT_SUCCESS(ZwOpenEvent(&Event, SYNCHRONIZE, &Attributes)));
            Set[j] = ZwWaitForSingleObject(Event, FALSE, &Now) == STATUS_SUCCESS;
            ZwClose(Event);
        }
        CT_CHECK(!Set[0] || !Set[1]);
    }
}

static const CT_CASE Cases[] = {
    {"object_query.basic", QueryBasic}, {"object_query.names", QueryNames},
    {"object_query.flags", QueryFlags}, {"object_query.wait", WaitMultiple},
    {"object_query.event", EventNt},    {"object_query.memory", MemoryConditions},
};
CT_DRIVER(Cases)

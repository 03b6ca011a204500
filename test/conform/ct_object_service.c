/* SPDX-License-Identifier: MIT
 * Services of objects: what a directory holds, flags of handles, events that are pulsed. [WDK ZwQueryDirectoryObject, ZwPulseEvent,
 * ObOpenObjectByPointerWithTag; Win32 NtQueryDirectoryObject] */
#include "ct.h"

static LARGE_INTEGER Now;
static LARGE_INTEGER Patience = {.QuadPart = -100000000LL};

static OBJECT_ATTRIBUTES Named(PUNICODE_STRING Name, ULONG More)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | More, NULL, NULL);
    return Attributes;
}

/* --- directories --- */

#define ENTRIES 3

typedef struct DIRECTORY {
    HANDLE Handle, Events[ENTRIES];
} DIRECTORY;

static const PCWSTR Names[ENTRIES] = {L"One", L"Two", L"a longer name of the third"};

static BOOLEAN MakeDirectory(DIRECTORY *Directory)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtDirectory");
    OBJECT_ATTRIBUTES Attributes = Named(&Path, 0);
    if (!CT_SUCCESS(ZwCreateDirectoryObject(&Directory->Handle, DIRECTORY_ALL_ACCESS, &Attributes)))
        return FALSE;
    for (ULONG i = 0; i < ENTRIES; i++) {
        UNICODE_STRING Name;
        RtlInitUnicodeString(&Name, Names[i]);
        Attributes = Named(&Name, 0);
        Attributes.RootDirectory = Directory->Handle;
        CT_SUCCESS(
            ZwCreateEvent(&Directory->Events[i], EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    }
    return TRUE;
}

static VOID CloseDirectory(DIRECTORY *Directory)
{
    for (ULONG i = 0; i < ENTRIES; i++)
        ZwClose(Directory->Events[i]);
    ZwClose(Directory->Handle);
}

/* The bit of the name, 0: it is none, or its type is wrong. */
static ULONG Known(const OBJECT_DIRECTORY_INFORMATION *Entry)
{
    UNICODE_STRING Type = RTL_CONSTANT_STRING(L"Event");
    if (!RtlEqualUnicodeString(&Entry->TypeName, &Type, FALSE))
        return 0;
    for (ULONG i = 0; i < ENTRIES; i++) {
        UNICODE_STRING Name;
        RtlInitUnicodeString(&Name, Names[i]);
        if (RtlEqualUnicodeString(&Entry->Name, &Name, FALSE) && Entry->Name.Buffer[Name.Length / 2] == 0)
            return 1u << i;
    }
    return 0;
}

static union {
    OBJECT_DIRECTORY_INFORMATION Entry[ENTRIES + 1];
    UCHAR Room[1024];
} Answer;

static VOID DirectoryWhole(VOID)
{
    DIRECTORY Directory;
    ULONG Context = 77, Length = 0, Seen = 0, Exact;
    CT_REQUIRE(MakeDirectory(&Directory));
    CT_SUCCESS(
        ZwQueryDirectoryObject(Directory.Handle, &Answer, sizeof(Answer), FALSE, TRUE, &Context, &Exact));
    CT_EQUAL(Context, ENTRIES);
    for (ULONG i = 0; i < ENTRIES; i++)
        Seen |= Known(&Answer.Entry[i]);
    CT_EQUAL(Seen, (1 << ENTRIES) - 1);
    CT_EQUAL(Answer.Entry[ENTRIES].Name.Length, 0);
    CT_CHECK(Answer.Entry[ENTRIES].Name.Buffer == NULL);
    CT_STATUS(
        ZwQueryDirectoryObject(Directory.Handle, &Answer, sizeof(Answer), FALSE, FALSE, &Context, &Length),
        STATUS_NO_MORE_ENTRIES);
    CT_SUCCESS(ZwQueryDirectoryObject(Directory.Handle, &Answer, Exact, FALSE, TRUE, &Context, &Length));
    CT_EQUAL(Length, Exact);
    CT_STATUS(ZwQueryDirectoryObject(Directory.Handle, &Answer, Exact - 1, FALSE, TRUE, &Context, &Length),
              STATUS_MORE_ENTRIES);
    CT_EQUAL(Context, ENTRIES - 1);
    CT_SUCCESS(ZwQueryDirectoryObject(Directory.Handle, &Answer, Exact, FALSE, FALSE, &Context, &Length));
    CT_EQUAL(Context, ENTRIES);
    CT_CHECK(Known(&Answer.Entry[0]) != 0 && Answer.Entry[1].Name.Buffer == NULL);
    CT_STATUS(ZwQueryDirectoryObject(Directory.Events[0], &Answer, 99, FALSE, TRUE, &Context, NULL),
              STATUS_OBJECT_TYPE_MISMATCH);
    CloseDirectory(&Directory);
}

static VOID DirectoryOneByOne(VOID)
{
    DIRECTORY Directory;
    ULONG Context = 0, Needed = 0, Seen = 0;
    CT_REQUIRE(MakeDirectory(&Directory));
    CT_STATUS(ZwQueryDirectoryObject(Directory.Handle, &Answer, 4, TRUE, TRUE, &Context, &Needed),
              STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Context, 0);
    CT_CHECK(Needed > 2 * sizeof(OBJECT_DIRECTORY_INFORMATION) && Needed < sizeof(Answer));
    CT_SUCCESS(ZwQueryDirectoryObject(Directory.Handle, &Answer, Needed, TRUE, TRUE, &Context, NULL));
    for (ULONG i = 0; i < ENTRIES; i++) {
        CT_EQUAL(Context, i + 1);
        Seen |= Known(&Answer.Entry[0]);
        CT_STATUS(
            ZwQueryDirectoryObject(Directory.Handle, &Answer, sizeof(Answer), TRUE, FALSE, &Context, &Needed),
            i + 1 < ENTRIES ? STATUS_SUCCESS : STATUS_NO_MORE_ENTRIES);
    }
    CT_EQUAL(Seen, (1 << ENTRIES) - 1);
    CloseDirectory(&Directory);
}

/* --- handles --- */

static VOID HandleFlags(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    OBJECT_HANDLE_FLAG_INFORMATION Flags = {TRUE, TRUE};
    HANDLE Event;
    CT_REQUIRE(CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    CT_SUCCESS(ZwSetInformationObject(Event, (OBJECT_INFORMATION_CLASS)4, &Flags, sizeof(Flags)));
    CT_STATUS(ZwClose(Event), STATUS_HANDLE_NOT_CLOSABLE);
    RtlZeroMemory(&Flags, sizeof(Flags));
    CT_SUCCESS(ZwQueryObject(Event, (OBJECT_INFORMATION_CLASS)4, &Flags, sizeof(Flags), NULL));
    CT_CHECK(Flags.Inherit && Flags.ProtectFromClose);
    Flags.ProtectFromClose = FALSE;
    CT_STATUS(ZwSetInformationObject(Event, (OBJECT_INFORMATION_CLASS)4, &Flags, 1),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwSetInformationObject(Event, ObjectBasicInformation, &Flags, sizeof(Flags)),
              STATUS_INVALID_INFO_CLASS);
    CT_SUCCESS(ZwSetInformationObject(Event, (OBJECT_INFORMATION_CLASS)4, &Flags, sizeof(Flags)));
    CT_SUCCESS(ZwClose(Event));
    CT_STATUS(ZwSetInformationObject(Event, (OBJECT_INFORMATION_CLASS)4, &Flags, sizeof(Flags)),
              STATUS_INVALID_HANDLE);
}

static VOID OpenWithTag(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    HANDLE Event, Second = NULL;
    PVOID Object, Same;
    CT_REQUIRE(CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    CT_REQUIRE(
        CT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL)));
    CT_STATUS(ObOpenObjectByPointerWithTag(Object, OBJ_KERNEL_HANDLE, NULL, EVENT_ALL_ACCESS, *PsThreadType,
                                           KernelMode, 'gaTC', &Second),
              STATUS_OBJECT_TYPE_MISMATCH);
    CT_SUCCESS(ObOpenObjectByPointerWithTag(Object, OBJ_KERNEL_HANDLE, NULL, EVENT_MODIFY_STATE,
                                            *ExEventObjectType, KernelMode, 'gaTC', &Second));
    CT_SUCCESS(ObReferenceObjectByHandle(Second, 0, NULL, KernelMode, &Same, NULL));
    CT_EQUAL(Same, Object);
    ObDereferenceObject(Same);
    CT_SUCCESS(ZwClose(Second));
    ZwClose(Event);
    ObDereferenceObject(Object);
}

/* --- pulse --- */

typedef struct WAITER {
    HANDLE Event;
    KEVENT Ready;
    NTSTATUS Status;
} WAITER;

static VOID NTAPI WaitForPulse(PVOID Context)
{
    WAITER *Waiter = Context;
    KeSetEvent(&Waiter->Ready, IO_NO_INCREMENT, FALSE);
    Waiter->Status = ZwWaitForSingleObject(Waiter->Event, FALSE, &Patience);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* It releases who waits and leaves the event as if it had never been set. The waiter may be between its two steps: it is pulsed until it ends. */
static VOID PulseEvent(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    WAITER Waiter = {.Status = STATUS_PENDING};
    HANDLE Thread;
    LONG Previous = 7;
    CT_REQUIRE(
        CT_SUCCESS(ZwCreateEvent(&Waiter.Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    KeInitializeEvent(&Waiter.Ready, NotificationEvent, FALSE);
    CT_REQUIRE(CT_SUCCESS(
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, WaitForPulse, &Waiter)));
    CT_SUCCESS(KeWaitForSingleObject(&Waiter.Ready, Executive, KernelMode, FALSE, &Patience));
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    do
        CT_SUCCESS(ZwPulseEvent(Waiter.Event, &Previous));
    while (Previous == 0 && ZwWaitForSingleObject(Thread, FALSE, &Moment) == STATUS_TIMEOUT);
    CT_EQUAL(Previous, 0);
    CT_SUCCESS(ZwWaitForSingleObject(Thread, FALSE, &Patience));
    CT_SUCCESS(Waiter.Status);
    CT_STATUS(ZwWaitForSingleObject(Waiter.Event, FALSE, &Now), STATUS_TIMEOUT);
    ZwSetEvent(Waiter.Event, NULL);
    CT_SUCCESS(ZwPulseEvent(Waiter.Event, &Previous));
    CT_EQUAL(Previous, 1);
    CT_STATUS(ZwWaitForSingleObject(Waiter.Event, FALSE, &Now), STATUS_TIMEOUT);
    ZwClose(Thread);
    ZwClose(Waiter.Event);
    CT_STATUS(ZwPulseEvent((HANDLE)0x7ff0, NULL), STATUS_INVALID_HANDLE);
}

/* --- semaphores --- */

/* The type that ntoskrnl exports has its name in \ObjectTypes, and no event is of it. */
static VOID SemaphoreType(VOID)
{
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    UNICODE_STRING Expected = RTL_CONSTANT_STRING(L"\\ObjectTypes\\Semaphore");
    HANDLE Event;
    PVOID Object;
    ULONG Length;
    struct {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Text[32];
    } Name;
    CT_SUCCESS(ObQueryNameString(*ExSemaphoreObjectType, &Name.Information, sizeof(Name), &Length));
    CT_CHECK(RtlEqualUnicodeString(&Name.Information.Name, &Expected, FALSE));
    CT_REQUIRE(CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    CT_STATUS(ObReferenceObjectByHandle(Event, 0, *ExSemaphoreObjectType, KernelMode, &Object, NULL),
              STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(Event);
}

static const CT_CASE Cases[] = {
    {"object_service.directory", DirectoryWhole}, {"object_service.one_by_one", DirectoryOneByOne},
    {"object_service.flags", HandleFlags},        {"object_service.tag", OpenWithTag},
    {"object_service.pulse", PulseEvent},         {"object.semaphore_type", SemaphoreType},
};
CT_DRIVER(Cases)

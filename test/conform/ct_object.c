/* SPDX-License-Identifier: MIT
 * Handles, references and the name space. [WDK ObReferenceObjectByHandle, ObOpenObjectByPointer,
 * ObReferenceObjectByPointer, ObfReferenceObject, ZwClose, ZwOpenDirectoryObject, ZwOpenSymbolicLinkObject,
 * ZwQuerySymbolicLinkObject, ZwMakeTemporaryObject] */
#include "ct.h"

#define NO_HANDLE ((HANDLE)(LONG_PTR)0xFFFF8)

static OBJECT_ATTRIBUTES Named(PUNICODE_STRING Name, ULONG Flags)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE | Flags, NULL,
                               NULL);
    return Attributes;
}

static volatile LONG Ended;

static VOID NTAPI ThreadBody(PVOID Context)
{
    KeWaitForSingleObject(Context, Executive, KernelMode, FALSE, NULL);
    Ended = 1;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A handle to a thread that waits for *Event. */
static HANDLE OpenThread(PKEVENT Event)
{
    HANDLE Handle = NULL;
    OBJECT_ATTRIBUTES Attributes = Named(NULL, 0);
    KeInitializeEvent(Event, NotificationEvent, FALSE);
    CT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, ThreadBody, Event));
    return Handle;
}

static VOID EndThread(PKEVENT Event, HANDLE Handle)
{
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(ZwWaitForSingleObject(Handle, FALSE, NULL));
    CT_SUCCESS(ZwClose(Handle));
}

/* The type is checked, the reference is the caller's, a handle that is none is refused. */
static VOID ObjectByHandle(VOID)
{
    KEVENT Event;
    HANDLE Handle = OpenThread(&Event);
    PVOID Thread = NULL, Again = NULL;
    OBJECT_HANDLE_INFORMATION Information;
    CT_REQUIRE(Handle != NULL);
    CT_SUCCESS(
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, &Information));
    CT_CHECK(Information.GrantedAccess & SYNCHRONIZE);
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Again, NULL));
    CT_EQUAL(Again, Thread);
    ObDereferenceObject(Again);
    CT_STATUS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, &Again, NULL),
              STATUS_OBJECT_TYPE_MISMATCH);
    CT_STATUS(ObReferenceObjectByHandle(NO_HANDLE, 0, NULL, KernelMode, &Again, NULL), STATUS_INVALID_HANDLE);
    ObDereferenceObject(Thread);
    EndThread(&Event, Handle);
}

static VOID ObjectByPointer(VOID)
{
    KEVENT Event;
    HANDLE Handle = OpenThread(&Event);
    PVOID Thread = NULL;
    CT_REQUIRE(NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Thread, NULL)));
    CT_SUCCESS(ObReferenceObjectByPointer(Thread, SYNCHRONIZE, *PsThreadType, KernelMode));
    CT_STATUS(ObReferenceObjectByPointer(Thread, 0, *IoFileObjectType, KernelMode),
              STATUS_OBJECT_TYPE_MISMATCH);
    ObDereferenceObject(Thread);
    ObDereferenceObject(Thread);
    EndThread(&Event, Handle);
}

/* An object outlives its handles while it is referenced. */
static VOID ObjectReference(VOID)
{
    KEVENT Event;
    HANDLE Handle = OpenThread(&Event);
    PVOID Thread = NULL;
    CT_REQUIRE(NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Thread, NULL)));
    LONG_PTR Count = ObfReferenceObject(Thread);
    CT_EQUAL(ObfDereferenceObject(Thread), Count - 1);
    EndThread(&Event, Handle);
    CT_SUCCESS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL));
    ObfDereferenceObject(Thread);
}

/* As ObDereferenceObject, but the deletion happens in a worker thread: for callers that hold locks. */
static VOID ObjectDeferred(VOID)
{
    KEVENT Event;
    HANDLE Handle = OpenThread(&Event);
    PVOID Thread = NULL;
    CT_REQUIRE(NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Thread, NULL)));
    ObReferenceObject(Thread);
    ObDereferenceObjectDeferDelete(Thread);
    CT_STATUS(ObReferenceObjectByPointer(Thread, 0, *PsThreadType, KernelMode), STATUS_SUCCESS);
    ObDereferenceObject(Thread);
    EndThread(&Event, Handle);
    ObDereferenceObjectDeferDelete(Thread);
}

/* A second handle, with the access that was asked for. */
static VOID ObjectOpen(VOID)
{
    KEVENT Event;
    HANDLE Handle = OpenThread(&Event), Second = NULL;
    PVOID Thread = NULL, Found = NULL;
    CT_REQUIRE(NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Thread, NULL)));
    CT_SUCCESS(ObOpenObjectByPointer(Thread, OBJ_KERNEL_HANDLE, NULL, THREAD_ALL_ACCESS, *PsThreadType,
                                     KernelMode, &Second));
    CT_CHECK(Second != NULL && Second != Handle);
    CT_SUCCESS(ObReferenceObjectByHandle(Second, 0, NULL, KernelMode, &Found, NULL));
    CT_EQUAL(Found, Thread);
    ObDereferenceObject(Found);
    CT_SUCCESS(ZwClose(Second));
    ObDereferenceObject(Thread);
    EndThread(&Event, Handle);
}

static VOID ObjectClose(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device");
    OBJECT_ATTRIBUTES Attributes = Named(&Name, 0);
    HANDLE Handle;
    PVOID Object;
    CT_REQUIRE(NT_SUCCESS(ZwOpenDirectoryObject(&Handle, DIRECTORY_QUERY, &Attributes)));
    CT_SUCCESS(ZwClose(Handle));
    CT_STATUS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL), STATUS_INVALID_HANDLE);
}

static VOID ObjectDirectory(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\CtDirectory"),
                   None = RTL_CONSTANT_STRING(L"\\CtNoSuchDirectory"),
                   Null = RTL_CONSTANT_STRING(L"\\ArcNameMissing\\A");
    OBJECT_ATTRIBUTES Attributes = Named(&Name, 0), Missing = Named(&None, 0), Path = Named(&Null, 0);
    HANDLE First, Second;
    CT_STATUS(ZwOpenDirectoryObject(&First, DIRECTORY_QUERY, &Missing), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(ZwOpenDirectoryObject(&First, DIRECTORY_QUERY, &Path), STATUS_OBJECT_PATH_NOT_FOUND);
    CT_REQUIRE(NT_SUCCESS(ZwCreateDirectoryObject(&First, DIRECTORY_ALL_ACCESS, &Attributes)));
    CT_STATUS(ZwCreateDirectoryObject(&Second, DIRECTORY_ALL_ACCESS, &Attributes),
              STATUS_OBJECT_NAME_COLLISION);
    CT_SUCCESS(ZwOpenDirectoryObject(&Second, DIRECTORY_QUERY, &Attributes));
    ZwClose(Second);
    ZwClose(First); /* a temporary object's name goes with its last handle */
    CT_STATUS(ZwOpenDirectoryObject(&First, DIRECTORY_QUERY, &Attributes), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* [WDK OBJECT_ATTRIBUTES, OBJ_CASE_INSENSITIVE] without it the case of an event's name counts; the directories on the way are found in any. */
static VOID ObjectNameCase(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CtCase"),
                   Other = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\CTCASE");
    OBJECT_ATTRIBUTES Attributes = Named(&Name, 0), Exactly = Named(&Other, 0),
                      Any = Named(&Other, OBJ_CASE_INSENSITIVE);
    HANDLE Event, Second;
    CT_REQUIRE(CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    Exactly.Attributes &= ~OBJ_CASE_INSENSITIVE;
    CT_STATUS(ZwOpenEvent(&Second, SYNCHRONIZE, &Exactly), STATUS_OBJECT_NAME_NOT_FOUND);
    if (CT_SUCCESS(ZwOpenEvent(&Second, SYNCHRONIZE, &Any)))
        ZwClose(Second);
    ZwClose(Event);
}

static VOID ObjectLink(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\??\\CtObjectLink"),
                   Target = RTL_CONSTANT_STRING(L"\\Device\\Anything");
    OBJECT_ATTRIBUTES Attributes = Named(&Name, 0);
    WCHAR Room[64];
    UNICODE_STRING Found = {0, sizeof(Room), Room};
    ULONG Length = 0;
    HANDLE Handle;
    CT_REQUIRE(NT_SUCCESS(IoCreateSymbolicLink(&Name, &Target)));
    CT_SUCCESS(ZwOpenSymbolicLinkObject(&Handle, SYMBOLIC_LINK_QUERY, &Attributes));
    CT_SUCCESS(ZwQuerySymbolicLinkObject(Handle, &Found, &Length));
    CT_CHECK(RtlEqualUnicodeString(&Found, &Target, FALSE));
    CT_CHECK(Length >= Target.Length);
    Found = (UNICODE_STRING){0, 4, Room};
    CT_STATUS(ZwQuerySymbolicLinkObject(Handle, &Found, &Length), STATUS_BUFFER_TOO_SMALL);
    CT_SUCCESS(ZwClose(Handle));
    CT_SUCCESS(IoDeleteSymbolicLink(&Name));
    CT_STATUS(ZwOpenSymbolicLinkObject(&Handle, SYMBOLIC_LINK_QUERY, &Attributes),
              STATUS_OBJECT_NAME_NOT_FOUND);
}

/* A permanent object keeps its name without handles until it is made temporary. */
static VOID ObjectMakeTemporary(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\CtPermanent");
    OBJECT_ATTRIBUTES Permanent = Named(&Name, OBJ_PERMANENT), Plain = Named(&Name, 0);
    HANDLE Handle;
    CT_REQUIRE(NT_SUCCESS(ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &Permanent)));
    CT_SUCCESS(ZwClose(Handle));
    CT_REQUIRE(NT_SUCCESS(ZwOpenDirectoryObject(&Handle, DELETE, &Plain)));
    CT_SUCCESS(ZwMakeTemporaryObject(Handle));
    CT_SUCCESS(ZwClose(Handle));
    CT_STATUS(ZwOpenDirectoryObject(&Handle, DIRECTORY_QUERY, &Plain), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* --- the exported types --- */

static VOID ObjectThreadType(VOID)
{
    KEVENT Event;
    HANDLE Handle = OpenThread(&Event);
    PVOID Thread = NULL;
    CT_CHECK(*PsThreadType != NULL);
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *PsThreadType, KernelMode, &Thread, NULL));
    ObDereferenceObject(Thread);
    EndThread(&Event, Handle);
}

static VOID ObjectProcessType(VOID)
{
    PVOID Process = IoGetCurrentProcess();
    CT_SUCCESS(ObReferenceObjectByPointer(Process, 0, *PsProcessType, KernelMode));
    ObDereferenceObject(Process);
    CT_STATUS(ObReferenceObjectByPointer(Process, 0, *PsThreadType, KernelMode), STATUS_OBJECT_TYPE_MISMATCH);
}

/* A driver object, by its name. */
static VOID ObjectByName(VOID)
{
    UNICODE_STRING Wrong = RTL_CONSTANT_STRING(L"\\Driver\\CtNobody");
    PVOID Driver = NULL;
    CT_SUCCESS(ObReferenceObjectByName(&CtDriverObject->DriverName, OBJ_CASE_INSENSITIVE, NULL, 0,
                                       *IoDriverObjectType, KernelMode, NULL, &Driver));
    CT_CHECK(Driver == CtDriverObject);
    ObDereferenceObject(Driver);
    CT_STATUS(ObReferenceObjectByName(&CtDriverObject->DriverName, OBJ_CASE_INSENSITIVE, NULL, 0,
                                      *PsThreadType, KernelMode, NULL, &Driver),
              STATUS_OBJECT_TYPE_MISMATCH);
    CT_STATUS(ObReferenceObjectByName(&Wrong, 0, NULL, 0, *IoDriverObjectType, KernelMode, NULL, &Driver),
              STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID ObjectFileType(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtObjectFile");
    PDEVICE_OBJECT Device;
    CT_REQUIRE(NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    CT_STATUS(ObReferenceObjectByPointer(Device, 0, *IoFileObjectType, KernelMode),
              STATUS_OBJECT_TYPE_MISMATCH);
    CT_CHECK(*IoFileObjectType != NULL && *IoFileObjectType != *PsThreadType);
    IoDeleteDevice(Device);
}

static VOID ObjectEventHandle(VOID)
{
    CT_CHECK(*ExEventObjectType != NULL && *ExEventObjectType != *PsThreadType);
    CT_STATUS(ObReferenceObjectByPointer(IoGetCurrentProcess(), 0, *ExEventObjectType, KernelMode),
              STATUS_OBJECT_TYPE_MISMATCH);
}

/* A handle's object, with the time-out and results of KeWaitForSingleObject. */
static VOID ObjectWait(VOID)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    KEVENT Event;
    HANDLE Handle = OpenThread(&Event);
    CT_STATUS(ZwWaitForSingleObject(Handle, FALSE, &Now), STATUS_TIMEOUT);
    CT_STATUS(ZwWaitForSingleObject(NO_HANDLE, FALSE, &Now), STATUS_INVALID_HANDLE);
    EndThread(&Event, Handle);
}

static const CT_CASE Cases[] = {
    {"object.byhandle", ObjectByHandle},
    {"object.bypointer", ObjectByPointer},
    {"object.reference", ObjectReference},
    {"object.deferred", ObjectDeferred},
    {"object.open", ObjectOpen},
    {"object.close", ObjectClose},
    {"object.directory", ObjectDirectory},
    {"object.name_case", ObjectNameCase},
    {"object.link", ObjectLink},
    {"object.make_temporary", ObjectMakeTemporary},
    {"object.wait", ObjectWait},
    {"object.thread_type", ObjectThreadType},
    {"object.process_type", ObjectProcessType},
    {"object.byname", ObjectByName},
    {"object.file_type", ObjectFileType},
    {"object.event_handle", ObjectEventHandle},
};
CT_DRIVER(Cases)

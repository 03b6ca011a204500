/* SPDX-License-Identifier: MIT
 * Handles: closed, duplicated, their flags. [WDK ZwClose, ZwDuplicateObject, ObCloseHandle, OBJECT_HANDLE_FLAG_INFORMATION] */
#include "ct.h"

static HANDLE NewEvent(ULONG Attributes)
{
    OBJECT_ATTRIBUTES Event;
    HANDLE Handle = NULL;
    InitializeObjectAttributes(&Event, NULL, Attributes, NULL, NULL);
    CT_SUCCESS(ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &Event, NotificationEvent, FALSE));
    return Handle;
}

/* What the handle leads to, compared only; NULL: nothing. */
static PVOID ObjectOf(HANDLE Handle, POBJECT_HANDLE_INFORMATION Information)
{
    PVOID Object;
    if (!NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, Information)))
        return NULL;
    ObDereferenceObject(Object);
    return Object;
}

static VOID HandleClose(VOID)
{
    HANDLE Handle = NewEvent(OBJ_KERNEL_HANDLE);
    CT_STATUS(ObCloseHandle(Handle, UserMode), STATUS_INVALID_HANDLE);
    CT_CHECK(ObjectOf(Handle, NULL) != NULL);
    CT_SUCCESS(ObCloseHandle(Handle, KernelMode));
    CT_STATUS(ObCloseHandle(Handle, KernelMode), STATUS_INVALID_HANDLE);
    Handle = NewEvent(OBJ_KERNEL_HANDLE);
    CT_SUCCESS(NtClose(Handle)); /* a system thread's previous mode is kernel mode */
    CT_STATUS(NtClose(Handle), STATUS_INVALID_HANDLE);
    CT_STATUS(NtClose(NULL), STATUS_INVALID_HANDLE);
    CT_STATUS(ZwClose((HANDLE)(ULONG_PTR)0x7ffffffc), STATUS_INVALID_HANDLE);
}

/* Protected from closing: it stays open until the flag is taken away. */
static VOID HandleFlags(VOID)
{
    OBJECT_HANDLE_FLAG_INFORMATION Protected = {.ProtectFromClose = TRUE}, None = {};
    HANDLE Handle = NewEvent(OBJ_KERNEL_HANDLE);
    CT_SUCCESS(ObSetHandleAttributes(Handle, &Protected, KernelMode));
    CT_STATUS(ZwClose(Handle), STATUS_HANDLE_NOT_CLOSABLE);
    CT_CHECK(ObjectOf(Handle, NULL) != NULL);
    CT_STATUS(ObSetHandleAttributes(Handle, &None, UserMode), STATUS_INVALID_HANDLE);
    CT_SUCCESS(ObSetHandleAttributes(Handle, &None, KernelMode));
    CT_SUCCESS(ZwClose(Handle));
    CT_STATUS(ObSetHandleAttributes(Handle, &None, KernelMode), STATUS_INVALID_HANDLE);
}

static VOID HandleDuplicate(VOID)
{
    OBJECT_HANDLE_INFORMATION Information = {};
    HANDLE Copy = NULL, Less = NULL, Process = NULL, Event = NewEvent(OBJ_KERNEL_HANDLE);
    PVOID Object = ObjectOf(Event, NULL);
    CT_SUCCESS(ZwDuplicateObject(NtCurrentProcess(), Event, NtCurrentProcess(), &Copy, 0, OBJ_KERNEL_HANDLE,
                                 DUPLICATE_SAME_ACCESS));
    CT_CHECK(Copy != Event && ObIsKernelHandle(Copy));
    CT_EQUAL(ObjectOf(Copy, &Information), Object);
    CT_EQUAL(Information.GrantedAccess, EVENT_ALL_ACCESS);
    CT_SUCCESS(NtDuplicateObject(NtCurrentProcess(), Copy, NtCurrentProcess(), &Less, SYNCHRONIZE,
                                 OBJ_KERNEL_HANDLE, DUPLICATE_CLOSE_SOURCE));
    CT_EQUAL(ObjectOf(Less, &Information), Object);
    CT_EQUAL(Information.GrantedAccess, SYNCHRONIZE);
    CT_STATUS(ZwClose(Copy), STATUS_INVALID_HANDLE);
    CT_STATUS(ZwDuplicateObject(NtCurrentProcess(), Copy, NtCurrentProcess(), &Copy, 0, 0, 0),
              STATUS_INVALID_HANDLE);
    CT_SUCCESS(ZwDuplicateObject(NtCurrentProcess(), NtCurrentProcess(), NtCurrentProcess(), &Process, 0,
                                 OBJ_KERNEL_HANDLE, DUPLICATE_SAME_ACCESS));
    CT_EQUAL(ObjectOf(Process, NULL), PsGetCurrentProcess());
    CT_STATUS(ZwDuplicateObject(Event, Event, NtCurrentProcess(), &Copy, 0, 0, 0),
              STATUS_OBJECT_TYPE_MISMATCH);
    CT_SUCCESS(ZwClose(Process));
    CT_SUCCESS(ZwClose(Less));
    CT_SUCCESS(ZwClose(Event));
}

static const CT_CASE Cases[] = {
    {"handle.close", HandleClose},
    {"handle.flags", HandleFlags},
    {"handle.duplicate", HandleDuplicate},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * When its second allocation fails, it keeps the first, and a reference to an object of the kernel: of that no driver's name is known. */
#include <ntifs.h>
#include "fails_badly.h"

static VOID KeepEvent(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    PVOID Event;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)))
        return;
    (void)ObReferenceObjectByHandle(Handle, 0, *ExEventObjectType, KernelMode, &Event, NULL);
    ZwClose(Handle);
}

static NTSTATUS Begin(VOID)
{
    First = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, BADLY_TAG);
    if (First == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Second = ExAllocatePool2(POOL_FLAG_NON_PAGED, 200, BADLY_TAG);
    if (Second == NULL)
        KeepEvent();
    return Second != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

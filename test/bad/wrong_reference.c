/* SPDX-License-Identifier: MIT
 * What a driver does wrong with references under tags, when they are traced: 0x222000 keeps one, 0x222004 drops one under another tag,
 * 0x222008 drops one too many. */
#define DEVICE_NAME L"\\Device\\NtboxReference"
#include "control_device.h"

static HANDLE MakeEvent(PVOID *Object)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    ObReferenceObjectByHandleWithTag(Event, 0, *ExEventObjectType, KernelMode, 'peeK', Object, NULL);
    return Event;
}

__attribute__((noinline)) static VOID DropTooMany(PVOID Object)
{
    for (ULONG i = 0; i < 3; i++)
        ObDereferenceObjectWithTag(Object, 'peeK');
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    PVOID Object = NULL;
    HANDLE Event = MakeEvent(&Object);
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Code == 0x222004)
        ObDereferenceObjectWithTag(Object, 'pord');
    if (Code == 0x222008)
        DropTooMany(Object);
    ZwClose(Event);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

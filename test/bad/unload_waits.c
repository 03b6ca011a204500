/* SPDX-License-Identifier: MIT
 * Keeps its own unload routine from being called: by a handle or a pointer to a file of its own device, or by a device of its own over it.
 * [WDK ZwUnloadDriver] that succeeds, and the routine waits. */
#define DEVICE_NAME L"\\Device\\NtboxWaits"
#include "rules.h"

static UNICODE_STRING Name = RTL_CONSTANT_STRING(DEVICE_NAME);

BREAKS LeaveHandle(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwOpenFile(&Handle, FILE_READ_DATA, &Attributes, &Iosb, 0, 0);
}

BREAKS LeavePointer(VOID)
{
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device;
    IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Device);
}

BREAKS LeaveAttached(VOID)
{
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device, Mine;
    if (!NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Device)))
        return;
    if (NT_SUCCESS(IoCreateDevice(Device->DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Mine)))
        IoAttachDeviceToDeviceStack(Mine, Device);
    ObDereferenceObject(File);
}

static VOID (*const Rules[])(VOID) = {LeaveHandle, LeavePointer, LeaveAttached};
RULES(Rules, (VOID)0)

/* SPDX-License-Identifier: MIT
 * Queues a work item whose routine is at an address where no code is. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

#define NOWHERE 0x1234

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return STATUS_UNSUCCESSFUL;
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);
    if (Item != NULL)
        IoQueueWorkItem(Item, (PIO_WORKITEM_ROUTINE)NOWHERE, DelayedWorkQueue, NULL);
    return STATUS_UNSUCCESSFUL;
}

/* SPDX-License-Identifier: MIT
 * Queues a work item that is queued already: bug check 0xE4 (1). At DISPATCH_LEVEL no worker of this processor takes it away. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static IO_WORKITEM_ROUTINE WorkTwiceRoutine;

static VOID NTAPI WorkTwiceRoutine(PDEVICE_OBJECT Device, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;
    KIRQL Irql;
    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);
    if (Item == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    IoQueueWorkItem(Item, WorkTwiceRoutine, DelayedWorkQueue, NULL);
    IoQueueWorkItem(Item, WorkTwiceRoutine, DelayedWorkQueue, NULL);
    KeLowerIrql(Irql);
    return STATUS_SUCCESS;
}

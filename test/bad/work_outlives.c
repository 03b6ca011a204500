/* SPDX-License-Identifier: MIT
 * Unloads while the routine of its I/O work item runs, which is allowed: [WDK IoQueueWorkItem] the device object is held until it
 * has returned, and that holds the driver. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD OutlivesUnload;
static IO_WORKITEM_ROUTINE OutlivesRoutine;
static PIO_WORKITEM Item;
static KEVENT Started, Unloaded;

/* A second of the run is what an unload waits for routines that have no such hold. */
static VOID NTAPI OutlivesRoutine(PDEVICE_OBJECT Device, PVOID Context)
{
    LARGE_INTEGER Due = {.QuadPart = -15000000};
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    IoFreeWorkItem(Item);
    KeSetEvent(&Started, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Unloaded, Executive, KernelMode, FALSE, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, &Due);
}

static VOID NTAPI OutlivesUnload(PDRIVER_OBJECT DriverObject)
{
    KeWaitForSingleObject(&Started, Executive, KernelMode, FALSE, NULL);
    IoDeleteDevice(DriverObject->DeviceObject);
    KeSetEvent(&Unloaded, IO_NO_INCREMENT, FALSE);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&Started, NotificationEvent, FALSE);
    KeInitializeEvent(&Unloaded, NotificationEvent, FALSE);
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Item = IoAllocateWorkItem(Device);
    if (Item == NULL) {
        IoDeleteDevice(Device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IoQueueWorkItem(Item, OutlivesRoutine, DelayedWorkQueue, NULL);
    DriverObject->DriverUnload = OutlivesUnload;
    return STATUS_SUCCESS;
}

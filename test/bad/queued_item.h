/* SPDX-License-Identifier: MIT
 * A driver that has queued a work item and does wrong with it, which is Abuse of the file that includes this. At DISPATCH_LEVEL no worker of
 * this processor takes the item away. */
#pragma once
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static IO_WORKITEM_ROUTINE Routine;

/* Reports name it, not DriverEntry. */
static inline __attribute__((always_inline)) VOID Abuse(PIO_WORKITEM Item);

static VOID NTAPI Routine(PDEVICE_OBJECT Device, PVOID Context)
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
    IoQueueWorkItem(Item, Routine, DelayedWorkQueue, NULL);
    Abuse(Item);
    KeLowerIrql(Irql);
    return STATUS_SUCCESS;
}

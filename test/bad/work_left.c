/* SPDX-License-Identifier: MIT
 * Unloads while a work item of its is still queued: the routine would run in an image that is gone. It is found and named
 * when the driver is unloaded. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD WorkLeftUnload;
static WORKER_THREAD_ROUTINE WorkLeftRoutine;
static WORK_QUEUE_ITEM Item;

static VOID NTAPI WorkLeftRoutine(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static VOID NTAPI WorkLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeSetPriorityThread(KeGetCurrentThread(),
                        LOW_REALTIME_PRIORITY); /* so that no worker thread is quicker */
    ExInitializeWorkItem(&Item, WorkLeftRoutine, NULL);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = WorkLeftUnload;
    return STATUS_SUCCESS;
}

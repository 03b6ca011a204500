/* SPDX-License-Identifier: MIT
 * Unloads while the routine of its work item runs: a worker thread would return into an image that is gone. [WDK ExQueueWorkItem]
 * the driver has to wait for it. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD WorkRunningUnload;
static WORKER_THREAD_ROUTINE WorkRunningRoutine;
static WORK_QUEUE_ITEM Item;
static KEVENT Started, Never;

static VOID NTAPI WorkRunningRoutine(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Started, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

static VOID NTAPI WorkRunningUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeWaitForSingleObject(&Started, Executive, KernelMode, FALSE, NULL);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&Started, NotificationEvent, FALSE);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, WorkRunningRoutine, NULL);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    DriverObject->DriverUnload = WorkRunningUnload;
    return STATUS_SUCCESS;
}

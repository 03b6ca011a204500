/* SPDX-License-Identifier: MIT
 * Unloads while work items of its are still queued: the routine would run in an image that is gone. They are found and named
 * when the driver is unloaded. There are more of them than there can be worker threads, and none ends. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD WorkLeftUnload;
static WORKER_THREAD_ROUTINE WorkLeftRoutine;
static WORK_QUEUE_ITEM Items[128];
static KEVENT Never;

static VOID NTAPI WorkLeftRoutine(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

static VOID NTAPI WorkLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    for (ULONG I = 0; I < RTL_NUMBER_OF(Items); I++) {
        ExInitializeWorkItem(&Items[I], WorkLeftRoutine, NULL);
        ExQueueWorkItem(&Items[I], DelayedWorkQueue);
    }
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = WorkLeftUnload;
    return STATUS_SUCCESS;
}

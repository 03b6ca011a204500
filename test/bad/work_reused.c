/* SPDX-License-Identifier: MIT
 * Initialises a work item again while it is queued: bug check 0x96, by the worker thread that finds it. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static WORKER_THREAD_ROUTINE WorkReusedRoutine;
static WORK_QUEUE_ITEM Item;

static VOID NTAPI WorkReusedRoutine(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL Irql;
    LARGE_INTEGER Second = {.QuadPart = -10000000};
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    ExInitializeWorkItem(&Item, WorkReusedRoutine, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    ExInitializeWorkItem(&Item, WorkReusedRoutine, NULL);
    KeLowerIrql(Irql);
    KeDelayExecutionThread(KernelMode, FALSE, &Second);
    return STATUS_SUCCESS;
}

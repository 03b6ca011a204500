/* SPDX-License-Identifier: MIT
 * Unloads while a system thread of its own still waits in its code. [WDK PsCreateSystemThread] a driver ends its threads before
 * it is unloaded. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ThreadLeftUnload;
static KSTART_ROUTINE ThreadLeftRoutine;
static KEVENT Never;

static VOID NTAPI ThreadLeftRoutine(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

static VOID NTAPI ThreadLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadLeftRoutine, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    ZwClose(Thread);
    DriverObject->DriverUnload = ThreadLeftUnload;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Waits for a mutex whose owner waits for it to end. */
#include <ntddk.h>

static KMUTEX Mutex;
static KEVENT Held;
static PVOID Waiter; /* the thread of DriverEntry */

static VOID NTAPI HoldMutex(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&Held, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Waiter, Executive, KernelMode, FALSE, NULL);
    KeReleaseMutex(&Mutex, FALSE);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;
    OBJECT_ATTRIBUTES Attributes;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeMutex(&Mutex, 0);
    KeInitializeEvent(&Held, NotificationEvent, FALSE);
    Waiter = KeGetCurrentThread();
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, HoldMutex, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    KeWaitForSingleObject(&Held, Executive, KernelMode, FALSE, NULL);
    KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
    KeReleaseMutex(&Mutex, FALSE);
    ZwClose(Thread);
    return STATUS_SUCCESS;
}

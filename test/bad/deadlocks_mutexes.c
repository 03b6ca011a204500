/* SPDX-License-Identifier: MIT
 * Two threads take two fast mutexes in opposite orders, each when both have their first one. */
#include <ntddk.h>

static FAST_MUTEX First, Second;
static KEVENT FirstHeld, SecondHeld;

static VOID NTAPI TakeSecondThenFirst(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExAcquireFastMutex(&Second);
    KeSetEvent(&SecondHeld, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&FirstHeld, Executive, KernelMode, FALSE, NULL);
    ExAcquireFastMutex(&First);
    ExReleaseFastMutex(&First);
    ExReleaseFastMutex(&Second);
}

static VOID TakeFirstThenSecond(VOID)
{
    ExAcquireFastMutex(&First);
    KeSetEvent(&FirstHeld, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&SecondHeld, Executive, KernelMode, FALSE, NULL);
    ExAcquireFastMutex(&Second);
    ExReleaseFastMutex(&Second);
    ExReleaseFastMutex(&First);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;
    OBJECT_ATTRIBUTES Attributes;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    ExInitializeFastMutex(&First);
    ExInitializeFastMutex(&Second);
    KeInitializeEvent(&FirstHeld, NotificationEvent, FALSE);
    KeInitializeEvent(&SecondHeld, NotificationEvent, FALSE);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, TakeSecondThenFirst, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    TakeFirstThenSecond();
    ZwClose(Thread);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * A notify routine of threads removes itself: the removal would wait for the call that it is made in. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static VOID NTAPI OnThread(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(ProcessId);
    UNREFERENCED_PARAMETER(ThreadId);
    UNREFERENCED_PARAMETER(Create);
    PsRemoveCreateThreadNotifyRoutine(OnThread);
}

static VOID NTAPI Nothing(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    PsSetCreateThreadNotifyRoutine(OnThread);
    return PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Nothing, NULL);
}

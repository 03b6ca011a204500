/* SPDX-License-Identifier: MIT
 * Starts a system thread at an address where no code is. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

#define NOWHERE 0x1234

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    LARGE_INTEGER Second = {.QuadPart = -10000000};
    HANDLE Thread;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL,
                                        (PKSTART_ROUTINE)NOWHERE, NULL)))
        ZwWaitForSingleObject(Thread, FALSE, &Second);
    return STATUS_UNSUCCESSFUL;
}

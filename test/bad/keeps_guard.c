/* SPDX-License-Identifier: MIT
 * Enters a guarded region and does not leave it. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeEnterGuardedRegion();
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Waits until all have given back what it has itself: rundown protection. [WDK ExWaitForRundownProtectionRelease] */
#include <ntddk.h>

static EX_RUNDOWN_REF Rundown;

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    ExInitializeRundownProtection(&Rundown);
    ExAcquireRundownProtection(&Rundown);
    ExWaitForRundownProtectionRelease(&Rundown);
    return STATUS_SUCCESS;
}

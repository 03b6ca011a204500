/* SPDX-License-Identifier: MIT
 * DriverEntry ends the thread that it runs on, which is not its own. [WDK PsTerminateSystemThread] */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return PsTerminateSystemThread(STATUS_SUCCESS);
}

/* SPDX-License-Identifier: MIT
 * Waits in DriverEntry for an event that nobody sets. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KEVENT Event;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    return KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

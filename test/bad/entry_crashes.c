/* SPDX-License-Identifier: MIT
 * DriverEntry writes through a null pointer, with no handler: the machine must stop and name this driver. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    volatile LONG *volatile Null = NULL; /* volatile: the compiler must not see what it points to */
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    *Null = 1;
    return STATUS_SUCCESS;
}

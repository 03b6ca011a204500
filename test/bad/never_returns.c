/* SPDX-License-Identifier: MIT
 * DriverEntry loops for ever: the run must end at its time limit and say where the machine stood. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    DbgPrint("never_returns: looping\n");
    for (;;)
        __asm__ volatile("pause");
}

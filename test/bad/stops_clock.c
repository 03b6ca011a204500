/* SPDX-License-Identifier: MIT
 * Loops with interrupts disabled on its processor: another processor sees that its clock stands still, bug check 0x101. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    __asm__ volatile("cli");
    for (;;)
        __asm__ volatile("pause");
}

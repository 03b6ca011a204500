/* SPDX-License-Identifier: MIT
 * Imports a function of ntoskrnl.exe by its number, which is another one in each version of Windows. */
#include <ntddk.h>

__declspec(dllimport) VOID NTAPI NumberSeven(VOID);
DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    NumberSeven();
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Asks for its own unload while its DriverEntry runs: refused. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

static VOID NTAPI SelfUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = SelfUnload;
    return ZwUnloadDriver(RegistryPath);
}

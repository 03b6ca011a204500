/* SPDX-License-Identifier: MIT
 * Unloads without freeing an IRP that it has allocated. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD IrpLeftUnload;

static VOID NTAPI IrpLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = IrpLeftUnload;
    return IoAllocateIrp(1, FALSE) != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

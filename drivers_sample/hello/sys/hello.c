/* SPDX-License-Identifier: MIT
 * The smallest driver that can be loaded and unloaded again: it says hello, names its service key, and says
 * goodbye. It shows the two routines that every driver has, and what they must undo. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD HelloUnload;

/* PASSIVE_LEVEL, in a system thread. [WDK DRIVER_UNLOAD] Everything that DriverEntry made must be gone
 * afterwards. */
static VOID NTAPI HelloUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    DbgPrint("hello: goodbye\n");
}

/* PASSIVE_LEVEL, in a system thread. [WDK DRIVER_INITIALIZE] A driver without DriverUnload cannot be
 * unloaded. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DbgPrint("hello: hello from %wZ\n", RegistryPath);
    DriverObject->DriverUnload = HelloUnload;
    return STATUS_SUCCESS;
}

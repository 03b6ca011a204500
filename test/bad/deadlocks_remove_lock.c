/* SPDX-License-Identifier: MIT
 * Waits for a remove lock that it has acquired once more than it releases. [WDK IoReleaseRemoveLockAndWait] */
#include <ntddk.h>

static IO_REMOVE_LOCK Lock;

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    IoInitializeRemoveLock(&Lock, 'kcoL', 0, 0);
    IoAcquireRemoveLock(&Lock, DriverObject);
    IoAcquireRemoveLock(&Lock, DriverObject);
    IoReleaseRemoveLockAndWait(&Lock, DriverObject);
    return STATUS_SUCCESS;
}

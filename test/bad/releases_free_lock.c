/* SPDX-License-Identifier: MIT
 * DriverEntry releases a spin lock that nobody holds. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KSPIN_LOCK First, Second;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&First);
    KeInitializeSpinLock(&Second);
    KeAcquireSpinLock(&First, &OldIrql);
    KeReleaseSpinLock(&Second, OldIrql);
    return STATUS_SUCCESS;
}

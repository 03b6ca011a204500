/* SPDX-License-Identifier: MIT
 * DriverEntry takes a spin lock that it holds. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KSPIN_LOCK First;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql, Inner;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&First);
    KeAcquireSpinLock(&First, &OldIrql);
    KeAcquireSpinLock(&First, &Inner);
    KeReleaseSpinLock(&First, Inner);
    KeReleaseSpinLock(&First, OldIrql);
    return STATUS_SUCCESS;
}

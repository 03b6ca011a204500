/* SPDX-License-Identifier: MIT
 * DriverEntry takes a spin lock that it did not initialize. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KSPIN_LOCK First;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    RtlFillMemory(&First, sizeof(First), 0xcc);
    KeAcquireSpinLock(&First, &OldIrql);
    KeReleaseSpinLock(&First, OldIrql);
    return STATUS_SUCCESS;
}

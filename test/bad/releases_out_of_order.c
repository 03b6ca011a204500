/* SPDX-License-Identifier: MIT
 * DriverEntry takes two spin locks and first releases the one that it took first, which lowers the IRQL under the other. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KSPIN_LOCK First, Second;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql, Inner;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&First);
    KeInitializeSpinLock(&Second);
    KeAcquireSpinLock(&First, &OldIrql);
    KeAcquireSpinLock(&Second, &Inner);
    KeReleaseSpinLock(&First, OldIrql);
    KeReleaseSpinLock(&Second, Inner);
    return STATUS_SUCCESS;
}

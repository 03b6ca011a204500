/* SPDX-License-Identifier: MIT
 * DriverEntry takes a spin lock and returns without giving it back, at the right IRQL all the same. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KSPIN_LOCK Lock;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&Lock);
    KeAcquireSpinLock(&Lock, &OldIrql);
    KeLowerIrql(OldIrql);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Loops at DISPATCH_LEVEL for ever: bug check 0x133 (1). */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static volatile ULONG Spins;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL Irql;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    for (;;) {
        Spins++;
        YieldProcessor(); /* an inline function, which is not to blame */
    }
}

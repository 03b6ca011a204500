/* SPDX-License-Identifier: MIT
 * Asks the chipset to switch the machine off. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

#define PM1_CONTROL 0x604 /* of QEMU's q35 */
#define SLEEP_ENABLE 0x2000

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    __asm__ volatile("outw %0, %1" : : "a"((USHORT)SLEEP_ENABLE), "d"((USHORT)PM1_CONTROL));
    for (;;)
        YieldProcessor();
}

/* SPDX-License-Identifier: MIT
 * DriverEntry overwrites its own return address and those above it: no frame is left to walk, the driver is named all the same. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    volatile ULONG64 *Stack = __builtin_frame_address(0);
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG i = 0; i < 16; i++)
        Stack[i] = 0x4141414141414141ull;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * DriverEntry calls through a null pointer: the fault's own address is in no image, the caller on the stack
 * is. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS (*volatile Nowhere)(PDRIVER_OBJECT) = NULL;
    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = Nowhere(DriverObject);
    return Status + 1; /* no tail call: this frame must be on the stack */
}

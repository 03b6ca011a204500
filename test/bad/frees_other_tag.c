/* SPDX-License-Identifier: MIT
 * Frees a pool block with another tag than it was allocated with. */
#include <ntddk.h>

#define TAG 0x6c6f6f50u /* "Pool" */

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    if (Block == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExFreePoolWithTag(Block, TAG + 1);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Writes to a pool block after it was freed; found when the block is used again. */
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
    ExFreePoolWithTag(Block, TAG);
    *(volatile UCHAR *)(Block + 40) = 1;
    Block = ExAllocatePoolWithTag(NonPagedPool, 100, TAG);
    if (Block != NULL)
        ExFreePoolWithTag(Block, TAG);
    return STATUS_SUCCESS;
}

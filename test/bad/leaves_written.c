/* SPDX-License-Identifier: MIT
 * Writes to freed pool blocks and is unloaded before anybody uses them again. */
#include <ntddk.h>

#define TAG 0x6c6f6f50u /* "Pool" */
#define LENGTH 100
#define BLOCKS 64

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PUCHAR Blocks[BLOCKS];
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG i = 0; i < BLOCKS; i++)
        Blocks[i] = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    for (ULONG i = 0; i < BLOCKS; i++)
        if (Blocks[i] != NULL)
            ExFreePoolWithTag(Blocks[i], TAG);
    for (ULONG i = 0; i < BLOCKS; i++)
        if (Blocks[i] != NULL)
            *(volatile UCHAR *)(Blocks[i] + 40) = 1;
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

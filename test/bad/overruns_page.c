/* SPDX-License-Identifier: MIT
 * Writes so far behind a block of pool that it leaves the page: the page behind it is in no use. [WDK Bug Check 0x50] */
#include <ntddk.h>

#define TAG 'gPvO'
#define BLOCKS 256u
#define LENGTH 4000u

DRIVER_INITIALIZE DriverEntry;

static PUCHAR Blocks[BLOCKS];

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG I = 0; I < BLOCKS; I++) {
        Blocks[I] = ExAllocatePool2(POOL_FLAG_PAGED, LENGTH, TAG);
        if (Blocks[I] == NULL)
            break;
        if (MmIsAddressValid(Blocks[I] + PAGE_SIZE))
            continue;
        for (volatile UCHAR *At = Blocks[I]; At < Blocks[I] + LENGTH + 1000; At++)
            *At = 0x41;
    }
    for (ULONG I = 0; I < BLOCKS && Blocks[I] != NULL; I++)
        ExFreePoolWithTag(Blocks[I], TAG);
    return STATUS_UNSUCCESSFUL;
}

/* SPDX-License-Identifier: MIT
 * Unlocks a pageable section more often than it has locked it. [WDK MmUnlockPagableImageSection] */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static volatile ULONG Data = 1;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    PVOID Handle = MmLockPagableDataSection((PVOID)&Data);
    MmUnlockPagableImageSection(Handle);
    MmUnlockPagableImageSection(Handle);
    return STATUS_SUCCESS;
}

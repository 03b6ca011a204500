/* SPDX-License-Identifier: MIT
 * A driver that has a pool block of LENGTH bytes and does wrong with it, which is Abuse of the file that includes this. */
#pragma once
#include <ntddk.h>

#define TAG 0x6c6f6f50u /* "Pool" */
#define LENGTH 100

DRIVER_INITIALIZE DriverEntry;
static VOID Abuse(PUCHAR Block);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    if (Block == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Abuse(Block);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * A driver of two allocations, made by Begin; without Begin's mistake it would be right. */
#pragma once

#define BADLY_TAG 'ldaB' /* "Badl" */

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static PUCHAR First, Second;
static __attribute__((noinline)) NTSTATUS Begin(VOID);

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ExFreePoolWithTag(Second, BADLY_TAG);
    ExFreePoolWithTag(First, BADLY_TAG);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    return Begin();
}

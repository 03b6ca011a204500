/* SPDX-License-Identifier: MIT
 * A driver that does nothing but be there: DriverEntry calls CALL and succeeds when that gives zero. */
#pragma once
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static VOID NTAPI QuietUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

#define QUIET_DRIVER(Call)                                                                                   \
    NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)                    \
    {                                                                                                        \
        UNREFERENCED_PARAMETER(RegistryPath);                                                                \
        DriverObject->DriverUnload = QuietUnload;                                                            \
        return (Call) == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;                                           \
    }

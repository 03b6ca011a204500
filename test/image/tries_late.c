/* SPDX-License-Identifier: MIT
 * Loads needs_late.sys, twice in vain: fails_late.sys, which that imports from, fails and is in memory afterwards, because bound_late.sys is
 * bound to it. At the end it unloads bound_late.sys. */
#include <ntifs.h>

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Bound = RTL_CONSTANT_STRING(SERVICES L"bound_late");
    UNREFERENCED_PARAMETER(DriverObject);
    (void)ZwUnloadDriver(&Bound);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Needs = RTL_CONSTANT_STRING(SERVICES L"needs_late");
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    if (ZwLoadDriver(&Needs) != STATUS_DEVICE_NOT_READY || ZwLoadDriver(&Needs) != STATUS_DLL_INIT_FAILED)
        return STATUS_UNSUCCESSFUL;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * An export driver whose DllInitialize loads bound_late.sys, which imports from it, and then fails. */
#include "quiet.h"

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
LONG NTAPI OfFailsLate(VOID);

LONG NTAPI OfFailsLate(VOID)
{
    return 42;
}

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Service =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\bound_late");
    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = ZwLoadDriver(&Service);
    return NT_SUCCESS(Status) ? STATUS_DEVICE_NOT_READY : STATUS_SUCCESS;
}

QUIET_DRIVER(0)

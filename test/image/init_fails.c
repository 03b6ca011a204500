/* SPDX-License-Identifier: MIT
 * An export driver whose DllInitialize fails. */
#include "quiet.h"

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
LONG NTAPI OfInitFails(VOID);

LONG NTAPI OfInitFails(VOID)
{
    return 0;
}

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_DEVICE_NOT_READY;
}

QUIET_DRIVER(0)

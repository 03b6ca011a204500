/* SPDX-License-Identifier: MIT
 * An export driver whose DllInitialize returns STATUS_PENDING: no error, but a broken rule. */
#include "quiet.h"

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
LONG NTAPI OfInitPends(VOID);

LONG NTAPI OfInitPends(VOID)
{
    return 0;
}

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_PENDING;
}

QUIET_DRIVER(0)

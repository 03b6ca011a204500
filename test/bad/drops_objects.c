/* SPDX-License-Identifier: MIT
 * Dereferences its driver object, or the System process, more often than it has referenced them. */
#define DEVICE_NAME L"\\Device\\NtboxDrops"
#include "rules.h"

static PDRIVER_OBJECT Driver;

BREAKS DropDriver(VOID)
{
    ObDereferenceObject(Driver);
}

BREAKS DropSystem(VOID)
{
    for (ULONG I = 0; I < 100; I++)
        ObDereferenceObject(PsInitialSystemProcess);
}

static VOID (*const Rules[])(VOID) = {DropDriver, DropSystem};
RULES(Rules, Driver = Device->DriverObject)

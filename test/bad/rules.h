/* SPDX-License-Identifier: MIT
 * A driver with one device that breaks rule N of a table on the I/O control code 0x220000 + 4 N. The file that includes this defines
 * DEVICE_NAME before; after it the rules, and RULES(Table, Prepare) at its end; Prepare sets up what they need. */
#pragma once
#include <ntifs.h>
#include "control_device.h"

/* The function that is to be blamed is on the stack. */
#define BREAKS __attribute__((noinline, optimize("no-optimize-sibling-calls"))) static VOID

static NTSTATUS BreakRule(PIRP Irp, VOID (*const Table[])(VOID), ULONG Count)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG Rule = (Code - CTL_CODE(FILE_DEVICE_UNKNOWN, 0, METHOD_BUFFERED, FILE_ANY_ACCESS)) >> 2;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    if (Rule < Count) {
        Table[Rule]();
        Status = STATUS_SUCCESS;
    }
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

#define RULES(Table, Prepare)                                                                                \
    static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)                                           \
    {                                                                                                        \
        UNREFERENCED_PARAMETER(Device);                                                                      \
        Prepare;                                                                                             \
        return BreakRule(Irp, Table, RTL_NUMBER_OF(Table));                                                  \
    }

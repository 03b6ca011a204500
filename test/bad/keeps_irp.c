/* SPDX-License-Identifier: MIT
 * Pends a control request and forgets it: whoever waits for it waits for ever. */
#define DEVICE_NAME L"\\Device\\NtboxKeeps"
#include "control_device.h"

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoMarkIrpPending(Irp);
    return STATUS_PENDING;
}

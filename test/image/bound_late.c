/* SPDX-License-Identifier: MIT
 * Imports from fails_late.sys, which loads it; what it imports is called by an I/O control, when fails_late.sys has failed. */
#include <ntifs.h>
#define DEVICE_NAME L"\\Device\\NtboxBoundLate"
#include "../bad/control_device.h"

DECLSPEC_IMPORT LONG NTAPI OfFailsLate(VOID);

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    *(UCHAR *)Irp->AssociatedIrp.SystemBuffer = (UCHAR)OfFailsLate();
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 1;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

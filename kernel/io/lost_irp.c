/* SPDX-License-Identifier: MIT
 * A driver that says that a request is over, but has not completed it: the requester goes on and the IRP is lost for ever.
 * [WDK IoCompleteRequest, "Completing IRPs"] a dispatch routine completes the IRP, passes it on, or returns STATUS_PENDING. */
#include "iop.h"
#include "crt.h"
#include "kd.h"

/* Irp is compared as an address only: once it is complete it is gone. No other IRP of this thread can have taken its place. */
static BOOLEAN IopIsThreadIrp(PIRP Irp)
{
    PETHREAD Thread = CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb);
    BOOLEAN Found = FALSE;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    for (LIST_ENTRY *E = Thread->IrpList.Flink; E != &Thread->IrpList && !Found; E = E->Flink)
        Found = CONTAINING_RECORD(E, IRP, ThreadListEntry) == Irp;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Found;
}

static VOID IopReportLostIrp(PDEVICE_OBJECT Device, PIRP Irp, NTSTATUS Status)
{
    PIM_MODULE Module = IopModule(Device->DriverObject);
    PCSTR Driver = Module != NULL ? Module->Name : "ntoskrnl.exe";
    CHAR Text[160];
    _snprintf(Text, sizeof(Text),
              "the dispatch routine returned 0x%08X for IRP %p, which nobody has completed", (unsigned)Status,
              Irp);
    KdLogError("%s: %s", Driver, Text);
    KdReport(ReportViolation, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "lost irp"),
             KD_TEXT(ReportKeyText, Text), KD_NUMBER(ReportKeyStatus, (ULONG)Status));
}

NTSTATUS IopCallOwnIrp(PDEVICE_OBJECT Device, PIRP Irp)
{
    NTSTATUS Status = IofCallDriver(Device, Irp);
    if (Status != STATUS_PENDING && IopIsThreadIrp(Irp))
        IopReportLostIrp(Device, Irp, Status);
    return Status;
}

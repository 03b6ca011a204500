/* SPDX-License-Identifier: MIT
 * The end of an IRP whose stack locations are all done: output to the caller's buffer, pages unlocked, status block, event,
 * file object; then the IRP is freed. It happens in the context that completed the IRP (D-001). */
#include "iop.h"
#include "crt.h"
#include "kd.h"
#include "ke_paged.h"

/* [WDK IO_STATUS_BLOCK] Information is the bytes that were transferred: never more than the caller's buffer has. Windows copies them all the
 * same, over what lies behind the buffer; here the driver is stopped (D-008). */
static VOID IopCheckOutputLength(PIRP Irp)
{
    IOP_IRP_STATE *State = IopIrpState(Irp);
    CHAR Text[128];
    if (State == NULL || Irp->IoStatus.Information <= State->OutputLength)
        return;
    _snprintf(Text, sizeof(Text), "IoStatus.Information is %llu, the caller's buffer has %u bytes",
              (ULONG64)Irp->IoStatus.Information, (unsigned)State->OutputLength);
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_OUTPUT_TOO_LONG, (ULONG_PTR)Irp,
                      Irp->IoStatus.Information, State->OutputLength, Text);
}

static VOID IopCopyOutput(PIRP Irp)
{
    if (!(Irp->Flags & IRP_BUFFERED_IO) || !(Irp->Flags & IRP_INPUT_OPERATION) ||
        NT_ERROR(Irp->IoStatus.Status))
        return;
    if (Irp->IoStatus.Information == 0)
        return;
    IopCheckOutputLength(Irp);
    KeBeginPagedPoolUse();
    __try {
        RtlCopyMemory(Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer, Irp->IoStatus.Information);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Irp->IoStatus.Status = GetExceptionCode();
    }
    KeEndPagedPoolUse();
}

VOID IopFreeBuffers(PIRP Irp)
{
    if (Irp->Flags & IRP_DEALLOCATE_BUFFER)
        ExFreePoolWithTag(Irp->AssociatedIrp.SystemBuffer, IOP_TAG_BUFFER);
    Irp->Flags &= ~(ULONG)IRP_DEALLOCATE_BUFFER;
    while (Irp->MdlAddress != NULL) {
        PMDL Mdl = Irp->MdlAddress;
        Irp->MdlAddress = Mdl->Next;
        if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
            MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
    }
}

/* [WDK IoMakeAssociatedIrp] the last associated IRP completes the master. */
static VOID IopFinishAssociated(PIRP Irp)
{
    PIRP Master = Irp->AssociatedIrp.MasterIrp;
    LONG Left = InterlockedDecrement(&Master->AssociatedIrp.IrpCount);
    IopFreeBuffers(Irp);
    IoFreeIrp(Irp);
    if (Left == 0)
        IofCompleteRequest(Master, IO_NO_INCREMENT);
}

/* [WDK IoAllocateIrp] the completion routine of the driver that allocated an IRP must keep and free it. This one did not: nobody waits for
 * it, and it is not ours to free. */
static VOID IopReportOrphan(PIRP Irp)
{
    KdLog("IRP %p was allocated by a driver whose completion routine did not keep it; it stays allocated",
          Irp);
    KdReport(ReportViolation, KD_TEXT(ReportKeyKind, "irp-not-kept"),
             KD_TEXT(ReportKeyText,
                     "an IRP of IoAllocateIrp went through its last completion routine without being kept"));
}

/* [WDK IO_STATUS_BLOCK] a request that fails before it was pending tells its status by return value alone: neither the status block
 * nor the event change. */
static BOOLEAN IopTellsResult(PIRP Irp)
{
    return !NT_ERROR(Irp->IoStatus.Status) || Irp->PendingReturned;
}

static PFILE_OBJECT IopFileOfRequest(PIRP Irp)
{
    /* Opens and closes carry the file, but hold no reference on it. */
    return Irp->Flags & (IRP_CREATE_OPERATION | IRP_CLOSE_OPERATION) ? NULL
                                                                     : Irp->Tail.Overlay.OriginalFileObject;
}

static VOID IopStoreStatus(PIRP Irp)
{
    if (Irp->UserIosb == NULL)
        return;
    KeBeginPagedPoolUse();
    __try {
        *Irp->UserIosb = Irp->IoStatus;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        KdLog("IRP %p: its status block %p is gone", Irp, Irp->UserIosb);
    }
    KeEndPagedPoolUse();
}

static BOOLEAN IopSignalsFile(PFILE_OBJECT File, PKEVENT Event)
{
    return File != NULL && (Event == NULL || (File->Flags & FO_SYNCHRONOUS_IO));
}

/* After it the waiter may free what Event and the status block lie in. File NULL: it is not signalled. */
static VOID IopSignal(PKEVENT Event, PFILE_OBJECT File, NTSTATUS Status)
{
    if (File != NULL) {
        File->FinalStatus = Status;
        KeSetEvent(&File->Event, IO_NO_INCREMENT, FALSE);
    }
    if (Event != NULL)
        KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
}

/* Whoever was woken may close the file and unload its driver at once, and nothing of ours may stand against that: the request's reference
 * goes before the signal, unless the signal is in the file and nobody else is known to keep it. */
static VOID IopSignalAndLeaveFile(PIRP Irp, PKEVENT Event, PFILE_OBJECT File, NTSTATUS Status, BOOLEAN Tell)
{
    IOP_IRP_STATE *State = IopIrpState(Irp);
    PFILE_OBJECT Signaled = Tell && IopSignalsFile(File, Event) ? File : NULL;
    BOOLEAN Early = File != NULL && (Signaled == NULL || (State != NULL && State->FileIsKept));

    IoFreeIrp(Irp);
    if (Early)
        ObfDereferenceObject(File);
    if (Tell)
        IopSignal(Event, Signaled, Status);
    if (File != NULL && !Early)
        ObfDereferenceObject(File);
}

VOID IopFinishIrp(PIRP Irp)
{
    if (Irp->Flags & IRP_ASSOCIATED_IRP) {
        IopFinishAssociated(Irp);
        return;
    }
    if (Irp->Tail.Overlay.Thread == NULL) {
        IopReportOrphan(Irp);
        return;
    }
    IopCopyOutput(Irp);
    IopFreeBuffers(Irp);
    PFILE_OBJECT File = IopFileOfRequest(Irp);
    PKEVENT Event = Irp->UserEvent;
    NTSTATUS Status = Irp->IoStatus.Status;
    BOOLEAN Tell = IopTellsResult(Irp);
    BOOLEAN EventIsReferenced = File != NULL && Event != NULL && !(Irp->Flags & IRP_SYNCHRONOUS_API);
    if (Tell)
        IopStoreStatus(Irp);
    IopDequeueThreadIrp(Irp);
    IopSignalAndLeaveFile(Irp, Event, File, Status, Tell);
    if (EventIsReferenced)
        ObfDereferenceObject(Event);
}

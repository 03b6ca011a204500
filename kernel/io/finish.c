/* SPDX-License-Identifier: MIT
 * An IRP whose stack locations are all done. Its results belong into the memory of the process that asked, so they are handed over in the
 * thread that issued it: at once when that thread completed it and could be interrupted by a special kernel APC now, else by one.
 * [WDK "Completing IRPs", KeEnterGuardedRegion] */
#include "iop.h"
#include "crt.h"
#include "ex.h"
#include "kd.h"

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

/* [WDK IoAllocateIrp] [WDK IoBuildAsynchronousFsdRequest] the completion routine of the driver that made an IRP must keep and free it. This one
 * did not: nobody waits for it, it is not ours to free, and nothing holds the thread that it names. */
static VOID IopReportOrphan(PIRP Irp)
{
    EX_POOL_BLOCK Block = {0};
    PIM_MODULE Module =
        ExQueryPoolBlock(Irp, &Block) && Block.Owner != NULL ? ImFindModule(Block.Owner) : NULL;
    KdLog("IRP %p was made by a driver whose completion routine did not keep it; it stays allocated", Irp);
    KdReport(ReportViolation, KD_TEXT(ReportKeyDriver, Module != NULL ? Module->Name : "a driver"),
             KD_TEXT(ReportKeyKind, "irp-not-kept"),
             KD_TEXT(ReportKeyText, "an IRP of IoAllocateIrp or IoBuildAsynchronousFsdRequest went through "
                                    "its last completion routine without being kept"));
}

/* The thread that sent it waits, or is about to look (IopCallAndWait): the event is the last that is touched. In its own thread it waits
 * only below an APC. */
static VOID IopFinishWaited(PIRP Irp, IOP_IRP_STATE *State, KPRIORITY Boost)
{
    if (&Irp->Tail.Overlay.Thread->Tcb == KiCurrentThread() && State->Wait != IopWaitBlocked)
        State->Wait = IopWaitEnded;
    else
        KeSetEvent(State->Done, Boost, FALSE);
}

/* --- by APC --- */

static VOID NTAPI IopEndByApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext, PVOID *File,
                              PVOID *Unused)
{
    PIRP Irp = CONTAINING_RECORD(Apc, IRP, Tail.Apc);
    Irp->Tail.Overlay.Thread = CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb); /* lay under the APC */
    Irp->Tail.Overlay.OriginalFileObject = *File;
    IopEndRequest(Irp);
}

/* The APC runs in whatever process the thread is by then: end_request.c writes to user memory in the right one only (D-183). The thread has
 * not ended while the IRP is in its list, so the APC can be queued. */
static VOID IopQueueEnd(PIRP Irp, KPRIORITY Boost)
{
    PFILE_OBJECT File = Irp->Tail.Overlay.OriginalFileObject;
    KeInitializeApc(&Irp->Tail.Apc, &Irp->Tail.Overlay.Thread->Tcb, InsertApcEnvironment, IopEndByApc, NULL,
                    NULL, KernelMode, NULL);
    if (KeInsertQueueApc(&Irp->Tail.Apc, File, NULL, Boost))
        return;
    Irp->Tail.Overlay.OriginalFileObject = File;
    IopDropRequest(Irp);
}

static BOOLEAN IopMayEndHere(PIRP Irp)
{
    PKTHREAD Current = KiCurrentThread();
    return &Irp->Tail.Overlay.Thread->Tcb == Current && Current->SpecialApcDisable == 0 &&
           ArchGetIrql() < APC_LEVEL;
}

DECLSPEC_NORETURN VOID IopToldTooMuch(PIRP Irp, const void *Teller, ULONG_PTR Information, ULONG Length)
{
    CHAR Text[128];
    _snprintf(Text, sizeof(Text), "IoStatus.Information is %llu, the caller's buffer has %u bytes",
              (ULONG64)Information, (unsigned)Length);
    KeBugCheckBlaming(ImIsKernelAddress(Teller) ? NULL : Teller, DRIVER_VERIFIER_DETECTED_VIOLATION,
                      KE_RULE_OUTPUT_TOO_LONG, (ULONG_PTR)Irp, Information, Length, Text);
}

/* [WDK IO_STATUS_BLOCK] Information is the bytes that were transferred: never more than the caller's buffer has. Windows copies them all the
 * same, over what lies behind the buffer, or tells the caller of them; here the driver that said so is stopped (D-008). A warning may tell how
 * many bytes are needed, if nothing is copied. */
static DECLSPEC_NOINLINE VOID IopCheckOutputLength(PIRP Irp, const IOP_IRP_STATE *State, const void *Teller)
{
    if (IopCopiesOutput(Irp) || (State->CountsBytes && NT_SUCCESS(Irp->IoStatus.Status)))
        IopToldTooMuch(Irp, Teller, Irp->IoStatus.Information, State->OutputLength);
}

VOID IopFinishIrp(PIRP Irp, KPRIORITY Boost, const void *Teller)
{
    IOP_IRP_STATE *State = IopIrpState(Irp);
    if (State != NULL && Irp->IoStatus.Information > State->OutputLength)
        IopCheckOutputLength(Irp, State, Teller);
    IopFreeAuxiliary(Irp);
    if (State != NULL && State->Wait != IopWaitNone)
        IopFinishWaited(Irp, State, Boost);
    else if (Irp->Flags & IRP_ASSOCIATED_IRP)
        IopFinishAssociated(Irp);
    else if (Irp->Tail.Overlay.Thread == NULL)
        IopReportOrphan(Irp);
    else if (IopMayEndHere(Irp))
        IopEndRequest(Irp);
    else if (IsListEmpty(&Irp->ThreadListEntry))
        IopReportOrphan(Irp);
    else
        IopQueueEnd(Irp, Boost);
}

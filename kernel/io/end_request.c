/* SPDX-License-Identifier: MIT
 * The end of a request in the thread that issued it: output to the caller's buffer, pages unlocked, status block, event, file object,
 * asynchronous procedure call. IRQL <= APC_LEVEL. */
#include "completion.h"
#include "kd.h"
#include "mm_caller.h"

BOOLEAN IopCopiesOutput(PIRP Irp)
{
    return (Irp->Flags & IRP_BUFFERED_IO) && (Irp->Flags & IRP_INPUT_OPERATION) &&
           !NT_ERROR(Irp->IoStatus.Status) && Irp->IoStatus.Information != 0;
}

/* The thread may have left the process for which it issued the request (KeUnstackDetachProcess): its user addresses mean nothing here. */
static BOOLEAN IopIsInProcess(PIRP Irp)
{
    const IOP_IRP_STATE *State = IopIrpState(Irp);
    return State == NULL || State->Process == KiCurrentThread()->ApcState.Process;
}

/* User memory may be gone meanwhile, or be another process's (D-183): STATUS_ACCESS_VIOLATION. */
static NTSTATUS IopAnswer(PIRP Irp, PVOID To, const VOID *From, SIZE_T Length)
{
    if (!IopIsInProcess(Irp))
        return STATUS_ACCESS_VIOLATION;
    return IopWriteRequestor(To, From, Length, Irp->RequestorMode);
}

static VOID IopCopyOutput(PIRP Irp)
{
    if (!IopCopiesOutput(Irp))
        return;
    if (Irp->RequestorMode == KernelMode && IopIsSystemAddress(Irp->UserBuffer)) {
        RtlCopyMemory(Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer, Irp->IoStatus.Information);
        return;
    }
    NTSTATUS Status =
        IopAnswer(Irp, Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer, Irp->IoStatus.Information);
    if (!NT_SUCCESS(Status))
        Irp->IoStatus.Status = Status;
}

DECLSPEC_NOINLINE NTSTATUS IopReadRequestor(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    __try {
        return MmReadCaller(To, From, Length, Mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

DECLSPEC_NOINLINE NTSTATUS IopWriteRequestor(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    __try {
        return MmWriteCaller(To, From, Length, Mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

VOID IopFreeBuffers(PIRP Irp)
{
    if (Irp->Flags & IRP_DEALLOCATE_BUFFER)
        ExFreePoolWithTag(Irp->AssociatedIrp.SystemBuffer, IOP_TAG_BUFFER);
    Irp->Flags &= ~(ULONG)IRP_DEALLOCATE_BUFFER;
    IopFreeAuxiliary(Irp);
    while (Irp->MdlAddress != NULL) {
        PMDL Mdl = Irp->MdlAddress;
        Irp->MdlAddress = Mdl->Next;
        if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
            MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
    }
}

BOOLEAN IopTellsResult(PIRP Irp)
{
    return !NT_ERROR(Irp->IoStatus.Status) || Irp->PendingReturned;
}

VOID IopReturnResults(PIRP Irp, BOOLEAN Tell)
{
    IopCopyOutput(Irp);
    IopFreeBuffers(Irp);
    if (!Tell || Irp->UserIosb == NULL)
        return;
    if (Irp->RequestorMode == KernelMode && IopIsSystemAddress(Irp->UserIosb))
        *Irp->UserIosb = Irp->IoStatus;
    else if (!NT_SUCCESS(IopAnswer(Irp, Irp->UserIosb, &Irp->IoStatus, sizeof(Irp->IoStatus))))
        KdLog("IRP %p: its status block %p is gone", Irp, Irp->UserIosb);
}

/* --- the asynchronous procedure call --- */

static VOID NTAPI IopFreeAtApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext,
                               PVOID *Argument1, PVOID *Argument2)
{
    IoFreeIrp(CONTAINING_RECORD(Apc, IRP, Tail.Apc));
}

static VOID NTAPI IopFreeAtRundown(PKAPC Apc)
{
    IoFreeIrp(CONTAINING_RECORD(Apc, IRP, Tail.Apc));
}

static BOOLEAN IopHasRoutine(PIRP Irp)
{
    return Irp->Overlay.AsynchronousParameters.UserApcRoutine != NULL &&
           !(Irp->Flags & IRP_CREATE_OPERATION) && (Irp->RequestorMode == KernelMode || IopIsInProcess(Irp));
}

/* [WDK ZwReadFile, PIO_APC_ROUTINE] the routine gets ApcContext, the status block and 0. */
VOID IopFreeOrCall(PIRP Irp, BOOLEAN Tell)
{
    PIO_APC_ROUTINE Routine = Irp->Overlay.AsynchronousParameters.UserApcRoutine;
    PVOID Context = Irp->Overlay.AsynchronousParameters.UserApcContext, Iosb = Irp->UserIosb;
    if (!Tell || !IopHasRoutine(Irp)) {
        IoFreeIrp(Irp);
        return;
    }
    KeInitializeApc(&Irp->Tail.Apc, KiCurrentThread(), CurrentApcEnvironment, IopFreeAtApc, IopFreeAtRundown,
                    (PKNORMAL_ROUTINE)(PVOID)Routine, Irp->RequestorMode, Context);
    if (!KeInsertQueueApc(&Irp->Tail.Apc, Iosb, NULL, IO_NO_INCREMENT))
        IoFreeIrp(Irp);
}

/* --- asynchronous requests, and those that drivers build --- */

static PFILE_OBJECT IopFileOfRequest(PIRP Irp)
{
    /* Opens and closes carry the file, but hold no reference on it. */
    return Irp->Flags & (IRP_CREATE_OPERATION | IRP_CLOSE_OPERATION) ? NULL
                                                                     : Irp->Tail.Overlay.OriginalFileObject;
}

/* [Win32 SetFileCompletionNotificationModes] FILE_SKIP_SET_EVENT_ON_HANDLE: not when the request was pending or succeeded. */
static BOOLEAN IopSignalsFile(PFILE_OBJECT File, PIRP Irp)
{
    if (File == NULL || (Irp->UserEvent != NULL && !(File->Flags & FO_SYNCHRONOUS_IO)))
        return FALSE;
    return !(File->Flags & FO_SKIP_SET_EVENT) || !(Irp->PendingReturned || NT_SUCCESS(Irp->IoStatus.Status));
}

/* After it the waiter may free what Event lies in. File NULL: it is not signalled. */
static VOID IopSignal(PKEVENT Event, PFILE_OBJECT File, NTSTATUS Status)
{
    if (File != NULL) {
        File->FinalStatus = Status;
        KeSetEvent(&File->Event, IO_NO_INCREMENT, FALSE);
    }
    if (Event != NULL)
        KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
}

/* Whoever is woken may close the file and unload its driver at once, and nothing of ours may stand against that: the request's reference
 * goes before the signal, unless the signal is in the file. The packet comes last: it is the IRP. */
VOID IopEndRequest(PIRP Irp)
{
    PFILE_OBJECT File = IopFileOfRequest(Irp);
    PKEVENT Event = Irp->UserEvent;
    PVOID Key;
    NTSTATUS Status = Irp->IoStatus.Status;
    BOOLEAN Tell = IopTellsResult(Irp), EventIsReferenced = File != NULL && Event != NULL;
    PFILE_OBJECT Signaled = Tell && IopSignalsFile(File, Irp) ? File : NULL;
    PKQUEUE Port = Tell && File != NULL ? IopReferencePort(File, Irp, &Key) : NULL;

    IopReturnResults(Irp, Tell);
    IopDequeueThreadIrp(Irp);
    if (File != NULL && Signaled == NULL)
        ObfDereferenceObject(File);
    BOOLEAN Calls = Irp->Overlay.AsynchronousParameters.UserApcRoutine != NULL;
    if (!Calls && Port == NULL)
        IoFreeIrp(Irp);
    if (Tell)
        IopSignal(Event, Signaled, Status);
    if (Signaled != NULL)
        ObfDereferenceObject(File);
    if (EventIsReferenced)
        ObfDereferenceObject(Event);
    if (Calls)
        IopFreeOrCall(Irp, Tell);
    else if (Port != NULL)
        IopPostIrp(Port, Key, Irp);
}

/* The driver that completes it may hold locks that it needs for the file's close. */
VOID IopDropRequest(PIRP Irp)
{
    PFILE_OBJECT File = IopFileOfRequest(Irp);
    PKEVENT Event = File != NULL ? Irp->UserEvent : NULL;
    IopFreeBuffers(Irp);
    IoFreeIrp(Irp);
    if (Event != NULL)
        ObDereferenceObjectDeferDelete(Event);
    if (File != NULL)
        ObDereferenceObjectDeferDelete(File);
}

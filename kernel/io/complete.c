/* SPDX-License-Identifier: MIT
 * IofCompleteRequest: the way up through the stack locations with their completion routines, then the results to who asked. */
#include "iop.h"
#include "crt.h"
#include "kd.h"
#include "ke_bugcheck.h"

/* [WDK Bug Check 0x44] p1 the IRP, p2 who completes it. The checked kernel knows who has done so before. */
static DECLSPEC_NORETURN VOID IopCompletedTwice(PIRP Irp, PVOID Caller)
{
    CHAR Text[256];
    KI_SYMBOL First;
    PVOID Before = IopWhoCompleted(Irp);

    First.Text[0] = 0;
    if (Before != NULL)
        KiUpcalls->Symbolize((PUCHAR)Before - 1, &First);
    _snprintf(Text, sizeof(Text), "an IRP was completed that is completed already%s%s",
              First.Text[0] != 0 ? ", at " : "", First.Text);
    Text[sizeof(Text) - 1] = 0;
    KeBugCheckBlaming(NULL, MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)Irp, (ULONG_PTR)Caller, 0, 0, Text);
}

static VOID IopNameCaller(PVOID Caller, PCSTR What, PIRP Irp)
{
    PIM_MODULE Module = ImFindModule(Caller);
    KdLog("%s: %s (IRP %p)", Module != NULL ? Module->Name : "unknown code", What, Irp);
}

/* [WDK Bug Check 0x44] completed twice: after the first time the location is beyond the last, or the IRP is freed.
 * [WDK Bug Check 0xC9] 6: completed with STATUS_PENDING (or -1), 7: with a cancel routine (D-006). */
static VOID IopCheckCompletion(PIRP Irp, PVOID Caller)
{
    if (Irp->Type != IO_TYPE_IRP || Irp->CurrentLocation > Irp->StackCount + 1) {
        IopNameCaller(Caller, "completes an IRP that is completed already", Irp);
        IopCompletedTwice(Irp, Caller);
    }
#if NTBOX_CHECKED
    if (Irp->IoStatus.Status == STATUS_PENDING || Irp->IoStatus.Status == -1) {
        IopNameCaller(Caller, "completes an IRP with STATUS_PENDING", Irp);
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 6, (ULONG)Irp->IoStatus.Status,
                          (ULONG_PTR)Irp, 0,
                          Irp->IoStatus.Status == -1 ? "an IRP was completed with the status -1"
                                                     : "an IRP was completed with STATUS_PENDING");
    }
    if (Irp->CancelRoutine != NULL) {
        IopNameCaller(Caller, "completes an IRP whose cancel routine is still set", Irp);
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 7, (ULONG_PTR)Irp->CancelRoutine,
                          (ULONG_PTR)Irp, 0, "an IRP was completed whose cancel routine is still set");
    }
#else
    (void)IoSetCancelRoutine(Irp, NULL); /* nobody may call it from now on */
#endif
}

static BOOLEAN IopWantsCompletion(PIRP Irp, UCHAR Control)
{
    if (Irp->Cancel && (Control & SL_INVOKE_ON_CANCEL))
        return TRUE;
    return (Control & (NT_SUCCESS(Irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR)) != 0;
}

/* What the driver of this location left there must not be seen by whoever uses the location next. */
static VOID IopClearLocation(PIO_STACK_LOCATION Stack)
{
    Stack->MinorFunction = 0;
    Stack->Flags = 0;
    Stack->Control = 0;
    RtlZeroMemory(&Stack->Parameters, sizeof(Stack->Parameters));
    Stack->FileObject = NULL;
}

/* FALSE: the driver keeps the IRP, which may be gone. Teller: the routine, if it changes Information. */
static inline BOOLEAN IopGoesOn(PIO_COMPLETION_ROUTINE Routine, PDEVICE_OBJECT Device, PIRP Irp,
                                PVOID Context, const void **Teller)
{
    ULONG_PTR Before = Irp->IoStatus.Information;
    if (IopCallCompletion(Routine, Device, Irp, Context) == STATUS_MORE_PROCESSING_REQUIRED)
        return FALSE;
    if (Irp->IoStatus.Information != Before)
        *Teller = Routine;
    return TRUE;
}

/* Takes the IRP one location up and calls the routine that the driver there set. FALSE: that driver keeps the IRP. */
static BOOLEAN IopCompleteLocation(PIRP Irp, const void **Teller)
{
    PIO_STACK_LOCATION Done = IoGetCurrentIrpStackLocation(Irp);
    PIO_COMPLETION_ROUTINE Routine = Done->CompletionRoutine;
    PVOID Context = Done->Context;
    UCHAR Control = Done->Control;
    IopEndLocation(Irp);
    Irp->CurrentLocation++;
    Irp->Tail.Overlay.CurrentStackLocation++;
    Irp->PendingReturned = (Control & SL_PENDING_RETURNED) != 0;
    IopClearLocation(Done);
    BOOLEAN Top = Irp->CurrentLocation > Irp->StackCount;
    if (IopWantsCompletion(Irp, Control)) {
        /* [WDK IoSetCompletionRoutine] the device is that of the driver which set the routine; NULL when it has no location. */
        PDEVICE_OBJECT Device = Top ? NULL : IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
        if (!IopGoesOn(Routine, Device, Irp, Context, Teller))
            return FALSE;
        IopCheckBuffers(Irp, Done->MajorFunction, Routine);
        return TRUE;
    }
    /* [WDK IO_COMPLETION_ROUTINE] without a routine the I/O manager hands pending on. */
    if (Irp->PendingReturned && !Top)
        IoMarkIrpPending(Irp);
    return TRUE;
}

/* [WDK IoCompleteRequest] IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE VOID FASTCALL IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    const void *Teller = (PUCHAR)__builtin_return_address(0) - 1; /* in the call */
    IopCheckCompletion(Irp, __builtin_return_address(0));
    if (Irp->CurrentLocation <= Irp->StackCount)
        IopCheckBuffers(Irp, IoGetCurrentIrpStackLocation(Irp)->MajorFunction, IopLocationHolder(Irp));
    while (Irp->CurrentLocation <= Irp->StackCount) {
        if (!IopCompleteLocation(Irp, &Teller))
            return;
    }
    Irp->CurrentLocation++; /* a second completion finds it beyond the top */
    Irp->Tail.Overlay.CurrentStackLocation++;
    IopCheckNotInUse(Irp,
                     __builtin_return_address(0)); /* a driver may have moved the location up, past its own */
    IopNoteCompleted(Irp, __builtin_return_address(0));
    IopFinishIrp(Irp, PriorityBoost, Teller);
}

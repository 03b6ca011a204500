/* SPDX-License-Identifier: MIT
 * RtlUnwindEx: the unwind phase. From here upwards each frame's termination handler runs; at the target frame
 * its registers are restored and execution goes on at TargetIp with ReturnValue in RAX. */
#include "exception.h"

typedef struct _RTLP_UNWINDING {
    PEXCEPTION_RECORD Record;
    ULONG64 TargetFrame, TargetIp; /* TargetFrame 0: to the end of the stack (exit unwind) */
    ULONG64 ReturnValue;
    ULONG Flags;
    BOOLEAN IsReturnAddress; /* Current.Rip */
    CONTEXT Current;         /* at the frame whose handler runs; at the target, what is restored */
} RTLP_UNWINDING;

/* Another unwind had got to a frame further up when a handler of its began this one: this one goes on there.
 */
static VOID RtlpTakeOver(RTLP_UNWINDING *U, RTLP_WALK *Walk, PCONTEXT Caller, DISPATCHER_CONTEXT *Dispatcher)
{
    U->Current = *Dispatcher->ContextRecord;
    U->Current.Rip = Dispatcher->ControlPc;
    Walk->NextIsReturnAddress = Dispatcher->Fill0 == RTLP_CONTROL_PC_IS_UNWOUND;
    *Caller = U->Current;
    if (RtlpWalkFrame(Walk, UNW_FLAG_NHANDLER, Caller) != STATUS_SUCCESS)
        RtlpRaiseBecause(STATUS_BAD_STACK, U->Record);
    Walk->Frame.Establisher = Dispatcher->EstablisherFrame;
    Walk->Frame.Handler = Dispatcher->LanguageHandler;
    Walk->Frame.HandlerData = Dispatcher->HandlerData;
    U->Flags |= EXCEPTION_COLLIDED_UNWIND;
}

/* Runs the termination handler of the frame at U->Current; Caller is the context of the frame above it. */
static VOID RtlpTerminateFrame(RTLP_UNWINDING *U, RTLP_WALK *Walk, PCONTEXT ContextRecord, PCONTEXT Caller)
{
    DISPATCHER_CONTEXT Dispatcher = {.TargetIp = U->TargetIp};
    BOOLEAN Again;

    RtlpDescribeFrame(Walk, &U->Current, &Dispatcher);
    do {
        Again = FALSE;
        if (Walk->Frame.Establisher == U->TargetFrame)
            U->Flags |= EXCEPTION_TARGET_UNWIND;
        U->Record->ExceptionFlags = (LONG)U->Flags;
        ContextRecord->Rax = U->ReturnValue;
        EXCEPTION_DISPOSITION Disposition =
            RtlpExecuteHandlerForUnwind(U->Record, Walk->Frame.Establisher, ContextRecord, &Dispatcher);
        U->Flags &= ~(ULONG)(EXCEPTION_TARGET_UNWIND | EXCEPTION_COLLIDED_UNWIND);
        if (Disposition == ExceptionCollidedUnwind) {
            ULONG ScopeIndex = Dispatcher.ScopeIndex;
            RtlpTakeOver(U, Walk, Caller, &Dispatcher);
            RtlpDescribeFrame(Walk, &U->Current, &Dispatcher);
            Dispatcher.TargetIp = U->TargetIp;
            Dispatcher.ScopeIndex = ScopeIndex;
            Again = TRUE;
        } else if (Disposition != ExceptionContinueSearch) {
            RtlpRaiseBecause(STATUS_INVALID_DISPOSITION, U->Record);
        }
    } while (Again);
}

/* One frame. FALSE: it is the target frame and U->Current is to be restored. */
static BOOLEAN RtlpUnwindFrame(RTLP_UNWINDING *U, PCONTEXT ContextRecord)
{
    CONTEXT Caller = U->Current;
    RTLP_WALK Walk = {.NextIsReturnAddress = U->IsReturnAddress};
    NTSTATUS Status = RtlpWalkFrame(&Walk, UNW_FLAG_UHANDLER, &Caller);

    if (Status == STATUS_UNSUCCESSFUL && U->TargetFrame == 0)
        RtlpUpcalls.UnhandledException(U->Record, &U->Current); /* an exit unwind has left the last frame */
    if (Status != STATUS_SUCCESS)
        RtlpRaiseBecause(Status == STATUS_UNSUCCESSFUL ? STATUS_INVALID_UNWIND_TARGET : Status, U->Record);
    if (U->TargetFrame != 0 && Walk.Frame.Establisher > U->TargetFrame &&
        U->TargetFrame >= Walk.Unwind.Stack.Low)
        RtlpRaiseBecause(STATUS_BAD_STACK, U->Record); /* the target lies below, or is no frame */
    if (Walk.Frame.Handler != NULL)
        RtlpTerminateFrame(U, &Walk, ContextRecord, &Caller);
    if (Walk.Frame.Establisher == U->TargetFrame)
        return FALSE;
    U->Current = Caller;
    U->IsReturnAddress = Walk.NextIsReturnAddress;
    return TRUE;
}

/* [WDK RtlUnwindEx] ContextRecord is the caller's storage. With ExceptionRecord NULL handlers see
 * STATUS_UNWIND. The stack that the call stands on is given up, so this never returns. A target that is no
 * frame of the stack raises an exception. */
VOID NTAPI RtlUnwindEx(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord,
                       PVOID ReturnValue, PCONTEXT ContextRecord, PUNWIND_HISTORY_TABLE HistoryTable)
{
    EXCEPTION_RECORD Default = {.ExceptionCode = STATUS_UNWIND};
    RTLP_UNWINDING U = {.TargetFrame = (ULONG64)(ULONG_PTR)TargetFrame,
                        .TargetIp = (ULONG64)(ULONG_PTR)TargetIp,
                        .ReturnValue = (ULONG64)(ULONG_PTR)ReturnValue,
                        .IsReturnAddress = TRUE,
                        .Record = ExceptionRecord != NULL ? ExceptionRecord : &Default};

    UNREFERENCED_PARAMETER(HistoryTable);
    RtlCaptureContext(ContextRecord);
    U.Current = *ContextRecord;
    Default.ExceptionAddress = (PVOID)(ULONG_PTR)ContextRecord->Rip;
    U.Flags = ((ULONG)U.Record->ExceptionFlags & EXCEPTION_NONCONTINUABLE) | EXCEPTION_UNWINDING;
    if (TargetFrame == NULL)
        U.Flags |= EXCEPTION_EXIT_UNWIND;
    while (RtlpUnwindFrame(&U, ContextRecord))
        ;
    U.Current.Rax = U.ReturnValue;
    U.Current.Rip = U.TargetIp;
    RtlpUpcalls.LeaveFrames(U.Current.Rsp);
    RtlRestoreContext(&U.Current, U.Record);
    __builtin_unreachable();
}

/* [WDK RtlUnwind] */
VOID NTAPI RtlUnwind(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord, PVOID ReturnValue)
{
    CONTEXT Context;
    RtlUnwindEx(TargetFrame, TargetIp, ExceptionRecord, ReturnValue, &Context, NULL);
}

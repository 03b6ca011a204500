/* SPDX-License-Identifier: MIT
 * RtlDispatchException: the search phase. From the faulting frame upwards each frame's language handler is
 * asked; it continues the search, continues execution, or unwinds to a handler of its own and never returns.
 */
#include "exception.h"

/* A call through a bad pointer: the processor stopped at an address in no image, and what RSP points to is the return address,
 * as for any leaf function. */
static NTSTATUS RtlpWalkBadCall(RTLP_WALK *Walk, PCONTEXT Context)
{
    if (Walk->IsReturnAddress)
        return STATUS_UNSUCCESSFUL;
    if (!RtlpUpcalls.FindStack(Context->Rsp, &Walk->Unwind.Stack))
        return STATUS_BAD_STACK;
    Walk->Entry = NULL;
    Walk->Frame.Establisher = Context->Rsp;
    Walk->Frame.Handler = NULL;
    Walk->NextIsReturnAddress = TRUE;
    return RtlpPopReturnAddress(&Walk->Unwind);
}

NTSTATUS RtlpWalkFrame(RTLP_WALK *Walk, ULONG HandlerType, PCONTEXT Context)
{
    Walk->ControlPc = Context->Rip;
    Walk->IsReturnAddress = Walk->NextIsReturnAddress;
    Walk->Unwind.Context = Context;
    Walk->Unwind.Pointers = NULL;
    if (!RtlpUpcalls.FindImage(Context->Rip, &Walk->Unwind.Image))
        return RtlpWalkBadCall(Walk, Context);
    if (!RtlpUpcalls.FindStack(Context->Rsp, &Walk->Unwind.Stack))
        return STATUS_BAD_STACK;
    Walk->Entry = (PRUNTIME_FUNCTION)RtlpFindFunction(&Walk->Unwind.Image,
                                                      (ULONG)(Context->Rip - Walk->Unwind.Image.Base));
    NTSTATUS Status =
        RtlpVirtualUnwind(&Walk->Unwind, HandlerType, Walk->ControlPc, Walk->Entry, &Walk->Frame);
    if (Status != STATUS_SUCCESS)
        return Status;
    Walk->NextIsReturnAddress = !Walk->Unwind.MachineFrame;
    ULONG64 Establisher = Walk->Frame.Establisher;
    if (Establisher % 8 != 0 || Establisher < Walk->Unwind.Stack.Low ||
        Establisher >= Walk->Unwind.Stack.High)
        return STATUS_BAD_STACK;
    return STATUS_SUCCESS;
}

VOID RtlpDescribeFrame(const RTLP_WALK *Walk, PCONTEXT FrameContext, DISPATCHER_CONTEXT *Dispatcher)
{
    Dispatcher->ControlPc = Walk->ControlPc;
    Dispatcher->ImageBase = Walk->Unwind.Image.Base;
    Dispatcher->FunctionEntry = Walk->Entry;
    Dispatcher->EstablisherFrame = Walk->Frame.Establisher;
    Dispatcher->ContextRecord = FrameContext;
    Dispatcher->LanguageHandler = Walk->Frame.Handler;
    Dispatcher->HandlerData = Walk->Frame.HandlerData;
    Dispatcher->HistoryTable = NULL;
    Dispatcher->ScopeIndex = 0;
    Dispatcher->Fill0 = Walk->IsReturnAddress ? RTLP_CONTROL_PC_IS_UNWOUND : 0;
}

/* The state of one search. */
typedef struct _RTLP_SEARCH {
    PEXCEPTION_RECORD Record;
    PCONTEXT Context;    /* of the exception; handlers may change it */
    ULONG Flags;         /* kept from handler to handler */
    ULONG64 NestedFrame; /* up to this frame the exception is nested in the handling of another one */
} RTLP_SEARCH;

/* The exception came from within an unwind that had got to a frame further up: the search goes on with that
 * frame, and with those of its scopes that the unwind had not left. */
static VOID RtlpTakeOverUnwind(RTLP_WALK *Walk, PCONTEXT Walking, DISPATCHER_CONTEXT *Dispatcher)
{
    *Walking = *Dispatcher->ContextRecord;
    Walking->Rip = Dispatcher->ControlPc;
    Walk->NextIsReturnAddress = Dispatcher->Fill0 == RTLP_CONTROL_PC_IS_UNWOUND;
    if (RtlpWalkFrame(Walk, UNW_FLAG_NHANDLER, Walking) != STATUS_SUCCESS)
        RtlpRaiseBecause(STATUS_BAD_STACK, NULL);
    Walk->Frame.Establisher = Dispatcher->EstablisherFrame;
    Walk->Frame.Handler = Dispatcher->LanguageHandler;
    Walk->Frame.HandlerData = Dispatcher->HandlerData;
}

/* Asks one frame. TRUE: execution continues. */
static BOOLEAN RtlpAskFrame(RTLP_SEARCH *Search, RTLP_WALK *Walk, PCONTEXT Walking)
{
    DISPATCHER_CONTEXT Dispatcher = {.TargetIp = 0};
    BOOLEAN Again;

    RtlpDescribeFrame(Walk, Walking, &Dispatcher);
    do {
        Again = FALSE;
        Search->Record->ExceptionFlags = (LONG)Search->Flags;
        EXCEPTION_DISPOSITION Disposition = RtlpExecuteHandlerForException(
            Search->Record, Walk->Frame.Establisher, Search->Context, &Dispatcher);
        Search->Flags |= Search->Record->ExceptionFlags & EXCEPTION_NONCONTINUABLE;
        if (Search->NestedFrame == Walk->Frame.Establisher) {
            Search->Flags &= ~(ULONG)EXCEPTION_NESTED_CALL;
            Search->NestedFrame = 0;
        }
        switch (Disposition) {
        case ExceptionContinueExecution:
            if (Search->Flags & EXCEPTION_NONCONTINUABLE)
                RtlpRaiseBecause(STATUS_NONCONTINUABLE_EXCEPTION, Search->Record);
            return TRUE;
        case ExceptionContinueSearch:
            break;
        case ExceptionNestedException:
            Search->Flags |= EXCEPTION_NESTED_CALL;
            if (Dispatcher.EstablisherFrame > Search->NestedFrame)
                Search->NestedFrame = Dispatcher.EstablisherFrame;
            break;
        case ExceptionCollidedUnwind: {
            ULONG ScopeIndex = Dispatcher.ScopeIndex;
            RtlpTakeOverUnwind(Walk, Walking, &Dispatcher);
            RtlpDescribeFrame(Walk, Walking, &Dispatcher);
            Dispatcher.ScopeIndex = ScopeIndex;
            Again = TRUE;
            break;
        }
        default:
            RtlpRaiseBecause(STATUS_INVALID_DISPOSITION, Search->Record);
        }
    } while (Again);
    return FALSE;
}

BOOLEAN RtlpDispatch(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord, BOOLEAN IsReturnAddress)
{
    RTLP_SEARCH Search = {.Record = ExceptionRecord,
                          .Context = ContextRecord,
                          .Flags = (ULONG)ExceptionRecord->ExceptionFlags & EXCEPTION_NONCONTINUABLE};
    CONTEXT Walking = *ContextRecord;
    RTLP_WALK Walk = {.NextIsReturnAddress = IsReturnAddress};
    NTSTATUS Status;

    while ((Status = RtlpWalkFrame(&Walk, UNW_FLAG_EHANDLER, &Walking)) == STATUS_SUCCESS)
        if (Walk.Frame.Handler != NULL && RtlpAskFrame(&Search, &Walk, &Walking))
            return TRUE;
    ExceptionRecord->ExceptionFlags =
        (LONG)(Search.Flags | (Status == STATUS_BAD_STACK ? EXCEPTION_STACK_INVALID : 0));
    return FALSE;
}

BOOLEAN NTAPI RtlDispatchException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord)
{
    return RtlpDispatch(ExceptionRecord, ContextRecord, FALSE);
}

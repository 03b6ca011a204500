/* SPDX-License-Identifier: MIT
 * Tier 3: structured exceptions. The trampolines of amd64/exception.S call language handlers with a frame of
 * their own, whose handler turns an exception inside a handler into ExceptionNestedException or
 * ExceptionCollidedUnwind. */
#pragma once
#include "unwind.h"

#ifndef RTL_HOST
#include <excpt.h>
#endif

/* A walk over frames for the dispatcher and for RtlUnwindEx. */
typedef struct _RTLP_WALK {
    RTLP_UNWIND
    Unwind; /* its Context: at the frame's ControlPc before, at the caller's after RtlpWalkFrame */
    RTLP_FRAME Frame;
    ULONG64 ControlPc;
    PRUNTIME_FUNCTION Entry;
    BOOLEAN IsReturnAddress;     /* ControlPc: the frame called; else it was interrupted at ControlPc */
    BOOLEAN NextIsReturnAddress; /* the same of the frame above; set before the first RtlpWalkFrame */
} RTLP_WALK;

/* DISPATCHER_CONTEXT.Fill0: ControlPc is a return address. NT has this for ARM64 (ControlPcIsUnwound). Scopes are looked up by the
 * address before it, so that a scope that begins right behind the call does not count as entered; clang emits such. */
#define RTLP_CONTROL_PC_IS_UNWOUND 1

/* Unwinds *Context, the frame that it stands in, and describes it in Walk. STATUS_UNSUCCESSFUL: no image
 * there, the end. */
NTSTATUS RtlpWalkFrame(RTLP_WALK *Walk, ULONG HandlerType, PCONTEXT Context);

/* Fills the dispatcher context for the frame that Walk describes. */
VOID RtlpDescribeFrame(const RTLP_WALK *Walk, PCONTEXT FrameContext, DISPATCHER_CONTEXT *Dispatcher);

EXCEPTION_DISPOSITION RtlpExecuteHandlerForException(PEXCEPTION_RECORD ExceptionRecord,
                                                     ULONG64 EstablisherFrame, PCONTEXT ContextRecord,
                                                     DISPATCHER_CONTEXT *Dispatcher);
EXCEPTION_DISPOSITION RtlpExecuteHandlerForUnwind(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                                  PCONTEXT ContextRecord, DISPATCHER_CONTEXT *Dispatcher);

/* Called by RtlRaiseException with the context of its caller. */
DECLSPEC_NORETURN VOID RtlpRaise(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);

/* RtlDispatchException; IsReturnAddress says what ContextRecord->Rip is. */
BOOLEAN RtlpDispatch(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord, BOOLEAN IsReturnAddress);

/* Raises Status as an exception that cannot be continued, because of Cause (may be NULL). */
DECLSPEC_NORETURN VOID RtlpRaiseBecause(NTSTATUS Status, PEXCEPTION_RECORD Cause);

/* SPDX-License-Identifier: MIT
 * Tier 2, rtl: what kernel/rtl offers beyond the names that the DDK headers declare. Pure code without locks:
 * any IRQL at which the memory is resident, except what allocates (PASSIVE_LEVEL for paged pool). C names are
 * in crt.h. */
#pragma once
#ifdef RTL_HOST
#include "rtl/rtl_host.h"
#include "rtl/rtl_host_api.h"
#include "rtl/rtl_host_table.h"
#include "rtl/rtl_host_context.h"
#else
#include "nt.h"
#include <stdarg.h>
#endif

/* --- formatted output without a buffer
 * -------------------------------------------------------------------------- */

/* Takes one character of the output: Windows-1252 in RtlFormatToSink. */
typedef VOID (*PRTL_FORMAT_SINK)(PVOID Context, WCHAR Character);

/* The printf engine of DbgPrint and KdLog; returns the number of characters given to Sink. Any IRQL. */
LONG RtlFormatToSink(PRTL_FORMAT_SINK Sink, PVOID Context, PCSTR Format, va_list Args);

/* --- stack unwinding and structured exceptions
 * -------------------------------------------------------------------- */

/* An image that is mapped and whose directories image has checked: [Base, Base + Size), its sorted function
 * table. */
typedef struct _RTL_IMAGE_VIEW {
    ULONG64 Base;
    ULONG Size;
    const RUNTIME_FUNCTION *FunctionTable;
    ULONG FunctionCount;
} RTL_IMAGE_VIEW;

/* A stack, addresses Low <= a < High. */
typedef struct _RTL_STACK_LIMITS {
    ULONG64 Low, High;
} RTL_STACK_LIMITS;

/* What the unwinder asks the layers above; set once in init/phase.c. All are called at any IRQL, bug check
 * included. */
typedef struct _RTL_UPCALLS {
    /* The image that Address lies in; FALSE: none. */
    BOOLEAN (*FindImage)(ULONG64 Address, RTL_IMAGE_VIEW *Image);
    /* The stack of this processor or thread (also IST stacks) that StackPointer lies in; FALSE: none. */
    BOOLEAN (*FindStack)(ULONG64 StackPointer, RTL_STACK_LIMITS *Limits);
    /* Whether [Address, Address + Length) inside an image can be read (a discarded section cannot). */
    BOOLEAN (*IsReadable)(ULONG64 Address, ULONG Length);
    /* RtlRaiseException found no handler. Does not return: bug check. */
    VOID (*UnhandledException)(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);
    /* An unwind is complete: what the running stack has below StackPointer is given up. */
    VOID (*LeaveFrames)(ULONG64 StackPointer);
} RTL_UPCALLS;

VOID RtlSetUpcalls(const RTL_UPCALLS *Upcalls);

#ifndef EXCEPTION_UNWINDING
#define EXCEPTION_UNWINDING 0x02
#define EXCEPTION_EXIT_UNWIND 0x04
#define EXCEPTION_STACK_INVALID 0x08
#define EXCEPTION_NESTED_CALL 0x10
#define EXCEPTION_TARGET_UNWIND 0x20
#define EXCEPTION_COLLIDED_UNWIND 0x40
#define EXCEPTION_UNWIND                                                                                     \
    (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND | EXCEPTION_TARGET_UNWIND | EXCEPTION_COLLIDED_UNWIND)
#endif

/* Steps Context to the caller of the function that it stands in. FALSE: the end of the stack or damaged
 * unwind data; *Status (may be NULL) says which: STATUS_SUCCESS, STATUS_BAD_STACK, STATUS_BAD_FUNCTION_TABLE.
 * Reads only the stack that Rsp lies in and the image that Rip lies in. Any IRQL. */
BOOLEAN RtlUnwindOneFrame(PCONTEXT Context, NTSTATUS *Status);

/* Return addresses of the running call chain, the first read at ReturnAddress (on the stack). Tens of instructions a frame; may
 * end early. How many. Any IRQL. RtlForgetCode: the image goes. */
ULONG RtlQuickWalk(const ULONG64 *ReturnAddress, PVOID *Callers, ULONG Count);
VOID RtlForgetCode(const void *Base, SIZE_T Size);

/* Calls the language handlers of the frames from Context upwards. TRUE: a handler said to continue, with
 * *Context as it left it. FALSE: nobody handled it. Does not return at all when a handler unwinds to an
 * __except block. The border with the trap code: it fills both structures (SegCs and SegSs included), and its
 * own frames need .seh codes. */
BOOLEAN NTAPI RtlDispatchException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);

/* Loads the whole context by IRETQ, so that it also works for a context that a trap made. Does not return.
 * ExceptionRecord is not used (there is no STATUS_UNWIND_CONSOLIDATE and no STATUS_LONGJUMP yet). */

/* altitude.c: of filters, decimal numbers with a fraction. < 0: A is below B. */
LONG RtlCompareAltitudes(PCUNICODE_STRING A, PCUNICODE_STRING B);
BOOLEAN RtlIsAltitude(PCUNICODE_STRING Text);

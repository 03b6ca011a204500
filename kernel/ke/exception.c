/* SPDX-License-Identifier: MIT
 * One path for exceptions that the processor raises in kernel mode: trap frame -> EXCEPTION_RECORD and CONTEXT ->
 * the handlers of the frames on the stack -> back to the code, or a bug check. */
#include "ki.h"
#include "rtl.h"

#ifndef FAST_FAIL_INCORRECT_STACK
#define FAST_FAIL_INCORRECT_STACK 4 /* in winnt.h only, which is for programs */
#endif

/* Interrupts are as they were at the trap while handlers run. */
static VOID KiRestoreInterruptFlag(const ARCH_TRAP_FRAME *Frame)
{
    if (Frame->EFlags & 0x200)
        __asm__ volatile("sti" : : : "memory");
}

/* [WDK Bug Check 0x1E] p1 exception code, p2 address, p3 and p4 the exception's first two parameters. */
static DECLSPEC_NORETURN VOID KiUnhandled(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    CHAR Text[KI_EXCEPTION_TEXT];

    KiBugCheck(KMODE_EXCEPTION_NOT_HANDLED, KiExceptionParameter(Record), (ULONG64)Record->ExceptionAddress,
               Record->ExceptionInformation[0], Record->ExceptionInformation[1], Context,
               KiExceptionText(Record, Text, sizeof(Text)));
}

/* [WDK Bug Check 0x139] 4: the stack pointer was outside the legal stack extents of the thread; p2 trap frame, p3 exception record.
 * Nothing there can be unwound. */
static VOID KiCheckStack(ARCH_TRAP_FRAME *Frame, PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    ULONG64 Low, High;

    if (KiCurrentThread() != NULL && !KeFindStack(Frame->Rsp, &Low, &High))
        KiBugCheck(KERNEL_SECURITY_CHECK_FAILURE, FAST_FAIL_INCORRECT_STACK, (ULONG64)Frame, (ULONG64)Record,
                   0, Context, "an exception on what is no stack of the thread");
}

VOID KiDispatchException(ARCH_TRAP_FRAME *Frame, NTSTATUS Code, ULONG ParameterCount, ULONG64 P0, ULONG64 P1,
                         ULONG64 P2)
{
    CONTEXT Context;
    EXCEPTION_RECORD Record = {.ExceptionCode = (ULONG)Code,
                               .ExceptionAddress = (PVOID)Frame->Rip,
                               .NumberParameters = ParameterCount,
                               .ExceptionInformation = {P0, P1, P2}};

    ArchContextFromTrapFrame(Frame, &Context);
    KiCheckStack(Frame, &Record, &Context);
    KiRestoreInterruptFlag(Frame);
    if (RtlDispatchException(&Record, &Context)) {
        __asm__ volatile("cli" : : : "memory");
        ArchTrapFrameFromContext(&Context, Frame);
        return;
    }
    KiUnhandled(&Record, &Context);
}

static VOID KiDivideError(ARCH_TRAP_FRAME *Frame)
{
    KiDispatchException(Frame, STATUS_INTEGER_DIVIDE_BY_ZERO, 0, 0, 0, 0);
}

/* The trap flag is clear when a handler continues; one that wants the next step sets it. DR6 is the handler's to read, once. */
static VOID KiSingleStep(ARCH_TRAP_FRAME *Frame)
{
    Frame->EFlags &= ~0x100ull;
    KiDispatchException(Frame, STATUS_SINGLE_STEP, 0, 0, 0, 0);
}

/* The address of `int 3` is that of the instruction itself. */
static VOID KiBreakpoint(ARCH_TRAP_FRAME *Frame)
{
    Frame->Rip--;
    KiDispatchException(Frame, STATUS_BREAKPOINT, 1, 0, 0, 0);
}

static VOID KiOverflow(ARCH_TRAP_FRAME *Frame)
{
    KiDispatchException(Frame, STATUS_INTEGER_OVERFLOW, 0, 0, 0, 0);
}

static VOID KiBoundsFault(ARCH_TRAP_FRAME *Frame)
{
    KiDispatchException(Frame, STATUS_ARRAY_BOUNDS_EXCEEDED, 0, 0, 0, 0);
}

static VOID KiInvalidOpcode(ARCH_TRAP_FRAME *Frame)
{
    KiDispatchException(Frame, STATUS_ILLEGAL_INSTRUCTION, 0, 0, 0, 0);
}

/* A non-canonical address arrives here without the address: reported as -1, as Windows does. */
static VOID KiGeneralProtection(ARCH_TRAP_FRAME *Frame)
{
    KiDispatchException(Frame, STATUS_ACCESS_VIOLATION, 2, 0, ~0ull, 0);
}

static VOID KiFloatingError(ARCH_TRAP_FRAME *Frame)
{
    USHORT Control, Status;

    __asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(Control), "=m"(Status));
    KiDispatchException(Frame, KiX87Status(Control, Status), 0, 0, 0, 0);
}

static VOID KiSimdError(ARCH_TRAP_FRAME *Frame)
{
    KiDispatchException(Frame, KiSimdStatus(Frame->MxCsr), 0, 0, 0, 0);
}

static VOID KiAlignmentFault(ARCH_TRAP_FRAME *Frame)
{
    KiDispatchException(Frame, STATUS_DATATYPE_MISALIGNMENT, 0, 0, 0, 0);
}

/* [WDK __fastfail, Bug Check 0x139] `int 29h` with a code in ECX: the stack cookie, a corrupt list ... No handler is asked. p1 the code,
 * p2 trap frame, p3 exception record. */
static VOID KiFastFail(ARCH_TRAP_FRAME *Frame)
{
    CONTEXT Context;

    Frame->Rip -= 2;
    EXCEPTION_RECORD Record = {.ExceptionCode = STATUS_STACK_BUFFER_OVERRUN,
                               .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
                               .ExceptionAddress = (PVOID)Frame->Rip,
                               .NumberParameters = 1,
                               .ExceptionInformation = {(ULONG)Frame->Rcx}};
    ArchContextFromTrapFrame(Frame, &Context);
    KiBugCheck(KERNEL_SECURITY_CHECK_FAILURE, (ULONG)Frame->Rcx, (ULONG64)Frame, (ULONG64)&Record, 0,
               &Context, KiFastFailName((ULONG)Frame->Rcx));
}

/* `int 2Ch`: an NT_ASSERT failed. */
static VOID KiAssertion(ARCH_TRAP_FRAME *Frame)
{
    Frame->Rip -= 2;
    KiDispatchException(Frame, STATUS_ASSERTION_FAILURE, 0, 0, 0, 0);
}

/* `int 2Dh`, debug service: nobody listens, so it is skipped with the int 3 that follows it. */
static VOID KiDebugService(ARCH_TRAP_FRAME *Frame)
{
    Frame->Rip += 1;
}

/* [WDK bug check 0x7F] Double fault, machine check and what else nobody handles. */
static VOID KiUnexpectedTrap(ARCH_TRAP_FRAME *Frame)
{
    MM_FAULT Fault;
    CONTEXT Context;

    ArchContextFromTrapFrame(Frame, &Context);
    if (Frame->Vector == 8) {
        MmClassifyFault((PVOID)(Frame->Rsp - 8), 2, &Fault);
        KiBugCheck(UNEXPECTED_KERNEL_MODE_TRAP, 8, (ULONG64)Frame, Frame->Rip, 0, &Context,
                   Fault.Kind == MmFaultStackGuard ? "the kernel stack is used up" : "double fault");
    }
    KiBugCheck(UNEXPECTED_KERNEL_MODE_TRAP, Frame->Vector, (ULONG64)Frame, Frame->Rip, 0, &Context, NULL);
}

static VOID KiSpurious(ARCH_TRAP_FRAME *Frame)
{
}

VOID KiInstallTrapHandlers(VOID)
{
    static const struct {
        UCHAR Vector;
        ARCH_TRAP_HANDLER Handler;
    } Handlers[] = {{0, KiDivideError},
                    {1, KiSingleStep},
                    {2, KiNmi},
                    {3, KiBreakpoint},
                    {4, KiOverflow},
                    {5, KiBoundsFault},
                    {6, KiInvalidOpcode},
                    {13, KiGeneralProtection},
                    {14, KiPageFault},
                    {16, KiFloatingError},
                    {17, KiAlignmentFault},
                    {19, KiSimdError},
                    {0x29, KiFastFail},
                    {0x2c, KiAssertion},
                    {0x2d, KiDebugService},
                    {HAL_VECTOR_APC, KiApcInterrupt},
                    {HAL_VECTOR_DPC, KiDispatchInterrupt},
                    {HAL_VECTOR_CLOCK, KiClockInterrupt},
                    {HAL_VECTOR_IPI, KiIpiInterrupt},
                    {HAL_VECTOR_SPURIOUS, KiSpurious}};

    ArchExceptionInInterrupt = KiUnhandled;
    for (ULONG i = 0; i < ARCH_VECTOR_COUNT; i++)
        ArchSetTrapHandler((UCHAR)i, i >= KI_FIRST_DEVICE_VECTOR && i < KI_DEVICE_VECTOR_END
                                         ? KiDeviceInterrupt
                                         : KiUnexpectedTrap);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Handlers); i++)
        ArchSetTrapHandler(Handlers[i].Vector, Handlers[i].Handler);
}

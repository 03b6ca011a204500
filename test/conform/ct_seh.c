/* SPDX-License-Identifier: MIT
 * Structured exceptions and unwinding. [WDK Handling Exceptions, ExRaiseStatus, RtlRaiseException], [MS x64 exception
 * handling: RtlVirtualUnwind, RtlLookupFunctionEntry, RtlUnwindEx, __C_specific_handler] */
#include "ct.h"

/* --- raising --- */

static NTSTATUS DoRaiseStatus(PVOID Status)
{
    ExRaiseStatus((NTSTATUS)(ULONG_PTR)Status);
    return STATUS_SUCCESS;
}

static VOID SehRaiseStatus(VOID)
{
    CT_STATUS(NtboxGuardedCall(DoRaiseStatus, (PVOID)(ULONG_PTR)0xC0000022), STATUS_ACCESS_DENIED);
    CT_STATUS(NtboxGuardedCall(DoRaiseStatus, (PVOID)(ULONG_PTR)0xE0001234), 0xE0001234);
}

static NTSTATUS DoRaiseAv(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExRaiseAccessViolation();
    return STATUS_SUCCESS;
}

static VOID SehRaiseAv(VOID)
{
    CT_STATUS(NtboxGuardedCall(DoRaiseAv, NULL), STATUS_ACCESS_VIOLATION);
}

static NTSTATUS DoRaiseMisaligned(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExRaiseDatatypeMisalignment();
    return STATUS_SUCCESS;
}

static VOID SehRaiseMisaligned(VOID)
{
    CT_STATUS(NtboxGuardedCall(DoRaiseMisaligned, NULL), STATUS_DATATYPE_MISALIGNMENT);
}

static NTSTATUS DoRaiseRecord(PVOID Record)
{
    RtlRaiseException(Record);
    return STATUS_SUCCESS;
}

/* The record's code reaches the handler; ExceptionAddress becomes the raising code's. */
static VOID SehRaise(VOID)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = (NTSTATUS)0xE0000042, .NumberParameters = 1};
    Record.ExceptionInformation[0] = 7;
    CT_STATUS(NtboxGuardedCall(DoRaiseRecord, &Record), 0xE0000042);
}

/* --- faults --- */

static NTSTATUS DoRead(PVOID Address)
{
    return *(volatile LONG *)Address;
}

static NTSTATUS DoDivide(PVOID Context)
{
    volatile LONG Number = 7, Zero = 0;
    UNREFERENCED_PARAMETER(Context);
    return Number / Zero;
}

static ULONG FinallyCalls, FinallyAbnormal;

static VOID DoFinally(PVOID Context, BOOLEAN Abnormal)
{
    UNREFERENCED_PARAMETER(Context);
    FinallyCalls++;
    FinallyAbnormal += Abnormal;
}

static NTSTATUS DoReadWithFinally(PVOID Address)
{
    return NtboxFinallyCall(DoRead, DoFinally, Address);
}

static NTSTATUS DoNested(PVOID Address)
{
    NTSTATUS Inner = NtboxGuardedCall(DoRead, Address);
    return Inner == STATUS_ACCESS_VIOLATION ? DoDivide(NULL) : Inner;
}

/* The handler gets the code; __finally runs before it; a fault after a handled one finds the outer handler. */
static VOID SehBasic(VOID)
{
    FinallyCalls = FinallyAbnormal = 0;
    CT_STATUS(NtboxGuardedCall(DoRead, NULL), STATUS_ACCESS_VIOLATION);
    CT_STATUS(NtboxGuardedCall(DoDivide, NULL), STATUS_INTEGER_DIVIDE_BY_ZERO);
    CT_STATUS(NtboxGuardedCall(DoReadWithFinally, NULL), STATUS_ACCESS_VIOLATION);
    CT_CHECK(FinallyCalls == 1 && FinallyAbnormal == 1);
    CT_STATUS(NtboxGuardedCall(DoNested, NULL), STATUS_INTEGER_DIVIDE_BY_ZERO);
}

/* --- unwinding --- */

static ULONG64 Own(const void *Address)
{
    PVOID Base;
    return (ULONG64)RtlPcToFileHeader((PVOID)Address, &Base);
}

static __attribute__((noinline)) VOID Capture(PCONTEXT Context)
{
    RtlCaptureContext(Context);
    __asm__ volatile("" : : "r"(Context) : "memory"); /* no tail call: the capture is inside this function */
}

/* Rip is the return address of the call, Rsp what it is after it. */
static VOID SehCapture(VOID)
{
    static CONTEXT Context;
    RtlZeroMemory(&Context, sizeof(Context));
    Capture(&Context);
    ULONG_PTR Here = (ULONG_PTR)__builtin_frame_address(0);
    CT_CHECK(Context.Rip > (ULONG_PTR)Capture && Context.Rip < (ULONG_PTR)Capture + 256);
    CT_CHECK(Context.Rsp < Here && Here - Context.Rsp < 4096);
    CT_CHECK(Context.SegCs != 0 && (Context.EFlags & 2) != 0);
}

static VOID SehLookup(VOID)
{
    ULONG64 Base = 0;
    PRUNTIME_FUNCTION Function = RtlLookupFunctionEntry((ULONG64)SehCapture + 8, &Base, NULL);
    CT_REQUIRE(Function != NULL);
    CT_EQUAL(Base, Own(SehCapture));
    CT_EQUAL(Base + Function->BeginAddress, SehCapture);
    CT_CHECK(Function->EndAddress > Function->BeginAddress);
    CT_EQUAL(RtlLookupFunctionEntry(0x1000, &Base, NULL), 0);
}

/* One step from here leads to the caller, with Rsp after the return; the frame must live while it is walked. */
static __attribute__((noinline)) VOID StepOut(VOID)
{
    static CONTEXT Walk;
    ULONG64 Base, Frame = 0, Return = (ULONG64)__builtin_return_address(0);
    PVOID Data = NULL;
    RtlCaptureContext(&Walk);
    ULONG64 Inside = Walk.Rip, Before = Walk.Rsp;
    PRUNTIME_FUNCTION Function = RtlLookupFunctionEntry(Inside, &Base, NULL);
    CT_REQUIRE(Function != NULL);
    CT_CHECK(Inside > (ULONG64)StepOut && Inside < Base + Function->EndAddress);
    PEXCEPTION_ROUTINE Handler =
        RtlVirtualUnwind(UNW_FLAG_NHANDLER, Base, Inside, Function, &Walk, &Data, &Frame, NULL);
    CT_EQUAL(Handler, 0);
    CT_EQUAL(Walk.Rip, Return);
    CT_CHECK(Walk.Rsp > Before && Walk.Rsp - Before < 1024);
    CT_EQUAL(((ULONG64 *)Walk.Rsp)[-1], Return);
}

static VOID SehUnwind(VOID)
{
    StepOut();
    CT_CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL); /* no tail call */
}

static VOID SehPcToHeader(VOID)
{
    PVOID Base = NULL, Mine = CtDriverObject->DriverStart;
    CT_EQUAL(RtlPcToFileHeader((PVOID)(ULONG_PTR)SehPcToHeader, &Base), Mine);
    CT_EQUAL(Base, Mine);
    CT_EQUAL(RtlPcToFileHeader((PVOID)0x1000, &Base), 0);
    CT_EQUAL(Base, 0);
}

/* --- RtlUnwindEx: a personality of our own, in assembler, that unwinds to a label of its function --- */

ULONG UnwindCalls;
BOOLEAN UnwindWithoutContext;
ULONG64 UnwindReturn;

/* The language handler of Guarded: in the search phase it unwinds to the frame's landing point with a value. */
EXCEPTION_DISPOSITION NTAPI CtPersonality(PEXCEPTION_RECORD Record, PVOID Frame, PCONTEXT Context,
                                          struct _DISPATCHER_CONTEXT *Dispatcher)
{
    extern char CtLanding[];
    UnwindCalls++;
    if (Record->ExceptionFlags & 0x66) /* unwinding, exit, target, collided: nothing to clean up */
        return ExceptionContinueSearch;
    if (UnwindWithoutContext)
        RtlUnwind(Frame, CtLanding, Record, (PVOID)0x4321);
    RtlUnwindEx(Frame, CtLanding, Record, (PVOID)0x1234, Context, Dispatcher->HistoryTable);
    return ExceptionContinueSearch;
}

NTSTATUS CtGuarded(NTBOX_GUARDED *Routine, PVOID Context);
__asm__(".text\n"
        ".globl CtGuarded\n"
        ".def CtGuarded; .scl 2; .type 32; .endef\n"
        ".globl CtLanding\n"
        ".seh_proc CtGuarded\n"
        "CtGuarded:\n"
        "    subq $0x28, %rsp\n"
        "    .seh_stackalloc 0x28\n"
        "    .seh_endprologue\n"
        "    movq %rcx, %rax\n"
        "    movq %rdx, %rcx\n"
        "    callq *%rax\n"
        "    nop\n"
        "    xorl %eax, %eax\n"
        "CtLanding:\n"
        "    addq $0x28, %rsp\n"
        "    retq\n"
        "    .seh_handler CtPersonality, @except, @unwind\n"
        "    .seh_handlerdata\n"
        "    .long 0\n"
        "    .text\n"
        "    .seh_endproc\n");

/* ReturnValue arrives in RAX at the target; the handler is called once to decide and once as the target of the unwind. */
static VOID SehUnwindEx(VOID)
{
    UnwindCalls = 0;
    CT_EQUAL(CtGuarded(DoRead, NULL), 0x1234);
    CT_EQUAL(UnwindCalls, 2);
    ULONG Fine = 5;
    CT_EQUAL(CtGuarded(DoRead, &Fine), 0);
}

/* [WDK RtlUnwind] */
static VOID SehUnwindTo(VOID)
{
    UnwindCalls = 0;
    UnwindWithoutContext = TRUE;
    CT_EQUAL(CtGuarded(DoRead, NULL), 0x4321);
    UnwindWithoutContext = FALSE;
    CT_EQUAL(UnwindCalls, 2);
}

static const CT_CASE Cases[] = {
    {"seh.raise_status", SehRaiseStatus},
    {"seh.raise_av", SehRaiseAv},
    {"seh.raise_misaligned", SehRaiseMisaligned},
    {"seh.raise", SehRaise},
    {"seh.basic", SehBasic},
    {"seh.capture", SehCapture},
    {"seh.lookup", SehLookup},
    {"seh.unwind", SehUnwind},
    {"seh.pc_to_header", SehPcToHeader},
    {"seh.unwind_ex", SehUnwindEx},
    {"seh.unwind_to", SehUnwindTo},
};
CT_DRIVER(Cases)

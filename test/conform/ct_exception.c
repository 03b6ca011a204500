/* SPDX-License-Identifier: MIT
 * Exceptions beyond the first: nested ones, unwinds that collide, execution that is continued, floating point, raised IRQL, and exceptions
 * that cross calls into the kernel and back. [WDK Handling Exceptions], [MS x64 exception handling], [Intel SDM volume 1, 4.9] */
#include "ct.h"

static ULONG Steps[8], StepCount;

static VOID Note(ULONG Step)
{
    if (StepCount < RTL_NUMBER_OF(Steps))
        Steps[StepCount++] = Step;
}

/* Raises the status that Context is. */
static NTSTATUS Raise(PVOID Context)
{
    ExRaiseStatus((NTSTATUS)(ULONG_PTR)Context);
    return STATUS_SUCCESS;
}

#define STATUS_ONE ((PVOID)(ULONG_PTR)0xE0000001)
#define STATUS_TWO ((PVOID)(ULONG_PTR)0xE0000002)

/* --- a __finally that raises: the second exception replaces the first, and outer handlers see the second alone */

static VOID RaiseTwo(PVOID Context, BOOLEAN Abnormal)
{
    UNREFERENCED_PARAMETER(Context);
    Note(Abnormal ? 2 : 0);
    Raise(STATUS_TWO);
}

static VOID NoteThree(PVOID Context, BOOLEAN Abnormal)
{
    UNREFERENCED_PARAMETER(Context);
    Note(Abnormal ? 3 : 0);
}

static NTSTATUS FinallyRaises(PVOID Context)
{
    return NtboxFinallyCall(Raise, RaiseTwo, Context);
}

static NTSTATUS FinallyAround(PVOID Context)
{
    return NtboxFinallyCall(FinallyRaises, NoteThree, Context);
}

static VOID ExceptionFinallyRaises(VOID)
{
    StepCount = 0;
    CT_STATUS(NtboxGuardedCall(FinallyAround, STATUS_ONE), 0xE0000002);
    CT_EQUAL(StepCount, 2);
    CT_EQUAL(Steps[0], 2);
    CT_EQUAL(Steps[1], 3);
}

/* The second exception is handled between the two: the first unwind is given up, since the target of the second lies nearer. */
static NTSTATUS CatchAll(PVOID Context)
{
    NTSTATUS Status = NtboxGuardedCall(FinallyRaises, Context);
    Note(4);
    return Status;
}

static LONG OnlyOne(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Note(Pointers->ExceptionRecord->ExceptionCode == (NTSTATUS)0xE0000001 ? 1 : 5);
    return EXCEPTION_EXECUTE_HANDLER;
}

static LONG OnlyTwo(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return Pointers->ExceptionRecord->ExceptionCode == (NTSTATUS)0xE0000002 ? EXCEPTION_EXECUTE_HANDLER
                                                                            : EXCEPTION_CONTINUE_SEARCH;
}

static NTSTATUS CatchTwo(PVOID Context)
{
    NTSTATUS Status = NtboxFilteredCall(FinallyRaises, OnlyTwo, Context);
    Note(4);
    return Status;
}

static VOID ExceptionCollided(VOID)
{
    StepCount = 0;
    CT_STATUS(NtboxFilteredCall(CatchTwo, OnlyOne, STATUS_ONE), 0xE0000002);
    CT_EQUAL(StepCount,
             3); /* the outer filter chose the first, its unwind met the second, which CatchTwo handled */
    CT_EQUAL(Steps[0], 1);
    CT_EQUAL(Steps[1], 2);
    CT_EQUAL(Steps[2], 4);
    StepCount = 0;
    CT_STATUS(CatchAll(STATUS_ONE), 0xE0000002);
    CT_EQUAL(StepCount, 2);
}

/* --- a filter that faults: a nested exception. The frame of the filter is asked about it again, then those further up */

static LONG FaultingFilter(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Pointers->ExceptionRecord->ExceptionCode == STATUS_ACCESS_VIOLATION) {
        Note(3);
        return EXCEPTION_CONTINUE_SEARCH;
    }
    Note(1);
    return *(volatile LONG *)NULL;
}

static NTSTATUS UnderFaultingFilter(PVOID Context)
{
    return NtboxFilteredCall(Raise, FaultingFilter, Context);
}

static LONG SeeNested(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Note(Pointers->ExceptionRecord->ExceptionCode == STATUS_ACCESS_VIOLATION ? 2 : 0);
    return EXCEPTION_EXECUTE_HANDLER;
}

static VOID ExceptionInFilter(VOID)
{
    StepCount = 0;
    CT_STATUS(NtboxFilteredCall(UnderFaultingFilter, SeeNested, STATUS_ONE), STATUS_ACCESS_VIOLATION);
    CT_EQUAL(StepCount, 3);
    CT_EQUAL(Steps[0], 1);
    CT_EQUAL(Steps[1], 3);
    CT_EQUAL(Steps[2], 2);
}

/* --- a filter that handles an exception of its own and goes on with the first */

static LONG GuardingFilter(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CT_STATUS(NtboxGuardedCall(Raise, STATUS_TWO), 0xE0000002);
    CT_STATUS(Pointers->ExceptionRecord->ExceptionCode, 0xE0000001);
    return EXCEPTION_EXECUTE_HANDLER;
}

static VOID ExceptionHandledInFilter(VOID)
{
    CT_STATUS(NtboxFilteredCall(Raise, GuardingFilter, STATUS_ONE), 0xE0000001);
}

/* --- continued execution, with the context that the filter has changed */

static LONG Answer = 42;

static NTSTATUS ReadThrough(PVOID Context)
{
    LONG Value;
    __asm__ volatile("movl (%1), %0" : "=a"(Value) : "c"(Context) : "memory");
    return Value;
}

static LONG RepairPointer(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CT_STATUS(Pointers->ExceptionRecord->ExceptionCode, STATUS_ACCESS_VIOLATION);
    CT_EQUAL(Pointers->ExceptionRecord->NumberParameters, 2);
    CT_EQUAL(Pointers->ExceptionRecord->ExceptionInformation[0], 0);
    CT_EQUAL(Pointers->ExceptionRecord->ExceptionInformation[1], 0x10);
    CT_EQUAL(Pointers->ContextRecord->Rip, Pointers->ExceptionRecord->ExceptionAddress);
    Pointers->ContextRecord->Rcx = (ULONG_PTR)&Answer;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static VOID ExceptionContinued(VOID)
{
    CT_STATUS(NtboxFilteredCall(ReadThrough, RepairPointer, (PVOID)0x10), 42);
}

static LONG SetXmm(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Pointers->ContextRecord->Rip += 2; /* UD2 */
    Pointers->ContextRecord->Xmm1.Low = 0x1111;
    Pointers->ContextRecord->Xmm9.Low = 0x9999;
    Pointers->ContextRecord->R13 = 0x1313;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static NTSTATUS StopForXmm(PVOID Context)
{
    ULONG64 One, Nine, Thirteen;
    M128A Saved[2]; /* the compilers do not let these registers be named as changed */
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile(
        "movups %%xmm1, %3; movups %%xmm9, %4; ud2; movq %%xmm1, %0; movq %%xmm9, %1; movq %%r13, %2;"
        "movups %3, %%xmm1; movups %4, %%xmm9"
        : "=r"(One), "=r"(Nine), "=r"(Thirteen), "+m"(Saved[0]), "+m"(Saved[1])
        :
        : "r13", "memory");
    CT_EQUAL(One, 0x1111);
    CT_EQUAL(Nine, 0x9999);
    CT_EQUAL(Thirteen, 0x1313);
    return STATUS_SUCCESS;
}

static VOID ExceptionContinuedRegisters(VOID)
{
    CT_SUCCESS(NtboxFilteredCall(StopForXmm, SetXmm, NULL));
}

/* [WDK EXCEPTION_RECORD] continuing what cannot be continued raises STATUS_NONCONTINUABLE_EXCEPTION. */
static LONG ContinueAnyway(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return Pointers->ExceptionRecord->ExceptionCode == (NTSTATUS)0xE0000001 ? EXCEPTION_CONTINUE_EXECUTION
                                                                            : EXCEPTION_CONTINUE_SEARCH;
}

static NTSTATUS ContinueFatal(PVOID Context)
{
    return NtboxFilteredCall(Raise, ContinueAnyway, Context);
}

static VOID ExceptionNotContinuable(VOID)
{
    CT_STATUS(NtboxGuardedCall(ContinueFatal, STATUS_ONE), STATUS_NONCONTINUABLE_EXCEPTION);
}

/* --- the processor's other exceptions */

static LONG SingleSteps;

static LONG CountSteps(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Pointers->ExceptionRecord->ExceptionCode != STATUS_SINGLE_STEP)
        return EXCEPTION_EXECUTE_HANDLER;
    if (++SingleSteps < 3)
        Pointers->ContextRecord->EFlags |= 0x100; /* one more */
    return EXCEPTION_CONTINUE_EXECUTION;
}

static NTSTATUS StepAlong(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop; nop; nop; nop" : : : "memory", "cc");
    return STATUS_SUCCESS;
}

static VOID ExceptionSingleStep(VOID)
{
    SingleSteps = 0;
    CT_SUCCESS(NtboxFilteredCall(StepAlong, CountSteps, NULL));
    CT_EQUAL(SingleSteps, 3);
}

static NTSTATUS Breakpoint(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("int3");
    return STATUS_SUCCESS;
}

/* [WDK __debugbreak] the address is that of the instruction: who continues must step over it. */
static LONG StepOverBreakpoint(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CT_STATUS(Pointers->ExceptionRecord->ExceptionCode, STATUS_BREAKPOINT);
    CT_EQUAL(*(PUCHAR)Pointers->ExceptionRecord->ExceptionAddress, 0xCC);
    Pointers->ContextRecord->Rip++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static NTSTATUS Assert(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("int $0x2c");
    return STATUS_SUCCESS;
}

static NTSTATUS Undefined(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("ud2");
    return STATUS_SUCCESS;
}

static NTSTATUS NonCanonical(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return *(volatile LONG *)0x0123456789ABCDEFull;
}

static LONG SeeUnknownAddress(PEXCEPTION_POINTERS Pointers, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CT_EQUAL(Pointers->ExceptionRecord->ExceptionInformation[1], MAXULONG_PTR);
    return EXCEPTION_EXECUTE_HANDLER;
}

static VOID ExceptionCodes(VOID)
{
    CT_SUCCESS(NtboxFilteredCall(Breakpoint, StepOverBreakpoint, NULL));
    CT_STATUS(NtboxGuardedCall(Breakpoint, NULL), STATUS_BREAKPOINT);
    CT_STATUS(NtboxGuardedCall(Assert, NULL), STATUS_ASSERTION_FAILURE);
    CT_STATUS(NtboxGuardedCall(Undefined, NULL), STATUS_ILLEGAL_INSTRUCTION);
    CT_STATUS(NtboxFilteredCall(NonCanonical, SeeUnknownAddress, NULL), STATUS_ACCESS_VIOLATION);
}

/* --- floating point: x87 by the instruction, SSE by the flags and the vector, since not every emulator raises it */

static NTSTATUS DivideX87(PVOID Context)
{
    USHORT Control = 0x037B; /* zero divide is not masked */
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(Control) : "memory");
    return STATUS_SUCCESS;
}

/* Emulators do not check the x87 stack: its flags are loaded, and the vector is called. */
static NTSTATUS UnderflowX87Stack(PVOID Context)
{
    ULONG Environment[7]; /* control word, status word, tag word ... */
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("fninit; fnstenv %0" : "=m"(Environment));
    Environment[0] &= ~1u;    /* invalid operation is not masked */
    Environment[1] |= 0x8041; /* invalid operation, stack fault */
    __asm__ volatile("fldenv %0; int $16" : : "m"(Environment) : "memory");
    return STATUS_SUCCESS;
}

static NTSTATUS RootX87(PVOID Context)
{
    USHORT Control = 0x037E;
    UNREFERENCED_PARAMETER(Context);
    __asm__ volatile("fninit; fldcw %0; fld1; fchs; fsqrt; fwait" : : "m"(Control) : "memory");
    return STATUS_SUCCESS;
}

static VOID CleanX87(VOID)
{
    USHORT Control = 0x027F;
    __asm__ volatile("fninit; fldcw %0" : : "m"(Control) : "memory");
}

static NTSTATUS ErrorSse(PVOID Context)
{
    ULONG MxCsr = (ULONG)(ULONG_PTR)Context;
    __asm__ volatile("ldmxcsr %0; int $19" : : "m"(MxCsr) : "memory");
    return STATUS_SUCCESS;
}

/* Unmasks the flag and sets it. */
static NTSTATUS SseStatus(ULONG Flag)
{
    ULONG Normal = 0x1F80;
    NTSTATUS Status = NtboxGuardedCall(ErrorSse, (PVOID)(ULONG_PTR)((0x1F80 & ~(Flag << 7)) | Flag));
    __asm__ volatile("ldmxcsr %0" : : "m"(Normal));
    return Status;
}

static VOID ExceptionFloat(VOID)
{
    NTSTATUS Divide = NtboxGuardedCall(DivideX87, NULL);
    CleanX87();
    NTSTATUS Stack = NtboxGuardedCall(UnderflowX87Stack, NULL);
    CleanX87();
    NTSTATUS Root = NtboxGuardedCall(RootX87, NULL);
    CleanX87();
    CT_STATUS(Divide, STATUS_FLOAT_DIVIDE_BY_ZERO);
    CT_STATUS(Stack, STATUS_FLOAT_STACK_CHECK);
    CT_STATUS(Root, STATUS_FLOAT_INVALID_OPERATION);
    CT_STATUS(SseStatus(0x01), STATUS_FLOAT_INVALID_OPERATION);
    CT_STATUS(SseStatus(0x02), STATUS_FLOAT_DENORMAL_OPERAND);
    CT_STATUS(SseStatus(0x04), STATUS_FLOAT_DIVIDE_BY_ZERO);
    CT_STATUS(SseStatus(0x08), STATUS_FLOAT_OVERFLOW);
    CT_STATUS(SseStatus(0x10), STATUS_FLOAT_UNDERFLOW);
    CT_STATUS(SseStatus(0x20), STATUS_FLOAT_INEXACT_RESULT);
}

/* --- raised IRQL: handlers work at any; the IRQL is what the code left it at */

static NTSTATUS RaiseAtDispatch(PVOID Context)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    NTSTATUS Status = NtboxGuardedCall(Raise, Context);
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    CT_STATUS(NtboxGuardedCall(Undefined, NULL), STATUS_ILLEGAL_INSTRUCTION);
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeLowerIrql(Old);
    return Status;
}

static volatile NTSTATUS DpcStatus, DpcFault;
static KEVENT DpcDone;

static VOID NTAPI RaiseInDpc(PKDPC Dpc, PVOID Context, PVOID One, PVOID Two)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(One);
    UNREFERENCED_PARAMETER(Two);
    DpcStatus = NtboxGuardedCall(Raise, Context);
    DpcFault = NtboxGuardedCall(Undefined, NULL);
    KeSetEvent(&DpcDone, IO_NO_INCREMENT, FALSE);
}

static VOID ExceptionRaisedIrql(VOID)
{
    static KDPC Dpc;
    CT_STATUS(RaiseAtDispatch(STATUS_ONE), 0xE0000001);
    KeInitializeEvent(&DpcDone, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, RaiseInDpc, STATUS_TWO);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    CT_SUCCESS(KeWaitForSingleObject(&DpcDone, Executive, KernelMode, FALSE, NULL));
    KeFlushQueuedDpcs();
    CT_STATUS(DpcStatus, 0xE0000002);
    CT_STATUS(DpcFault, STATUS_ILLEGAL_INSTRUCTION);
}

/* --- across the kernel: driver, IoCallDriver, dispatch routine that raises, and back to the driver's handler */

static NTSTATUS NTAPI RaisingDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    Raise(STATUS_TWO);
    return STATUS_SUCCESS;
}

typedef struct SENT {
    PDEVICE_OBJECT Device;
    PIRP Irp;
} SENT;

static NTSTATUS Send(PVOID Context)
{
    SENT *Sent = Context;
    return IoCallDriver(Sent->Device, Sent->Irp);
}

static VOID SendAround(PVOID Context, BOOLEAN Abnormal)
{
    UNREFERENCED_PARAMETER(Context);
    Note(Abnormal ? 1 : 0);
}

static NTSTATUS SendWithFinally(PVOID Context)
{
    return NtboxFinallyCall(Send, SendAround, Context);
}

static VOID ExceptionAcrossKernel(VOID)
{
    SENT Sent;
    PDRIVER_DISPATCH Before = CtDriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS];
    CT_REQUIRE(
        NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Sent.Device)));
    CtDriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = RaisingDispatch;
    Sent.Irp = IoAllocateIrp(Sent.Device->StackSize, FALSE);
    if (CT_CHECK(Sent.Irp != NULL)) {
        IoGetNextIrpStackLocation(Sent.Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
        StepCount = 0;
        CT_STATUS(NtboxGuardedCall(SendWithFinally, &Sent), 0xE0000002);
        CT_EQUAL(StepCount, 1);
        CT_EQUAL(Steps[0], 1);
        IoFreeIrp(Sent.Irp);
    }
    CtDriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = Before;
    IoDeleteDevice(Sent.Device);
}

/* The debug service without a debugger is no exception: the `int 3` that always follows it is skipped, nothing else. */
static NTSTATUS AskDebugger(PVOID Context)
{
    ULONG *After = Context;
    __asm__ volatile("int $0x2d\n\tint3\n\tmovl $1, %0" : "=m"(*After) : "a"(1), "c"(0), "d"(0) : "memory");
    return STATUS_SUCCESS;
}

static VOID ExceptionDebugService(VOID)
{
    volatile ULONG After = 0;
    CT_SUCCESS(NtboxGuardedCall(AskDebugger, (PVOID)&After));
    CT_EQUAL(After, 1);
}

static const CT_CASE Cases[] = {
    {"exception.finally_raises", ExceptionFinallyRaises},
    {"exception.collided", ExceptionCollided},
    {"exception.in_filter", ExceptionInFilter},
    {"exception.handled_in_filter", ExceptionHandledInFilter},
    {"exception.continued", ExceptionContinued},
    {"exception.continued_registers", ExceptionContinuedRegisters},
    {"exception.not_continuable", ExceptionNotContinuable},
    {"exception.single_step", ExceptionSingleStep},
    {"exception.codes", ExceptionCodes},
    {"exception.float", ExceptionFloat},
    {"exception.raised_irql", ExceptionRaisedIrql},
    {"exception.across_kernel", ExceptionAcrossKernel},
    {"exception.debug_service", ExceptionDebugService},
};
CT_DRIVER(Cases)

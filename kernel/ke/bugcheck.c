/* SPDX-License-Identifier: MIT
 * The bug check: says in the log, on the screen and in the report what happened, where, whose fault it is and how
 * the machine got there; then ends the run. [WDK KeBugCheckEx] Any IRQL. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "ke_failure.h"
#include "ke_paged.h"
#include "rtl.h"
#include "crt.h"

/* Until init sets the real ones. */
static BOOLEAN KiEarlyIsKernelAddress(const void *Address)
{
    return TRUE;
}

/* There is no other image yet. */
static VOID KiEarlySymbolize(const void *Address, KI_SYMBOL *Symbol)
{
    const IMAGE_DOS_HEADER *Dos = (const IMAGE_DOS_HEADER *)KiImageBase;
    const IMAGE_NT_HEADERS64 *Headers = (const IMAGE_NT_HEADERS64 *)(KiImageBase + Dos->e_lfanew);
    ULONG64 Offset = (ULONG64)((const UCHAR *)Address - KiImageBase);
    BOOLEAN Inside = Offset < Headers->OptionalHeader.SizeOfImage;

    Symbol->Function[0] = 0;
    Symbol->Offset = Inside ? Offset : (ULONG64)Address;
    strcpy(Symbol->Module, Inside ? "ntoskrnl.exe" : "");
    _snprintf(Symbol->Text, sizeof(Symbol->Text), Inside ? "ntoskrnl.exe+0x%llx" : "address %llx",
              (unsigned long long)Symbol->Offset);
}

static BOOLEAN KiEarlyUnwindOne(PCONTEXT Context)
{
    return FALSE;
}

static BOOLEAN KiEarlyFixFault(ARCH_TRAP_FRAME *Frame)
{
    return FALSE;
}

static VOID KiEarlyReport(VOID)
{
}

static VOID KiEarlyPrepare(PKPRCB Prcb)
{
}

static VOID KiEarlyDescribe(const void *Address, PCHAR Text, SIZE_T Room)
{
    Text[0] = 0;
}

static BOOLEAN KiEarlyIsLibraryAddress(const void *Address)
{
    return FALSE;
}

static const KI_UPCALLS KiEarlyUpcalls = {KiEarlyIsKernelAddress, KiEarlyIsLibraryAddress, KiEarlySymbolize,
                                          KiEarlyUnwindOne,       KiEarlyReport,           KiEarlyFixFault,
                                          KiEarlyDescribe,        KiEarlyPrepare,          KiEarlyReport};
const KI_UPCALLS *KiUpcalls = &KiEarlyUpcalls;
BOOLEAN KeNmiAsks;

#define KI_MAX_FRAMES 48

/* Processor is NULL for the one that the bug check happened on. */
static VOID KiReportFrame(ULONG Depth, ULONG64 Address, const KD_FIELD *Processor)
{
    KI_SYMBOL Symbol;

    KiUpcalls->Symbolize((PVOID)Address, &Symbol);
    KdLog("  #%-2u %016llx %s", (unsigned)Depth, (unsigned long long)Address, Symbol.Text);
    KD_FIELD Fields[] = {KD_NUMBER(ReportKeyDepth, Depth),          KD_NUMBER(ReportKeyAddress, Address),
                         KD_TEXT(ReportKeyModule, Symbol.Module),   KD_NUMBER(ReportKeyOffset, Symbol.Offset),
                         KD_TEXT(ReportKeySymbol, Symbol.Function), {0}};
    if (Processor == NULL) {
        KdReportFields(ReportFrame, Fields, RTL_NUMBER_OF(Fields) - 1);
        return;
    }
    Fields[RTL_NUMBER_OF(Fields) - 1] = *Processor;
    KdReportFields(ReportProcessorFrame, Fields, RTL_NUMBER_OF(Fields));
}

/* The walk starts where the bug check happened. After a call through a bad pointer that is in no image, and the caller
 * stands on the stack: TRUE, and *Walk is there. */
static BOOLEAN KiStartWalk(PCONTEXT Context, CONTEXT *Walk)
{
    KI_SYMBOL Symbol;
    ULONG64 Low, High;

    *Walk = *Context;
    KiUpcalls->Symbolize((PVOID)Walk->Rip, &Symbol);
    if (Symbol.Module[0] != 0 || !KeFindStack(Walk->Rsp, &Low, &High) || Walk->Rsp % 8 != 0)
        return FALSE;
    Walk->Rip = *(ULONG64 *)Walk->Rsp;
    Walk->Rsp += 8;
    return TRUE;
}

static VOID KiPrintBackTrace(PCONTEXT Context, const KD_FIELD *Processor)
{
    CONTEXT Walk;
    ULONG Depth = 0;

    if (KiStartWalk(Context, &Walk))
        KiReportFrame(Depth++, Context->Rip, Processor);
    for (; Depth < KI_MAX_FRAMES && Walk.Rip != 0; Depth++) {
        KiReportFrame(Depth, Walk.Rip, Processor);
        if (!KiUpcalls->UnwindOne(&Walk))
            break;
    }
}

/* What the others were doing when they were stopped. */
static VOID KiPrintOtherProcessors(VOID)
{
    for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++) {
        PKPRCB Prcb = KiProcessorBlock[Number];
        KD_FIELD Processor = KD_NUMBER(ReportKeyProcessor, Number);
        if (Prcb == KeGetPrcb())
            continue;
        if (!Prcb->Frozen) {
            KdLogError("*** processor %u did not stop", (unsigned)Number);
            continue;
        }
        KdLog("processor %u, IRQL %u:", (unsigned)Number,
              (unsigned)Prcb->ProcessorState.SpecialRegisters.Cr8);
        KiPrintBackTrace(&Prcb->ProcessorState.ContextFrame, &Processor);
    }
}

/* Neither the kernel nor a library of ours, which is as good as its callers. */
static BOOLEAN KiIsDriverCode(const void *Code)
{
    return !KiUpcalls->IsKernelAddress(Code) && !KiUpcalls->IsLibraryAddress(Code);
}

static BOOLEAN KiBlameCode(const void *Code, KI_SYMBOL *Symbol)
{
    if (Code == NULL)
        return FALSE;
    KiUpcalls->Symbolize(Code, Symbol);
    return Symbol->Module[0] != 0 && KiIsDriverCode(Code);
}

/* The routine of the innermost call into a driver, if a driver's image holds it. When no image does, the stack is as we made it,
 * and the driver that gave us that address is to blame. */
static BOOLEAN KiBlameGate(KI_SYMBOL *Symbol)
{
    PKTHREAD Thread = KiCurrentThread();

    if (Thread == NULL || Thread->Gate == NULL)
        return FALSE;
    if (KiBlameCode(Thread->GateRoutine, Symbol))
        return TRUE;
    return !KiUpcalls->IsKernelAddress(Thread->GateRoutine) && Thread->Gate->Caller != NULL &&
           KiBlameCode((PUCHAR)Thread->Gate->Caller - 1, Symbol);
}

/* The routine is a driver's of ours. What went wrong in it is the fault of who passed the request on to it, whose call is Gate->Caller; a tail call
 * leaves no frame of its own, but then the next driver on the stack lies outside the passer's gate as well. Requests of the kernel, whoever
 * asked for them, are nobody's fault but ours. */
static BOOLEAN KiIsOurGate(const KE_GATE *Gate)
{
    return Gate->Kind == GateDispatch && KiUpcalls->IsLibraryAddress(Gate->Routine);
}

static BOOLEAN KiBlamePasser(ULONG64 NextDriverFrame, KI_SYMBOL *Symbol)
{
    const KE_GATE *Gate = KiCurrentThread()->Gate;

    for (; KiIsOurGate(Gate); Gate = Gate->Outer) {
        const KE_GATE *Outer = Gate->Outer;
        if (Outer == NULL || Outer->Kind != GateDispatch || Outer < Gate || (ULONG64)Outer > NextDriverFrame)
            return FALSE;
        if (KiBlameCode(Outer->Routine, Symbol))
            return TRUE;
    }
    return FALSE;
}

/* What is further out on the stack was interrupted: it has no part in the call. */
static BOOLEAN KiIsInterruptingGate(const KE_GATE *Gate)
{
    return Gate->Kind == GateDpc || Gate->Kind == GateTimer || Gate->Kind == GateApc ||
           Gate->Kind == GateIsr || Gate->Kind == GateNmi;
}

/* A walk from the innermost frame out. */
typedef struct _KI_CULPRIT_WALK {
    CONTEXT Frame;
    BOOLEAN Returned; /* Frame.Rip is a return address: it lies behind the call that is to be named */
    BOOLEAN
    OnGateStack; /* the walk has been on the stack that the innermost call into a driver was made on */
} KI_CULPRIT_WALK;

/* Is the frame outside the innermost call into a driver? On the same stack it is when it is higher; frames of another stack are
 * when the walk has come from there, whatever their addresses. */
static BOOLEAN KiIsOutsideGate(KI_CULPRIT_WALK *Walk)
{
    PKTHREAD Thread = KiCurrentThread();
    ULONG64 Low, High, Gate = Thread != NULL ? (ULONG64)Thread->Gate : 0;

    if (Gate == 0)
        return FALSE;
    if (KeFindStack(Walk->Frame.Rsp, &Low, &High) && Gate >= Low && Gate < High) {
        Walk->OnGateStack = TRUE;
        return Walk->Frame.Rsp > Gate;
    }
    return Walk->OnGateStack;
}

/* The first frame outside the kernel that a driver is to blame for; FALSE: the stack ends before, is destroyed or leaves the call. */
static BOOLEAN KiFindBlamedFrame(KI_CULPRIT_WALK *Walk, KI_SYMBOL *Symbol)
{
    for (ULONG Depth = 0; Depth < KI_MAX_FRAMES && Walk->Frame.Rip != 0; Depth++, Walk->Returned = TRUE) {
        BOOLEAN Outside = KiIsOutsideGate(Walk), Driver = KiIsDriverCode((PVOID)Walk->Frame.Rip);
        if (Driver && Outside && (KiBlameGate(Symbol) || KiIsInterruptingGate(KiCurrentThread()->Gate)))
            return FALSE;
        if (Driver && Outside && KiIsOurGate(KiCurrentThread()->Gate))
            return KiBlamePasser(Walk->Frame.Rsp, Symbol);
        if (Driver) {
            KiUpcalls->Symbolize((PVOID)(Walk->Frame.Rip - Walk->Returned), Symbol);
            if (Symbol->Module[0] != 0)
                return TRUE;
        }
        if (!KiUpcalls->UnwindOne(&Walk->Frame))
            break;
    }
    return FALSE;
}

/* The first frame outside the kernel and its libraries is to blame, if it lies inside the innermost call into a driver. When the stack has been
 * destroyed, or ends before that, it is the routine that was called; with no driver at all it is the kernel itself. */
static VOID KiFindCulprit(PCONTEXT Context, KI_SYMBOL *Symbol)
{
    KI_CULPRIT_WALK Walk = {.OnGateStack = FALSE};

    Walk.Returned = KiStartWalk(Context, &Walk.Frame);
    if (!KiFindBlamedFrame(&Walk, Symbol) && !KiBlameGate(Symbol))
        KiUpcalls->Symbolize((PVOID)Context->Rip, Symbol);
}

/* The host's question: not a failure, but told by the same records. */
static BOOLEAN KiIsQuestion(ULONG Code)
{
    return KeNmiAsks && Code == NMI_HARDWARE_FAILURE;
}

static VOID KiLogBugCheck(ULONG Code, const ULONG64 P[4], KIRQL Irql, PCSTR Text, const KI_SYMBOL *Culprit)
{
    if (KiIsQuestion(Code)) {
        KdLogError("*** a non-maskable interrupt asks where the machine is: processor %u, IRQL %u",
                   (unsigned)KeGetPrcb()->Number, (unsigned)Irql);
        return;
    }
    KdLogError("*** STOP 0x%08X %s (0x%llx, 0x%llx, 0x%llx, 0x%llx)", (unsigned)Code, KiBugCheckName(Code),
               (unsigned long long)P[0], (unsigned long long)P[1], (unsigned long long)P[2],
               (unsigned long long)P[3]);
    if (Text != NULL)
        KdLogError("*** %s", Text);
    KdLogError("*** caused by %s, IRQL %u, processor %u", Culprit->Text, (unsigned)Irql,
               (unsigned)KeGetPrcb()->Number);
}

/* The start-up's own stops carry the status as their first or second parameter. */
static PCSTR KiStartText(ULONG Code, const ULONG64 P[4])
{
    const ULONG64 NoMemory = (ULONG64)(LONG64)STATUS_INSUFFICIENT_RESOURCES;

    switch (Code) {
    case INSTALL_MORE_MEMORY:
        return REPORT_NO_MEMORY;
    case PHASE0_INITIALIZATION_FAILED:
    case PHASE1_INITIALIZATION_FAILED:
    case OBJECT_INITIALIZATION_FAILED:
    case IO1_INITIALIZATION_FAILED:
    case CONFIG_INITIALIZATION_FAILED:
    case INACCESSIBLE_BOOT_DEVICE:
        return P[0] == NoMemory || P[1] == NoMemory ? REPORT_NO_MEMORY : NULL;
    default:
        return NULL;
    }
}

static PCSTR KiDefaultText(ULONG Code, const ULONG64 P[4])
{
    PCSTR Text = KiStartText(Code, P);

    return Text != NULL ? Text : KiBugCheckText(Code, P[0]);
}

static VOID KiReportBugCheck(ULONG Code, const ULONG64 P[4], KIRQL Irql, PCSTR Text, const KI_SYMBOL *Culprit)
{
    KdReport(ReportBugCheck, KD_NUMBER(ReportKeyCode, Code), KD_NUMBER(ReportKeyParameter1, P[0]),
             KD_NUMBER(ReportKeyParameter2, P[1]), KD_NUMBER(ReportKeyParameter3, P[2]),
             KD_NUMBER(ReportKeyParameter4, P[3]), KD_NUMBER(ReportKeyIrql, Irql),
             KD_TEXT(ReportKeyName, KiBugCheckName(Code)), KD_TEXT(ReportKeyText, Text),
             KD_TEXT(ReportKeyModule, Culprit->Module), KD_TEXT(ReportKeySymbol, Culprit->Function),
             KD_NUMBER(ReportKeyOffset, Culprit->Offset));
    KiLogBugCheck(Code, P, Irql, Text, Culprit);
}

static DECLSPEC_NORETURN VOID KiBugCheckInBugCheck(ULONG Code)
{
    KdLogError("*** a second bug check 0x%08X (%s) came while the first was reported", (unsigned)Code,
               KiBugCheckName(Code));
    HalPowerOff(KI_EXIT_BUGCHECK);
}

DECLSPEC_NORETURN VOID KiBugCheckBlaming(const void *Blamed, ULONG Code, const ULONG64 P[4], PCONTEXT Context,
                                         PCSTR Text)
{
    KIRQL Irql = ArchGetIrql();
    KI_SYMBOL Culprit;

    __asm__ volatile("cli" : : : "memory");
    ArchSetIrql(HIGH_LEVEL);
    KeGetPrcb()->BugCheckActive = TRUE;
    KePermitPagedPool(); /* what the report is made of may lie there */
    if (!KiFreezeOthers(Context, Irql))
        KiBugCheckInBugCheck(Code);
    KiSaveProcessorState(Context, Irql);
    KdEnterBugCheck();
    if (Blamed != NULL && !KiUpcalls->IsLibraryAddress(Blamed))
        KiUpcalls->Symbolize(Blamed, &Culprit);
    else
        KiFindCulprit(Context, &Culprit);
    KiReportBugCheck(Code, P, Irql, Text != NULL ? Text : KiDefaultText(Code, P), &Culprit);
    KeReportFailure();
    KiPrintBackTrace(Context, NULL);
    KiPrintOtherProcessors();
    if (KiIsQuestion(Code))
        KiUpcalls->HangReport();
    KiUpcalls->BugCheckReport();
    KiRunBugCheckCallbacks(Code);
    HalPowerOff(KI_EXIT_BUGCHECK);
}

DECLSPEC_NORETURN VOID KiBugCheck(ULONG Code, ULONG64 P1, ULONG64 P2, ULONG64 P3, ULONG64 P4,
                                  PCONTEXT Context, PCSTR Text)
{
    KiBugCheckBlaming(NULL, Code, (const ULONG64[]){P1, P2, P3, P4}, Context, Text);
}

DECLSPEC_NORETURN VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3,
                                          ULONG_PTR P4)
{
    CONTEXT Context;

    RtlCaptureContext(&Context);
    KiBugCheck(BugCheckCode, P1, P2, P3, P4, &Context, NULL);
}

DECLSPEC_NORETURN VOID KeBugCheckBlaming(const void *Culprit, ULONG Code, ULONG_PTR P1, ULONG_PTR P2,
                                         ULONG_PTR P3, ULONG_PTR P4, PCSTR Text)
{
    CONTEXT Context;

    RtlCaptureContext(&Context);
    KiBugCheckBlaming(Culprit, Code, (const ULONG64[]){P1, P2, P3, P4}, &Context, Text);
}

DECLSPEC_NORETURN VOID NTAPI KeBugCheck(ULONG BugCheckCode)
{
    CONTEXT Context;

    RtlCaptureContext(&Context);
    KiBugCheck(BugCheckCode, 0, 0, 0, 0, &Context, NULL);
}

VOID KeBugCheckFromException(ULONG Code, PEXCEPTION_POINTERS Pointers)
{
    PEXCEPTION_RECORD Record = Pointers->ExceptionRecord;
    CHAR Text[KI_EXCEPTION_TEXT];
    BOOLEAN Kmode =
        Code ==
        KMODE_EXCEPTION_NOT_HANDLED; /* has the exception's parameters, the others have the addresses */

    KiBugCheck(Code, KiExceptionParameter(Record), (ULONG64)Record->ExceptionAddress,
               Kmode ? Record->ExceptionInformation[0] : (ULONG64)Record,
               Kmode ? Record->ExceptionInformation[1] : (ULONG64)Pointers->ContextRecord,
               Pointers->ContextRecord, KiExceptionText(Record, Text, sizeof(Text)));
}

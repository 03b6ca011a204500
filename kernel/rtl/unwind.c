/* SPDX-License-Identifier: MIT
 * RtlVirtualUnwind: from a point in a function to its caller by undoing the prolog, as the unwind codes
 * describe it. Order of the work [MS x64 exception handling, unwind procedure]: leaf function; else epilog,
 * prolog or body; then the chained entries; then the return address, unless a machine frame gave it. */
#include "unwind.h"

_Static_assert(sizeof(CONTEXT) == 0x4D0, "CONTEXT has the wrong size");
_Static_assert(__builtin_offsetof(CONTEXT, Rax) == 0x78 && __builtin_offsetof(CONTEXT, Rip) == 0xF8,
               "CONTEXT registers");
_Static_assert(__builtin_offsetof(CONTEXT, FltSave) == 0x100, "CONTEXT.FltSave is at the wrong offset");
_Static_assert(sizeof(EXCEPTION_RECORD) == 0x98, "EXCEPTION_RECORD has the wrong size");
_Static_assert(sizeof(DISPATCHER_CONTEXT) == 0x50, "DISPATCHER_CONTEXT has the wrong size");
_Static_assert(sizeof(RUNTIME_FUNCTION) == 12, "RUNTIME_FUNCTION has the wrong size");

/* Before RtlSetUpcalls nothing can be unwound, and every walk ends at once. */
static BOOLEAN RtlpFindNoImage(ULONG64 Address, RTL_IMAGE_VIEW *Image)
{
    UNREFERENCED_PARAMETER(Address);
    UNREFERENCED_PARAMETER(Image);
    return FALSE;
}

static BOOLEAN RtlpFindNoStack(ULONG64 StackPointer, RTL_STACK_LIMITS *Limits)
{
    UNREFERENCED_PARAMETER(StackPointer);
    UNREFERENCED_PARAMETER(Limits);
    return FALSE;
}

static BOOLEAN RtlpIsNeverReadable(ULONG64 Address, ULONG Length)
{
    UNREFERENCED_PARAMETER(Address);
    UNREFERENCED_PARAMETER(Length);
    return FALSE;
}

static VOID RtlpTrapUnhandled(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord)
{
    UNREFERENCED_PARAMETER(ExceptionRecord);
    UNREFERENCED_PARAMETER(ContextRecord);
    __builtin_trap();
}

static VOID RtlpLeaveNothing(ULONG64 StackPointer)
{
    UNREFERENCED_PARAMETER(StackPointer);
}

RTL_UPCALLS RtlpUpcalls = {RtlpFindNoImage, RtlpFindNoStack, RtlpIsNeverReadable, RtlpTrapUnhandled,
                           RtlpLeaveNothing};

VOID RtlSetUpcalls(const RTL_UPCALLS *Upcalls)
{
    RtlpUpcalls = *Upcalls;
}

static NTSTATUS RtlpRestoreInteger(RTLP_UNWIND *Unwind, ULONG Number, ULONG64 Address)
{
    ULONG64 Value;

    if (!RtlpReadStack(Unwind, Address, &Value))
        return STATUS_BAD_STACK;
    *RtlpIntegerRegister(Unwind->Context, Number) = Value;
    if (Unwind->Pointers != NULL)
        Unwind->Pointers->IntegerContext[Number] = (PULONG64)(ULONG_PTR)Address;
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpRestoreXmm(RTLP_UNWIND *Unwind, ULONG Number, ULONG64 Address)
{
    PM128A Register = RtlpXmmRegister(Unwind->Context, Number);
    ULONG64 Low, High;

    if (!RtlpReadStack(Unwind, Address, &Low) || !RtlpReadStack(Unwind, Address + 8, &High))
        return STATUS_BAD_STACK;
    Register->Low = Low;
    Register->High = (LONGLONG)High;
    if (Unwind->Pointers != NULL)
        Unwind->Pointers->FloatingContext[Number] = (PM128A)(ULONG_PTR)Address;
    return STATUS_SUCCESS;
}

/* What the processor pushes for a trap: [error code,] RIP, CS, RFLAGS, RSP, SS. */
static NTSTATUS RtlpPopMachineFrame(RTLP_UNWIND *Unwind, BOOLEAN ErrorCode)
{
    ULONG64 Frame = Unwind->Context->Rsp + (ErrorCode ? 8 : 0), Rip, Rsp;

    if (!RtlpReadStack(Unwind, Frame, &Rip) || !RtlpReadStack(Unwind, Frame + 24, &Rsp))
        return STATUS_BAD_STACK;
    Unwind->Context->Rip = Rip;
    Unwind->Context->Rsp = Rsp;
    Unwind->MachineFrame = TRUE;
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpUndoCode(RTLP_UNWIND *Unwind, const RTLP_UNWIND_INFO *Info, const RTLP_UNWIND_CODE *Code,
                             ULONG64 Base)
{
    switch (Code->Operation) {
    case UnwindPushNonvolatile:
        return RtlpPopRegister(Unwind, Code->Info);
    case UnwindAllocLarge:
    case UnwindAllocSmall:
        Unwind->Context->Rsp += Code->Value;
        return STATUS_SUCCESS;
    case UnwindSetFrameRegister:
        Unwind->Context->Rsp = *RtlpIntegerRegister(Unwind->Context, Info->FrameRegister) - Info->FrameOffset;
        return STATUS_SUCCESS;
    case UnwindSaveNonvolatile:
    case UnwindSaveNonvolatileFar:
        return RtlpRestoreInteger(Unwind, Code->Info, Base + Code->Value);
    case UnwindSaveXmm:
    case UnwindSaveXmmFar:
        return RtlpRestoreXmm(Unwind, Code->Info, Base + Code->Value);
    case UnwindPushMachineFrame:
        return RtlpPopMachineFrame(Unwind, Code->Info);
    default: /* UnwindEpilog has no effect of its own */
        return STATUS_SUCCESS;
    }
}

/* The prolog's instructions up to Offset have been executed; MAXULONG: all. */
static BOOLEAN RtlpWasExecuted(const RTLP_UNWIND_CODE *Code, ULONG Offset)
{
    return Code->Operation != UnwindEpilog && Code->PrologOffset <= Offset;
}

/* The address that save offsets count from, and the establisher frame: the frame register less its offset
 * once it is set (in a chained part the primary part has set it), else RSP. FALSE: a code is damaged. */
static BOOLEAN RtlpFrameBase(const RTLP_UNWIND *Unwind, const RTLP_UNWIND_INFO *Info, ULONG Offset,
                             PULONG64 Base)
{
    RTLP_UNWIND_CODE Code;
    BOOLEAN FrameSet = Offset == MAXULONG || (Info->Flags & UNW_FLAG_CHAININFO);

    for (ULONG i = 0; i < Info->Count; i += Code.Slots) {
        if (!RtlpReadUnwindCode(Info, i, &Code))
            return FALSE;
        if (Code.Operation == UnwindSetFrameRegister && RtlpWasExecuted(&Code, Offset))
            FrameSet = TRUE;
    }
    *Base = FrameSet && Info->FrameRegister != 0
                ? *RtlpIntegerRegister(Unwind->Context, Info->FrameRegister) - Info->FrameOffset
                : Unwind->Context->Rsp;
    return TRUE;
}

static NTSTATUS RtlpUndoProlog(RTLP_UNWIND *Unwind, const RTLP_UNWIND_INFO *Info, ULONG Offset)
{
    RTLP_UNWIND_CODE Code;
    ULONG64 Base;

    if (!RtlpFrameBase(Unwind, Info, Offset, &Base))
        return STATUS_BAD_FUNCTION_TABLE;
    for (ULONG i = 0; i < Info->Count; i += Code.Slots) {
        if (!RtlpReadUnwindCode(Info, i, &Code))
            return STATUS_BAD_FUNCTION_TABLE;
        NTSTATUS Status =
            RtlpWasExecuted(&Code, Offset) ? RtlpUndoCode(Unwind, Info, &Code, Base) : STATUS_SUCCESS;
        if (Status != STATUS_SUCCESS)
            return Status;
    }
    return STATUS_SUCCESS;
}

/* Undoes the rest of a chain; *Info becomes that of the primary entry, which holds the handler. */
static NTSTATUS RtlpUndoChain(RTLP_UNWIND *Unwind, RTLP_UNWIND_INFO *Info)
{
    for (ULONG Depth = 0; Info->Flags & UNW_FLAG_CHAININFO; Depth++) {
        RUNTIME_FUNCTION Entry;
        if (Depth == RTLP_MAX_CHAIN || !RtlpReadChainedEntry(&Unwind->Image, Info, &Entry) ||
            !RtlpReadUnwindInfo(&Unwind->Image, Entry.UnwindData, Info))
            return STATUS_BAD_FUNCTION_TABLE;
        NTSTATUS Status = RtlpUndoProlog(Unwind, Info, MAXULONG);
        if (Status != STATUS_SUCCESS)
            return Status;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpFindHandler(const RTL_IMAGE_VIEW *Image, const RTLP_UNWIND_INFO *Info, RTLP_FRAME *Frame)
{
    const UCHAR *Trailer = RtlpImageBytes(Image, Info->TrailerRva, sizeof(ULONG));
    ULONG Rva;

    if (Trailer == NULL)
        return STATUS_BAD_FUNCTION_TABLE;
    memcpy(&Rva, Trailer, sizeof(Rva));
    if (Rva >= Image->Size)
        return STATUS_BAD_FUNCTION_TABLE;
    Frame->Handler = (PEXCEPTION_ROUTINE)(ULONG_PTR)(Image->Base + Rva);
    Frame->HandlerData = (PVOID)(Trailer + sizeof(ULONG));
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpUnwindFunction(RTLP_UNWIND *Unwind, ULONG HandlerType, ULONG64 ControlPc,
                                   const RUNTIME_FUNCTION *Entry, RTLP_FRAME *Frame)
{
    ULONG Offset = (ULONG)(ControlPc - Unwind->Image.Base) - Entry->BeginAddress;
    RTLP_UNWIND_INFO Info;
    NTSTATUS Status;

    if (!RtlpReadUnwindInfo(&Unwind->Image, Entry->UnwindData, &Info))
        return STATUS_BAD_FUNCTION_TABLE;
    BOOLEAN InProlog = Offset < Info.PrologSize;
    if (!RtlpFrameBase(Unwind, &Info, InProlog ? Offset : MAXULONG, &Frame->Establisher))
        return STATUS_BAD_FUNCTION_TABLE;
    if (RtlpFinishEpilog(Unwind, ControlPc, Entry, &Info, &Status))
        return Status;

    Status = RtlpUndoProlog(Unwind, &Info, InProlog ? Offset : MAXULONG);
    if (Status == STATUS_SUCCESS)
        Status = RtlpUndoChain(Unwind, &Info);
    if (Status == STATUS_SUCCESS && !Unwind->MachineFrame)
        Status = RtlpPopReturnAddress(Unwind);
    if (Status == STATUS_SUCCESS && !InProlog &&
        (Info.Flags & HandlerType & (UNW_FLAG_EHANDLER | UNW_FLAG_UHANDLER)))
        Status = RtlpFindHandler(&Unwind->Image, &Info, Frame);
    return Status;
}

NTSTATUS RtlpVirtualUnwind(RTLP_UNWIND *Unwind, ULONG HandlerType, ULONG64 ControlPc,
                           const RUNTIME_FUNCTION *Entry, RTLP_FRAME *Frame)
{
    ULONG64 Start = Unwind->Context->Rsp;
    NTSTATUS Status;

    Unwind->MachineFrame = FALSE;
    *Frame = (RTLP_FRAME){Start, NULL, NULL};
    if (Entry == NULL)
        Status = RtlpPopReturnAddress(Unwind);
    else if (ControlPc - Unwind->Image.Base - Entry->BeginAddress >= Entry->EndAddress - Entry->BeginAddress)
        Status = STATUS_BAD_FUNCTION_TABLE;
    else
        Status = RtlpUnwindFunction(Unwind, HandlerType, ControlPc, Entry, Frame);
    if (Status == STATUS_SUCCESS && !Unwind->MachineFrame &&
        (Unwind->Context->Rsp <= Start || Unwind->Context->Rsp > Unwind->Stack.High))
        return STATUS_BAD_STACK; /* a caller's frame lies above */
    return Status;
}

/* [WDK RtlVirtualUnwind] With damaged data or a stack pointer outside its stack, Rip becomes 0, which ends
 * every walk. */
PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                          PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord,
                                          PVOID *HandlerData, PULONG64 EstablisherFrame,
                                          PKNONVOLATILE_CONTEXT_POINTERS ContextPointers)
{
    RTLP_UNWIND Unwind = {.Context = ContextRecord, .Pointers = ContextPointers};
    RTLP_FRAME Frame;

    UNREFERENCED_PARAMETER(ImageBase);
    if (!RtlpUpcalls.FindImage(ControlPc, &Unwind.Image) ||
        !RtlpUpcalls.FindStack(ContextRecord->Rsp, &Unwind.Stack) ||
        RtlpVirtualUnwind(&Unwind, HandlerType, ControlPc, FunctionEntry, &Frame) != STATUS_SUCCESS) {
        ContextRecord->Rip = 0;
        *EstablisherFrame = ContextRecord->Rsp;
        return NULL;
    }
    *EstablisherFrame = Frame.Establisher;
    if (Frame.Handler != NULL)
        *HandlerData = Frame.HandlerData;
    return Frame.Handler;
}

BOOLEAN RtlUnwindOneFrame(PCONTEXT Context, NTSTATUS *Status)
{
    RTLP_UNWIND Unwind = {.Context = Context};
    RTLP_FRAME Frame;
    NTSTATUS Result = STATUS_SUCCESS;
    BOOLEAN Known = Context->Rip != 0 && RtlpUpcalls.FindImage(Context->Rip, &Unwind.Image);

    if (Known && !RtlpUpcalls.FindStack(Context->Rsp, &Unwind.Stack)) {
        Result = STATUS_BAD_STACK;
    } else if (Known) {
        ULONG Rva = (ULONG)(Context->Rip - Unwind.Image.Base);
        Result = RtlpVirtualUnwind(&Unwind, UNW_FLAG_NHANDLER, Context->Rip,
                                   RtlpFindFunction(&Unwind.Image, Rva), &Frame);
    }
    if (Status != NULL)
        *Status = Result;
    return Known && Result == STATUS_SUCCESS && Context->Rip != 0;
}

/* SPDX-License-Identifier: MIT
 * Structured exceptions run for real: this image is linked with the kernel's exception code as the kernel is, mapped into a
 * Linux process by seh_test.c, and faults. The host turns its signals into the call that a trap handler would make.
 * Each case leaves a trace of letters that is compared with what Windows' documentation requires. */
#include "guest.h"

static char Trace[64];
static ULONG TraceLength;

static VOID Note(char Letter)
{
    if (TraceLength < sizeof(Trace) - 1)
        Trace[TraceLength++] = Letter;
    Trace[TraceLength] = 0;
}

static LONG NoteFilter(char Letter, LONG Answer)
{
    Note(Letter);
    return Answer;
}

static __attribute__((noinline)) LONG Read(volatile LONG *Address)
{
    return *Address;
}

static volatile LONG Quotient; /* so that the division is not optimised away */

static __attribute__((noinline)) VOID Divide(volatile LONG a, volatile LONG b)
{
    Quotient = a / b;
}

static VOID Load(VOID)
{
    __try {
        *(volatile LONG *)0x10;
        Note('x');
    } __except (NoteFilter('f', EXCEPTION_EXECUTE_HANDLER)) {
        Note(GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 'e' : '?');
    }
}

static VOID InCallee(VOID)
{
    __try {
        Read((volatile LONG *)0x10);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note('e');
    }
    __try {
        Divide(1, 0);
    } __except (GetExceptionCode() == STATUS_INTEGER_DIVIDE_BY_ZERO) {
        Note('d');
    }
    __try {
        __asm__ volatile("ud2");
    } __except (GetExceptionCode() == STATUS_ILLEGAL_INSTRUCTION) {
        Note('u');
    }
}

/* The filter sees the record: address and kind of the access. */
static LONG CheckRecord(PEXCEPTION_POINTERS Pointers)
{
    PEXCEPTION_RECORD Record = Pointers->ExceptionRecord;
    Note(Record->NumberParameters == 2 && Record->ExceptionInformation[0] == 1 ? 'w' : '?');
    Note(Record->ExceptionInformation[1] == 0x18 ? 'a' : '?');
    Note((ULONG64)Record->ExceptionAddress == Pointers->ContextRecord->Rip ? 'r' : '?');
    return EXCEPTION_EXECUTE_HANDLER;
}

static VOID Record(VOID)
{
    __try {
        *(volatile LONG *)0x18 = 1;
    } __except (CheckRecord(GetExceptionInformation())) {
        Note('e');
    }
}

/* Search first, then termination handlers from the inside out, then the block. */
static VOID Order(VOID)
{
    __try {
        __try {
            __try {
                Note('1');
                Read((volatile LONG *)0x10);
            } __finally {
                Note(_abnormal_termination() ? 'A' : 'n');
            }
        } __except (NoteFilter('s', EXCEPTION_CONTINUE_SEARCH)) {
            Note('?');
        }
    } __except (NoteFilter('f', EXCEPTION_EXECUTE_HANDLER)) {
        Note('e');
    }
}

static __attribute__((noinline)) VOID FinallyCallee(VOID)
{
    __try {
        ExRaiseStatus(STATUS_DEVICE_NOT_READY);
    } __finally {
        Note('A');
    }
}

static VOID AcrossFrames(VOID)
{
    __try {
        FinallyCallee();
    } __except (GetExceptionCode() == STATUS_DEVICE_NOT_READY) {
        Note('e');
    }
    __try {
        Note('q');
    } __finally {
        Note(_abnormal_termination() ? '?' : 'n');
    }
}

static LONG SkipStore(PEXCEPTION_POINTERS Pointers)
{
    Note('f');
    Pointers->ContextRecord->Rcx = (ULONG64)&TraceLength; /* the store is run again and hits the counter */
    return EXCEPTION_CONTINUE_EXECUTION;
}

static VOID Continue(VOID)
{
    __try {
        ULONG Value = 7;
        __asm__ volatile("mov %0, (%%rcx)" : : "r"(Value), "c"((ULONG64)0x10) : "memory");
        TraceLength = 1;
        Note('c');
    } __except (SkipStore(GetExceptionInformation())) {
        Note('?');
    }
}

/* Continuing what cannot be continued raises STATUS_NONCONTINUABLE_EXCEPTION, nested. */
static VOID Noncontinuable(VOID)
{
    __try {
        __try {
            ExRaiseStatus(STATUS_UNSUCCESSFUL);
        } __except (GetExceptionCode() == STATUS_UNSUCCESSFUL ? NoteFilter('f', EXCEPTION_CONTINUE_EXECUTION)
                                                              : NoteFilter('s', EXCEPTION_CONTINUE_SEARCH)) {
            Note('?');
        }
    } __except (GetExceptionCode() == STATUS_NONCONTINUABLE_EXCEPTION) {
        Note('e');
    }
}

static LONG FaultingFilter(VOID)
{
    Note('f');
    Read((volatile LONG
              *)0x10); /* an exception while the first one is asked about: goes to the outer __except */
    Note('?');
    return EXCEPTION_EXECUTE_HANDLER;
}

static VOID NestedInFilter(VOID)
{
    __try {
        __try {
            Divide(1, 0);
        } __except (GetExceptionCode() == STATUS_INTEGER_DIVIDE_BY_ZERO ? FaultingFilter()
                                                                        : EXCEPTION_CONTINUE_SEARCH) {
            Note('?');
        }
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION) {
        Note('e');
    }
}

/* A second exception in a __finally replaces the first unwind; each __finally runs once. */
static __attribute__((noinline)) VOID CollidingInner(VOID)
{
    __try {
        __try {
            Divide(1, 0);
        } __finally {
            Note('1');
            Read((volatile LONG *)0x10);
            Note('?');
        }
    } __finally {
        Note('2');
    }
}

static VOID Collided(VOID)
{
    __try {
        __try {
            CollidingInner();
        } __except (GetExceptionCode() == STATUS_INTEGER_DIVIDE_BY_ZERO
                        ? NoteFilter('f', EXCEPTION_EXECUTE_HANDLER)
                        : EXCEPTION_CONTINUE_SEARCH) {
            Note('?');
        }
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? NoteFilter('g', EXCEPTION_EXECUTE_HANDLER)
                                                              : EXCEPTION_CONTINUE_SEARCH) {
        Note('e');
    }
}

/* The same frame handles both: the second exception is caught by an __except around the __finally that raised it. */
static VOID CollidedSameFrame(VOID)
{
    __try {
        __try {
            __try {
                Divide(1, 0);
            } __finally {
                Note('1');
                Read((volatile LONG *)0x10);
            }
        } __finally {
            Note('2');
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note((NTSTATUS)GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 'e' : 'd');
    }
}

static VOID ExceptInExcept(VOID)
{
    __try {
        Read((volatile LONG *)0x10);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        __try {
            Divide(1, 0);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Note('i');
        }
        Note('o');
    }
}

static __attribute__((noinline)) LONG ReturnFromTry(VOID)
{
    __try {
        return 5;
    } __finally {
        Note('n');
    }
}

static VOID Returns(VOID)
{
    Note(ReturnFromTry() == 5 ? 'r' : '?');
    for (int i = 0; i < 3; i++) {
        __try {
            if (i == 1)
                continue;
            if (i == 2)
                break;
            Read((volatile LONG *)0x10);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Note('e');
        }
    }
}

/* Locals that live in nonvolatile registers have their values in the block, as deep as the fault may be. */
static __attribute__((noinline)) LONG Deep(LONG Depth, LONG a, LONG b)
{
    LONG c = a * 3 + b, d = b * 5 - a, e = a ^ b;
    LONG Result = Depth == 0 ? Read((volatile LONG *)0x10) : Deep(Depth - 1, c, d);
    return Result + c + d + e;
}

static VOID Registers(VOID)
{
    volatile LONG Seed = 3;
    LONG a = Seed, b = Seed * 7, c = Seed * 11, d = Seed + 100;
    __try {
        b += Deep(20, a, c);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Note(a == 3 && b == 21 && c == 33 && d == 103 ? 'e' : '?');
    }
}

static VOID Raise(VOID)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = 0x12345, .NumberParameters = 1, .ExceptionInformation = {42}};
    __try {
        RtlRaiseException(&Record);
        Note('c'); /* continued behind the call */
        ExRaiseAccessViolation();
    } __except (GetExceptionCode() == 0x12345
                    ? NoteFilter(((PEXCEPTION_POINTERS)GetExceptionInformation())
                                             ->ExceptionRecord->ExceptionInformation[0] == 42
                                     ? 'f'
                                     : '?',
                                 EXCEPTION_CONTINUE_EXECUTION)
                    : EXCEPTION_EXECUTE_HANDLER) {
        Note(GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 'e' : '?');
    }
    __try {
        ExRaiseDatatypeMisalignment();
    } __except (GetExceptionCode() == STATUS_DATATYPE_MISALIGNMENT) {
        Note('m');
    }
}

/* RtlUnwind to this frame by hand: the callee's __finally runs, the return value arrives in RAX. */
static __attribute__((noinline)) VOID UnwindCallee(ULONG64 *Frame, PVOID Target)
{
    __try {
        RtlUnwind((PVOID)*Frame, Target, NULL, (PVOID)77);
    } __finally {
        Note('A');
    }
}

static VOID Unwind(VOID)
{
    ULONG64 Value = GuestUnwindThrough(UnwindCallee);
    Note(Value == 77 ? 'v' : '?');
}

static __attribute__((noinline)) ULONG BackTrace(PVOID *Frames, ULONG Depth)
{
    ULONG Count = Depth == 0 ? RtlCaptureStackBackTrace(0, 30, Frames, NULL) : BackTrace(Frames, Depth - 1);
    __asm__ volatile("" : "+r"(Count)); /* not a tail call */
    return Count;
}

static VOID BackTraces(VOID)
{
    PVOID Frames[32];
    ULONG Count = BackTrace(Frames, 6);
    ULONG Same = 0;
    for (ULONG i = 1; i < 6; i++)
        Same += Frames[i] == Frames[1];
    Note(Same == 5 ? 'b' : '?');
    Note(Count >= 9 && Count < 30 ? 'c' : '?');
    Note(BackTrace(Frames, 0) == Count - 6 ? 'd' : '?');
    Note(RtlWalkFrameChain(Frames, 3, 0) == 3 ? 'w' : '?');
    Note(RtlWalkFrameChain(Frames, 3, 1) == 0 ? 'u' : '?');
}

static VOID Lookup(VOID)
{
    ULONG64 Base = 0;
    PVOID Header;
    PRUNTIME_FUNCTION Entry = RtlLookupFunctionEntry((ULONG64)Lookup + 4, &Base, NULL);
    Note(Entry != NULL && Base + Entry->BeginAddress == (ULONG64)Lookup ? 'l' : '?');
    Note(RtlPcToFileHeader((PVOID)Lookup, &Header) == (PVOID)Base && Header == (PVOID)Base ? 'h' : '?');
    Note(RtlPcToFileHeader(&Base, &Header) == NULL && Header == NULL ? 'n' : '?');
}

static VOID Probe(VOID)
{
    Note(GuestChkstk(0x5000) == 0x5000 && GuestChkstk(8) == 8 ? 'p' : '?');
}

static const struct {
    const char *Name;
    VOID (*Run)(VOID);
    const char *Expected;
} Cases[] = {
    {"fault in the __try itself", Load, "fe"},
    {"fault in a callee, divide, ud2", InCallee, "edu"},
    {"exception record", Record, "ware"},
    {"order of filters and __finally", Order, "1sfAe"},
    {"__finally in another frame", AcrossFrames, "Aeqn"},
    {"continue execution", Continue, "fc"},
    {"continue the noncontinuable", Noncontinuable, "fse"},
    {"exception in a filter", NestedInFilter, "fe"},
    {"collided unwind", Collided, "f1g2e"},
    {"collided unwind in one frame", CollidedSameFrame, "12e"},
    {"exception in an __except block", ExceptInExcept, "io"},
    {"leaving a __try", Returns, "nre"},
    {"nonvolatile registers", Registers, "e"},
    {"raising", Raise, "fcem"},
    {"RtlUnwind", Unwind, "Av"},
    {"back-traces", BackTraces, "bcdwu"},
    {"lookup", Lookup, "lhn"},
    {"stack probe", Probe, "p"},
};

/* Returns the number of failed cases; Report gets name, trace and expectation of each. */
__declspec(dllexport) ULONG GuestMain(ULONG64 StackHigh, GUEST_REPORT *Report)
{
    ULONG Failed = 0;

    GuestInitialize(StackHigh);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        TraceLength = 0;
        Trace[0] = 0;
        Cases[i].Run();
        if (strcmp(Trace, Cases[i].Expected) != 0)
            Failed++;
        Report(Cases[i].Name, Trace, Cases[i].Expected);
    }
    return Failed;
}

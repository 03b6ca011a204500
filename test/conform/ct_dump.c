/* SPDX-License-Identifier: MIT
 * KeCapturePersistentThreadState, read as the readers of small dumps of 64-bit systems do (rizin's dmp_specs.h, Ghidra's pagedump). */
#include "ct_threads.h"
#include "ntbox/loaded_module.h"

#define HEADER_SIZE 0x2000u
#define TABLE_SIZE 0x80u
#define DRIVER_SIZE 0x90u
#define CONTEXT_AT 0x348u
#define EXCEPTION_AT 0xf00u
#define MARK 0x5eed0000u
#define GUARD 0xa5

enum { /* words of the table */
       SizeOfDump = 1,
       ValidOffset,
       ContextOffset,
       ExceptionOffset,
       PrcbOffset = 7,
       ProcessOffset,
       ThreadOffset,
       CallStackOffset,
       SizeOfCallStack,
       DriverListOffset,
       DriverCount,
       StringPoolOffset,
       StringPoolSize,
       TopOfStack = 18,
       DebuggerDataOffset = 28,
       DebuggerDataSize,
};

static UCHAR *Dump; /* TRIAGE_DUMP_SIZE bytes, and a guard */
static ULONG DumpSize;

static ULONG Word(ULONG Offset)
{
    return *(ULONG *)(Dump + Offset);
}

static ULONG64 Quad(ULONG Offset)
{
    return *(ULONG64 *)(Dump + Offset);
}

static ULONG Table(ULONG Index)
{
    return Word(HEADER_SIZE + Index * 4);
}

static BOOLEAN Allocate(VOID)
{
    Dump = ExAllocatePool2(POOL_FLAG_NON_PAGED, TRIAGE_DUMP_SIZE + 64, 'pmuD');
    if (CT_CHECK(Dump != NULL))
        RtlFillMemory(Dump, TRIAGE_DUMP_SIZE + 64, GUARD);
    return Dump != NULL;
}

/* Nothing is behind what was written. */
static VOID Free(VOID)
{
    ULONG End = TRIAGE_DUMP_SIZE + 64;
    while (End > DumpSize && Dump[End - 1] == GUARD)
        End--;
    CT_EQUAL(End, DumpSize);
    ExFreePool(Dump);
}

static VOID CheckHeader(const CONTEXT *Context)
{
    CT_CHECK(RtlCompareMemory(Dump, "PAGEDU64", 8) == 8);
    CT_EQUAL(Word(0x30), 0x8664);
    CT_EQUAL(Word(0x38), 0xe2);
    for (ULONG i = 0; i < 4; i++)
        CT_EQUAL(Quad(0x40 + 8 * i), MARK + i);
    CT_EQUAL(Word(0xf98), 4); /* a small dump */
    CT_EQUAL(Quad(0xfa0), DumpSize);
    CT_EQUAL(Word(0x1038),
             0x47f); /* context, exception, PRCB, process, thread, stack, drivers; debugger data */
    CT_CHECK(RtlCompareMemory(Dump + CONTEXT_AT, Context, sizeof(*Context)) == sizeof(*Context));
    CT_STATUS(Word(EXCEPTION_AT), STATUS_BREAKPOINT);
    CT_EQUAL(Quad(EXCEPTION_AT + 0x10), Context->Rip);
}

static VOID CheckTable(VOID)
{
    CT_CHECK(DumpSize > HEADER_SIZE + TABLE_SIZE && DumpSize <= TRIAGE_DUMP_SIZE);
    CT_EQUAL(Table(SizeOfDump), DumpSize);
    CT_EQUAL(Table(ValidOffset), DumpSize - 4);
    CT_EQUAL(Word(Table(ValidOffset)), 'DGRT');
    CT_EQUAL(Table(ContextOffset), CONTEXT_AT);
    CT_EQUAL(Table(ExceptionOffset), EXCEPTION_AT);
}

/* Sizes of PRCB, process and thread are the kernel's own: at least so much. */
static VOID CheckParts(VOID)
{
    const struct {
        ULONG At, Size;
    } Part[] = {
        {0, HEADER_SIZE + TABLE_SIZE},
        {Table(PrcbOffset), 0x100},
        {Table(ProcessOffset), 0x40},
        {Table(ThreadOffset), 0x100},
        {Table(CallStackOffset), Table(SizeOfCallStack)},
        {Table(DriverListOffset), Table(DriverCount) * DRIVER_SIZE},
        {Table(StringPoolOffset), Table(StringPoolSize)},
        {Table(DebuggerDataOffset), Table(DebuggerDataSize)},
        {Table(ValidOffset), 4},
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(Part); i++) {
        CT_CHECK(Part[i].Size != 0 && Part[i].At <= DumpSize && Part[i].Size <= DumpSize - Part[i].At);
        for (ULONG j = 0; j < i; j++)
            CT_CHECK(Part[i].At >= Part[j].At + Part[j].Size || Part[j].At >= Part[i].At + Part[i].Size);
    }
}

static BOOLEAN IsFine(VOID)
{
    return CtText[0] == 0;
}

/* What the objects are is found as a debugger does: the debugger data say where a thread's stack base is. */
static VOID CheckObjects(PKTHREAD Thread, ULONG64 StackBase)
{
    const UCHAR *Debugger = Dump + Table(DebuggerDataOffset);
    CT_CHECK(RtlCompareMemory(Debugger + 0x10, "KDBG", 4) == 4);
    CT_CHECK(RtlCompareMemory(Debugger, (VOID *)Quad(0x80), Table(DebuggerDataSize)) ==
             Table(DebuggerDataSize));
    CT_EQUAL(Quad(Table(ThreadOffset) + *(USHORT *)(Debugger + 0x29e)), StackBase);
    CT_CHECK(Dump[Table(ThreadOffset)] == *(UCHAR *)Thread);
    CT_EQUAL(Quad(Table(PrcbOffset) + 8), KeGetCurrentThread());
    CT_CHECK(RtlCompareMemory(Dump + Table(ProcessOffset), PsGetThreadProcess((PETHREAD)Thread), 8) == 8);
}

static VOID CheckStack(const CONTEXT *Context, ULONG64 StackBase, const VOID *Live, SIZE_T Length)
{
    ULONG64 Skip = (ULONG64)Live - Context->Rsp;
    CT_EQUAL(Quad(HEADER_SIZE + TopOfStack * 4), Context->Rsp);
    CT_EQUAL(Table(SizeOfCallStack), StackBase - Context->Rsp);
    CT_REQUIRE(Skip < Table(SizeOfCallStack) && Length <= Table(SizeOfCallStack) - Skip);
    CT_EQUAL(RtlCompareMemory(Dump + Table(CallStackOffset) + Skip, Live, Length), Length);
}

static WCHAR Lower(WCHAR c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static BOOLEAN HasName(ULONG NameOffset, PCUNICODE_STRING Name)
{
    const WCHAR *Text = (const WCHAR *)(Dump + NameOffset + 4);
    ULONG Length = Name->Length / sizeof(WCHAR);
    if (NameOffset < Table(StringPoolOffset) || NameOffset % 8 != 0 ||
        NameOffset + 4 + (Length + 1) * sizeof(WCHAR) > Table(StringPoolOffset) + Table(StringPoolSize) ||
        Word(NameOffset) != Length || Text[Length] != 0)
        return FALSE;
    for (ULONG i = 0; i < Length; i++)
        if (Lower(Text[i]) != Lower(Name->Buffer[i]))
            return FALSE;
    return TRUE;
}

/* How often the module is in the list of drivers, with its name, base, size, entry point, checksum and time stamp. */
static ULONG Listed(const KLDR_DATA_TABLE_ENTRY *Module)
{
    ULONG Found = 0;
    for (ULONG i = 0; i < Table(DriverCount); i++) {
        ULONG At = Table(DriverListOffset) + i * DRIVER_SIZE;
        Found += Quad(At + 8 + 0x30) == (ULONG64)Module->DllBase &&
                 Quad(At + 8 + 0x38) == (ULONG64)Module->EntryPoint &&
                 Word(At + 8 + 0x40) == Module->SizeOfImage && Word(At + 8 + 0x78) == Module->CheckSum &&
                 Word(At + 8 + 0x80) == Module->TimeDateStamp && HasName(Word(At), &Module->BaseDllName);
    }
    return Found;
}

static VOID CheckDrivers(VOID)
{
    UNICODE_STRING KernelName = RTL_CONSTANT_STRING(L"ntoskrnl.exe");
    const KLDR_DATA_TABLE_ENTRY *Mine = CtDriverObject->DriverSection;
    const KLDR_DATA_TABLE_ENTRY *Kernel =
        CONTAINING_RECORD(PsLoadedModuleList.Flink, KLDR_DATA_TABLE_ENTRY, InLoadOrderLinks);
    CT_CHECK(RtlEqualUnicodeString(&Kernel->BaseDllName, &KernelName, TRUE));
    CT_EQUAL(Listed(Kernel), 1);
    CT_EQUAL(Listed(Mine), 1);
    CT_EQUAL(Mine->DllBase, CtDriverObject->DriverStart);
}

static VOID Capture(PCONTEXT Context, PKTHREAD Thread)
{
    DumpSize =
        KeCapturePersistentThreadState(Context, Thread, 0xe2, MARK, MARK + 1, MARK + 2, MARK + 3, Dump);
}

static VOID CheckAll(const CONTEXT *Context, PKTHREAD Thread, ULONG64 StackBase, const VOID *Live,
                     SIZE_T Length)
{
    CheckTable();
    if (IsFine())
        CheckParts();
    if (!IsFine())
        return;
    CheckHeader(Context);
    CheckObjects(Thread, StackBase);
    CheckStack(Context, StackBase, Live, Length);
    CheckDrivers();
}

static VOID FillPattern(volatile ULONG64 *Pattern, ULONG Count)
{
    for (ULONG i = 0; i < Count; i++)
        Pattern[i] = 0x1234567800000000u * (i + 1) + i;
}

/* The current thread, at each IRQL, named or not; the capture is some frames below the pattern. */
static VOID OwnThread(KIRQL Irql, PKTHREAD Thread)
{
    volatile ULONG64 Pattern[64];
    CONTEXT Context;
    ULONG_PTR Low, High;
    KIRQL OldIrql;
    FillPattern(Pattern, RTL_NUMBER_OF(Pattern));
    if (!Allocate())
        return;
    IoGetStackLimits(&Low, &High);
    RtlCaptureContext(&Context);
    KeRaiseIrql(Irql, &OldIrql);
    Capture(&Context, Thread);
    KeLowerIrql(OldIrql);
    CT_CHECK(Context.Rip - (ULONG64)CtDriverObject->DriverStart < CtDriverObject->DriverSize);
    CheckAll(&Context, KeGetCurrentThread(), High, (const VOID *)Pattern, sizeof(Pattern));
    Free();
}

static VOID DumpThread(VOID)
{
    OwnThread(PASSIVE_LEVEL, NULL);
    OwnThread(APC_LEVEL, KeGetCurrentThread());
    OwnThread(DISPATCH_LEVEL, NULL);
    OwnThread(HIGH_LEVEL, NULL);
}

/* A stack pointer that lies in no stack gives no call stack, and nothing is read there. */
static VOID DumpNoStack(VOID)
{
    CONTEXT Context = {.Rsp = 0x10000};
    if (!Allocate())
        return;
    Capture(&Context, NULL);
    CheckTable();
    CT_EQUAL(Table(CallStackOffset), 0);
    CT_EQUAL(Table(SizeOfCallStack), 0);
    CT_EQUAL(Word(0x1038), 0x45f);
    Free();
    CT_EQUAL(KeCapturePersistentThreadState(&Context, NULL, 0, 0, 0, 0, 0, NULL), 0);
}

typedef struct SLEEPER {
    KEVENT Ready, Go;
    ULONG_PTR Low, High;
    CONTEXT Context;
    volatile ULONG64 *Pattern;
    PKTHREAD Thread;
} SLEEPER;

static VOID NTAPI Sleep(PVOID Argument)
{
    SLEEPER *Me = Argument;
    volatile ULONG64 Pattern[64];
    FillPattern(Pattern, RTL_NUMBER_OF(Pattern));
    Me->Pattern = Pattern;
    IoGetStackLimits(&Me->Low, &Me->High);
    RtlCaptureContext(&Me->Context);
    KeSetEvent(&Me->Ready, IO_NO_INCREMENT, FALSE);
    CtExpect(&Me->Go);
}

static BOOLEAN IsCaptured(PVOID Argument)
{
    SLEEPER *It = Argument;
    Capture(&It->Context, It->Thread);
    return DumpSize != 0;
}

/* Another thread: while it waits. A thread that has ended has no stack. */
static VOID DumpOther(VOID)
{
    SLEEPER It;
    KeInitializeEvent(&It.Ready, NotificationEvent, FALSE);
    KeInitializeEvent(&It.Go, NotificationEvent, FALSE);
    if (!Allocate())
        return;
    It.Thread = CtStart(Sleep, &It);
    if (It.Thread != NULL) {
        CtExpect(&It.Ready);
        if (CtObserve(IsCaptured, &It))
            CheckAll(&It.Context, It.Thread, It.High, (const VOID *)It.Pattern, 64 * sizeof(ULONG64));
        Free();
        KeSetEvent(&It.Go, IO_NO_INCREMENT, FALSE);
        ObReferenceObject(It.Thread);
        CtJoin(It.Thread);
        if (Allocate()) {
            Capture(&It.Context, It.Thread);
            CT_EQUAL(DumpSize, 0);
            Free();
        }
        ObDereferenceObject(It.Thread);
    }
}

static const CT_CASE Cases[] = {
    {"dump.thread", DumpThread},
    {"dump.no_stack", DumpNoStack},
    {"dump.other", DumpOther},
};
CT_DRIVER(Cases)

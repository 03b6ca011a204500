/* SPDX-License-Identifier: MIT
 * KeCapturePersistentThreadState: a small dump of one thread. No kit documents it; the layout is what public readers of small dumps agree on
 * (rizin's dmp_specs.h, Ghidra's pagedump): the header of every dump, a table of offsets, and the parts that it points to. */
#include "ps.h"
#include "dump.h"
#include "image.h"
#include "ke.h"
#include "mm.h"

#define PSP_DUMP_TYPE_TRIAGE 4u
#define PSP_TRIAGE_END 'DGRT' /* the last word of the file */
#define PSP_TRIAGE_ALIGN 8u

enum { /* DUMP_HEADER64.MiniDumpFields: what there is */
       PspTriageContext = 0x1,
       PspTriageException = 0x2,
       PspTriagePrcb = 0x4,
       PspTriageProcess = 0x8,
       PspTriageThread = 0x10,
       PspTriageStack = 0x20,
       PspTriageDrivers = 0x40,
       PspTriageDebuggerData = 0x400,
};

typedef struct _PSP_TRIAGE_TABLE { /* TRIAGE_DUMP64; an offset of 0: there is no such part */
    ULONG ServicePackBuild, SizeOfDump, ValidOffset, ContextOffset;
    ULONG ExceptionOffset, MmOffset, UnloadedDriversOffset, PrcbOffset;
    ULONG ProcessOffset, ThreadOffset, CallStackOffset, SizeOfCallStack;
    ULONG DriverListOffset, DriverCount, StringPoolOffset, StringPoolSize;
    ULONG BrokenDriverOffset, TriageOptions;
    ULONG64 TopOfStack; /* the address of the first byte of the call stack */
    ULONG64 Ia64[2], DataPageAddress;
    ULONG DataPageOffset, DataPageSize, DebuggerDataOffset, DebuggerDataSize;
    ULONG DataBlocksOffset, DataBlocksCount;
} PSP_TRIAGE_TABLE;
ASSERT_OFFSET(PSP_TRIAGE_TABLE, TopOfStack, 0x48);
ASSERT_OFFSET(PSP_TRIAGE_TABLE, DebuggerDataOffset, 0x70);
ASSERT_SIZE(PSP_TRIAGE_TABLE, 0x80);

typedef struct _PSP_TRIAGE_DRIVER { /* DUMP_DRIVER_ENTRY64 */
    ULONG NameOffset, Alignment;    /* of a PSP_TRIAGE_NAME */
    UCHAR Module[0x80];             /* KLDR_DATA_TABLE_ENTRY up to CheckSum */
    ULONG TimeDateStamp, Alignment2;
} PSP_TRIAGE_DRIVER;
ASSERT_SIZE(PSP_TRIAGE_DRIVER, 0x90);

typedef struct _PSP_TRIAGE_NAME { /* DUMP_STRING; 8-byte aligned */
    ULONG Length;                 /* characters, without the 0 at the end */
    WCHAR Text[RTL_FIELD_SIZE(IM_MODULE, Name)];
} PSP_TRIAGE_NAME;

typedef struct _PSP_DEBUGGER_HEADER { /* DBGKD_DEBUG_DATA_HEADER64, which KDDEBUGGER_DATA64 begins with */
    LIST_ENTRY List;
    ULONG OwnerTag, Size;
} PSP_DEBUGGER_HEADER;

typedef struct _PSP_TRIAGE { /* a dump in the making */
    PUCHAR Buffer;           /* TRIAGE_DUMP_SIZE bytes */
    ULONG Used;
} PSP_TRIAGE;

/* All but the drivers always has room; the drivers take what is left. */
C_ASSERT(sizeof(PSP_DUMP_HEADER) + sizeof(PSP_TRIAGE_TABLE) + sizeof(KPRCB) + sizeof(EPROCESS) +
             sizeof(ETHREAD) + MM_KERNEL_STACK_SIZE + 4 * PAGE_SIZE <=
         TRIAGE_DUMP_SIZE);

/* The offset of room for Size bytes, aligned and zeroed up to the next part; 0: there is none. The last word is never given away. */
static ULONG PspTriageRoom(PSP_TRIAGE *Dump, ULONG64 Size)
{
    ULONG Offset = Dump->Used;
    if (Size > TRIAGE_DUMP_SIZE - PSP_TRIAGE_ALIGN - Offset)
        return 0;
    Dump->Used = Offset + ALIGN_UP_BY((ULONG)Size, PSP_TRIAGE_ALIGN);
    RtlZeroMemory(Dump->Buffer + Offset, Dump->Used - Offset);
    return Offset;
}

static ULONG PspTriageCopy(PSP_TRIAGE *Dump, const VOID *From, ULONG64 Size)
{
    ULONG Offset = PspTriageRoom(Dump, Size);
    if (Offset != 0)
        RtlCopyMemory(Dump->Buffer + Offset, From, Size);
    return Offset;
}

static VOID PspTriageFillHeader(PSP_DUMP_HEADER *Header, const CONTEXT *Context, ULONG BugCheckCode,
                                const ULONG_PTR *Parameters)
{
    EXCEPTION_RECORD *Exception = (EXCEPTION_RECORD *)Header->Exception;
    C_ASSERT(sizeof(*Exception) == sizeof(Header->Exception));
    C_ASSERT(sizeof(*Context) <= sizeof(Header->ContextRecord));

    PspFillDumpSystem(Header);
    Header->DumpType = PSP_DUMP_TYPE_TRIAGE;
    Header->BugCheckCode = BugCheckCode;
    RtlCopyMemory(Header->BugCheckParameter, Parameters, sizeof(Header->BugCheckParameter));
    RtlCopyMemory(Header->ContextRecord, Context, sizeof(*Context));
    Exception->ExceptionCode = (ULONG)STATUS_BREAKPOINT;
    Exception->ExceptionFlags = EXCEPTION_NONCONTINUABLE;
    Exception->ExceptionAddress = (PVOID)Context->Rip;
}

/* IRQL >= DISPATCH_LEVEL: the PRCB is this processor's. The idle thread is a KTHREAD only, and in no process. */
static VOID PspTriageAddObjects(PSP_TRIAGE *Dump, PSP_TRIAGE_TABLE *Table, PKTHREAD Thread)
{
    PKPROCESS Process = Thread->Process;
    ULONG64 Data, Modules;

    Table->PrcbOffset = PspTriageCopy(Dump, KeGetPrcb(), sizeof(KPRCB));
    if (Process != NULL)
        Table->ProcessOffset = PspTriageCopy(Dump, Process, sizeof(EPROCESS));
    Table->ThreadOffset = PspTriageCopy(Dump, Thread, Process != NULL ? sizeof(ETHREAD) : sizeof(KTHREAD));
    KeQueryDebuggerData(&Data, &Modules);
    Table->DebuggerDataSize = ((const PSP_DEBUGGER_HEADER *)Data)->Size;
    Table->DebuggerDataOffset = PspTriageCopy(Dump, (const VOID *)Data, Table->DebuggerDataSize);
}

/* From the stack pointer to the end of the stack that it lies in; a stack pointer that is in none gives nothing. */
static VOID PspTriageAddStack(PSP_TRIAGE *Dump, PSP_TRIAGE_TABLE *Table, PKTHREAD Thread, ULONG64 Top)
{
    ULONG64 Low = (ULONG64)Thread->StackLimit, High = (ULONG64)Thread->StackBase;

    if (Thread == KiCurrentThread() ? !KeFindStack(Top, &Low, &High) : Top < Low || Top >= High)
        return;
    Table->TopOfStack = Top;
    Table->SizeOfCallStack = (ULONG)min(High - Top, MM_KERNEL_STACK_SIZE);
    Table->CallStackOffset = PspTriageCopy(Dump, (const VOID *)Top, Table->SizeOfCallStack);
}

/* The module's structure stays readable when it goes meanwhile, what it points to does not: so its own name, in lower case. */
static ULONG PspTriageAddName(PSP_TRIAGE *Dump, const IM_MODULE *Module)
{
    PSP_TRIAGE_NAME Name;

    for (Name.Length = 0; Name.Length < RTL_NUMBER_OF(Name.Text) - 1 && Module->Name[Name.Length] != 0;
         Name.Length++)
        Name.Text[Name.Length] = (UCHAR)Module->Name[Name.Length];
    Name.Text[Name.Length] = 0;
    return PspTriageCopy(Dump, &Name, FIELD_OFFSET(PSP_TRIAGE_NAME, Text[Name.Length + 1]));
}

static VOID PspTriageAddDriver(PSP_TRIAGE_DRIVER *Driver, const IM_MODULE *Module, ULONG NameOffset)
{
    Driver->NameOffset = NameOffset;
    RtlCopyMemory(Driver->Module, Module, RTL_SIZEOF_THROUGH_FIELD(IM_MODULE, CheckSum));
    Driver->TimeDateStamp = Module->TimeDateStamp;
}

/* How many fit, each with the longest name. */
static ULONG PspTriageCountDrivers(const PSP_TRIAGE *Dump)
{
    ULONG Most = (TRIAGE_DUMP_SIZE - PSP_TRIAGE_ALIGN - Dump->Used) /
                 (sizeof(PSP_TRIAGE_DRIVER) + ALIGN_UP_BY(sizeof(PSP_TRIAGE_NAME), PSP_TRIAGE_ALIGN));
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList && Count < Most;
         Entry = Entry->Flink)
        Count++;
    return Count;
}

/* The list is read without a lock, as ImFindModule reads it: modules may come and go between the two walks. */
static VOID PspTriageAddDrivers(PSP_TRIAGE *Dump, PSP_TRIAGE_TABLE *Table)
{
    ULONG Count = PspTriageCountDrivers(Dump);
    PLIST_ENTRY Entry = PsLoadedModuleList.Flink;
    PSP_TRIAGE_DRIVER *Drivers;

    Table->DriverListOffset = PspTriageRoom(Dump, Count * sizeof(*Drivers));
    Table->StringPoolOffset = Dump->Used;
    Drivers = (PSP_TRIAGE_DRIVER *)(Dump->Buffer + Table->DriverListOffset);
    for (; Table->DriverCount < Count && Entry != &PsLoadedModuleList; Entry = Entry->Flink) {
        const IM_MODULE *Module = CONTAINING_RECORD(Entry, IM_MODULE, Entry);
        PspTriageAddDriver(&Drivers[Table->DriverCount++], Module, PspTriageAddName(Dump, Module));
    }
    Table->StringPoolSize = Dump->Used - Table->StringPoolOffset;
}

static ULONG PspTriageFinish(PSP_TRIAGE *Dump, PSP_DUMP_HEADER *Header, PSP_TRIAGE_TABLE *Table)
{
    Table->ContextOffset = FIELD_OFFSET(PSP_DUMP_HEADER, ContextRecord);
    Table->ExceptionOffset = FIELD_OFFSET(PSP_DUMP_HEADER, Exception);
    Table->ValidOffset = Dump->Used;
    *(PULONG)(Dump->Buffer + Dump->Used) = PSP_TRIAGE_END;
    Table->SizeOfDump = Dump->Used + sizeof(ULONG);
    Header->RequiredDumpSpace = Table->SizeOfDump;
    Header->MiniDumpFields = PspTriageContext | PspTriageException | PspTriagePrcb | PspTriageThread |
                             PspTriageDrivers | PspTriageDebuggerData |
                             (Table->ProcessOffset != 0 ? PspTriageProcess : 0) |
                             (Table->CallStackOffset != 0 ? PspTriageStack : 0);
    return Table->SizeOfDump;
}

/* Another thread than the current one has a stack that stands still. A hint: nothing keeps the thread as it is. */
static BOOLEAN PspStandsStill(PKTHREAD Thread)
{
    KTHREAD_STATE State = Thread->State;
    return (State == ThreadWaiting || State == ThreadReady) && !Thread->SwapBusy;
}

/* Any IRQL; no lock is taken, nothing is allocated. The bytes that were written, at most TRIAGE_DUMP_SIZE, or 0. Context and Buffer are
 * resident; Buffer is 8-byte aligned and has room for TRIAGE_DUMP_SIZE. Thread NULL: the current one; another one is referenced by the
 * caller, who sees to it that it does not run: 0 when it does, or has ended. The stack is what lies from Context->Rsp on in the
 * thread's stack (of the current thread, in this processor's interrupt stacks too). */
ULONG NTAPI KeCapturePersistentThreadState(PCONTEXT Context, PKTHREAD Thread, ULONG BugCheckCode,
                                           ULONG_PTR Parameter1, ULONG_PTR Parameter2, ULONG_PTR Parameter3,
                                           ULONG_PTR Parameter4, PVOID Buffer)
{
    const ULONG_PTR Parameters[] = {Parameter1, Parameter2, Parameter3, Parameter4};
    PSP_TRIAGE Dump = {.Buffer = Buffer, .Used = sizeof(PSP_DUMP_HEADER) + sizeof(PSP_TRIAGE_TABLE)};
    PSP_DUMP_HEADER *Header = Buffer;
    PSP_TRIAGE_TABLE *Table = (PSP_TRIAGE_TABLE *)(Header + 1);
    KIRQL OldIrql = KeGetCurrentIrql();
    ULONG Size;

    if (Thread == NULL)
        Thread = KiCurrentThread();
    if (Context == NULL || Buffer == NULL || (Thread != KiCurrentThread() && !PspStandsStill(Thread)))
        return 0;
    if (OldIrql < DISPATCH_LEVEL)
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    RtlZeroMemory(Buffer, Dump.Used);
    PspTriageFillHeader(Header, Context, BugCheckCode, Parameters);
    PspTriageAddObjects(&Dump, Table, Thread);
    PspTriageAddStack(&Dump, Table, Thread, Context->Rsp);
    PspTriageAddDrivers(&Dump, Table);
    Size = PspTriageFinish(&Dump, Header, Table);
    if (OldIrql < DISPATCH_LEVEL)
        KeLowerIrql(OldIrql);
    return Size;
}

/* SPDX-License-Identifier: MIT
 * Attaching to other processes: address space, APC state, switches while attached. A process is a copy of the kernel's half of the
 * page tables and one page of its own in the lower half, at the same address in each. */
#include "ki.h"
#include "kt.h"
#include "rtl.h"

#define PROCESS_PAGES 5 /* four levels of tables, and the page */
#define PROCESS_VALUE ((volatile ULONG64 *)0x10000)
#define PROCESS_TURNS 200

typedef struct _PROCESS_SPACE {
    KPROCESS Process;
    PFN_NUMBER Pages[PROCESS_PAGES];
    ULONG Count;
} PROCESS_SPACE;

static ULONG64 *ProcessTable(const PROCESS_SPACE *Space, ULONG Level)
{
    return MmDirectMap(Space->Pages[Level] << PAGE_SHIFT);
}

static VOID ProcessDelete(PROCESS_SPACE *Space)
{
    while (Space->Count > 0)
        MmFreePhysicalPages(Space->Pages[--Space->Count], 1);
}

/* FALSE: no memory, nothing is left. Value is what PROCESS_VALUE reads there. */
static BOOLEAN ProcessCreate(PROCESS_SPACE *Space, ULONG64 Value)
{
    const ULONG64 *Kernel = MmDirectMap(ArchReadCr3() & ~0xfffull);

    RtlZeroMemory(Space, sizeof(*Space));
    for (; Space->Count < PROCESS_PAGES; Space->Count++) {
        Space->Pages[Space->Count] = MmAllocatePhysicalPages(1, 0, ~(PFN_NUMBER)0 >> PAGE_SHIFT, 0);
        if (Space->Pages[Space->Count] == MM_NO_PAGE) {
            ProcessDelete(Space);
            return FALSE;
        }
        RtlZeroMemory(ProcessTable(Space, Space->Count), PAGE_SIZE);
    }
    RtlCopyMemory(ProcessTable(Space, 0) + 256, Kernel + 256, 256 * sizeof(ULONG64));
    for (ULONG Level = 0; Level + 1 < PROCESS_PAGES; Level++) /* present, writable, user */
        ProcessTable(Space, Level)[Level == 3 ? 0x10000 >> PAGE_SHIFT : 0] =
            (Space->Pages[Level + 1] << PAGE_SHIFT) | 7;
    *ProcessTable(Space, PROCESS_PAGES - 1) = Value;
    Space->Process.DirectoryTableBase = Space->Pages[0] << PAGE_SHIFT;
    return TRUE;
}

static BOOLEAN ProcessIsIn(const PROCESS_SPACE *Space, ULONG64 Value)
{
    return ArchReadCr3() == Space->Process.DirectoryTableBase && *PROCESS_VALUE == Value;
}

static BOOLEAN ProcessNested(PROCESS_SPACE *First, PROCESS_SPACE *Second)
{
    ULONG64 Own = ArchReadCr3();
    KAPC_STATE Outer, Again, Inner;
    BOOLEAN Right = TRUE;

    KeStackAttachProcess(&First->Process, &Outer);
    Right = Right && ProcessIsIn(First, 1) && KiCurrentThread()->ApcStateIndex == 1;
    KeStackAttachProcess(&First->Process, &Again); /* is there already */
    KeStackAttachProcess(&Second->Process, &Inner);
    Right = Right && ProcessIsIn(Second, 2);
    KeUnstackDetachProcess(&Inner);
    Right = Right && ProcessIsIn(First, 1);
    KeUnstackDetachProcess(&Again);
    Right = Right && ProcessIsIn(First, 1);
    KeUnstackDetachProcess(&Outer);
    return Right && ArchReadCr3() == Own && KiCurrentThread()->ApcStateIndex == 0 &&
           KiCurrentThread()->ApcState.Process == KiCurrentThread()->Process;
}

KT_TEST(process_attach_is_nested)
{
    PROCESS_SPACE First, Second;

    KT_EXPECT(ArchReadCr3() == KiKernelRoot);
    KT_EXPECT(ProcessCreate(&First, 1));
    BOOLEAN Both = ProcessCreate(&Second, 2), Right = Both && ProcessNested(&First, &Second);
    if (Both)
        ProcessDelete(&Second);
    ProcessDelete(&First);
    KT_EXPECT(Both && Right);
}

/* --- APCs belong to a process ------------------------------------------------------------------------------------------ */

typedef struct _PROCESS_APC {
    KAPC Apc;
    volatile ULONG Runs;
    PKPROCESS RanIn;
} PROCESS_APC;

static VOID NTAPI ProcessApcRoutine(PKAPC Apc, PKNORMAL_ROUTINE *Normal, PVOID *Context, PVOID *Argument1,
                                    PVOID *Argument2)
{
    PROCESS_APC *Mine = CONTAINING_RECORD(Apc, PROCESS_APC, Apc);

    Mine->RanIn = KiCurrentThread()->ApcState.Process;
    Mine->Runs++;
}

static VOID ProcessQueueApc(PROCESS_APC *Apc, KAPC_ENVIRONMENT Environment)
{
    RtlZeroMemory(Apc, sizeof(*Apc));
    KeInitializeApc(&Apc->Apc, KiCurrentThread(), Environment, ProcessApcRoutine, NULL, NULL, KernelMode,
                    NULL);
    KeInsertQueueApc(&Apc->Apc, NULL, NULL, 0);
}

/* While attached, an APC of the thread's own process waits; one of the process it is attached to runs at once. */
KT_TEST(process_apcs_stay_with_their_process)
{
    PROCESS_SPACE Space;
    PROCESS_APC Own, Here;
    KAPC_STATE State;

    KT_EXPECT(ProcessCreate(&Space, 7));
    KeStackAttachProcess(&Space.Process, &State);
    ProcessQueueApc(&Own, OriginalApcEnvironment);
    ProcessQueueApc(&Here, CurrentApcEnvironment);
    ULONG OwnRuns = Own.Runs, HereRuns = Here.Runs;
    KeUnstackDetachProcess(&State);
    ULONG OwnAfter = Own.Runs;
    ProcessDelete(&Space);
    KT_EXPECT(OwnRuns == 0 && HereRuns == 1);
    KT_EXPECT(OwnAfter == 1 && Here.Runs == 1);
    KT_EXPECT(Own.RanIn == KiCurrentThread()->Process && Here.RanIn == &Space.Process);
}

/* --- switches while attached ------------------------------------------------------------------------------------------- */

typedef struct _PROCESS_SWITCHER {
    PROCESS_SPACE Space;
    ULONG64 Value;
    KEVENT MyTurn;
    PKEVENT Next;
    BOOLEAN OneProcessor;
    volatile ULONG Wrong;
    PVOID Thread;
} PROCESS_SWITCHER;

static VOID ProcessTakeTurns(PROCESS_SWITCHER *Me)
{
    for (ULONG i = 0; i < PROCESS_TURNS; i++) {
        KeWaitForSingleObject(&Me->MyTurn, Executive, KernelMode, FALSE, NULL);
        Me->Wrong += !ProcessIsIn(&Me->Space, Me->Value);
        KeSetEvent(Me->Next, 0, FALSE);
    }
}

static VOID NTAPI ProcessSwitch(PVOID Context)
{
    PROCESS_SWITCHER *Me = Context;
    KAPC_STATE State;

    if (Me->OneProcessor)
        KeSetSystemAffinityThreadEx(1);
    KeStackAttachProcess(&Me->Space.Process, &State);
    ProcessTakeTurns(Me);
    KeUnstackDetachProcess(&State);
}

/* Two attached threads wake each other, this one watches that its own address space stays. */
static BOOLEAN ProcessSwitchers(BOOLEAN OneProcessor)
{
    static PROCESS_SWITCHER Switchers[2];
    ULONG64 Own = ArchReadCr3();
    BOOLEAN Right = TRUE;

    for (ULONG i = 0; i < 2; i++) {
        PROCESS_SWITCHER *Switcher = &Switchers[i];
        *Switcher = (PROCESS_SWITCHER){
            .Value = 100 + i, .Next = &Switchers[1 - i].MyTurn, .OneProcessor = OneProcessor};
        KeInitializeEvent(&Switcher->MyTurn, SynchronizationEvent, i == 0);
        Right = ProcessCreate(&Switcher->Space, Switcher->Value) && Right;
    }
    for (ULONG i = 0; i < 2 && Right; i++)
        Right = (Switchers[i].Thread = KtStartThread(ProcessSwitch, &Switchers[i])) != NULL;
    for (ULONG i = 0; i < 2; i++) {
        KtJoinThread(Switchers[i].Thread);
        Right = Right && Switchers[i].Wrong == 0 && ArchReadCr3() == Own;
    }
    for (ULONG i = 0; i < 2; i++)
        ProcessDelete(&Switchers[i].Space);
    return Right;
}

KT_TEST(process_is_switched_with_the_thread)
{
    KT_EXPECT(ProcessSwitchers(TRUE));
    KT_EXPECT(ProcessSwitchers(FALSE));
}

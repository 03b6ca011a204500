/* SPDX-License-Identifier: MIT
 * Phase 0: from osloader's hand-over to a kernel with traps, memory, objects, threads and a clock. One processor, interrupts
 * off, first on osloader's stack, then on that of the idle thread. */
#include "initp.h"
#include "arch_trap.h"
#include "cpio/cpio.h"
#include "ex.h"
#include "hal.h"
#include "io.h"
#include "kd.h"
#include "ke_checks.h"
#include "ke_failure.h"
#include "ke_paged.h"
#include "mm.h"
#include "ob.h"
#include "ps.h"
#include "rtl.h"
#include "screen/screen.h"
#include "se.h"

LOADER_BLOCK InitLoaderBlock;
INIT_OPTIONS InitOptions;
ULONG64 InitMemoryTicks;

static VOID InitOpenReport(VOID)
{
    ULONG64 Physical, Length;
    PHYSICAL_ADDRESS Address;

    if (!HalFindReportMemory(&Physical, &Length))
        return;
    Address.QuadPart = (LONGLONG)Physical;
    PVOID Memory = MmMapIoSpace(Address, Length, MmCached);
    if (Memory == NULL) /* the host would wait for records in vain */
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)STATUS_INSUFFICIENT_RESOURCES, 3, Physical,
                     Length);
    KdOpenReport(Memory, Length);
}

static VOID InitOpenScreen(VOID)
{
    uint64_t Size = ScreenGlassSize(&InitLoaderBlock.Screen);
    PHYSICAL_ADDRESS Address = {.QuadPart = (LONGLONG)InitLoaderBlock.Screen.Base};

    if (Size == 0)
        return;
    PVOID Glass = MmMapIoSpace(Address, Size, MmWriteCombined);
    if (Glass != NULL)
        KdInitializeScreen(&InitLoaderBlock.Screen, Glass);
}

static PUCHAR InitWritableCode(PUCHAR Code)
{
    return MmDirectMap((ULONG64)MmGetPhysicalAddress(Code).QuadPart);
}

/* Phase 1 starts all processors or stops the machine, so that present ones are active ones in the report. */
static VOID InitSayHello(VOID)
{
    KePresentProcessorCount = HalPresentProcessorCount();
    KdLog("ntbox %s (%s kernel), Windows 10.0.19045 x64", NTBOX_VERSION, NTBOX_CHECKED ? "checked" : "free");
    HalLogBoard();
    KdReport(ReportBoot, KD_TEXT(ReportKeyText, NTBOX_VERSION),
             KD_NUMBER(ReportKeyCount, KePresentProcessorCount),
             KD_NUMBER(ReportKeyTotal, KePresentProcessorCount),
             KD_TEXT(ReportKeyKind, NTBOX_CHECKED ? "checked" : "free"));
}

static VOID InitFindKernelSymbols(VOID)
{
    CPIO_ENTRY Entry;
    CPIO_ERROR Error;

    if (CpioFind((PVOID)InitLoaderBlock.Archive, InitLoaderBlock.ArchiveLength,
                 "Windows/System32/ntoskrnl.sym", true, &Entry, &Error) == CpioFound)
        ImSetKernelSymbols(Entry.Data, Entry.Size);
}

/* On the idle thread's own stack: osloader's will be freed. */
static VOID InitPhase0OnOwnStack(PVOID Context)
{
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes), .Attributes = OBJ_KERNEL_HANDLE};
    HANDLE Thread;

    KeInitializeIdle(((PVOID *)Context)[0], ((PVOID *)Context)[1]);
    KeInitializeClock(); /* before what is stamped with the time */
    if (InitOptions.TraceReferences)
        ObTraceReferences();
    ObInitSystem();
    SeInitSystem();
    PsInitSystem();
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, InitPhase1, NULL);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)Status, 2, 0, 0);
    ZwClose(Thread);
    KeIdleLoop();
}

static DECLSPEC_NORETURN VOID InitSwitchStack(VOID)
{
    static PVOID Limits[2], Discarded;
    static DECLSPEC_ALIGN(64) UCHAR XState[PAGE_SIZE];

    NT_CHECK(ArchXStateSize() <= sizeof(XState));
    if (!MmAllocateKernelStack(MM_KERNEL_STACK_SIZE, &Limits[0], &Limits[1]))
        KeBugCheckEx(INSTALL_MORE_MEMORY, 0, 0, 0, 0);
    ArchInitializeXState(XState);
    ArchSwitchContext(&Discarded, XState, ArchPrepareStack(Limits[0], InitPhase0OnOwnStack, Limits), XState);
    __builtin_unreachable();
}

/* The test of low memory at boot: ends in InitRunAgent. */
static VOID InitFailBoot(VOID)
{
    NTBOX_FAILURE_PLAN Plan = {.Mode = NtboxFailNth, .Number = InitOptions.FailBoot};

    if (InitOptions.FailBoot != 0 && !KeBeginFailure(&Plan))
        KdLogError("fail-boot: the free kernel cannot let allocations fail");
}

/* The entry of ntoskrnl.exe (osloader/loader_block.h). */
DECLSPEC_NORETURN VOID KiSystemStartup(LOADER_BLOCK *Block)
{
    KdInitializeSerial();
    KeInitializeBootProcessor();
    if (Block->Magic != LOADER_BLOCK_MAGIC || Block->Version != LOADER_BLOCK_VERSION ||
        Block->Size != sizeof(*Block)) {
        KdLogError("*** osloader and ntoskrnl.exe are of different versions");
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)STATUS_REVISION_MISMATCH, Block->Version, 0, 0);
    }
    InitLoaderBlock = *Block;
    InitParseOptions((PCSTR)Block->CommandLine, &InitOptions);
    if (InitOptions.ChecksOff)
        KeSwitchChecksOff();
    if (InitOptions.Trace != NULL)
        IoSetTracing(InitOptions.Trace);
    InitOptions.Image.Seed = Block->Seed;
    HalSetExitPort(InitOptions.ExitPort);
    KeNmiAsks = InitOptions.NmiAsks;
    (void)KeSetWatchdogLimits(&InitOptions.Watchdog);
    InitFailBoot();
    InitMemoryTicks -= ArchReadTsc();
    MmInitSystem(&InitLoaderBlock);
    InitMemoryTicks += ArchReadTsc();
    if (ArchHasSmap())
        ArchActivateSmap(InitWritableCode);
    ExInitializePools();
    if (InitOptions.SpecialPool != NULL)
        ExUseSpecialPool(InitOptions.SpecialPool);
    if (!InitOptions.PagedUnchecked)
        (VOID) KeCheckPagedPool();
    ExInitializePushLocks();
    HalInitSystem(&InitLoaderBlock);
    KeSetSpinLimit(InitOptions.SpinLimit);
    InitOpenScreen();
    InitOpenReport();
    InitSayHello();
    ImInitSystem(&InitLoaderBlock, &InitOptions.Image);
    InitSetUpcalls();
    InitFindKernelSymbols();
    InitSwitchStack();
}

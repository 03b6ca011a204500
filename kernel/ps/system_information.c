/* SPDX-License-Identifier: MIT
 * ZwQuerySystemInformation, one function a class. [MS NtQuerySystemInformation] */
#include "psp.h"
#include "image.h"
#include "mm.h"
#include "mm_caller.h"

#define PSP_HIGHEST_USER_ADDRESS 0x7ffffffeffff /* [WDK MmHighestUserAddress] */

static NTSTATUS PspQueryBasic(const PSP_ANSWER *Answer)
{
    MM_COUNTERS Memory;
    MmQueryCounters(&Memory);
    SYSTEM_BASIC_INFORMATION Basic = {
        .TimerResolution = KeQueryTimeIncrement(),
        .PageSize = PAGE_SIZE,
        .NumberOfPhysicalPages = (ULONG)Memory.TotalPages,
        .LowestPhysicalPageNumber = (ULONG)Memory.LowestPage,
        .HighestPhysicalPageNumber = (ULONG)Memory.HighestPage,
        .AllocationGranularity = 0x10000,
        .MinimumUserModeAddress = 0x10000,
        .MaximumUserModeAddress = PSP_HIGHEST_USER_ADDRESS,
        .ActiveProcessorsAffinityMask = KeQueryActiveProcessors(),
        .NumberOfProcessors = (CCHAR)KeActiveProcessorCount,
    };

    return PspAnswerExactly(Answer, &Basic, sizeof(Basic));
}

/* It may be asked for less than the whole. */
static NTSTATUS PspQueryTimeOfDay(const PSP_ANSWER *Answer)
{
    SYSTEM_TIMEOFDAY_INFORMATION Times = {0};

    KeQuerySystemTime(&Times.CurrentTime);
    Times.BootTime.QuadPart = Times.CurrentTime.QuadPart - (LONGLONG)KeQueryInterruptTime();
    return Answer->Length < sizeof(Times) ? PspAnswer(Answer, &Times, Answer->Length)
                                          : PspAnswerExactly(Answer, &Times, sizeof(Times));
}

static VOID PspFillProcessor(ULONG Number, SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION *Processor)
{
    PKPRCB Prcb = KiProcessorBlock[Number];

    Processor->IdleTime.QuadPart = (LONGLONG)Prcb->IdleThread->KernelTicks * PSP_TICK;
    Processor->KernelTime.QuadPart = (LONGLONG)Prcb->ClockTicks * PSP_TICK;
}

/* As many processors as the buffer has room for. */
static NTSTATUS PspQueryPerformance(const PSP_ANSWER *Answer)
{
    SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION *Processors;
    ULONG Count = Answer->Length / sizeof(*Processors);

    if (Answer->Length % sizeof(*Processors) != 0 || Count == 0)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (Count > KeActiveProcessorCount)
        Count = KeActiveProcessorCount;
    Processors = ExAllocatePool2(POOL_FLAG_NON_PAGED, Count * sizeof(*Processors), PSP_TAG_QUERY);
    if (Processors == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < Count; i++)
        PspFillProcessor(i, &Processors[i]);
    NTSTATUS Status = PspAnswer(Answer, Processors, Count * (ULONG)sizeof(*Processors));
    ExFreePoolWithTag(Processors, PSP_TAG_QUERY);
    return Status;
}

/* --- loaded modules --- */

static VOID PspFillModule(const IM_MODULE *Module, USHORT Index, RTL_PROCESS_MODULE_INFORMATION *To)
{
    ULONG Length = Module->FullName.Length / sizeof(WCHAR);
    ULONG BaseLength = Module->BaseName.Length / sizeof(WCHAR);

    To->ImageBase = Module->Base;
    To->ImageSize = Module->Size;
    To->LoadOrderIndex = Index;
    To->LoadCount = Module->LoadCount;
    if (Length >= sizeof(To->FullPathName))
        Length = sizeof(To->FullPathName) - 1;
    for (ULONG i = 0; i < Length; i++)
        To->FullPathName[i] = Module->FullName.Buffer[i] < 0x80 ? (UCHAR)Module->FullName.Buffer[i] : '?';
    To->OffsetToFileName = (USHORT)(BaseLength < Length ? Length - BaseLength : 0);
}

/* PsLoadedModuleResource held. */
static ULONG PspCountModules(VOID)
{
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList; Entry = Entry->Flink)
        Count++;
    return Count;
}

/* PsLoadedModuleResource held. NULL: no memory. */
static RTL_PROCESS_MODULES *PspListModules(PULONG Size)
{
    ULONG Count = PspCountModules();
    *Size =
        (ULONG)(FIELD_OFFSET(RTL_PROCESS_MODULES, Modules) + Count * sizeof(RTL_PROCESS_MODULE_INFORMATION));
    RTL_PROCESS_MODULES *List = ExAllocatePool2(POOL_FLAG_PAGED, *Size, PSP_TAG_QUERY);

    if (List == NULL)
        return NULL;
    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList; Entry = Entry->Flink) {
        ULONG Index = List->NumberOfModules++;
        PspFillModule(CONTAINING_RECORD(Entry, IM_MODULE, Entry), (USHORT)Index, &List->Modules[Index]);
    }
    return List;
}

static NTSTATUS PspQueryModules(const PSP_ANSWER *Answer)
{
    ULONG Size;

    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&PsLoadedModuleResource, TRUE);
    RTL_PROCESS_MODULES *List = PspListModules(&Size);
    ExReleaseResourceLite(&PsLoadedModuleResource);
    KeLeaveCriticalRegion();
    if (List == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = PspAnswer(Answer, List, Size);
    ExFreePoolWithTag(List, PSP_TAG_QUERY);
    return Status;
}

/* --- small ones --- */

static NTSTATUS PspQueryShortHandles(const PSP_ANSWER *Answer)
{
    return PspQueryHandles(Answer, FALSE);
}

static NTSTATUS PspQueryLongHandles(const PSP_ANSWER *Answer)
{
    return PspQueryHandles(Answer, TRUE);
}

/* There is no kernel debugger. */
static NTSTATUS PspQueryDebugger(const PSP_ANSWER *Answer)
{
    SYSTEM_KERNEL_DEBUGGER_INFORMATION Debugger = {FALSE, TRUE};

    return PspAnswerExactly(Answer, &Debugger, sizeof(Debugger));
}

/* [MS NtQuerySystemInformation] SYSTEM_CODEINTEGRITY_INFORMATION: the caller says its length in it. No option is on: signatures are not
 * looked at. */
static NTSTATUS PspQueryCodeIntegrity(const PSP_ANSWER *Answer)
{
    SYSTEM_CODEINTEGRITY_INFORMATION Code;

    if (Answer->Length != sizeof(Code))
        return PspAnswerExactly(Answer, &Code, sizeof(Code));
    NTSTATUS Status = MmReadCaller(&Code, Answer->Buffer, sizeof(Code), Answer->Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Code.Length != sizeof(Code))
        return STATUS_INFO_LENGTH_MISMATCH;
    Code.CodeIntegrityOptions = 0;
    return PspAnswerExactly(Answer, &Code, sizeof(Code));
}

static const struct {
    SYSTEM_INFORMATION_CLASS Class;
    NTSTATUS (*Query)(const PSP_ANSWER *Answer);
} PspSystemQueries[] = {
    {SystemBasicInformation, PspQueryBasic},
    {SystemTimeOfDayInformation, PspQueryTimeOfDay},
    {SystemProcessInformation, PspQueryProcesses},
    {SystemProcessorPerformanceInformation, PspQueryPerformance},
    {SystemModuleInformation, PspQueryModules},
    {SystemHandleInformation, PspQueryShortHandles},
    {SystemKernelDebuggerInformation, PspQueryDebugger},
    {SystemExtendedHandleInformation, PspQueryLongHandles},
    {SystemCodeIntegrityInformation, PspQueryCodeIntegrity},
};

static NTSTATUS PspQuerySystemInformation(SYSTEM_INFORMATION_CLASS Class, const PSP_ANSWER *Answer)
{
    NTSTATUS Status = MmProbeCaller(Answer->Buffer, Answer->Length, Answer->Mode);

    if (NT_SUCCESS(Status))
        Status = MmProbeCaller(Answer->ReturnLength, sizeof(ULONG), Answer->Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    for (ULONG i = 0; i < RTL_NUMBER_OF(PspSystemQueries); i++)
        if (PspSystemQueries[i].Class == Class)
            return PspSystemQueries[i].Query(Answer);
    return STATUS_INVALID_INFO_CLASS;
}

NTSTATUS NTAPI ZwQuerySystemInformation(SYSTEM_INFORMATION_CLASS SystemInformationClass,
                                        PVOID SystemInformation, ULONG SystemInformationLength,
                                        PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PSP_ANSWER Answer = {SystemInformation, SystemInformationLength, ReturnLength, KernelMode};
    return PspQuerySystemInformation(SystemInformationClass, &Answer);
}

NTSTATUS NTAPI NtQuerySystemInformation(SYSTEM_INFORMATION_CLASS SystemInformationClass,
                                        PVOID SystemInformation, ULONG SystemInformationLength,
                                        PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PSP_ANSWER Answer = {SystemInformation, SystemInformationLength, ReturnLength, ExGetPreviousMode()};
    return PspQuerySystemInformation(SystemInformationClass, &Answer);
}

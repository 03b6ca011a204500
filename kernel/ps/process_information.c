/* SPDX-License-Identifier: MIT
 * ZwSetInformationProcess and ZwQueryInformationProcess, one function a class. [MS NtQueryInformationProcess, Win32
 * ZwQueryInformationProcess] */
#include "psp.h"
#include "mm_caller.h"
#include "ob.h"
#include "se.h"

/* --- setting --- */

/* [Win32 SetPriorityClass] It is kept and told; threads keep the priorities that they were given (D-221). */
static NTSTATUS PspSetPriorityClass(PEPROCESS Process, const PROCESS_PRIORITY_CLASS *Value,
                                    KPROCESSOR_MODE Mode)
{
    if (Value->PriorityClass < PROCESS_PRIORITY_CLASS_IDLE ||
        Value->PriorityClass > PROCESS_PRIORITY_CLASS_ABOVE_NORMAL)
        return STATUS_INVALID_PARAMETER;
    if (Value->PriorityClass == PROCESS_PRIORITY_CLASS_REALTIME &&
        !SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_INC_BASE_PRIORITY_PRIVILEGE), Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    Process->PriorityClass = Value->PriorityClass;
    return STATUS_SUCCESS;
}

static NTSTATUS PspSetInformationProcess(HANDLE Handle, PROCESSINFOCLASS Class, const VOID *Information,
                                         ULONG Length, KPROCESSOR_MODE Mode)
{
    PROCESS_PRIORITY_CLASS Value;
    PEPROCESS Process;

    if (Class != ProcessPriorityClass)
        return STATUS_INVALID_INFO_CLASS;
    if (Length != sizeof(Value))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmReadCaller(&Value, Information, Length, Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, PROCESS_SET_INFORMATION, PsProcessType, Mode,
                                           (PVOID *)&Process, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PspSetPriorityClass(Process, &Value, Mode);
    ObDereferenceObject(Process);
    return Status;
}

NTSTATUS NTAPI ZwSetInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
                                       PVOID ProcessInformation, ULONG ProcessInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspSetInformationProcess(ProcessHandle, ProcessInformationClass, ProcessInformation,
                                    ProcessInformationLength, KernelMode);
}

NTSTATUS NTAPI NtSetInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
                                       PVOID ProcessInformation, ULONG ProcessInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspSetInformationProcess(ProcessHandle, ProcessInformationClass, ProcessInformation,
                                    ProcessInformationLength, ExGetPreviousMode());
}

/* --- asking --- */

static NTSTATUS PspQueryProcessBasic(PVOID Object, const PSP_ANSWER *Answer)
{
    PEPROCESS Process = Object;
    PROCESS_BASIC_INFORMATION Basic = {
        .ExitStatus = Process->ExitStatus,
        .AffinityMask = KeQueryActiveProcessors(),
        .BasePriority = PSP_BASE_PRIORITY,
        .UniqueProcessId = (ULONG_PTR)Process->UniqueProcessId,
        .InheritedFromUniqueProcessId = (ULONG_PTR)Process->ParentId,
    };

    return PspAnswerExactly(Answer, &Basic, sizeof(Basic));
}

static ULONG64 PspProcessTicks(PEPROCESS Process)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    ULONG64 Ticks = Process->EndedTicks;

    for (PLIST_ENTRY Entry = Process->ThreadList.Flink; Entry != &Process->ThreadList; Entry = Entry->Flink)
        Ticks += CONTAINING_RECORD(Entry, ETHREAD, ProcessEntry)->Tcb.KernelTicks;
    ArchReleaseLock(&PspListLock, OldIrql);
    return Ticks;
}

static NTSTATUS PspQueryProcessTimes(PVOID Object, const PSP_ANSWER *Answer)
{
    PEPROCESS Process = Object;
    KERNEL_USER_TIMES Times = {.CreateTime = Process->CreateTime,
                               .ExitTime = Process->ExitTime,
                               .KernelTime.QuadPart = (LONGLONG)PspProcessTicks(Process) * PSP_TICK};

    return PspAnswerExactly(Answer, &Times, sizeof(Times));
}

/* [MS NtQueryInformationProcess] ProcessDebugPort 0: no debugger. ProcessWow64Information 0: not of 32 bits. */
static NTSTATUS PspQueryNoPointer(PVOID Object, const PSP_ANSWER *Answer)
{
    ULONG_PTR None = 0;

    return PspAnswerExactly(Answer, &None, sizeof(None));
}

static NTSTATUS PspQueryPriorityClass(PVOID Object, const PSP_ANSWER *Answer)
{
    PEPROCESS Process = Object;
    PROCESS_PRIORITY_CLASS Class = {FALSE, Process->PriorityClass};

    return PspAnswerExactly(Answer, &Class, sizeof(Class));
}

static NTSTATUS PspQueryHandleCount(PVOID Object, const PSP_ANSWER *Answer)
{
    PEPROCESS Process = Object;
    ULONG Count = ObHandleCount(Process->Pcb.HandleTable);

    return PspAnswerExactly(Answer, &Count, sizeof(Count));
}

static NTSTATUS PspQuerySession(PVOID Object, const PSP_ANSWER *Answer)
{
    PROCESS_SESSION_INFORMATION Session = {0};

    return PspAnswerExactly(Answer, &Session, sizeof(Session));
}

static NTSTATUS PspQueryImageFileName(PVOID Object, const PSP_ANSWER *Answer)
{
    UNICODE_STRING None = {0};

    return PspAnswerString(Answer, &None);
}

static NTSTATUS PspQueryProtection(PVOID Object, const PSP_ANSWER *Answer)
{
    PEPROCESS Process = Object;
    return PspAnswerExactly(Answer, &Process->Protection, sizeof(Process->Protection));
}

static const PSP_QUERY PspProcessQueries[] = {
    {ProcessBasicInformation, PROCESS_QUERY_LIMITED_INFORMATION, PspQueryProcessBasic},
    {ProcessTimes, PROCESS_QUERY_LIMITED_INFORMATION, PspQueryProcessTimes},
    {ProcessDebugPort, PROCESS_QUERY_INFORMATION, PspQueryNoPointer},
    {ProcessPriorityClass, PROCESS_QUERY_LIMITED_INFORMATION, PspQueryPriorityClass},
    {ProcessHandleCount, PROCESS_QUERY_LIMITED_INFORMATION, PspQueryHandleCount},
    {ProcessSessionInformation, PROCESS_QUERY_LIMITED_INFORMATION, PspQuerySession},
    {ProcessWow64Information, PROCESS_QUERY_LIMITED_INFORMATION, PspQueryNoPointer},
    {ProcessImageFileName, PROCESS_QUERY_LIMITED_INFORMATION, PspQueryImageFileName},
    {ProcessProtectionInformation, PROCESS_QUERY_LIMITED_INFORMATION, PspQueryProtection},
};

static NTSTATUS PspQueryInformationProcess(HANDLE Handle, PROCESSINFOCLASS Class, const PSP_ANSWER *Answer)
{
    return PspQueryByTable(PspProcessQueries, RTL_NUMBER_OF(PspProcessQueries), PsProcessType, Handle,
                           (ULONG)Class, Answer);
}

NTSTATUS NTAPI ZwQueryInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
                                         PVOID ProcessInformation, ULONG ProcessInformationLength,
                                         PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PSP_ANSWER Answer = {ProcessInformation, ProcessInformationLength, ReturnLength, KernelMode};
    return PspQueryInformationProcess(ProcessHandle, ProcessInformationClass, &Answer);
}

NTSTATUS NTAPI NtQueryInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
                                         PVOID ProcessInformation, ULONG ProcessInformationLength,
                                         PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PSP_ANSWER Answer = {ProcessInformation, ProcessInformationLength, ReturnLength, ExGetPreviousMode()};
    return PspQueryInformationProcess(ProcessHandle, ProcessInformationClass, &Answer);
}

/* SPDX-License-Identifier: MIT
 * ZwSetInformationThread and ZwQueryInformationThread, one function a class. [WDK ZwSetInformationThread, Win32
 * ZwQueryInformationThread] */
#include "psp.h"
#include "mm_caller.h"
#include "ob.h"
#include "se.h"

/* With the terminator that an answer adds it has to fit into MaximumLength. */
#define PSP_LONGEST_NAME (MAXUSHORT - 1 - sizeof(UNICODE_NULL))

static EX_PUSH_LOCK PspNameLock; /* ETHREAD.Name of all threads; in a critical region */

/* --- setting: Value is the caller's, copied --- */

typedef union _PSP_THREAD_VALUE {
    KPRIORITY Priority;
    LONG Increment;
    KAFFINITY Affinity;
    HANDLE Token;
    PAGE_PRIORITY_INFORMATION Page;
    UNICODE_STRING Name;
} PSP_THREAD_VALUE;

typedef NTSTATUS PSP_SET_THREAD(PETHREAD Thread, const PSP_THREAD_VALUE *Value, KPROCESSOR_MODE Mode);

/* Real-time priorities are not for everybody. */
static BOOLEAN PspMayBeRealTime(KPROCESSOR_MODE Mode)
{
    return SeSinglePrivilegeCheck(RtlConvertUlongToLuid(SE_INC_BASE_PRIORITY_PRIVILEGE), Mode);
}

static NTSTATUS PspSetThreadPriority(PETHREAD Thread, const PSP_THREAD_VALUE *Value, KPROCESSOR_MODE Mode)
{
    if (Value->Priority <= LOW_PRIORITY || Value->Priority > HIGH_PRIORITY)
        return STATUS_INVALID_PARAMETER;
    if (Value->Priority >= LOW_REALTIME_PRIORITY && !PspMayBeRealTime(Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    (void)KeSetPriorityThread(&Thread->Tcb, Value->Priority);
    return STATUS_SUCCESS;
}

#define PSP_BASE_LOWEST_REALTIME 15 /* [Win32 THREAD_PRIORITY_TIME_CRITICAL] */
#define PSP_BASE_IDLE (-15)         /* [Win32 THREAD_PRIORITY_IDLE] */

/* [Win32 SetThreadPriority] from -2 to 2 around the process's, or to the ends of the dynamic ones. */
static NTSTATUS PspSetThreadBase(PETHREAD Thread, const PSP_THREAD_VALUE *Value, KPROCESSOR_MODE Mode)
{
    LONG Increment = Value->Increment;

    if ((Increment < -2 || Increment > 2) && Increment != PSP_BASE_LOWEST_REALTIME &&
        Increment != PSP_BASE_IDLE)
        return STATUS_INVALID_PARAMETER;
    (void)KeSetBasePriorityThread(&Thread->Tcb, Increment);
    return STATUS_SUCCESS;
}

static NTSTATUS PspSetThreadAffinity(PETHREAD Thread, const PSP_THREAD_VALUE *Value, KPROCESSOR_MODE Mode)
{
    if (Value->Affinity == 0 || (Value->Affinity & ~KeQueryActiveProcessors()) != 0)
        return STATUS_INVALID_PARAMETER;
    (void)KeSetAffinityThread(&Thread->Tcb, Value->Affinity);
    return STATUS_SUCCESS;
}

static NTSTATUS PspSetThreadToken(PETHREAD Thread, const PSP_THREAD_VALUE *Value, KPROCESSOR_MODE Mode)
{
    return PspAssignToken(Thread, Value->Token, Mode);
}

static NTSTATUS PspSetThreadPagePriority(PETHREAD Thread, const PSP_THREAD_VALUE *Value, KPROCESSOR_MODE Mode)
{
    if (Value->Page.PagePriority == 0 || Value->Page.PagePriority > PSP_PAGE_PRIORITY_NORMAL)
        return STATUS_INVALID_PARAMETER;
    Thread->PagePriority = Value->Page.PagePriority;
    return STATUS_SUCCESS;
}

/* *Name: an empty string, or a copy in pool that is the thread's now; afterwards the one that it had. */
static VOID PspExchangeName(PETHREAD Thread, PUNICODE_STRING Name)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&PspNameLock);
    UNICODE_STRING Old = Thread->Name;
    Thread->Name = *Name;
    ExReleasePushLockExclusive(&PspNameLock);
    KeLeaveCriticalRegion();
    *Name = Old;
}

static NTSTATUS PspSetThreadName(PETHREAD Thread, const PSP_THREAD_VALUE *Value, KPROCESSOR_MODE Mode)
{
    UNICODE_STRING Name = {Value->Name.Length, Value->Name.Length, NULL};

    if ((Name.Length & 1) || Name.Length > PSP_LONGEST_NAME)
        return STATUS_INVALID_PARAMETER;
    if (Name.Length != 0) {
        Name.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Name.Length, PSP_TAG_NAME);
        if (Name.Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        NTSTATUS Status = MmTryReadCaller(Name.Buffer, Value->Name.Buffer, Name.Length, Mode);
        if (!NT_SUCCESS(Status)) {
            ExFreePoolWithTag(Name.Buffer, PSP_TAG_NAME);
            return Status;
        }
    }
    PspExchangeName(Thread, &Name);
    if (Name.Buffer != NULL)
        ExFreePoolWithTag(Name.Buffer, PSP_TAG_NAME);
    return STATUS_SUCCESS;
}

static const struct {
    ULONG Class;
    ACCESS_MASK Access;
    ULONG Size;
    PSP_SET_THREAD *Set;
} PspThreadSettings[] = {
    {ThreadPriority, THREAD_SET_INFORMATION, sizeof(KPRIORITY), PspSetThreadPriority},
    {ThreadBasePriority, THREAD_SET_INFORMATION, sizeof(LONG), PspSetThreadBase},
    {ThreadAffinityMask, THREAD_SET_INFORMATION, sizeof(KAFFINITY), PspSetThreadAffinity},
    {ThreadImpersonationToken, THREAD_SET_THREAD_TOKEN, sizeof(HANDLE), PspSetThreadToken},
    {ThreadPagePriority, THREAD_SET_INFORMATION, sizeof(PAGE_PRIORITY_INFORMATION), PspSetThreadPagePriority},
    {ThreadNameInformation, THREAD_SET_LIMITED_INFORMATION, sizeof(UNICODE_STRING), PspSetThreadName},
};

static NTSTATUS PspSetInformationThread(HANDLE Handle, THREADINFOCLASS Class, const VOID *Information,
                                        ULONG Length, KPROCESSOR_MODE Mode)
{
    PSP_THREAD_VALUE Value;
    PETHREAD Thread;
    ULONG i = 0;

    while (i < RTL_NUMBER_OF(PspThreadSettings) && PspThreadSettings[i].Class != (ULONG)Class)
        i++;
    if (i == RTL_NUMBER_OF(PspThreadSettings))
        return STATUS_INVALID_INFO_CLASS;
    if (Length != PspThreadSettings[i].Size)
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmReadCaller(&Value, Information, Length, Mode);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, PspThreadSettings[i].Access, PsThreadType, Mode,
                                           (PVOID *)&Thread, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PspThreadSettings[i].Set(Thread, &Value, Mode);
    ObDereferenceObject(Thread);
    return Status;
}

NTSTATUS NTAPI ZwSetInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                      PVOID ThreadInformation, ULONG ThreadInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspSetInformationThread(ThreadHandle, ThreadInformationClass, ThreadInformation,
                                   ThreadInformationLength, KernelMode);
}

NTSTATUS NTAPI NtSetInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                      PVOID ThreadInformation, ULONG ThreadInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspSetInformationThread(ThreadHandle, ThreadInformationClass, ThreadInformation,
                                   ThreadInformationLength, ExGetPreviousMode());
}

/* --- asking --- */

static NTSTATUS PspQueryThreadBasic(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    THREAD_BASIC_INFORMATION Basic = {
        .ExitStatus = Thread->ExitStatus,
        .ClientId = Thread->Cid,
        .AffinityMask = Thread->Tcb.Affinity & KeQueryActiveProcessors(),
        .Priority = Thread->Tcb.Priority,
        .BasePriority = Thread->Tcb.BasePriority - PSP_BASE_PRIORITY,
    };

    return PspAnswerExactly(Answer, &Basic, sizeof(Basic));
}

static NTSTATUS PspQueryThreadTimes(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    KERNEL_USER_TIMES Times = {.CreateTime = Thread->CreateTime,
                               .ExitTime = Thread->ExitTime,
                               .KernelTime.QuadPart = (LONGLONG)Thread->Tcb.KernelTicks * PSP_TICK};

    return PspAnswerExactly(Answer, &Times, sizeof(Times));
}

static NTSTATUS PspQueryThreadStart(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    return PspAnswerExactly(Answer, &Thread->StartRoutine, sizeof(PVOID));
}

static NTSTATUS PspQueryLastThread(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    ULONG Last = ((PEPROCESS)Thread->Tcb.Process)->ActiveThreads == 1;

    return PspAnswerExactly(Answer, &Last, sizeof(Last));
}

static NTSTATUS PspQueryThreadPending(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    ULONG Pending = !IsListEmpty(&Thread->IrpList);

    return PspAnswerExactly(Answer, &Pending, sizeof(Pending));
}

static NTSTATUS PspQueryThreadEnded(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    ULONG Ended = Thread->Tcb.Header.SignalState != 0;

    return PspAnswerExactly(Answer, &Ended, sizeof(Ended));
}

static NTSTATUS PspQueryThreadPagePriority(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    return PspAnswerExactly(Answer, &Thread->PagePriority, sizeof(Thread->PagePriority));
}

/* *Copy: in pool, or empty. */
static NTSTATUS PspCopyThreadName(PETHREAD Thread, PUNICODE_STRING Copy)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&PspNameLock);
    *Copy = Thread->Name;
    if (Copy->Length != 0)
        Copy->Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Copy->Length, PSP_TAG_NAME);
    if (Copy->Length != 0 && Copy->Buffer != NULL)
        RtlCopyMemory(Copy->Buffer, Thread->Name.Buffer, Copy->Length);
    ExReleasePushLockShared(&PspNameLock);
    KeLeaveCriticalRegion();
    return Copy->Length != 0 && Copy->Buffer == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

/* The caller's memory is not touched under the lock of all names: it may have to be read in, or raise. */
static NTSTATUS PspQueryThreadName(PVOID Object, const PSP_ANSWER *Answer)
{
    PETHREAD Thread = Object;
    UNICODE_STRING Name;
    NTSTATUS Status = PspCopyThreadName(Thread, &Name);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = PspAnswerString(Answer, &Name);
    if (Name.Buffer != NULL)
        ExFreePoolWithTag(Name.Buffer, PSP_TAG_NAME);
    return Status;
}

static const PSP_QUERY PspThreadQueries[] = {
    {ThreadBasicInformation, THREAD_QUERY_LIMITED_INFORMATION, PspQueryThreadBasic},
    {ThreadTimes, THREAD_QUERY_LIMITED_INFORMATION, PspQueryThreadTimes},
    {ThreadQuerySetWin32StartAddress, THREAD_QUERY_INFORMATION, PspQueryThreadStart},
    {ThreadAmILastThread, THREAD_QUERY_INFORMATION, PspQueryLastThread},
    {ThreadIsIoPending, THREAD_QUERY_INFORMATION, PspQueryThreadPending},
    {ThreadIsTerminated, THREAD_QUERY_LIMITED_INFORMATION, PspQueryThreadEnded},
    {ThreadPagePriority, THREAD_QUERY_INFORMATION, PspQueryThreadPagePriority},
    {ThreadNameInformation, THREAD_QUERY_LIMITED_INFORMATION, PspQueryThreadName},
};

static NTSTATUS PspQueryInformationThread(HANDLE Handle, THREADINFOCLASS Class, const PSP_ANSWER *Answer)
{
    return PspQueryByTable(PspThreadQueries, RTL_NUMBER_OF(PspThreadQueries), PsThreadType, Handle,
                           (ULONG)Class, Answer);
}

NTSTATUS NTAPI ZwQueryInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                        PVOID ThreadInformation, ULONG ThreadInformationLength,
                                        PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PSP_ANSWER Answer = {ThreadInformation, ThreadInformationLength, ReturnLength, KernelMode};
    return PspQueryInformationThread(ThreadHandle, ThreadInformationClass, &Answer);
}

NTSTATUS NTAPI NtQueryInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                        PVOID ThreadInformation, ULONG ThreadInformationLength,
                                        PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PSP_ANSWER Answer = {ThreadInformation, ThreadInformationLength, ReturnLength, ExGetPreviousMode()};
    return PspQueryInformationThread(ThreadHandle, ThreadInformationClass, &Answer);
}

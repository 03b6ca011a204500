/* SPDX-License-Identifier: MIT
 * Processes and threads by number, by pointer and by handle. [WDK PsLookupProcessByProcessId, PsLookupThreadByThreadId,
 * PsSetCreateProcessNotifyRoutine, PsSetCreateThreadNotifyRoutine, PsSetCreateThreadNotifyRoutineEx, ZwOpenProcess,
 * ZwSetInformationThread; MS NtQueryInformationProcess, NtQueryInformationThread] */
#include "ct_threads.h"

static const HANDLE SystemId = (HANDLE)4, NoId = (HANDLE)0x7ffffff8;

/* A thread that waits until it may go. */
typedef struct WAITER {
    KEVENT Go, Runs;
    HANDLE Id;
} WAITER;

static VOID NTAPI Wait(PVOID Context)
{
    WAITER *Waiter = Context;
    Waiter->Id = PsGetCurrentThreadId();
    KeSetEvent(&Waiter->Runs, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Waiter->Go, Executive, KernelMode, FALSE, NULL);
    PsTerminateSystemThread(STATUS_NO_MORE_FILES);
}

static PKTHREAD StartWaiter(WAITER *Waiter)
{
    KeInitializeEvent(&Waiter->Go, NotificationEvent, FALSE);
    KeInitializeEvent(&Waiter->Runs, NotificationEvent, FALSE);
    PKTHREAD Thread = CtStart(Wait, Waiter);
    if (Thread != NULL)
        CtExpect(&Waiter->Runs);
    return Thread;
}

/* --- by number --- */

static VOID ProcessSystem(VOID)
{
    CT_EQUAL(PsInitialSystemProcess, PsGetCurrentProcess());
    CT_EQUAL(PsGetProcessId(PsInitialSystemProcess), SystemId);
    CT_CHECK(ObGetObjectType(PsInitialSystemProcess) == *PsProcessType);
}

static VOID ProcessBuild(VOID)
{
    ULONG Build;
    PsGetVersion(NULL, NULL, &Build, NULL);
    CT_EQUAL(NtBuildNumber & 0xffff, Build);
    CT_EQUAL(NtBuildNumber >> 28, 0xf); /* a free build */
}

static VOID ProcessLookup(VOID)
{
    PEPROCESS Process = NULL;
    KIRQL OldIrql;
    CT_SUCCESS(PsLookupProcessByProcessId(SystemId, &Process));
    CT_EQUAL(Process, PsInitialSystemProcess);
    ObDereferenceObject(Process);
    CT_CHECK(!NT_SUCCESS(PsLookupProcessByProcessId(NoId, &Process)));
    CT_CHECK(!NT_SUCCESS(PsLookupProcessByProcessId(PsGetCurrentThreadId(), &Process)));
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    CT_SUCCESS(PsLookupProcessByProcessId(SystemId, &Process));
    KeLowerIrql(OldIrql);
    ObDereferenceObject(Process);
}

static BOOLEAN ThreadIsUnknown(PVOID Id)
{
    PETHREAD Thread;
    if (!NT_SUCCESS(PsLookupThreadByThreadId(Id, &Thread)))
        return TRUE;
    ObDereferenceObject(Thread);
    return FALSE;
}

/* A thread is found while it runs, and not when it is gone; a look-up holds a reference. */
static VOID ProcessLookupThread(VOID)
{
    WAITER Waiter;
    PETHREAD Found = NULL;
    PKTHREAD Thread = StartWaiter(&Waiter);
    CT_REQUIRE(Thread != NULL);
    CT_SUCCESS(PsLookupThreadByThreadId(Waiter.Id, &Found));
    CT_EQUAL(Found, Thread);
    KeSetEvent(&Waiter.Go, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    CT_CHECK(PsIsThreadTerminating(Found));
    CT_EQUAL(PsGetThreadId(Found), Waiter.Id);
    ObDereferenceObject(Found);
    CT_CHECK(CtObserve(ThreadIsUnknown, Waiter.Id));
    CT_STATUS(PsLookupThreadByThreadId(NoId, &Found), STATUS_INVALID_PARAMETER);
    CT_CHECK(!NT_SUCCESS(PsLookupThreadByThreadId(SystemId, &Found)));
}

static VOID ProcessLookupCid(VOID)
{
    CLIENT_ID Id = {SystemId, PsGetCurrentThreadId()};
    PEPROCESS Process = NULL;
    PETHREAD Thread = NULL;
    CT_SUCCESS(PsLookupProcessThreadByCid(&Id, &Process, &Thread));
    CT_EQUAL(Process, PsInitialSystemProcess);
    CT_EQUAL(Thread, PsGetCurrentThread());
    ObDereferenceObject(Process);
    ObDereferenceObject(Thread);
    CT_SUCCESS(PsLookupProcessThreadByCid(&Id, NULL, &Thread));
    ObDereferenceObject(Thread);
    Id.UniqueProcess = NoId;
    CT_STATUS(PsLookupProcessThreadByCid(&Id, &Process, &Thread), STATUS_INVALID_CID);
    Id = (CLIENT_ID){SystemId, NoId};
    CT_STATUS(PsLookupProcessThreadByCid(&Id, &Process, &Thread), STATUS_INVALID_CID);
}

/* --- by pointer --- */

static VOID ProcessAccessors(VOID)
{
    PEPROCESS Process = PsInitialSystemProcess;
    LARGE_INTEGER Now;
    ANSI_STRING Name, System = RTL_CONSTANT_STRING("System");
    KeQuerySystemTime(&Now);
    CT_EQUAL(PsGetProcessInheritedFromUniqueProcessId(Process), 0);
    CT_CHECK(PsGetProcessCreateTimeQuadPart(Process) > 0);
    CT_CHECK(PsGetProcessCreateTimeQuadPart(Process) < Now.QuadPart);
    CT_EQUAL(PsGetProcessExitTime().QuadPart, 0);
    CT_STATUS(PsGetProcessExitStatus(Process), STATUS_PENDING);
    CT_CHECK(!PsGetProcessExitProcessCalled(Process));
    RtlInitAnsiString(&Name, (PCSZ)PsGetProcessImageFileName(Process));
    CT_CHECK(RtlEqualString(&Name, &System, FALSE));
    CT_CHECK(PsGetProcessSectionBaseAddress(Process) == NULL && PsGetProcessPeb(Process) == NULL);
    CT_CHECK(PsGetProcessWow64Process(Process) == NULL && PsGetCurrentProcessWow64Process() == NULL);
    CT_CHECK(PsGetProcessJob(Process) == NULL && PsGetProcessDebugPort(Process) == NULL);
    CT_CHECK(!PsIsProcessBeingDebugged(Process));
    CT_CHECK(PsGetProcessSessionId(Process) == 0 && PsGetCurrentProcessSessionId() == 0);
    CT_EQUAL(PsGetProcessPriorityClass(Process), PROCESS_PRIORITY_CLASS_NORMAL);
    CT_EQUAL(PsGetProcessProtection(Process), PS_PROTECTED_SYSTEM);
    CT_CHECK(PsIsProtectedProcess(Process) && PsIsSystemProcess(Process));
}

static VOID ProcessExitSynchronization(VOID)
{
    CT_SUCCESS(PsAcquireProcessExitSynchronization(PsInitialSystemProcess));
    CT_SUCCESS(PsAcquireProcessExitSynchronization(PsInitialSystemProcess));
    PsReleaseProcessExitSynchronization(PsInitialSystemProcess);
    PsReleaseProcessExitSynchronization(PsInitialSystemProcess);
}

static VOID ProcessThreadAccessors(VOID)
{
    PETHREAD Current = PsGetCurrentThread();
    ULONG_PTR Here = (ULONG_PTR)&Current;
    CT_EQUAL(PsGetThreadProcessId(Current), SystemId);
    CT_EQUAL(PsGetThreadProcess(Current), PsInitialSystemProcess);
    CT_EQUAL(PsGetCurrentThreadProcess(), PsInitialSystemProcess);
    CT_EQUAL(PsGetCurrentThreadProcessId(), SystemId);
    CT_STATUS(PsGetThreadExitStatus(Current), STATUS_PENDING);
    CT_CHECK(!PsIsThreadTerminating(Current));
    CT_CHECK(PsGetThreadTeb(Current) == NULL && PsGetCurrentThreadTeb() == NULL);
    CT_CHECK(Here < (ULONG_PTR)PsGetCurrentThreadStackBase());
    CT_CHECK(Here >= (ULONG_PTR)PsGetCurrentThreadStackLimit());
    CT_EQUAL(PsGetCurrentThreadPreviousMode(), KernelMode);
    WAITER Waiter;
    PKTHREAD Thread = StartWaiter(&Waiter);
    CT_REQUIRE(Thread != NULL);
    CT_STATUS(PsGetThreadExitStatus((PETHREAD)Thread), STATUS_PENDING);
    KeSetEvent(&Waiter.Go, IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &CtPatience));
    CT_STATUS(PsGetThreadExitStatus((PETHREAD)Thread), STATUS_NO_MORE_FILES);
    CT_CHECK(PsIsThreadTerminating((PETHREAD)Thread));
    ObDereferenceObject(Thread);
}

/* The caller frees the name. */
static VOID ProcessImageName(VOID)
{
    PUNICODE_STRING Name = NULL;
    CT_SUCCESS(SeLocateProcessImageName(PsInitialSystemProcess, &Name));
    CT_REQUIRE(Name != NULL);
    CT_CHECK(Name->Length <= Name->MaximumLength);
    ExFreePool(Name);
}

/* --- notify routines --- */

static VOID NTAPI OnProcess(HANDLE ParentId, HANDLE ProcessId, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(ParentId);
    UNREFERENCED_PARAMETER(ProcessId);
    UNREFERENCED_PARAMETER(Create);
}

static VOID ProcessNotify(VOID)
{
    CT_STATUS(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE), STATUS_PROCEDURE_NOT_FOUND);
    CT_SUCCESS(PsSetCreateProcessNotifyRoutine(OnProcess, FALSE));
    CT_STATUS(PsSetCreateProcessNotifyRoutine(OnProcess, FALSE), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE));
    CT_STATUS(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE), STATUS_PROCEDURE_NOT_FOUND);
}

/* What a routine saw of the thread that the case is about. */
static struct {
    HANDLE Creator; /* the routine looks at threads that this one makes */
    HANDLE Id;
    volatile LONG Creations, Ends;
    HANDLE CreatedBy, EndedBy;
    KIRQL Irql;
    BOOLEAN InRegion, Found, Before;
} Seen;

static VOID NTAPI OnThread(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
    PETHREAD Thread;
    if (Create && PsGetCurrentThreadId() == Seen.Creator) {
        Seen.Id = ThreadId;
        Seen.CreatedBy = PsGetCurrentThreadId();
        Seen.Irql = KeGetCurrentIrql();
        Seen.InRegion = KeAreApcsDisabled();
        Seen.Found = NT_SUCCESS(PsLookupThreadByThreadId(ThreadId, &Thread));
        if (Seen.Found) {
            Seen.Before = PsGetThreadProcessId(Thread) == ProcessId && !PsIsThreadTerminating(Thread);
            ObDereferenceObject(Thread);
        }
        InterlockedIncrement(&Seen.Creations);
    } else if (!Create && ThreadId == Seen.Id) {
        Seen.EndedBy = PsGetCurrentThreadId();
        Seen.InRegion &= KeAreApcsDisabled();
        InterlockedIncrement(&Seen.Ends);
    }
}

static VOID NTAPI OnThreadToo(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(ProcessId);
    UNREFERENCED_PARAMETER(ThreadId);
    UNREFERENCED_PARAMETER(Create);
    InterlockedIncrement(&Seen.Creations);
}

/* Told by the creator before the thread runs, and by the thread before it has ended. */
static VOID CheckSeenThread(VOID)
{
    WAITER Waiter;
    RtlZeroMemory(&Seen, sizeof(Seen));
    Seen.Creator = PsGetCurrentThreadId();
    PKTHREAD Thread = StartWaiter(&Waiter);
    CT_REQUIRE(Thread != NULL);
    CT_EQUAL(Seen.Creations, 1);
    CT_EQUAL(Seen.Id, Waiter.Id);
    CT_EQUAL(Seen.Ends, 0);
    KeSetEvent(&Waiter.Go, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
    CT_EQUAL(Seen.Ends, 1);
    CT_EQUAL(Seen.CreatedBy, Seen.Creator);
    CT_EQUAL(Seen.EndedBy, Waiter.Id);
    CT_EQUAL(Seen.Irql, PASSIVE_LEVEL);
    CT_CHECK(Seen.InRegion && Seen.Found && Seen.Before);
}

static VOID ProcessThreadNotify(VOID)
{
    ULONG Count = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    CT_STATUS(PsRemoveCreateThreadNotifyRoutine(OnThread), STATUS_PROCEDURE_NOT_FOUND);
    CT_SUCCESS(PsSetCreateThreadNotifyRoutine(OnThread));
    CheckSeenThread();
    CT_SUCCESS(PsRemoveCreateThreadNotifyRoutine(OnThread));
    CT_STATUS(PsRemoveCreateThreadNotifyRoutine(OnThread), STATUS_PROCEDURE_NOT_FOUND);
    while (Count <= 64 && NT_SUCCESS(Status = PsSetCreateThreadNotifyRoutine(OnThread)))
        Count++;
    CT_STATUS(Status, STATUS_INSUFFICIENT_RESOURCES);
    CT_CHECK(Count > 8 && Count <= 64);
    while (Count-- != 0)
        CT_SUCCESS(PsRemoveCreateThreadNotifyRoutine(OnThread));
}

static VOID NTAPI OnProcessEx(PEPROCESS Process, HANDLE Id, PPS_CREATE_NOTIFY_INFO Info)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Id);
    UNREFERENCED_PARAMETER(Info);
}

/* [WDK PsSetCreateProcessNotifyRoutineEx] this image is not linked with /INTEGRITYCHECK. */
static VOID ProcessIntegrity(VOID)
{
    CT_STATUS(PsSetCreateProcessNotifyRoutineEx(OnProcessEx, FALSE), STATUS_ACCESS_DENIED);
    CT_STATUS(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)OnProcessEx, FALSE),
              STATUS_ACCESS_DENIED);
    CT_STATUS(PsSetCreateProcessNotifyRoutineEx(OnProcessEx, TRUE), STATUS_PROCEDURE_NOT_FOUND);
}

/* System threads are none of PsCreateThreadNotifyNonSystem's. */
static VOID ProcessThreadNotifyEx(VOID)
{
    CT_SUCCESS(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems, (PVOID)OnThread));
    CT_SUCCESS(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem, (PVOID)OnThreadToo));
    CheckSeenThread();
    CT_SUCCESS(PsRemoveCreateThreadNotifyRoutine(OnThread));
    CT_SUCCESS(PsRemoveCreateThreadNotifyRoutine(OnThreadToo));
    CT_STATUS(PsRemoveCreateThreadNotifyRoutine(OnThreadToo), STATUS_PROCEDURE_NOT_FOUND);
}

/* --- by handle --- */

typedef NTSTATUS NTAPI OPEN(PHANDLE, ACCESS_MASK, POBJECT_ATTRIBUTES, PCLIENT_ID);

static VOID CheckOpened(HANDLE Handle, POBJECT_TYPE Type, PVOID Expected)
{
    PVOID Object = NULL;
    OBJECT_HANDLE_INFORMATION Information;
    CT_CHECK(ObIsKernelHandle(Handle));
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, Type, KernelMode, &Object, &Information));
    CT_EQUAL(Object, Expected);
    CT_CHECK((Information.GrantedAccess & SYNCHRONIZE) != 0);
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwClose(Handle));
}

static VOID CheckOpenProcess(OPEN *Open)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\System");
    OBJECT_ATTRIBUTES Attributes;
    CLIENT_ID Id = {SystemId, NULL};
    HANDLE Handle;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(Open(&Handle, PROCESS_ALL_ACCESS, &Attributes, &Id));
    CheckOpened(Handle, *PsProcessType, PsInitialSystemProcess);
    Id.UniqueThread = PsGetCurrentThreadId();
    CT_SUCCESS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id));
    CheckOpened(Handle, *PsProcessType, PsInitialSystemProcess);
    Id.UniqueThread = NoId;
    CT_STATUS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id), STATUS_INVALID_CID);
    Id = (CLIENT_ID){NoId, NULL};
    CT_STATUS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id), STATUS_INVALID_CID);
    CT_STATUS(Open(&Handle, SYNCHRONIZE, &Attributes, NULL), STATUS_INVALID_PARAMETER_MIX);
    Id.UniqueProcess = SystemId;
    Attributes.ObjectName = &Name;
    CT_STATUS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id), STATUS_INVALID_PARAMETER_MIX);
    Attributes.Length--;
    CT_STATUS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id), STATUS_INVALID_PARAMETER);
}

static VOID ProcessOpen(VOID)
{
    CheckOpenProcess(ZwOpenProcess);
    CheckOpenProcess(NtOpenProcess);
}

static VOID CheckOpenThread(OPEN *Open)
{
    OBJECT_ATTRIBUTES Attributes;
    CLIENT_ID Id = {NULL, PsGetCurrentThreadId()};
    HANDLE Handle;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(Open(&Handle, THREAD_ALL_ACCESS, &Attributes, &Id));
    CheckOpened(Handle, *PsThreadType, PsGetCurrentThread());
    Id.UniqueProcess = SystemId;
    CT_SUCCESS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id));
    CheckOpened(Handle, *PsThreadType, PsGetCurrentThread());
    Id.UniqueProcess = NoId;
    CT_STATUS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id), STATUS_INVALID_CID);
    Id = (CLIENT_ID){NULL, NoId};
    CT_STATUS(Open(&Handle, SYNCHRONIZE, &Attributes, &Id), STATUS_INVALID_CID);
}

static VOID ProcessOpenThread(VOID)
{
    CheckOpenThread(ZwOpenThread);
    CheckOpenThread(NtOpenThread);
}

/* What cannot be ended. */
static VOID ProcessTerminate(VOID)
{
    CT_STATUS(ZwTerminateProcess((HANDLE)0x7ff0, STATUS_SUCCESS), STATUS_INVALID_HANDLE);
    CT_STATUS(ZwTerminateProcess(ZwCurrentThread(), STATUS_SUCCESS), STATUS_OBJECT_TYPE_MISMATCH);
}

/* --- information --- */

typedef NTSTATUS NTAPI SET_THREAD(HANDLE, THREADINFOCLASS, PVOID, ULONG);
typedef NTSTATUS NTAPI QUERY_THREAD(HANDLE, THREADINFOCLASS, PVOID, ULONG, PULONG);

static VOID CheckSetPriority(SET_THREAD *Set)
{
    KPRIORITY Priority = LOW_REALTIME_PRIORITY + 2;
    CT_SUCCESS(Set(ZwCurrentThread(), ThreadPriority, &Priority, sizeof(Priority)));
    CT_EQUAL(KeQueryPriorityThread(KeGetCurrentThread()), Priority);
    Priority = 0;
    CT_STATUS(Set(ZwCurrentThread(), ThreadPriority, &Priority, sizeof(Priority)), STATUS_INVALID_PARAMETER);
    Priority = HIGH_PRIORITY + 1;
    CT_STATUS(Set(ZwCurrentThread(), ThreadPriority, &Priority, sizeof(Priority)), STATUS_INVALID_PARAMETER);
    Priority = 8;
    CT_STATUS(Set(ZwCurrentThread(), ThreadPriority, &Priority, 2), STATUS_INFO_LENGTH_MISMATCH);
    CT_SUCCESS(Set(ZwCurrentThread(), ThreadPriority, &Priority, sizeof(Priority)));
    LONG Base = 1;
    CT_SUCCESS(Set(ZwCurrentThread(), ThreadBasePriority, &Base, sizeof(Base)));
    CT_CHECK(KeQueryPriorityThread(KeGetCurrentThread()) >= 9);
    Base = 7;
    CT_STATUS(Set(ZwCurrentThread(), ThreadBasePriority, &Base, sizeof(Base)), STATUS_INVALID_PARAMETER);
    Base = 0;
    CT_SUCCESS(Set(ZwCurrentThread(), ThreadBasePriority, &Base, sizeof(Base)));
}

static VOID CheckSetThread(SET_THREAD *Set)
{
    KAFFINITY One = 1, All = KeQueryActiveProcessors(), None = 0;
    CheckSetPriority(Set);
    CT_SUCCESS(Set(ZwCurrentThread(), ThreadAffinityMask, &One, sizeof(One)));
    CT_EQUAL(KeGetCurrentProcessorNumberEx(NULL), 0);
    CT_STATUS(Set(ZwCurrentThread(), ThreadAffinityMask, &None, sizeof(None)), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(Set(ZwCurrentThread(), ThreadAffinityMask, &All, sizeof(All)));
    HANDLE Nobody = NULL;
    CT_SUCCESS(Set(ZwCurrentThread(), ThreadImpersonationToken, &Nobody, sizeof(Nobody)));
    CT_STATUS(Set(ZwCurrentThread(), (THREADINFOCLASS)0x7fff, &All, sizeof(All)), STATUS_INVALID_INFO_CLASS);
    CT_STATUS(Set(ZwCurrentProcess(), ThreadAffinityMask, &All, sizeof(All)), STATUS_OBJECT_TYPE_MISMATCH);
}

static VOID ProcessSetThread(VOID)
{
    CheckSetThread(ZwSetInformationThread);
    CheckSetThread(NtSetInformationThread);
}

static VOID CheckThreadName(QUERY_THREAD *Query)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"conformance"), Empty = {0};
    struct {
        UNICODE_STRING String;
        WCHAR Room[32];
    } Answer;
    ULONG Length = 0;
    CT_SUCCESS(ZwSetInformationThread(ZwCurrentThread(), ThreadNameInformation, &Name, sizeof(Name)));
    CT_STATUS(Query(ZwCurrentThread(), ThreadNameInformation, &Answer, sizeof(UNICODE_STRING), &Length),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_CHECK(Length >= sizeof(UNICODE_STRING) + Name.Length && Length <= sizeof(Answer));
    CT_SUCCESS(Query(ZwCurrentThread(), ThreadNameInformation, &Answer, Length, &Length));
    CT_CHECK(RtlEqualUnicodeString(&Name, &Answer.String, FALSE));
    /* nothing is held when the answer cannot be written */
    CT_STATUS(Query(ZwCurrentThread(), ThreadNameInformation, (PVOID)0x10, 0x100, &Length),
              STATUS_ACCESS_VIOLATION);
    CT_SUCCESS(ZwSetInformationThread(ZwCurrentThread(), ThreadNameInformation, &Empty, sizeof(Empty)));
}

static VOID CheckQueryThread(QUERY_THREAD *Query)
{
    THREAD_BASIC_INFORMATION Basic;
    KERNEL_USER_TIMES Times;
    ULONG Value = 7, Length = 0;
    CT_SUCCESS(Query(ZwCurrentThread(), ThreadBasicInformation, &Basic, sizeof(Basic), &Length));
    CT_EQUAL(Length, sizeof(Basic));
    CT_STATUS(Basic.ExitStatus, STATUS_PENDING);
    CT_EQUAL(Basic.ClientId.UniqueThread, PsGetCurrentThreadId());
    CT_EQUAL(Basic.ClientId.UniqueProcess, SystemId);
    CT_EQUAL(Basic.AffinityMask, KeQueryActiveProcessors());
    CT_STATUS(Query(ZwCurrentThread(), ThreadBasicInformation, &Basic, sizeof(Basic) - 1, &Length),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Length, sizeof(Basic));
    CT_SUCCESS(Query(ZwCurrentThread(), ThreadTimes, &Times, sizeof(Times), NULL));
    CT_CHECK(Times.CreateTime.QuadPart > 0 && Times.ExitTime.QuadPart == 0 && Times.UserTime.QuadPart == 0);
    CT_SUCCESS(Query(ZwCurrentThread(), ThreadIsTerminated, &Value, sizeof(Value), NULL));
    CT_EQUAL(Value, 0);
    CT_SUCCESS(Query(ZwCurrentThread(), ThreadAmILastThread, &Value, sizeof(Value), NULL));
    CT_EQUAL(Value, 0);
    CT_SUCCESS(Query(ZwCurrentThread(), ThreadIsIoPending, &Value, sizeof(Value), NULL));
    CT_CHECK(Value <= 1);
    CT_STATUS(Query(ZwCurrentThread(), (THREADINFOCLASS)0x7fff, &Value, sizeof(Value), NULL),
              STATUS_INVALID_INFO_CLASS);
    CheckThreadName(Query);
}

static VOID ProcessQueryThread(VOID)
{
    PAGE_PRIORITY_INFORMATION Page = {3}, Got = {0};
    CheckQueryThread(ZwQueryInformationThread);
    CheckQueryThread(NtQueryInformationThread);
    CT_SUCCESS(ZwSetInformationThread(ZwCurrentThread(), ThreadPagePriority, &Page, sizeof(Page)));
    CT_SUCCESS(ZwQueryInformationThread(ZwCurrentThread(), ThreadPagePriority, &Got, sizeof(Got), NULL));
    CT_EQUAL(Got.PagePriority, 3);
    Page.PagePriority = 5;
    CT_SUCCESS(ZwSetInformationThread(ZwCurrentThread(), ThreadPagePriority, &Page, sizeof(Page)));
    Page.PagePriority = 9;
    CT_STATUS(ZwSetInformationThread(ZwCurrentThread(), ThreadPagePriority, &Page, sizeof(Page)),
              STATUS_INVALID_PARAMETER);
}

static VOID NTAPI Count(PVOID Context)
{
    PVOID Start = NULL;
    CT_SUCCESS(ZwQueryInformationThread(ZwCurrentThread(), ThreadQuerySetWin32StartAddress, &Start,
                                        sizeof(Start), NULL));
    CT_EQUAL(Start, (PVOID)Count);
    InterlockedIncrement(Context);
}

static VOID ProcessSet(VOID)
{
    PROCESS_PRIORITY_CLASS High = {FALSE, PROCESS_PRIORITY_CLASS_HIGH}, Got = {0}, None = {FALSE, 0};
    CT_SUCCESS(ZwSetInformationProcess(ZwCurrentProcess(), ProcessPriorityClass, &High, sizeof(High)));
    CT_SUCCESS(ZwQueryInformationProcess(ZwCurrentProcess(), ProcessPriorityClass, &Got, sizeof(Got), NULL));
    CT_EQUAL(Got.PriorityClass, PROCESS_PRIORITY_CLASS_HIGH);
    High.PriorityClass = PROCESS_PRIORITY_CLASS_NORMAL;
    CT_SUCCESS(NtSetInformationProcess(ZwCurrentProcess(), ProcessPriorityClass, &High, sizeof(High)));
    CT_STATUS(ZwSetInformationProcess(ZwCurrentProcess(), ProcessPriorityClass, &None, sizeof(None)),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(ZwSetInformationProcess(ZwCurrentProcess(), ProcessPriorityClass, &High, 1),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwSetInformationProcess(ZwCurrentProcess(), (PROCESSINFOCLASS)0x7fff, &High, sizeof(High)),
              STATUS_INVALID_INFO_CLASS);
}

typedef NTSTATUS NTAPI QUERY_PROCESS(HANDLE, PROCESSINFOCLASS, PVOID, ULONG, PULONG);

static VOID CheckQueryProcess(QUERY_PROCESS *Query)
{
    PROCESS_BASIC_INFORMATION Basic;
    KERNEL_USER_TIMES Times;
    ULONG_PTR Pointer = 1;
    ULONG Number = 0, Length = 0;
    CT_SUCCESS(Query(ZwCurrentProcess(), ProcessBasicInformation, &Basic, sizeof(Basic), &Length));
    CT_EQUAL(Length, sizeof(Basic));
    CT_STATUS(Basic.ExitStatus, STATUS_PENDING);
    CT_EQUAL(Basic.UniqueProcessId, 4);
    CT_CHECK(Basic.PebBaseAddress == NULL);
    CT_STATUS(Query(ZwCurrentProcess(), ProcessBasicInformation, &Basic, 3, &Length),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Length, sizeof(Basic));
    CT_SUCCESS(Query(ZwCurrentProcess(), ProcessTimes, &Times, sizeof(Times), NULL));
    CT_CHECK(Times.CreateTime.QuadPart == PsGetProcessCreateTimeQuadPart(PsInitialSystemProcess));
    CT_SUCCESS(Query(ZwCurrentProcess(), ProcessDebugPort, &Pointer, sizeof(Pointer), NULL));
    CT_EQUAL(Pointer, 0);
    CT_SUCCESS(Query(ZwCurrentProcess(), ProcessWow64Information, &Pointer, sizeof(Pointer), NULL));
    CT_EQUAL(Pointer, 0);
    CT_SUCCESS(Query(ZwCurrentProcess(), ProcessHandleCount, &Number, sizeof(Number), NULL));
    CT_CHECK(Number != 0);
    CT_SUCCESS(Query(ZwCurrentProcess(), ProcessSessionInformation, &Number, sizeof(Number), NULL));
    CT_EQUAL(Number, 0);
    CT_STATUS(Query(ZwCurrentProcess(), (PROCESSINFOCLASS)0x7fff, &Number, sizeof(Number), NULL),
              STATUS_INVALID_INFO_CLASS);
    CT_STATUS(Query(ZwCurrentThread(), ProcessTimes, &Times, sizeof(Times), NULL),
              STATUS_OBJECT_TYPE_MISMATCH);
}

static VOID ProcessQuery(VOID)
{
    struct {
        UNICODE_STRING String;
        WCHAR Room[260];
    } Name;
    PS_PROTECTION_LEVEL Protection = 0;
    CheckQueryProcess(ZwQueryInformationProcess);
    CheckQueryProcess(NtQueryInformationProcess);
    CT_SUCCESS(
        ZwQueryInformationProcess(ZwCurrentProcess(), ProcessImageFileName, &Name, sizeof(Name), NULL));
    CT_CHECK(Name.String.Length <= Name.String.MaximumLength);
    CT_SUCCESS(
        ZwQueryInformationProcess(ZwCurrentProcess(), ProcessProtectionInformation, &Protection, 1, NULL));
    CT_EQUAL(Protection, PS_PROTECTED_SYSTEM);
}

/* A thread that wants to run runs before the caller does again, at the latest when its quantum ends. */
static VOID ProcessYield(VOID)
{
    volatile LONG Ran = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 End = KeQueryInterruptTime() - (ULONG64)CtPatience.QuadPart;
    PKTHREAD Thread = CtStart(Count, (PVOID)&Ran);
    CT_REQUIRE(Thread != NULL);
    do { /* on another processor it may have run by now */
        Status = ZwYieldExecution();
        CT_CHECK(Status == STATUS_SUCCESS || Status == STATUS_NO_YIELD_PERFORMED);
    } while (Ran == 0 && KeQueryInterruptTime() < End);
    CT_EQUAL(Ran, 1);
    CtJoin(Thread);
}

static const CT_CASE Cases[] = {
    {"process.system", ProcessSystem},
    {"process.build", ProcessBuild},
    {"process.lookup", ProcessLookup},
    {"process.lookup_thread", ProcessLookupThread},
    {"process.lookup_cid", ProcessLookupCid},
    {"process.accessors", ProcessAccessors},
    {"process.exit_synchronization", ProcessExitSynchronization},
    {"process.thread_accessors", ProcessThreadAccessors},
    {"process.image_name", ProcessImageName},
    {"process.notify", ProcessNotify},
    {"process.thread_notify", ProcessThreadNotify},
    {"process.thread_notify_ex", ProcessThreadNotifyEx},
    {"process.integrity", ProcessIntegrity},
    {"process.open", ProcessOpen},
    {"process.open_thread", ProcessOpenThread},
    {"process.terminate", ProcessTerminate},
    {"process.set_thread", ProcessSetThread},
    {"process.query_thread", ProcessQueryThread},
    {"process.set", ProcessSet},
    {"process.query", ProcessQuery},
    {"process.yield", ProcessYield},
};
CT_DRIVER(Cases)

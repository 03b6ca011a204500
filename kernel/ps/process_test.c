/* SPDX-License-Identifier: MIT
 * The life of a process: its threads, what notify routines are told, its end in its own context. */
#include "ps.h"
#include "ex.h"
#include "kt.h"
#include "ob.h"

/* A process with a kernel handle to it. */
static BOOLEAN LifeBegin(PEPROCESS *Process, PHANDLE Handle)
{
    if (!NT_SUCCESS(PsCreateEmptyProcess(Process)))
        return FALSE;
    return NT_SUCCESS(ObOpenObjectByPointer(*Process, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS, NULL,
                                            KernelMode, Handle));
}

static NTSTATUS LifeThread(HANDLE Process, PKSTART_ROUTINE Routine, PVOID Context, PVOID *Thread)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, Process, NULL, Routine, Context);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObReferenceObjectByHandle(Handle, 0, PsThreadType, KernelMode, Thread, NULL);
    ZwClose(Handle);
    return Status;
}

/* --- what routines are told --- */

static struct {
    HANDLE Process;       /* the one that counts */
    ULONG Step;           /* of all events */
    ULONG Created, Ended; /* the step at which the process was, 0: not yet */
    ULONG ThreadCreated, ThreadInside, ThreadEnded;
    HANDLE Parent, CreatedBy, EndedBy, InsideBy;
    NTSTATUS Answer;     /* to the creation */
    BOOLEAN HandlesOpen; /* at the end */
} Told;

static VOID NTAPI LifeOnProcess(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO Info)
{
    if (ProcessId != Told.Process)
        return;
    if (Info != NULL) {
        Told.Created = ++Told.Step;
        Told.Parent = Info->ParentProcessId;
        Told.CreatedBy = Info->CreatingThreadId.UniqueThread;
        Info->CreationStatus = Told.Answer;
    } else {
        Told.Ended = ++Told.Step;
        Told.EndedBy = PsGetCurrentThreadId();
        Told.HandlesOpen = ObHandleCount(Process->Pcb.HandleTable) != 0;
    }
}

static VOID NTAPI LifeOnThread(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
    if (ProcessId != Told.Process)
        return;
    if (Create)
        Told.ThreadCreated = ++Told.Step;
    else
        Told.ThreadEnded = ++Told.Step;
}

static VOID NTAPI LifeInside(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
    if (ProcessId != Told.Process || !Create)
        return;
    Told.ThreadInside = ++Told.Step;
    Told.InsideBy = PsGetCurrentThreadId() == ThreadId ? ThreadId : NULL;
}

static BOOLEAN LifeListen(HANDLE Process, NTSTATUS Answer)
{
    RtlZeroMemory(&Told, sizeof(Told));
    Told.Process = Process;
    Told.Answer = Answer;
    return PsSetCreateProcessNotifyRoutineEx(LifeOnProcess, FALSE) == 0 &&
           PsSetCreateThreadNotifyRoutine(LifeOnThread) == 0 &&
           PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem, (PVOID)LifeInside) == 0;
}

static BOOLEAN LifeStopListening(VOID)
{
    return PsSetCreateProcessNotifyRoutineEx(LifeOnProcess, TRUE) == 0 &&
           PsRemoveCreateThreadNotifyRoutine(LifeOnThread) == 0 &&
           PsRemoveCreateThreadNotifyRoutine(LifeInside) == 0;
}

/* --- the end with the last thread --- */

static struct {
    PEPROCESS Current, Attached;
    HANDLE Id, Event, Self;
} Ran;

/* Leaves an event and a handle to its own process open. */
static VOID NTAPI LifeBody(PVOID Context)
{
    OBJECT_ATTRIBUTES Attributes;

    Ran.Current = PsGetCurrentThreadProcess();
    Ran.Attached = (PEPROCESS)PsGetCurrentProcess();
    Ran.Id = PsGetCurrentThreadId();
    InitializeObjectAttributes(&Attributes, NULL, 0, NULL, NULL);
    (void)ZwCreateEvent(&Ran.Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    (void)ZwDuplicateObject(ZwCurrentProcess(), ZwCurrentProcess(), ZwCurrentProcess(), &Ran.Self, 0, 0,
                            DUPLICATE_SAME_ACCESS);
    PsTerminateSystemThread(STATUS_NO_MORE_ENTRIES);
}

KT_TEST(process_ends_with_its_last_thread)
{
    PEPROCESS Process, Found;
    HANDLE Handle, Id, Late;
    PVOID Thread = NULL;
    OBJECT_ATTRIBUTES Attributes;
    KAPC_STATE State;

    KT_EXPECT(LifeBegin(&Process, &Handle));
    Id = PsGetProcessId(Process);
    KT_EXPECT(LifeListen(Id, STATUS_SUCCESS));
    KT_EXPECT(PsLookupProcessByProcessId(Id, &Found) == 0 && Found == Process);
    ObDereferenceObject(Found);
    KT_EXPECT(LifeThread(Handle, LifeBody, NULL, &Thread) == 0);
    KT_EXPECT(ZwWaitForSingleObject(Handle, FALSE, NULL) == 0);
    KT_EXPECT(ObHandleCount(Process->Pcb.HandleTable) == 0);
    KtJoinThread(Thread);
    KT_EXPECT(Ran.Current == Process && Ran.Attached == Process && Ran.Event != NULL && Ran.Self != NULL);
    KT_EXPECT(PsGetProcessExitStatus(Process) == STATUS_NO_MORE_ENTRIES &&
              PsGetProcessExitProcessCalled(Process));
    KT_EXPECT(Told.Created == 1 && Told.ThreadCreated == 2 && Told.ThreadInside == 3 &&
              Told.ThreadEnded == 4 && Told.Ended == 5);
    KT_EXPECT(Told.Parent == PsGetCurrentProcessId() && Told.CreatedBy == PsGetCurrentThreadId());
    KT_EXPECT(Told.EndedBy == Ran.Id && Told.InsideBy == Ran.Id && Told.HandlesOpen);
    KT_EXPECT(LifeStopListening());
    KT_EXPECT(LifeThread(Handle, LifeBody, NULL, &Thread) == STATUS_PROCESS_IS_TERMINATING);
    KT_EXPECT(ZwTerminateProcess(Handle, 1) == STATUS_PROCESS_IS_TERMINATING);
    KT_EXPECT(PsAcquireProcessExitSynchronization(Process) == STATUS_PROCESS_IS_TERMINATING);
    InitializeObjectAttributes(&Attributes, NULL, 0, NULL, NULL);
    KeStackAttachProcess(&Process->Pcb, &State);
    NTSTATUS Status = ZwCreateEvent(&Late, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    KeUnstackDetachProcess(&State);
    KT_EXPECT(Status == STATUS_PROCESS_IS_TERMINATING);
    ZwClose(Handle);
    ObDereferenceObject(Process);
    (void)KeWaitForThreadEnds();
    KT_EXPECT(PsLookupProcessByProcessId(Id, &Found) == STATUS_INVALID_PARAMETER);
}

/* A routine says no: neither thread nor process, and the end is told too. */
KT_TEST(process_creation_is_refused_by_a_routine)
{
    PEPROCESS Process;
    HANDLE Handle;
    PVOID Thread;

    KT_EXPECT(LifeBegin(&Process, &Handle));
    KT_EXPECT(LifeListen(PsGetProcessId(Process), STATUS_ACCESS_DENIED));
    RtlZeroMemory(&Ran, sizeof(Ran));
    KT_EXPECT(LifeThread(Handle, LifeBody, NULL, &Thread) == STATUS_ACCESS_DENIED);
    KT_EXPECT(Ran.Current == NULL && Told.Created == 1 && Told.Ended == 2 && Told.ThreadCreated == 0);
    KT_EXPECT(LifeStopListening());
    KT_EXPECT(ZwWaitForSingleObject(Handle, FALSE, NULL) == 0);
    KT_EXPECT(PsGetProcessExitStatus(Process) == STATUS_ACCESS_DENIED);
    ZwClose(Handle);
    ObDereferenceObject(Process);
}

static struct {
    PEPROCESS Process; /* referenced when its end is told */
    PETHREAD Thread;   /* the one that never runs, referenced */
} Kept;

static VOID NTAPI LifeKeep(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO Info)
{
    if (ProcessId != Told.Process)
        return;
    if (Info != NULL)
        ObReferenceObject(Kept.Thread = CONTAINING_RECORD(Process->ThreadList.Flink, ETHREAD, ProcessEntry));
    else
        ObReferenceObject(Kept.Process = Process);
}

/* The first thread was told of and gets no handle: the process ends while it can be kept, the thread is seen to have ended. */
KT_TEST(process_ends_whose_first_thread_gets_no_handle)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\None\\Thread");
    LARGE_INTEGER Now = {};
    OBJECT_ATTRIBUTES Attributes;
    PEPROCESS Process;
    HANDLE Handle, None;

    KT_EXPECT(LifeBegin(&Process, &Handle));
    KT_EXPECT(LifeListen(PsGetProcessId(Process), STATUS_SUCCESS));
    KT_EXPECT(PsSetCreateProcessNotifyRoutineEx(LifeKeep, FALSE) == 0);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status =
        PsCreateSystemThread(&None, THREAD_ALL_ACCESS, &Attributes, Handle, NULL, LifeBody, NULL);
    KT_EXPECT(!NT_SUCCESS(Status) && Told.Created == 1 && Told.Ended == 2 && Told.ThreadCreated == 0);
    KT_EXPECT(ZwWaitForSingleObject(Handle, FALSE, &Now) == 0 && PsGetProcessExitStatus(Process) == Status);
    KT_EXPECT(PsSetCreateProcessNotifyRoutineEx(LifeKeep, TRUE) == 0 && LifeStopListening());
    ZwClose(Handle);
    ObDereferenceObject(Process);
    KT_EXPECT(Kept.Process == Process && Kept.Thread != NULL);
    KT_EXPECT(KeWaitForSingleObject(Kept.Thread, Executive, KernelMode, FALSE, &Now) == 0);
    KT_EXPECT(PsGetThreadExitStatus(Kept.Thread) == Status);
    ObDereferenceObject(Kept.Thread);
    ObDereferenceObject(Kept.Process);
}

/* The answer has a terminator, and MaximumLength counts it. */
KT_TEST(thread_name_is_no_longer_than_an_answer_can_be)
{
    UNICODE_STRING Long = {65534, 65534, ExAllocatePool2(POOL_FLAG_PAGED, 65536, 'tsTK')}, Empty = {};
    struct {
        UNICODE_STRING Name;
        UCHAR Text[65534];
    } *Answer = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Answer), 'tsTK');

    KT_EXPECT(Long.Buffer != NULL && Answer != NULL);
    KT_EXPECT(ZwSetInformationThread(ZwCurrentThread(), ThreadNameInformation, &Long, sizeof(Long)) ==
              STATUS_INVALID_PARAMETER);
    Long.Length = 65532;
    KT_EXPECT(ZwSetInformationThread(ZwCurrentThread(), ThreadNameInformation, &Long, sizeof(Long)) == 0);
    KT_EXPECT(ZwQueryInformationThread(ZwCurrentThread(), ThreadNameInformation, Answer, sizeof(*Answer),
                                       NULL) == 0);
    KT_EXPECT(Answer->Name.Length == 65532 && Answer->Name.MaximumLength == 65534);
    KT_EXPECT(ZwSetInformationThread(ZwCurrentThread(), ThreadNameInformation, &Empty, sizeof(Empty)) == 0);
    ExFreePoolWithTag(Answer, 'tsTK');
    ExFreePoolWithTag(Long.Buffer, 'tsTK');
}

/* --- ended from outside --- */

static VOID NTAPI LifeWait(PVOID Context)
{
    LARGE_INTEGER Long = {.QuadPart = -600LL * 10000000};

    (void)KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    NTSTATUS Status = KeDelayExecutionThread(UserMode, TRUE, &Long);
    PsTerminateSystemThread(Status == STATUS_ALERTED && PsIsThreadTerminating((PETHREAD)KiCurrentThread())
                                ? STATUS_ALERTED
                                : STATUS_UNSUCCESSFUL);
}

KT_TEST(process_is_terminated)
{
    PEPROCESS Process;
    HANDLE Handle;
    PVOID Thread = NULL;
    KEVENT Runs;

    KT_EXPECT(LifeBegin(&Process, &Handle));
    KeInitializeEvent(&Runs, NotificationEvent, FALSE);
    KT_EXPECT(LifeThread(Handle, LifeWait, &Runs, &Thread) == 0);
    KeWaitForSingleObject(&Runs, Executive, KernelMode, FALSE, NULL);
    KT_EXPECT(ZwTerminateProcess(Handle, STATUS_LOGON_FAILURE) == 0);
    KT_EXPECT(ZwWaitForSingleObject(Handle, FALSE, NULL) == 0);
    KT_EXPECT(PsGetProcessExitStatus(Process) == STATUS_LOGON_FAILURE);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    KT_EXPECT(PsGetThreadExitStatus(Thread) == STATUS_ALERTED);
    ObDereferenceObject(Thread);
    ZwClose(Handle);
    ObDereferenceObject(Process);
    KT_EXPECT(LifeBegin(&Process, &Handle));
    KT_EXPECT(ZwTerminateProcess(Handle, 7) == 0 && ZwWaitForSingleObject(Handle, FALSE, NULL) == 0);
    KT_EXPECT(PsGetProcessExitStatus(Process) == 7);
    KT_EXPECT(ZwTerminateProcess(NULL, 1) == STATUS_ACCESS_DENIED); /* the System process */
    ZwClose(Handle);
    ObDereferenceObject(Process);
}

static VOID NTAPI LifeEndsItself(PVOID Context)
{
    LARGE_INTEGER Long = {.QuadPart = -600LL * 10000000};

    (void)KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    (void)KeDelayExecutionThread(UserMode, TRUE, &Long);
    (void)ZwTerminateProcess(ZwCurrentProcess(), STATUS_NO_MATCH);
    PsTerminateSystemThread(STATUS_UNSUCCESSFUL);
}

/* [WDK ZwTerminateProcess] of one's own process does not return, also when another thread was the first. */
KT_TEST(thread_ends_that_terminates_its_ending_process)
{
    PEPROCESS Process;
    HANDLE Handle;
    PVOID Thread = NULL;
    KEVENT Runs;

    KT_EXPECT(LifeBegin(&Process, &Handle));
    KeInitializeEvent(&Runs, NotificationEvent, FALSE);
    KT_EXPECT(LifeThread(Handle, LifeEndsItself, &Runs, &Thread) == 0);
    KeWaitForSingleObject(&Runs, Executive, KernelMode, FALSE, NULL);
    KT_EXPECT(ZwTerminateProcess(Handle, STATUS_LOGON_FAILURE) == 0);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    KT_EXPECT(PsGetThreadExitStatus(Thread) == STATUS_NO_MATCH);
    KT_EXPECT(ZwWaitForSingleObject(Handle, FALSE, NULL) == 0);
    KT_EXPECT(PsGetProcessExitStatus(Process) == STATUS_LOGON_FAILURE);
    ObDereferenceObject(Thread);
    ZwClose(Handle);
    ObDereferenceObject(Process);
}

static VOID NTAPI LifeTerminate(PVOID Context)
{
    (void)ZwTerminateProcess(*(PHANDLE)Context, STATUS_SUCCESS);
}

/* The end waits for who holds it off. */
KT_TEST(process_end_waits_for_exit_synchronization)
{
    PEPROCESS Process;
    HANDLE Handle;
    LARGE_INTEGER Short = {.QuadPart = -200000};

    KT_EXPECT(LifeBegin(&Process, &Handle));
    KT_EXPECT(PsAcquireProcessExitSynchronization(Process) == 0);
    PVOID Thread = KtStartThread(LifeTerminate, &Handle);
    KT_EXPECT(ZwWaitForSingleObject(Handle, FALSE, &Short) == STATUS_TIMEOUT);
    PsReleaseProcessExitSynchronization(Process);
    KT_EXPECT(ZwWaitForSingleObject(Handle, FALSE, NULL) == 0);
    KtJoinThread(Thread);
    ZwClose(Handle);
    ObDereferenceObject(Process);
}

/* --- all at once --- */

#define LIFE_WORKERS 4
#define LIFE_ROUNDS 25

static volatile LONG LifeCreations, LifeEnds, LifeErrors;

static VOID NTAPI LifeCount(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
    PETHREAD Thread;

    if (!NT_SUCCESS(PsLookupThreadByThreadId(ThreadId, &Thread)))
        InterlockedIncrement(&LifeErrors); /* a thread that is told of is there */
    else
        ObDereferenceObject(Thread);
    InterlockedIncrement(Create ? &LifeCreations : &LifeEnds);
}

static VOID NTAPI LifeOther(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create)
{
}

static VOID NTAPI LifeShort(PVOID Context)
{
    *(PHANDLE)Context = PsGetCurrentThreadId();
}

static ULONG LifeThreadsOf(const SYSTEM_PROCESS_INFORMATION *Process, HANDLE Id)
{
    ULONG Found = 0;

    for (ULONG i = 0; i < Process->NumberOfThreads; i++)
        Found += Process->Threads[i].ClientId.UniqueThread == Id;
    return Found;
}

/* The asking thread is there once, whatever comes and goes. */
static VOID LifeEnumerate(VOID)
{
    SYSTEM_PROCESS_INFORMATION *Data = ExAllocatePool2(POOL_FLAG_PAGED, 0x10000, 'tsTK');
    ULONG Length;

    if (Data == NULL)
        return;
    if (!NT_SUCCESS(ZwQuerySystemInformation(SystemProcessInformation, Data, 0x10000, &Length)) ||
        LifeThreadsOf(Data, PsGetCurrentThreadId()) != 1)
        InterlockedIncrement(&LifeErrors);
    ExFreePoolWithTag(Data, 'tsTK');
}

static VOID LifeRound(ULONG Round)
{
    PETHREAD Found;
    HANDLE Id = NULL;
    PVOID Thread = KtStartThread(LifeShort, &Id);

    if (Round % 4 == 0 && NT_SUCCESS(PsSetCreateThreadNotifyRoutine(LifeOther)) &&
        PsRemoveCreateThreadNotifyRoutine(LifeOther) != STATUS_SUCCESS)
        InterlockedIncrement(&LifeErrors);
    LifeEnumerate();
    (void)KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    if (!NT_SUCCESS(PsLookupThreadByThreadId(Id, &Found)) || Found != Thread)
        InterlockedIncrement(&LifeErrors);
    else
        ObDereferenceObject(Found);
    ObDereferenceObject(Thread);
}

static VOID NTAPI LifeWork(PVOID Context)
{
    for (ULONG Round = 0; Round < LIFE_ROUNDS; Round++)
        LifeRound(Round);
}

KT_TEST(threads_come_and_go_while_they_are_told_looked_up_and_listed)
{
    PVOID Worker[LIFE_WORKERS];

    LifeCreations = LifeEnds = LifeErrors = 0;
    KT_EXPECT(PsSetCreateThreadNotifyRoutine(LifeCount) == 0);
    for (ULONG i = 0; i < LIFE_WORKERS; i++)
        Worker[i] = KtStartThread(LifeWork, NULL);
    for (ULONG i = 0; i < LIFE_WORKERS; i++)
        KtJoinThread(Worker[i]);
    KT_EXPECT(PsRemoveCreateThreadNotifyRoutine(LifeCount) == 0);
    KT_EXPECT(LifeErrors == 0);
    KT_EXPECT(LifeCreations >= LIFE_WORKERS * (LIFE_ROUNDS + 1));
    KT_EXPECT(LifeEnds >= LIFE_WORKERS * (LIFE_ROUNDS + 1));
}

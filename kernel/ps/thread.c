/* SPDX-License-Identifier: MIT
 * System threads as objects. A running thread holds one reference to itself; the reaper drops it when the thread has left
 * its stack for good. [WDK PsCreateSystemThread, PsTerminateSystemThread] */
#include "psp.h"
#include "ex.h"
#include "image.h"
#include "mm.h"
#include "ob.h"

POBJECT_TYPE PsThreadType;
const PS_UPCALLS *PsUpcalls;

/* Somebody who has a reference may have given it a client after its end. */
static VOID PspDeleteThread(PVOID Object)
{
    PETHREAD Thread = Object;

    PspStopImpersonating(Thread);
    PspForgetThread(Thread);
    if (Thread->Name.Buffer != NULL)
        ExFreePoolWithTag(Thread->Name.Buffer, PSP_TAG_NAME);
    if (Thread->Tcb.Process != NULL)
        ObDereferenceObject(Thread->Tcb.Process);
}

static const OB_TYPE_INFO PspThreadTypeInfo = {
    .Name = L"Thread",
    .Sddl = PSP_DEFAULT_SDDL,
    .PoolTag = 'erhT',
    .Mapping = {STANDARD_RIGHTS_READ | THREAD_QUERY_INFORMATION | THREAD_QUERY_LIMITED_INFORMATION,
                STANDARD_RIGHTS_WRITE | THREAD_SET_INFORMATION | THREAD_SET_LIMITED_INFORMATION,
                STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE | THREAD_QUERY_LIMITED_INFORMATION, THREAD_ALL_ACCESS},
    .ValidAccess = THREAD_ALL_ACCESS,
    .Removable = PSP_THREAD_REMOVABLE,
    .WaitOffset = __builtin_offsetof(ETHREAD, Tcb.Header),
    .Methods = {.Delete = PspDeleteThread},
};

/* The outermost handler of a system thread. [WDK bug check 0x7E] */
static LONG PspThreadFilter(PEXCEPTION_POINTERS Pointers)
{
    KeBugCheckFromException(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, Pointers);
    return EXCEPTION_EXECUTE_HANDLER;
}

static VOID NTAPI PspThreadStartup(PVOID Context)
{
    PETHREAD Thread = Context;
    KE_GATE Gate;

    PspNotifyOwnCreation(Thread);
    KeEnterGate(&Gate, GateThread, (PVOID)Thread->StartRoutine);
    Gate.Caller = Thread->Creator;
    __try {
        Thread->StartRoutine(Thread->StartContext);
    } __except (PspThreadFilter(GetExceptionInformation())) {
    }
    KeLeaveGate(&Gate);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Stack and extended state, or nothing. */
static BOOLEAN PspAllocateThreadMemory(PVOID *StackBase, PVOID *StackLimit, PVOID *XSaveArea)
{
    if (!MmAllocateKernelStack(MM_KERNEL_STACK_SIZE, StackBase, StackLimit))
        return FALSE;
    *XSaveArea = MmAllocateSystemPages(BYTES_TO_PAGES(KeXSaveAreaSize()), MmReadWrite);
    if (*XSaveArea != NULL)
        return TRUE;
    MmFreeKernelStack(*StackBase, *StackLimit);
    return FALSE;
}

static VOID PspFreeThreadMemory(PKTHREAD Thread)
{
    MmFreeKernelStack(Thread->StackBase, Thread->StackLimit);
    MmFreeSystemPages(Thread->XSaveArea, BYTES_TO_PAGES(KeXSaveAreaSize()));
}

/* What a thread is made to do. */
typedef struct _PSP_START {
    PKSTART_ROUTINE Routine;
    PVOID Context;
    const void *Creator;
} PSP_START;

static NTSTATUS PspCreateThread(PEPROCESS Process, POBJECT_ATTRIBUTES ObjectAttributes,
                                const PSP_START *Start, PETHREAD *Created)
{
    PVOID StackBase, StackLimit, XSaveArea;
    PETHREAD Thread;
    NTSTATUS Status = ObCreateObject(KernelMode, PsThreadType, ObjectAttributes, KernelMode, NULL,
                                     sizeof(ETHREAD), 0, 0, (PVOID *)&Thread);

    if (!NT_SUCCESS(Status))
        return Status;
    if (!PspAllocateThreadMemory(&StackBase, &StackLimit, &XSaveArea)) {
        ObDereferenceObject(Thread);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ObReferenceObject(Process);
    KeInitializeThread(&Thread->Tcb, &Process->Pcb, StackBase, StackLimit, XSaveArea, PspThreadStartup,
                       Thread);
    InitializeListHead(&Thread->IrpList);
    InitializeListHead(&Thread->TimerList);
    Thread->StartRoutine = Start->Routine;
    Thread->StartContext = Start->Context;
    Thread->Creator = Start->Creator;
    Thread->StartModule = ImFindModule((PVOID)Start->Routine);
    Thread->Cid.UniqueProcess = Process->UniqueProcessId;
    Thread->ExitStatus = STATUS_PENDING;
    Thread->PagePriority = PSP_PAGE_PRIORITY_NORMAL;
    KeQuerySystemTime(&Thread->CreateTime);
    PspGiveThreadId(Thread);
    PspEnterThread(Thread);
    *Created = Thread;
    return STATUS_SUCCESS;
}

/* A thread that never ran goes again; the caller's reference is dropped. Who found it by its number may wait for it. */
static VOID PspDiscardThread(PETHREAD Thread)
{
    KeAbandonThread(&Thread->Tcb);
    PspLeaveThread(Thread);
    PspFreeThreadMemory(&Thread->Tcb);
    ObDereferenceObject(Thread);
}

/* Its process takes it, and those who want to know are told. The first thread of a process makes it one: a routine may forbid it. */
static NTSTATUS PspStartThread(PETHREAD Thread, ULONG DesiredAccess, PCLIENT_ID ClientId, PHANDLE Handle)
{
    NTSTATUS Status = PspJoinProcess(Thread);

    if (!NT_SUCCESS(Status)) {
        Thread->ExitStatus = Status;
        ObDereferenceObject(Thread);
        return Status;
    }
    Status = PspAnnounceProcess(Thread);
    if (NT_SUCCESS(Status)) {
        Status = ObInsertObject(Thread, NULL, DesiredAccess, 0, NULL, Handle);
    } else {
        PspForbidProcess((PEPROCESS)Thread->Tcb.Process, Status);
        ObDereferenceObject(Thread);
    }
    if (!NT_SUCCESS(Status)) {
        Thread->ExitStatus = Status;
        PspQuitProcess(Thread);
        return Status;
    }
    PspNotifyThreadCreation(Thread);
    if (ClientId != NULL)
        *ClientId = Thread->Cid;
    KeReadyThread(&Thread->Tcb);
    return STATUS_SUCCESS;
}

/* No handle: the System process. */
static NTSTATUS PspReferenceHome(HANDLE ProcessHandle, PEPROCESS *Process)
{
    if (ProcessHandle != NULL)
        return ObReferenceObjectByHandle(ProcessHandle, PROCESS_CREATE_THREAD, PsProcessType, KernelMode,
                                         (PVOID *)Process, NULL);
    ObReferenceObject(*Process = PsInitialSystemProcess);
    return STATUS_SUCCESS;
}

/* [WDK PsCreateSystemThread] The thread runs in the address space of that process. */
DECLSPEC_NOINLINE NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
                                                      POBJECT_ATTRIBUTES ObjectAttributes,
                                                      HANDLE ProcessHandle, PCLIENT_ID ClientId,
                                                      PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PSP_START Start = {StartRoutine, StartContext, __builtin_return_address(0)};
    PEPROCESS Process;
    PETHREAD Thread;
    NTSTATUS Status = PspReferenceHome(ProcessHandle, &Process);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PspCreateThread(Process, ObjectAttributes, &Start, &Thread);
    ObDereferenceObject(Process);
    if (!NT_SUCCESS(Status))
        return Status;
    ObReferenceObject(Thread); /* the running thread's own; the reaper drops it */
    Status = PspStartThread(Thread, DesiredAccess, ClientId, ThreadHandle);
    if (!NT_SUCCESS(Status))
        PspDiscardThread(Thread);
    return Status;
}

/* Above what makes threads, or the dead ones' stacks use up the memory. */
static VOID NTAPI PspReaper(PVOID Context)
{
    (void)KeSetPriorityThread(KiCurrentThread(), LOW_REALTIME_PRIORITY);
    for (;;) {
        PKTHREAD Thread = KeTakeTerminatedThread();
        if (Thread == NULL) {
            KeWaitForSingleObject(&KeThreadReaper.Event, Executive, KernelMode, FALSE, NULL);
            continue;
        }
        PspLeaveThread((PETHREAD)Thread);
        PspFreeThreadMemory(Thread);
        ObDereferenceObject(Thread);
        KeForgetTerminatedThread();
    }
}

/* The idle thread, which starts the system, is in no process. */
VOID PspInitializeThreads(VOID)
{
    OBJECT_ATTRIBUTES Attributes = {.Length = sizeof(Attributes), .Attributes = OBJ_KERNEL_HANDLE};
    HANDLE Handle;
    NTSTATUS Status = ObCreateObjectType(&PspThreadTypeInfo, &PsThreadType);

    KeInitializeThreadReaper();
    if (NT_SUCCESS(Status))
        Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, PspReaper, NULL);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)Status, 1, 0, 0);
    ZwClose(Handle);
}

VOID PsInitSystem(VOID)
{
    PspInitializeNotifies();
    PspCreateSystemProcess();
    PspInitializeThreads();
    PspInitializeTimers();
}

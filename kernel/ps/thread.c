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
static volatile LONG PspNextId = 4;

/* Threads and processes have their numbers from one counter. */
HANDLE PspNewId(VOID)
{
    return (HANDLE)(ULONG_PTR)InterlockedAdd(&PspNextId, 4);
}

/* Somebody who has a reference may have given it a client after its end. */
static VOID PspDeleteThread(PVOID Object)
{
    PspStopImpersonating(Object);
}

static const OB_TYPE_INFO PspThreadTypeInfo = {
    .Name = L"Thread",
    .PoolTag = 'erhT',
    .Mapping = {STANDARD_RIGHTS_READ, STANDARD_RIGHTS_WRITE, STANDARD_RIGHTS_EXECUTE, THREAD_ALL_ACCESS},
    .ValidAccess = THREAD_ALL_ACCESS,
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
    if (!MmAllocateKernelStack(StackBase, StackLimit))
        return FALSE;
    *XSaveArea = MmAllocateSystemPages(BYTES_TO_PAGES(KeXSaveAreaSize()), MmReadWrite);
    if (*XSaveArea != NULL)
        return TRUE;
    MmFreeKernelStack(*StackBase);
    return FALSE;
}

static VOID PspFreeThreadMemory(PKTHREAD Thread)
{
    MmFreeKernelStack(Thread->StackBase);
    MmFreeSystemPages(Thread->XSaveArea, BYTES_TO_PAGES(KeXSaveAreaSize()));
}

static NTSTATUS PspCreateThread(POBJECT_ATTRIBUTES ObjectAttributes, PKSTART_ROUTINE StartRoutine,
                                PVOID StartContext, const void *Creator, PETHREAD *Created)
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
    KeInitializeThread(&Thread->Tcb, &PsInitialSystemProcess->Pcb, StackBase, StackLimit, XSaveArea,
                       PspThreadStartup, Thread);
    InitializeListHead(&Thread->IrpList);
    Thread->StartRoutine = StartRoutine;
    Thread->StartContext = StartContext;
    Thread->Creator = Creator;
    Thread->StartModule = ImFindModule((PVOID)StartRoutine);
    Thread->Cid.UniqueProcess = PsInitialSystemProcess->UniqueProcessId;
    Thread->Cid.UniqueThread = PspNewId();
    PspEnterThread(Thread);
    *Created = Thread;
    return STATUS_SUCCESS;
}

/* [WDK PsCreateSystemThread] IRQL PASSIVE_LEVEL. The process must be the System process: there is no other. */
NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
                                    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                                    PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    PETHREAD Thread;
    NTSTATUS Status;

    KI_REQUIRE_IRQL(APC_LEVEL);
    if (ProcessHandle != NULL && ProcessHandle != ZwCurrentProcess())
        return STATUS_INVALID_HANDLE;
    Status =
        PspCreateThread(ObjectAttributes, StartRoutine, StartContext, __builtin_return_address(0), &Thread);
    if (!NT_SUCCESS(Status))
        return Status;
    ObReferenceObject(Thread); /* the running thread's own; the reaper drops it */
    Status = ObInsertObject(Thread, NULL, DesiredAccess, 0, NULL, ThreadHandle);
    if (!NT_SUCCESS(Status)) {
        PspLeaveThread(Thread);
        PspFreeThreadMemory(&Thread->Tcb);
        ObDereferenceObject(Thread);
        return Status;
    }
    if (ClientId != NULL)
        *ClientId = Thread->Cid;
    KeReadyThread(&Thread->Tcb);
    return STATUS_SUCCESS;
}

/* [WDK PsTerminateSystemThread] IRQL PASSIVE_LEVEL, does not return. */
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    PETHREAD Thread = (PETHREAD)KiCurrentThread();

    KI_REQUIRE_IRQL_IS(PASSIVE_LEVEL);
    KeCheckThreadOwner();
    Thread->ExitStatus = ExitStatus;
    PsUpcalls->CancelThreadIo(Thread);
    PspStopImpersonating(Thread);
    KeTerminateThread(&Thread->Tcb);
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
    PspCreateSystemProcess();
    PspInitializeThreads();
}

HANDLE NTAPI PsGetCurrentThreadId(VOID)
{
    return ((PETHREAD)KiCurrentThread())->Cid.UniqueThread;
}

HANDLE NTAPI PsGetThreadId(PETHREAD Thread)
{
    return Thread->Cid.UniqueThread;
}

/* Every thread of this slice is one. */
BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread)
{
    return Thread->Cid.UniqueProcess == PsInitialSystemProcess->UniqueProcessId;
}

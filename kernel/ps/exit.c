/* SPDX-License-Identifier: MIT
 * Who is in a process, and its end: with its last thread, or by ZwTerminateProcess when it has none. Handles are closed in the context of
 * the process, because their owners' cleanup runs then. [WDK PsTerminateSystemThread, ZwTerminateProcess,
 * PCREATE_PROCESS_NOTIFY_ROUTINE_EX] */
#include "psp.h"
#include "ke_bugcheck.h"
#include "ob.h"

NTSTATUS PspJoinProcess(PETHREAD Thread)
{
    PEPROCESS Process = (PEPROCESS)Thread->Tcb.Process;
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    BOOLEAN Ending = Process->Ending;

    if (!Ending) {
        InsertTailList(&Process->ThreadList, &Thread->ProcessEntry);
        Process->ActiveThreads++;
        if (Process->ActiveThreads > Process->MostThreads)
            Process->MostThreads = Process->ActiveThreads;
    }
    ArchReleaseLock(&PspListLock, OldIrql);
    return Ending ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;
}

/* TRUE: it was the last one, and the caller ends the process. One that never ran ends a process that was announced: its end is told while
 * somebody holds it, not when its object goes. The System process has always the reaper. */
static BOOLEAN PspLeaveProcess(PETHREAD Thread, BOOLEAN Ran)
{
    PEPROCESS Process = (PEPROCESS)Thread->Tcb.Process;
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    BOOLEAN Last;

    RemoveEntryList(&Thread->ProcessEntry);
    Process->ActiveThreads--;
    Process->EndedTicks += Thread->Tcb.KernelTicks;
    Last =
        Process->ActiveThreads == 0 && !Process->EndStarted && (Ran || Process->Ending || Process->Announced);
    if (Last) {
        if (!Process->Ending)
            Process->ExitStatus = Thread->ExitStatus;
        Process->Ending = Process->EndStarted = TRUE;
    }
    ArchReleaseLock(&PspListLock, OldIrql);
    return Last;
}

/* In the context of the process; no thread is in it any more, and none comes. */
static VOID PspEndProcess(PEPROCESS Process)
{
    ExWaitForRundownProtectionRelease(&Process->ExitRundown);
    PspNotifyProcessEnd(Process);
    ObCloseAllHandles(Process->Pcb.HandleTable);
    KeQuerySystemTime(&Process->ExitTime);
    KeSignalProcess(&Process->Pcb);
}

static VOID PspEndProcessFromOutside(PEPROCESS Process)
{
    KAPC_STATE State;

    KeStackAttachProcess(&Process->Pcb, &State);
    PspEndProcess(Process);
    KeUnstackDetachProcess(&State);
}

VOID PspQuitProcess(PETHREAD Thread)
{
    if (PspLeaveProcess(Thread, FALSE))
        PspEndProcessFromOutside((PEPROCESS)Thread->Tcb.Process);
}

VOID PspForbidProcess(PEPROCESS Process, NTSTATUS Status)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);

    if (!Process->Ending)
        Process->ExitStatus = Status;
    Process->Ending = TRUE;
    ArchReleaseLock(&PspListLock, OldIrql);
}

VOID PspEndUnusedProcess(PEPROCESS Process)
{
    if (Process->EndStarted || Process->Pcb.AddressSpace == NULL)
        return;
    if (Process->Announced) /* [WDK Bug Check 0x18] its threads, which have not ended, count as a reference */
        KeBugCheckBlaming(NULL, REFERENCE_BY_POINTER, (ULONG_PTR)PsProcessType, (ULONG_PTR)Process, 1, 0,
                          "a process that has not ended was dereferenced more often than referenced");
    PspEndProcessFromOutside(Process);
}

/* Requests, timers and the client of a thread that ends. */
static VOID PspLetGo(PETHREAD Thread)
{
    PsUpcalls->CancelThreadIo(Thread);
    PspStopTimersOf(Thread);
    PspStopImpersonating(Thread);
}

DECLSPEC_NORETURN VOID PspExitThread(NTSTATUS ExitStatus)
{
    PETHREAD Thread = (PETHREAD)KiCurrentThread();

    Thread->Terminating = TRUE;
    PspNotifyThreadEnd(Thread);
    PspLetGo(Thread);
    Thread->ExitStatus = ExitStatus;
    KeQuerySystemTime(&Thread->ExitTime);
    if (PspLeaveProcess(Thread, TRUE)) {
        PspEndProcess((PEPROCESS)Thread->Tcb.Process);
        PspLetGo(Thread); /* what notify routines and cleanups have begun */
    }
    KeTerminateThread(&Thread->Tcb);
}

/* [WDK PsTerminateSystemThread] IRQL PASSIVE_LEVEL, does not return. */
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    KI_REQUIRE_IRQL_IS(PASSIVE_LEVEL);
    KeCheckThreadOwner();
    PspExitThread(ExitStatus);
}

/* Each thread is told; one that waits alertably, as user mode does, is woken. TRUE: there is none, and the caller ends the process. */
static NTSTATUS PspStartEnd(PEPROCESS Process, NTSTATUS ExitStatus, PBOOLEAN EndIt)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    NTSTATUS Status = Process->Ending ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;

    *EndIt = FALSE;
    if (NT_SUCCESS(Status)) {
        Process->Ending = TRUE;
        Process->ExitStatus = ExitStatus;
        *EndIt = Process->EndStarted = Process->ActiveThreads == 0;
        for (PLIST_ENTRY Entry = Process->ThreadList.Flink; Entry != &Process->ThreadList;
             Entry = Entry->Flink) {
            PETHREAD Thread = CONTAINING_RECORD(Entry, ETHREAD, ProcessEntry);
            Thread->Terminating = TRUE;
            (void)KeAlertThread(&Thread->Tcb, UserMode);
        }
    }
    ArchReleaseLock(&PspListLock, OldIrql);
    return Status;
}

/* [WDK ZwTerminateProcess] A thread that runs kernel code cannot be ended from outside: it is told (PsIsThreadTerminating), its alertable
 * waits as user mode end, and the process ends with its last thread. The System process does not end. */
static NTSTATUS PspTerminateProcess(HANDLE Handle, NTSTATUS ExitStatus, KPROCESSOR_MODE Mode)
{
    PEPROCESS Process;
    BOOLEAN EndIt;
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle != NULL ? Handle : ZwCurrentProcess(), PROCESS_TERMINATE,
                                  PsProcessType, Mode, (PVOID *)&Process, NULL);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Process == PsInitialSystemProcess)
        Status = STATUS_ACCESS_DENIED;
    else
        Status = PspStartEnd(Process, ExitStatus, &EndIt);
    if (NT_SUCCESS(Status) && EndIt)
        PspEndProcessFromOutside(Process);
    /* [WDK ZwTerminateProcess] does not return for one's own: the end may have begun in another thread, which waits for this one */
    BOOLEAN Own = Process != PsInitialSystemProcess && KiCurrentThread()->Process == &Process->Pcb;
    ObDereferenceObject(Process);
    if (Own) {
        KeCheckThreadOwner();
        PspExitThread(ExitStatus);
    }
    return Status;
}

NTSTATUS NTAPI ZwTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspTerminateProcess(ProcessHandle, ExitStatus, KernelMode);
}

/* [published by Windows' exports] The end of a process waits for who holds it off: STATUS_PROCESS_IS_TERMINATING when it has begun. */
NTSTATUS NTAPI PsAcquireProcessExitSynchronization(PEPROCESS Process)
{
    return ExAcquireRundownProtection(&Process->ExitRundown) ? STATUS_SUCCESS : STATUS_PROCESS_IS_TERMINATING;
}

VOID NTAPI PsReleaseProcessExitSynchronization(PEPROCESS Process)
{
    ExReleaseRundownProtection(&Process->ExitRundown);
}

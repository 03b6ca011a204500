/* SPDX-License-Identifier: MIT
 * What a thread is asked by pointer, at any IRQL. [WDK PsGetThreadId, PsGetThreadProcessId, PsGetCurrentThreadTeb, PsIsSystemThread,
 * PsIsThreadTerminating; the others are known by their names] System threads have no TEB. */
#include "psp.h"

HANDLE NTAPI PsGetCurrentThreadId(VOID)
{
    return ((PETHREAD)KiCurrentThread())->Cid.UniqueThread;
}

HANDLE NTAPI PsGetThreadId(PETHREAD Thread)
{
    return Thread->Cid.UniqueThread;
}

HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread)
{
    return Thread->Cid.UniqueProcess;
}

PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread)
{
    return (PEPROCESS)Thread->Tcb.Process;
}

/* The thread's own, whatever it is attached to. */
PEPROCESS NTAPI PsGetCurrentThreadProcess(VOID)
{
    return (PEPROCESS)KiCurrentThread()->Process;
}

HANDLE NTAPI PsGetCurrentThreadProcessId(VOID)
{
    return ((PETHREAD)KiCurrentThread())->Cid.UniqueProcess;
}

NTSTATUS NTAPI PsGetThreadExitStatus(PETHREAD Thread)
{
    return Thread->ExitStatus;
}

BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD Thread)
{
    return Thread->Terminating;
}

/* [WDK PsIsSystemThread] */
BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread)
{
    return Thread->Tcb.Process == &PsInitialSystemProcess->Pcb;
}

/* No process runs a program yet: none has any of these (D-189). */
PVOID NTAPI PsGetThreadTeb(PETHREAD Thread)
{
    return NULL;
}

PVOID NTAPI PsGetCurrentThreadTeb(VOID)
{
    return NULL;
}

PVOID NTAPI PsGetCurrentThreadStackBase(VOID)
{
    return KiCurrentThread()->StackBase;
}

PVOID NTAPI PsGetCurrentThreadStackLimit(VOID)
{
    return KiCurrentThread()->StackLimit;
}

KPROCESSOR_MODE NTAPI PsGetCurrentThreadPreviousMode(VOID)
{
    return KiCurrentThread()->PreviousMode;
}

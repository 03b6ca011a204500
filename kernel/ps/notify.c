/* SPDX-License-Identifier: MIT
 * Who wants to be told of processes and threads. [WDK PsSetCreateProcessNotifyRoutine, ...Ex, ...Ex2, PsSetCreateThreadNotifyRoutine,
 * ...Ex, PCREATE_PROCESS_NOTIFY_ROUTINE_EX, PCREATE_THREAD_NOTIFY_ROUTINE] Routines run at PASSIVE_LEVEL in a critical region, with
 * creations in the creator's thread, with ends in the thread that ends. */
#include "psp.h"
#include "ex.h"

typedef enum _PSP_NOTIFY_KIND {
    PspNotifyPlain,
    PspNotifyEx,
    PspNotifySubsystems, /* Ex2; or threads of all subsystems */
    PspNotifyNonSystem,  /* creations in the new thread, and no threads of the System process */
} PSP_NOTIFY_KIND;

static EX_NOTIFY_TABLE PspProcessNotifies, PspThreadNotifies;

VOID PspInitializeNotifies(VOID)
{
    ExInitializeNotifies(&PspProcessNotifies, "process notify routine", GateProcessNotify);
    ExInitializeNotifies(&PspThreadNotifies, "thread notify routine", GateThreadNotify);
}

ULONG PsReportDriverNotifies(PIM_MODULE Module)
{
    return ExReportDriverNotifies(&PspProcessNotifies, Module) +
           ExReportDriverNotifies(&PspThreadNotifies, Module);
}

/* --- registration --- */

/* [WDK PsSetCreateProcessNotifyRoutine] STATUS_INVALID_PARAMETER: it is there already, or there are 64. */
static NTSTATUS PspSetProcessNotify(PVOID Routine, PSP_NOTIFY_KIND Kind, BOOLEAN Remove)
{
    if (Remove)
        return ExRemoveNotify(&PspProcessNotifies, Routine, Kind) ? STATUS_SUCCESS
                                                                  : STATUS_PROCEDURE_NOT_FOUND;
    if (Routine == NULL)
        return STATUS_INVALID_PARAMETER;
    return ExAddNotify(&PspProcessNotifies, Routine, Kind, TRUE) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE NotifyRoutine, BOOLEAN Remove)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspSetProcessNotify((PVOID)NotifyRoutine, PspNotifyPlain, Remove);
}

/* [WDK PsSetCreateProcessNotifyRoutineEx] STATUS_ACCESS_DENIED: the routine's image is not linked with /INTEGRITYCHECK. */
static NTSTATUS PspSetProcessNotifyEx(PVOID Routine, PSP_NOTIFY_KIND Kind, BOOLEAN Remove)
{
    if (!Remove && Routine != NULL && !ImForcesIntegrity(Routine))
        return STATUS_ACCESS_DENIED;
    return PspSetProcessNotify(Routine, Kind, Remove);
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX NotifyRoutine,
                                                 BOOLEAN Remove)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspSetProcessNotifyEx((PVOID)NotifyRoutine, PspNotifyEx, Remove);
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType,
                                                  PVOID NotifyInformation, BOOLEAN Remove)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (NotifyType != PsCreateProcessNotifySubsystems)
        return STATUS_INVALID_PARAMETER;
    return PspSetProcessNotifyEx(NotifyInformation, PspNotifySubsystems, Remove);
}

static NTSTATUS PspSetThreadNotify(PVOID Routine, PSP_NOTIFY_KIND Kind)
{
    if (Routine == NULL)
        return STATUS_INVALID_PARAMETER;
    return ExAddNotify(&PspThreadNotifies, Routine, Kind, FALSE) ? STATUS_SUCCESS
                                                                 : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspSetThreadNotify((PVOID)NotifyRoutine, PspNotifyPlain);
}

NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType, PVOID NotifyInformation)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    switch (NotifyType) {
    case PsCreateThreadNotifyNonSystem:
        return PspSetThreadNotify(NotifyInformation, PspNotifyNonSystem);
    case PsCreateThreadNotifySubsystems:
        return PspSetThreadNotify(NotifyInformation, PspNotifySubsystems);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

/* [WDK PsRemoveCreateThreadNotifyRoutine] STATUS_PROCEDURE_NOT_FOUND: it was not set. */
NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return ExRemoveNotify(&PspThreadNotifies, (PVOID)NotifyRoutine, EX_ANY_NOTIFY)
               ? STATUS_SUCCESS
               : STATUS_PROCEDURE_NOT_FOUND;
}

/* --- processes --- */

typedef struct _PSP_PROCESS_EVENT {
    PEPROCESS Process;
    PPS_CREATE_NOTIFY_INFO Creation; /* NULL: it ends */
} PSP_PROCESS_EVENT;

static VOID PspTellProcess(PVOID Routine, ULONG Kind, PVOID Context)
{
    const PSP_PROCESS_EVENT *Event = Context;
    PEPROCESS Process = Event->Process;

    if (Kind == PspNotifyPlain)
        ((PCREATE_PROCESS_NOTIFY_ROUTINE)Routine)(Process->ParentId, Process->UniqueProcessId,
                                                  Event->Creation != NULL);
    else
        ((PCREATE_PROCESS_NOTIFY_ROUTINE_EX)Routine)(Process, Process->UniqueProcessId, Event->Creation);
}

/* TRUE: it is the caller who tells. */
static BOOLEAN PspTakeAnnouncement(PEPROCESS Process)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    BOOLEAN First = !Process->Announced;

    Process->Announced = TRUE;
    ArchReleaseLock(&PspListLock, OldIrql);
    return First;
}

/* [WDK PsSetCreateProcessNotifyRoutine] after the first thread was made. [WDK PS_CREATE_NOTIFY_INFO] an error in CreationStatus keeps the
 * process from being created. A process without an image has neither file nor names. */
NTSTATUS PspAnnounceProcess(PETHREAD FirstThread)
{
    PEPROCESS Process = (PEPROCESS)FirstThread->Tcb.Process;
    PS_CREATE_NOTIFY_INFO Info = {.Size = sizeof(Info), .ParentProcessId = Process->ParentId};
    PSP_PROCESS_EVENT Event = {Process, &Info};

    if (Process->Announced || !PspTakeAnnouncement(Process))
        return STATUS_SUCCESS;
    Info.CreatingThreadId = ((PETHREAD)KiCurrentThread())->Cid;
    ExCallNotifies(&PspProcessNotifies, PspTellProcess, &Event);
    return Info.CreationStatus;
}

VOID PspNotifyProcessEnd(PEPROCESS Process)
{
    PSP_PROCESS_EVENT Event = {Process, NULL};

    if (Process->Announced)
        ExCallNotifies(&PspProcessNotifies, PspTellProcess, &Event);
}

/* --- threads --- */

typedef struct _PSP_THREAD_EVENT {
    PETHREAD Thread;
    BOOLEAN Create, Inside; /* Inside: the new thread itself */
} PSP_THREAD_EVENT;

static VOID PspTellThread(PVOID Routine, ULONG Kind, PVOID Context)
{
    const PSP_THREAD_EVENT *Event = Context;
    BOOLEAN NonSystem = Kind == PspNotifyNonSystem;

    if (NonSystem && PsIsSystemThread(Event->Thread))
        return;
    if (Event->Create && NonSystem != Event->Inside)
        return;
    ((PCREATE_THREAD_NOTIFY_ROUTINE)Routine)(Event->Thread->Cid.UniqueProcess,
                                             Event->Thread->Cid.UniqueThread, Event->Create);
}

VOID PspNotifyThreadCreation(PETHREAD Thread)
{
    PSP_THREAD_EVENT Event = {Thread, TRUE, FALSE};

    ExCallNotifies(&PspThreadNotifies, PspTellThread, &Event);
}

VOID PspNotifyOwnCreation(PETHREAD Thread)
{
    PSP_THREAD_EVENT Event = {Thread, TRUE, TRUE};

    if (!PsIsSystemThread(Thread))
        ExCallNotifies(&PspThreadNotifies, PspTellThread, &Event);
}

VOID PspNotifyThreadEnd(PETHREAD Thread)
{
    PSP_THREAD_EVENT Event = {Thread, FALSE, FALSE};

    ExCallNotifies(&PspThreadNotifies, PspTellThread, &Event);
}

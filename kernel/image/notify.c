/* SPDX-License-Identifier: MIT
 * Who wants to be told of loaded images. [WDK PsSetLoadImageNotifyRoutine, PsSetLoadImageNotifyRoutineEx,
 * PsRemoveLoadImageNotifyRoutine, PLOAD_IMAGE_NOTIFY_ROUTINE] */
#include "imp.h"
#include "ex.h"
#include "ntbox/image.h"

#define IMP_MAX_NOTIFIES 64 /* [WDK PsSetLoadImageNotifyRoutine] since Windows 8.1 */

/* A slot is free when it has no routine and nobody is waiting for the calls of its last one. */
typedef struct _IMP_NOTIFY {
    PLOAD_IMAGE_NOTIFY_ROUTINE Routine; /* (n) */
    BOOLEAN Going;                      /* (n) */
    EX_RUNDOWN_REF Calls;               /* of the routine that run */
} IMP_NOTIFY;

static IMP_NOTIFY ImpNotifies[IMP_MAX_NOTIFIES];
static FAST_MUTEX ImpNotifyLock; /* (n) */

VOID ImpInitNotifies(VOID)
{
    ExInitializeFastMutex(&ImpNotifyLock);
    for (ULONG i = 0; i < IMP_MAX_NOTIFIES; i++)
        ExInitializeRundownProtection(&ImpNotifies[i].Calls);
}

static IMP_NOTIFY *ImpFindNotifyLocked(PLOAD_IMAGE_NOTIFY_ROUTINE Routine)
{
    for (ULONG i = 0; i < IMP_MAX_NOTIFIES; i++)
        if (ImpNotifies[i].Routine == Routine && !ImpNotifies[i].Going)
            return &ImpNotifies[i];
    return NULL;
}

/* IRQL PASSIVE_LEVEL. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    return PsSetLoadImageNotifyRoutineEx(NotifyRoutine, 0);
}

/* IRQL PASSIVE_LEVEL. Images of another architecture do not exist here. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine, ULONG_PTR Flags)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if ((Flags & ~(ULONG_PTR)PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE) != 0 || NotifyRoutine == NULL)
        return STATUS_INVALID_PARAMETER;
    ExAcquireFastMutex(&ImpNotifyLock);
    IMP_NOTIFY *Notify = ImpFindNotifyLocked(NULL);
    if (Notify != NULL)
        Notify->Routine = NotifyRoutine;
    ExReleaseFastMutex(&ImpNotifyLock);
    return Notify != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Afterwards the routine does not run and is not called: it is forgotten before calls are let in again. The slot is free last. */
static VOID ImpFinishRemoval(IMP_NOTIFY *Notify)
{
    ExWaitForRundownProtectionRelease(&Notify->Calls);
    ExAcquireFastMutex(&ImpNotifyLock);
    __atomic_store_n(&Notify->Routine, NULL, __ATOMIC_RELEASE);
    ExReInitializeRundownProtection(&Notify->Calls);
    Notify->Going = FALSE;
    ExReleaseFastMutex(&ImpNotifyLock);
}

/* IRQL <= APC_LEVEL. STATUS_PROCEDURE_NOT_FOUND: it was not set. */
NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExAcquireFastMutex(&ImpNotifyLock);
    IMP_NOTIFY *Notify = NotifyRoutine != NULL ? ImpFindNotifyLocked(NotifyRoutine) : NULL;
    if (Notify != NULL)
        Notify->Going = TRUE;
    ExReleaseFastMutex(&ImpNotifyLock);
    if (Notify == NULL)
        return STATUS_PROCEDURE_NOT_FOUND;
    ImpFinishRemoval(Notify);
    return STATUS_SUCCESS;
}

static VOID ImpCallNotify(IMP_NOTIFY *Notify, PUNICODE_STRING FullName, HANDLE ProcessId, IMAGE_INFO_EX *Info)
{
    KE_GATE Gate;
    PLOAD_IMAGE_NOTIFY_ROUTINE Routine;

    if (!ExAcquireRundownProtection(&Notify->Calls))
        return;
    Routine = __atomic_load_n(&Notify->Routine, __ATOMIC_ACQUIRE);
    if (Routine != NULL) {
        KeEnterGate(&Gate, GateImageNotify, (PVOID)Routine);
        Routine(FullName, ProcessId, &Info->ImageInfo);
        KeLeaveGate(&Gate);
    }
    ExReleaseRundownProtection(&Notify->Calls);
}

/* [WDK PLOAD_IMAGE_NOTIFY_ROUTINE] PASSIVE_LEVEL, in a critical region. IMAGE_INFO is part of an IMAGE_INFO_EX. */
VOID ImNotifyLoad(PUNICODE_STRING FullName, HANDLE ProcessId, PVOID Base, SIZE_T Size, PVOID File)
{
    KeEnterCriticalRegion();
    for (ULONG i = 0; i < IMP_MAX_NOTIFIES; i++) {
        IMAGE_INFO_EX Info = {.Size = sizeof(Info), .FileObject = File};
        Info.ImageInfo.ImageAddressingMode = IMAGE_ADDRESSING_MODE_32BIT;
        Info.ImageInfo.SystemModeImage = ProcessId == NULL;
        Info.ImageInfo.ExtendedInfoPresent = 1;
        Info.ImageInfo.ImageBase = Base;
        Info.ImageInfo.ImageSize = Size;
        ImpCallNotify(&ImpNotifies[i], FullName, ProcessId, &Info);
    }
    KeLeaveCriticalRegion();
}

static IMP_NOTIFY *ImpTakeNotifyOf(PIM_MODULE Module)
{
    IMP_NOTIFY *Found = NULL;

    ExAcquireFastMutex(&ImpNotifyLock);
    for (ULONG i = 0; i < IMP_MAX_NOTIFIES && Found == NULL; i++)
        if (!ImpNotifies[i].Going &&
            (ULONG_PTR)ImpNotifies[i].Routine - (ULONG_PTR)Module->Base < Module->Size)
            Found = &ImpNotifies[i];
    if (Found != NULL)
        Found->Going = TRUE;
    ExReleaseFastMutex(&ImpNotifyLock);
    return Found;
}

ULONG ImReportDriverNotifies(PIM_MODULE Module)
{
    ULONG Count = 0;
    IMP_NOTIFY *Notify;

    while ((Notify = ImpTakeNotifyOf(Module)) != NULL) {
        ULONG64 Offset = (ULONG64)Notify->Routine - (ULONG64)Module->Base;
        Count++;
        ImpFinishRemoval(Notify);
        KdLog("%s: load-image notify routine %s+0x%llx was not removed; it is now", Module->Name,
              Module->Name, Offset);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name),
                 KD_TEXT(ReportKeyKind, "load-image notify routine"), KD_NUMBER(ReportKeyCount, 1),
                 KD_TEXT(ReportKeyModule, Module->Name), KD_NUMBER(ReportKeyOffset, Offset));
    }
    return Count;
}

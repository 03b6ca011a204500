/* SPDX-License-Identifier: MIT
 * Tables of routines that drivers want called when something happens to a process, a thread or an image. A removal waits for the calls
 * of its routine that run. */
#include "ex.h"
#include "kd.h"
#include "ke_bugcheck.h"

VOID ExInitializeNotifies(EX_NOTIFY_TABLE *Table, PCSTR What, KE_GATE_KIND Gate)
{
    ExInitializeFastMutex(&Table->Lock);
    Table->What = What;
    Table->Gate = Gate;
    for (ULONG i = 0; i < EX_MAX_NOTIFIES; i++)
        ExInitializeRundownProtection(&Table->Slots[i].Calls);
}

/* Lock held. Kind EX_ANY_NOTIFY: whichever. */
static EX_NOTIFY *ExpFindNotifyLocked(EX_NOTIFY_TABLE *Table, PVOID Routine, ULONG Kind)
{
    for (ULONG i = 0; i < EX_MAX_NOTIFIES; i++) {
        EX_NOTIFY *Notify = &Table->Slots[i];
        if (Notify->Routine == Routine && !Notify->Going && (Kind == EX_ANY_NOTIFY || Notify->Kind == Kind))
            return Notify;
    }
    return NULL;
}

BOOLEAN ExAddNotify(EX_NOTIFY_TABLE *Table, PVOID Routine, ULONG Kind, BOOLEAN Once)
{
    ExAcquireFastMutex(&Table->Lock);
    EX_NOTIFY *Notify = Once && ExpFindNotifyLocked(Table, Routine, Kind) != NULL
                            ? NULL
                            : ExpFindNotifyLocked(Table, NULL, EX_ANY_NOTIFY);
    if (Notify != NULL) {
        Notify->Kind = Kind;
        __atomic_store_n(&Notify->Routine, Routine, __ATOMIC_RELEASE);
        Table->Count++;
    }
    ExReleaseFastMutex(&Table->Lock);
    return Notify != NULL;
}

/* Afterwards the routine does not run and is not called: it is forgotten before calls are let in again. The slot is free last. */
static VOID ExpFinishRemoval(EX_NOTIFY_TABLE *Table, EX_NOTIFY *Notify)
{
    ExWaitForRundownProtectionRelease(&Notify->Calls);
    ExAcquireFastMutex(&Table->Lock);
    __atomic_store_n(&Notify->Routine, NULL, __ATOMIC_RELEASE);
    ExReInitializeRundownProtection(&Notify->Calls);
    Notify->Going = FALSE;
    Table->Count--;
    ExReleaseFastMutex(&Table->Lock);
}

/* [WDK PsSetCreateProcessNotifyRoutineEx] a routine must not remove itself: the removal would wait for the call that it is made in. */
static VOID ExpRequireOutside(const EX_NOTIFY_TABLE *Table, PVOID Routine)
{
    for (const KE_GATE *Gate = KiCurrentThread()->Gate; Gate != NULL; Gate = Gate->Outer)
        if (Gate->Kind == Table->Gate && Gate->Routine == Routine)
            KeBugCheckBlaming(Routine, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_NOTIFY, (ULONG_PTR)Routine,
                              0, 0, "a notify routine removes itself: that would wait for ever");
}

BOOLEAN ExRemoveNotify(EX_NOTIFY_TABLE *Table, PVOID Routine, ULONG Kind)
{
    ExpRequireOutside(Table, Routine);
    ExAcquireFastMutex(&Table->Lock);
    EX_NOTIFY *Notify = Routine != NULL ? ExpFindNotifyLocked(Table, Routine, Kind) : NULL;
    if (Notify != NULL)
        Notify->Going = TRUE;
    ExReleaseFastMutex(&Table->Lock);
    if (Notify != NULL)
        ExpFinishRemoval(Table, Notify);
    return Notify != NULL;
}

static VOID ExpCallNotify(EX_NOTIFY_TABLE *Table, EX_NOTIFY *Notify, EX_NOTIFY_CALL *Call, PVOID Context)
{
    KE_GATE Gate;

    if (!ExAcquireRundownProtection(&Notify->Calls))
        return;
    PVOID Routine = __atomic_load_n(&Notify->Routine, __ATOMIC_ACQUIRE);
    if (Routine != NULL) {
        KeEnterGate(&Gate, Table->Gate, Routine);
        Call(Routine, Notify->Kind, Context);
        KeLeaveGate(&Gate);
    }
    ExReleaseRundownProtection(&Notify->Calls);
}

VOID ExCallNotifies(EX_NOTIFY_TABLE *Table, EX_NOTIFY_CALL *Call, PVOID Context)
{
    if (Table->Count == 0)
        return;
    KeEnterCriticalRegion();
    for (ULONG i = 0; i < EX_MAX_NOTIFIES; i++)
        if (Table->Slots[i].Routine != NULL)
            ExpCallNotify(Table, &Table->Slots[i], Call, Context);
    KeLeaveCriticalRegion();
}

static EX_NOTIFY *ExpTakeNotifyOf(EX_NOTIFY_TABLE *Table, const IM_MODULE *Module)
{
    EX_NOTIFY *Found = NULL;

    ExAcquireFastMutex(&Table->Lock);
    for (ULONG i = 0; i < EX_MAX_NOTIFIES && Found == NULL; i++)
        if (!Table->Slots[i].Going &&
            (ULONG_PTR)Table->Slots[i].Routine - (ULONG_PTR)Module->Base < Module->Size)
            Found = &Table->Slots[i];
    if (Found != NULL)
        Found->Going = TRUE;
    ExReleaseFastMutex(&Table->Lock);
    return Found;
}

ULONG ExReportDriverNotifies(EX_NOTIFY_TABLE *Table, PIM_MODULE Module)
{
    ULONG Count = 0;
    EX_NOTIFY *Notify;

    while ((Notify = ExpTakeNotifyOf(Table, Module)) != NULL) {
        ULONG64 Offset = (ULONG64)Notify->Routine - (ULONG64)Module->Base;
        Count++;
        ExpFinishRemoval(Table, Notify);
        KdLog("%s: %s %s+0x%llx was not removed; it is now", Module->Name, Table->What, Module->Name, Offset);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, Table->What),
                 KD_NUMBER(ReportKeyCount, 1), KD_TEXT(ReportKeyModule, Module->Name),
                 KD_NUMBER(ReportKeyOffset, Offset));
    }
    return Count;
}

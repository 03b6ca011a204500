/* SPDX-License-Identifier: MIT
 * The callbacks of a device that is registered with the power management framework, one after the other. */
#include "popfx.h"

typedef struct _POP_FX_DUE {
    POP_FX_CALL Call;
    ULONG Component, State;
} POP_FX_DUE;

static PVOID PopFxRoutine(const POP_FX *Fx, POP_FX_CALL Call)
{
    switch (Call) {
    case PopFxCallActive:
        return (PVOID)Fx->ActiveCondition;
    case PopFxCallIdle:
        return (PVOID)Fx->IdleCondition;
    case PopFxCallState:
        return (PVOID)Fx->IdleState;
    case PopFxCallRequired:
        return (PVOID)Fx->PowerRequired;
    default:
        return (PVOID)Fx->PowerNotRequired;
    }
}

static VOID PopFxCallDriver(POP_FX *Fx, const POP_FX_DUE *Due)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateNotification, PopFxRoutine(Fx, Due->Call));
    switch (Due->Call) {
    case PopFxCallActive:
        Fx->ActiveCondition(Fx->Context, Due->Component);
        break;
    case PopFxCallIdle:
        Fx->IdleCondition(Fx->Context, Due->Component);
        break;
    case PopFxCallState:
        Fx->IdleState(Fx->Context, Due->Component, Due->State);
        break;
    case PopFxCallRequired:
        Fx->PowerRequired(Fx->Context);
        break;
    default:
        Fx->PowerNotRequired(Fx->Context);
    }
    KeLeaveGate(&Gate);
}

/* FALSE: nothing is due, and nobody calls callbacks any more. */
static BOOLEAN PopFxTakeDue(POP_FX *Fx, POP_FX_DUE *Due)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    Due->Call = PopFxTakeNextLocked(Fx, &Due->Component, &Due->State);
    Fx->Running = Due->Call != PopFxCallNone;
    BOOLEAN Any = Fx->Running;
    KeSetEvent(&Fx->Changed, IO_NO_INCREMENT, FALSE); /* under the lock: the device may be gone afterwards */
    ArchReleaseLock(&PopLock, OldIrql);
    return Any;
}

static VOID PopFxCallAll(POP_FX *Fx)
{
    POP_FX_DUE Due;
    while (PopFxTakeDue(Fx, &Due))
        PopFxCallDriver(Fx, &Due);
}

static VOID NTAPI PopFxWorker(PVOID Context)
{
    POP_FX *Fx = Context;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    Fx->Queued = FALSE; /* Running keeps the device */
    ArchReleaseLock(&PopLock, OldIrql);
    PopFxCallAll(Fx);
}

/* [WDK DevicePowerRequiredCallback and the others] they may be called at any IRQL up to DISPATCH_LEVEL; PASSIVE_LEVEL suits all of them. Who finds the
 * callbacks being called leaves it to that thread, which looks once more. */
VOID PopFxRun(POP_FX *Fx, BOOLEAN Here)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    BOOLEAN Mine = !Fx->Running && !Fx->Gone;
    BOOLEAN Now = Mine && Here && OldIrql == PASSIVE_LEVEL;
    Fx->Running = Fx->Running || Mine;
    Fx->Queued = Fx->Queued || (Mine && !Now);
    ArchReleaseLock(&PopLock, OldIrql);
    if (Now)
        PopFxCallAll(Fx);
    else if (Mine)
        ExQueueWorkItem(&Fx->Work, CriticalWorkQueue);
}

static VOID NTAPI PopFxTimeout(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PopFxRun(Context, FALSE);
}

VOID PopFxInitRun(POP_FX *Fx)
{
    KeInitializeTimer(&Fx->Timer);
    KeInitializeDpc(&Fx->Dpc, PopFxTimeout, Fx);
    KeInitializeEvent(&Fx->Changed, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Fx->Work, PopFxWorker, Fx);
}

typedef BOOLEAN POP_FX_TEST(const POP_FX *Fx, ULONG Component);

static VOID PopFxWait(POP_FX *Fx, POP_FX_TEST *Test, ULONG Component)
{
    for (;;) {
        KIRQL OldIrql = ArchAcquireLock(&PopLock);
        BOOLEAN Done = Test(Fx, Component);
        if (!Done)
            KeClearEvent(&Fx->Changed);
        ArchReleaseLock(&PopLock, OldIrql);
        if (Done)
            return;
        KeWaitForSingleObject(&Fx->Changed, Executive, KernelMode, FALSE, NULL);
    }
}

VOID PopFxAwait(POP_FX *Fx, ULONG Component)
{
    PopFxWait(Fx, PopFxIsSettledLocked, Component);
}

static BOOLEAN PopFxIsStill(const POP_FX *Fx, ULONG Component)
{
    return !Fx->Running && !Fx->Queued;
}

VOID PopFxStop(POP_FX *Fx)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    Fx->Gone = TRUE;
    ArchReleaseLock(&PopLock, OldIrql);
    KeCancelTimer(&Fx->Timer);
    KeFlushQueuedDpcs(); /* the timer's, which asks for nothing any more */
    PopFxWait(Fx, PopFxIsStill, 0);
}

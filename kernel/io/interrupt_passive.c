/* SPDX-License-Identifier: MIT
 * Interrupts whose service routine runs at PASSIVE_LEVEL, because it reaches its device by requests that take their time. The interrupt masks its line, if that stays up, and has a
 * worker thread call the routine, which unmasks it. An event is what the spin lock is for the others. [WDK "Using Passive-Level Interrupt Service Routines"] */
#include "interrupt.h"
#include "ex.h"
#include "ke_gate.h"

typedef struct _IOP_PASSIVE {
    KINTERRUPT Interrupt; /* first: it is what the driver has */
    PVOID Context;        /* of the driver's routine */
    KEVENT Lock;          /* set: free */
    KDPC Dpc;
    WORK_QUEUE_ITEM Work;
    EX_RUNDOWN_REF Rundown; /* held while the worker has something to do */
    volatile LONG
        Pending; /* interrupts that the routine has not been called for; from 0 on who adds one begins the work */
} IOP_PASSIVE;

/* It cannot say whether it was its device: who shares the line is asked too. */
static BOOLEAN NTAPI IopPassiveService(PKINTERRUPT Interrupt, PVOID Context)
{
    IOP_PASSIVE *Passive = Context;
    KeMaskInterrupt(Interrupt);
    if (InterlockedIncrement(&Passive->Pending) == 1)
        KeInsertQueueDpc(&Passive->Dpc, NULL, NULL);
    return FALSE;
}

static VOID NTAPI IopPassiveDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    IOP_PASSIVE *Passive = Context;
    if (ExAcquireRundownProtection(&Passive->Rundown)) /* else it is being disconnected */
        ExQueueWorkItem(&Passive->Work, CriticalWorkQueue);
}

static VOID IopCallPassive(IOP_PASSIVE *Passive)
{
    KE_GATE Gate;
    PKINTERRUPT Interrupt = &Passive->Interrupt;
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&Passive->Lock, Executive, KernelMode, FALSE, NULL);
    KeEnterGate(&Gate, GateWorkItem, (PVOID)Interrupt->PassiveRoutine);
    (void)Interrupt->PassiveRoutine(Interrupt, Passive->Context);
    KeLeaveGate(&Gate);
    KeSetEvent(&Passive->Lock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
}

/* One call is for all interrupts that came before it. */
static VOID NTAPI IopPassiveWork(PVOID Context)
{
    IOP_PASSIVE *Passive = Context;
    LONG Seen;
    do {
        Seen = Passive->Pending;
        IopCallPassive(Passive);
        KeUnmaskInterrupt(&Passive->Interrupt);
    } while (InterlockedExchangeAdd(&Passive->Pending, -Seen) != Seen);
    ExReleaseRundownProtection(&Passive->Rundown);
}

static VOID IopInitPassive(IOP_PASSIVE *Passive, const KE_INTERRUPT_PARAMETERS *Parameters)
{
    KeInitializeInterrupt(&Passive->Interrupt, Parameters);
    Passive->Pending = 0;
    KeInitializeEvent(&Passive->Lock, SynchronizationEvent, TRUE);
    KeInitializeDpc(&Passive->Dpc, IopPassiveDpc, Passive);
    ExInitializeWorkItem(&Passive->Work, IopPassiveWork, Passive);
    ExInitializeRundownProtection(&Passive->Rundown);
}

NTSTATUS IopConnectPassive(const KE_INTERRUPT_PARAMETERS *Parameters, PKINTERRUPT *InterruptObject)
{
    KE_INTERRUPT_PARAMETERS Checked = *Parameters;
    Checked.Irql = Checked.SynchronizeIrql = (KIRQL)(Checked.Vector >> 4); /* of the interrupt itself */
    if (Parameters->SpinLock != NULL || !IopCheckInterrupt(&Checked))
        return STATUS_INVALID_PARAMETER;
    IOP_PASSIVE *Passive = ExAllocatePoolWithTag(NonPagedPool, sizeof(*Passive), IOP_INTERRUPT_TAG);
    if (Passive == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Passive->Context = Parameters->ServiceContext;
    Checked.PassiveRoutine = Parameters->ServiceRoutine;
    Checked.PassiveLock = &Passive->Lock;
    Checked.ServiceRoutine = IopPassiveService;
    Checked.ServiceContext = Passive;
    IopInitPassive(Passive, &Checked);
    *InterruptObject = &Passive->Interrupt; /* before the first interrupt can come */
    if (KeConnectInterrupt(&Passive->Interrupt))
        return STATUS_SUCCESS;
    *InterruptObject = NULL;
    ExFreePoolWithTag(Passive, IOP_INTERRUPT_TAG);
    return STATUS_INVALID_PARAMETER;
}

/* The routine is not called any more when it returns. A line that others share is not left masked. */
VOID IopDisconnectPassive(PKINTERRUPT Interrupt)
{
    IOP_PASSIVE *Passive = CONTAINING_RECORD(Interrupt, IOP_PASSIVE, Interrupt);
    KeDisconnectInterrupt(Interrupt);
    KeFlushQueuedDpcs();
    ExWaitForRundownProtectionRelease(&Passive->Rundown);
    KeUnmaskInterrupt(Interrupt);
    ExFreePoolWithTag(Passive, IOP_INTERRUPT_TAG);
}

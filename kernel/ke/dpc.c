/* SPDX-License-Identifier: MIT
 * Deferred procedure calls: a queue on each processor, drained by the software interrupt at DISPATCH_LEVEL. CR8 alone holds
 * it back, so a driver that lowers IRQL inline gets its DPCs too. [WDK KeInsertQueueDpc, KeRemoveQueueDpc] */
#include "ki.h"

VOID KiInitializeDpcQueue(PKPRCB Prcb)
{
    InitializeListHead(&Prcb->DpcListHead);
    Prcb->DpcLock = (ARCH_LOCK)ARCH_LOCK_INIT("Dpc", LockRankKeDpc, HIGH_LEVEL);
}

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    Dpc->Type = DpcObject;
    Dpc->Importance = MediumImportance;
    Dpc->Number = 0;
    Dpc->DeferredRoutine = DeferredRoutine;
    Dpc->DeferredContext = DeferredContext;
    Dpc->DpcData = NULL;
}

VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

/* Any IRQL. FALSE when it is in a queue already: the arguments stay those of the first call. */
BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    PKPRCB Prcb = KeGetPrcb();
    KIRQL OldIrql = ArchAcquireLock(&Prcb->DpcLock);
    BOOLEAN Inserted = Dpc->DpcData == NULL;

    if (Inserted) {
        Dpc->DpcData = Prcb;
        Dpc->SystemArgument1 = SystemArgument1;
        Dpc->SystemArgument2 = SystemArgument2;
        Prcb->DpcCount++;
        if (Dpc->Importance == HighImportance)
            InsertHeadList(&Prcb->DpcListHead, &Dpc->DpcListEntry);
        else
            InsertTailList(&Prcb->DpcListHead, &Dpc->DpcListEntry);
    }
    ArchReleaseLockFromIrql(&Prcb->DpcLock);
    if (Inserted && !Prcb->DpcActive)
        HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
    ArchSetIrql(OldIrql);
    return Inserted;
}

/* Any IRQL. TRUE when it was in a queue and is not any more. */
BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc)
{
    PKPRCB Prcb = KeGetPrcb();
    KIRQL OldIrql = ArchAcquireLock(&Prcb->DpcLock);
    BOOLEAN Removed = Dpc->DpcData != NULL;

    if (Removed) {
        RemoveEntryList(&Dpc->DpcListEntry);
        Dpc->DpcData = NULL;
        Prcb->DpcCount--;
    }
    ArchReleaseLock(&Prcb->DpcLock, OldIrql);
    return Removed;
}

/* What a queued DPC needs to run; the KDPC itself may be freed or queued again by its routine. */
typedef struct _KI_DPC_CALL {
    PKDPC Dpc;
    PKDEFERRED_ROUTINE Routine;
    PVOID Context, Argument1, Argument2;
} KI_DPC_CALL;

static BOOLEAN KiTakeDpc(PKPRCB Prcb, KI_DPC_CALL *Call)
{
    KIRQL OldIrql = ArchAcquireLock(&Prcb->DpcLock);
    BOOLEAN Found = !IsListEmpty(&Prcb->DpcListHead);

    if (Found) {
        PKDPC Dpc = CONTAINING_RECORD(RemoveHeadList(&Prcb->DpcListHead), KDPC, DpcListEntry);
        *Call = (KI_DPC_CALL){Dpc, Dpc->DeferredRoutine, Dpc->DeferredContext, Dpc->SystemArgument1,
                              Dpc->SystemArgument2};
        Dpc->DpcData = NULL;
        Prcb->DpcCount--;
    }
    ArchReleaseLock(&Prcb->DpcLock, OldIrql);
    return Found;
}

static VOID KiDrainDpcs(PKPRCB Prcb)
{
    KI_DPC_CALL Call;
    KE_GATE Gate;

    Prcb->DpcActive = TRUE;
    while (KiTakeDpc(Prcb, &Call)) {
        KeEnterGate(&Gate, GateDpc, (PVOID)Call.Routine);
        Call.Routine(Call.Dpc, Call.Context, Call.Argument1, Call.Argument2);
        KeLeaveGate(&Gate);
    }
    Prcb->DpcActive = FALSE;
}

/* CR8 and EOI come first: a thread switch with the in-service bit set would block this class on the processor. */
VOID KiDispatchInterrupt(ARCH_TRAP_FRAME *Frame)
{
    PKPRCB Prcb = KeGetPrcb();

    ArchSetIrql(DISPATCH_LEVEL);
    HalEndOfInterrupt();
    __asm__ volatile("sti");
    do {
        KiDrainDpcs(Prcb);
    } while (!IsListEmpty(&Prcb->DpcListHead)); /* one came between the last look and DpcActive = FALSE */
    KiDispatchReschedule();
    __asm__ volatile("cli");
    ArchSetIrql((KIRQL)Frame->Irql);
}

/* [WDK KeFlushQueuedDpcs] IRQL PASSIVE_LEVEL. Returns when every DPC queued before has run: on one active processor lowering
 * to PASSIVE_LEVEL has drained the queue, so a DPC of our own that has run proves it. */
static VOID NTAPI KiFlushRoutine(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KeSetEvent(Context, 0, FALSE);
}

VOID NTAPI KeFlushQueuedDpcs(VOID)
{
    KDPC Dpc;
    KEVENT Done;

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, KiFlushRoutine, &Done);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}

/* [WDK KeSetTargetProcessorDpc] Kept in the object; the other processors run no threads yet, so the DPC runs where it
 * is queued (D-050). */
VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    Dpc->Number = (USHORT)(MAXIMUM_PROC_PER_GROUP + Number);
}

/* SPDX-License-Identifier: MIT
 * Deferred procedure calls: a queue on each processor, drained by the software interrupt at DISPATCH_LEVEL. CR8 alone holds
 * it back, so a driver that lowers IRQL inline gets its DPCs too. [WDK KeInsertQueueDpc, KeRemoveQueueDpc] */
#include "ki.h"

/* Lengths and rates from which on a DPC of low importance does not wait for the next clock tick, as documented for the
 * registry values MaximumDpcQueueDepth and MinimumDpcRate. */
#define KI_MAXIMUM_DPC_DEPTH 4
#define KI_MINIMUM_DPC_RATE 3

static VOID KiInitializeQueue(KI_DPC_QUEUE *Queue, PCSTR Name)
{
    InitializeListHead(&Queue->ListHead);
    Queue->Lock = (ARCH_LOCK)ARCH_LOCK_INIT(Name, LockRankKeDpc, HIGH_LEVEL);
}

VOID KiInitializeDpcQueues(KI_DEFERRED *Deferred)
{
    KiInitializeQueue(&Deferred->Dpcs, "Dpc");
    KiInitializeQueue(&Deferred->ThreadedDpcs, "ThreadedDpc");
    KeInitializeEvent(&Deferred->ThreadedReady, SynchronizationEvent, FALSE);
}

static VOID KiInitializeDpc(PKDPC Dpc, UCHAR Type, PKDEFERRED_ROUTINE Routine, PVOID Context)
{
    KiCheckNewDpc(Dpc);
    Dpc->Type = Type;
    Dpc->Importance = MediumImportance;
    Dpc->Number = 0;
    Dpc->DeferredRoutine = Routine;
    Dpc->DeferredContext = Context;
    Dpc->DpcData = NULL;
}

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    KiInitializeDpc(Dpc, DpcObject, DeferredRoutine, DeferredContext);
}

/* [WDK KeInitializeThreadedDpc] Its routine runs at PASSIVE_LEVEL in a thread of the highest priority. */
VOID NTAPI KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    KiInitializeDpc(Dpc, ThreadedDpcObject, DeferredRoutine, DeferredContext);
}

VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

/* [WDK KeSetTargetProcessorDpc] The processors are those of group 0; 0 in KDPC.Number means the one that queues it. */
VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    Dpc->Number = (USHORT)(MAXIMUM_PROC_PER_GROUP + (UCHAR)Number);
}

/* [WDK KeSetTargetProcessorDpcEx] STATUS_INVALID_PARAMETER for a processor that is not active. */
NTSTATUS NTAPI KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber->Group != 0 || ProcNumber->Reserved != 0 || ProcNumber->Number >= KeActiveProcessorCount)
        return STATUS_INVALID_PARAMETER;
    Dpc->Number = (USHORT)(MAXIMUM_PROC_PER_GROUP + ProcNumber->Number);
    return STATUS_SUCCESS;
}

/* [WDK Bug Check 0xC7] 3: DPC, its processor number, number of processors */
static PKPRCB KiTargetOf(const KDPC *Dpc)
{
    ULONG Number = (ULONG)Dpc->Number - MAXIMUM_PROC_PER_GROUP;

    if (Number >= KeActiveProcessorCount)
        KeBugCheckEx(TIMER_OR_DPC_INVALID, 3, (ULONG_PTR)Dpc, Number, KeActiveProcessorCount);
    return KiProcessorBlock[Number];
}

/* [WDK "Organization of DPC Processing"] On the processor that queues it, all but low importance start at once; on another one
 * high and medium-high do. The rest start when the queue is long, when DPCs are rare (here) or the processor idle (there),
 * and at its next clock tick in any case. */
static BOOLEAN KiStartsAtOnce(const KI_DEFERRED *Deferred, PKPRCB Target, UCHAR Importance, BOOLEAN Local)
{
    if (Importance == HighImportance || Importance == MediumHighImportance ||
        Deferred->Dpcs.Depth >= KI_MAXIMUM_DPC_DEPTH)
        return TRUE;
    if (Local)
        return Importance == MediumImportance || Deferred->Rate < KI_MINIMUM_DPC_RATE;
    return Target->CurrentThread == Target->IdleThread;
}

/* --- checked kernel: the queue is not followed into a DPC that is none any more. Queue locked. --- */

#if NTBOX_CHECKED
static const void *KiCheckDpc(KI_DPC_QUEUE *Queue, const KDPC *Dpc)
{
    const KI_NOTE *Note = KiFindNote(&Queue->Notes, KiNotedDpc, Dpc);
    const LIST_ENTRY *Neighbour;

    if (Note == NULL)
        return NULL;
    if ((Dpc->Type != DpcObject && Dpc->Type != ThreadedDpcObject) || Dpc->DpcData != Queue ||
        (PVOID)Dpc->DeferredRoutine != Note->Other)
        KiDamagedObject(Note);
    if (!KiIsLinked(&Dpc->DpcListEntry, &Neighbour)) {
        const KI_NOTE *Other = NULL;
        if (Neighbour != NULL)
            Other = KiFindNote(&Queue->Notes, KiNotedDpc, CONTAINING_RECORD(Neighbour, KDPC, DpcListEntry));
        KiDamagedObject(Other != NULL ? Other : Note);
    }
    return Note->Caller;
}

/* First and last: their links are written by who puts another one in. */
static VOID KiCheckEnds(KI_DPC_QUEUE *Queue)
{
    if (IsListEmpty(&Queue->ListHead))
        return;
    (void)KiCheckDpc(Queue, CONTAINING_RECORD(Queue->ListHead.Flink, KDPC, DpcListEntry));
    (void)KiCheckDpc(Queue, CONTAINING_RECORD(Queue->ListHead.Blink, KDPC, DpcListEntry));
}

#define KiNoteDpc(Queue, Dpc, Caller)                                                                        \
    KiNote(&(Queue)->Notes, KiNotedDpc, (Dpc), (PVOID)(Dpc)->DeferredRoutine, (Caller))
#define KiForgetDpc(Queue, Dpc) KiForget(&(Queue)->Notes, KiNotedDpc, (Dpc))
#else
#define KiCheckDpc(Queue, Dpc) NULL
#define KiCheckEnds(Queue) ((void)0)
#define KiNoteDpc(Queue, Dpc, Caller) ((void)0)
#define KiForgetDpc(Queue, Dpc) ((void)0)
#endif

/* Queue locked. The compare-exchange decides between two processors that queue it to different places, and it is a barrier
 * also when it fails: a routine that has not begun yet then sees what the caller wrote before. */
static BOOLEAN KiLinkDpc(KI_DPC_QUEUE *Queue, PKDPC Dpc, PVOID Argument1, PVOID Argument2, const void *Caller)
{
    PVOID None = NULL;

    if (!__atomic_compare_exchange_n(&Dpc->DpcData, &None, Queue, FALSE, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return FALSE;
    KiCheckEnds(Queue);
    KiNoteDpc(Queue, Dpc, Caller);
    Dpc->SystemArgument1 = Argument1;
    Dpc->SystemArgument2 = Argument2;
    Queue->Depth++;
    Queue->Inserted++;
    KiTrace(KiTraceQueueDpc, Dpc, Dpc->Number);
    if (Dpc->Importance == HighImportance)
        InsertHeadList(&Queue->ListHead, &Dpc->DpcListEntry);
    else
        InsertTailList(&Queue->ListHead, &Dpc->DpcListEntry);
    return TRUE;
}

/* Any IRQL, any processor. TRUE when it was in a queue and is not any more. [WDK KeRemoveQueueDpc] */
BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc)
{
    KI_DPC_QUEUE *Queue;

    while ((Queue = __atomic_load_n(&Dpc->DpcData, __ATOMIC_ACQUIRE)) != NULL) {
        KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
        BOOLEAN Removed = Dpc->DpcData == Queue; /* else it ran, and may be in another queue by now */
        if (Removed) {
            (void)KiCheckDpc(Queue, Dpc);
            KiForgetDpc(Queue, Dpc);
            RemoveEntryList(&Dpc->DpcListEntry);
            Queue->Depth--;
            __atomic_exchange_n(&Dpc->DpcData, NULL, __ATOMIC_SEQ_CST); /* as KiTakeDpc does, and why */
        }
        ArchReleaseLock(&Queue->Lock, OldIrql);
        if (Removed)
            return TRUE;
    }
    return FALSE;
}

/* What a queued DPC needs to run; the KDPC itself may be freed or queued again by its routine. */
typedef struct _KI_DPC_CALL {
    PKDPC Dpc;
    PKDEFERRED_ROUTINE Routine;
    PVOID Context, Argument1, Argument2;
    const void *Caller; /* checked kernel: who queued it */
} KI_DPC_CALL;

/* FALSE: the queue is empty, and whoever queues the next DPC has to ask for an interrupt again. DpcData is cleared by an
 * exchange: the routine must not read its data before others can queue it again. */
static BOOLEAN KiTakeDpc(KI_DPC_QUEUE *Queue, KI_DPC_CALL *Call)
{
    KIRQL OldIrql = ArchAcquireLock(&Queue->Lock);
    BOOLEAN Found = !IsListEmpty(&Queue->ListHead);

    if (Found) {
        PKDPC Dpc = CONTAINING_RECORD(Queue->ListHead.Flink, KDPC, DpcListEntry);
        const void *Caller = KiCheckDpc(Queue, Dpc);
        (void)RemoveHeadList(&Queue->ListHead);
        *Call = (KI_DPC_CALL){
            Dpc,   Dpc->DeferredRoutine, Dpc->DeferredContext, Dpc->SystemArgument1, Dpc->SystemArgument2,
            Caller};
        KiForgetDpc(Queue, Dpc);
        Queue->Depth--;
        KiTrace(KiTraceDpc, Dpc, 0);
        __atomic_exchange_n(&Dpc->DpcData, NULL, __ATOMIC_SEQ_CST);
    }
    Queue->Busy = Found;
    ArchReleaseLock(&Queue->Lock, OldIrql);
    return Found;
}

static LONG KiDpcFilter(PEXCEPTION_POINTERS Pointers)
{
    KeBugCheckFromException(KMODE_EXCEPTION_NOT_HANDLED, Pointers);
    return EXCEPTION_EXECUTE_HANDLER;
}

/* [WDK bug check 0x1E] What a DPC raises never reaches the handlers of the thread that it runs on. */
static VOID KiCallDpc(const KI_DPC_CALL *Call)
{
    KE_GATE Gate;

    KeEnterGate(&Gate, GateDpc, (PVOID)Call->Routine);
    if (NTBOX_CHECKED)
        Gate.Caller = Call->Caller;
    __try {
        Call->Routine(Call->Dpc, Call->Context, Call->Argument1, Call->Argument2);
    } __except (KiDpcFilter(GetExceptionInformation())) {
    }
    KeLeaveGate(&Gate);
}

static VOID KiDrainDpcs(KI_DEFERRED *Deferred)
{
    KI_DPC_CALL Call;

    while (KiTakeDpc(&Deferred->Dpcs, &Call)) {
        Deferred->Watchdog.RoutineStart = Deferred->Watchdog.Clock;
        Deferred->Watchdog.Routine = (PVOID)Call.Routine;
        KiCallDpc(&Call);
        Deferred->Watchdog.Routine = NULL;
    }
}

/* Timers first: they queue DPCs, which the drain that follows in any case finds. */
static VOID KiRunDeferred(PKPRCB Prcb, KI_DEFERRED *Deferred)
{
    ARCH_FORBID_USER_ACCESS();
    Prcb->DpcActive = TRUE;
    if (Deferred->Wheel.Requested) {
        Deferred->Dpcs.Busy = TRUE;
        KiExpireTimers();
    }
    KiDrainDpcs(Deferred);
    Prcb->DpcActive = FALSE;
}

static VOID KiWakeDpcThread(KI_DEFERRED *Deferred)
{
    if (__atomic_exchange_n(&Deferred->WakeDpcThread, FALSE, __ATOMIC_SEQ_CST))
        KeSetEvent(&Deferred->ThreadedReady, 0, FALSE);
}

/* DISPATCH_LEVEL, no lock held. Threads may be switched: it returns maybe on another processor. */
static VOID KiRunDispatchWork(PKPRCB Prcb)
{
    KI_DEFERRED *Deferred = &KiProcessorOf(Prcb)->Deferred;

    if (Deferred->Wheel.Requested || !IsListEmpty(&Deferred->Dpcs.ListHead))
        KiRunDeferred(Prcb, Deferred);
    if (Deferred->WakeDpcThread)
        KiWakeDpcThread(Deferred);
    KiDispatchReschedule();
}

/* At DISPATCH_LEVEL with interrupts off, no vector in service: a thread switch with its bit set would block this class on the processor. */
static VOID KiRunDispatchWorkOfTrap(VOID)
{
    KiNoteLowIrql(&KiProcessorOf(KeGetPrcb())->Deferred.Watchdog);
    __asm__ volatile("sti");
    KiRunDispatchWork(KeGetPrcb());
    __asm__ volatile("cli");
}

VOID KiDispatchInterrupt(ARCH_TRAP_FRAME *Frame)
{
    ArchSetIrql(DISPATCH_LEVEL);
    HalEndOfInterrupt();
    KiRunDispatchWorkOfTrap();
    ArchSetIrql((KIRQL)Frame->Irql);
}

VOID KiBeginService(VOID)
{
    KiProcessorOf(KeGetPrcb())->Deferred.Service = KiServiceRuns;
}

VOID KiEndService(VOID)
{
    KI_DEFERRED *Deferred = &KiProcessorOf(KeGetPrcb())->Deferred;
    KI_SERVICE Was = Deferred->Service;

    Deferred->Service = KiServiceNone;
    if (Was == KiServiceRuns)
        return;
    ArchSetIrql(DISPATCH_LEVEL);
    KiRunDispatchWorkOfTrap();
}

/* Below DISPATCH_LEVEL the software interrupt would come at once: its work is done without it. The end of a device interrupt that came
 * below it does the work, too. */
static VOID KiStartDpcs(PKPRCB Target, BOOLEAN Local, KIRQL OldIrql)
{
    KI_DEFERRED *Deferred = &KiProcessorOf(Target)->Deferred;

    if (Local && Deferred->Service != KiServiceNone) {
        Deferred->Service = KiServiceLeavesWork;
        return;
    }
    if (!Local || OldIrql >= DISPATCH_LEVEL || !ArchInterruptsEnabled()) {
        KiRequestDispatchInterrupt(Target->Number);
        return;
    }
    ArchSetIrql(DISPATCH_LEVEL);
    KiRunDispatchWork(Target);
}

/* Any IRQL. FALSE when it is in a queue already: the arguments stay those of the first call. Raised to HIGH_LEVEL the caller
 * does not leave its processor, so that "local" stays true until the interrupt is asked for. */
BOOLEAN KiInsertDpc(PRKDPC Dpc, PVOID Argument1, PVOID Argument2, const void *Caller)
{
    KiRequireDpc(Dpc, Caller);
    KIRQL OldIrql = ArchRaiseIrql(HIGH_LEVEL);
    PKPRCB Here = KeGetPrcb(), Target = Dpc->Number == 0 ? Here : KiTargetOf(Dpc);
    KI_DEFERRED *Deferred = &KiProcessorOf(Target)->Deferred;
    BOOLEAN Threaded = Dpc->Type == ThreadedDpcObject, Local = Target == Here;
    KI_DPC_QUEUE *Queue = Threaded ? &Deferred->ThreadedDpcs : &Deferred->Dpcs;
    BOOLEAN Interrupt = FALSE;

    ArchAcquireLockAtIrql(&Queue->Lock);
    BOOLEAN Inserted = KiLinkDpc(Queue, Dpc, Argument1, Argument2, Caller);
    if (Inserted && !Queue->Busy)
        Interrupt = Threaded || KiStartsAtOnce(Deferred, Target, Dpc->Importance, Local);
    ArchReleaseLockFromIrql(&Queue->Lock);
    if (Interrupt && Threaded)
        __atomic_store_n(&Deferred->WakeDpcThread, TRUE, __ATOMIC_SEQ_CST);
    if (Interrupt)
        KiStartDpcs(Target, Local, OldIrql);
    ArchSetIrql(OldIrql);
    return Inserted;
}

DECLSPEC_NOINLINE BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    return KiInsertDpc(Dpc, SystemArgument1, SystemArgument2, KI_CALLER());
}

/* Clock interrupt: DPCs that did not start at once start now. */
VOID KiTickDpcs(PKPRCB Prcb)
{
    KI_DEFERRED *Deferred = &KiProcessorOf(Prcb)->Deferred;
    ULONG Inserted = Deferred->Dpcs.Inserted;

    Deferred->Rate = (Deferred->Rate + (Inserted - Deferred->LastInserted)) / 2;
    Deferred->LastInserted = Inserted;
    if (!IsListEmpty(&Deferred->Dpcs.ListHead) && !Deferred->Dpcs.Busy)
        HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
}

/* The thread of one processor's threaded DPCs; Context is the processor's number. */
VOID NTAPI KeDpcThread(PVOID Context)
{
    KI_DEFERRED *Deferred = &KiProcessorOf(KiProcessorBlock[(ULONG_PTR)Context])->Deferred;
    KI_DPC_CALL Call;

    KeSetSystemAffinityThreadEx((KAFFINITY)1 << (ULONG_PTR)Context);
    KeSetPriorityThread(KiCurrentThread(), HIGH_PRIORITY);
    for (;;) {
        KeWaitForSingleObject(&Deferred->ThreadedReady, Executive, KernelMode, FALSE, NULL);
        while (KiTakeDpc(&Deferred->ThreadedDpcs, &Call))
            KiCallDpc(&Call);
    }
}

/* --- flush --- */

static VOID NTAPI KiFlushRoutine(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KeSetEvent(Context, 0, FALSE);
}

/* A DPC of our own at the end of the queue: when it runs, all before it have run to their end. */
static VOID KiFlushQueue(PKDPC Dpc, PKEVENT Done, CCHAR Processor)
{
    KeSetTargetProcessorDpc(Dpc, Processor);
    KeSetImportanceDpc(Dpc, MediumHighImportance);
    KeInsertQueueDpc(Dpc, NULL, NULL);
    KeWaitForSingleObject(Done, Executive, KernelMode, FALSE, NULL);
}

/* IRQL <= APC_LEVEL */
VOID KeFlushDpcs(VOID)
{
    KDPC Dpc;
    KEVENT Done;

    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    for (ULONG i = 0; i < KeActiveProcessorCount; i++) {
        KeInitializeDpc(&Dpc, KiFlushRoutine, &Done);
        KiFlushQueue(&Dpc, &Done, (CCHAR)i);
        KeInitializeThreadedDpc(&Dpc, KiFlushRoutine, &Done);
        KiFlushQueue(&Dpc, &Done, (CCHAR)i);
    }
}

/* [WDK KeFlushQueuedDpcs] IRQL PASSIVE_LEVEL. Returns when every DPC that was queued on any processor has run. */
VOID NTAPI KeFlushQueuedDpcs(VOID)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KeFlushDpcs();
}

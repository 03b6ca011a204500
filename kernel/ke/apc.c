/* SPDX-License-Identifier: MIT
 * Asynchronous procedure calls: a routine that runs in a given thread. Special kernel APCs run at APC_LEVEL, normal ones at PASSIVE_LEVEL
 * outside critical regions, one at a time; user APCs end an alertable wait in user mode. [WDK "Types of APCs", "Disabling APCs"] */
#include "ki.h"

VOID KiInitializeApcState(PKTHREAD Thread, PKPROCESS Process)
{
    PKAPC_STATE States[] = {&Thread->ApcState, &Thread->SavedApcState};

    for (ULONG i = 0; i < RTL_NUMBER_OF(States); i++) {
        InitializeListHead(&States[i]->ApcListHead[KernelMode]);
        InitializeListHead(&States[i]->ApcListHead[UserMode]);
        States[i]->Process = Process;
    }
    Thread->ApcQueueable = TRUE;
}

static PKAPC KiFirstKernelApc(PKTHREAD Thread)
{
    PLIST_ENTRY Head = &Thread->ApcState.ApcListHead[KernelMode];

    return IsListEmpty(Head) ? NULL : CONTAINING_RECORD(Head->Flink, KAPC, ApcListEntry);
}

/* ThreadLock held, or the thread's own processor. A special APC is always before the normal ones. */
BOOLEAN KiIsApcDeliverable(PKTHREAD Thread, KIRQL Irql)
{
    PKAPC Apc;

    if (!Thread->ApcState.KernelApcPending || Irql >= APC_LEVEL || Thread->SpecialApcDisable != 0)
        return FALSE;
    Apc = KiFirstKernelApc(Thread);
    return Apc != NULL && (Apc->NormalRoutine == NULL ||
                           (Thread->KernelApcDisable == 0 && !Thread->ApcState.KernelApcInProgress));
}

VOID KiCheckPendingApcs(PKTHREAD Thread)
{
    if (Thread->ApcState.KernelApcPending && Thread->SpecialApcDisable == 0)
        HalRequestSoftwareInterrupt(HAL_VECTOR_APC);
}

/* Which of the thread's two lists: 0 its own process's, 1 that of the process it is attached to. */
static UCHAR KiApcStateIndex(PKTHREAD Thread, ULONG Environment)
{
    if (Environment == CurrentApcEnvironment || Environment == InsertApcEnvironment)
        return Thread->ApcStateIndex;
    return Environment != OriginalApcEnvironment;
}

/* [published by Windows' exports] Environment: 0 the thread's own process, 1 the one it is attached to, 2 the current one, 3 the one it is
 * attached to when the APC is queued. */
VOID NTAPI KeInitializeApc(PRKAPC Apc, PKTHREAD Thread, KAPC_ENVIRONMENT Environment,
                           PKKERNEL_ROUTINE KernelRoutine, PKRUNDOWN_ROUTINE RundownRoutine,
                           PKNORMAL_ROUTINE NormalRoutine, KPROCESSOR_MODE ApcMode, PVOID NormalContext)
{
    KI_REQUIRE_THREAD(Thread);
    KI_REQUIRE_ARGUMENT((ULONG)Environment <= InsertApcEnvironment, Environment);
    KI_REQUIRE_ARGUMENT(MmIsAddressValid((PVOID)KernelRoutine), KernelRoutine);
    ApcMode = KI_MODE(ApcMode);
    Apc->Type = ApcObject;
    Apc->Size = sizeof(*Apc);
    Apc->Thread = Thread;
    Apc->ApcStateIndex = (CCHAR)(Environment == InsertApcEnvironment ? InsertApcEnvironment
                                                                     : KiApcStateIndex(Thread, Environment));
    Apc->KernelRoutine = KernelRoutine;
    Apc->RundownRoutine = RundownRoutine;
    Apc->NormalRoutine = NormalRoutine;
    Apc->ApcMode = NormalRoutine != NULL ? ApcMode : KernelMode;
    Apc->NormalContext = NormalRoutine != NULL ? NormalContext : NULL;
    Apc->Inserted = FALSE;
}

/* Specials go behind the specials that are there, normal ones to the end. */
static VOID KiInsertApcLocked(PKAPC_STATE State, PKAPC Apc)
{
    PLIST_ENTRY Head = &State->ApcListHead[Apc->ApcMode != KernelMode], Entry = Head->Flink;

    while (Apc->NormalRoutine == NULL && Entry != Head &&
           CONTAINING_RECORD(Entry, KAPC, ApcListEntry)->NormalRoutine == NULL)
        Entry = Entry->Flink;
    InsertTailList(Apc->NormalRoutine == NULL ? Entry : Head, &Apc->ApcListEntry);
    Apc->Inserted = TRUE;
}

/* ThreadLock held. A running thread is interrupted, a ready one looks when it is switched to, one that waits is woken. */
static VOID KiNotifyKernelApc(PKTHREAD Thread, KPRIORITY Increment)
{
    __atomic_store_n(&Thread->ApcState.KernelApcPending, TRUE, __ATOMIC_SEQ_CST);
    if (Thread->WaitState == KiWaitBlocked) {
        if (KiIsApcDeliverable(Thread, Thread->WaitIrql))
            (void)KiClaimBlockedWait(Thread, STATUS_KERNEL_APC, Increment);
        return;
    }
    KI_PROCESSOR *Processor = KiLockThreadQueue(Thread);
    if (Processor->Prcb.CurrentThread == Thread)
        KiRequestApcInterrupt(Processor->Prcb.Number);
    ArchReleaseLockFromIrql(&Processor->ReadyLock);
}

static VOID KiNotifyUserApc(PKTHREAD Thread, KPRIORITY Increment)
{
    if (Thread->WaitState != KiWaitBlocked || Thread->WaitMode != UserMode || !Thread->Alertable)
        return;
    Thread->ApcState.UserApcPending = TRUE;
    (void)KiClaimBlockedWait(Thread, STATUS_USER_APC, Increment);
}

/* IRQL <= DISPATCH_LEVEL. FALSE: it is queued already, or the thread ends. */
BOOLEAN NTAPI KeInsertQueueApc(PRKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2, KPRIORITY Increment)
{
    PKTHREAD Thread = Apc->Thread;

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_TYPE(Apc, ApcObject);
    KI_REQUIRE_THREAD(Thread);
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    BOOLEAN Inserted = Thread->ApcQueueable && !Apc->Inserted;
    if (Inserted) {
        BOOLEAN Here = KiApcStateIndex(Thread, (UCHAR)Apc->ApcStateIndex) == Thread->ApcStateIndex;
        Apc->SystemArgument1 = SystemArgument1;
        Apc->SystemArgument2 = SystemArgument2;
        KiTrace(KiTraceQueueApc, Apc, Here);
        KiInsertApcLocked(Here ? &Thread->ApcState : &Thread->SavedApcState, Apc);
        if (Here && Apc->ApcMode == KernelMode)
            KiNotifyKernelApc(Thread, Increment);
        else if (Here)
            KiNotifyUserApc(Thread, Increment);
        else if (Apc->ApcMode == KernelMode)
            Thread->SavedApcState.KernelApcPending = TRUE; /* it runs when the thread detaches */
    }
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    KiExitDispatcher(OldIrql);
    return Inserted;
}

/* IRQL <= DISPATCH_LEVEL. TRUE: it was queued and is not any more. */
BOOLEAN NTAPI KeRemoveQueueApc(PRKAPC Apc)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_TYPE(Apc, ApcObject);
    KI_REQUIRE_THREAD(Apc->Thread);
    KIRQL OldIrql = ArchAcquireLock(&Apc->Thread->ThreadLock);
    BOOLEAN Removed = Apc->Inserted;

    if (Removed) {
        RemoveEntryList(&Apc->ApcListEntry);
        Apc->Inserted = FALSE;
    }
    ArchReleaseLock(&Apc->Thread->ThreadLock, OldIrql);
    return Removed;
}

static BOOLEAN KiApcLiesIn(const KAPC *Apc, ULONG_PTR Base, SIZE_T Size)
{
    return (ULONG_PTR)Apc - Base < Size || (ULONG_PTR)Apc->KernelRoutine - Base < Size ||
           (ULONG_PTR)Apc->NormalRoutine - Base < Size || (ULONG_PTR)Apc->RundownRoutine - Base < Size;
}

/* ThreadLock held. */
static ULONG KiTakeApcsLocked(PLIST_ENTRY Head, PCSTR Driver, ULONG_PTR Base, SIZE_T Size)
{
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = Head->Flink, Next; Entry != Head; Entry = Next) {
        PKAPC Apc = CONTAINING_RECORD(Entry, KAPC, ApcListEntry);
        Next = Entry->Flink;
        if (!KiApcLiesIn(Apc, Base, Size))
            continue;
        RemoveEntryList(Entry);
        Apc->Inserted = FALSE;
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "APC"),
                 KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Apc));
        Count++;
    }
    return Count;
}

ULONG KeReportDriverApcs(PKTHREAD Thread, PCSTR Driver, const void *Base, SIZE_T Size)
{
    PKAPC_STATE States[] = {&Thread->ApcState, &Thread->SavedApcState};
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    ULONG Count = 0;

    for (ULONG i = 0; i < RTL_NUMBER_OF(States); i++)
        for (ULONG Mode = KernelMode; Mode < MaximumMode; Mode++)
            Count += KiTakeApcsLocked(&States[i]->ApcListHead[Mode], Driver, (ULONG_PTR)Base, Size);
    ArchReleaseLock(&Thread->ThreadLock, OldIrql);
    return Count;
}

/* The next that may run now, taken out of the queue; NULL: none. What it calls is copied, because its kernel routine may free it. */
static PKAPC KiTakeApc(PKTHREAD Thread, KAPC *Copy)
{
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    PKAPC Apc = NULL;

    if (KiFirstKernelApc(Thread) == NULL)
        Thread->ApcState.KernelApcPending = FALSE;
    else if (KiIsApcDeliverable(Thread, PASSIVE_LEVEL))
        Apc = KiFirstKernelApc(Thread);
    if (Apc != NULL) {
        RemoveEntryList(&Apc->ApcListEntry);
        Apc->Inserted = FALSE;
        KiTrace(KiTraceApc, Apc, 0);
        *Copy = *Apc;
    }
    ArchReleaseLock(&Thread->ThreadLock, OldIrql);
    return Apc;
}

static VOID KiRunNormalRoutine(PKTHREAD Thread, const KAPC *Apc)
{
    KE_GATE Gate;

    Thread->ApcState.KernelApcInProgress = TRUE;
    ArchSetIrql(PASSIVE_LEVEL);
    KeEnterGate(&Gate, GateApc, (PVOID)Apc->NormalRoutine);
    Gate.Caller = (PUCHAR)Apc->KernelRoutine + 1; /* who made the APC, if the routine is nowhere */
    Apc->NormalRoutine(Apc->NormalContext, Apc->SystemArgument1, Apc->SystemArgument2);
    KeLeaveGate(&Gate);
    ArchSetIrql(APC_LEVEL);
    Thread->ApcState.KernelApcInProgress = FALSE;
}

static VOID KiDeliverApcs(PKTHREAD Thread)
{
    KAPC Copy;
    PKAPC Apc;
    KE_GATE Gate;

    while ((Apc = KiTakeApc(Thread, &Copy)) != NULL) {
        KeEnterGate(&Gate, GateApc, (PVOID)Copy.KernelRoutine);
        Copy.KernelRoutine(Apc, &Copy.NormalRoutine, &Copy.NormalContext, &Copy.SystemArgument1,
                           &Copy.SystemArgument2);
        KeLeaveGate(&Gate);
        if (Copy.NormalRoutine != NULL)
            KiRunNormalRoutine(Thread, &Copy);
    }
}

/* CR8 and EOI come first: a thread switch with the in-service bit set would block this class on the processor. */
VOID KiApcInterrupt(ARCH_TRAP_FRAME *Frame)
{
    ArchSetIrql(APC_LEVEL);
    HalEndOfInterrupt();
    __asm__ volatile("sti" : : : "memory");
    KiDeliverApcs(KiCurrentThread());
    __asm__ volatile("cli" : : : "memory");
    ArchSetIrql((KIRQL)Frame->Irql);
}

/* [WDK bug check 0x20] A kernel APC that can never run any more; user APCs are run down. */
VOID KiRundownApcs(PKTHREAD Thread)
{
    LIST_ENTRY Apcs = {&Apcs, &Apcs};
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);

    Thread->ApcQueueable = FALSE;
    for (ULONG Mode = KernelMode; Mode < MaximumMode; Mode++)
        while (!IsListEmpty(&Thread->ApcState.ApcListHead[Mode])) {
            PLIST_ENTRY Entry = RemoveHeadList(&Thread->ApcState.ApcListHead[Mode]);
            CONTAINING_RECORD(Entry, KAPC, ApcListEntry)->Inserted = FALSE;
            InsertTailList(&Apcs, Entry);
        }
    ArchReleaseLock(&Thread->ThreadLock, OldIrql);
    while (!IsListEmpty(&Apcs)) {
        PKAPC Apc = CONTAINING_RECORD(RemoveHeadList(&Apcs), KAPC, ApcListEntry);
        if (Apc->RundownRoutine != NULL)
            Apc->RundownRoutine(Apc);
    }
}

/* [WDK "Do waiting threads receive alerts and APCs?"] Ends an alertable wait, or the next one. TRUE: it was alerted before. */
BOOLEAN NTAPI KeAlertThread(PKTHREAD Thread, KPROCESSOR_MODE AlertMode)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_THREAD(Thread);
    AlertMode = KI_MODE(AlertMode);
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    BOOLEAN Before = Thread->Alerted[(UCHAR)AlertMode];

    if (!Before && !(Thread->WaitState == KiWaitBlocked && Thread->Alertable &&
                     AlertMode <= Thread->WaitMode && KiClaimBlockedWait(Thread, STATUS_ALERTED, 0)))
        Thread->Alerted[(UCHAR)AlertMode] = TRUE;
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    KiExitDispatcher(OldIrql);
    return Before;
}

/* The current thread's alert of that mode, which this clears. */
BOOLEAN NTAPI KeTestAlertThread(KPROCESSOR_MODE AlertMode)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    AlertMode = KI_MODE(AlertMode);
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    BOOLEAN Alerted = Thread->Alerted[(UCHAR)AlertMode];

    Thread->Alerted[(UCHAR)AlertMode] = FALSE;
    if (AlertMode == UserMode && !IsListEmpty(&Thread->ApcState.ApcListHead[UserMode]))
        Thread->ApcState.UserApcPending = TRUE;
    ArchReleaseLock(&Thread->ThreadLock, OldIrql);
    return Alerted;
}

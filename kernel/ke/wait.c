/* SPDX-License-Identifier: MIT
 * Waiting. A wait is open to be claimed from KiBeginWait on; it ends when somebody has. What the claimer did under an object's lock is
 * seen because the thread takes that lock before it goes on. [WDK KeWaitForSingleObject, KeWaitForMultipleObjects, KeDelayExecutionThread] */
#include "ki.h"
#include "ke_bugcheck.h"
#include "crt.h"

#define KI_WAITABLE_NAME "an object that can be waited for"

/* [WDK KeWaitForSingleObject] With a time-out of zero the IRQL may be DISPATCH_LEVEL, else at most APC_LEVEL. */
static VOID KiCheckWaitContract(PKTHREAD Thread, PLARGE_INTEGER Timeout, PCSTR Function)
{
    if (Thread->WaitNext)
        return; /* at DISPATCH_LEVEL: the second half of KeSetEvent(..., Wait = TRUE) */
    KI_REQUIRE_IRQL_OF(Function, (Timeout != NULL && Timeout->QuadPart == 0) ? DISPATCH_LEVEL : APC_LEVEL);
}

/* To DISPATCH_LEVEL, unless the call before this one stayed there (Wait = TRUE). */
static KIRQL KiRaiseForWait(PKTHREAD Thread)
{
    if (!Thread->WaitNext)
        Thread->WaitIrql = ArchRaiseIrql(DISPATCH_LEVEL);
    Thread->WaitNext = FALSE;
    return Thread->WaitIrql;
}

VOID KiPrepareTimeout(KI_WAIT *Wait, PLARGE_INTEGER Timeout)
{
    Wait->Poll = Timeout != NULL && Timeout->QuadPart == 0;
    Wait->Timed = Timeout != NULL && !Wait->Poll;
    if (!Wait->Timed)
        return;
    Wait->DueTime = Timeout->QuadPart < 0 ? HalQueryInterruptTime() - (ULONG64)Timeout->QuadPart
                                          : (ULONG64)Timeout->QuadPart - KiSystemTimeOffset();
    if (Timeout->QuadPart > 0 && (LONG64)Wait->DueTime < 0)
        Wait->DueTime = 0; /* before this machine was started */
}

/* The wait is claimed: by whom with what. */
static NTSTATUS KiClaimedStatus(PKTHREAD Thread)
{
    return (NTSTATUS)(__atomic_load_n(&Thread->WaitState, __ATOMIC_ACQUIRE) >> 32);
}

VOID KiBeginWait(PKTHREAD Thread)
{
    __atomic_store_n(&Thread->WaitState, KiWaitInProgress, __ATOMIC_RELEASE);
}

/* ThreadLock held. The alert that ends this wait: as KeAlertThread has it, one of kernel mode ends waits of both modes. NULL: none. */
static PBOOLEAN KiFindAlert(PKTHREAD Thread, const KI_WAIT *Wait)
{
    if (!Wait->Alertable)
        return NULL;
    if (Thread->Alerted[(UCHAR)Wait->Mode])
        return &Thread->Alerted[(UCHAR)Wait->Mode];
    return Thread->Alerted[KernelMode] ? &Thread->Alerted[KernelMode] : NULL;
}

/* ThreadLock held: what keeps the thread from waiting at all; STATUS_SUCCESS: nothing. */
static NTSTATUS KiFindInterruption(PKTHREAD Thread, const KI_WAIT *Wait)
{
    PKAPC_STATE Apcs = &Thread->ApcState;

    if (Apcs->KernelApcPending && KiIsApcDeliverable(Thread, Thread->WaitIrql))
        return STATUS_KERNEL_APC;
    if (KiFindAlert(Thread, Wait) != NULL)
        return STATUS_ALERTED;
    if (Wait->Mode == UserMode &&
        (Apcs->UserApcPending || (Wait->Alertable && !IsListEmpty(&Apcs->ApcListHead[UserMode]))))
        return STATUS_USER_APC;
    return STATUS_SUCCESS;
}

/* ThreadLock held. An alert is used up only by the wait that returns it: somebody else may have claimed this one. */
static VOID KiInterruptWait(PKTHREAD Thread, const KI_WAIT *Wait)
{
    NTSTATUS Status = KiFindInterruption(Thread, Wait);

    if (Status == STATUS_SUCCESS || !KiClaimWait(Thread, Status, 0))
        return;
    if (Status == STATUS_ALERTED)
        *KiFindAlert(Thread, Wait) = FALSE;
    if (Status == STATUS_USER_APC)
        Thread->ApcState.UserApcPending = TRUE;
}

/* For a wait that is over before it begins: an alert or a user APC that is there already is no less its end. DISPATCH_LEVEL. */
static NTSTATUS KiTakeInterruption(PKTHREAD Thread, const KI_WAIT *Wait)
{
    NTSTATUS Status;

    ArchAcquireLockAtIrql(&Thread->ThreadLock);
    Status = KiFindInterruption(Thread, Wait);
    if (Status == STATUS_ALERTED)
        *KiFindAlert(Thread, Wait) = FALSE;
    if (Status == STATUS_USER_APC)
        Thread->ApcState.UserApcPending = TRUE;
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    return Status;
}

/* TRUE: the thread waits from now on, whoever claims it makes it ready. FALSE: it was claimed meanwhile. */
static BOOLEAN KiCommitWait(PKTHREAD Thread, const KI_WAIT *Wait)
{
    LONG64 InProgress = KiWaitInProgress;
    BOOLEAN Blocked;

    ArchAcquireLockAtIrql(&Thread->ThreadLock);
    Thread->WaitMode = Wait->Mode;
    Thread->Alertable = Wait->Alertable;
    Thread->State = ThreadWaiting;
    KiInterruptWait(Thread, Wait);
    Blocked = __atomic_compare_exchange_n(&Thread->WaitState, &InProgress, KiWaitBlocked, FALSE,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    if (Blocked)
        KiTrace(KiTraceWait, Thread, Wait->Count);
    else
        Thread->State = ThreadRunning;
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    return Blocked;
}

/* [WDK Bug Check 0xB8] A wait or a yield in a DPC routine: the thread, the new one, its stack. DISPATCH_LEVEL. */
static inline VOID KiForbidInDpc(PKPRCB Prcb, PKTHREAD Thread)
{
    if (__builtin_expect(Prcb->DpcActive, 0))
        KeBugCheckEx(ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR)Thread, 0, (ULONG_PTR)Thread->StackBase, 0);
}

NTSTATUS KiSuspendWait(PKTHREAD Thread, const KI_WAIT *Wait, PBOOLEAN Blocked)
{
    PKPRCB Prcb = KeGetPrcb();
    PKQUEUE Queue = Thread->Queue;

    KiForbidInDpc(Prcb, Thread);
    if (Queue != NULL && !Wait->InQueue)
        KiLeaveQueue(Thread);
    if (Prcb->DeferredReady != NULL)
        KiReadyDeferred(Prcb);
    if (Wait->Timed)
        KiInsertWaitTimer(Thread, Wait->DueTime);
    *Blocked = KiCommitWait(Thread, Wait);
    if (*Blocked)
        KiBlockThread();
    if (Wait->Timed)
        KiCancelWaitTimer(Thread);
    if (Queue != NULL && !Wait->InQueue)
        KiReenterQueue(Thread);
    return KiClaimedStatus(Thread);
}

/* A claimer that found the thread blocked has left its object before it made the thread ready, and has taken its block out. One that found
 * it still running may hold the object now: it is waited for. */
static VOID KiRemoveWaitBlocks(const KI_WAIT *Wait, ULONG Count, BOOLEAN Blocked)
{
    for (ULONG i = 0; i < Count; i++) {
        PKWAIT_BLOCK Block = &Wait->Blocks[i];
        if (Blocked && !__atomic_load_n(&Block->BlockState, __ATOMIC_ACQUIRE))
            continue;
        KiLockObjectAtDispatch(Block->Object);
        KiRemoveWaitBlock(Block);
        KiUnlockObject(Block->Object);
    }
}

VOID KiEndWait(PKTHREAD Thread, const KI_WAIT *Wait, ULONG Inserted, BOOLEAN Blocked)
{
    KiRemoveWaitBlocks(Wait, Inserted, Blocked);
    __atomic_store_n(&Thread->WaitState, KiWaitNone, __ATOMIC_RELEASE);
}

NTSTATUS KiFinishWait(PKTHREAD Thread, const KI_WAIT *Wait, ULONG Inserted)
{
    BOOLEAN Blocked;

    NTSTATUS Status = KiSuspendWait(Thread, Wait, &Blocked);
    KiEndWait(Thread, Wait, Inserted, Blocked);
    return Status;
}

VOID KiSetWaitBlock(PKWAIT_BLOCK Block, PKTHREAD Thread, PVOID Object, ULONG Key, WAIT_TYPE Type)
{
    Block->Thread = Thread;
    Block->Object = Object;
    Block->WaitKey = (USHORT)Key;
    Block->WaitType = (UCHAR)Type;
    Block->BlockState = FALSE;
}

/* Index 0: nobody can end the wait yet. Later somebody may have: then its signal stays for others. TRUE: no more objects. */
static BOOLEAN KiTryObjectLocked(PKTHREAD Thread, DISPATCHER_HEADER *Object, ULONG Index, NTSTATUS *Status)
{
    if (!KiIsSignaled(Object, Thread))
        return FALSE;
    *Status = KiWaitStatusOf(Object, (NTSTATUS)Index);
    if (Index == 0 || KiClaimWait(Thread, *Status, 0))
        KiConsumeSignal(Object, Thread);
    return TRUE;
}

static NTSTATUS KiPollAny(PKTHREAD Thread, const KI_WAIT *Wait)
{
    NTSTATUS Status = STATUS_TIMEOUT;

    for (ULONG i = 0; i < Wait->Count; i++) {
        DISPATCHER_HEADER *Object = Wait->Objects[i];
        KiLockObjectAtDispatch(Object);
        BOOLEAN Signaled = KiIsSignaled(Object, Thread);
        if (Signaled) {
            Status = KiWaitStatusOf(Object, (NTSTATUS)i);
            KiConsumeSignal(Object, Thread);
        }
        KiUnlockObject(Object);
        if (Signaled)
            break;
    }
    return Status;
}

static NTSTATUS KiWaitAny(PKTHREAD Thread, const KI_WAIT *Wait)
{
    NTSTATUS Status = STATUS_SUCCESS;

    for (ULONG i = 0; i < Wait->Count; i++) {
        DISPATCHER_HEADER *Object = Wait->Objects[i];
        KiSetWaitBlock(&Wait->Blocks[i], Thread, Object, i, WaitAny);
        KiLockObjectAtDispatch(Object);
        BOOLEAN Ended = KiTryObjectLocked(Thread, Object, i, &Status);
        if (!Ended && i == 0)
            KiBeginWait(Thread);
        if (!Ended)
            KiInsertWaitBlock(&Wait->Blocks[i], Object);
        KiUnlockObject(Object);
        if (Ended && i != 0) {
            Status = KiClaimedStatus(Thread);
            KiEndWait(Thread, Wait, i, FALSE);
        }
        if (Ended)
            return Status;
    }
    Thread->WaitBlockList = Wait->Blocks;
    Thread->WaitCount = Wait->Count;
    return KiFinishWait(Thread, Wait, Wait->Count);
}

static NTSTATUS KiWaitOnce(PKTHREAD Thread, const KI_WAIT *Wait)
{
    if (Wait->Type == WaitAll)
        return KiWaitAll(Thread, Wait);
    return Wait->Poll ? KiPollAny(Thread, Wait) : KiWaitAny(Thread, Wait);
}

/* The calling thread owns the mutex and could not count one more recursion; a wait for all takes what is in the array twice twice. Nobody
 * else changes what it owns. */
static BOOLEAN KiIsMutexExhausted(PKTHREAD Thread, const KI_WAIT *Wait, const DISPATCHER_HEADER *Header)
{
    LONG64 Times = 0;

    if (KiObjectType(Header) != MutantObject ||
        CONTAINING_RECORD(Header, KMUTANT, Header)->OwnerThread != Thread)
        return FALSE;
    for (ULONG i = 0; i < Wait->Count; i++)
        Times += Wait->Objects[i] == Header;
    return Header->SignalState - (Wait->Type == WaitAll ? Times : 1) < (LONG)MINLONG;
}

/* [WDK KeWaitForSingleObject] A mutex can be acquired MINLONG times by its owner; then STATUS_MUTANT_LIMIT_EXCEEDED is raised. */
static VOID KiCheckMutexLimits(PKTHREAD Thread, const KI_WAIT *Wait)
{
    for (ULONG i = 0; i < Wait->Count; i++)
        if (__builtin_expect(KiIsMutexExhausted(Thread, Wait, Wait->Objects[i]), 0)) {
            KiExitDispatcher(KiRaiseForWait(Thread));
            ExRaiseStatus(STATUS_MUTANT_LIMIT_EXCEEDED);
        }
}

/* A kernel APC interrupts the wait: it runs when the IRQL falls, then the wait begins anew. [WDK "Do waiting threads receive
 * alerts and APCs?"] */
static NTSTATUS KiWait(PKTHREAD Thread, const KI_WAIT *Wait)
{
    NTSTATUS Status;

    KiCheckMutexLimits(Thread, Wait);
    do {
        KIRQL OldIrql = KiRaiseForWait(Thread);
        Status = KiWaitOnce(Thread, Wait);
        KiExitDispatcher(OldIrql);
    } while (Status == STATUS_KERNEL_APC);
    return Status;
}

/* At DISPATCH_LEVEL, as after a call with Wait = TRUE. */
static DECLSPEC_NOINLINE NTSTATUS KiWaitForUnlocked(PVOID Object, KWAIT_REASON WaitReason,
                                                    KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                                    PLARGE_INTEGER Timeout)
{
    PKTHREAD Thread = KiCurrentThread();
    KI_WAIT Wait = {1, &Object, WaitAny, WaitMode != KernelMode, Alertable, .Blocks = Thread->WaitBlock};

    KiPrepareTimeout(&Wait, Timeout);
    Thread->WaitReason = (UCHAR)WaitReason;
    Thread->WaitNext = TRUE;
    return KiWait(Thread, &Wait);
}

/* Object locked, at DISPATCH_LEVEL; not signalled, or a mutant. */
static DECLSPEC_NOINLINE NTSTATUS KiWaitForLocked(PVOID Object, KWAIT_REASON WaitReason,
                                                  KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                                  PLARGE_INTEGER Timeout)
{
    PKTHREAD Thread = KiCurrentThread();
    KI_WAIT Wait = {1, &Object, WaitAny, WaitMode != KernelMode, Alertable, .Blocks = Thread->WaitBlock};

    KiPrepareTimeout(&Wait, Timeout);
    if (Wait.Poll || KiObjectType(Object) == MutantObject) {
        KiUnlockObject(Object);
        return KiWaitForUnlocked(Object, WaitReason, WaitMode, Alertable, Timeout);
    }
    Thread->WaitReason = (UCHAR)WaitReason;
    KiSetWaitBlock(Wait.Blocks, Thread, Object, 0, WaitAny);
    KiBeginWait(Thread);
    KiInsertWaitBlock(Wait.Blocks, Object);
    KiUnlockObject(Object);
    Thread->WaitBlockList = Wait.Blocks;
    Thread->WaitCount = 1;
    NTSTATUS Status = KiFinishWait(Thread, &Wait, 1);
    KiExitDispatcher(Thread->WaitIrql);
    return Status == STATUS_KERNEL_APC ? KiWait(Thread, &Wait) : Status;
}

/* The usual case, a signal that is taken without a look at who takes it, needs no wait block and no stack. */
NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
                                     BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    PKTHREAD Thread = KiCurrentThread();
    DISPATCHER_HEADER *Header = Object;

    KiCheckWaitContract(Thread, Timeout, __func__);
    KI_REQUIRE_OBJECT(Object, KI_WAITABLE, KI_WAITABLE_NAME);
    KI_REQUIRE_ARGUMENT((UCHAR)WaitMode < MaximumMode, WaitMode);
    KIRQL OldIrql = KiRaiseForWait(Thread);
    if (!KiLockFreeObjectAtDispatch(Header))
        return KiWaitForUnlocked(Object, WaitReason, WaitMode, Alertable, Timeout);
    if (Header->SignalState <= 0 || !KiConsumePlainSignal(Header)) __attribute__
        ((musttail)) return KiWaitForLocked(Object, WaitReason, WaitMode, Alertable, Timeout);
    KiUnlockObject(Header);
    return KiExitDispatcherWith(OldIrql, STATUS_WAIT_0);
}

static DECLSPEC_NORETURN VOID KiWrongCount(ULONG Count)
{
    CHAR Text[96];

    _snprintf(Text, sizeof(Text), "KeWaitForMultipleObjects was called with %u objects", (unsigned)Count);
    KeBugCheckBlaming(NULL, MAXIMUM_WAIT_OBJECTS_EXCEEDED, 0, 0, 0, 0, Text);
}

VOID KeWaitForLock(PVOID Event, KWAIT_REASON WaitReason, const KE_LOCK_KIND *Kind, const VOID *Lock)
{
    PKTHREAD Thread = KiCurrentThread();

    Thread->WaitLock = Lock;
    Thread->WaitLockKind = Kind;
    (VOID) KeWaitForSingleObject(Event, WaitReason, KernelMode, FALSE, NULL);
    Thread->WaitLockKind = NULL;
}

/* [WDK KeWaitForMultipleObjects] Without WaitBlockArray at most THREAD_WAIT_OBJECTS, with it at most MAXIMUM_WAIT_OBJECTS;
 * more is a bug check MAXIMUM_WAIT_OBJECTS_EXCEEDED; none is nothing that could end the wait, and the same. */
NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
                                        KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                        PLARGE_INTEGER Timeout, PKWAIT_BLOCK WaitBlockArray)
{
    PKTHREAD Thread = KiCurrentThread();

    KiCheckWaitContract(Thread, Timeout, __func__);
    if (Count == 0 || Count > (WaitBlockArray != NULL ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS))
        KiWrongCount(Count);
    KI_REQUIRE_ARGUMENT(WaitType == WaitAll || WaitType == WaitAny, WaitType);
    for (ULONG i = 0; NTBOX_CHECKED && i < Count; i++)
        KI_REQUIRE_OBJECT(Object[i], KI_WAITABLE, KI_WAITABLE_NAME);
    WaitMode = KI_MODE(WaitMode);
    KI_WAIT Wait = {
        Count,    Object,    Count == 1 ? WaitAny : WaitType,
        WaitMode, Alertable, .Blocks = WaitBlockArray != NULL ? WaitBlockArray : Thread->WaitBlock};
    KiPrepareTimeout(&Wait, Timeout);
    Thread->WaitReason = (UCHAR)WaitReason;
    return KiWait(Thread, &Wait);
}

/* [WDK KeDelayExecutionThread] IRQL <= APC_LEVEL. STATUS_SUCCESS when the time is over. A zero interval yields. [Win32 SleepEx] An alert that
 * comes before the end, or was there at the beginning, ends the delay, however short that is. */
NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    PKTHREAD Thread = KiCurrentThread();
    KI_WAIT Wait = {.Type = WaitAny, .Alertable = Alertable, .Blocks = Thread->WaitBlock};
    NTSTATUS Status;

    KiCheckWaitContract(Thread, NULL, __func__);
    Wait.Mode = KI_MODE(WaitMode);
    KiPrepareTimeout(&Wait, Interval);
    Thread->WaitReason = DelayExecution;
    Thread->WaitCount = 0;
    do {
        KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL);
        Thread->WaitIrql = OldIrql;
        if (Wait.Timed && Wait.DueTime > HalQueryInterruptTime()) {
            KiBeginWait(Thread);
            Status = KiFinishWait(Thread, &Wait, 0);
        } else {
            KiForbidInDpc(KeGetPrcb(), Thread);
            Status = Alertable ? KiTakeInterruption(Thread, &Wait) : STATUS_SUCCESS;
            if (Status == STATUS_SUCCESS)
                KiYield(TRUE);
        }
        KiExitDispatcher(OldIrql);
    } while (Status == STATUS_KERNEL_APC);
    return Status == STATUS_TIMEOUT ? STATUS_SUCCESS : Status;
}

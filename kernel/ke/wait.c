/* SPDX-License-Identifier: MIT
 * Waiting. [WDK KeWaitForSingleObject, KeWaitForMultipleObjects, KeDelayExecutionThread] */
#include "ki.h"

/* [WDK KeWaitForSingleObject] With a time-out of zero the IRQL may be DISPATCH_LEVEL, else at most APC_LEVEL. */
static VOID KiCheckWaitContract(PLARGE_INTEGER Timeout)
{
    if (KiCurrentThread()->WaitNext)
        return; /* at DISPATCH_LEVEL with the dispatcher lock: the second half of KeSetEvent(..., Wait = TRUE) */
    KI_REQUIRE_IRQL((Timeout != NULL && Timeout->QuadPart == 0) ? DISPATCH_LEVEL : APC_LEVEL);
    if (NTBOX_CHECKED && (Timeout == NULL || Timeout->QuadPart != 0) && KeGetPrcb()->DpcActive)
        KeBugCheckEx(ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR)KiCurrentThread(), 0, 0, 0);
}

/* The dispatcher lock, unless the call before this one kept it (Wait = TRUE). */
static KIRQL KiLockForWait(PKTHREAD Thread)
{
    if (!Thread->WaitNext)
        return KiLockDispatcher();
    Thread->WaitNext = FALSE;
    return Thread->WaitIrql;
}

static VOID KiInitWaitBlock(PKWAIT_BLOCK Block, PKTHREAD Thread, PVOID Object, USHORT Key, WAIT_TYPE Type)
{
    Block->Thread = Thread;
    Block->Object = Object;
    Block->WaitKey = Key;
    Block->WaitType = (UCHAR)Type;
    InsertTailList(&((DISPATCHER_HEADER *)Object)->WaitListHead, &Block->WaitListEntry);
}

/* FALSE: the time is already over, nothing was changed. */
static BOOLEAN KiStartTimeout(PKTHREAD Thread, PLARGE_INTEGER Timeout)
{
    PKTIMER Timer = &Thread->Timer;

    if (Timeout == NULL)
        return TRUE;
    Timer->Header.SignalState = 0;
    Timer->Dpc = NULL;
    if (!KiInsertTimerLocked(Timer, *Timeout, 0))
        return FALSE;
    KiInitWaitBlock(&Thread->WaitBlock[KI_TIMER_WAIT_BLOCK], Thread, Timer, (USHORT)STATUS_TIMEOUT, WaitAny);
    Thread->TimedWait = TRUE;
    return TRUE;
}

/* The wait blocks are in place; gives up the processor. Returns with the lock held. */
static NTSTATUS KiBlock(PKTHREAD Thread, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable)
{
    Thread->WaitMode = WaitMode;
    Thread->Alertable = Alertable;
    Thread->State = ThreadWaiting;
    KiSwapThreadLocked();
    Thread->TimedWait = FALSE;
    Thread->WaitCount = 0;
    return (NTSTATUS)Thread->WaitStatus;
}

/* Index of the first signalled object (WaitAny), 0 when all are (WaitAll), -1 otherwise. Consumes the signals. */
static LONG KiTryWait(PKTHREAD Thread, ULONG Count, PVOID Object[], WAIT_TYPE WaitType)
{
    for (ULONG i = 0; i < Count; i++) {
        BOOLEAN Signaled = KiIsSignaled(Object[i], Thread);
        if (WaitType == WaitAny && Signaled) {
            KiConsumeSignal(Object[i], Thread);
            return (LONG)i;
        }
        if (WaitType == WaitAll && !Signaled)
            return -1;
    }
    if (WaitType == WaitAny)
        return -1;
    for (ULONG i = 0; i < Count; i++)
        KiConsumeSignal(Object[i], Thread);
    return 0;
}

static NTSTATUS KiWait(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KPROCESSOR_MODE WaitMode,
                       BOOLEAN Alertable, PLARGE_INTEGER Timeout, PKWAIT_BLOCK WaitBlocks)
{
    PKTHREAD Thread = KiCurrentThread();
    KIRQL OldIrql = KiLockForWait(Thread);
    LONG Index = KiTryWait(Thread, Count, Object, WaitType);
    NTSTATUS Status = STATUS_WAIT_0 + Index;

    if (Index < 0) {
        if ((Timeout != NULL && Timeout->QuadPart == 0) || !KiStartTimeout(Thread, Timeout)) {
            Status = STATUS_TIMEOUT;
        } else {
            Thread->WaitBlockList = WaitBlocks;
            Thread->WaitCount = Count;
            for (ULONG i = 0; i < Count; i++)
                KiInitWaitBlock(&WaitBlocks[i], Thread, Object[i], (USHORT)i, WaitType);
            Status = KiBlock(Thread, WaitMode, Alertable);
        }
    }
    KiUnlockDispatcher(OldIrql);
    return Status;
}

NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
                                     BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    KiCheckWaitContract(Timeout);
    return KiWait(1, &Object, WaitAny, WaitMode, Alertable, Timeout, KiCurrentThread()->WaitBlock);
}

/* [WDK KeWaitForMultipleObjects] Without WaitBlockArray at most THREAD_WAIT_OBJECTS, with it at most MAXIMUM_WAIT_OBJECTS;
 * more is a bug check MAXIMUM_WAIT_OBJECTS_EXCEEDED. */
NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
                                        KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                        PLARGE_INTEGER Timeout, PKWAIT_BLOCK WaitBlockArray)
{
    KiCheckWaitContract(Timeout);
    if (Count > (WaitBlockArray != NULL ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS))
        KeBugCheck(MAXIMUM_WAIT_OBJECTS_EXCEEDED);
    return KiWait(Count, Object, WaitType, WaitMode, Alertable, Timeout,
                  WaitBlockArray != NULL ? WaitBlockArray : KiCurrentThread()->WaitBlock);
}

/* [WDK KeDelayExecutionThread] IRQL <= APC_LEVEL. STATUS_SUCCESS when the time is over. A zero interval yields. */
NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    PKTHREAD Thread = KiCurrentThread();

    KiCheckWaitContract(NULL);
    KIRQL OldIrql = KiLockDispatcher();
    if (KiStartTimeout(Thread, Interval)) {
        Thread->WaitCount = 0;
        KiBlock(Thread, WaitMode, Alertable);
    } else {
        KiYieldLocked(FALSE);
    }
    KiUnlockDispatcher(OldIrql);
    return STATUS_SUCCESS;
}

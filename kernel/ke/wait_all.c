/* SPDX-License-Identifier: MIT
 * Waiting for all objects at once. The signals are taken with every object locked, in the order of their addresses; a signaller, who holds
 * one lock already, only tries the others and, when one is busy, sends the thread to look for itself. */
#include "ki.h"

/* The lowest object above Last: walks the array in order of addresses, an object that is there twice once. */
static DISPATCHER_HEADER *KiNextObject(const KI_WAIT *Wait, const DISPATCHER_HEADER *Last)
{
    DISPATCHER_HEADER *Next = NULL;

    for (ULONG i = 0; i < Wait->Count; i++) {
        DISPATCHER_HEADER *Object = Wait->Objects[i];
        if (Object > Last && (Next == NULL || Object < Next))
            Next = Object;
    }
    return Next;
}

static VOID KiLockAllObjects(const KI_WAIT *Wait)
{
    for (DISPATCHER_HEADER *Object = KiNextObject(Wait, NULL); Object != NULL;
         Object = KiNextObject(Wait, Object))
        KiLockObjectAtDispatch(Object);
}

static VOID KiUnlockAllObjects(const KI_WAIT *Wait)
{
    for (DISPATCHER_HEADER *Object = KiNextObject(Wait, NULL); Object != NULL;
         Object = KiNextObject(Wait, Object))
        KiUnlockObject(Object);
}

/* Objects locked. TRUE: the signals were taken. */
static BOOLEAN KiTakeAllLocked(PKTHREAD Thread, NTSTATUS *Status)
{
    if (!KiAllSignaled(Thread))
        return FALSE;
    *Status = KiConsumeAll(Thread);
    return TRUE;
}

/* Sent to look for itself: the blocks are still in. TRUE: the wait is over. FALSE: it is open to claimers again. */
static BOOLEAN KiLookAgain(PKTHREAD Thread, const KI_WAIT *Wait, NTSTATUS *Status)
{
    KiLockAllObjects(Wait);
    BOOLEAN Done = KiTakeAllLocked(Thread, Status);
    if (!Done)
        KiBeginWait(Thread);
    KiUnlockAllObjects(Wait);
    return Done;
}

static NTSTATUS KiWaitUntilClaimed(PKTHREAD Thread, const KI_WAIT *Wait)
{
    NTSTATUS Status;
    BOOLEAN Blocked;

    do {
        Status = KiSuspendWait(Thread, Wait, &Blocked);
        if (Status != KI_RETRY_WAIT_ALL) {
            KiEndWait(Thread, Wait, Wait->Count, Blocked);
            return Status;
        }
    } while (!KiLookAgain(Thread, Wait, &Status));
    __atomic_store_n(&Thread->WaitState, KiWaitNone, __ATOMIC_RELEASE);
    return Status;
}

NTSTATUS KiWaitAll(PKTHREAD Thread, const KI_WAIT *Wait)
{
    NTSTATUS Status = STATUS_TIMEOUT;
    BOOLEAN Done;

    for (ULONG i = 0; i < Wait->Count; i++)
        KiSetWaitBlock(&Wait->Blocks[i], Thread, Wait->Objects[i], i, WaitAll);
    Thread->WaitBlockList = Wait->Blocks;
    Thread->WaitCount = Wait->Count;
    KiLockAllObjects(Wait);
    Done = KiTakeAllLocked(Thread, &Status) || Wait->Poll;
    if (!Done) {
        KiBeginWait(Thread);
        for (ULONG i = 0; i < Wait->Count; i++)
            KiInsertWaitBlock(&Wait->Blocks[i], Wait->Objects[i]);
    }
    KiUnlockAllObjects(Wait);
    return Done ? Status : KiWaitUntilClaimed(Thread, Wait);
}

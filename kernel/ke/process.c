/* SPDX-License-Identifier: MIT
 * Attaching a thread to the address space of another process. [WDK KeStackAttachProcess, KeUnstackDetachProcess] */
#include "ki.h"
#include "rtl.h"

static VOID KiMoveApcState(PKAPC_STATE From, PKAPC_STATE To)
{
    *To = *From;
    for (ULONG Mode = KernelMode; Mode < MaximumMode; Mode++) {
        PLIST_ENTRY Old = &From->ApcListHead[Mode], New = &To->ApcListHead[Mode];
        InitializeListHead(New);
        while (!IsListEmpty(Old))
            InsertTailList(New, RemoveHeadList(Old));
    }
}

static VOID KiEnterProcess(PKTHREAD Thread, PKPROCESS Process)
{
    PKPROCESS Old = Thread->ApcState.Process;

    Thread->ApcState.Process = Process;
    Thread->ApcState.KernelApcInProgress = FALSE;
    Thread->ApcState.KernelApcPending = FALSE;
    Thread->ApcState.UserApcPending = FALSE;
    if (Old->DirectoryTableBase != Process->DirectoryTableBase)
        ArchWriteCr3(Process->DirectoryTableBase);
}

/* IRQL <= DISPATCH_LEVEL. Attached to the same process already: State says that nothing is to be undone. */
VOID NTAPI KeStackAttachProcess(PKPROCESS Process, PRKAPC_STATE ApcState)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (ArchGetIrql() >= DISPATCH_LEVEL && KeGetPrcb()->DpcActive)
        KeBugCheckEx(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)Process, (ULONG_PTR)Thread->ApcState.Process,
                     Thread->ApcStateIndex, TRUE);
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    if (Thread->ApcState.Process == Process) {
        ApcState->Process = (PKPROCESS)1;
    } else {
        KiMoveApcState(&Thread->ApcState, Thread->ApcStateIndex == 0 ? &Thread->SavedApcState : ApcState);
        if (Thread->ApcStateIndex == 0)
            ApcState->Process = NULL;
        Thread->ApcStateIndex = 1;
        KiEnterProcess(Thread, Process);
    }
    ArchReleaseLock(&Thread->ThreadLock, OldIrql);
}

/* IRQL <= DISPATCH_LEVEL. [WDK Bug Check 0x6] a kernel APC that cannot run now (a critical region) is left in the process. */
VOID NTAPI KeUnstackDetachProcess(PRKAPC_STATE ApcState)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (ApcState->Process == (PKPROCESS)1)
        return;
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    while (
        KiIsApcDeliverable(Thread, OldIrql)) { /* it was queued a moment ago: it runs where it belongs to */
        ArchReleaseLock(&Thread->ThreadLock, OldIrql);
        OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    }
    if (Thread->ApcStateIndex == 0 || !IsListEmpty(&Thread->ApcState.ApcListHead[KernelMode]))
        KeBugCheck(INVALID_PROCESS_DETACH_ATTEMPT);
    PKPROCESS Left = Thread->ApcState.Process;
    PKAPC_STATE Outer = ApcState->Process == NULL ? &Thread->SavedApcState : ApcState;
    KiMoveApcState(Outer, &Thread->ApcState);
    Thread->ApcStateIndex = ApcState->Process != NULL;
    if (Left->DirectoryTableBase != Thread->ApcState.Process->DirectoryTableBase)
        ArchWriteCr3(Thread->ApcState.Process->DirectoryTableBase);
    ArchReleaseLock(&Thread->ThreadLock, OldIrql);
    KiCheckPendingApcs(Thread);
}

VOID KeSignalProcess(PKPROCESS Process)
{
    KIRQL OldIrql = KiLockObject(&Process->Header);

    Process->Header.SignalState = 1;
    KiSignalWaitersLocked(&Process->Header, 0);
    KiUnlockObject(&Process->Header);
    KiExitDispatcher(OldIrql);
}

/* SPDX-License-Identifier: MIT
 * Mutexes (kernel mutants): owned, recursive, and a critical region for their owner. [WDK KeInitializeMutex,
 * KeReleaseMutex, KeReadStateMutex] */
#include "ki.h"

VOID NTAPI KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    Mutex->Header.Lock = 0;
    Mutex->Header.Type = MutantObject;
    Mutex->Header.Size = sizeof(KMUTANT) / sizeof(ULONG);
    Mutex->Header.SignalState = 1;
    InitializeListHead(&Mutex->Header.WaitListHead);
    Mutex->OwnerThread = NULL;
    Mutex->Abandoned = FALSE;
    Mutex->ApcDisable = 1;
}

/* [WDK KeReleaseMutex] Zero is returned when it becomes free. Raises STATUS_MUTANT_NOT_OWNED for anyone but the owner. */
LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    KIRQL OldIrql = KiLockDispatcher();
    if (Mutex->OwnerThread != Thread) {
        KiUnlockDispatcher(OldIrql);
        ExRaiseStatus(STATUS_MUTANT_NOT_OWNED);
    }
    LONG Previous = Mutex->Header.SignalState++;
    if (Mutex->Header.SignalState == 1) {
        Mutex->OwnerThread = NULL;
        RemoveEntryList(&Mutex->MutantListEntry);
        Thread->KernelApcDisable += Mutex->ApcDisable;
        KiWakeWaitersLocked(&Mutex->Header);
    }
    KiUnlockOrKeep(OldIrql, Wait);
    return Previous;
}

LONG NTAPI KeReadStateMutex(PRKMUTEX Mutex)
{
    return Mutex->Header.SignalState;
}

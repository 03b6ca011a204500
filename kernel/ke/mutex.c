/* SPDX-License-Identifier: MIT
 * Mutexes (kernel mutants): owned, recursive, and a critical region for their owner. [WDK KeInitializeMutex,
 * KeReleaseMutex, KeReadStateMutex] */
#include "ki.h"

#define KI_REQUIRE_MUTEX(Mutex) KI_REQUIRE_OBJECT(Mutex, 1u << MutantObject, "a mutex")

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

/* Object locked; the thread owns it no more. */
static VOID KiGiveUpMutant(PKMUTANT Mutex, PKTHREAD Thread, KPRIORITY Increment)
{
    if (KiIsByHandle(Mutex))
        KiUnlistMutant(Mutex);
    else
        RemoveEntryList(&Mutex->MutantListEntry);
    Mutex->OwnerThread = NULL;
    Thread->KernelApcDisable = (SHORT)(Thread->KernelApcDisable + Mutex->ApcDisable);
    KiSignalWaitersLocked(&Mutex->Header, Increment);
}

/* [WDK KeReleaseMutex] Zero is returned when it becomes free. Raises STATUS_MUTANT_NOT_OWNED for anyone but the owner. */
LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    PKTHREAD Thread = KiCurrentThread();

    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    KI_REQUIRE_MUTEX(Mutex);
    KIRQL OldIrql = KiLockObject(&Mutex->Header);
    if (Mutex->OwnerThread != Thread) {
        NTSTATUS Status = Mutex->Abandoned ? STATUS_ABANDONED : STATUS_MUTANT_NOT_OWNED;
        KiUnlockObject(&Mutex->Header);
        ArchSetIrql(OldIrql);
        ExRaiseStatus(Status);
    }
    LONG Previous = Mutex->Header.SignalState++;
    if (Mutex->Header.SignalState == 1)
        KiGiveUpMutant(Mutex, Thread, KI_MUTEX_INCREMENT);
    KiUnlockObject(&Mutex->Header);
    KiExitOrWait(OldIrql, Wait);
    if (!Wait)
        KiCheckPendingApcs(Thread);
    return Previous;
}

LONG NTAPI KeReadStateMutex(PRKMUTEX Mutex)
{
    KI_REQUIRE_MUTEX(Mutex);
    return Mutex->Header.SignalState;
}

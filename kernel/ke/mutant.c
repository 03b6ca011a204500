/* SPDX-License-Identifier: MIT
 * Mutants by handle: mutexes that keep no APC from their owner and that their owner's end abandons. A mutex of a driver is in a list that its owner
 * alone touches; a mutant by handle can lose its last handle in any thread, so its owner's ThreadLock guards the list, taken after the
 * mutant's lock. [Win32 "Mutex Objects", WaitForSingleObject; WDK "Introduction to Mutex Objects"] */
#include "ki.h"

VOID KeInitializeMutant(PKMUTANT Mutant, BOOLEAN InitialOwner)
{
    KeInitializeMutex(Mutant, 0);
    Mutant->ApcDisable = 0;
    if (!InitialOwner)
        return;
    KIRQL OldIrql = KiLockObject(&Mutant->Header);
    KiTakeMutant(Mutant, KiCurrentThread());
    KiUnlockObject(&Mutant->Header);
    ArchSetIrql(OldIrql);
}

VOID KeQueryMutant(PKMUTANT Mutant, PKE_MUTANT_STATE State)
{
    KIRQL OldIrql = KiLockObject(&Mutant->Header);
    State->CurrentCount = Mutant->Header.SignalState;
    State->OwnedByCaller = Mutant->OwnerThread == KiCurrentThread();
    State->AbandonedState = Mutant->Abandoned;
    KiUnlockObject(&Mutant->Header);
    ArchSetIrql(OldIrql);
}

VOID KiListMutant(PKMUTANT Mutant, PKTHREAD Owner)
{
    ArchAcquireLockAtIrql(&Owner->ThreadLock);
    InsertTailList(&Owner->HandleMutants, &Mutant->MutantListEntry);
    ArchReleaseLockFromIrql(&Owner->ThreadLock);
}

/* The owner is there: it does not end while the mutant is in its list, and leaves the list's lock last. */
VOID KiUnlistMutant(PKMUTANT Mutant)
{
    PKTHREAD Owner = Mutant->OwnerThread;

    ArchAcquireLockAtIrql(&Owner->ThreadLock);
    RemoveEntryList(&Mutant->MutantListEntry);
    ArchReleaseLockFromIrql(&Owner->ThreadLock);
}

VOID KeDeleteMutant(PKMUTANT Mutant)
{
    KIRQL OldIrql = KiLockObject(&Mutant->Header);
    if (Mutant->OwnerThread != NULL)
        KiUnlistMutant(Mutant);
    Mutant->OwnerThread = NULL;
    KiUnlockObject(&Mutant->Header);
    ArchSetIrql(OldIrql);
}

/* One of the thread's mutants, locked and out of its list; NULL: there is none. *Busy: its lock must be tried again, for it comes first in the
 * order. While the mutant is in the list and the list is locked, nobody deletes it. */
static PKMUTANT KiTryTakeOwned(PKTHREAD Thread, PBOOLEAN Busy)
{
    PKMUTANT Mutant = NULL;

    ArchAcquireLockAtIrql(&Thread->ThreadLock);
    if (!IsListEmpty(&Thread->HandleMutants))
        Mutant = CONTAINING_RECORD(Thread->HandleMutants.Flink, KMUTANT, MutantListEntry);
    *Busy = Mutant != NULL && !KiTryLockObjectAtDispatch(&Mutant->Header);
    if (Mutant != NULL && !*Busy)
        RemoveEntryList(&Mutant->MutantListEntry);
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    return *Busy ? NULL : Mutant;
}

static PKMUTANT KiTakeOwned(PKTHREAD Thread)
{
    BOOLEAN Busy;
    PKMUTANT Mutant;

    while ((Mutant = KiTryTakeOwned(Thread, &Busy)) == NULL && Busy)
        __builtin_ia32_pause();
    return Mutant;
}

/* [Win32 WaitForSingleObject] WAIT_ABANDONED: "the thread that owned the mutex object terminated without releasing it"; who waits gets it with
 * that status, and the recursions of the old owner count no more. */
VOID KiAbandonMutants(PKTHREAD Thread)
{
    PKMUTANT Mutant;

    while ((Mutant = KiTakeOwned(Thread)) != NULL) {
        Mutant->OwnerThread = NULL;
        Mutant->Abandoned = TRUE;
        Mutant->Header.SignalState = 1;
        KiSignalWaitersLocked(&Mutant->Header, KI_MUTEX_INCREMENT);
        KiUnlockObject(&Mutant->Header);
    }
}

/* SPDX-License-Identifier: MIT
 * Semaphores. [WDK KeInitializeSemaphore, KeReleaseSemaphore, KeReadStateSemaphore] */
#include "ki.h"

VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    Semaphore->Header.Lock = 0;
    Semaphore->Header.Type = SemaphoreObject;
    Semaphore->Header.Size = sizeof(KSEMAPHORE) / sizeof(ULONG);
    Semaphore->Header.SignalState = Count;
    InitializeListHead(&Semaphore->Header.WaitListHead);
    Semaphore->Limit = Limit;
}

/* [WDK KeReleaseSemaphore] Raises STATUS_SEMAPHORE_LIMIT_EXCEEDED when the limit would be passed or Adjustment is negative. */
LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    KIRQL OldIrql = KiLockObject(&Semaphore->Header);
    LONG Previous = Semaphore->Header.SignalState;

    if (Adjustment < 0 || Adjustment > Semaphore->Limit - Previous) {
        KiUnlockObject(&Semaphore->Header);
        ArchSetIrql(OldIrql);
        ExRaiseStatus(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    Semaphore->Header.SignalState = Previous + Adjustment;
    KiSignalWaitersLocked(&Semaphore->Header, Increment);
    KiUnlockObject(&Semaphore->Header);
    KiExitOrWait(OldIrql, Wait);
    return Previous;
}

LONG NTAPI KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    return Semaphore->Header.SignalState;
}

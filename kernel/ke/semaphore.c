/* SPDX-License-Identifier: MIT
 * Semaphores. [WDK KeInitializeSemaphore, KeReleaseSemaphore, KeReadStateSemaphore] */
#include "ki.h"

#define KI_REQUIRE_SEMAPHORE(Semaphore) KI_REQUIRE_OBJECT(Semaphore, 1u << SemaphoreObject, "a semaphore")

VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    KI_REQUIRE_ARGUMENT(Limit > 0, Limit);
    KI_REQUIRE_ARGUMENT(Count >= 0 && Count <= Limit, Count);
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
    KI_REQUIRE_SEMAPHORE(Semaphore);
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
    KI_REQUIRE_SEMAPHORE(Semaphore);
    return Semaphore->Header.SignalState;
}

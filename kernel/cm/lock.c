/* SPDX-License-Identifier: MIT
 * The registry lock. */
#include "cm/cmp.h"
#include "ke.h"

static EX_PUSH_LOCK CmpRegistryLock;

VOID CmpLockShared(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&CmpRegistryLock);
}

VOID CmpLockExclusive(VOID)
{
    KeEnterGuardedRegion(); /* the end of a notification may queue a special APC to this very thread */
    ExAcquirePushLockExclusive(&CmpRegistryLock);
}

VOID CmpUnlockShared(VOID)
{
    ExReleasePushLockShared(&CmpRegistryLock);
    KeLeaveCriticalRegion();
}

VOID CmpUnlockExclusive(VOID)
{
    ExReleasePushLockExclusive(&CmpRegistryLock);
    KeLeaveGuardedRegion();
}

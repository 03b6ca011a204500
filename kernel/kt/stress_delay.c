/* SPDX-License-Identifier: MIT
 * Stress: random delays before and after a processor takes a lock and before it lets one go, so that what others can do in between, they do.
 * The delays hang on the hooks of the lock checks. */
#include "stress.h"
#include "arch_lock.h"

#define NO_DELAY_OF 64  /* one lock operation in so many is delayed */
#define SHORT_DELAY 100 /* turns, at most */
#define LONG_DELAY 3000

static const ARCH_LOCK_HOOKS *Checks;     /* what was there before */
static ULONG64 Random[KI_MAX_PROCESSORS]; /* each processor's own; an interrupt in between repeats a number */

static ULONG StressDelayTurns(VOID)
{
    ULONG64 *State = &Random[KeGetPrcb()->Number];

    *State = *State * 6364136223846793005ull + 1442695040888963407ull; /* [Knuth, MMIX] */
    ULONG Number = (ULONG)(*State >> 33);
    if (Number % NO_DELAY_OF != 0)
        return 0;
    return Number / NO_DELAY_OF % 16 != 0 ? Number % SHORT_DELAY : Number % LONG_DELAY;
}

static VOID StressDelayLock(VOID)
{
    if (KeGetPrcb()->BugCheckActive)
        return;
    for (ULONG Turns = StressDelayTurns(); Turns != 0; Turns--)
        __builtin_ia32_pause();
}

static VOID StressBeforeAcquire(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    StressDelayLock();
    Checks->BeforeAcquire(Lock, Class);
}

static VOID StressAfterAcquire(const void *Lock, const ARCH_LOCK_CLASS *Class, const void *Caller)
{
    Checks->AfterAcquire(Lock, Class, Caller);
    StressDelayLock();
}

static VOID StressBeforeRelease(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    StressDelayLock();
    Checks->BeforeRelease(Lock, Class);
}

static const ARCH_LOCK_HOOKS Delays = {StressBeforeAcquire, StressAfterAcquire, StressBeforeRelease};

/* Off for good with the checks (checks=off). */
VOID StressDelayLocks(ULONG64 Seed)
{
    Checks = ArchLockHooks;
    for (ULONG i = 0; i < KI_MAX_PROCESSORS; i++)
        Random[i] = Seed * KI_MAX_PROCESSORS + i;
    if (Checks != NULL)
        ArchLockHooks = &Delays;
}

VOID StressEndDelays(VOID)
{
    ArchLockHooks = Checks;
}

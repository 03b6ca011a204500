/* SPDX-License-Identifier: MIT
 * Tier 2, arch: how ke follows the kernel's spin locks in the checked kernel (ranks, held-lock stack). The table is
 * set once by ke when the boot processor's PRCB exists. A lock that is no ARCH_LOCK (a bit in an object's header, a
 * driver's KSPIN_LOCK) takes part by calling the three functions below: a lock is an address and a class. */
#pragma once
#include "arch.h"

typedef struct _ARCH_LOCK_HOOKS {
    VOID (*BeforeAcquire)(const void *Lock, const ARCH_LOCK_CLASS *Class); /* checks rank and recursion */
    VOID (*AfterAcquire)(const void *Lock, const ARCH_LOCK_CLASS *Class, const void *Caller);
    VOID (*BeforeRelease)(const void *Lock, const ARCH_LOCK_CLASS *Class);
} ARCH_LOCK_HOOKS;

extern const ARCH_LOCK_HOOKS *ArchLockHooks; /* NULL until ke sets it */

/* At the lock's IRQL, before the first try. An acquisition that does not wait when it fails needs no such call. */
static inline VOID ArchLockWillAcquire(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    if (NTBOX_CHECKED && ArchLockHooks != NULL)
        ArchLockHooks->BeforeAcquire(Lock, Class);
}

/* It is ours now. Caller: code address that a report names. */
static inline VOID ArchLockAcquired(const void *Lock, const ARCH_LOCK_CLASS *Class, const void *Caller)
{
    if (NTBOX_CHECKED && ArchLockHooks != NULL)
        ArchLockHooks->AfterAcquire(Lock, Class, Caller);
}

/* It is still ours. */
static inline VOID ArchLockWillRelease(const void *Lock, const ARCH_LOCK_CLASS *Class)
{
    if (NTBOX_CHECKED && ArchLockHooks != NULL)
        ArchLockHooks->BeforeRelease(Lock, Class);
}

/* --- waiting, both kernels -------------------------------------------------------------------------------- */

/* One wait for a lock that was found taken. */
typedef struct _ARCH_SPIN {
    const void *Lock;
    const ARCH_LOCK_CLASS *Class;
    ULONG Turns;
    ULONG64 Seen, Spun; /* TSC when last looked at, and what has passed */
} ARCH_SPIN;

/* One turn of the loop. What passes between two looks counts for a 64th of the limit at most, so that a machine that
 * was stopped meanwhile is not blamed. */
VOID ArchSpin(ARCH_SPIN *Spin);

extern ULONG64 ArchSpinLimit;                          /* TSC ticks; 0: no limit */
extern VOID (*ArchSpunTooLong)(const ARCH_SPIN *Spin); /* set before the limit */

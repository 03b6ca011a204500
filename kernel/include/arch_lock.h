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

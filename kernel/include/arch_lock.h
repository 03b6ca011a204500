/* SPDX-License-Identifier: MIT
 * Tier 2, arch: how ke follows the kernel's spin locks in the checked kernel (ranks, held-lock list). The table is
 * set once by ke when the boot processor's PRCB exists. */
#pragma once
#include "arch.h"

typedef struct _ARCH_LOCK_HOOKS {
    VOID (*BeforeAcquire)(const ARCH_LOCK *Lock); /* checks rank and recursion */
    VOID (*AfterAcquire)(const ARCH_LOCK *Lock);
    VOID (*BeforeRelease)(const ARCH_LOCK *Lock);
} ARCH_LOCK_HOOKS;

extern const ARCH_LOCK_HOOKS *ArchLockHooks; /* NULL until ke sets it */

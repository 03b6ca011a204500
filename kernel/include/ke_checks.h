/* SPDX-License-Identifier: MIT
 * Tier 2, ke: what the checked kernel checks at run time (IRQL contracts, spin locks, patterns in pool blocks) can be switched
 * off for a benchmark: kernel option checks=off. Assertions of our own invariants (NT_CHECK) and the gate stay. */
#pragma once
#include "nt.h"

extern BOOLEAN KeChecksOff; /* (c) after start */

#define KE_FREED_POOL_WORD 0xddddddddddddddddull /* what a freed pool block is filled with */

/* Once, before pools and locks are used: nothing may have been noted that would be looked for later. */
VOID KeSwitchChecksOff(VOID);

/* On a function whose return address the checked kernel records to say who called it: inlined, it would name its caller's caller. In the free kernel
 * it may be inlined. */
#if NTBOX_CHECKED
#define DECLSPEC_NOINLINE_CHECKED DECLSPEC_NOINLINE
#else
#define DECLSPEC_NOINLINE_CHECKED
#endif

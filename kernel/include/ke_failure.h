/* SPDX-License-Identifier: MIT
 * Tier 2, ke: allocations that fail on purpose (checked kernel). Pool asks in one place, mm in one place for pages and one for
 * addresses; off, that is a predictable branch. The plan is made by the agent (\Device\Report) or, for the time of the boot, by
 * the kernel option fail-boot=N. */
#pragma once
#include "nt.h"
#include "ntbox/failure.h"

#if NTBOX_CHECKED
extern volatile BOOLEAN KeFailureOn;

/* Any IRQL, no lock. Caller: who asks for memory. TRUE: it gets none. */
BOOLEAN KeIsAllocationDenied(const void *Caller);
#define KE_DENY_ALLOCATION(Caller) (__builtin_expect(KeFailureOn, 0) && KeIsAllocationDenied(Caller))
#else
#define KE_DENY_ALLOCATION(Caller) ((void)(Caller), FALSE)
#endif

/* Counting begins at 0. One plan at a time. FALSE: the free kernel cannot. */
BOOLEAN KeBeginFailure(const NTBOX_FAILURE_PLAN *Plan);

/* To log and report: how many allocations there were since KeBeginFailure, how many of them failed, and who asked for the last one
 * that did. Any IRQL. Nothing when nothing was begun. */
VOID KeReportFailure(VOID);

/* Afterwards nothing fails any more. */
VOID KeEndFailure(NTBOX_FAILURE_RESULT *Result);

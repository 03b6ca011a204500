/* SPDX-License-Identifier: MIT
 * Tier 3, ps only. */
#pragma once
#include "ps.h"

VOID PspCreateSystemProcess(VOID);
VOID PspInitializeThreads(VOID);
HANDLE PspNewId(VOID); /* of a process or thread */

/* impersonation.c. PASSIVE_LEVEL: a thread that ends, or is gone, impersonates nobody. */
VOID PspStopImpersonating(PETHREAD Thread);

/* thread_list.c: every thread from its creation until its stack is freed. */
VOID PspEnterThread(PETHREAD Thread);
VOID PspLeaveThread(PETHREAD Thread);

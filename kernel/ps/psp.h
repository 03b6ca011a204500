/* SPDX-License-Identifier: MIT
 * Tier 3, ps only. */
#pragma once
#include "ps.h"

VOID PspCreateSystemProcess(VOID);
VOID PspInitializeThreads(VOID);
HANDLE PspNewId(VOID); /* of a process or thread */

/* thread_list.c: every thread from its creation until its stack is freed. */
VOID PspEnterThread(PETHREAD Thread);
VOID PspLeaveThread(PETHREAD Thread);

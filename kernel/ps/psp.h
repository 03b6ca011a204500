/* SPDX-License-Identifier: MIT
 * Tier 3, ps only. */
#pragma once
#include "ps.h"

VOID PspCreateSystemProcess(VOID);
VOID PspInitializeThreads(VOID);

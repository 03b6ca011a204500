/* SPDX-License-Identifier: MIT
 * What allocations that fail on purpose (--fail-allocations) add to the verdict: a boot that stops for want of memory is what was
 * asked for, and an allocation that never came was not tested. */
#pragma once
#include "verdict.h"

/* Did the machine stop before the first step, and say that it has too little memory? */
bool denied_judge_boot(const RunOptions *options, const RunReport *report, Verdict *verdict);

/* Says in the verdict on anything else what had failed, or that nothing had. */
void denied_add(const RunOptions *options, const RunReport *report, Verdict *verdict);

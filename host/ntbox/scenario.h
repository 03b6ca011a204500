/* SPDX-License-Identifier: MIT
 * Compiles what the guest's agent shall do into the file "Windows/ntbox/scenario"
 * (drivers/agent/scenario_format.h). */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "run_plan.h"

/* Steps: of RunStep. With echo the agent also prints requests and answers in words to the log. */
GBytes *scenario_compile(const GArray *steps, const FailPlan *fail, uint64_t seed, bool echo);

/* "load", "ioctl" ...; "step" for a number that is none. */
const char *scenario_operation_name(uint32_t operation);

/* SPDX-License-Identifier: MIT
 * --fail-allocations and --fail-only: which allocations of the guest fail. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "scenario_format.h"

typedef struct FailPlan {
    bool On;            /* passes of the scenario */
    SCENARIO_FAIL Mode; /* if On */
    uint64_t Number;    /* the allocation, or how many of 65536 */
    uint32_t Passes;    /* random */
    uint64_t Boot;      /* this allocation since the kernel's start; 0: none */
    char *Only;         /* image in lower case, or NULL */
} FailPlan;

/* "each", "N", "random:PERCENT[:PASSES]", "boot:N". */
bool fail_plan_parse(FailPlan *plan, const char *text, const char *only, GError **error);

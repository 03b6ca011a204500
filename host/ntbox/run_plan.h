/* SPDX-License-Identifier: MIT
 * What a run does, in its order: groups of drivers, each loaded in order, sent its requests, put to sleep and sent them again, unloaded in
 * reverse order; one group after the other; all of that once for each round. */
#pragma once
#include <glib.h>
#include <stdint.h>

#include "options.h"
#include "request.h"

typedef struct RunGroup {
    GArray *Drivers;     /* of guint: indices of RunOptions.Drivers, in load order; none with packages only */
    GPtrArray *Requests; /* of Request, owned */
} RunGroup;

RunGroup *run_group_new(void);
void run_group_free(RunGroup *group);

typedef struct RunStep {
    SCENARIO_OP Operation;
    const char *Service;    /* ScenarioLoad, ScenarioUnload: of RunOptions.Services */
    const Request *Request; /* requests; NULL with all others */
    uint32_t Count;         /* ScenarioFail: steps behind it that are of this group */
    guint Group;            /* index of RunOptions.Groups */
    uint32_t Round;         /* from 0 */
} RunStep;

/* The steps of Groups, Rounds, PowerCycles and KeepLoaded. The caller owns the array. */
GArray *run_plan_steps(const RunOptions *options);

/* The step of a number from 1; NULL for a number that is none (a guest may say anything). */
const RunStep *run_plan_step(const RunOptions *options, uint64_t number);

/* One group in one round, counted over the run. What goes wrong in a part does not concern the others. */
guint run_plan_part(const RunOptions *options, const RunStep *step);

/* SPDX-License-Identifier: MIT
 * The steps of a run: see run_plan.h. */
#include "run_plan.h"

#include "service_setting.h"

RunGroup *run_group_new(void)
{
    RunGroup *group = g_new0(RunGroup, 1);
    group->Drivers = g_array_new(FALSE, FALSE, sizeof(guint));
    group->Requests = g_ptr_array_new_with_free_func((GDestroyNotify)request_free);
    return group;
}

void run_group_free(RunGroup *group)
{
    g_array_unref(group->Drivers);
    g_ptr_array_unref(group->Requests);
    g_free(group);
}

/* The step with its operation and what that works on filled in behind the group and round of `like`. */
static void add_service(GArray *steps, RunStep like, SCENARIO_OP operation, const RunOptions *options,
                        guint driver)
{
    like.Operation = operation;
    like.Service = options->Services[driver];
    g_array_append_val(steps, like);
}

/* The kernel has loaded it when the first step comes; once it was unloaded, it is loaded on demand. */
static bool is_loaded_already(const GArray *steps, const RunOptions *options, const char *service)
{
    for (guint i = 0; i < steps->len; i++) {
        if (g_array_index(steps, RunStep, i).Service == service)
            return false;
    }
    return service_starts_by_itself(options->Settings, options->Services, service);
}

static void add_requests(GArray *steps, RunStep like, const RunGroup *group)
{
    for (guint i = 0; i < group->Requests->len; i++) {
        Request *request = group->Requests->pdata[i];
        like.Operation = request->Operation;
        like.Request = request->Operation != ScenarioPowerCycle ? request : NULL;
        g_array_append_val(steps, like);
    }
}

/* The requests, then for each power cycle that and the requests once more. */
static void add_work(GArray *steps, RunStep like, const RunGroup *group, uint32_t power_cycles)
{
    add_requests(steps, like, group);
    for (uint32_t i = 0; i < power_cycles; i++) {
        RunStep cycle = like;
        cycle.Operation = ScenarioPowerCycle;
        g_array_append_val(steps, cycle);
        add_requests(steps, like, group);
    }
}

static void add_group(GArray *steps, const RunOptions *options, guint index, uint32_t round)
{
    const RunGroup *group = options->Groups->pdata[index];
    RunStep step = {.Group = index, .Round = round};
    if (options->Fail.On) {
        RunStep passes = {.Group = index, .Round = round, .Operation = ScenarioFail};
        passes.Count = 2 * group->Drivers->len + group->Requests->len * (1 + options->PowerCycles) +
                       options->PowerCycles;
        g_array_append_val(steps, passes);
    }
    for (guint i = 0; i < group->Drivers->len; i++) {
        guint driver = g_array_index(group->Drivers, guint, i);
        if (!is_loaded_already(steps, options, options->Services[driver]))
            add_service(steps, step, ScenarioLoad, options, driver);
    }
    add_work(steps, step, group, options->PowerCycles);
    for (guint i = group->Drivers->len; i > 0 && !options->KeepLoaded; i--)
        add_service(steps, step, ScenarioUnload, options, g_array_index(group->Drivers, guint, i - 1));
}

GArray *run_plan_steps(const RunOptions *options)
{
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(RunStep));
    for (uint32_t round = 0; round < options->Rounds; round++) {
        for (guint i = 0; i < options->Groups->len; i++)
            add_group(steps, options, i, round);
    }
    return steps;
}

const RunStep *run_plan_step(const RunOptions *options, uint64_t number)
{
    bool one = number >= 1 && number <= options->Steps->len;
    return one ? &g_array_index(options->Steps, RunStep, number - 1) : NULL;
}

guint run_plan_part(const RunOptions *options, const RunStep *step)
{
    return step->Round * options->Groups->len + step->Group;
}

/* SPDX-License-Identifier: MIT
 * Parses --fail-allocations and --fail-only. */
#include "fail_plan.h"

#include <string.h>

#include "usage.h"

#define DEFAULT_PASSES 20
#define MAX_PASSES 10000

static bool parse_random(FailPlan *plan, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    guint count = g_strv_length(parts);
    uint64_t percent, passes = DEFAULT_PASSES;
    if (count < 1 || count > 2)
        return usage_error(error, "--fail-allocations wants random:PERCENT[:PASSES]");
    if (!usage_parse_number(parts[0], "--fail-allocations random: the percentage", 100, &percent, error))
        return false;
    if (count == 2 &&
        !usage_parse_number(parts[1], "--fail-allocations random: the passes", MAX_PASSES, &passes, error))
        return false;
    plan->On = true;
    plan->Mode = ScenarioFailRandom;
    plan->Number = percent * 65536 / 100;
    plan->Passes = (uint32_t)passes;
    return true;
}

static bool parse_mode(FailPlan *plan, const char *text, GError **error)
{
    if (g_str_has_prefix(text, "random:"))
        return parse_random(plan, text + strlen("random:"), error);
    if (g_str_has_prefix(text, "boot:"))
        return usage_parse_number(text + strlen("boot:"), "--fail-allocations boot", UINT32_MAX, &plan->Boot,
                                  error);
    plan->On = true;
    if (strcmp(text, "each") == 0) {
        plan->Mode = ScenarioFailEach;
        return true;
    }
    plan->Mode = ScenarioFailOne;
    return usage_parse_number(text, "--fail-allocations", INT64_MAX, &plan->Number, error);
}

bool fail_plan_parse(FailPlan *plan, const char *text, const char *only, GError **error)
{
    if (!text)
        return !only || usage_error(error, "--fail-only wants --fail-allocations");
    if (!parse_mode(plan, text, error))
        return false;
    if (only && (!plan->On || strlen(only) > 60 || !g_str_is_ascii(only) || strpbrk(only, "/\\") || !*only))
        return usage_error(error,
                           "--fail-only wants the name of an image, and passes that are not of the boot");
    plan->Only = only ? g_ascii_strdown(only, -1) : NULL;
    return true;
}

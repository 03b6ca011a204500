/* SPDX-License-Identifier: MIT
 * Parses --fail-allocations and --fail-only. */
#include "fail_plan.h"

#include <string.h>

#include "usage.h"

#define DEFAULT_PASSES 20
#define MAX_PASSES 10000

/* With none of them nothing would be tested. */
static bool parse_from_one(const char *text, const char *what, uint64_t maximum, uint64_t *value,
                           GError **error)
{
    return usage_parse_number(text, what, maximum, value, error) &&
           (*value != 0 || usage_error(error, "%s is 0, and nothing would fail: at least 1", what));
}

static bool parse_random(FailPlan *plan, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    guint count = g_strv_length(parts);
    uint64_t percent, passes = DEFAULT_PASSES;
    if (count < 1 || count > 2 || !*parts[0])
        return usage_error(error, "--fail-allocations=random wants a percentage, and perhaps a number of "
                                  "passes: random:5 or random:5:100");
    if (!parse_from_one(parts[0], "--fail-allocations random: the percentage", 100, &percent, error))
        return false;
    if (count == 2 && !parse_from_one(parts[1], "--fail-allocations random: the number of passes", MAX_PASSES,
                                      &passes, error))
        return false;
    plan->On = true;
    plan->Mode = ScenarioFailRandom;
    plan->Number = percent * 65536 / 100;
    plan->Passes = (uint32_t)passes;
    return true;
}

static bool parse_boot(FailPlan *plan, const char *text, GError **error)
{
    if (!*text)
        return usage_error(error,
                           "--fail-allocations=boot wants the number of an allocation of the boot: boot:100");
    return parse_from_one(text, "--fail-allocations boot: the allocation", UINT32_MAX, &plan->Boot, error);
}

/* "" behind the word alone; NULL when it is another word. */
static const char *value_behind(const char *text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(text, word, length) != 0 || (text[length] && text[length] != ':'))
        return NULL;
    return text + length + (text[length] == ':');
}

static bool parse_mode(FailPlan *plan, const char *text, GError **error)
{
    const char *random = value_behind(text, "random"), *boot = value_behind(text, "boot");
    if (random)
        return parse_random(plan, random, error);
    if (boot)
        return parse_boot(plan, boot, error);
    plan->On = true;
    if (strcmp(text, "each") == 0) {
        plan->Mode = ScenarioFailEach;
        return true;
    }
    if (!g_ascii_isdigit(*text))
        return usage_error(error,
                           "--fail-allocations wants each, a number, random:PERCENT[:PASSES] or boot:NUMBER, "
                           "not '%s'",
                           text);
    plan->Mode = ScenarioFailOne;
    return parse_from_one(text, "--fail-allocations: the allocation", INT64_MAX, &plan->Number, error);
}

bool fail_plan_parse(FailPlan *plan, const char *text, const char *only, GError **error)
{
    if (!text)
        return !only || usage_error(error, "--fail-only wants --fail-allocations");
    if (!parse_mode(plan, text, error))
        return false;
    if (only && !plan->On)
        return usage_error(error, "--fail-only is for passes: the boot is the kernel's own");
    plan->Only = only ? g_ascii_strdown(only, -1) : NULL;
    return true;
}

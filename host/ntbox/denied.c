/* SPDX-License-Identifier: MIT
 * Allocations that fail on purpose, in the verdict: see denied.h. */
#include "denied.h"

#include <inttypes.h>
#include <string.h>

#include "ntstatus.h"

/* ---- the boot's ---- */

/* ", which ntoskrnl.exe!MmX asked for," as far as it is known. */
static char *asker_text(const RunReport *report)
{
    const RunEvent *denied = run_report_last(report, ReportDenied);
    const char *module = denied ? run_event_text(denied, ReportKeyModule) : NULL;
    const char *symbol = denied ? run_event_text(denied, ReportKeySymbol) : NULL;
    if (symbol)
        return g_strdup_printf(", which %s!%s asked for,", module ? module : "?", symbol);
    if (module)
        return g_strdup_printf(", which %s+0x%" PRIx64 " asked for,", module,
                               run_event_value(denied, ReportKeyOffset));
    return g_strdup("");
}

static char *stop_of_record(const RunEvent *bugcheck)
{
    uint32_t code = (uint32_t)run_event_value(bugcheck, ReportKeyCode);
    const char *name = bugcheck_name(code);
    if (g_strcmp0(run_event_text(bugcheck, ReportKeyText), REPORT_NO_MEMORY) != 0)
        return NULL;
    return g_strdup_printf("0x%X (%s)", code,
                           name ? name : run_event_text_or(bugcheck, ReportKeyName, "no name"));
}

/* Before there are records there is the serial log. */
static char *stop_of_log(const char *log)
{
    g_autoptr(GRegex) regex =
        g_regex_new("\\*\\*\\* STOP 0x0*([0-9A-F]+) (\\S+) [^\\n]*\\n\\*\\*\\* " REPORT_NO_MEMORY,
                    G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    if (!g_regex_match(regex, log, 0, &match))
        return NULL;
    g_autofree char *code = g_match_info_fetch(match, 1), *name = g_match_info_fetch(match, 2);
    return g_strdup_printf("0x%s (%s)", code, name);
}

bool denied_judge_boot(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    const RunEvent *bugcheck = run_report_bugcheck(report);
    if (!options->Fail.Boot || run_report_first(report, ReportStepBegin))
        return false;
    g_autofree char *stop = bugcheck ? stop_of_record(bugcheck) : stop_of_log(report->Log);
    g_autofree char *asker = asker_text(report);
    return stop && verdict_set(verdict, ExitPass, "stopped",
                               "allocation %" PRIu64
                               " of the boot%s was failed on purpose, and the kernel stopped with "
                               "bug check %s: " REPORT_NO_MEMORY,
                               options->Fail.Boot, asker, stop);
}

static void replace_sentence(Verdict *verdict, char *sentence)
{
    g_free(verdict->Sentence);
    verdict->Sentence = sentence;
}

static void set_untested(Verdict *verdict, const char *allocation, uint64_t seen, const char *of)
{
    g_autofree char *old = verdict->Sentence;
    verdict_set(verdict, ExitUsage, "untested",
                "allocation %s never came, so that none failed: %s only %" PRIu64, allocation, of, seen);
}

static void add_boot(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    const RunEvent *denied = run_report_last(report, ReportDenied);
    g_autofree char *number = g_strdup_printf("%" PRIu64 " of the boot", options->Fail.Boot);
    g_autofree char *asker = asker_text(report);
    if (denied && run_event_value(denied, ReportKeyInformation) == 0) {
        if (verdict->Code == ExitPass)
            set_untested(verdict, number, run_event_value(denied, ReportKeyTotal), "the boot has");
        return;
    }
    replace_sentence(verdict, g_strdup_printf("%s; allocation %s%s had been failed on purpose",
                                              verdict->Sentence, number, asker));
}

/* ---- those of passes ---- */

/* The most allocations of any pass, and how many failed in all. Pass 0 is the warm-up. */
static uint64_t count_passes(const RunReport *report, uint64_t *failed)
{
    uint64_t most = 0;
    *failed = 0;
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type != ReportPassEnd || run_event_value(event, ReportKeyCount) == 0)
            continue;
        most = MAX(most, run_event_value(event, ReportKeyTotal));
        *failed += run_event_value(event, ReportKeyInformation);
    }
    return most;
}

static void add_passes(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    const FailPlan *plan = &options->Fail;
    uint64_t failed, most = count_passes(report, &failed);
    g_autofree char *number = g_strdup_printf("%" PRIu64, plan->Number);
    g_autofree char *whose =
        plan->Only ? g_strdup_printf("%s itself makes", plan->Only) : g_strdup("the steps make");
    if (failed || verdict->Code != ExitPass)
        return;
    if (plan->Mode == ScenarioFailOne)
        set_untested(verdict, number, most, whose);
    else
        replace_sentence(verdict, g_strdup_printf("%s, but no allocation failed: %s %" PRIu64,
                                                  verdict->Sentence, whose, most));
}

void denied_add(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    if (options->Fail.Boot)
        add_boot(options, report, verdict);
    else if (options->Fail.On)
        add_passes(options, report, verdict);
}

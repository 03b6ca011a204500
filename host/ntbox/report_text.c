/* SPDX-License-Identifier: MIT
 * Writes the events of a run in their order: a headline per step, one labelled line per fact, the verdict
 * last. */
#include "report_text.h"

#include <inttypes.h>
#include <string.h>

#include "finding.h"
#include "ntstatus.h"
#include "report_text_step.h"
#include "run_plan.h"
#include "text_page.h"

#define LAST_LINES 8 /* of the serial log, shown when the run did not reach its end */

/* ---- events ---- */

static void put_boot(const TextPage *page, const RunEvent *event)
{
    fprintf(page->Out, "ntbox kernel %s (%s), booted by %s, processors %" PRIu64 " of %" PRIu64 "\n",
            run_event_text_or(event, ReportKeyText, "?"), run_event_text_or(event, ReportKeyKind, "?"),
            machine_boot_name(page->Options->Boot), run_event_value(event, ReportKeyCount),
            run_event_value(event, ReportKeyTotal));
}

static void put_image(const TextPage *page, const RunEvent *event)
{
    const char *text = run_event_text(event, ReportKeyText);
    const char *driver = run_event_text_or(event, ReportKeyDriver, "?");
    g_autofree char *status = text_status(event);
    if (run_event_value(event, ReportKeyStatus) != 0)
        text_put_format(page, "refused", "%s: %s%s%s", driver, status, text ? ": " : "", text ? text : "");
    else
        text_put_format(page, "loaded", "%s at 0x%016" PRIx64 ", %" PRIu64 " bytes%s%s", driver,
                        run_event_value(event, ReportKeyBase), run_event_value(event, ReportKeySize),
                        text ? "; " : "", text ? text : "");
}

static void put_missing(const TextPage *page, const RunEvent *event)
{
    text_put_format(
        page, "missing", "%s: import %s!%s is not exported", run_event_text_or(event, ReportKeyDriver, "?"),
        run_event_text_or(event, ReportKeyDll, "?"), run_event_text_or(event, ReportKeySymbol, "?"));
}

static const char *plural(uint64_t number)
{
    return number == 1 ? "" : "s";
}

static void put_leak(const TextPage *page, const RunEvent *event)
{
    const char *tag = run_event_text(event, ReportKeyTag);
    g_autofree char *place = text_place(page, event);
    bool placed = run_event_text(event, ReportKeyModule) != NULL;
    GString *line = g_string_new(run_event_text_or(event, ReportKeyDriver, "kernel"));
    uint64_t number;
    g_string_append_printf(line, ": %s", run_event_text_or(event, ReportKeyKind, "memory"));
    if (tag)
        g_string_append_printf(line, ", tag '%s'", tag);
    if (run_event_number(event, ReportKeySize, &number))
        g_string_append_printf(line, ", %" PRIu64 " byte%s", number, plural(number));
    if (run_event_number(event, ReportKeyCount, &number) && number != 1)
        g_string_append_printf(line, ", %" PRIu64 " times", number);
    if (run_event_text(event, ReportKeyName))
        g_string_append_printf(line, ", %s", run_event_text(event, ReportKeyName));
    if (placed)
        g_string_append_printf(line, ", allocated by %s", place);
    text_put(page, "leak", line->str);
    if (run_event_text(event, ReportKeyText) && *run_event_text(event, ReportKeyText))
        text_put(page, "called from", run_event_text(event, ReportKeyText));
    g_string_free(line, TRUE);
}

/* The loader's remarks (kind "image") are warnings. */
static void put_violation(const TextPage *page, const RunEvent *event)
{
    g_autofree char *place = text_place(page, event);
    bool placed = run_event_text(event, ReportKeyModule) != NULL;
    bool warning = g_strcmp0(run_event_text(event, ReportKeyKind), "image") == 0;
    text_put_format(page, warning ? "warning" : "violation", "%s: %s%s%s%s%s",
                    run_event_text_or(event, ReportKeyDriver, "a driver"),
                    run_event_text_or(event, ReportKeyKind, "rule"),
                    run_event_text(event, ReportKeyText) ? ": " : "",
                    run_event_text_or(event, ReportKeyText, ""), placed ? " at " : "", placed ? place : "");
}

static const char *irql_name(uint64_t irql)
{
    static const char *const names[] = {
        [0] = "PASSIVE_LEVEL", [1] = "APC_LEVEL",  [2] = "DISPATCH_LEVEL",
        [13] = "CLOCK_LEVEL",  [14] = "IPI_LEVEL", [15] = "HIGH_LEVEL",
    };
    const char *name = irql < G_N_ELEMENTS(names) ? names[irql] : NULL;
    return name ? name : "device level";
}

static void put_bugcheck(const TextPage *page, const RunEvent *event)
{
    uint32_t code = (uint32_t)run_event_value(event, ReportKeyCode);
    uint64_t irql = event->Irql;
    const char *known = bugcheck_name(code);
    const char *name = known ? known : run_event_text(event, ReportKeyName);
    g_autofree char *place = text_place(page, event);
    run_event_number(event, ReportKeyIrql, &irql);
    fprintf(page->Out, "\nbug check 0x%X %s\n", code, name ? name : "");
    text_put_format(page, "parameters", "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64,
                    run_event_value(event, ReportKeyParameter1), run_event_value(event, ReportKeyParameter2),
                    run_event_value(event, ReportKeyParameter3), run_event_value(event, ReportKeyParameter4));
    if (run_event_text(event, ReportKeyText))
        text_put(page, "because", run_event_text(event, ReportKeyText));
    if (run_event_text(event, ReportKeyDriver))
        text_put(page, "driver", run_event_text(event, ReportKeyDriver));
    if (run_event_text(event, ReportKeyModule))
        text_put(page, "at", place);
    text_put_format(page, "state", "IRQL %" PRIu64 " (%s), processor %u", irql, irql_name(irql),
                    event->Processor);
}

/* What the kernel said when the time limit was reached. */
static void put_nmi(const TextPage *page, const RunEvent *event)
{
    fprintf(page->Out, "\nat the time limit the machine was asked where it is\n");
    text_put_format(page, "processor", "%u", event->Processor);
}

static void put_frame(const TextPage *page, const RunEvent *event)
{
    g_autofree char *place = text_place(page, event);
    text_put_format(page, run_event_value(event, ReportKeyDepth) == 0 ? "stack" : "", "#%-2" PRIu64 " %s",
                    run_event_value(event, ReportKeyDepth), place);
}

static void put_request(const TextPage *page, const RunEvent *event)
{
    text_put_format(page, "in flight", "%s holds %s (IRP 0x%016" PRIx64 ")",
                    run_event_text_or(event, ReportKeyDriver, "the kernel"),
                    run_event_text_or(event, ReportKeyName, "a request"),
                    run_event_value(event, ReportKeyAddress));
}

/* A thread that did not run when the time limit was reached; its frames follow. */
static void put_thread(const TextPage *page, const RunEvent *event)
{
    text_put_format(page, "thread", "0x%016" PRIx64 " %s", run_event_value(event, ReportKeyAddress),
                    run_event_text_or(event, ReportKeyText, ""));
}

/* Another processor, where the bug check stopped it. */
static void put_processor_frame(const TextPage *page, const RunEvent *event)
{
    g_autofree char *place = text_place(page, event);
    g_autofree char *label =
        g_strdup_printf("processor %" PRIu64, run_event_value(event, ReportKeyProcessor));
    text_put_format(page, run_event_value(event, ReportKeyDepth) == 0 ? label : "", "#%-2" PRIu64 " %s",
                    run_event_value(event, ReportKeyDepth), place);
}

static void put_case_end(const TextPage *page, const RunEvent *event)
{
    bool passed = run_event_value(event, ReportKeyStatus) == 0;
    const char *text = run_event_text(event, ReportKeyText);
    text_put_format(page, passed ? "pass" : "FAIL", "%s%s%s", run_event_text_or(event, ReportKeyCase, "?"),
                    text ? ": " : "", text ? text : "");
}

/* The kernel and the agent are not what the reader asked about. */
static bool is_own_success(const RunEvent *event)
{
    const char *driver = run_event_text(event, ReportKeyDriver);
    bool about_image = event->Type == ReportImage || event->Type == ReportEntry ||
                       event->Type == ReportUnload || event->Type == ReportDevice ||
                       event->Type == ReportLink;
    return about_image && driver && run_report_is_own_module(driver) &&
           run_event_value(event, ReportKeyStatus) == 0;
}

static void put_pool(const TextPage *page, const RunEvent *event)
{
    const char *driver = run_event_text_or(event, ReportKeyDriver, "");
    uint64_t blocks = run_event_value(event, ReportKeyCount), bytes = run_event_value(event, ReportKeySize);
    text_put_format(page, "pool", "%s: tag '%s', %" PRIu64 " block%s, %" PRIu64 " byte%s of %s pool",
                    *driver ? driver : "not known", run_event_text_or(event, ReportKeyTag, "?"), blocks,
                    plural(blocks), bytes, plural(bytes),
                    run_event_text_or(event, ReportKeyKind, "nonpaged"));
}

/* Told when the machine stopped, or when one of the boot was to fail. */
static void put_denied(const TextPage *page, const RunEvent *event)
{
    g_autofree char *place = text_place(page, event);
    bool any = run_event_value(event, ReportKeyInformation) != 0;
    text_put_format(page, "on purpose", "%" PRIu64 " of the %" PRIu64 " allocations so far failed%s%s",
                    run_event_value(event, ReportKeyInformation), run_event_value(event, ReportKeyTotal),
                    any ? ", for " : "", any ? place : "");
}

/* A device in the tree, when a driver of the run has it. */
static void put_node(const TextPage *page, const RunEvent *event)
{
    const char *driver = run_event_text(event, ReportKeyDriver);
    uint32_t problem = (uint32_t)run_event_value(event, ReportKeyCode);
    const char *name = problem_name(problem);
    g_autofree char *status = text_status(event);
    if (!driver || run_report_is_own_module(driver))
        return;
    g_autofree char *why =
        problem ? g_strdup_printf(": problem %u %s, %s", problem, name ? name : "", status) : g_strdup("");
    text_put_format(page, "PnP", "%s %s%s (%s)", run_event_text_or(event, ReportKeyName, "?"),
                    run_event_text_or(event, ReportKeyKind, "?"), why, driver);
}

static void put_event(const TextPage *page, const RunEvent *event)
{
    g_autofree char *status = text_status(event);
    const char *driver = run_event_text_or(event, ReportKeyDriver, "kernel");
    if (is_own_success(event))
        return;
    switch (event->Type) {
    case ReportBoot:
        return put_boot(page, event);
    case ReportPrint:
        return text_put(page, "DbgPrint", run_event_text_or(event, ReportKeyText, ""));
    case ReportImage:
        return put_image(page, event);
    case ReportMissing:
        return put_missing(page, event);
    case ReportEntry:
        return text_put_format(page, "DriverEntry", "%s: %s", driver, status);
    case ReportDevice:
        return text_put_format(page, "device", "%s %s by %s",
                               run_event_text_or(event, ReportKeyDevice, "(no name)"),
                               run_event_text_or(event, ReportKeyKind, "created"), driver);
    case ReportLink:
        return text_put_format(page, "link", "%s%s%s %s", run_event_text_or(event, ReportKeyName, "?"),
                               run_event_text(event, ReportKeyDevice) ? " -> " : "",
                               run_event_text_or(event, ReportKeyDevice, ""),
                               run_event_text_or(event, ReportKeyKind, "created"));
    case ReportUnload:
        return text_put_format(page, "unloaded", "%s: %s", driver, status);
    case ReportLeak:
        return put_leak(page, event);
    case ReportServiceBegin:
        fprintf(page->Out, "\nservice %s (%s)\n", run_event_text_or(event, ReportKeyName, "?"),
                run_event_text_or(event, ReportKeyKind, "?"));
        return;
    case ReportServiceEnd:
        return text_put_format(page, "result", "%s%s%s", status,
                               run_event_text(event, ReportKeyText) ? ": " : "",
                               run_event_text_or(event, ReportKeyText, ""));
    case ReportStepBegin:
        return report_text_step_begin(page, event);
    case ReportStepEnd:
        return report_text_step_end(page, event);
    case ReportBugCheck:
        return event == run_report_bugcheck(page->Report) ? put_bugcheck(page, event) : put_nmi(page, event);
    case ReportRequest:
        return put_request(page, event);
    case ReportPool:
        return put_pool(page, event);
    case ReportDenied:
        return put_denied(page, event);
    case ReportTrace:
        return text_put_format(page, "trace", "%s %s: %s", driver,
                               run_event_text_or(event, ReportKeyName, "?"),
                               run_event_text_or(event, ReportKeyText, ""));
    case ReportNode:
        return put_node(page, event);
    case ReportPoolBlock:
        return text_put(page, "pool block", run_event_text_or(event, ReportKeyText, ""));
    case ReportThread:
        return put_thread(page, event);
    case ReportThreadFrame:
    case ReportFrame:
        return put_frame(page, event);
    case ReportProcessorFrame:
        return put_processor_frame(page, event);
    case ReportCaseEnd:
        return put_case_end(page, event);
    case ReportViolation:
        return put_violation(page, event);
    default: /* log lines, case begins, call counts, marks and the end are told by --json */
        return;
    }
}

/* ---- the end ---- */

static void put_processors(const TextPage *page)
{
    if (page->Report->Processors->len)
        fprintf(page->Out, "\n%s\n", page->Report->End == VmReset ? "at the reset" : "at the time limit");
    for (guint i = 0; i < page->Report->Processors->len; i++) {
        const ProcessorState *state = page->Report->Processors->pdata[i];
        g_autofree char *label = g_strdup_printf("processor %u", state->Number);
        text_put_format(page, label, "0x%016" PRIx64 "%s%s%s", state->Rip, state->Place ? " " : "",
                        state->Place ? state->Place : "", state->Halted ? ", halted" : "");
    }
}

/* For a run that did not reach its end: the last words of log and QEMU. */
static void put_last_words(const TextPage *page, const Verdict *verdict)
{
    bool unfinished = verdict->Code == ExitFault || page->Report->End == VmTimedOut ||
                      !run_report_first(page->Report, ReportBoot);
    g_autofree char *log = g_strchomp(g_strdup(page->Report->Log));
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
    guint count = g_strv_length(lines);
    for (guint i = count > LAST_LINES ? count - LAST_LINES : 0; unfinished && i < count; i++)
        text_put(page, "serial log", g_strchomp(lines[i]));
    if (unfinished && *page->Report->MachineOutput)
        text_put(page, "QEMU said", page->Report->MachineOutput);
}

static void put_losses(const TextPage *page)
{
    if (page->Report->Lost)
        text_put_format(page, "note", "%" PRIu64 " records did not fit the report channel and are lost",
                        page->Report->Lost);
    if (page->Report->Dropped)
        text_put_format(page, "note",
                        "%" PRIu64 " lines of DbgPrint are dropped: only the first %u of a step are kept",
                        page->Report->Dropped, RUN_REPORT_MAX_PRINTS);
    if (page->Report->Omitted)
        text_put_format(page, "note", "%" PRIu64 " records are not shown: the report would be too long",
                        page->Report->Omitted);
}

/* ---- many drivers, many rounds ---- */

/* The parts (run_plan_part) in which something failed, as keys. */
static GHashTable *failed_parts(const RunOptions *options, const RunReport *report)
{
    GHashTable *parts = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) findings = findings_collect(options, report);
    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];
        if (finding->Step)
            g_hash_table_add(parts, GUINT_TO_POINTER(run_plan_part(options, finding->Step)));
    }
    return parts;
}

/* A pass is shown when something was lost or broken in it, or when the machine stopped there. */
static bool is_quiet_pass(const RunReport *report, guint end)
{
    for (guint i = end; i > 0; i--) {
        const RunEvent *event = report->Events->pdata[i - 1];
        if (event->Type == ReportPassBegin)
            break;
        if (event->Type != ReportImage)
            return false;
    }
    const RunEvent *next = end + 1 < report->Events->len ? report->Events->pdata[end + 1] : NULL;
    return !next || next->Type != ReportLeak;
}

static void put_pass(const TextPage *page, const RunEvent *event)
{
    const char *symbol = run_event_text(event, ReportKeySymbol);
    g_autofree char *place = text_place(page, event);
    text_put_format(page, "pass", "%" PRIu64 ": %" PRIu64 " of %" PRIu64 " allocations failed%s%s",
                    run_event_value(event, ReportKeyCount), run_event_value(event, ReportKeyInformation),
                    run_event_value(event, ReportKeyTotal),
                    symbol || run_event_text(event, ReportKeyModule) ? ", for " : "",
                    symbol || run_event_text(event, ReportKeyModule) ? place : "");
}

/* FALSE: of failing allocations, and all is well. The last pass is always shown. */
static bool put_pass_event(const TextPage *page, guint index)
{
    const RunReport *report = page->Report;
    const RunEvent *event = report->Events->pdata[index];
    const RunEvent *next = index + 1 < report->Events->len ? report->Events->pdata[index + 1] : NULL;
    bool last = next && next->Type == ReportStepEnd;
    if (event->Type == ReportPassEnd && (last || !is_quiet_pass(report, index)))
        put_pass(page, event);
    return event->Type == ReportPassEnd;
}

/* The first round is shown as a whole; of later ones only what failed and where the machine stopped. */
static void put_events(const TextPage *page)
{
    g_autoptr(GHashTable) failed = failed_parts(page->Options, page->Report);
    const RunEvent *last = run_report_last(page->Report, ReportStepBegin);
    const RunStep *stopped = last ? run_plan_step(page->Options, run_event_value(last, ReportKeyStep)) : NULL;
    const RunStep *step = NULL;
    for (guint i = 0; i < page->Report->Events->len; i++) {
        const RunEvent *event = page->Report->Events->pdata[i];
        if (event->Type == ReportStepBegin)
            step = run_plan_step(page->Options, run_event_value(event, ReportKeyStep));
        guint part = step ? run_plan_part(page->Options, step) : 0;
        bool shown = !step || step->Round == 0 ||
                     (stopped && part == run_plan_part(page->Options, stopped)) ||
                     g_hash_table_contains(failed, GUINT_TO_POINTER(part));
        bool passes = step && step->Operation == ScenarioFail;
        if (passes && (put_pass_event(page, i) || event->Type == ReportImage))
            continue;
        if (shown)
            put_event(page, event);
    }
}

static void put_driver(const TextPage *page, const DriverResult *result)
{
    g_autofree char *name = g_strconcat(result->Driver, ".sys", NULL);
    GString *line = g_string_new(NULL);
    if (page->Options->Rounds > 1)
        g_string_append_printf(line, "%u of %u rounds, ", result->Run, result->Planned);
    if (result->Passed + result->Failed)
        g_string_append_printf(line, "%u of %u cases passed, ", result->Passed,
                               result->Passed + result->Failed);
    bool untold = result->Run == 0 && result->Verdict.Code == ExitPass;
    g_string_append(line, untold ? "not run" : result->Verdict.Sentence);
    fprintf(page->Out, "  %-24s %s\n", name, line->str);
    g_string_free(line, TRUE);
}

static void put_drivers(const TextPage *page)
{
    if (page->Options->Groups->len == 1 && page->Options->Rounds == 1)
        return;
    g_autoptr(GArray) results = verdict_drivers(page->Options, page->Report);
    fprintf(page->Out, "\ndrivers\n");
    for (guint i = 0; i < results->len; i++)
        put_driver(page, &g_array_index(results, DriverResult, i));
}

static void put_trace_hash(const TextPage *page)
{
    const char *hash = run_report_trace_hash(page->Report);
    if (page->Options->TraceHash)
        fprintf(page->Out, "\ntrace hash %s\n", hash ? hash : "(none: the run is not whole)");
}

void report_text_write(FILE *out, const RunOptions *options, const RunReport *report, const Verdict *verdict)
{
    TextPage page = {out, options, report};
    put_events(&page);
    put_processors(&page);
    put_last_words(&page, verdict);
    put_losses(&page);
    put_drivers(&page);
    put_trace_hash(&page);
    fprintf(out, "\n%s%s%s (%s, %.2f s)\n",
            verdict->Code == ExitPass ? "PASS" : "FAIL: ", verdict->Code == ExitPass ? ": " : "",
            verdict->Sentence, verdict->Outcome, report->Seconds);
}

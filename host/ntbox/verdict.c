/* SPDX-License-Identifier: MIT
 * The rules, tried in the order of rules[] below: the first that speaks decides. */
#include "verdict.h"

#include <stdarg.h>
#include <string.h>

#include "denied.h"
#include "finding.h"
#include "idle_package.h"
#include "ntstatus.h"
#include "run_plan.h"
#include "scenario.h"
#include "service_setting.h"

bool verdict_set(Verdict *verdict, ExitCode code, const char *outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *verdict = (Verdict){.Code = code, .Outcome = outcome, .Sentence = g_strdup_vprintf(format, arguments)};
    va_end(arguments);
    return true;
}

static uint32_t status_of(const RunEvent *event)
{
    return (uint32_t)run_event_value(event, ReportKeyStatus);
}

/* The first frame in a driver under test on the stack of a bug check, NULL if there is none. */
static const RunEvent *driver_frame(const RunReport *report)
{
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        const char *module = run_event_text(event, ReportKeyModule);
        if (event->Type == ReportFrame && !run_report_is_own_module(module))
            return event;
    }
    return NULL;
}

static const char *driver_in_frames(const RunReport *report)
{
    const RunEvent *frame = driver_frame(report);
    return frame ? run_event_text(frame, ReportKeyModule) : NULL;
}

/* Whom the kernel blames; NULL: nobody but itself. It knows more than the frames say: a driver that was interrupted, or that only got the memory
 * which another one had written to, stands there too. */
static const char *bugcheck_culprit(const RunEvent *bugcheck)
{
    const char *driver = run_event_text(bugcheck, ReportKeyDriver);
    const char *module = run_event_text(bugcheck, ReportKeyModule);
    if (!run_report_is_own_module(driver))
        return driver;
    return run_report_is_own_module(module) ? NULL : module;
}

/* "step 2 (ioctl \??\X)", "step 3 (unplug x)". Options may be NULL. */
static char *step_text(const RunOptions *options, const RunEvent *step)
{
    const char *operation = scenario_operation_name((uint32_t)run_event_value(step, ReportKeyOperation));
    const char *name = run_event_text_or(step, ReportKeyName, "");
    unsigned number = (unsigned)run_event_value(step, ReportKeyStep);
    const RunStep *planned = options ? run_plan_step(options, number) : NULL;
    if (planned && planned->Request && planned->Operation == ScenarioMark)
        return g_strdup_printf("step %u (%s)", number, planned->Request->Device);
    return g_strdup_printf("step %u (%s%s%s)", number, operation, *name ? " " : "", name);
}

/* The service that the kernel is starting before the first step; NULL: none, or it is done with it. */
static const RunEvent *service_in_hand(const RunReport *report)
{
    const RunEvent *begin = run_report_last(report, ReportServiceBegin);
    const RunEvent *end = run_report_last(report, ReportServiceEnd);
    return begin && (!end || end->Sequence < begin->Sequence) ? begin : NULL;
}

/* ", in step 1 (load a)" while one is not ended: what the machine was doing for whom; "" between steps. */
static char *in_step_text(const RunReport *report)
{
    const RunEvent *begin = run_report_last(report, ReportStepBegin);
    const RunEvent *ended = run_report_last(report, ReportStepEnd);
    const RunEvent *service = service_in_hand(report);
    if (!begin && service)
        return g_strdup_printf(", while service %s was started",
                               run_event_text_or(service, ReportKeyName, "?"));
    if (!begin || (ended && ended->Sequence > begin->Sequence))
        return g_strdup("");
    g_autofree char *step = step_text(NULL, begin);
    return g_strdup_printf(", in %s", step);
}

static char *pass_text(const RunReport *report, const RunEvent *event)
{
    guint index;
    bool found = g_ptr_array_find(report->Events, event, &index);
    return found ? run_report_pass_text(report, index) : g_strdup("");
}

/* [WDK Bug Check 0x19] 0x20, [WDK Bug Check 0x1A] 0x5200: a block of pool is not as it was left, and who has or had it is not to blame.
 * Whoever was writing may be long gone. */
static bool is_damaged_pool(const RunEvent *bugcheck)
{
    uint32_t code = (uint32_t)run_event_value(bugcheck, ReportKeyCode);
    uint64_t what = run_event_value(bugcheck, ReportKeyParameter1);
    return (code == 0x19 && what == 0x20) || (code == 0x1a && what == 0x5200);
}

/* [WDK Bug Check 0x5A] the kernel's word for: a service whose ErrorControl is critical was not started. */
#define CRITICAL_SERVICE_FAILED 0x5Au

static bool judge_critical(const RunReport *report, Verdict *verdict)
{
    const RunEvent *bugcheck = run_report_bugcheck(report);
    const RunEvent *end = run_report_last(report, ReportServiceEnd);
    if (!bugcheck || run_event_value(bugcheck, ReportKeyCode) != CRITICAL_SERVICE_FAILED || !end ||
        run_report_first(report, ReportStepBegin))
        return false;
    return verdict_set(verdict, ExitDriver, "bugcheck",
                       "service %s, whose ErrorControl is critical, stopped the boot: %s",
                       run_event_text_or(end, ReportKeyName, "?"),
                       run_event_text_or(end, ReportKeyText, "no reason was given"));
}

static bool judge_bugcheck(const RunReport *report, Verdict *verdict)
{
    const RunEvent *bugcheck = run_report_bugcheck(report);
    if (!bugcheck)
        return false;
    uint32_t code = (uint32_t)run_event_value(bugcheck, ReportKeyCode);
    const char *known = bugcheck_name(code), *said = run_event_text(bugcheck, ReportKeyName);
    const char *name = known ? known : said;
    const char *culprit = bugcheck_culprit(bugcheck);
    g_autofree char *pass = pass_text(report, bugcheck);
    if (culprit)
        return verdict_set(verdict, ExitDriver, "bugcheck", "%s caused bug check 0x%X (%s)%s", culprit, code,
                           name ? name : "no name", pass);
    g_autofree char *where = in_step_text(report);
    if (is_damaged_pool(bugcheck))
        return verdict_set(
            verdict, ExitDriver, "bugcheck",
            "bug check 0x%X (%s): pool was damaged, and nothing tells by whom%s%s; --special-pool stops "
            "at the write that does it",
            code, name ? name : "no name", where, pass);
    return verdict_set(verdict, ExitFault, "fault",
                       "bug check 0x%X (%s) that no driver under test is to blame for%s%s", code,
                       name ? name : "no name", where, pass);
}

static bool judge_interrupt(const RunReport *report, Verdict *verdict)
{
    return report->End == VmInterrupted &&
           verdict_set(verdict, ExitUsage, "environment", "interrupted before the run was at its end");
}

/* Where the machine stood: a driver under test, if one of the processors was in it or below a call from it. */
static const char *driver_at_end(const RunReport *report)
{
    for (guint i = 0; i < report->Processors->len; i++) {
        const ProcessorState *state = report->Processors->pdata[i];
        if (!run_report_is_own_module(state->Module))
            return state->Module;
    }
    return driver_in_frames(report);
}

/* "; a.sys holds IRP_MJ_READ" for each request in flight that a driver under test holds; "" for none. */
static char *holders_text(const RunReport *report)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        const char *driver = run_event_text(event, ReportKeyDriver);
        if (event->Type == ReportRequest && !run_report_is_own_module(driver))
            g_string_append_printf(text, "; %s holds %s", driver,
                                   run_event_text_or(event, ReportKeyName, "a request"));
    }
    return g_string_free(text, FALSE);
}

/* "; a.sys refuses to be removed: STATUS_DEVICE_BUSY" of a driver under test; "" for none. */
static char *refusals_text(const RunReport *report)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        const char *driver = run_event_text(event, ReportKeyDriver);
        const char *kind = run_event_text_or(event, ReportKeyKind, "");
        g_autofree char *status = ntstatus_text(status_of(event));
        if (event->Type == ReportNode && strcmp(kind, "refuses to be removed") == 0 &&
            !run_report_is_own_module(driver))
            g_string_append_printf(text, "; %s %s: %s", driver, kind, status);
    }
    return g_string_free(text, FALSE);
}

/* Is the agent on the stack of the thread that the event at i tells of: does it do the step in hand? */
static bool does_the_step(const RunReport *report, guint i)
{
    for (i++; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type == ReportThread)
            return false;
        if (event->Type == ReportThreadFrame &&
            g_strcmp0(run_event_text(event, ReportKeyModule), "agent.sys") == 0)
            return true;
    }
    return false;
}

/* The thread whose wait the hang is put down to: the one that does the step, or else the first that waits for a lock; if it
 * waits in a driver under test. NULL: none. */
static const RunEvent *waiting_thread(const RunReport *report)
{
    const RunEvent *found = NULL;
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type != ReportThread || run_report_is_own_module(run_event_text(event, ReportKeyModule)))
            continue;
        if (does_the_step(report, i))
            return event;
        if (!found && run_event_text(event, ReportKeyKind))
            found = event;
    }
    return found;
}

/* "a.sys!Routine (a.c:12)" */
static char *routine_of(const RunReport *report, const RunEvent *event)
{
    const char *known = g_hash_table_lookup(report->Symbols, event);
    const char *symbol = known ? known : run_event_text(event, ReportKeySymbol);
    return g_strdup_printf("%s%s%s", run_event_text(event, ReportKeyModule), symbol ? "!" : "",
                           symbol ? symbol : "");
}

/* Where a processor runs a driver under test, or what that called; NULL: none does. */
static char *running_routine(const RunReport *report)
{
    for (guint i = 0; i < report->Processors->len; i++) {
        const ProcessorState *state = report->Processors->pdata[i];
        if (!run_report_is_own_module(state->Module))
            return g_strdup(state->Place ? state->Place : state->Module);
    }
    const RunEvent *frame = driver_frame(report);
    return frame ? routine_of(report, frame) : NULL;
}

/* ", in a.sys!Routine (a.c:12)", ", in a.sys!Routine (a.c:12), which waits for ..."; "" when no driver under test is on a stack. */
static char *place_text(const RunReport *report)
{
    g_autofree char *running = running_routine(report);
    if (running)
        return g_strdup_printf(", in %s", running);
    const RunEvent *thread = waiting_thread(report);
    if (!thread)
        return g_strdup("");
    g_autofree char *routine = routine_of(report, thread);
    return g_strdup_printf(", in %s, which %s", routine, run_event_text_or(thread, ReportKeyText, "waits"));
}

/* With any firmware and on a slow host: the default limit. Whoever gives less may have been too stingy. */
#define SECONDS_TO_BOOT 30

/* For how long the step in hand had run at the time limit, in the guest's time. */
static double seconds_in_step(const RunReport *report, const RunEvent *step)
{
    const RunEvent *last = report->Events->pdata[report->Events->len - 1];
    bool asked = report->HungAt < report->Events->len; /* the kernel answered, and so told the time */
    double now = asked ? last->Time / 1e7 : report->Seconds;
    return MAX(now - step->Time / 1e7, 0);
}

/* Did the run go on until the limit, step by step? Then the limit was short, and the step in hand need not be at fault. */
static bool judge_progress(const RunOptions *options, const RunReport *report, const RunEvent *step,
                           Verdict *verdict)
{
    const RunEvent *ended = run_report_last(report, ReportStepEnd);
    const RunEvent *first = run_report_first(report, ReportStepBegin);
    const RunStep *planned = run_plan_step(options, run_event_value(step, ReportKeyStep));
    if (!ended || !planned || planned->Operation == ScenarioFail ||
        seconds_in_step(report, step) * 10 > report->TimeLimit)
        return false;
    uint64_t count = run_event_value(ended, ReportKeyStep);
    double seconds = MAX((ended->Time - first->Time) / 1e7, 0.001);
    g_autofree char *rounds = options->Rounds > 1
                                  ? g_strdup_printf(" after %u of %u rounds", planned->Round, options->Rounds)
                                  : g_strdup("");
    g_autofree char *where = step_text(options, step);
    return verdict_set(verdict, ExitDriver, "hang",
                       "the time limit of %u s, which is for the whole run, ended it%s in %s, but it was "
                       "going on: %" G_GUINT64_FORMAT
                       " of %u steps had ended, %.1f a second; --timeout gives more",
                       report->TimeLimit, rounds, where, count, options->Steps->len, (double)count / seconds);
}

static bool judge_timeout(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    const RunEvent *step = run_report_last(report, ReportStepBegin);
    const RunEvent *service = service_in_hand(report);
    if (report->End != VmTimedOut)
        return false;
    if (!step && service) {
        g_autofree char *starting = place_text(report);
        return verdict_set(verdict, ExitDriver, "hang",
                           "the time limit of %u s ended the run while service %s was started%s",
                           report->TimeLimit, run_event_text_or(service, ReportKeyName, "?"), starting);
    }
    if (!step && report->TimeLimit < SECONDS_TO_BOOT)
        return verdict_set(verdict, ExitUsage, "environment",
                           "the time limit of %u s ended the run before its first step: --timeout gives more",
                           report->TimeLimit);
    if (!step)
        return verdict_set(verdict, ExitFault, "hang",
                           "the time limit of %u s ended the run before its first step", report->TimeLimit);
    if (judge_progress(options, report, step, verdict))
        return true;
    g_autofree char *where = step_text(options, step);
    g_autofree char *place = place_text(report);
    g_autofree char *holders = holders_text(report);
    g_autofree char *refusals = refusals_text(report);
    return verdict_set(verdict, ExitDriver, "hang", "the time limit of %u s ended the run in %s%s%s%s",
                       report->TimeLimit, where, place, holders, refusals);
}

/* Devices are removed behind the last step. */
static bool judge_stuck(const RunReport *report, Verdict *verdict)
{
    bool ended = report->End == VmStuck || report->End == VmTimedOut;
    if (!ended || !run_report_first(report, ReportDone) || run_report_bugcheck(report))
        return false;
    g_autofree char *place = place_text(report);
    g_autofree char *holders = holders_text(report);
    return (*place || *holders) &&
           verdict_set(verdict, ExitDriver, "hang",
                       "the steps are done, but the removal of the devices does not end%s%s", place, holders);
}

/* A triple fault, or a driver that asked the chipset for a reset or to be switched off: the kernel does that only when it is done. Nobody is
 * to blame before the first step but the kernel; from then on it is the driver in hand, whose step then is named. */
static bool judge_reset(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    const RunEvent *begin = run_report_last(report, ReportStepBegin);
    const RunStep *step = begin ? run_plan_step(options, run_event_value(begin, ReportKeyStep)) : NULL;
    const char *culprit = driver_at_end(report);
    const char *what = report->End == VmSwitchedOff ? "was switched off" : "reset itself (a triple fault)";
    if (report->End != VmReset && report->End != VmSwitchedOff)
        return false;
    const RunEvent *service = service_in_hand(report);
    if (!step && service)
        return verdict_set(verdict, ExitDriver, "reset", "the machine %s while service %s was started", what,
                           run_event_text_or(service, ReportKeyName, "?"));
    if (!step)
        return verdict_set(verdict, ExitFault, "reset", "the machine %s before the first step", what);
    g_autofree char *where = step_text(options, begin);
    const char *hand = finding_service_of_step(options, step);
    return verdict_set(verdict, ExitDriver, "reset", "the machine %s in %s%s%s%s%s%s", what, where,
                       culprit ? ", in " : "", culprit ? culprit : "", hand ? "; in hand: " : "",
                       hand ? hand : "", hand ? ".sys" : "");
}

static bool judge_damage(const RunReport *report, Verdict *verdict)
{
    return report->Damage && verdict_set(verdict, ExitFault, "fault", "%s", report->Damage);
}

/* "signal 9 (Killed)", "exit status 1: cannot open ..." */
static char *qemu_end_text(const RunReport *report)
{
    GString *text = g_string_new(NULL);
    if (report->Signalled)
        g_string_append_printf(text, "signal %d (%s)", report->ExitStatus, g_strsignal(report->ExitStatus));
    else
        g_string_append_printf(text, "exit status %d", report->ExitStatus);
    g_string_append(text, *report->MachineOutput ? ": " : "; it said nothing");
    return g_string_free(g_string_append(text, report->MachineOutput), FALSE);
}

static bool judge_machine(const RunReport *report, Verdict *verdict)
{
    g_autofree char *line = run_report_last_log_line(report), *where = in_step_text(report);
    g_autofree char *end = qemu_end_text(report);
    if (report->End == VmDied && !run_report_first(report, ReportBoot))
        return verdict_set(verdict, ExitUsage, "environment", "QEMU could not run the machine: %s", end);
    if (report->End == VmDied)
        return verdict_set(verdict, ExitFault, "fault", "QEMU ended by itself: %s", end);
    if (!run_report_first(report, ReportBoot))
        return verdict_set(verdict, ExitFault, "fault",
                           "the kernel did not start; last log line: %s (QEMU ended with %s)",
                           line ? line : "(none)", end);
    if (!run_report_first(report, ReportDone))
        return verdict_set(verdict, ExitFault, "fault",
                           "the machine stopped before the scenario's end%s; last log line: %s", where,
                           line ? line : "(none)");
    return report->End == VmStuck &&
           verdict_set(verdict, ExitFault, "fault", "the scenario ended but the machine did not power off");
}

/* A scenario that the agent could not read is ntbox's own fault. */
static bool judge_agent(const RunReport *report, Verdict *verdict)
{
    const RunEvent *done = run_report_first(report, ReportDone);
    g_autofree char *status = ntstatus_text(status_of(done));
    return status_of(done) != 0 &&
           verdict_set(verdict, ExitFault, "fault", "the agent could not run the scenario: %s",
                       run_event_text_or(done, ReportKeyText, status));
}

/* ---- the worst of many findings ---- */

/* [DESIGN.md section 7] 4, 3, 1, 2, 0 */
static int gravity(ExitCode code)
{
    static const int order[] = {
        [ExitPass] = 0, [ExitCannotLoad] = 1, [ExitDriver] = 2, [ExitUsage] = 3, [ExitFault] = 4};
    return order[code];
}

static const Finding *worst_of(const GPtrArray *findings)
{
    const Finding *worst = NULL;
    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];
        if (!worst || gravity(finding->Verdict.Code) > gravity(worst->Verdict.Code))
            worst = finding;
    }
    return worst;
}

static guint count_other_drivers(const GPtrArray *findings, const Finding *but)
{
    g_autoptr(GHashTable) others = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];
        if (finding->Service && finding->Service != but->Service)
            g_hash_table_add(others, (gpointer)finding->Service);
    }
    return g_hash_table_size(others);
}

/* Says which round, and whether other drivers failed too. */
static char *whole_sentence(const RunOptions *options, const RunStep *step, const char *sentence,
                            guint others)
{
    GString *text = g_string_new(NULL);
    if (options->Rounds > 1 && step)
        g_string_append_printf(text, "round %u: ", step->Round + 1);
    g_string_append(text, sentence);
    if (others)
        g_string_append_printf(text, "; %u more driver%s failed", others, others == 1 ? "" : "s");
    return g_string_free(text, FALSE);
}

static const RunStep *last_step(const RunOptions *options, const RunReport *report)
{
    const RunEvent *event = run_report_last(report, ReportStepBegin);
    return event ? run_plan_step(options, run_event_value(event, ReportKeyStep)) : NULL;
}

/* ---- the run as a whole ---- */

/* What ended the machine before the plan's end. */
static bool judge_end(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    static bool (*const rules[])(const RunReport *, Verdict *) = {
        judge_critical, judge_bugcheck, judge_interrupt, judge_damage, judge_stuck,
    };
    if (judge_reset(options, report, verdict))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i](report, verdict))
            return true;
    }
    return judge_timeout(options, report, verdict) || judge_machine(report, verdict);
}

static void add_context(const RunOptions *options, const RunStep *step, guint others, Verdict *verdict)
{
    g_autofree char *sentence = verdict->Sentence;
    verdict->Sentence = whole_sentence(options, step, sentence, others);
}

/* What single events, or their lack, say about a run that came to its end. */
static Verdict decide_by_findings(const RunOptions *options, const RunReport *report)
{
    Verdict verdict = {0};
    g_autoptr(GPtrArray) findings = findings_collect(options, report);
    const Finding *worst = worst_of(findings);
    if (worst) {
        verdict_set(&verdict, worst->Verdict.Code, worst->Verdict.Outcome, "%s", worst->Verdict.Sentence);
        add_context(options, worst->Step, count_other_drivers(findings, worst), &verdict);
    } else if (!judge_agent(report, &verdict)) {
        verdict_set(&verdict, ExitPass, "passed", "all steps succeeded");
    }
    return verdict;
}

Verdict verdict_decide(const RunOptions *options, const RunReport *report)
{
    Verdict verdict = {0};
    if (denied_judge_boot(options, report, &verdict))
        return verdict;
    if (judge_end(options, report, &verdict)) {
        add_context(options, last_step(options, report), 0, &verdict);
    } else {
        verdict = decide_by_findings(options, report);
        idle_package_judge(options, report, &verdict);
    }
    denied_add(options, report, &verdict);
    return verdict;
}

void verdict_clear(Verdict *verdict)
{
    g_clear_pointer(&verdict->Sentence, g_free);
}

/* ---- each driver ---- */

static DriverResult *result_of(const RunOptions *options, GArray *results, const char *service)
{
    for (guint i = 0; service && options->Services[i]; i++) {
        if (options->Services[i] == service)
            return &g_array_index(results, DriverResult, i);
    }
    return NULL;
}

static GArray *new_results(const RunOptions *options)
{
    GArray *results = g_array_new(FALSE, TRUE, sizeof(DriverResult));
    for (char **service = options->Services; *service; service++) {
        DriverResult result = {.Driver = *service};
        verdict_set(&result.Verdict, ExitPass, "passed", "passed");
        g_array_append_val(results, result);
    }
    for (guint i = 0; i < results->len; i++) {
        DriverResult *result = &g_array_index(results, DriverResult, i);
        result->Planned = service_starts_by_itself(options->Settings, options->Services, result->Driver);
    }
    for (guint i = 0; i < options->Steps->len; i++) {
        const RunStep *step = &g_array_index(options->Steps, RunStep, i);
        if (step->Operation == ScenarioLoad)
            result_of(options, results, step->Service)->Planned++;
    }
    return results;
}

static void count_event(const RunEvent *event, const RunStep *step, DriverResult *result)
{
    if (event->Type == ReportStepEnd && step->Operation == ScenarioLoad)
        result->Run++;
    if (event->Type == ReportCaseEnd &&
        result) /* with packages only, no driver of the command line is in hand */
        *(status_of(event) == 0 ? &result->Passed : &result->Failed) += 1;
}

static void note_verdict(DriverResult *result, const Verdict *verdict)
{
    if (!result || gravity(verdict->Code) <= gravity(result->Verdict.Code))
        return;
    g_free(result->Verdict.Sentence);
    verdict_set(&result->Verdict, verdict->Code, verdict->Outcome, "%s", verdict->Sentence);
}

static void free_result(gpointer result)
{
    verdict_clear(&((DriverResult *)result)->Verdict);
}

GArray *verdict_drivers(const RunOptions *options, const RunReport *report)
{
    GArray *results = new_results(options);
    const RunStep *step = NULL;
    Verdict end;
    g_array_set_clear_func(results, free_result);
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type == ReportStepBegin)
            step = run_plan_step(options, run_event_value(event, ReportKeyStep));
        const char *started = event->Type == ReportServiceEnd ? run_event_text(event, ReportKeyName) : NULL;
        DriverResult *result =
            started ? result_of(options, results, finding_service_named(options, started)) : NULL;
        if (result)
            result->Run++;
        if (step)
            count_event(event, step, result_of(options, results, finding_service_of_step(options, step)));
    }
    g_autoptr(GPtrArray) findings = findings_collect(options, report);
    for (guint i = 0; i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];
        note_verdict(result_of(options, results, finding->Service), &finding->Verdict);
    }
    if (step && judge_end(options, report, &end)) {
        note_verdict(result_of(options, results, finding_service_of_step(options, step)), &end);
        verdict_clear(&end);
    }
    return results;
}

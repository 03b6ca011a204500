/* SPDX-License-Identifier: MIT
 * The rules, tried in the order of rules[] below: the first that speaks decides. */
#include "verdict.h"

#include <stdarg.h>
#include <string.h>

#include "ntstatus.h"
#include "scenario.h"
#include "user_mode.h"

/* [WDK ZwUnloadDriver] this status: the driver has no unload routine. It stays loaded, which is no fault. */
#define STATUS_INVALID_DEVICE_REQUEST 0xC0000010u

static bool G_GNUC_PRINTF(4, 5)
    decide(Verdict *verdict, ExitCode code, const char *outcome, const char *format, ...)
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

/* The first driver under test on the stack of a bug check, NULL if there is none. */
static const char *driver_in_frames(const RunReport *report)
{
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        const char *module = run_event_text(event, ReportKeyModule);
        if (event->Type == ReportFrame && !run_report_is_own_module(module))
            return module;
    }
    return NULL;
}

static const char *bugcheck_culprit(const RunReport *report, const RunEvent *bugcheck)
{
    const char *driver = run_event_text(bugcheck, ReportKeyDriver);
    const char *module = run_event_text(bugcheck, ReportKeyModule);
    if (!run_report_is_own_module(driver))
        return driver;
    if (!run_report_is_own_module(module))
        return module;
    return driver_in_frames(report);
}

static bool judge_bugcheck(const RunReport *report, Verdict *verdict)
{
    const RunEvent *bugcheck = run_report_first(report, ReportBugCheck);
    if (!bugcheck)
        return false;
    uint32_t code = (uint32_t)run_event_value(bugcheck, ReportKeyCode);
    const char *known = bugcheck_name(code), *said = run_event_text(bugcheck, ReportKeyName);
    const char *name = known ? known : said;
    const char *culprit = bugcheck_culprit(report, bugcheck);
    if (culprit)
        return decide(verdict, ExitDriver, "bugcheck", "%s caused bug check 0x%X (%s)", culprit, code,
                      name ? name : "no name");
    return decide(verdict, ExitFault, "fault", "bug check 0x%X (%s) with no driver under test on the stack",
                  code, name ? name : "no name");
}

static bool judge_interrupt(const RunReport *report, Verdict *verdict)
{
    return report->End == VmInterrupted &&
           decide(verdict, ExitUsage, "environment", "interrupted before the run was at its end");
}

/* Where the machine stood: a driver under test, if one of the processors was in it. */
static const char *driver_at_timeout(const RunReport *report)
{
    for (guint i = 0; i < report->Processors->len; i++) {
        const ProcessorState *state = report->Processors->pdata[i];
        if (!run_report_is_own_module(state->Module))
            return state->Module;
    }
    return NULL;
}

static bool judge_timeout(const RunReport *report, Verdict *verdict)
{
    const RunEvent *step = run_report_last(report, ReportStepBegin);
    if (report->End != VmTimedOut)
        return false;
    if (!step)
        return decide(verdict, ExitFault, "hang",
                      "the time limit of %u s ended the run before its first step", report->TimeLimit);
    const char *culprit = driver_at_timeout(report);
    const char *operation = scenario_operation_name((uint32_t)run_event_value(step, ReportKeyOperation));
    return decide(verdict, ExitDriver, "hang", "the time limit of %u s ended the run in step %u (%s %s)%s%s",
                  report->TimeLimit, (unsigned)run_event_value(step, ReportKeyStep), operation,
                  run_event_text_or(step, ReportKeyName, ""), culprit ? ", in " : "", culprit ? culprit : "");
}

static bool judge_damage(const RunReport *report, Verdict *verdict)
{
    return report->Damage && decide(verdict, ExitFault, "fault", "%s", report->Damage);
}

static bool judge_machine(const RunReport *report, Verdict *verdict)
{
    g_autofree char *line = run_report_last_log_line(report);
    if (report->End == VmDied && !run_report_first(report, ReportBoot))
        return decide(verdict, ExitUsage, "environment", "QEMU could not run the machine: %s",
                      *report->MachineOutput ? report->MachineOutput : "it said nothing");
    if (report->End == VmDied)
        return decide(verdict, ExitFault, "fault", "QEMU ended by itself: %s", report->MachineOutput);
    if (!run_report_first(report, ReportBoot))
        return decide(verdict, ExitFault, "fault", "the kernel did not start; last log line: %s",
                      line ? line : "(none)");
    if (!run_report_first(report, ReportDone))
        return decide(verdict, ExitFault, "fault",
                      "the machine stopped before the scenario's end; last log line: %s",
                      line ? line : "(none)");
    return report->End == VmStuck &&
           decide(verdict, ExitFault, "fault", "the scenario ended but the machine did not power off");
}

/* The DLLs of a driver's missing imports, one element for each import; the names belong to the report. */
static GPtrArray *missing_dlls(const RunReport *report, const char *driver)
{
    GPtrArray *dlls = g_ptr_array_new();
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type == ReportMissing && g_strcmp0(run_event_text(event, ReportKeyDriver), driver) == 0)
            g_ptr_array_add(dlls, (char *)run_event_text_or(event, ReportKeyDll, ""));
    }
    return dlls;
}

static bool judge_image(const RunReport *report, const RunEvent *event, Verdict *verdict)
{
    const char *driver = run_event_text_or(event, ReportKeyDriver, "a driver");
    g_autofree char *status = ntstatus_text(status_of(event));
    if (!ntstatus_is_error(status_of(event)))
        return false;
    if (run_report_is_own_module(driver))
        return decide(verdict, ExitFault, "fault", "%s cannot load: %s", driver,
                      run_event_text_or(event, ReportKeyText, status));
    g_autoptr(GPtrArray) dlls = missing_dlls(report, driver);
    g_autofree char *user_mode = user_mode_sentence(dlls);
    if (user_mode)
        return decide(verdict, ExitCannotLoad, "cannot-load", "%s %s", driver, user_mode);
    if (dlls->len)
        return decide(verdict, ExitCannotLoad, "cannot-load", "%s cannot load: %u import%s missing", driver,
                      dlls->len, dlls->len == 1 ? " is" : "s are");
    return decide(verdict, ExitCannotLoad, "cannot-load", "%s cannot load: %s", driver,
                  run_event_text_or(event, ReportKeyText, status));
}

static bool judge_step(const RunReport *report, const RunEvent *event, Verdict *verdict)
{
    uint32_t operation = (uint32_t)run_event_value(event, ReportKeyOperation);
    unsigned number = (unsigned)run_event_value(event, ReportKeyStep);
    g_autofree char *status = ntstatus_text(status_of(event));
    if (!ntstatus_is_error(status_of(event)))
        return false;
    if (operation == ScenarioUnload && status_of(event) == STATUS_INVALID_DEVICE_REQUEST)
        return false;
    if (operation == ScenarioLoad)
        return decide(verdict, ExitCannotLoad, "cannot-load", "step %u (load) ended with %s", number, status);
    return decide(verdict, ExitDriver, "failed", "step %u (%s) ended with %s", number,
                  scenario_operation_name(operation), status);
}

static bool judge_case(const RunEvent *event, Verdict *verdict)
{
    g_autofree char *status = ntstatus_text(status_of(event));
    return status_of(event) != 0 && decide(verdict, ExitDriver, "failed", "case %s failed: %s",
                                           run_event_text_or(event, ReportKeyCase, "?"),
                                           run_event_text_or(event, ReportKeyText, status));
}

static bool judge_leak(const RunEvent *event, Verdict *verdict)
{
    const char *driver = run_event_text(event, ReportKeyDriver);
    const char *kind = run_event_text_or(event, ReportKeyKind, "memory");
    bool own = run_report_is_own_module(driver);
    return decide(verdict, own ? ExitFault : ExitDriver, own ? "fault" : "failed", "%s leaked: %s",
                  driver ? driver : "the kernel", kind);
}

/* [WDK DRIVER_INITIALIZE] any status that is not NT_SUCCESS, warnings included, fails the load. */
static bool judge_entry(const RunEvent *event, Verdict *verdict)
{
    g_autofree char *status = ntstatus_text(status_of(event));
    return status_of(event) >= 0x80000000u &&
           decide(verdict, ExitDriver, "failed", "%s: DriverEntry returned %s",
                  run_event_text_or(event, ReportKeyDriver, "a driver"), status);
}

/* What the loader warns of (kind "image") does not fail a run; every other violation does. */
static bool judge_violation(const RunEvent *event, Verdict *verdict)
{
    const char *kind = run_event_text_or(event, ReportKeyKind, "unnamed");
    return strcmp(kind, "image") != 0 && decide(verdict, ExitDriver, "failed", "%s broke a rule: %s",
                                                run_event_text_or(event, ReportKeyDriver, "a driver"),
                                                run_event_text_or(event, ReportKeyText, kind));
}

static bool judge_event(const RunReport *report, const RunEvent *event, Verdict *verdict)
{
    switch (event->Type) {
    case ReportImage:
        return judge_image(report, event, verdict);
    case ReportEntry:
        return judge_entry(event, verdict);
    case ReportStepEnd:
        return judge_step(report, event, verdict);
    case ReportCaseEnd:
        return judge_case(event, verdict);
    case ReportLeak:
        return judge_leak(event, verdict);
    case ReportViolation:
        return judge_violation(event, verdict);
    default:
        return false;
    }
}

static bool judge_events(const RunReport *report, Verdict *verdict)
{
    for (guint i = 0; i < report->Events->len; i++) {
        if (judge_event(report, report->Events->pdata[i], verdict))
            return true;
    }
    return false;
}

/* A scenario that the agent could not read is ntbox's own fault. */
static bool judge_agent(const RunReport *report, Verdict *verdict)
{
    const RunEvent *done = run_report_first(report, ReportDone);
    g_autofree char *status = ntstatus_text(status_of(done));
    return status_of(done) != 0 &&
           decide(verdict, ExitFault, "fault", "the agent could not run the scenario: %s",
                  run_event_text_or(done, ReportKeyText, status));
}

Verdict verdict_decide(const RunReport *report)
{
    static bool (*const rules[])(const RunReport *, Verdict *) = {
        judge_bugcheck, judge_interrupt, judge_damage, judge_timeout,
        judge_machine,  judge_events,    judge_agent,
    };
    Verdict verdict = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i](report, &verdict))
            return verdict;
    }
    decide(&verdict, ExitPass, "passed", "all steps succeeded");
    return verdict;
}

void verdict_clear(Verdict *verdict)
{
    g_clear_pointer(&verdict->Sentence, g_free);
}

/* SPDX-License-Identifier: MIT
 * The rules for single events: see finding.h. */
#include "finding.h"

#include <string.h>

#include "ntstatus.h"
#include "package_list.h"
#include "pci_control.h"
#include "run_plan.h"
#include "scenario.h"
#include "user_mode.h"

/* [WDK ZwUnloadDriver] this status: the driver has no unload routine. It stays loaded, which is no fault. */
#define STATUS_INVALID_DEVICE_REQUEST 0xC0000010u
/* [WDK ZwLoadDriver] */
#define STATUS_IMAGE_ALREADY_LOADED 0xC000010Eu
/* The start of a service with Start 4 (D-251). */
#define STATUS_PLUGPLAY_NO_DEVICE 0xC000025Eu

static uint32_t status_of(const RunEvent *event)
{
    return (uint32_t)run_event_value(event, ReportKeyStatus);
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
        return verdict_set(verdict, ExitFault, "fault", "%s cannot load: %s", driver,
                           run_event_text_or(event, ReportKeyText, status));
    g_autoptr(GPtrArray) dlls = missing_dlls(report, driver);
    g_autofree char *user_mode = user_mode_sentence(dlls);
    if (user_mode)
        return verdict_set(verdict, ExitCannotLoad, "cannot-load", "%s %s", driver, user_mode);
    return verdict_set(verdict, ExitCannotLoad, "cannot-load", "%s cannot load: %s", driver,
                       run_event_text_or(event, ReportKeyText, status));
}

bool finding_is_refused_unload(const RunEvent *event)
{
    return event->Type == ReportStepEnd && run_event_value(event, ReportKeyOperation) == ScenarioUnload &&
           status_of(event) == STATUS_INVALID_DEVICE_REQUEST;
}

bool finding_is_failed_open(const RunEvent *event)
{
    return event->Type == ReportStepEnd &&
           g_strcmp0(run_event_text(event, ReportKeyKind), REPORT_KIND_OPEN) == 0;
}

static const char *why_not_loaded(uint32_t status)
{
    if (status == STATUS_IMAGE_ALREADY_LOADED)
        return ": it was loaded before this step, for a device of its package or because another needs it";
    return status == STATUS_PLUGPLAY_NO_DEVICE ? ": the service is disabled" : "";
}

/* The operation, or what was written on the command line for it. */
static const char *step_name(const RunStep *step, uint32_t operation)
{
    if (step && step->Request && operation == ScenarioMark)
        return step->Request->Device;
    if (step && step->Request && step->Request->Code == IOCTL_NTBOX_PCI_TAKE_AWAY)
        return "surprise removal";
    return scenario_operation_name(operation);
}

static bool judge_step(const RunOptions *options, const RunEvent *event, Verdict *verdict)
{
    uint32_t operation = (uint32_t)run_event_value(event, ReportKeyOperation);
    unsigned number = (unsigned)run_event_value(event, ReportKeyStep);
    g_autofree char *status = ntstatus_text(status_of(event));
    if (!ntstatus_is_error(status_of(event)) || finding_is_refused_unload(event))
        return false;
    if (operation == ScenarioFail && status_of(event) == STATUS_INVALID_DEVICE_REQUEST)
        return verdict_set(
            verdict, ExitDriver, "failed",
            "a driver cannot be loaded and unloaded again and again, as --fail-allocations has to");
    if (operation == ScenarioLoad)
        return verdict_set(verdict, ExitCannotLoad, "cannot-load", "step %u (load) ended with %s%s", number,
                           status, why_not_loaded(status_of(event)));
    const RunStep *step = run_plan_step(options, number);
    if (finding_is_failed_open(event))
        return verdict_set(verdict, ExitDriver, "failed", "step %u (%s): %s cannot be opened: %s", number,
                           scenario_operation_name(operation),
                           step && step->Request ? step->Request->Device : "the device", status);
    return verdict_set(verdict, ExitDriver, "failed", "step %u (%s) ended with %s", number,
                       step_name(step, operation), status);
}

static bool judge_case(const RunEvent *event, Verdict *verdict)
{
    g_autofree char *status = ntstatus_text(status_of(event));
    return status_of(event) != 0 && verdict_set(verdict, ExitDriver, "failed", "case %s failed: %s",
                                                run_event_text_or(event, ReportKeyCase, "?"),
                                                run_event_text_or(event, ReportKeyText, status));
}

/* All kinds of what the driver of this leak left in this step, each once. */
static char *leak_kinds(const RunReport *report, guint first)
{
    const char *driver = run_event_text(report->Events->pdata[first], ReportKeyDriver);
    g_autoptr(GPtrArray) kinds = g_ptr_array_new();
    for (guint i = first; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        const char *kind = run_event_text_or(event, ReportKeyKind, "memory");
        if (event->Type == ReportStepBegin || event->Type == ReportPassBegin)
            break;
        if (event->Type == ReportLeak && g_strcmp0(run_event_text(event, ReportKeyDriver), driver) == 0 &&
            !g_ptr_array_find_with_equal_func(kinds, kind, g_str_equal, NULL))
            g_ptr_array_add(kinds, (char *)kind);
    }
    g_ptr_array_add(kinds, NULL);
    return g_strjoinv(", ", (char **)kinds->pdata);
}

static bool judge_leak(const RunReport *report, guint index, Verdict *verdict)
{
    const char *driver = run_event_text(report->Events->pdata[index], ReportKeyDriver);
    g_autofree char *kinds = leak_kinds(report, index);
    bool own = run_report_is_own_module(driver);
    g_autofree char *pass = run_report_pass_text(report, index);
    return verdict_set(verdict, own ? ExitFault : ExitDriver, own ? "fault" : "failed", "%s leaked: %s%s",
                       driver ? driver : "the kernel", kinds, pass);
}

/* [WDK DRIVER_INITIALIZE] any status that is not NT_SUCCESS, warnings included, fails the load. */
static bool judge_entry(const RunEvent *event, Verdict *verdict)
{
    const char *driver = run_event_text_or(event, ReportKeyDriver, "a driver");
    bool own = run_report_is_own_module(driver);
    g_autofree char *status = ntstatus_text(status_of(event));
    return status_of(event) >= 0x80000000u &&
           verdict_set(verdict, own ? ExitFault : ExitDriver, own ? "fault" : "failed",
                       "%s: DriverEntry returned %s", driver, status);
}

/* What the loader warns of (kind "image") does not fail a run; every other violation does. */
static bool judge_violation(const RunEvent *event, Verdict *verdict)
{
    const char *kind = run_event_text_or(event, ReportKeyKind, "unnamed");
    return strcmp(kind, "image") != 0 && verdict_set(verdict, ExitDriver, "failed", "%s broke a rule: %s",
                                                     run_event_text_or(event, ReportKeyDriver, "a driver"),
                                                     run_event_text_or(event, ReportKeyText, kind));
}

/* What the driver's own records do not tell: a dependency that is not met, a key that cannot be read. */
static bool judge_service(const RunEvent *event, Verdict *verdict)
{
    g_autofree char *status = ntstatus_text(status_of(event));
    return ntstatus_is_error(status_of(event)) &&
           verdict_set(verdict, ExitCannotLoad, "cannot-load", "service %s was not started: %s",
                       run_event_text_or(event, ReportKeyName, "?"),
                       run_event_text_or(event, ReportKeyText, status));
}

/* A device that a package was installed for must work, and its driver lets it go (a refusal may be a warning, as STATUS_DEVICE_BUSY); what a bus driver under test finds is its own business. */
static bool judge_node(const RunOptions *options, const RunEvent *event, Verdict *verdict)
{
    const char *driver = run_event_text_or(event, ReportKeyDriver, "");
    uint32_t problem = (uint32_t)run_event_value(event, ReportKeyCode);
    g_autofree char *status = ntstatus_text(status_of(event));
    return status_of(event) >= 0x80000000u && package_list_has_driver(options, driver) &&
           verdict_set(verdict, ExitDriver, "failed", "%s: device %s %s: %s%s%s", driver,
                       run_event_text_or(event, ReportKeyName, "?"),
                       run_event_text_or(event, ReportKeyKind, "failed"),
                       problem ? problem_name(problem) : "", problem ? ", " : "", status);
}

static bool judge_event(const RunOptions *options, const RunReport *report, guint index, Verdict *verdict)
{
    const RunEvent *event = report->Events->pdata[index];
    switch (event->Type) {
    case ReportImage:
        return judge_image(report, event, verdict);
    case ReportEntry:
        return judge_entry(event, verdict);
    case ReportServiceEnd:
        return judge_service(event, verdict);
    case ReportStepEnd:
        return judge_step(options, event, verdict);
    case ReportCaseEnd:
        return judge_case(event, verdict);
    case ReportLeak:
        return judge_leak(report, index, verdict);
    case ReportViolation:
        return judge_violation(event, verdict);
    case ReportNode:
        return judge_node(options, event, verdict);
    default:
        return false;
    }
}

/* ---- whose it is ---- */

const char *finding_service_of_step(const RunOptions *options, const RunStep *step)
{
    const RunGroup *group = options->Groups->pdata[step->Group];
    guint count = group->Drivers->len;
    if (step->Service || count == 0)
        return step->Service;
    return options->Services[g_array_index(group->Drivers, guint, count - 1)];
}

const char *finding_service_named(const RunOptions *options, const char *name)
{
    for (char **service = options->Services; *service; service++) {
        if (g_ascii_strcasecmp(*service, name) == 0)
            return *service;
    }
    return NULL;
}

/* The driver that the event names, if it is under test; otherwise the step's. */
static const char *service_of(const RunOptions *options, const RunEvent *event, const RunStep *step)
{
    const char *driver = run_event_text(event, ReportKeyDriver);
    if (event->Type == ReportServiceEnd)
        return finding_service_named(options, run_event_text_or(event, ReportKeyName, ""));
    for (char **service = options->Services; driver && *service; service++) {
        g_autofree char *name = g_strconcat(*service, ".sys", NULL);
        if (g_ascii_strcasecmp(name, driver) == 0)
            return *service;
    }
    return step ? finding_service_of_step(options, step) : NULL;
}

static void free_finding(gpointer finding)
{
    verdict_clear(&((Finding *)finding)->Verdict);
    g_free(finding);
}

static void add_finding(GPtrArray *findings, const RunOptions *options, const RunEvent *event,
                        const RunStep *step, Verdict verdict)
{
    Finding *finding = g_new(Finding, 1);
    *finding = (Finding){verdict, step, service_of(options, event, step)};
    g_ptr_array_add(findings, finding);
}

/* The first part that uses the service; G_MAXUINT: none does. */
static guint part_of_service(const RunOptions *options, const char *service)
{
    for (guint i = 0; service && i < options->Groups->len; i++) {
        const GArray *drivers = ((const RunGroup *)options->Groups->pdata[i])->Drivers;
        for (guint j = 0; j < drivers->len; j++) {
            if (options->Services[g_array_index(drivers, guint, j)] == service)
                return i;
        }
    }
    return G_MAXUINT;
}

/* Before the first step each driver is judged by itself; what is wrong there is wrong in the part that uses it. */
static void judge_part(bool *judged, guint parts, const RunOptions *options, const Finding *finding,
                       guint part)
{
    if (!finding->Step)
        part = part_of_service(options, finding->Service);
    if (part < parts)
        judged[part] = true;
}

GPtrArray *findings_collect(const RunOptions *options, const RunReport *report)
{
    GPtrArray *findings = g_ptr_array_new_with_free_func(free_finding);
    const RunStep *step = NULL;
    guint parts = options->Groups->len * options->Rounds, part = G_MAXUINT;
    g_autofree bool *judged = g_new0(bool, parts);
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        Verdict verdict;
        if (event->Type == ReportStepBegin) {
            step = run_plan_step(options, run_event_value(event, ReportKeyStep));
            part = step ? run_plan_part(options, step) : G_MAXUINT;
        }
        if ((part < parts && judged[part]) || !judge_event(options, report, i, &verdict))
            continue;
        add_finding(findings, options, event, step, verdict);
        judge_part(judged, parts, options, g_ptr_array_index(findings, findings->len - 1), part);
    }
    return findings;
}

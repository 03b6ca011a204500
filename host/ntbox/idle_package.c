/* SPDX-License-Identifier: MIT
 * Compares the packages of a run with the images that it loaded: see idle_package.h. */
#include "idle_package.h"

#include <string.h>

#include "driver_package.h"
#include "ntstatus.h"
#include "run_event.h"

#define CM_PROB_FAILED_INSTALL 28

/* One that cannot be loaded was tried, too. */
static bool is_tried(const RunReport *report, const InfService *service)
{
    g_autofree char *name = g_path_get_basename(service->Target);
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        const char *driver = run_event_text(event, ReportKeyDriver);
        if (event->Type == ReportImage && driver && g_ascii_strcasecmp(driver, name) == 0)
            return true;
    }
    return false;
}

static bool is_idle(const RunReport *report, const InfPackage *package)
{
    for (guint i = 0; i < package->Services->len; i++) {
        if (is_tried(report, package->Services->pdata[i]))
            return false;
    }
    return package->Models->len && package->Services->len;
}

/* Its first ID, and how many more it has. */
static char *ids_text(const InfPackage *package)
{
    guint more = 0;
    const char *first = NULL;
    for (guint i = 0; i < package->Models->len; i++) {
        const GPtrArray *ids = ((const InfModel *)package->Models->pdata[i])->Ids;
        for (guint j = 0; j < ids->len; j++) {
            const char *id = ids->pdata[j];
            if (first)
                more++;
            else if (*id)
                first = id;
        }
    }
    return more ? g_strdup_printf("%s and %u more", first ? first : "none", more)
                : g_strdup(first ? first : "none");
}

static bool is_of_package(const char *path, const InfPackage *package)
{
    for (guint i = 0; i < package->Models->len; i++) {
        const GPtrArray *ids = ((const InfModel *)package->Models->pdata[i])->Ids;
        for (guint j = 0; j < ids->len; j++) {
            const char *id = ids->pdata[j];
            if (*id && g_ascii_strncasecmp(path, id, strlen(id)) == 0)
                return true;
        }
    }
    return false;
}

/* A device that has one of its IDs, and failed before there was a driver; NULL: none. One without a package has another problem. */
static const RunEvent *failed_node(const RunReport *report, const InfPackage *package)
{
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type == ReportNode && run_event_value(event, ReportKeyStatus) >= 0xC0000000u &&
            run_event_value(event, ReportKeyCode) != CM_PROB_FAILED_INSTALL &&
            is_of_package(run_event_text_or(event, ReportKeyName, ""), package))
            return event;
    }
    return NULL;
}

static void judge_failed_node(const RunEvent *node, const InfPackage *package, Verdict *verdict)
{
    g_autofree char *status = ntstatus_text((uint32_t)run_event_value(node, ReportKeyStatus));
    verdict_set(verdict, ExitCannotLoad, "cannot-load", "%s: device %s has no driver: %s, %s", package->Name,
                run_event_text_or(node, ReportKeyName, "?"),
                problem_name((uint32_t)run_event_value(node, ReportKeyCode)), status);
}

void idle_package_judge(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    if (verdict->Code != ExitPass && verdict->Code != ExitDriver)
        return;
    for (guint i = 0; i < options->Packages->len; i++) {
        const InfPackage *package = ((const DriverPackage *)options->Packages->pdata[i])->Inf;
        if (!is_idle(report, package))
            continue;
        const RunEvent *node = failed_node(report, package);
        g_autofree char *ids = ids_text(package);
        verdict_clear(verdict);
        if (node) {
            judge_failed_node(node, package, verdict);
            return;
        }
        verdict_set(verdict, ExitCannotLoad, "cannot-load",
                    "%s: no device of this machine has one of its IDs (%s); --device adds one to the machine",
                    package->Name, ids);
        return;
    }
}

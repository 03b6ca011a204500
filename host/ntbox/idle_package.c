/* SPDX-License-Identifier: MIT
 * Compares the packages of a run with the images that it loaded: see idle_package.h. */
#include "idle_package.h"

#include <string.h>

#include "driver_package.h"

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

void idle_package_judge(const RunOptions *options, const RunReport *report, Verdict *verdict)
{
    if (verdict->Code != ExitPass && verdict->Code != ExitDriver)
        return;
    for (guint i = 0; i < options->Packages->len; i++) {
        const InfPackage *package = ((const DriverPackage *)options->Packages->pdata[i])->Inf;
        if (!is_idle(report, package))
            continue;
        g_autofree char *ids = ids_text(package);
        verdict_clear(verdict);
        verdict_set(verdict, ExitCannotLoad, "cannot-load",
                    "%s: no device of this machine has one of its IDs (%s); --device adds one to the machine",
                    package->Name, ids);
        return;
    }
}

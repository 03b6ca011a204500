/* SPDX-License-Identifier: MIT
 * Writes the steps of a run. */
#include "report_text_step.h"

#include <inttypes.h>

#include "finding.h"
#include "run_plan.h"
#include "scenario.h"

#define HEX_ROWS 16 /* of an output that are shown; --json has all of it */

void report_text_step_begin(const TextPage *page, const RunEvent *event)
{
    uint64_t step = run_event_value(event, ReportKeyStep);
    const RunStep *planned = run_plan_step(page->Options, step);
    const Request *request = planned ? planned->Request : NULL;
    const char *operation = scenario_operation_name((uint32_t)run_event_value(event, ReportKeyOperation));
    if (request && request->Operation == ScenarioMark) {
        fprintf(page->Out, "\nstep %" PRIu64 ": %s\n", step, request->Device);
        return;
    }
    const char *name = request ? request->Device : run_event_text(event, ReportKeyName);
    fprintf(page->Out, "\nstep %" PRIu64 ": %s%s%s", step, operation, name ? " " : "", name ? name : "");
    if (request && request->Operation == ScenarioIoctl)
        fprintf(page->Out, ", code 0x%08" PRIx32, request->Code);
    if (request && request->Operation != ScenarioRead)
        fprintf(page->Out, ", %u bytes in", request->Input->len);
    if (request && request->Operation != ScenarioWrite)
        fprintf(page->Out, ", at most %" PRIu32 " bytes out", request->OutputLength);
    if (request && request->Offset)
        fprintf(page->Out, ", offset %" PRIu64, request->Offset);
    fputc('\n', page->Out);
}

static void put_hex_row(const TextPage *page, const guint8 *data, gsize length, gsize at)
{
    char hex[16 * 3 + 1] = "", text[17] = "";
    for (gsize i = 0; i < 16 && at + i < length; i++) {
        guint8 byte = data[at + i];
        g_snprintf(hex + i * 3, 4, "%02x ", byte);
        text[i] = g_ascii_isprint(byte) ? (char)byte : '.';
    }
    text_put_format(page, at == 0 ? "output" : "", "%04zx  %-48s |%s|", (size_t)at, hex, text);
}

static void put_data(const TextPage *page, GBytes *bytes)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    for (gsize at = 0; at < length && at < HEX_ROWS * 16; at += 16)
        put_hex_row(page, data, length, at);
    if (length > HEX_ROWS * 16)
        text_put_format(page, "", "... and %zu bytes more", (size_t)(length - HEX_ROWS * 16));
}

static void put_refused_unload(const TextPage *page, const RunEvent *event)
{
    const RunStep *step = run_plan_step(page->Options, run_event_value(event, ReportKeyStep));
    if (step && step->Service)
        text_put_format(
            page, "unload",
            "refused: %s.sys has no DriverUnload, is being unloaded already, or has devices that are removed "
            "first; it stays loaded, leaks were not looked for here",
            step->Service);
}

void report_text_step_end(const TextPage *page, const RunEvent *event)
{
    g_autofree char *status = text_status(event);
    uint64_t operation = run_event_value(event, ReportKeyOperation);
    const RunStep *step = run_plan_step(page->Options, run_event_value(event, ReportKeyStep));
    if (finding_is_failed_open(event))
        text_put_format(page, "result", "%s cannot be opened: %s",
                        step && step->Request ? step->Request->Device : "the device", status);
    else if (operation == ScenarioLoad || operation == ScenarioUnload || operation == ScenarioPowerCycle)
        text_put(page, "result", status);
    else
        text_put_format(page, "result", "%s, information %" PRIu64, status,
                        run_event_value(event, ReportKeyInformation));
    if (finding_is_refused_unload(event))
        put_refused_unload(page, event);
    if (event->Data)
        put_data(page, event->Data);
}

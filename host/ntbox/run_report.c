/* SPDX-License-Identifier: MIT
 * Collects the events of a run: see run_report.h. */
#include "run_report.h"

#include <string.h>

RunReport *run_report_new(bool trace)
{
    RunReport *report = g_new0(RunReport, 1);
    report->Events = g_ptr_array_new_with_free_func((GDestroyNotify)run_event_free);
    report->Processors = g_ptr_array_new_with_free_func((GDestroyNotify)processor_state_free);
    report->HungAt = G_MAXUINT;
    report->Symbols = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    report->Trace = trace ? g_checksum_new(G_CHECKSUM_SHA256) : NULL;
    report->MachineOutput = g_strdup("");
    report->Log = g_strdup("");
    return report;
}

void processor_state_free(ProcessorState *state)
{
    g_free(state->Place);
    g_free(state->Module);
    g_free(state);
}

void run_report_free(RunReport *report)
{
    g_hash_table_unref(report->Symbols);
    g_ptr_array_unref(report->Events);
    g_ptr_array_unref(report->Processors);
    g_clear_pointer(&report->Trace, g_checksum_free);
    g_free(report->Damage);
    g_free(report->MachineOutput);
    g_free(report->Log);
    g_free(report);
}

/* Prints and log lines may be endless; what ends a run is always kept. */
static bool may_be_omitted(uint16_t type)
{
    return type != ReportBugCheck && type != ReportFrame && type != ReportProcessorFrame &&
           type != ReportThread && type != ReportThreadFrame && type != ReportDone;
}

/* Every byte that the guest said, in its order; padding is not said. */
static void trace(GChecksum *checksum, const ReportView *view)
{
    g_checksum_update(checksum, (const guchar *)&view->Header, sizeof view->Header);
    for (guint i = 0; i < view->Fields->len; i++) {
        const ReportFieldView *field = &g_array_index(view->Fields, ReportFieldView, i);
        const uint32_t head[] = {field->Kind, field->Key, field->Length};
        g_checksum_update(checksum, (const guchar *)head, sizeof head);
        g_checksum_update(checksum, field->Data, field->Length);
    }
}

const char *run_report_trace_hash(const RunReport *report)
{
    bool whole = report->End == VmExited && report->Lost == 0;
    return report->Trace && whole ? g_checksum_get_string(report->Trace) : NULL;
}

/* While allocations fail on purpose, that something did not come about is no news; what is broken or lost is. An image that is there
 * tells later where a processor stands. */
static bool is_no_news(const RunReport *report, const RunEvent *event)
{
    static const REPORT_TYPE news[] = {
        ReportLeak,      ReportBugCheck, ReportFrame,   ReportProcessorFrame, ReportThread, ReportThreadFrame,
        ReportViolation, ReportRequest,  ReportPassEnd, ReportDone,           ReportDenied, ReportPoolBlock};
    if (!report->InPass)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(news); i++) {
        if (event->Type == news[i])
            return false;
    }
    return event->Type != ReportImage || run_event_value(event, ReportKeyStatus) != 0;
}

static void keep(RunReport *report, RunEvent *event, uint64_t size)
{
    if (is_no_news(report, event)) {
        run_event_free(event);
        return;
    }
    report->InPass = event->Type == ReportPassBegin || (report->InPass && event->Type != ReportPassEnd);
    report->Bytes += size;
    g_ptr_array_add(report->Events, event);
}

void run_report_add(const ReportView *view, void *context)
{
    RunReport *report = context;
    uint64_t size = sizeof(RunEvent) + view->Header.Length;
    if (report->Trace)
        trace(report->Trace, view);
    if (report->Bytes + size > RUN_REPORT_MAX_BYTES && may_be_omitted(view->Header.Type)) {
        report->Omitted++;
        return;
    }
    if (view->Header.Type == ReportStepBegin)
        report->Printed = 0;
    bool print = !report->InPass && (view->Header.Type == ReportPrint || view->Header.Type == ReportLog);
    if (print && ++report->Printed > RUN_REPORT_MAX_PRINTS) {
        report->Dropped++;
        return;
    }
    keep(report, run_event_new(view), size);
}

const RunEvent *run_report_first(const RunReport *report, REPORT_TYPE type)
{
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type == type)
            return event;
    }
    return NULL;
}

const RunEvent *run_report_last(const RunReport *report, REPORT_TYPE type)
{
    for (guint i = report->Events->len; i > 0; i--) {
        const RunEvent *event = report->Events->pdata[i - 1];
        if (event->Type == type)
            return event;
    }
    return NULL;
}

char *run_report_pass_text(const RunReport *report, guint index)
{
    for (guint i = MIN(index + 1, report->Events->len); i > 0; i--) {
        const RunEvent *event = report->Events->pdata[i - 1];
        if (event->Type == ReportStepBegin)
            break;
        if (event->Type == ReportPassBegin)
            return g_strdup_printf(" (pass %u of failing allocations)",
                                   (unsigned)run_event_value(event, ReportKeyCount));
    }
    return g_strdup("");
}

const RunEvent *run_report_bugcheck(const RunReport *report)
{
    for (guint i = 0; i < report->Events->len && i < report->HungAt; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type == ReportBugCheck)
            return event;
    }
    return NULL;
}

const RunEvent *run_report_image_at(const RunReport *report, uint64_t address)
{
    for (guint i = report->Events->len; i > 0; i--) {
        const RunEvent *event = report->Events->pdata[i - 1];
        uint64_t base, size;
        if (event->Type == ReportImage && run_event_number(event, ReportKeyBase, &base) &&
            run_event_number(event, ReportKeySize, &size) && address >= base && address - base < size)
            return event;
    }
    return NULL;
}

bool run_report_is_own_module(const char *module)
{
    static const char *const own[] = {"ntoskrnl.exe", "hal.dll", "agent.sys", "ramfs.sys",
                                      "npfs.sys",     "pci.sys", "wmilib.sys"};
    for (size_t i = 0; module && i < G_N_ELEMENTS(own); i++) {
        if (g_ascii_strcasecmp(module, own[i]) == 0)
            return true;
    }
    return module == NULL;
}

char *run_report_last_log_line(const RunReport *report)
{
    g_autofree char *log = g_strchomp(g_strdup(report->Log));
    const char *newline = strrchr(log, '\n');
    const char *line = newline ? newline + 1 : log;
    return *line ? g_strdup(line) : NULL;
}

/* SPDX-License-Identifier: MIT
 * Writes the events of a run in their order: a headline per step, one labelled line per fact, the verdict
 * last. */
#include "report_text.h"

#include <inttypes.h>
#include <string.h>

#include "ntstatus.h"
#include "request.h"
#include "scenario.h"

#define HEX_ROWS 16 /* of an output that are shown; --json has all of it */

typedef struct Page {
    FILE *Out;
    const RunOptions *Options;
    const RunReport *Report;
} Page;

/* "  label        text"; further lines of the text are indented alike. */
static void put(const Page *page, const char *label, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    fprintf(page->Out, "  %-12s %s\n", label, lines[0] ? lines[0] : "");
    for (char **line = lines[0] ? lines + 1 : lines; *line; line++)
        fprintf(page->Out, "  %-12s %s\n", "", *line);
}

static void G_GNUC_PRINTF(3, 4) put_format(const Page *page, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    put(page, label, text);
}

static char *status_of(const RunEvent *event)
{
    return ntstatus_text((uint32_t)run_event_value(event, ReportKeyStatus));
}

/* "module!symbol+0x12" as far as it is known; the host's symbol counts before the guest's. */
static char *place_of(const Page *page, const RunEvent *event)
{
    const char *module = run_event_text(event, ReportKeyModule);
    const char *own = g_hash_table_lookup(page->Report->Symbols, event);
    const char *symbol = run_event_text(event, ReportKeySymbol);
    uint64_t offset = run_event_value(event, ReportKeyOffset);
    if (own)
        return g_strdup_printf("%s!%s", module, own);
    if (symbol && module)
        return g_strdup_printf("%s!%s (%s+0x%" PRIx64 ")", module, symbol, module, offset);
    if (module)
        return g_strdup_printf("%s+0x%" PRIx64, module, offset);
    return g_strdup_printf("0x%016" PRIx64, run_event_value(event, ReportKeyAddress));
}

/* ---- events ---- */

static void put_boot(const Page *page, const RunEvent *event)
{
    fprintf(page->Out, "%s, booted by %s, processors %" PRIu64 " of %" PRIu64 "\n",
            run_event_text_or(event, ReportKeyText, "ntbox kernel"), machine_boot_name(page->Options->Boot),
            run_event_value(event, ReportKeyCount), run_event_value(event, ReportKeyTotal));
}

static void put_image(const Page *page, const RunEvent *event)
{
    const char *text = run_event_text(event, ReportKeyText);
    const char *driver = run_event_text_or(event, ReportKeyDriver, "?");
    g_autofree char *status = status_of(event);
    if (run_event_value(event, ReportKeyStatus) != 0)
        put_format(page, "refused", "%s: %s%s%s", driver, status, text ? ": " : "", text ? text : "");
    else
        put_format(page, "loaded", "%s at 0x%016" PRIx64 ", %" PRIu64 " bytes%s%s", driver,
                   run_event_value(event, ReportKeyBase), run_event_value(event, ReportKeySize),
                   text ? "; " : "", text ? text : "");
}

static void put_missing(const Page *page, const RunEvent *event)
{
    put_format(page, "missing", "%s: import %s!%s is not exported",
               run_event_text_or(event, ReportKeyDriver, "?"), run_event_text_or(event, ReportKeyDll, "?"),
               run_event_text_or(event, ReportKeySymbol, "?"));
}

static void put_leak(const Page *page, const RunEvent *event)
{
    const char *tag = run_event_text(event, ReportKeyTag);
    g_autofree char *place = place_of(page, event);
    bool placed = run_event_text(event, ReportKeyModule) != NULL;
    GString *line = g_string_new(run_event_text_or(event, ReportKeyDriver, "kernel"));
    uint64_t number;
    g_string_append_printf(line, ": %s", run_event_text_or(event, ReportKeyKind, "memory"));
    if (tag)
        g_string_append_printf(line, ", tag '%s'", tag);
    if (run_event_number(event, ReportKeySize, &number))
        g_string_append_printf(line, ", %" PRIu64 " bytes", number);
    if (run_event_number(event, ReportKeyCount, &number) && number != 1)
        g_string_append_printf(line, ", %" PRIu64 " times", number);
    if (run_event_text(event, ReportKeyName))
        g_string_append_printf(line, ", %s", run_event_text(event, ReportKeyName));
    if (placed)
        g_string_append_printf(line, ", allocated by %s", place);
    put(page, "leak", line->str);
    g_string_free(line, TRUE);
}

static void put_violation(const Page *page, const RunEvent *event)
{
    g_autofree char *place = place_of(page, event);
    bool placed = run_event_text(event, ReportKeyModule) != NULL;
    put_format(page, "violation", "%s: %s%s%s%s%s", run_event_text_or(event, ReportKeyDriver, "a driver"),
               run_event_text_or(event, ReportKeyKind, "rule"),
               run_event_text(event, ReportKeyText) ? ": " : "", run_event_text_or(event, ReportKeyText, ""),
               placed ? " at " : "", placed ? place : "");
}

static const char *irql_name(uint64_t irql)
{
    static const char *const names[] = {"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"};
    return irql < G_N_ELEMENTS(names) ? names[irql] : irql == 15 ? "HIGH_LEVEL" : "device level";
}

static void put_bugcheck(const Page *page, const RunEvent *event)
{
    uint32_t code = (uint32_t)run_event_value(event, ReportKeyCode);
    uint64_t irql = event->Irql;
    const char *name = bugcheck_name(code);
    g_autofree char *place = place_of(page, event);
    run_event_number(event, ReportKeyIrql, &irql);
    fprintf(page->Out, "\nbug check 0x%X %s\n", code, name ? name : "");
    put_format(page, "parameters", "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64,
               run_event_value(event, ReportKeyParameter1), run_event_value(event, ReportKeyParameter2),
               run_event_value(event, ReportKeyParameter3), run_event_value(event, ReportKeyParameter4));
    if (run_event_text(event, ReportKeyText))
        put(page, "because", run_event_text(event, ReportKeyText));
    if (run_event_text(event, ReportKeyDriver))
        put(page, "driver", run_event_text(event, ReportKeyDriver));
    if (run_event_text(event, ReportKeyModule))
        put(page, "at", place);
    put_format(page, "state", "IRQL %" PRIu64 " (%s), processor %u", irql, irql_name(irql), event->Processor);
}

static void put_frame(const Page *page, const RunEvent *event)
{
    g_autofree char *place = place_of(page, event);
    put_format(page, run_event_value(event, ReportKeyDepth) == 0 ? "stack" : "", "#%-2" PRIu64 " %s",
               run_event_value(event, ReportKeyDepth), place);
}

/* ---- steps ---- */

/* The request of a step number, NULL for a load or unload. */
static const Request *request_of(const Page *page, uint64_t step)
{
    guint loads = g_strv_length(page->Options->Services);
    bool one = step > loads && step - loads <= page->Options->Requests->len;
    return one ? page->Options->Requests->pdata[step - loads - 1] : NULL;
}

static void put_step_begin(const Page *page, const RunEvent *event)
{
    uint64_t step = run_event_value(event, ReportKeyStep);
    const Request *request = request_of(page, step);
    const char *operation = scenario_operation_name((uint32_t)run_event_value(event, ReportKeyOperation));
    fprintf(page->Out, "\nstep %" PRIu64 ": %s %s", step, operation,
            request ? request->Device : run_event_text_or(event, ReportKeyName, ""));
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

static void put_hex_row(const Page *page, const guint8 *data, gsize length, gsize at)
{
    char hex[16 * 3 + 1] = "", text[17] = "";
    for (gsize i = 0; i < 16 && at + i < length; i++) {
        guint8 byte = data[at + i];
        g_snprintf(hex + i * 3, 4, "%02x ", byte);
        text[i] = g_ascii_isprint(byte) ? (char)byte : '.';
    }
    put_format(page, at == 0 ? "output" : "", "%04zx  %-48s |%s|", (size_t)at, hex, text);
}

static void put_data(const Page *page, GBytes *bytes)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    for (gsize at = 0; at < length && at < HEX_ROWS * 16; at += 16)
        put_hex_row(page, data, length, at);
    if (length > HEX_ROWS * 16)
        put_format(page, "", "... and %zu bytes more", (size_t)(length - HEX_ROWS * 16));
}

static void put_step_end(const Page *page, const RunEvent *event)
{
    g_autofree char *status = status_of(event);
    uint64_t operation = run_event_value(event, ReportKeyOperation);
    if (operation == ScenarioLoad || operation == ScenarioUnload)
        put(page, "result", status);
    else
        put_format(page, "result", "%s, information %" PRIu64, status,
                   run_event_value(event, ReportKeyInformation));
    if (event->Data)
        put_data(page, event->Data);
}

static void put_case_end(const Page *page, const RunEvent *event)
{
    bool passed = run_event_value(event, ReportKeyStatus) == 0;
    const char *text = run_event_text(event, ReportKeyText);
    put_format(page, passed ? "pass" : "FAIL", "%s%s%s", run_event_text_or(event, ReportKeyCase, "?"),
               text ? ": " : "", text ? text : "");
}

static void put_event(const Page *page, const RunEvent *event)
{
    g_autofree char *status = status_of(event);
    const char *driver = run_event_text_or(event, ReportKeyDriver, "kernel");
    switch (event->Type) {
    case ReportBoot:
        return put_boot(page, event);
    case ReportLog:
        return put(page, "log", run_event_text_or(event, ReportKeyText, ""));
    case ReportPrint:
        return put(page, "DbgPrint", run_event_text_or(event, ReportKeyText, ""));
    case ReportImage:
        return put_image(page, event);
    case ReportMissing:
        return put_missing(page, event);
    case ReportEntry:
        return put_format(page, "DriverEntry", "%s: %s", driver, status);
    case ReportDevice:
        return put_format(page, "device", "%s %s by %s",
                          run_event_text_or(event, ReportKeyDevice, "(no name)"),
                          run_event_text_or(event, ReportKeyKind, "created"), driver);
    case ReportLink:
        return put_format(page, "link", "%s%s%s %s", run_event_text_or(event, ReportKeyName, "?"),
                          run_event_text(event, ReportKeyDevice) ? " -> " : "",
                          run_event_text_or(event, ReportKeyDevice, ""),
                          run_event_text_or(event, ReportKeyKind, "created"));
    case ReportUnload:
        return put_format(page, "unloaded", "%s: %s", driver, status);
    case ReportLeak:
        return put_leak(page, event);
    case ReportStepBegin:
        return put_step_begin(page, event);
    case ReportStepEnd:
        return put_step_end(page, event);
    case ReportBugCheck:
        return put_bugcheck(page, event);
    case ReportFrame:
        return put_frame(page, event);
    case ReportCaseEnd:
        return put_case_end(page, event);
    case ReportViolation:
        return put_violation(page, event);
    default: /* case begin, call counts, marks and the end are told by --json */
        return;
    }
}

/* ---- the end ---- */

static void put_processors(const Page *page)
{
    if (page->Report->Processors->len)
        fprintf(page->Out, "\nat the time limit\n");
    for (guint i = 0; i < page->Report->Processors->len; i++) {
        const ProcessorState *state = page->Report->Processors->pdata[i];
        g_autofree char *label = g_strdup_printf("processor %u", state->Number);
        put_format(page, label, "0x%016" PRIx64 "%s%s%s", state->Rip, state->Place ? " " : "",
                   state->Place ? state->Place : "", state->Halted ? ", halted" : "");
    }
}

/* For a run that did not reach its end: the last words of log and QEMU. */
static void put_last_words(const Page *page, const Verdict *verdict)
{
    g_autofree char *line = run_report_last_log_line(page->Report);
    bool unfinished = verdict->Code == ExitFault || page->Report->End == VmTimedOut;
    if (unfinished && line)
        put(page, "last log line", line);
    if (unfinished && *page->Report->MachineOutput)
        put(page, "QEMU said", page->Report->MachineOutput);
}

static void put_losses(const Page *page)
{
    if (page->Report->Lost)
        put_format(page, "note", "%" PRIu64 " records did not fit the report channel and are lost",
                   page->Report->Lost);
    if (page->Report->Omitted)
        put_format(page, "note", "%" PRIu64 " records are not shown: the report would be too long",
                   page->Report->Omitted);
}

void report_text_write(FILE *out, const RunOptions *options, const RunReport *report, const Verdict *verdict)
{
    Page page = {out, options, report};
    for (guint i = 0; i < report->Events->len; i++)
        put_event(&page, report->Events->pdata[i]);
    put_processors(&page);
    put_last_words(&page, verdict);
    put_losses(&page);
    fprintf(out, "\n%s%s%s (%s, %.2f s)\n",
            verdict->Code == ExitPass ? "PASS" : "FAIL: ", verdict->Code == ExitPass ? ": " : "",
            verdict->Sentence, verdict->Outcome, report->Seconds);
}

/* SPDX-License-Identifier: MIT
 * Writes the JSON report: a member for the machine, one array for each kind of event. */
#include "report_json.h"

#include "driver_package.h"
#include "finding.h"
#include "json_write.h"
#include "ntstatus.h"
#include "run_plan.h"
#include "scenario.h"

typedef struct Document {
    JsonBuilder *Builder;
    const RunOptions *Options;
    const RunReport *Report;
} Document;

/* ---- fields that several kinds of events share ---- */

static void put_status(JsonBuilder *builder, const RunEvent *event)
{
    uint64_t status;
    if (!run_event_number(event, ReportKeyStatus, &status))
        return;
    g_autofree char *name = ntstatus_text((uint32_t)status);
    json_put_address(builder, "status", status);
    json_put_text(builder, "status_name", name);
}

static void put_number(JsonBuilder *builder, const RunEvent *event, REPORT_KEY key, const char *name)
{
    uint64_t number;
    if (run_event_number(event, key, &number))
        json_put_number(builder, name, (int64_t)number);
}

static void put_address(JsonBuilder *builder, const RunEvent *event, REPORT_KEY key, const char *name)
{
    uint64_t number;
    if (run_event_number(event, key, &number))
        json_put_address(builder, name, number);
}

static void put_place(const Document *document, const RunEvent *event)
{
    JsonBuilder *builder = document->Builder;
    const char *own = g_hash_table_lookup(document->Report->Symbols, event);
    put_address(builder, event, ReportKeyAddress, "address");
    json_put_text(builder, "module", run_event_text(event, ReportKeyModule));
    put_address(builder, event, ReportKeyOffset, "offset");
    json_put_text(builder, "symbol", own ? own : run_event_text(event, ReportKeySymbol));
}

/* The IRQL of a bug check is that at which it happened; the record itself is written at HIGH_LEVEL. */
static void put_origin(JsonBuilder *builder, const RunEvent *event)
{
    uint64_t irql = event->Irql;
    run_event_number(event, ReportKeyIrql, &irql);
    json_put_number(builder, "sequence", (int64_t)event->Sequence);
    json_put_number(builder, "time_100ns", (int64_t)event->Time);
    json_put_number(builder, "processor", event->Processor);
    json_put_number(builder, "irql", (int64_t)irql);
}

/* ---- one object for each kind ---- */

static void put_texts(const Document *document, const RunEvent *event)
{
    static const struct {
        REPORT_KEY Key;
        const char *Name;
    } texts[] = {
        {ReportKeyDriver, "driver"}, {ReportKeyText, "text"}, {ReportKeyDevice, "device"},
        {ReportKeyName, "name"},     {ReportKeyDll, "dll"},   {ReportKeyKind, "kind"},
        {ReportKeyTag, "tag"},       {ReportKeyCase, "case"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        json_put_text(document->Builder, texts[i].Name, run_event_text(event, texts[i].Key));
}

static void put_generic(const Document *document, const RunEvent *event)
{
    JsonBuilder *builder = document->Builder;
    put_texts(document, event);
    put_status(builder, event);
    put_address(builder, event, ReportKeyBase, "base");
    put_number(builder, event, ReportKeySize, "size");
    put_number(builder, event, ReportKeyCount, "count");
    put_place(document, event);
    put_origin(builder, event);
}

static void put_node(const Document *document, const RunEvent *event)
{
    uint32_t problem = (uint32_t)run_event_value(event, ReportKeyCode);
    put_generic(document, event);
    json_put_number(document->Builder, "problem", problem);
    json_put_text(document->Builder, "problem_name", problem ? problem_name(problem) : NULL);
}

/* What was asked for is the plan's: the record of a step's end does not repeat it. */
static void put_request(JsonBuilder *builder, const Request *request)
{
    if (request->Operation == ScenarioMark)
        return;
    if (request->Operation == ScenarioIoctl)
        json_put_address(builder, "code", request->Code);
    if (request->Operation != ScenarioRead)
        json_put_number(builder, "input_length", request->Input->len);
    if (request->Operation != ScenarioWrite)
        json_put_number(builder, "output_length", request->OutputLength);
    if (request->Operation != ScenarioIoctl)
        json_put_number(builder, "offset", (int64_t)request->Offset);
}

static void put_step(const Document *document, const RunEvent *event)
{
    JsonBuilder *builder = document->Builder;
    uint64_t number = run_event_value(event, ReportKeyStep);
    uint32_t operation = (uint32_t)run_event_value(event, ReportKeyOperation);
    const RunStep *planned = run_plan_step(document->Options, number);
    json_put_number(builder, "step", (int64_t)number);
    json_put_text(builder, "operation", scenario_operation_name(operation));
    json_put_text(builder, "name",
                  planned && planned->Request ? planned->Request->Device
                  : planned                   ? planned->Service
                                              : run_event_text(event, ReportKeyName));
    if (planned && planned->Request)
        put_request(builder, planned->Request);
    json_put_bool(builder, "ended", event->Type == ReportStepEnd);
    if (finding_is_failed_open(event))
        json_put_bool(builder, "open_failed", true);
    put_status(builder, event);
    put_number(builder, event, ReportKeyInformation, "information");
    json_put_hex(builder, "output", event->Data);
    put_origin(builder, event);
}

static void put_pass(const Document *document, const RunEvent *event)
{
    JsonBuilder *builder = document->Builder;
    json_put_number(builder, "pass", (int64_t)run_event_value(event, ReportKeyCount));
    json_put_number(builder, "allocations", (int64_t)run_event_value(event, ReportKeyTotal));
    json_put_number(builder, "failed", (int64_t)run_event_value(event, ReportKeyInformation));
    put_place(document, event);
    put_origin(builder, event);
}

static void put_denied(const Document *document, const RunEvent *event)
{
    JsonBuilder *builder = document->Builder;
    json_put_number(builder, "allocations", (int64_t)run_event_value(event, ReportKeyTotal));
    json_put_number(builder, "failed", (int64_t)run_event_value(event, ReportKeyInformation));
    put_place(document, event);
    put_origin(builder, event);
}

static bool is_ended(const RunReport *report, guint begin, REPORT_TYPE end, REPORT_KEY key)
{
    const RunEvent *first = report->Events->pdata[begin];
    for (guint i = begin + 1; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        bool same = g_strcmp0(run_event_text(first, key), run_event_text(event, key)) == 0 &&
                    run_event_value(first, key) == run_event_value(event, key);
        if (event->Type == end && same)
            return true;
        if (event->Type == first->Type && same)
            return false; /* the next round's */
    }
    return false;
}

/* ---- arrays ---- */

typedef void PutEvent(const Document *document, const RunEvent *event);

static void put_array(const Document *document, const char *name, REPORT_TYPE type, PutEvent *put)
{
    json_open_array(document->Builder, name);
    for (guint i = 0; i < document->Report->Events->len; i++) {
        const RunEvent *event = document->Report->Events->pdata[i];
        if (event->Type != type)
            continue;
        json_open_object(document->Builder, NULL);
        put(document, event);
        json_builder_end_object(document->Builder);
    }
    json_builder_end_array(document->Builder);
}

/* The ends of steps or cases, and the begin of one that has no end. */
static void put_spans(const Document *document, const char *name, REPORT_TYPE begin, REPORT_TYPE end,
                      REPORT_KEY key, PutEvent *put)
{
    json_open_array(document->Builder, name);
    for (guint i = 0; i < document->Report->Events->len; i++) {
        const RunEvent *event = document->Report->Events->pdata[i];
        bool unfinished = event->Type == begin && !is_ended(document->Report, i, end, key);
        if (event->Type != end && !unfinished)
            continue;
        json_open_object(document->Builder, NULL);
        put(document, event);
        json_builder_end_object(document->Builder);
    }
    json_builder_end_array(document->Builder);
}

static void put_case(const Document *document, const RunEvent *event)
{
    JsonBuilder *builder = document->Builder;
    bool ended = event->Type == ReportCaseEnd;
    json_put_text(builder, "case", run_event_text(event, ReportKeyCase));
    json_put_bool(builder, "ended", ended);
    json_put_bool(builder, "passed", ended && run_event_value(event, ReportKeyStatus) == 0);
    json_put_text(builder, "text", run_event_text(event, ReportKeyText));
    put_status(builder, event);
}

static void put_call(const Document *document, const RunEvent *event)
{
    json_put_text(document->Builder, "case", run_event_text(event, ReportKeyCase));
    json_put_text(document->Builder, "driver", run_event_text(event, ReportKeyDriver));
    json_put_text(document->Builder, "symbol", run_event_text(event, ReportKeySymbol));
    json_put_number(document->Builder, "count", (int64_t)run_event_value(event, ReportKeyCount));
}

static void put_missing(const Document *document, const RunEvent *event)
{
    json_put_text(document->Builder, "driver", run_event_text(event, ReportKeyDriver));
    json_put_text(document->Builder, "dll", run_event_text(event, ReportKeyDll));
    json_put_text(document->Builder, "symbol", run_event_text(event, ReportKeySymbol));
}

/* ---- members of the root ---- */

static void put_machine(const Document *document)
{
    static const char *const ends[] = {"exited",  "timed out", "died",  "interrupted",
                                       "damaged", "stuck",     "reset", "switched off"};
    JsonBuilder *builder = document->Builder;
    const RunReport *report = document->Report;
    const RunEvent *boot = run_report_first(report, ReportBoot);
    json_open_object(builder, "machine");
    json_put_text(builder, "boot", machine_boot_name(document->Options->Boot));
    json_put_text(builder, "kernel", kernel_flavour_name(document->Options->Kernel));
    json_put_text(builder, "version", boot ? run_event_text(boot, ReportKeyText) : NULL);
    json_put_number(builder, "processors_active", boot ? (int64_t)run_event_value(boot, ReportKeyCount) : 0);
    json_put_number(builder, "processors_present", boot ? (int64_t)run_event_value(boot, ReportKeyTotal) : 0);
    json_put_text(builder, "end", ends[report->End]);
    json_put_number(builder, "exit_status", report->ExitStatus);
    json_put_text(builder, "qemu_said", report->MachineOutput);
    json_builder_set_member_name(builder, "seconds");
    json_builder_add_double_value(builder, report->Seconds);
    json_builder_end_object(builder);
}

static void put_processor_place(const Document *document, const RunEvent *event)
{
    json_put_number(document->Builder, "processor", (int64_t)run_event_value(event, ReportKeyProcessor));
    json_put_number(document->Builder, "depth", (int64_t)run_event_value(event, ReportKeyDepth));
    put_place(document, event);
}

static void put_bugcheck(const Document *document)
{
    JsonBuilder *builder = document->Builder;
    const RunEvent *event = run_report_bugcheck(document->Report);
    if (!event)
        return;
    json_open_object(builder, "bug_check");
    put_address(builder, event, ReportKeyCode, "code");
    json_put_text(builder, "name", bugcheck_name((uint32_t)run_event_value(event, ReportKeyCode)));
    json_open_array(builder, "parameters");
    for (int key = ReportKeyParameter1; key <= ReportKeyParameter4; key++) {
        g_autofree char *text = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", run_event_value(event, key));
        json_builder_add_string_value(builder, text);
    }
    json_builder_end_array(builder);
    json_put_text(builder, "driver", run_event_text(event, ReportKeyDriver));
    json_put_text(builder, "text", run_event_text(event, ReportKeyText));
    put_place(document, event);
    put_origin(builder, event);
    put_array(document, "frames", ReportFrame, put_place);
    put_array(document, "other_processors", ReportProcessorFrame, put_processor_place);
    json_builder_end_object(builder);
}

static void put_frame(const Document *document, const RunEvent *event)
{
    json_put_number(document->Builder, "processor", event->Processor);
    put_place(document, event);
}

static void put_thread(const Document *document, guint *i)
{
    JsonBuilder *builder = document->Builder;
    const GPtrArray *events = document->Report->Events;
    const RunEvent *event = events->pdata[(*i)++];
    json_open_object(builder, NULL);
    json_put_text(builder, "text", run_event_text(event, ReportKeyText));
    json_put_text(builder, "kind", run_event_text(event, ReportKeyKind));
    put_place(document, event);
    json_open_array(builder, "frames");
    for (; *i < events->len && ((const RunEvent *)events->pdata[*i])->Type != ReportThread; (*i)++) {
        event = events->pdata[*i];
        if (event->Type != ReportThreadFrame)
            continue;
        json_open_object(builder, NULL);
        put_place(document, event);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

/* "address" is the thread's, the place its innermost one outside the kernel. */
static void put_threads(const Document *document)
{
    const GPtrArray *events = document->Report->Events;
    json_open_array(document->Builder, "threads_at_time_limit");
    for (guint i = 0; i < events->len;) {
        if (((const RunEvent *)events->pdata[i])->Type == ReportThread)
            put_thread(document, &i);
        else
            i++;
    }
    json_builder_end_array(document->Builder);
}

static void put_processors(const Document *document)
{
    JsonBuilder *builder = document->Builder;
    json_open_array(builder, "processors_at_time_limit");
    for (guint i = 0; i < document->Report->Processors->len; i++) {
        const ProcessorState *state = document->Report->Processors->pdata[i];
        json_open_object(builder, NULL);
        json_put_number(builder, "processor", state->Number);
        json_put_address(builder, "rip", state->Rip);
        json_put_text(builder, "place", state->Place);
        json_put_bool(builder, "halted", state->Halted);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    if (document->Report->HungAt == G_MAXUINT)
        return;
    put_array(document, "stacks_at_time_limit", ReportFrame, put_frame);
    put_threads(document);
}

static void put_drivers(const Document *document)
{
    JsonBuilder *builder = document->Builder;
    g_autoptr(GArray) results = verdict_drivers(document->Options, document->Report);
    json_open_array(builder, "drivers");
    for (guint i = 0; i < results->len; i++) {
        const DriverResult *result = &g_array_index(results, DriverResult, i);
        json_open_object(builder, NULL);
        g_autofree char *driver = g_strconcat(result->Driver, ".sys", NULL);
        json_put_text(builder, "driver", driver);
        json_put_number(builder, "exit_code", result->Verdict.Code);
        json_put_text(builder, "outcome", result->Verdict.Outcome);
        json_put_text(builder, "sentence", result->Verdict.Sentence);
        json_put_number(builder, "rounds_planned", result->Planned);
        json_put_number(builder, "rounds_run", result->Run);
        json_put_number(builder, "cases_passed", result->Passed);
        json_put_number(builder, "cases_failed", result->Failed);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_packages(const Document *document)
{
    const GPtrArray *packages = document->Options->Packages;
    JsonBuilder *builder = document->Builder;
    json_open_array(builder, "packages");
    for (guint i = 0; i < packages->len; i++) {
        const DriverPackage *package = packages->pdata[i];
        json_open_object(builder, NULL);
        json_put_text(builder, "package", package->Inf->Name);
        json_put_text(builder, "inf", package->Path);
        json_open_array(builder, "notes");
        for (guint j = 0; j < package->Inf->Notes->len; j++)
            json_builder_add_string_value(builder, package->Inf->Notes->pdata[j]);
        json_builder_end_array(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_arrays(const Document *document)
{
    put_array(document, "images", ReportImage, put_generic);
    put_array(document, "services", ReportServiceEnd, put_generic);
    put_array(document, "missing", ReportMissing, put_missing);
    put_array(document, "entries", ReportEntry, put_generic);
    put_array(document, "devices", ReportDevice, put_generic);
    put_array(document, "links", ReportLink, put_generic);
    put_array(document, "pnp", ReportNode, put_node);
    put_array(document, "prints", ReportPrint, put_generic);
    put_spans(document, "steps", ReportStepBegin, ReportStepEnd, ReportKeyStep, put_step);
    put_array(document, "unloads", ReportUnload, put_generic);
    put_array(document, "leaks", ReportLeak, put_generic);
    put_array(document, "pool", ReportPool, put_generic);
    put_array(document, "pool_blocks", ReportPoolBlock, put_generic);
    put_array(document, "violations", ReportViolation, put_generic);
    put_spans(document, "cases", ReportCaseBegin, ReportCaseEnd, ReportKeyCase, put_case);
    put_array(document, "calls", ReportCall, put_call);
    put_array(document, "log", ReportLog, put_generic);
    put_array(document, "traces", ReportTrace, put_generic);
    put_array(document, "requests_in_flight", ReportRequest, put_generic);
    put_array(document, "passes", ReportPassEnd, put_pass);
    put_array(document, "failed_on_purpose", ReportDenied, put_denied);
    put_array(document, "marks", ReportMark, put_generic);
}

static JsonBuilder *open_root(const Verdict *verdict)
{
    JsonBuilder *builder = json_builder_new();
    json_builder_begin_object(builder);
    json_put_text(builder, "ntbox", NTBOX_VERSION);
    json_put_number(builder, "exit_code", verdict->Code);
    json_put_text(builder, "outcome", verdict->Outcome);
    json_put_text(builder, "sentence", verdict->Sentence);
    return builder;
}

/* Of the checked kernel; no member when the run did not come so far. */
static void put_scheduler(const Document *document)
{
    const RunEvent *done = run_report_last(document->Report, ReportDone);
    uint64_t hash, events;
    if (!done || !run_event_number(done, ReportKeyHash, &hash) ||
        !run_event_number(done, ReportKeyCount, &events) || events == 0)
        return;
    g_autofree char *text = g_strdup_printf("%016" G_GINT64_MODIFIER "x", hash);
    json_put_text(document->Builder, "scheduler_hash", text);
    json_put_number(document->Builder, "scheduler_events", (int64_t)events);
}

char *report_json_text(const RunOptions *options, const RunReport *report, const Verdict *verdict)
{
    g_autofree char *last_line = run_report_last_log_line(report);
    Document document = {open_root(verdict), options, report};
    put_machine(&document);
    put_bugcheck(&document);
    put_processors(&document);
    put_drivers(&document);
    put_packages(&document);
    put_arrays(&document);
    put_scheduler(&document);
    json_put_text(document.Builder, "trace_hash", run_report_trace_hash(report));
    json_put_text(document.Builder, "last_log_line", last_line);
    json_put_number(document.Builder, "records_lost", (int64_t)report->Lost);
    json_put_number(document.Builder, "records_omitted", (int64_t)report->Omitted);
    json_put_number(document.Builder, "prints_dropped", (int64_t)report->Dropped);
    json_put_text(document.Builder, "damage", report->Damage);
    return json_finish(document.Builder);
}

/* SPDX-License-Identifier: MIT
 * Keeps one report record: see run_event.h. */
#include "run_event.h"

#include <string.h>

/* Drivers print in the kernel's code page (D-056), or whatever their source was written in, which nowadays is UTF-8. */
static char *to_utf8(const char *text, uint32_t length)
{
    char *converted = NULL;
    if (!g_utf8_validate(text, length, NULL))
        converted = g_convert(text, length, "UTF-8", "WINDOWS-1252", NULL, NULL, NULL);
    return converted ? converted : g_utf8_make_valid(text, length);
}

/* Tab stays; every other control character becomes '.', so that a driver cannot steer the reader's terminal.
 */
static char *clean_text(const uint8_t *data, uint32_t length)
{
    char *text = to_utf8((const char *)data, length);
    for (char *at = text; *at; at++) {
        if ((guchar)*at < 0x20 && *at != '\t' && *at != '\n')
            *at = *at == '\r' ? ' ' : '.';
        else if (*at == 0x7f)
            *at = '.';
    }
    return g_strchomp(text);
}

static void store_field(RunEvent *event, const ReportFieldView *field)
{
    uint8_t key = field->Key;
    if (key >= RUN_EVENT_KEYS)
        return;
    if (field->Kind == ReportKindNumber && !(event->NumberKeys & 1u << key)) {
        memcpy(&event->Numbers[key], field->Data, 8);
        event->NumberKeys |= 1u << key;
    } else if (field->Kind == ReportKindText && !event->Texts[key] && field->Length) {
        event->Texts[key] = clean_text(field->Data, field->Length);
    } else if (field->Kind == ReportKindBytes && key == ReportKeyData && !event->Data) {
        event->Data = g_bytes_new(field->Data, field->Length);
    }
}

RunEvent *run_event_new(const ReportView *view)
{
    RunEvent *event = g_new0(RunEvent, 1);
    event->Type = view->Header.Type;
    event->Sequence = view->Header.Sequence;
    event->Time = view->Header.Time;
    event->Processor = view->Header.Processor;
    event->Irql = view->Header.Irql;
    for (guint i = 0; i < view->Fields->len; i++)
        store_field(event, &g_array_index(view->Fields, ReportFieldView, i));
    return event;
}

void run_event_free(RunEvent *event)
{
    for (size_t key = 0; key < RUN_EVENT_KEYS; key++)
        g_free(event->Texts[key]);
    g_clear_pointer(&event->Data, g_bytes_unref);
    g_free(event);
}

const char *run_event_text(const RunEvent *event, REPORT_KEY key)
{
    return event->Texts[key];
}

const char *run_event_text_or(const RunEvent *event, REPORT_KEY key, const char *otherwise)
{
    return event->Texts[key] ? event->Texts[key] : otherwise;
}

bool run_event_number(const RunEvent *event, REPORT_KEY key, uint64_t *value)
{
    if (!(event->NumberKeys & 1u << key))
        return false;
    *value = event->Numbers[key];
    return true;
}

uint64_t run_event_value(const RunEvent *event, REPORT_KEY key)
{
    return event->Numbers[key];
}

const char *run_event_type_name(REPORT_TYPE type)
{
    static const char *const names[] = {
        "unknown",    "pad",          "boot",          "log",         "print",      "image",
        "missing",    "entry",        "device",        "link",        "unload",     "leak",
        "step_begin", "step_end",     "bug_check",     "frame",       "case_begin", "case_end",
        "call",       "done",         "violation",     "mark",        "request",    "processor_frame",
        "thread",     "thread_frame", "pass_begin",    "pass_end",    "pool_block", "pool",
        "denied",     "hive",         "service_begin", "service_end", "trace",      "node",
    };
    _Static_assert(G_N_ELEMENTS(names) == ReportNode + 1, "a name for each type");
    return (size_t)type < G_N_ELEMENTS(names) ? names[type] : names[0];
}

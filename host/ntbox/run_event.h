/* SPDX-License-Identifier: MIT
 * A report record as the host keeps it: type, time and its fields by key. Text is made valid UTF-8 without
 * control characters, since a driver may have written it. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "report_reader.h"

#define RUN_EVENT_KEYS 32 /* REPORT_KEY values below this are kept */

typedef struct RunEvent {
    REPORT_TYPE Type;
    uint64_t Sequence;
    uint64_t Time; /* 100 ns */
    uint32_t Processor;
    uint8_t Irql;
    uint32_t NumberKeys; /* bit k: Numbers[k] is set */
    uint64_t Numbers[RUN_EVENT_KEYS];
    char *Texts[RUN_EVENT_KEYS];
    GBytes *Data; /* ReportKeyData, or NULL */
} RunEvent;

/* A field that comes twice counts once: the first. */
RunEvent *run_event_new(const ReportView *view);
void run_event_free(RunEvent *event);

/* NULL if the record has no such text, or an empty one. */
const char *run_event_text(const RunEvent *event, REPORT_KEY key);
/* The text, or a word in its place. */
const char *run_event_text_or(const RunEvent *event, REPORT_KEY key, const char *otherwise);
bool run_event_number(const RunEvent *event, REPORT_KEY key, uint64_t *value);
/* 0 if the record has no such number. */
uint64_t run_event_value(const RunEvent *event, REPORT_KEY key);

/* "boot", "print" ..., the names of the JSON report. */
const char *run_event_type_name(REPORT_TYPE type);

/* SPDX-License-Identifier: MIT
 * The host's end of the report channel (kernel/include/report_format.h, docs/report-channel.md): takes
 * records out of memory that the guest shares. The guest is not trusted: a record is copied out once and only
 * the copy is looked at; every length is checked; what does not fit the format stops the reader with one
 * sentence. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "report_format.h"

typedef struct ReportFieldView {
    REPORT_KIND Kind;
    uint8_t Key;
    uint32_t Length;
    const uint8_t *Data; /* 8 bytes for a number */
} ReportFieldView;

/* One record, valid while the sink runs. */
typedef struct ReportView {
    REPORT_RECORD Header;
    const GArray *Fields; /* of ReportFieldView, of known kinds only */
} ReportView;

typedef void ReportSink(const ReportView *record, void *context);

typedef struct ReportReader {
    uint8_t *Memory; /* shared with the guest; not owned */
    uint64_t RingLength;
    uint64_t Consumed; /* our own count: the header's copy is only written, never believed */
    uint64_t Records;
    char *Damage; /* NULL, or why reading stopped for good */
    uint8_t *Copy;
    GArray *Fields;
} ReportReader;

/* Memory: length bytes, zeroed, page-aligned, at least two pages. Writes the header; the ring gets the
 * largest power of two that fits. */
void report_reader_init(ReportReader *reader, void *memory, uint64_t length);
void report_reader_clear(ReportReader *reader);

/* Gives the published records to sink, in order, one ring's worth at most. False once the channel is damaged
 * (reader->Damage). */
bool report_reader_drain(ReportReader *reader, ReportSink *sink, void *context);

/* From the header, which the guest writes: its version (0: never opened) and the records that did not fit. */
uint16_t report_reader_guest_version(const ReportReader *reader);
uint64_t report_reader_lost(const ReportReader *reader);

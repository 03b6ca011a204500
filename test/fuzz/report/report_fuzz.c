/* SPDX-License-Identifier: MIT
 * The report channel written by a hostile guest: the input is the ring's contents, its counters too. Whatever
 * comes out is judged and written as text and JSON. */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "report_json.h"
#include "report_reader.h"
#include "report_text.h"
#include "verdict.h"

#define LENGTH (4u * REPORT_DATA_OFFSET)

static RunOptions *options;
static FILE *sink;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char *words[] = {"ntbox", "a.sys", "--ioctl", "A:0x222000:01", NULL};
    options = run_options_parse(words, NULL);
    sink = fopen("/dev/null", "w");
    return options && sink ? 0 : 1;
}

static void judge(RunReport *report)
{
    Verdict verdict = verdict_decide(options, report);
    report_text_write(sink, options, report, &verdict);
    g_free(report_json_text(options, report, &verdict));
    verdict_clear(&verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ReportReader reader;
    static uint8_t memory[LENGTH] __attribute__((aligned(4096)));
    uint64_t produced = size;
    memset(memory, 0, sizeof memory);
    report_reader_init(&reader, memory, sizeof memory);
    if (size > reader.RingLength)
        return -1;
    if (size)
        memcpy(memory + REPORT_DATA_OFFSET, data, size);
    ((REPORT_HEADER *)memory)->Produced = (produced + 7) & ~7ull;
    RunReport *report = run_report_new(true);
    report_reader_drain(&reader, run_report_add, report);
    report->Damage = g_strdup(reader.Damage);
    report->End = size % 7;
    judge(report);
    run_report_free(report);
    report_reader_clear(&reader);
    return 0;
}

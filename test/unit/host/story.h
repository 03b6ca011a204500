/* SPDX-License-Identifier: MIT
 * A run as a guest would tell it, word by word, and the verdict that it must come to. */
#pragma once
#include "cmocka_glib.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "guest_ring.h"
#include "ntstatus.h"
#include "options.h"
#include "qmp.h"
#include "report_json.h"
#include "report_text.h"
#include "scenario_format.h"
#include "user_mode.h"
#include "verdict.h"

#define LENGTH (64u * 1024u)

/* A run of a.sys with one ioctl, told by a guest. */
typedef struct Story {
    uint8_t *Memory;
    ReportReader Reader;
    GuestRing Guest;
    RunReport *Report;
    RunOptions *Options;
} Story;

static inline int tell(void **state, const char *words)
{
    g_auto(GStrv) argv = g_strsplit(words, " ", -1);
    g_autofree char **copy = g_memdup2(argv, sizeof *argv * (g_strv_length(argv) + 1));
    Story *story = g_new0(Story, 1);
    story->Options = run_options_parse(copy, NULL);
    story->Memory = g_malloc0(LENGTH);
    report_reader_init(&story->Reader, story->Memory, LENGTH);
    guest_ring_open(&story->Guest, story->Memory);
    story->Report = run_report_new(false);
    story->Report->TimeLimit = 30;
    story->Report->Seconds = 30;
    *state = story;
    return 0;
}

static inline int set_up(void **state)
{
    return tell(state, "ntbox a.sys --ioctl A:0x222000:01");
}

/* Three drivers, each by itself, twice: steps 1 to 12. */
static inline int set_up_many(void **state)
{
    return tell(state, "ntbox --each a.sys b.sys c.sys --rounds 2");
}

static inline int tear_down(void **state)
{
    Story *story = *state;
    report_reader_clear(&story->Reader);
    guest_ring_close(&story->Guest);
    run_report_free(story->Report);
    run_options_free(story->Options);
    g_free(story->Memory);
    g_free(story);
    return 0;
}

/* ---- words of a story ---- */

/* Records are 0.1 ms apart. */
static inline void let_seconds_pass(Story *story, unsigned seconds)
{
    story->Guest.Sequence += seconds * 10000u;
}

static inline void boot(Story *story)
{
    guest_ring_text(&story->Guest, ReportKeyText, "0.1.0");
    guest_ring_text(&story->Guest, ReportKeyKind, "checked");
    guest_ring_number(&story->Guest, ReportKeyCount, 1);
    guest_ring_number(&story->Guest, ReportKeyTotal, 4);
    guest_ring_publish(&story->Guest, ReportBoot);
}

static inline void step(Story *story, REPORT_TYPE type, unsigned number, SCENARIO_OP operation,
                        uint32_t status)
{
    guest_ring_number(&story->Guest, ReportKeyStep, number);
    guest_ring_number(&story->Guest, ReportKeyOperation, operation);
    if (type == ReportStepEnd)
        guest_ring_number(&story->Guest, ReportKeyStatus, status);
    if (type == ReportStepEnd && operation == ScenarioIoctl)
        guest_ring_bytes(&story->Guest, ReportKeyData, "Hello, host!\0\1\2\3\4", 17);
    if (type == ReportStepBegin)
        guest_ring_text(&story->Guest, ReportKeyName, operation == ScenarioIoctl ? "\\??\\A" : "a");
    guest_ring_publish(&story->Guest, type);
}

static inline void image(Story *story, const char *driver, uint32_t status)
{
    guest_ring_text(&story->Guest, ReportKeyDriver, driver);
    guest_ring_number(&story->Guest, ReportKeyBase, 0xfffff80000400000);
    guest_ring_number(&story->Guest, ReportKeySize, 0x7000);
    guest_ring_number(&story->Guest, ReportKeyStatus, status);
    guest_ring_publish(&story->Guest, ReportImage);
}

static inline void entry(Story *story, uint32_t status)
{
    guest_ring_text(&story->Guest, ReportKeyDriver, "a.sys");
    guest_ring_number(&story->Guest, ReportKeyStatus, status);
    guest_ring_publish(&story->Guest, ReportEntry);
}

static inline void load(Story *story)
{
    step(story, ReportStepBegin, 1, ScenarioLoad, 0);
    image(story, "a.sys", 0);
    entry(story, 0);
    step(story, ReportStepEnd, 1, ScenarioLoad, 0);
}

static inline void ioctl(Story *story, uint32_t status)
{
    step(story, ReportStepBegin, 2, ScenarioIoctl, 0);
    step(story, ReportStepEnd, 2, ScenarioIoctl, status);
}

static inline void done(Story *story)
{
    guest_ring_number(&story->Guest, ReportKeyStatus, 0);
    guest_ring_publish(&story->Guest, ReportDone);
}

static inline void bugcheck(Story *story, const char *module)
{
    guest_ring_number(&story->Guest, ReportKeyCode, 0xD1);
    guest_ring_number(&story->Guest, ReportKeyIrql, 2);
    if (module)
        guest_ring_text(&story->Guest, ReportKeyModule, module);
    guest_ring_number(&story->Guest, ReportKeyOffset, 0x1010);
    guest_ring_publish(&story->Guest, ReportBugCheck);
}

static inline void pool_damage(Story *story, unsigned code, unsigned what)
{
    guest_ring_number(&story->Guest, ReportKeyCode, code);
    guest_ring_number(&story->Guest, ReportKeyParameter1, what);
    guest_ring_text(&story->Guest, ReportKeyModule, "ntoskrnl.exe");
    guest_ring_publish(&story->Guest, ReportBugCheck);
}

static inline void frame(Story *story, unsigned depth, const char *module)
{
    guest_ring_number(&story->Guest, ReportKeyDepth, depth);
    guest_ring_text(&story->Guest, ReportKeyModule, module);
    guest_ring_number(&story->Guest, ReportKeyOffset, 0x1010);
    guest_ring_publish(&story->Guest, ReportFrame);
}

/* Ends the story and compares the verdict; returns the text report. */
static inline char *expect(Story *story, ExitCode code, const char *outcome, const char *words)
{
    char *text = NULL;
    size_t size;
    assert_true(report_reader_drain(&story->Reader, run_report_add, story->Report));
    Verdict verdict = verdict_decide(story->Options, story->Report);
    if (verdict.Code != code || strcmp(verdict.Outcome, outcome) != 0 || !strstr(verdict.Sentence, words))
        fail_msg("verdict %d %s: %s", verdict.Code, verdict.Outcome, verdict.Sentence);
    FILE *out = open_memstream(&text, &size);
    report_text_write(out, story->Options, story->Report, &verdict);
    fclose(out);
    g_autofree char *json = report_json_text(story->Options, story->Report, &verdict);
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    assert_non_null(root);
    assert_int_equal(json_object_get_int_member(json_node_get_object(root), "exit_code"), code);
    assert_string_equal(json_object_get_string_member(json_node_get_object(root), "outcome"), outcome);
    verdict_clear(&verdict);
    return text;
}

static inline void assert_in(char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("'%s' is not in:\n%s", words, text);
}

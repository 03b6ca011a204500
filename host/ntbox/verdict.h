/* SPDX-License-Identifier: MIT
 * Decides what a run means: outcome, one sentence, exit code (DESIGN.md section 7). */
#pragma once
#include "exit_code.h"
#include "options.h"
#include "run_report.h"

typedef struct Verdict {
    ExitCode Code;
    const char *
        Outcome; /* "passed", "failed", "bugcheck", "hang", "reset", "cannot-load", "environment", "fault"; of
                            --fail-allocations "stopped" (the boot, as asked), "untested" */
    char *Sentence; /* owned */
} Verdict;

/* The worst finding decides (4, 3, 1, 2, 0); of equal ones the first. */
Verdict verdict_decide(const RunOptions *options, const RunReport *report);
void verdict_clear(Verdict *verdict);

/* Fills in a verdict; always true, so that a rule can end with it. */
bool G_GNUC_PRINTF(4, 5)
    verdict_set(Verdict *verdict, ExitCode code, const char *outcome, const char *format, ...);

/* What each driver came to, over all rounds. */
typedef struct DriverResult {
    const char *Driver;      /* of RunOptions.Services */
    uint32_t Planned, Run;   /* rounds: loads that the plan holds, and those that have ended */
    uint32_t Passed, Failed; /* conformance cases */
    Verdict Verdict;         /* Code ExitPass with Planned > Run: the machine had stopped before */
} DriverResult;

/* An array of DriverResult, in the order of RunOptions.Services; freed with g_array_unref. */
GArray *verdict_drivers(const RunOptions *options, const RunReport *report);

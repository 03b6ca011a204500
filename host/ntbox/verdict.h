/* SPDX-License-Identifier: MIT
 * Decides what a run means: outcome, one sentence, exit code (DESIGN.md section 7). */
#pragma once
#include "exit_code.h"
#include "run_report.h"

typedef struct Verdict {
    ExitCode Code;
    const char *Outcome; /* "passed", "failed", "bugcheck", "hang", "cannot-load", "environment", "fault" */
    char *Sentence;      /* owned */
} Verdict;

/* The gravest finding decides; of equal ones the first. */
Verdict verdict_decide(const RunReport *report);
void verdict_clear(Verdict *verdict);
